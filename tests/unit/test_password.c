/* Passwords, and roles by groups: what is taken and what is refused. */
#include "lib/auth/password.h"
#include "lib/auth/roles.h"
#include "lib/base/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void a_hash_fits_its_password_alone(void **state)
{
	char hash[PASSWORD_HASH_MAX], other[PASSWORD_HASH_MAX];
	struct err e = {0};

	(void)state;
	assert_int_equal(password_hash("a long enough secret", hash, &e), 0);
	assert_int_equal(password_hash("a long enough secret", other, &e), 0);
	assert_string_not_equal(hash, other);
	assert_memory_equal(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
	assert_true(password_verify(hash, "a long enough secret"));
	assert_true(password_verify(other, "a long enough secret"));
	assert_false(password_verify(hash, "a long enough secreT"));
	assert_false(password_verify(hash, ""));
	assert_false(password_verify(NULL, "a long enough secret"));
	assert_false(password_verify("", "a long enough secret"));
	assert_false(password_verify("$argon2id$v=19$m=19456,t=2,p=1$AAAA", "a long enough secret"));
	assert_false(password_outdated(hash));
	assert_true(password_outdated("$argon2id$v=19$m=4096,t=2,p=1$x$y"));
}

static void another_implementation_agrees(void **state)
{
	(void)state; /* argon2 -id of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -k 65536
			-p 1 */
	assert_true(password_verify(
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"));
}

static void weak_ones_are_refused(void **state)
{
	static const char *const bad[] = {"",           "short",           "123456789",          "1234567890",
					  "QwertyUiop", "aaaaaaaaaaaaaaa", "line\nbreak is bad", "not utf-8 \xff\xff"};
	char longest[PASSWORD_BYTES_MAX + 2];
	const char *const weighs[] = {"x", "\xc3\xa9", "\xf0\x9f\x98\x80"};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(password_check(bad[i], &e), -1);
		assert_string_equal(e.field, "password");
	}
	assert_int_equal(password_check("a long enough secret", &e), 0);
	assert_int_equal(password_check("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe9\x95\xb7\xe3\x81\x84"
					"\xe5\x90\x88\xe8\xa8\x80\xe8\x91\x89\xef\xbc\x81",
					&e),
			 0);                            /* characters count, not bytes */
	for (size_t i = 0; i < COUNT_OF(weighs); i++) { /* in the limit above as well */
		size_t each = strlen(weighs[i]);

		longest[0] = 'y';
		for (size_t k = 0; k < PASSWORD_CHARS_MAX - 1; k++)
			memcpy(longest + 1 + k * each, weighs[i], each);
		longest[1 + (PASSWORD_CHARS_MAX - 1) * each] = 0;
		assert_int_equal(password_check(longest, &e), 0);
		memcpy(longest + 1 + (PASSWORD_CHARS_MAX - 1) * each, "z", 2);
		assert_int_equal(password_check(longest, &e), -1);
		assert_string_equal(e.detail, "must be 1024 characters at most");
	}
}

static const char *role(const char *owners, const char *roles, const char *groups, const char *claims)
{
	struct config c = {0};
	json_t *o = json_loads(claims, 0, NULL);
	const char *found;

	assert_non_null(o);
	c.oidc.owners = (char *)owners;
	c.oidc.roles = (char *)roles;
	c.oidc.claim_groups = (char *)groups;
	found = roles_of(&c, o);
	json_decref(o);
	return found ? found : "none";
}

static void roles_come_from_groups(void **state)
{
	static const char *const bad[] = {"admin", "king:people", ":people", "admin:", "Admin:people", "admin:a, b"};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(roles_check(bad[i], &e), -1);
	assert_int_equal(roles_check("", &e), 0);
	assert_int_equal(roles_check("admin:a, guest:b c , owner:d:e,", &e), 0);
	assert_string_equal(role("", "", "groups", "{\"groups\":[\"a\"]}"), "none");
	assert_string_equal(role("", "admin:a", "groups", "{\"groups\":[\"b\"]}"), "none");
	assert_string_equal(role("", "admin:a", "groups", "{\"groups\":[\"b\",\"a\"]}"), "admin");
	assert_string_equal(role("", "admin:a", "groups", "{\"groups\":[\"A\",\"aa\",7,null]}"), "none");
	assert_string_equal(role("", "guest:b c , admin:a", "groups", "{\"groups\":[\"b c\"]}"), "guest");
	assert_string_equal(role("", "guest:b, admin:a, member:c", "groups", "{\"groups\":\"b, c\"}"), "member");
	assert_string_equal(role("", "admin:x:y", "groups", "{\"groups\":[\"x:y\"]}"), "admin");
	assert_string_equal(role("", "admin:a", "realm.roles", "{\"realm\":{\"roles\":[\"a\"]}}"), "admin");
	assert_string_equal(role("", "admin:a", "", "{\"groups\":[\"a\"]}"), "none");
	assert_string_equal(role("", "admin:a", "groups", "{\"groups\":{\"a\":1}}"), "none");
	assert_string_equal(role("s1, s2", "", "groups", "{\"sub\":\"s2\"}"), "owner");
	assert_string_equal(role("s1, s2", "", "groups", "{\"sub\":\"s\"}"), "none");
	assert_string_equal(role(",", "", "groups", "{\"sub\":\"\"}"), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_fits_its_password_alone),
		cmocka_unit_test(another_implementation_agrees),
		cmocka_unit_test(weak_ones_are_refused),
		cmocka_unit_test(roles_come_from_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
