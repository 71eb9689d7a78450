/* tests/unit/gateway/test_certs.c - certificates near their end, and reading them again.
 *
 *   a room's news ──► certs ──► the log, once a day          asker ──► certs ──► both rooms ──► asker */
#include "gateway/certs.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DAY_S = 86400, HOUR_MS = 3600 * 1000 };

static struct fake_core fc;
static int log_file;
static unsigned n_asked[2], n_told;
static int room_err;

static int setup(void **state)
{
	(void)state;
	n_asked[0] = n_asked[1] = n_told = 0;
	room_err = 0;
	log_file = memfd_create("log", 0);
	fake_core_open(&fc);
	log_fd_set(log_file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_core_close(&fc);
	log_fd_set(2);
	close(log_file);
	return 0;
}

/* Lines of the log with `word`, so far. */
static unsigned said(const char *word)
{
	static char text[65536];
	ssize_t n = pread(log_file, text, sizeof(text) - 1, 0);
	unsigned lines = 0;

	assert_true(n >= 0);
	text[n] = '\0';
	for (const char *p = text; (p = strstr(p, word)); p++)
		lines++;
	return lines;
}

static void a_warning_a_day(void **state)
{
	struct certs *c = fc.core.certs;
	int64_t now_s = clock_wall_s();

	(void)state;
	certs_news(c, "alpha.example", now_s + 5 * DAY_S + 60, NULL);
	certs_news(c, "beta.example", now_s + 60 * DAY_S, NULL);
	certs_news(c, "gamma.example", now_s, NULL); /* not served here */
	assert_int_equal(said("site.certificate"), 1);
	assert_int_equal(said("site.certificate.expires site=alpha.example on="), 1);
	assert_int_equal(said("days=5"), 1);
	certs_news(c, "alpha.example", now_s + 5 * DAY_S + 60,
		   NULL); /* by the other thread */
	fake_loop_advance_ms(fc.loop, 23 * HOUR_MS);
	assert_int_equal(said("site.certificate"), 1);
	fake_loop_advance_ms(fc.loop, 2 * HOUR_MS);
	assert_int_equal(said("site.certificate"), 2);
	fake_loop_advance_ms(fc.loop, 48 * HOUR_MS);
	assert_int_equal(said("site.certificate"), 4);
	/* Renewed, and nothing more is said; another one says so at once. */
	certs_news(c, "alpha.example", now_s + 90 * DAY_S, NULL);
	fake_loop_advance_ms(fc.loop, 48 * HOUR_MS);
	assert_int_equal(said("site.certificate"), 4);
	certs_news(c, "beta.example", now_s - 1, NULL);
	assert_int_equal(said("err main site.certificate.expired site=beta.example on="),
			 1);
}

static void how_near_is_the_operators_choice(void **state)
{
	struct certs *c = fc.core.certs;
	int64_t now_s = clock_wall_s();

	(void)state;
	fc.config.limits.cert_warn_days = 3;
	certs_news(c, "alpha.example", now_s + 3 * DAY_S + 60, NULL);
	assert_int_equal(said("site.certificate"), 0);
	certs_news(c, "alpha.example", now_s + 3 * DAY_S - 60, NULL);
	assert_int_equal(said("site.certificate"), 1);
}

static void trouble_is_remembered(void **state)
{
	struct certs *c = fc.core.certs;
	struct site *site = core_site_find(&fc.core, "alpha.example");

	(void)state;
	certs_news(c, "alpha.example", clock_wall_s() + 90 * DAY_S, "the key is another");
	assert_string_equal(site->cert_trouble, "the key is another");
	certs_news(c, "alpha.example", clock_wall_s() + 90 * DAY_S, NULL);
	assert_string_equal(site->cert_trouble, "");
}

static int room(void *arg)
{
	++*(unsigned *)arg;
	return arg == &n_asked[1] ? room_err : 0;
}

static void told(void *arg)
{
	(void)arg;
	n_told++;
}

static void reload_waits_for_all_rooms(void **state)
{
	struct certs *c = fc.core.certs;

	(void)state;
	certs_room_add(c, room, &n_asked[0]);
	certs_room_add(c, room, &n_asked[1]);
	assert_int_equal(certs_reload(c, told, NULL), 0);
	assert_int_equal(certs_reload(c, NULL, NULL), 0); /* while they read */
	certs_reloaded(c, NULL);
	assert_int_equal(n_told, 0);
	certs_reloaded(c, NULL);
	/* The file may have changed behind their eyes: a second time. */
	assert_int_equal(n_told, 0);
	assert_int_equal(n_asked[0], 2);
	certs_reloaded(c, NULL);
	certs_reloaded(c, NULL);
	assert_int_equal(n_told, 1);
	certs_reloaded(c, NULL); /* nobody asked */
	assert_int_equal(n_told, 1);
	/* A room that is gone is not waited for. */
	room_err = ESHUTDOWN;
	assert_int_equal(certs_reload(c, told, NULL), 0);
	certs_reloaded(c, NULL);
	assert_int_equal(n_told, 2);
	assert_int_equal(said("certs.not_read"), 1);
	/* What belongs to no site is remembered until the next time. */
	assert_string_equal(certs_trouble(c), "");
	assert_int_equal(certs_reload(c, told, NULL), 0);
	certs_reloaded(c, "the trust file is empty");
	assert_string_equal(certs_trouble(c), "the trust file is empty");
	room_err = 0;
	assert_int_equal(certs_reload(c, told, NULL), 0);
	assert_string_equal(certs_trouble(c), "");
	certs_reloaded(c, NULL);
	certs_reloaded(c, NULL);
	assert_int_equal(n_told, 4);
	/* Still waited for at the end: nobody is told. */
	assert_int_equal(certs_reload(c, told, NULL), 0);
}

/* A room has read, and its word has been lost on the way. */
static void a_lost_word_holds_up_nobody(void **state)
{
	struct certs *c = fc.core.certs;

	(void)state;
	certs_room_add(c, room, &n_asked[0]);
	certs_room_add(c, room, &n_asked[1]);
	assert_int_equal(certs_reload(c, told, NULL), 0);
	certs_reloaded(c, NULL);
	fake_loop_advance_ms(fc.loop, 9900);
	assert_int_equal(n_told, 0);
	fake_loop_advance_ms(fc.loop, 200);
	assert_int_equal(n_told, 1);
	assert_non_null(strstr(certs_trouble(c), "within 10 s"));
	assert_int_equal(said("certs.late rooms=1"), 1);
	/* The next one begins anew, and ends in time. */
	assert_int_equal(certs_reload(c, told, NULL), 0);
	assert_int_equal(n_asked[0], 2);
	certs_reloaded(c, NULL);
	certs_reloaded(c, NULL);
	assert_int_equal(n_told, 2);
	assert_string_equal(certs_trouble(c), "");
	fake_loop_advance_ms(fc.loop, 20000);
	assert_int_equal(said("certs.late"), 1);
	/* Whoever asked meanwhile has it read again. */
	assert_int_equal(certs_reload(c, told, NULL), 0);
	assert_int_equal(certs_reload(c, NULL, NULL), 0);
	fake_loop_advance_ms(fc.loop, 10100);
	assert_int_equal(n_asked[0], 4);
	certs_reloaded(c, NULL);
	certs_reloaded(c, NULL);
	assert_int_equal(n_told, 3);
}

static void reload_without_a_room(void **state)
{
	(void)state;
	assert_int_equal(certs_reload(fc.core.certs, told, NULL), 0);
	assert_int_equal(n_told, 0);
	fake_loop_settle(fc.loop);
	assert_int_equal(n_told, 1);
	assert_int_equal(certs_reload(NULL, told, NULL), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_warning_a_day, setup, teardown),
		cmocka_unit_test_setup_teardown(how_near_is_the_operators_choice, setup,
						teardown),
		cmocka_unit_test_setup_teardown(trouble_is_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(reload_waits_for_all_rooms, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lost_word_holds_up_nobody, setup,
						teardown),
		cmocka_unit_test_setup_teardown(reload_without_a_room, setup, teardown),
	};

	log_thread_name("main");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
