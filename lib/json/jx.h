/* jx: strict JSON in (RFC 8259 by jansson, made stricter), typed getters whose errors name the field. */
#pragma once
#include "lib/base/err.h"
#include <jansson.h>

#define JX_DEPTH_MAX 32

/* Parses one JSON object: valid UTF-8, no duplicate keys, depth at most JX_DEPTH_MAX, numbers within int64/double, no
 * bytes after it, no lone surrogates, no U+0000. Errors: ERR_BAD_FIELD with the path of the member at fault where there
 * is one, else ERR_BAD_REQUEST. *out: json_decref(). */
MUST_CHECK int jx_parse(const char *p, size_t n, json_t **out, struct err *e);

/* Refuses members that are not in names (NULL-terminated). path: prefix of the names in errors, "" or "body.". */
MUST_CHECK int jx_only(const json_t *o, const char *path, const char *const *names, struct err *e);

/* Each fails with ERR_BAD_FIELD where the member is missing (unless optional), of another type or out of bounds. An
 * optional member that is absent or null leaves *out as it is. Strings are borrowed from o, without NULs, and counted
 * in code points. */
enum { JX_REQUIRED = 0, JX_OPTIONAL = 1 };
MUST_CHECK int jx_int(const json_t *o, const char *path, const char *name, int flags, int64_t min, int64_t max,
		      int64_t *out, struct err *e);
MUST_CHECK int jx_string(const json_t *o, const char *path, const char *name, int flags, size_t min, size_t max,
			 struct span *out, struct err *e);
MUST_CHECK int jx_bool(const json_t *o, const char *path, const char *name, int flags, bool *out, struct err *e);
MUST_CHECK int jx_uuid(const json_t *o, const char *path, const char *name, unsigned char out[16], struct err *e);
MUST_CHECK int jx_object(const json_t *o, const char *path, const char *name, int flags, const json_t **out,
			 struct err *e);
/* An array of 0..max positive integers into ids; *n gets their number. */
MUST_CHECK int jx_ids(const json_t *o, const char *path, const char *name, int flags, int64_t *ids, size_t max,
		      size_t *n, struct err *e);
