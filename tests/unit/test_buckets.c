/* buckets, over processes: exact among threads and processes, whoever is killed or stopped in the middle, however many
 * start together, and whatever the file is that they find. */
#include "lib/base/buckets.h"
#include "lib/base/rand.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define MINUTE ((int64_t)60000000)
#define ROOM ((size_t)4096)
#define HEAD ((size_t)4096) /* of the file, before the words */
#define BOOT_AT 32          /* in it */
#define BYTES ((off_t)(HEAD + ROOM * 8))
static const struct bucket_key one = {1, 1};
static char folder[64], path[96];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pulsechat-buckets-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/rate", folder);
	return 0;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command); // NOLINT(cert-env33-c): a name of our own
}

static struct buckets *opened(uint64_t salt)
{
	struct err e = {0};
	struct buckets *b = buckets_open(path, ROOM, salt, &e);

	if (!b)
		fail_msg("%s", e.detail);
	return b;
}

static int64_t left_of(struct buckets *b, struct bucket_key key, int64_t quota)
{
	struct bucket_left left;

	buckets_take(b, key, quota, MINUTE, 0, 5, &left);
	return left.left;
}

/* ---- together */

static void a_path_is_one_table(void **state)
{
	struct buckets *a = opened(0), *b = opened(0), *other = opened(1);
	struct stat st;

	(void)state;
	assert_true(buckets_take(a, one, 10, MINUTE, 3, 5, NULL));
	assert_int_equal(left_of(b, one, 10), 7);
	assert_int_equal(left_of(other, one, 10), 10); /* another site's */
	buckets_free(&a);
	a = opened(0);
	assert_int_equal(left_of(a, one, 10), 7); /* it outlives who opened it */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, BYTES);
	assert_true(st.st_blocks * 512 >= BYTES); /* nothing is left to be found room for */
	buckets_free(&a);
	buckets_free(&b);
	buckets_free(&other);
}

static void the_clock_may_go_round(void **state)
{
	int64_t t = ((int64_t)1 << 40) - MINUTE / 2;
	struct buckets *b = buckets_new(ROOM);
	struct bucket_left left;

	(void)state;
	buckets_drain(b, one, 60, MINUTE, 60, t);
	assert_false(buckets_take(b, one, 60, MINUTE, 31, t + MINUTE / 2, &left));
	assert_int_equal(left.left, 30);
	assert_false(buckets_take(b, one, 60, MINUTE, 46, t + MINUTE * 3 / 4, &left));
	assert_int_equal(left.left, 45);
	assert_true(buckets_take(b, one, 60, MINUTE, 60, t + MINUTE, &left));
	assert_true(buckets_take(b, one, 60, MINUTE, 60, t + 100000 * MINUTE, &left));
	buckets_free(&b);
}

#define PROCESSES 4
#define THREADS 2
#define EACH 30000
#define QUOTA 100000

static void *take_many(void *arg)
{
	intptr_t got = 0;

	for (int i = 0; i < EACH; i++)
		got += buckets_take(arg, one, QUOTA, MINUTE, 1, 5, NULL);
	return (void *)got;
}

/* Says how many it got, as a process of its own. */
static void child(int go, int told)
{
	struct err e = {0};
	pthread_t t[THREADS];
	intptr_t all = 0;
	struct buckets *b;
	void *got;
	char c;

	if (read(go, &c, 1) < 0) /* all at once, when it is closed */
		_exit(1);
	b = buckets_open(path, ROOM, 0, &e);
	if (!b)
		_exit(2);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, take_many, b);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &got);
		all += (intptr_t)got;
	}
	buckets_free(&b);
	if (write(told, &all, sizeof(all)) != sizeof(all))
		_exit(3);
	_exit(0);
}

/* Processes that find none make one, the same: the sum says so. */
static void processes_share_a_bucket_to_the_token(void **state)
{
	int go[2], told[2], status;
	intptr_t all = 0, got;

	(void)state;
	unlink(path);
	assert_int_equal(pipe(go) | pipe(told), 0);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			close(go[1]);
			child(go[0], told[1]);
		}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < PROCESSES; i++) {
		wait(&status);
		assert_int_equal(status, 0);
		assert_int_equal(read(told[0], &got, sizeof(got)), sizeof(got));
		all += got;
	}
	assert_int_equal(all, QUOTA);
	close(told[0]);
	close(told[1]);
}

/* Each opens it and takes 30 of 100; the file that they find is garbage, of before the boot, or not there. */
static void who_starts_at_once_agrees(void **state)
{
	(void)state;
	for (int round = 0; round < 60; round++) {
		int go[2], status, granted = 0;
		char c = 0;

		if (round % 3 == 0) {
			unlink(path);
		} else {
			int fd = open(path, O_RDWR | O_CREAT, 0600);

			assert_int_equal(pwrite(fd, "x", 1, round % 3 == 1 ? 0 : BOOT_AT), 1);
			close(fd);
		}
		assert_int_equal(pipe(go), 0);
		for (int i = 0; i < PROCESSES; i++)
			if (fork() == 0) {
				struct err e = {0};
				struct buckets *b;
				bool took;

				close(go[1]);
				if (read(go[0], &c, 1) < 0)
					_exit(9);
				b = buckets_open(path, ROOM, 0, &e);
				if (!b)
					_exit(9);
				took = buckets_take(b, one, 100, MINUTE, 30, 5, NULL);
				buckets_free(&b);
				_exit(took);
			}
		close(go[0]);
		close(go[1]);
		for (int i = 0; i < PROCESSES; i++) {
			wait(&status);
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
			granted += WEXITSTATUS(status);
		}
		assert_int_equal(granted, 3);
	}
}

/* ---- killed, stopped */

#define KILLS 300
#define LARGE 50000000

static void wait_a_little(void)
{
	usleep(rand_below(1500));
}

/* Whatever the instruction: a token was taken, or was not, and the next process goes on as if nothing had been. */
static void killed_in_the_middle_nothing_is_broken(void **state)
{
	_Atomic int64_t *taken = mmap(NULL, sizeof(*taken), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct buckets *b = opened(0);
	int64_t before;

	(void)state;
	buckets_drain(b, one, LARGE, MINUTE, 100000, 5); /* emptier than all that shall give way */
	before = left_of(b, one, LARGE);
	for (int i = 0; i < KILLS; i++) {
		int64_t least;
		pid_t pid = fork();

		if (pid == 0)
			for (uint64_t n = 0;; n++) {
				*taken += buckets_take(b, one, LARGE, MINUTE, 1, 5, NULL);
				buckets_take(b, (struct bucket_key){2, n}, LARGE, MINUTE, 1, 5, NULL); /* displaces */
			}
		wait_a_little();
		if (i % 10 == 0) { /* one that is stopped in the middle holds nobody up */
			kill(pid, SIGSTOP);
			assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
			for (int k = 0; k < 1000; k++)
				*taken += buckets_take(b, one, LARGE, MINUTE, 1, 5, NULL);
		}
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		least = before - left_of(b, one, LARGE) - *taken;
		assert_true(least >= 0 && least <= i + 1); /* one that was taken and not counted any more, for each */
	}
	buckets_free(&b);
	munmap((void *)taken, sizeof(*taken));
}

static void killed_while_making_it_the_next_one_makes_it(void **state)
{
	struct err e = {0};

	(void)state;
	for (int i = 0; i < KILLS / 3; i++) {
		struct buckets *b;
		pid_t pid;

		unlink(path); /* it may be killed before it does */
		pid = fork();
		if (pid == 0)
			for (;;) {
				unlink(path);
				b = buckets_open(path, ROOM, 0, &e);
				buckets_free(&b);
			}
		wait_a_little();
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		b = opened(0);
		assert_true(buckets_take(b, one, 10, MINUTE, 1, 5, NULL));
		buckets_free(&b);
	}
}

/* ---- what may be there */

static void put(const void *p, size_t n, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, at), n);
	close(fd);
}

/* A bucket that is empty in the table as it was: is it still? */
static void expect(bool replaced, const char *what)
{
	struct buckets *b = opened(0);
	bool full = left_of(b, one, 10) == 10;

	if (full != replaced)
		fail_msg("%s: %s", what, replaced ? "kept" : "replaced");
	buckets_drain(b, one, 10, MINUTE, 10, 5);
	buckets_free(&b);
}

static void what_does_not_fit_is_replaced(void **state)
{
	char other[128], garbage[HEAD];
	struct stat st;
	int fd;

	(void)state;
	rand_bytes(garbage, sizeof(garbage));
	unlink(path);
	expect(true, "nothing");
	expect(false, "the same");
	assert_int_equal(truncate(path, 0), 0);
	expect(true, "an empty file");
	assert_int_equal(truncate(path, BYTES - 1), 0);
	expect(true, "one that is too short");
	assert_int_equal(truncate(path, BYTES + 1), 0);
	expect(true, "one that is too long");
	put("x", 1, 0);
	expect(true, "another magic");
	put("buckets 0", 9, 16);
	expect(true, "another version");
	put("00000000-0000-0000-0000-000000000000", 36, BOOT_AT);
	expect(true, "another boot");
	put(garbage, sizeof(garbage), 0);
	expect(true, "garbage");
	assert_int_equal(chmod(path, 0644), 0);
	expect(true, "one that others may read");
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(link(path, other), 0);
	expect(true, "one with another name beside");
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink("other", path), 0);
	expect(true, "a link to one that fits");
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect(true, "a pipe");
	/* what a process that was killed left behind is in nobody's way */
	snprintf(other, sizeof(other), "%s.new", path);
	fd = open(other, O_WRONLY | O_CREAT, 0600);
	close(fd);
	unlink(path);
	expect(true, "a leftover");
	expect(false, "the same");
	assert_int_equal(access(other, F_OK), -1);
}

static void garbage_in_it_is_full_buckets_and_bounded_ones(void **state)
{
	struct buckets *b = opened(0);
	uint64_t words[512];
	int64_t taken = 0;

	(void)state;
	for (off_t at = HEAD; at < BYTES; at += (off_t)sizeof(words)) {
		rand_bytes(words, sizeof(words));
		put(words, sizeof(words), at);
	}
	for (uint64_t i = 0; i < 20000; i++) {
		struct bucket_key key = {3, i};
		struct bucket_left left;
		bool ok = buckets_take(b, key, 10, MINUTE, 1, 5 + (int64_t)i, &left);

		assert_true(ok == !left.wait_us);
		assert_true(left.left >= 0 && left.left <= 9 && left.wait_us <= MINUTE && left.full_us <= MINUTE);
		taken += ok;
	}
	assert_true(taken > 19900);
	/* and it counts as ever: one that is drained stays so, among the garbage */
	buckets_drain(b, one, 10, MINUTE, 10, 5);
	assert_false(buckets_take(b, one, 10, MINUTE, 1, 5, NULL));
	buckets_free(&b);
}

/* ---- where it cannot be had */

static void refused(const char *where, const char *why)
{
	struct err e = {0}, checked = {0};

	assert_null(buckets_open(where, ROOM, 0, &e));
	if (!strstr(e.detail, why))
		fail_msg("%s", e.detail);
	assert_int_equal(buckets_check(where, ROOM, &checked), -1);
	assert_non_null(strstr(checked.detail, why));
}

static void where_it_cannot_be_had_it_is_said_why(void **state)
{
	struct err e = {0};
	char name[128];
	int lock;

	(void)state;
	refused("rate", "absolute");
	refused("/tmp/", "absolute");
	refused("/nowhere/at/all/rate", "No such file");
	snprintf(name, sizeof(name), "%s/open", folder);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(chmod(name, 0777), 0);
	snprintf(name, sizeof(name), "%s/open/rate", folder);
	refused(name, "others could replace");
	snprintf(name, sizeof(name), "%s/open", folder);
	assert_null(buckets_open(name, ROOM, 0, &e)); /* a folder stands there */
	/* looking makes nothing, and says of another one that it is */
	unlink(path);
	assert_int_equal(buckets_check(path, ROOM, &e), 0);
	assert_int_equal(access(path, F_OK), -1);
	expect(true, "nothing");
	assert_int_equal(buckets_check(path, ROOM, &e), 0);
	assert_int_equal(buckets_check(path, ROOM * 2, &e), -1);
	assert_non_null(strstr(e.detail, "another version"));
	/* who makes one for ever is not waited for without end */
	unlink(path);
	lock = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_null(buckets_open(path, ROOM, 0, &e));
	assert_non_null(strstr(e.detail, "locked"));
	close(lock);
	expect(true, "nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_one_table),
		cmocka_unit_test(the_clock_may_go_round),
		cmocka_unit_test(processes_share_a_bucket_to_the_token),
		cmocka_unit_test(who_starts_at_once_agrees),
		cmocka_unit_test(killed_in_the_middle_nothing_is_broken),
		cmocka_unit_test(killed_while_making_it_the_next_one_makes_it),
		cmocka_unit_test(what_does_not_fit_is_replaced),
		cmocka_unit_test(garbage_in_it_is_full_buckets_and_bounded_ones),
		cmocka_unit_test(where_it_cannot_be_had_it_is_said_why),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
