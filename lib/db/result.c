/* result: typed reading of a PGresult. */
#include "lib/db/result.h"
#include <stdlib.h>

bool result_null(const PGresult *r, int row, int col)
{
	return PQgetisnull(r, row, col);
}

int64_t result_int(const PGresult *r, int row, int col)
{
	return PQgetisnull(r, row, col) ? 0 : strtoll(PQgetvalue(r, row, col), NULL, 10);
}

bool result_bool(const PGresult *r, int row, int col)
{
	return PQgetvalue(r, row, col)[0] == 't';
}

const char *result_text(const PGresult *r, int row, int col)
{
	return PQgetvalue(r, row, col);
}

size_t result_length(const PGresult *r, int row, int col)
{
	return (size_t)PQgetlength(r, row, col);
}
