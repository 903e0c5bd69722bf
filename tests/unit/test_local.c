/* local: what several who ask for the same at once get, each step by step, and what comes in pieces. What the store
 * says to requests is in tests/files. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/secret.h"
#include "lib/store/local_private.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define AT_ONCE 3
#define ROUNDS 60

static char path[64];
static struct local *l;
static char *bytes; /* of LOCAL_PART_MIN */

static int open_folder(void **state)
{
	struct err e = {0};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/pulsechat-test-local-XXXXXX");
	if (!mkdtemp(path) || local_open(path, &l, &e) < 0)
		return -1;
	bytes = malloc((size_t)LOCAL_PART_MIN);
	for (size_t i = 0; i < (size_t)LOCAL_PART_MIN; i++)
		bytes[i] = (char)(i * 7 + i / 4096);
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	local_free(&l);
	free(bytes);
	snprintf(command, sizeof(command), "rm -r %s", path);
	return system(command); // NOLINT: a folder of ours
}

static int entries(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *dir = fdopendir(copy);
	struct dirent *d;

	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

static enum s3_err add(struct local_write *w, const char *p, size_t n)
{
	return local_write_add(w, &(struct iovec){.iov_base = (void *)(uintptr_t)p, .iov_len = n}, 1);
}

static void part(const char *upload, int number, size_t n, struct local_wanted *wanted)
{
	struct local_write *w = NULL;

	assert_int_equal(local_write_new(l, (int64_t)n, NULL, &w), S3_OK);
	assert_int_equal(add(w, bytes, n), S3_OK);
	assert_int_equal(local_write_part(w, upload, number, wanted->etag), S3_OK);
	wanted->number = number;
	local_write_free(&w);
}

static void pieces_in_a_row_are_one_body(void **state)
{
	struct iovec pieces[] = {{bytes, 1}, {bytes + 1, 0}, {bytes + 1, 70000}, {bytes + 70001, 29999}};
	unsigned char expected[32];
	char data[LOCAL_PATH_SIZE], got[100001], full[256];
	struct local_write *w = NULL;
	struct local_meta m;
	FILE *f;

	(void)state;
	sha256(bytes, 100000, expected);
	assert_int_equal(local_write_new(l, 100000, expected, &w), S3_OK);
	assert_int_equal(local_write_add(w, pieces, 4), S3_OK);
	assert_int_equal(add(w, bytes, 1), S3_INCOMPLETE);
	assert_int_equal(local_write_object(w, "b", "pieces", "text/plain", &m), S3_OK);
	local_write_free(&w);
	assert_int_equal(local_look(l, "b", "pieces", &m, data), S3_OK);
	assert_memory_equal(m.sha256, expected, 32);
	snprintf(full, sizeof(full), "%s/%s", path, data);
	f = fopen(full, "re");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, sizeof(got), f), 100000);
	fclose(f);
	assert_memory_equal(got, bytes, 100000);
	assert_int_equal(entries(l->tmp), 0);
}

/* One copies while another is done, and takes the parts away. */
static void who_is_overtaken_says_the_same(void **state)
{
	struct local_join *slow = NULL, *quick = NULL, *late = NULL;
	struct local_meta first, second, third;
	char upload[LOCAL_ID_LEN + 1];
	struct local_wanted wanted[2];
	bool done;

	(void)state;
	assert_int_equal(local_upload_new(l, "b", "overtaken", "video/mp4", upload), S3_OK);
	part(upload, 1, (size_t)LOCAL_PART_MIN, &wanted[0]);
	part(upload, 2, 3, &wanted[1]);
	assert_int_equal(local_join_new(l, "b", "overtaken", upload, wanted, 2, INT64_MAX, &slow), S3_OK);
	assert_int_equal(local_join_new(l, "b", "overtaken", upload, wanted, 2, INT64_MAX, &quick), S3_OK);
	assert_int_equal(local_join_step(slow, MIB, &done, &second), S3_OK);
	assert_false(done);
	assert_int_equal(local_join_step(quick, INT64_MAX, &done, &first), S3_OK);
	assert_true(done);
	assert_int_equal(local_join_step(slow, INT64_MAX, &done, &second), S3_OK);
	assert_true(done);
	assert_int_equal(local_join_new(l, "b", "overtaken", upload, wanted, 2, INT64_MAX, &late), S3_OK);
	assert_int_equal(local_join_step(late, 1, &done, &third), S3_OK);
	assert_true(done);
	assert_memory_equal(first.sha256, second.sha256, 32);
	assert_memory_equal(first.sha256, third.sha256, 32);
	assert_int_equal(second.size, LOCAL_PART_MIN + 3);
	assert_string_equal(second.upload, upload);
	local_join_free(&slow);
	local_join_free(&quick);
	local_join_free(&late);
	assert_int_equal(entries(l->tmp), 0);
	assert_int_equal(entries(l->uploads), 0);
}

/* Overtaken by an object that another upload has made: that one is there, and this one cannot be. */
static void another_object_of_the_key_stays(void **state)
{
	struct local_join *j = NULL;
	struct local_write *w = NULL;
	char upload[LOCAL_ID_LEN + 1];
	struct local_wanted wanted;
	struct local_meta m;
	bool done;

	(void)state;
	assert_int_equal(local_upload_new(l, "b", "taken", "video/mp4", upload), S3_OK);
	part(upload, 1, 10, &wanted);
	assert_int_equal(local_join_new(l, "b", "taken", upload, &wanted, 1, INT64_MAX, &j), S3_OK);
	assert_int_equal(local_write_new(l, 1, NULL, &w), S3_OK);
	assert_int_equal(add(w, "x", 1), S3_OK);
	assert_int_equal(local_write_object(w, "b", "taken", "text/plain", &m), S3_OK);
	local_write_free(&w);
	assert_int_equal(local_join_step(j, INT64_MAX, &done, &m), S3_PRECONDITION);
	local_join_free(&j);
	assert_int_equal(local_join_new(l, "b", "taken", upload, &wanted, 1, INT64_MAX, &j), S3_PRECONDITION);
	assert_int_equal(local_upload_abort(l, "b", "taken", upload), S3_OK);
	assert_int_equal(local_join_new(l, "b", "gone", upload, &wanted, 1, INT64_MAX, &j), S3_NO_UPLOAD);
}

struct asking {
	const char *key, *upload;
	const struct local_wanted *wanted;
	pthread_barrier_t *start;
	enum s3_err rc;
	struct local_meta m;
};

static void *complete(void *arg)
{
	struct asking *a = arg;
	struct local_join *j = NULL;
	bool done = false;

	pthread_barrier_wait(a->start);
	a->rc = local_join_new(l, "b", a->key, a->upload, a->wanted, 1, INT64_MAX, &j);
	while (a->rc == S3_OK && !done)
		a->rc = local_join_step(j, 8, &done, &a->m);
	local_join_free(&j);
	return NULL;
}

static void all_who_complete_at_once_get_it(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct asking asking[AT_ONCE];
		pthread_t threads[AT_ONCE];
		pthread_barrier_t start;
		struct local_wanted wanted;
		char upload[LOCAL_ID_LEN + 1], key[24];

		snprintf(key, sizeof(key), "at-once-%d", round);
		assert_int_equal(local_upload_new(l, "b", key, "video/mp4", upload), S3_OK);
		part(upload, 1, 20, &wanted);
		pthread_barrier_init(&start, NULL, AT_ONCE);
		for (int i = 0; i < AT_ONCE; i++) {
			asking[i] = (struct asking){.key = key, .upload = upload, .wanted = &wanted, .start = &start};
			assert_int_equal(pthread_create(&threads[i], NULL, complete, &asking[i]), 0);
		}
		for (int i = 0; i < AT_ONCE; i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&start);
		for (int i = 0; i < AT_ONCE; i++) {
			assert_string_equal(s3_err_code(asking[i].rc), s3_err_code(S3_OK));
			assert_memory_equal(asking[i].m.sha256, asking[0].m.sha256, 32);
		}
		assert_int_equal(entries(l->tmp), 0);
		assert_int_equal(entries(l->uploads), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_in_a_row_are_one_body),
		cmocka_unit_test(who_is_overtaken_says_the_same),
		cmocka_unit_test(another_object_of_the_key_stays),
		cmocka_unit_test(all_who_complete_at_once_get_it),
	};

	return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
