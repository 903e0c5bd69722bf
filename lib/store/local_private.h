/* local_private: what the files of the local store share. */
#pragma once
#include "lib/store/local.h"
#include <sys/types.h>

#define LOCAL_HASH_LEN 64 /* SHA-256 in hex */
#define LOCAL_FILE_MODE 0640
#define LOCAL_DIR_MODE 0750

struct local {
	int dir;     /* the folder */
	int tmp;     /* tmp/ */
	int uploads; /* multipart/ */
	char path[]; /* for the log */
};

/* errno as an answer, and a line in the log. */
enum s3_err local_trouble(const struct local *l, const char *what);
/* objects/<2>/<62>, of LOCAL_PATH_SIZE. */
void local_object_path(const char *bucket, const char *key, char out[LOCAL_PATH_SIZE]);
/* A name that nobody has guessed: LOCAL_ID_LEN of a-z2-7 and a NUL. */
void local_name(char out[LOCAL_ID_LEN + 1]);
bool local_name_valid(const char *s);
/* Makes tmp/NAME; returns its descriptor, or -1. */
int local_tmp_new(struct local *l, char name[LOCAL_ID_LEN + 1]);
/* Removes a folder of files, which may be gone already. */
void local_remove(int parent, const char *name);
/* rename(2) that takes nobody's place: -1 with EEXIST. */
int local_rename_new(int from_dir, const char *from, int to_dir, const char *to);
/* fsync(2) of the folder at path below dir. */
int local_sync_dir(int dir, const char *path);
/* The same of the folder that has the object at path: its name is durable then. */
int local_sync_name(int dir, const char *path);

/* Small files of lines, "name value". */
struct local_line {
	const char *name;
	char *value;
	size_t size; /* of value */
};
/* Reads them; a value that is missing is "". -1 with errno (EBADMSG: not ours, or broken). */
int local_lines_read(int dir, const char *path, struct local_line *lines, size_t n);
/* Writes text to a new file, whose descriptor is returned, or -1. The disk has been told to begin. */
int local_file_begin(int dir, const char *path, const struct strbuf *text);
/* The same, durably: 0, or -1. */
int local_file_write(int dir, const char *path, const struct strbuf *text);

/* --- an object under way (lib/store/local_object.c) */
struct local_write {
	struct local *l;
	char name[LOCAL_ID_LEN + 1]; /* tmp/NAME */
	int dir, fd;
	int64_t size, got, pushed; /* pushed: how far the disk has been told to write */
	void *hash;                /* EVP_MD_CTX; NULL: sha256 is known without */
	bool has_expected, renamed;
	unsigned char expected[32], sha256[32];
	int parts;
	char upload[LOCAL_ID_LEN + 1];
};
/* Bytes have come that are in the file already: tells the disk to begin. */
void local_write_pushed(struct local_write *w, int64_t n);
/* Moves the finished body to its upload as a part (lib/store/local_parts.c). */
enum s3_err local_part_place(struct local_write *w, const char *upload, int number);
