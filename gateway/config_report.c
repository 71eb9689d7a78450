/* gateway/config_report.c - collects what is wrong with a configuration file, so that all of it can be said
 * at once. Called by the config_*.c files while a file is read, before there are threads. */
#include "gateway/config_report.h"

enum { REPORT_MAX = 64 };

struct config_report {
	const char *file;
	struct remark {
		unsigned line;
		bool fault;
		char *text;
	} remarkv[REPORT_MAX];
	size_t n, n_faults, n_more;
};

static void config_report_destroy(void *p)
{
	struct config_report *r = p;

	for (size_t i = 0; i < r->n; i++)
		mem_deref(r->remarkv[i].text);
}

int config_report_alloc(struct config_report **rp, const char *file)
{
	struct config_report *r = mem_zalloc(sizeof(*r), config_report_destroy);

	if (!r)
		return ENOMEM;
	r->file = file;
	*rp = r;
	return 0;
}

/* What the file holds comes back in the lines: a terminal must not be steered by it. */
static void config_report_tame(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

static void PRINTF_LIKE(4, 0) config_report_add(struct config_report *r, unsigned line,
						bool fault, const char *fmt, va_list ap)
{
	char text[640], *copy;
	size_t at = r->n;

	vsnprintf(text, sizeof(text), fmt, ap);
	config_report_tame(text);
	for (size_t i = 0; i < r->n; i++) {
		if (r->remarkv[i].line == line && !strcmp(r->remarkv[i].text, text))
			return;
	}
	r->n_faults += fault;
	if (r->n == REPORT_MAX) {
		r->n_more++;
		return;
	}
	copy = base_dup(text, strlen(text));
	if (!copy)
		return;
	/* In the order of the lines, and on one line in that of saying. */
	while (at && r->remarkv[at - 1].line > line)
		at--;
	memmove(&r->remarkv[at + 1], &r->remarkv[at],
		(r->n - at) * sizeof(r->remarkv[0]));
	r->remarkv[at] = (struct remark){.line = line, .fault = fault, .text = copy};
	r->n++;
}

void config_fault(struct config_report *r, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	config_report_add(r, line, true, fmt, ap);
	va_end(ap);
}

void config_warn(struct config_report *r, unsigned line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	config_report_add(r, line, false, fmt, ap);
	va_end(ap);
}

size_t config_report_faults(const struct config_report *r)
{
	return r->n_faults;
}

static int config_report_print(const struct config_report *r, struct mbuf *mb)
{
	int err = 0;

	for (size_t i = 0; i < r->n && !err; i++) {
		const struct remark *m = &r->remarkv[i];

		err = mbuf_printf(mb, "%s:", r->file);
		if (!err && m->line)
			err = mbuf_printf(mb, "%u:", m->line);
		if (!err)
			err = mbuf_printf(mb, " %s%s\n",
					  m->fault ? "" : "warning: ", m->text);
	}
	if (!err && r->n_more)
		err = mbuf_printf(mb, "%s: and %zu more\n", r->file, r->n_more);
	return err;
}

int config_report_text(const struct config_report *r, char **textp)
{
	struct mbuf *mb;
	int err;

	*textp = NULL;
	if (!r->n)
		return 0;
	mb = mbuf_alloc(1024);
	if (!mb)
		return ENOMEM;
	err = config_report_print(r, mb);
	if (!err) {
		*textp = base_dup(mb->buf, mb->end);
		err = *textp ? 0 : ENOMEM;
	}
	mem_deref(mb);
	return err;
}
