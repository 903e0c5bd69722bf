/* Previews: which link of a text, which addresses, what a page says. */
#include "lib/base/utf8.h"
#include "lib/preview/fetch.h"
#include "lib/preview/links.h"
#include "lib/preview/page.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void links(void **state)
{
	static const char *const cases[][2] = {
		{"see https://example.org/a?b=c#d now", "https://example.org/a?b=c#d"},
		{"HTTP://EXAMPLE.ORG/.", "HTTP://EXAMPLE.ORG/"},
		{"(https://example.org/x_(y)).", "https://example.org/x_(y)"},
		{"[text](https://example.org/x)!", "https://example.org/x"},
		{"<https://example.org/x>", "https://example.org/x"},
		{"**https://example.org/x**", "https://example.org/x"},
		{"`https://code.example` https://example.org/", "https://example.org/"},
		{"```\nhttps://code.example\n``` then http://example.org", "http://example.org"},
		{"one ` and https://example.org/", "https://example.org/"},
		{"ftp://example.org xhttp://example.org", NULL},
		{"http:// https://", NULL},
		{"nothing", NULL},
		{"", NULL},
	};
	char *large = calloc(1, 3000);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span s = {0};
		bool found = link_find(cases[i][0], strlen(cases[i][0]), &s);

		assert_int_equal(found, cases[i][1] != NULL);
		if (found) {
			assert_int_equal(s.n, strlen(cases[i][1]));
			assert_memory_equal(s.p, cases[i][1], s.n);
		}
	}
	strcpy(large, "https://");
	memset(large + 8, 'x', 2900);
	assert_false(link_find(large, strlen(large), &(struct span){0}));
	free(large);
}

static bool is_public(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return guard_public((struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return guard_public((struct sockaddr *)&v6);
}

static void addresses(void **state)
{
	static const char *const open[] = {"1.1.1.1",     "8.8.8.8",         "100.63.255.255",  "100.128.0.0",
					   "172.15.0.1",  "172.32.0.1",      "192.167.255.255", "198.17.255.255",
					   "198.20.0.0",  "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
					   "2001:200::1", "2003::1"};
	static const char *const closed[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.1",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.8",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.1.1.1",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"::127.0.0.1",
		"::ffff:127.0.0.1",
		"::ffff:8.8.8.8",
		"64:ff9b::7f00:1",
		"64:ff9b::808:808",
		"64:ff9b:1::1",
		"100::1",
		"2001::1",
		"2001:10::1",
		"2001:db8::1",
		"2002:7f00:1::",
		"3fff::1",
		"5f00::1",
		"fc00::1",
		"fd12::1",
		"fe80::1",
		"fec0::1",
		"ff02::1",
	};
	struct sockaddr un = {.sa_family = AF_UNIX};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(open); i++)
		if (!is_public(open[i]))
			fail_msg("%s is public", open[i]);
	for (size_t i = 0; i < COUNT_OF(closed); i++)
		if (is_public(closed[i]))
			fail_msg("%s is not public", closed[i]);
	assert_false(guard_public(&un));
}

static bool may(const struct guard *g, const char *text, int port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return guard_address(g, (struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return guard_address(g, (struct sockaddr *)&v6);
}

static void exceptions(void **state)
{
	static const char *const bad_ports[] = {"80 x", "0", "65536", "-1", "80,443"};
	static const char *const bad_allow[] = {"127.0.0.1", "localhost:80",  "127.0.0.1:0", "[::1]",
						"[::1]x:80", "127.0.0.1:80x", "[::1:80"};
	struct guard g;
	struct err e = {0};

	(void)state;
	assert_int_equal(guard_read(&g, "80 443", " 127.0.0.1:8080  [::1]:8081", &e), 0);
	assert_true(may(&g, "8.8.8.8", 443));
	assert_false(may(&g, "8.8.8.8", 8080)); /* a port of an exception opens nothing else */
	assert_false(may(&g, "127.0.0.1", 80));
	assert_true(may(&g, "127.0.0.1", 8080));
	assert_false(may(&g, "127.0.0.2", 8080));
	assert_false(may(&g, "127.0.0.1", 8081));
	assert_true(may(&g, "::1", 8081));
	assert_false(may(&g, "::1", 8080));
	assert_false(may(&g, "::ffff:127.0.0.1", 8080));
	assert_true(guard_port(&g, 80) && guard_port(&g, 8081) && !guard_port(&g, 22));
	for (size_t i = 0; i < COUNT_OF(bad_ports); i++)
		assert_int_equal(guard_read(&g, bad_ports[i], "", &e), -1);
	for (size_t i = 0; i < COUNT_OF(bad_allow); i++)
		assert_int_equal(guard_read(&g, "80", bad_allow[i], &e), -1);
}

static void hosts(void **state)
{
	static const char *const bad[] = {"ftp://example.org/",     "file:///etc/passwd",    "gopher://example.org/",
					  "http://example.org:22/", "http://a@example.org/", "http://a:b@example.org/",

					  "//example.org/",         "javascript:alert(1)"};
	char host[FETCH_HOST_MAX];
	struct guard g;
	struct err e = {0};

	(void)state;
	assert_int_equal(guard_read(&g, "80 443", "", &e), 0);
	assert_true(fetch_host(&g, "https://Example.ORG/path", host));
	assert_string_equal(host, "example.org");
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (fetch_host(&g, bad[i], host))
			fail_msg("%s", bad[i]);
}

static void says(const char *html, const char *charset, const char *title, const char *description, const char *site)
{
	struct page p;

	page_read(&p, html, strlen(html), charset);
	assert_string_equal(strbuf_cstr(&p.title), title);
	assert_string_equal(strbuf_cstr(&p.description), description);
	assert_string_equal(strbuf_cstr(&p.site), site);
	page_release(&p);
}

static void pages(void **state)
{
	struct strbuf deep = {0};

	(void)state;
	says("<title>A &amp; B</title>", NULL, "A & B", "", "");
	says("<html><head><title>T</title><meta name=description content='D'><meta property='og:title' content='OG'>"
	     "<meta property=og:site_name content=Site><meta name='twitter:description' content='TD'></head>",
	     NULL, "OG", "TD", "Site");
	says("<body><svg><title>icon</title></svg><title>T</title>", NULL, "T", "", "");
	says("<script>var a = '<title>no</title>'</script><title>yes</title>", NULL, "yes", "", "");
	says("<meta property='og:title' content='  '><title>T</title>", NULL, "T", "", "");
	says("<title>caf\xe9</title>", "iso-8859-1", "caf\xc3\xa9", "", "");
	says("<meta charset=iso-8859-1><title>caf\xe9</title>", NULL, "caf\xc3\xa9", "", "");
	says("<title>caf\xc3\xa9</title>", "utf-8", "caf\xc3\xa9", "", "");
	says("<title>cut sho", NULL, "cut sho", "", "");
	says("", NULL, "", "", "");
	says("\x01\x02 not html", "no-such-charset", "", "", "");
	says("<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><title>&a;</title>", NULL, "&a;", "", "");
	for (int i = 0; i < 50000; i++) /* deeply nested */
		strbuf_adds(&deep, "<b>");
	strbuf_adds(&deep, "<title>deep</title>");
	says(strbuf_cstr(&deep), NULL, "", "", "");
	strbuf_release(&deep);
}

static void cleaned(const char *text, size_t max, const char *wanted)
{
	struct strbuf b = {0};

	page_clean(&b, text, max);
	assert_string_equal(strbuf_cstr(&b), wanted);
	assert_true(utf8_valid(b.p, b.n));
	strbuf_release(&b);
}

static void texts(void **state)
{
	(void)state;
	cleaned("  a \n\t b  ", 10, "a b");
	cleaned("a\xe2\x80\xae"
		"b\xe2\x81\xa6"
		"c\xe2\x80\x8f\xd8\x9c",
		10, "abc"); /* RLO, LRI, RLM, ALM */
	cleaned("a\xc2\x85"
		"b\xc2\x9b"
		"c\x7f\x1b[31m",
		20, "a bc [31m");
	cleaned("a\xe2\x80\x8b\xef\xbb\xbf"
		"b",
		10, "ab");
	cleaned("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", 10,
		"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"); /* a joined emoji stays */
	cleaned("a\xf3\xa0\x81\xa1z", 10, "az");                 /* tags */
	cleaned("abcdef", 6, "abcdef");
	cleaned("abcdefg", 6, "abcde…");
	cleaned("abc defg", 4, "abc…");
	cleaned("\xff", 4, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links), cmocka_unit_test(addresses), cmocka_unit_test(exceptions),
		cmocka_unit_test(hosts), cmocka_unit_test(pages),     cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests_name("preview", tests, NULL, NULL);
}
