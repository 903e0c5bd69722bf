/* fuzz_sigv4: whatever arrives with a signature: no crash, and nothing is taken that was not signed with these keys.
 * What is signed here is taken. Input: lines, the request target, host, then "name: value" headers. */
#include "lib/store/sigv4.h"
#include <stdlib.h>
#include <string.h>

#define MUST(cond) ((cond) ? (void)0 : abort())
#define HEADERS_MAX 8

struct sent {
	char *line[HEADERS_MAX];
	size_t n;
};

static const char *find(void *arg, const char *name)
{
	const struct sent *s = arg;
	size_t n = strlen(name);

	for (size_t i = 0; i < s->n; i++)
		if (!strncmp(s->line[i], name, n) && !strncmp(s->line[i] + n, ": ", 2))
			return s->line[i] + n + 2;
	return NULL;
}

/* A secret that no input knows. */
static const struct sigv4_credentials keys = {"local", "\x01\x9f never in a corpus \xfe", NULL, "us-east-1"};

static void there_and_back(const char *text, size_t n)
{
	char key[65] = "", value[65] = "", uri[8192];
	struct sigv4_pair headers[] = {{"content-type", value}}, query[] = {{"response-content-disposition", value}};
	struct sigv4_request r = {.method = "PUT",
				  .endpoint = "http://127.0.0.1:9000/s3",
				  .path_style = n & 1,
				  .bucket = "pulsechat",
				  .key = key,
				  .headers = headers,
				  .n_headers = 1,
				  .query = query,
				  .n_query = 1,
				  .at = 1800000000,
				  .expires = 60};
	char line[96] = "content-type: ";
	struct sent sent = {.line = {line}, .n = 1};
	struct sigv4_arrived in = {.method = "PUT", .header = find, .arg = &sent, .now = 1800000060, .uri = uri};
	AUTO_STRBUF url = {0};
	struct err e = {0};

	memcpy(key, text, MIN_OF(n, (size_t)64));
	memcpy(value, text + n / 2, MIN_OF(n - n / 2, (size_t)64));
	strcat(line, value);
	if (sigv4_presign(&r, &keys, &url, &e) < 0) {
		MUST(e.code == ERR_BAD_FIELD && e.field[0]);
		return;
	}
	in.host = r.path_style ? "127.0.0.1:9000" : "pulsechat.127.0.0.1:9000";
	MUST(url.n < sizeof(uri));
	strcpy(uri, strchr(url.p + 8, '/'));
	MUST(sigv4_verify(&in, &keys, NULL) == SIGV4_OK);
	uri[strlen(uri) - 1] ^= 1;
	MUST(sigv4_verify(&in, &keys, NULL) != SIGV4_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = calloc(1, n + 1), *at = text, *line[HEADERS_MAX + 2] = {0};
	struct sent sent = {0};
	struct sigv4_arrived in = {.method = "PUT", .header = find, .arg = &sent, .now = 1800000000};
	AUTO_STRBUF names = {0};
	size_t lines = 0;

	memcpy(text, data, n);
	there_and_back(text, strlen(text));
	while (at && lines < COUNT_OF(line))
		line[lines++] = strsep(&at, "\n");
	in.uri = line[0];
	in.host = line[1];
	for (size_t i = 2; i < lines; i++)
		sent.line[sent.n++] = line[i];
	MUST(sigv4_verify(&in, &keys, &names) != SIGV4_OK && !names.n);
	free(text);
	return 0;
}
