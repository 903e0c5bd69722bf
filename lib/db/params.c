/* params: statement parameters from varargs. */
#include "lib/db/params.h"
#include "lib/base/strbuf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct params *p, const char *value, size_t n, int format)
{
	if (p->n == PARAMS_MAX) {
		fputs("too many statement parameters\n", stderr);
		abort();
	}
	p->value[p->n] = value;
	p->length[p->n] = (int)n;
	p->format[p->n++] = format;
}

static const char *int_array(struct arena *a, const int64_t *v, size_t n)
{
	AUTO_STRBUF b = {0};

	strbuf_addc(&b, '{');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(&b, ',');
		strbuf_addi(&b, v[i]);
	}
	strbuf_addc(&b, '}');
	return arena_strndup(a, b.p, b.n);
}

static const char *text_array(struct arena *a, const char *const *v, size_t n)
{
	AUTO_STRBUF b = {0};

	strbuf_addc(&b, '{');
	for (size_t i = 0; i < n; i++) {
		strbuf_adds(&b, i ? ",\"" : "\"");
		for (const char *s = v[i]; *s; s++) {
			if (*s == '"' || *s == '\\')
				strbuf_addc(&b, '\\');
			strbuf_addc(&b, *s);
		}
		strbuf_addc(&b, '"');
	}
	strbuf_addc(&b, '}');
	return arena_strndup(a, b.p, b.n);
}

void params_build(struct params *p, struct arena *a, const char *types, va_list ap)
{
	p->n = 0;
	for (const char *t = types; *t; t++) {
		const char *s;
		const void *bytes;
		size_t n;

		switch (*t) {
		case 'i':
			add(p, arena_printf(a, "%lld", (long long)va_arg(ap, int64_t)), 0, 0);
			break;
		case 't':
			add(p, va_arg(ap, const char *), 0, 0);
			break;
		case 's':
			s = va_arg(ap, const char *);
			n = va_arg(ap, size_t);
			add(p, s ? arena_strndup(a, s, n) : NULL, 0, 0);
			break;
		case 'b':
			add(p, va_arg(ap, int) ? "t" : "f", 0, 0);
			break;
		case 'n':
			add(p, NULL, 0, 0);
			break;
		case 'x':
			bytes = va_arg(ap, const void *);
			n = va_arg(ap, size_t);
			add(p, bytes, n, 1);
			break;
		case 'I': {
			const int64_t *v = va_arg(ap, const int64_t *);

			n = va_arg(ap, size_t);
			add(p, int_array(a, v, n), 0, 0);
			break;
		}
		case 'T': {
			const char *const *v = va_arg(ap, const char *const *);

			n = va_arg(ap, size_t);
			add(p, text_array(a, v, n), 0, 0);
			break;
		}
		default:
			fprintf(stderr, "unknown parameter type %c\n", *t);
			abort();
		}
	}
}
