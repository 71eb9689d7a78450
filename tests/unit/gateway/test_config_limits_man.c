/* test_config_limits_man.c - slussd.conf(5) and the example say what the tables say. The list of limits in the
 * page is made from config_limits[]:  top_srcdir=. test_config_limits_man --write */
#include "gateway/config.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "gateway/config_keys.h"

static const char begin_mark[] =
	".\\\" begin limits: made by test_config_limits_man --write\n";
static const char end_mark[] = ".\\\" end limits\n";

static FILE *conf_open(const char *name, const char *mode)
{
	const char *top = getenv("top_srcdir");
	char path[512];

	snprintf(path, sizeof(path), "%s/conf/%s", top ? top : ".", name);
	return fopen(path, mode);
}

/* The whole of a file below conf/. Owns: the caller's. */
static char *conf_read(const char *name)
{
	struct mbuf *mb = mbuf_alloc(16384);
	FILE *f = conf_open(name, "r");
	char buf[4096], *text;
	size_t n;

	if (!f || !mb) {
		fprintf(stderr, "conf/%s cannot be read\n", name);
		abort();
	}
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0) {
		if (mbuf_write_mem(mb, (const uint8_t *)buf, n))
			abort();
	}
	fclose(f);
	text = base_dup(mb->buf, mb->end);
	mem_deref(mb);
	return text;
}

/* What the page has to say about the limits. Owns: the caller's. */
static char *limits_text(void)
{
	struct mbuf *mb = mbuf_alloc(16384);
	char *text, row[512];

	for (size_t i = 0; mb && i < config_limits_n; i++) {
		const struct limit_row *r = &config_limits[i];

		snprintf(row, sizeof(row), ".It Cm %s\n%u %s (%u to %u): %s.\n", r->key,
			 r->def, r->unit, r->min, r->max, r->help);
		if (mbuf_write_str(mb, row))
			abort();
	}
	text = mb ? base_dup(mb->buf, mb->end) : NULL;
	mem_deref(mb);
	return text;
}

static void the_page_has_the_limits(void **state)
{
	char *page = conf_read("slussd.conf.5.in"), *want = limits_text();
	char *from = strstr(page, begin_mark), *to = strstr(page, end_mark);

	assert_non_null(from);
	assert_non_null(to);
	from += strlen(begin_mark);
	*to = '\0';
	assert_string_equal(from, want);
	mem_deref(page);
	mem_deref(want);
}

static void the_page_has_every_section_and_option(void **state)
{
	char *page = conf_read("slussd.conf.5.in"), want[128];
	const struct config_key *keyv;
	size_t n = config_keys(&keyv);

	for (size_t i = 0; i < n; i++) {
		const char *s = keyv[i].section;
		const char *name = keyv[i].name;

		if (!name)
			snprintf(want, sizeof(want), "%s ", s);
		else if (!strcmp(s, "limits"))
			snprintf(want, sizeof(want), ".It Cm %s\n", name);
		else if (!strcmp(s, "turn"))
			snprintf(want, sizeof(want), " %s", name);
		else
			snprintf(want, sizeof(want), ".It Cm %s No =", name);
		if (!strstr(page, want))
			fail_msg("slussd.conf(5) lacks \"%s\" (%s { %s })", want, s,
				 keyv[i].name ? keyv[i].name : "");
	}
	mem_deref(page);
}

static void every_limit_makes_sense(void **state)
{
	for (size_t i = 0; i < config_limits_n; i++) {
		const struct limit_row *r = &config_limits[i];

		assert_true(r->min <= r->def && r->def <= r->max);
		/* nothing is without a limit; 0 only where it is said what that means */
		assert_true(r->min > 0 || strstr(r->help, "; 0: "));
		assert_true(strlen(r->unit) > 0 && strlen(r->help) > 0);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(r->key, config_limits[k].key);
			assert_int_not_equal(r->offset, config_limits[k].offset);
		}
	}
	/* Each field of the struct has its row. */
	assert_int_equal(config_limits_n * sizeof(uint32_t), sizeof(struct limits));
}

static void the_example_is_a_good_file(void **state)
{
	char *text = conf_read("slussd.conf.example"), *report = NULL;
	struct config *c = NULL;

	if (config_parse(&c, &report, "slussd.conf.example", text, strlen(text)))
		fail_msg("%s", report ? report : "?");
	assert_null(report);
	assert_int_equal(c->n_sites, 1);
	assert_int_equal(c->n_http, 1);
	assert_int_equal(c->n_sip, 1);
	mem_deref(c);
	mem_deref(text);
}

static int write_page(void)
{
	char *page = conf_read("slussd.conf.5.in"), *want = limits_text();
	char *from = strstr(page, begin_mark), *to = strstr(page, end_mark);
	FILE *f = conf_open("slussd.conf.5.in", "w");

	if (!from || !to || !f)
		return 1;
	from += strlen(begin_mark);
	fprintf(f, "%.*s%s%s", (int)(from - page), page, want, to);
	mem_deref(page);
	mem_deref(want);
	return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_has_the_limits),
		cmocka_unit_test(the_page_has_every_section_and_option),
		cmocka_unit_test(every_limit_makes_sense),
		cmocka_unit_test(the_example_is_a_good_file),
	};

	if (argc == 2 && !strcmp(argv[1], "--write"))
		return write_page();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
