/* jx: strict JSON in (RFC 8259, made stricter), typed getters whose errors name the field. A document is one block of
 * memory, its values one after the other; a text is read where it stands, and copied nowhere. */
#pragma once
#include "lib/base/err.h"
struct strbuf;

#define JX_DEPTH_MAX 32

enum jx_kind { JX_NULL, JX_BOOL, JX_INT, JX_REAL, JX_STRING, JX_ARRAY, JX_OBJECT };

/* A value. It lives as long as its document; the root is the document. */
struct jx;

/* Parses one JSON object: valid UTF-8, no duplicate keys, depth at most JX_DEPTH_MAX, numbers within int64/double, no
 * bytes after it, no lone surrogates, no U+0000. Errors: ERR_BAD_FIELD with the path of the member at fault where there
 * is one, else ERR_BAD_REQUEST; *out is NULL then. */
MUST_CHECK int jx_parse(const char *p, size_t n, struct jx **out, struct err *e);
void jx_free(struct jx **document);

/* NULL: there is no such member, or o is no object (NULL is none). */
const struct jx *jx_get(const struct jx *o, const char *name);
bool jx_is(const struct jx *v, enum jx_kind kind); /* NULL is nothing */
const char *jx_text(const struct jx *v);           /* with a NUL behind it; NULL: v is no string */
int64_t jx_number(const struct jx *v);             /* 0: v is no JX_INT */
size_t jx_length(const struct jx *v);              /* of an array; 0: v is none */
/* The element of an array behind `before`, NULL: the first. NULL: there is none. */
const struct jx *jx_element(const struct jx *array, const struct jx *before);
void jx_write(struct strbuf *b, const struct jx *v); /* as JSON without blanks */

/* Refuses members that are not in names (NULL-terminated). path: prefix of the names in errors, "" or "body.". */
MUST_CHECK int jx_only(const struct jx *o, const char *path, const char *const *names, struct err *e);

/* Each fails with ERR_BAD_FIELD where the member is missing (unless optional), of another type or out of bounds. An
 * optional member that is absent or null leaves *out as it is. Strings are borrowed from o, have a NUL behind them and
 * none within, and are counted in code points. */
enum { JX_REQUIRED = 0, JX_OPTIONAL = 1 };
MUST_CHECK int jx_int(const struct jx *o, const char *path, const char *name, int flags, int64_t min, int64_t max,
		      int64_t *out, struct err *e);
MUST_CHECK int jx_string(const struct jx *o, const char *path, const char *name, int flags, size_t min, size_t max,
			 struct span *out, struct err *e);
MUST_CHECK int jx_bool(const struct jx *o, const char *path, const char *name, int flags, bool *out, struct err *e);
MUST_CHECK int jx_uuid(const struct jx *o, const char *path, const char *name, unsigned char out[16], struct err *e);
MUST_CHECK int jx_object(const struct jx *o, const char *path, const char *name, int flags, const struct jx **out,
			 struct err *e);
/* An array of 0..max positive integers into ids; *n gets their number. */
MUST_CHECK int jx_ids(const struct jx *o, const char *path, const char *name, int flags, int64_t *ids, size_t max,
		      size_t *n, struct err *e);
/* An array of 1..max strings into texts, which are borrowed from o; *n gets their number. */
MUST_CHECK int jx_texts(const struct jx *o, const char *path, const char *name, const char **texts, size_t max,
			size_t *n, struct err *e);
