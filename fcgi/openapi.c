/* openapi: the tables of this program as JSON. Nothing in them needs escaping. */
#include "fcgi/openapi.h"
#include "fcgi/route.h"

static const char *const methods[] = {[METHOD_GET] = "GET",
				      [METHOD_POST] = "POST",
				      [METHOD_PUT] = "PUT",
				      [METHOD_PATCH] = "PATCH",
				      [METHOD_DELETE] = "DELETE"};
static const char *const needs[] = {[NEED_NONE] = "none", [NEED_USER] = "user", [NEED_ADMIN] = "admin"};
static const char *const inputs[] = {
	[INPUT_NONE] = "none", [INPUT_JSON] = "json", [INPUT_LINES] = "lines", [INPUT_RAW] = "raw"};

/* The one scope of a route. */
static const char *scope_text(unsigned scope)
{
	switch (scope) {
	case 0:
		return "";
	case SCOPE_READ:
		return "read";
	case SCOPE_WRITE:
		return "write";
	case SCOPE_FILES:
		return "files";
	case SCOPE_ADMIN:
		return "admin";
	case SCOPE_ACCOUNT:
		return "account";
	default:
		return "several";
	}
}

/* {=name} is {name} outside. */
static void print_path(FILE *f, const char *pattern)
{
	for (const char *p = pattern; *p; p++)
		if (*p != '=' || p[-1] != '{')
			fputc(*p, f);
}

void openapi_print_tables(FILE *f)
{
	fputs("{\"routes\":[", f);
	for (const struct route *t = routes; t->pattern; t++) {
		fprintf(f, "%s\n{\"method\":\"%s\",\"path\":\"", t == routes ? "" : ",", methods[t->method]);
		print_path(f, t->pattern);
		fprintf(f,
			"\",\"need\":\"%s\",\"scope\":\"%s\",\"input\":\"%s\","
			"\"query\":\"%s\"}",
			needs[t->need], scope_text(t->scope), inputs[t->input], t->query ? t->query : "");
	}
	fputs("],\n\"errors\":[", f);
	for (int i = ERR_NONE + 1; i < ERR_CODES; i++)
		fprintf(f, "%s\n{\"code\":\"%s\",\"status\":%d}", i == ERR_NONE + 1 ? "" : ",",
			err_name((enum err_code)i), err_status((enum err_code)i));
	fputs("]}\n", f);
}
