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

static enum s3_err send_part(const char *upload, int number, const char *p, size_t n, struct local_wanted *wanted)
{
	struct local_write *w = NULL;
	enum s3_err rc = local_write_new(l, (int64_t)n, NULL, &w);

	if (rc == S3_OK)
		rc = add(w, p, n);
	if (rc == S3_OK)
		rc = local_write_part(w, upload, number, wanted->etag);
	wanted->number = number;
	local_write_free(&w);
	return rc;
}

static void part(const char *upload, int number, size_t n, struct local_wanted *wanted)
{
	assert_int_equal(send_part(upload, number, bytes, n, wanted), S3_OK);
}

/* The object is those bytes. */
static void assert_object(const char *key, const char *p, size_t n)
{
	char data[LOCAL_PATH_SIZE], full[256], *got = malloc(n + 1);
	struct local_meta m;
	FILE *f;

	assert_int_equal(local_look(l, "b", key, &m, data), S3_OK);
	snprintf(full, sizeof(full), "%s/%s", path, data);
	f = fopen(full, "re");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, n + 1, f), n);
	fclose(f);
	assert_memory_equal(got, p, n);
	free(got);
}

static void pieces_in_a_row_are_one_body(void **state)
{
	struct iovec pieces[] = {{bytes, 1}, {bytes + 1, 0}, {bytes + 1, 70000}, {bytes + 70001, 29999}};
	unsigned char expected[32];
	struct local_write *w = NULL;
	struct local_meta m;

	(void)state;
	sha256(bytes, 100000, expected);
	assert_int_equal(local_write_new(l, 100000, expected, &w), S3_OK);
	assert_int_equal(local_write_add(w, pieces, 4), S3_OK);
	assert_int_equal(add(w, bytes, 1), S3_INCOMPLETE);
	assert_int_equal(local_write_object(w, "b", "pieces", "text/plain", &m), S3_OK);
	local_write_free(&w);
	assert_memory_equal(m.sha256, expected, 32);
	assert_object("pieces", bytes, 100000);
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

/* ---- the same part, sent by several */

#define SENT_MIN ((size_t)1000) /* who sends first sends so much, the next a byte more */

struct sending {
	const char *upload;
	size_t n;
	int times;
	pthread_barrier_t *start;
	enum s3_err rc;
	struct local_wanted wanted;
};

static void *send_same(void *arg)
{
	struct sending *s = arg;

	pthread_barrier_wait(s->start);
	for (int i = 0; i < s->times && s->rc == S3_OK; i++)
		s->rc = send_part(s->upload, 1, bytes, s->n, &s->wanted);
	return NULL;
}

static void start_sending(struct sending *sending, pthread_t *threads, const char *upload, int times,
			  pthread_barrier_t *start)
{
	for (int i = 0; i < AT_ONCE; i++) {
		sending[i] = (struct sending){
			.upload = upload, .n = SENT_MIN + (size_t)i, .times = times, .start = start, .rc = S3_OK};
		assert_int_equal(pthread_create(&threads[i], NULL, send_same, &sending[i]), 0);
	}
}

static void finish_sending(struct sending *sending, pthread_t *threads)
{
	for (int i = 0; i < AT_ONCE; i++) {
		pthread_join(threads[i], NULL);
		assert_string_equal(s3_err_code(sending[i].rc), s3_err_code(S3_OK));
	}
}

static void only_part(const char *upload, struct local_part *out)
{
	struct local_part *parts = NULL;
	size_t n = 0;

	assert_int_equal(local_parts(l, upload, 0, 10, &parts, &n), S3_OK);
	assert_int_equal(n, 1);
	*out = parts[0];
	free(parts);
}

static void of_parts_sent_at_once_one_is_left_whole(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS * 3; round++) {
		struct sending sending[AT_ONCE];
		pthread_t threads[AT_ONCE];
		pthread_barrier_t start;
		struct local_join *j = NULL;
		struct local_part left;
		struct local_wanted *wanted;
		struct local_meta m;
		char upload[LOCAL_ID_LEN + 1], key[24], etag[LOCAL_ETAG_SIZE];
		bool done = false;

		snprintf(key, sizeof(key), "same-%d", round);
		assert_int_equal(local_upload_new(l, "b", key, "video/mp4", upload), S3_OK);
		pthread_barrier_init(&start, NULL, AT_ONCE);
		start_sending(sending, threads, upload, 1, &start);
		finish_sending(sending, threads);
		pthread_barrier_destroy(&start);
		only_part(upload, &left);
		assert_in_range(left.size, SENT_MIN, SENT_MIN + AT_ONCE - 1);
		wanted = &sending[(size_t)left.size - SENT_MIN].wanted;
		local_etag(left.sha256, 0, etag);
		assert_string_equal(etag, wanted->etag);
		assert_int_equal(local_join_new(l, "b", key, upload, wanted, 1, INT64_MAX, &j), S3_OK);
		assert_int_equal(local_join_step(j, INT64_MAX, &done, &m), S3_OK);
		assert_true(done);
		local_join_free(&j);
		assert_object(key, bytes, (size_t)left.size);
		assert_int_equal(entries(l->tmp), 0);
	}
}

static void a_part_is_there_all_the_time_it_is_replaced(void **state)
{
	struct sending sending[AT_ONCE];
	pthread_t threads[AT_ONCE];
	pthread_barrier_t start;
	struct local_wanted first;
	char upload[LOCAL_ID_LEN + 1], expected[LOCAL_ETAG_SIZE], etag[LOCAL_ETAG_SIZE];
	unsigned char digest[32];

	(void)state;
	assert_int_equal(local_upload_new(l, "b", "replaced", "video/mp4", upload), S3_OK);
	part(upload, 1, SENT_MIN, &first);
	pthread_barrier_init(&start, NULL, AT_ONCE + 1);
	start_sending(sending, threads, upload, ROUNDS, &start);
	pthread_barrier_wait(&start);
	for (int i = 0; i < ROUNDS * 50; i++) {
		struct local_part now;

		only_part(upload, &now);
		sha256(bytes, (size_t)now.size, digest);
		local_etag(digest, 0, expected);
		local_etag(now.sha256, 0, etag);
		assert_string_equal(etag, expected);
	}
	finish_sending(sending, threads);
	pthread_barrier_destroy(&start);
	assert_int_equal(local_upload_abort(l, "b", "replaced", upload), S3_OK);
}

static void an_object_is_of_the_parts_that_were_named(void **state)
{
	struct local_join *j = NULL;
	struct local_wanted old[2], other;
	struct local_meta m;
	char upload[LOCAL_ID_LEN + 1];
	const size_t n = (size_t)LOCAL_PART_MIN;
	bool done = false;

	(void)state;
	/* replaced before it is copied: it is not there any more, whatever its size */
	assert_int_equal(local_upload_new(l, "b", "named", "video/mp4", upload), S3_OK);
	part(upload, 1, n, &old[0]);
	part(upload, 2, 100, &old[1]);
	assert_int_equal(local_join_new(l, "b", "named", upload, old, 2, INT64_MAX, &j), S3_OK);
	assert_int_equal(send_part(upload, 2, bytes + 1, 100, &other), S3_OK);
	assert_int_equal(local_join_step(j, INT64_MAX, &done, &m), S3_BAD_PART);
	local_join_free(&j);
	assert_int_equal(local_join_new(l, "b", "named", upload, old, 2, INT64_MAX, &j), S3_BAD_PART);
	/* while it is copied: it is the former one, all of it */
	old[1] = other;
	assert_int_equal(local_join_new(l, "b", "named", upload, old, 2, INT64_MAX, &j), S3_OK);
	assert_int_equal(local_join_step(j, MIB, &done, &m), S3_OK);
	assert_int_equal(send_part(upload, 1, bytes + 1, n - 1, &other), S3_OK);
	assert_int_equal(local_join_step(j, (int64_t)n - (int64_t)MIB, &done, &m), S3_OK);
	assert_int_equal(local_join_step(j, INT64_MAX, &done, &m), S3_OK);
	assert_true(done);
	local_join_free(&j);
	bytes = realloc(bytes, n + 100);
	memcpy(bytes + n, bytes + 1, 100);
	assert_object("named", bytes, n + 100);
	assert_int_equal(entries(l->tmp), 0);
}

static void parts_are_listed_by_pages_across_gaps(void **state)
{
	static const int numbers[] = {1, 2, 5, 9};
	struct local_part *parts = NULL;
	struct local_wanted ignored;
	char upload[LOCAL_ID_LEN + 1];
	size_t n = 0;

	(void)state;
	assert_int_equal(local_upload_new(l, "b", "gaps", "video/mp4", upload), S3_OK);
	assert_int_equal(local_parts(l, upload, 0, 10, &parts, &n), S3_OK);
	assert_int_equal(n, 0);
	free(parts);
	for (size_t i = COUNT_OF(numbers); i-- > 0;)
		part(upload, numbers[i], (size_t)numbers[i] - 1, &ignored);
	for (size_t from = 0; from <= COUNT_OF(numbers); from++)
		for (size_t max = 0; max <= 5; max++) {
			int after = from ? numbers[from - 1] : 0;

			assert_int_equal(local_parts(l, upload, after, max, &parts, &n), S3_OK);
			assert_int_equal(n, MIN_OF(max, COUNT_OF(numbers) - from));
			for (size_t i = 0; i < n; i++) {
				assert_int_equal(parts[i].number, numbers[from + i]);
				assert_int_equal(parts[i].size, numbers[from + i] - 1);
			}
			free(parts);
		}
	assert_int_equal(local_parts(l, upload, INT32_MAX, 10, &parts, &n), S3_OK);
	assert_int_equal(n, 0);
	free(parts);
	assert_int_equal(local_upload_abort(l, "b", "gaps", upload), S3_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_in_a_row_are_one_body),
		cmocka_unit_test(who_is_overtaken_says_the_same),
		cmocka_unit_test(another_object_of_the_key_stays),
		cmocka_unit_test(all_who_complete_at_once_get_it),
		cmocka_unit_test(of_parts_sent_at_once_one_is_left_whole),
		cmocka_unit_test(a_part_is_there_all_the_time_it_is_replaced),
		cmocka_unit_test(an_object_is_of_the_parts_that_were_named),
		cmocka_unit_test(parts_are_listed_by_pages_across_gaps),
	};

	return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
