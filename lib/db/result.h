/* result: typed reading of a PGresult (text format). */
#pragma once
#include "lib/base/base.h"
#include <libpq-fe.h>

static inline int result_rows(const PGresult *r)
{
	return PQntuples(r);
}
bool result_null(const PGresult *r, int row, int col);
int64_t result_int(const PGresult *r, int row, int col); /* 0 for null */
bool result_bool(const PGresult *r, int row, int col);
const char *result_text(const PGresult *r, int row, int col); /* "" for null; borrowed */
size_t result_length(const PGresult *r, int row, int col);
/* A timestamptz column selected as microseconds since 1970 is read by result_int. bytea: select encode(x, 'hex'). */
