/* tests/unit/gateway/test_call_trunk.c - telephone calls: who may, where they go, what they cost.
 *
 *   fake A leg ──► call ──► route, trunk_choice ──► fake trunk leg
 *                   └─► spend ──► a real back office with a real store */
#include "gateway/call.h"
#include "gateway/office.h"
#include "gateway/spend.h"
#include "gateway/trunk_choice.h"
#include "tests/fake/fake.h"

#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

enum { LINES_MAX = 8 };

struct world {
	struct fake_core fc;
	struct trunk_config trunkv[2];
	struct number_config number;
	struct emergency_config emergency[2];
	struct fake_leg *linev[LINES_MAX], *a;
	size_t n_lines;
	const struct trunk_config *asked; /* by which trunk the last call went */
	int err;
	char path[64];
	struct call *call;
};
static struct world *w;
static int64_t now_s;

static int64_t now(void)
{
	return now_s;
}

static int leg_alloc(struct leg **legp, void *arg, struct call *call,
		     const struct trunk_config *trunk)
{
	struct fake_leg *fl;

	(void)arg;
	(void)call;
	w->asked = trunk;
	if (w->err)
		return w->err;
	assert_true(w->n_lines < LINES_MAX);
	fl = fake_leg_alloc(LEG_OUT, "trunk", trunk->name);
	fl->leg.media = trunk->media;
	w->linev[w->n_lines++] = mem_ref(fl);
	*legp = &fl->leg;
	return 0;
}

static const struct trunk_ops ops = {.leg_alloc = leg_alloc};

static bool is_ready(void *arg)
{
	(void)arg;
	return spend_ready(w->fc.core.spend);
}

static void spend_open(void)
{
	char *why = NULL;

	assert_int_equal(
		office_alloc(&w->fc.core.office, &why, w->fc.loop, w->path, 1, 64, 10),
		0);
	assert_int_equal(spend_alloc(&w->fc.core.spend, &w->fc.core, now), 0);
	assert_true(fake_loop_wait(w->fc.loop, is_ready, NULL));
}

static bool is_written(void *arg)
{
	(void)arg;
	return spend_written(w->fc.core.spend);
}

static void spend_close(void)
{
	assert_true(fake_loop_wait(w->fc.loop, is_written, NULL));
	w->fc.core.spend = mem_deref(w->fc.core.spend);
	w->fc.core.office = mem_deref(w->fc.core.office);
}

static char *words(const char *text)
{
	return base_dup(text, strlen(text));
}

static char **list(const char *one, const char *two)
{
	char **v = mem_zalloc(3 * sizeof(*v), NULL);

	v[0] = words(one);
	v[1] = two ? words(two) : NULL;
	return v;
}

static void list_free(char **v)
{
	for (char **p = v; p && *p; p++)
		mem_deref(*p);
	mem_deref(v);
}

static int setup(void **state)
{
	struct trunk_config *t;

	(void)state;
	now_s = 1700000000 / 86400 * 86400;
	w = calloc(1, sizeof(*w));
	fake_core_open(&w->fc);
	for (unsigned i = 0; i < 2; i++) {
		t = &w->trunkv[i];
		t->index = i;
		snprintf(t->name, sizeof(t->name), i ? "cheap" : "provider");
		t->media = LEG_RTP;
		t->calls = 10;
		t->calls_per_user = 2;
		t->minutes_a_day = 3;
		t->plan = (struct number_plan){"49", "0", "00"};
	}
	w->trunkv[0].numberv = list("+", "1");
	w->trunkv[0].sitev = list("alpha.example", NULL);
	w->trunkv[0].denyv = list("+49900", NULL);
	w->trunkv[1].numberv = list("+44", NULL);
	w->trunkv[1].userv = list("alice@alpha.example", NULL);
	w->fc.config.trunkv = w->trunkv;
	w->fc.config.n_trunks = 2;
	w->fc.sitev[0].plan = w->fc.sitev[1].plan = w->trunkv[0].plan;
	snprintf(w->number.number, sizeof(w->number.number), "+49301234");
	snprintf(w->number.user, sizeof(w->number.user), "bob");
	w->fc.sitev[0].numberv = &w->number;
	w->fc.sitev[0].n_numbers = 1;
	snprintf(w->emergency[0].number, sizeof(w->emergency[0].number), "112");
	snprintf(w->emergency[0].trunk, sizeof(w->emergency[0].trunk), "provider");
	snprintf(w->emergency[1].number, sizeof(w->emergency[1].number), "911");
	w->fc.sitev[0].emergencyv = w->emergency;
	w->fc.sitev[0].n_emergency = 2;
	w->fc.core.trunks = &ops;
	for (const char *const *u =
		     (const char *const[]){"alice@alpha.example", "anna@alpha.example",
					   "bob@alpha.example", "berta@beta.example",
					   NULL};
	     *u; u++)
		fake_account_add(w->fc.core.accounts, *u, NULL);
	snprintf(w->path, sizeof(w->path), "/tmp/sluss-trunk-XXXXXX");
	close(mkstemp(w->path));
	spend_open();
	return 0;
}

static int teardown(void **state)
{
	char more[80];

	(void)state;
	mem_deref(w->a);
	for (size_t i = 0; i < w->n_lines; i++)
		mem_deref(w->linev[i]);
	fake_loop_settle(w->fc.loop);
	spend_close();
	fake_core_close(&w->fc);
	for (unsigned i = 0; i < 2; i++) {
		list_free(w->trunkv[i].numberv);
		list_free(w->trunkv[i].sitev);
		list_free(w->trunkv[i].userv);
		list_free(w->trunkv[i].allowv);
		list_free(w->trunkv[i].denyv);
	}
	unlink(w->path);
	snprintf(more, sizeof(more), "%s-wal", w->path);
	unlink(more);
	snprintf(more, sizeof(more), "%s-shm", w->path);
	unlink(more);
	free(w);
	return 0;
}

/* `from` calls `to`; what A was told in the end, or NULL while it goes on. */
static const struct cause *call(const char *from, const char *to)
{
	w->a = mem_deref(w->a);
	w->asked = NULL;
	assert_int_equal(fake_core_call(&w->fc, &w->call, &w->a, from, to), 0);
	fake_loop_settle(w->fc.loop);
	return w->a->over ? &w->a->cause : NULL;
}

static void hang_up(void)
{
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
}

static void refused(const char *from, const char *to, enum cause_reason reason,
		    const char *text)
{
	const struct cause *c = call(from, to);

	if (!c)
		fail_msg("%s reached %s", from ? from : "a stranger", to);
	assert_int_equal(c->reason, reason);
	if (!strstr(c->text, text))
		fail_msg("\"%s\" has no \"%s\"", c->text, text);
	assert_null(w->asked);
}

static void reached(const char *from, const char *to, const char *trunk,
		    const char *number)
{
	const struct cause *c = call(from, to);
	char want[ADDR_TEXT_MAX + 1];

	if (c)
		fail_msg("%s: %s", to, c->text);
	assert_non_null(w->asked);
	assert_string_equal(w->asked->name, trunk);
	snprintf(want, sizeof(want), "%s@alpha.example", number);
	assert_string_equal(AT(&w->linev[w->n_lines - 1]->invite->to), want);
	assert_int_equal(call_media_mode(w->call), MODE_ANCHOR);
	hang_up();
}

static void where_numbers_go(void **state)
{
	struct fake_device *bob = fake_device_alloc("bob@alpha.example", "d-bob");

	(void)state;
	reached("anna@alpha.example", "+4940567@alpha.example", "provider", "+4940567");
	reached("anna@alpha.example", "040567@alpha.example", "provider", "+4940567");
	reached("anna@alpha.example", "0044567@alpha.example", "provider", "+44567");
	reached("anna@alpha.example", "123@alpha.example", "provider", "123");
	/* the longer prefix, for whom it is */
	reached("alice@alpha.example", "0044567@alpha.example", "cheap", "+44567");
	/* whose number it is: no trunk, however it is written */
	registry_add(w->fc.core.registry, &bob->d);
	for (const char *const *n =
		     (const char *const[]){"+49301234", "0301234", "0049301234", NULL};
	     *n; n++) {
		char to[64];

		snprintf(to, sizeof(to), "%s@alpha.example", *n);
		assert_null(call("anna@alpha.example", to));
		assert_null(w->asked);
		assert_string_equal(AT(&fake_device_leg(bob)->invite->to),
				    "bob@alpha.example");
		hang_up();
	}
	/* also from outside: it is his address */
	assert_null(call(NULL, "+49301234@alpha.example"));
	hang_up();
	/* a user of that name comes before a trunk */
	fake_account_add(w->fc.core.accounts, "100@alpha.example", NULL);
	refused("anna@alpha.example", "100@alpha.example", CAUSE_OFFLINE, "not online");
	registry_remove(w->fc.core.registry, &bob->d);
	for (size_t i = 0; i < bob->n_legs; i++)
		mem_deref(bob->legv[i]);
	bob->n_legs = 0;
	mem_deref(bob);
}

/* abuse 82: nobody but who is named, and never from outside. */
static void abuse_082_who_may_not(void **state)
{
	(void)state;
	refused(NULL, "+4940567@alpha.example", CAUSE_NOT_FOUND, "has no user");
	refused(NULL, "112@alpha.example", CAUSE_NOT_FOUND, "has no user");
	refused("berta@beta.example", "+4940567@beta.example", CAUSE_FORBIDDEN,
		"may not call telephone numbers");
	refused("berta@beta.example", "+4940567@alpha.example", CAUSE_FORBIDDEN,
		"may not call telephone numbers");
	refused("anna@alpha.example", "2@alpha.example", CAUSE_NOT_FOUND,
		"cannot be called from here");
	refused("anna@alpha.example", "0900567@alpha.example", CAUSE_FORBIDDEN,
		"may not call the number +49900567");
	w->trunkv[0].allowv = list("+4940", NULL);
	refused("anna@alpha.example", "+4930@alpha.example", CAUSE_FORBIDDEN,
		"may not call the number");
	reached("anna@alpha.example", "+4940567@alpha.example", "provider", "+4940567");
	/* letters and the like are no number */
	refused("anna@alpha.example", "+49a@alpha.example", CAUSE_NOT_FOUND,
		"has no user");
	w->fc.core.trunks = NULL;
	refused("anna@alpha.example", "+4940567@alpha.example", CAUSE_NOT_FOUND,
		"cannot be called from here");
}

static void emergencies(void **state)
{
	(void)state;
	refused("anna@alpha.example", "911@alpha.example", CAUSE_NO_ROUTE,
		"Please take a telephone.");
	/* no permission, no minutes, no limit on calls holds it up */
	list_free(w->trunkv[0].sitev);
	w->trunkv[0].sitev = NULL;
	w->trunkv[0].calls_per_user = 0;
	w->fc.config.limits.calls_per_user = 0;
	w->fc.config.limits.calls_per_user_min = 1;
	for (unsigned i = 0; i < 3; i++)
		reached("anna@alpha.example", "112@alpha.example", "provider", "112");
	/* it costs nobody's minutes */
	assert_null(call("anna@alpha.example", "112@alpha.example"));
	assert_true(call_is_emergency(w->call));
	fake_leg_say_sdp(w->linev[w->n_lines - 1], LEG_ANSWER, 2);
	fake_loop_advance_ms(w->fc.loop, 10 * 60000);
	assert_false(w->a->over);
	hang_up();
	w->fc.core.trunks = NULL;
	refused("anna@alpha.example", "112@alpha.example", CAUSE_NO_ROUTE,
		"Please take a telephone.");
}

static void calls_at_once(void **state)
{
	struct fake_leg *av[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_null(call("anna@alpha.example", "+4940567@alpha.example"));
		av[i] = mem_ref(w->a);
	}
	assert_int_equal(call("anna@alpha.example", "+4940567@alpha.example")->reason,
			 CAUSE_LIMIT);
	/* hers alone */
	assert_null(call("alice@alpha.example", "+4940567@alpha.example"));
	hang_up();
	fake_leg_say_cause(av[0], LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	assert_null(call("anna@alpha.example", "+4940567@alpha.example"));
	hang_up();
	fake_leg_say_cause(av[1], LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(av[0]);
	mem_deref(av[1]);
	/* the trunk's own troubles, in words */
	w->err = ENOSPC;
	assert_non_null(strstr(call("anna@alpha.example", "+4940567@alpha.example")->text,
			       "lines are in use"));
	w->err = ENOTCONN;
	assert_non_null(strstr(call("anna@alpha.example", "+4940567@alpha.example")->text,
			       "cannot be reached"));
}

static uint32_t spent(const char *user)
{
	struct addr a = fake_addr(user);

	return spend_minutes(w->fc.core.spend, &a, "provider");
}

/* Three a day: the fourth ends the call; the next day there are three again, and a restart forgets nothing. */
static void minutes_a_day(void **state)
{
	(void)state;
	assert_null(call("anna@alpha.example", "+4940567@alpha.example"));
	fake_loop_advance_ms(w->fc.loop, 30000); /* ringing is free */
	assert_int_equal(spent("anna@alpha.example"), 0);
	fake_leg_say_sdp(w->linev[w->n_lines - 1], LEG_ANSWER, 2);
	fake_loop_settle(w->fc.loop);
	assert_int_equal(spent("anna@alpha.example"),
			 1); /* a minute counts when it begins */
	fake_loop_advance_ms(w->fc.loop, 59000);
	assert_int_equal(spent("anna@alpha.example"), 1);
	fake_loop_advance_ms(w->fc.loop, 2000);
	assert_int_equal(spent("anna@alpha.example"), 2);
	assert_int_equal(spent("alice@alpha.example"), 0);
	hang_up();

	spend_close(); /* the daemon starts anew */
	spend_open();
	assert_int_equal(spent("anna@alpha.example"), 2);
	assert_null(call("anna@alpha.example", "+4940567@alpha.example"));
	fake_leg_say_sdp(w->linev[w->n_lines - 1], LEG_ANSWER, 2);
	fake_loop_advance_ms(w->fc.loop, 59000);
	assert_false(w->a->over);
	fake_loop_advance_ms(w->fc.loop, 2000);
	assert_true(w->a->over);
	assert_non_null(strstr(w->a->cause.text, "3 minutes"));
	fake_loop_settle(w->fc.loop);
	refused("anna@alpha.example", "+4940567@alpha.example", CAUSE_FORBIDDEN,
		"are used up");

	spend_close();
	now_s += 86400;
	spend_open();
	assert_int_equal(spent("anna@alpha.example"), 0);
	reached("anna@alpha.example", "+4940567@alpha.example", "provider", "+4940567");
}

/* Midnight comes in mid-call: the new day begins with the next minute. */
static void over_midnight(void **state)
{
	(void)state;
	assert_null(call("anna@alpha.example", "+4940567@alpha.example"));
	fake_leg_say_sdp(w->linev[w->n_lines - 1], LEG_ANSWER, 2);
	fake_loop_advance_ms(w->fc.loop, 121000);
	assert_int_equal(spent("anna@alpha.example"), 3);
	now_s += 86400;
	fake_loop_advance_ms(w->fc.loop, 60000);
	assert_false(w->a->over);
	assert_int_equal(spent("anna@alpha.example"), 1);
	hang_up();
}

/* As long as nobody knows what was talked today, nobody talks. */
static void before_the_store_has_answered(void **state)
{
	(void)state;
	spend_close();
	refused("anna@alpha.example", "+4940567@alpha.example", CAUSE_LIMIT,
		"please try again");
	w->trunkv[0].minutes_a_day = 0; /* no limit: nothing to be known */
	reached("anna@alpha.example", "+4940567@alpha.example", "provider", "+4940567");
	w->trunkv[0].minutes_a_day = 3;
	spend_open();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(where_numbers_go, setup, teardown),
		cmocka_unit_test_setup_teardown(abuse_082_who_may_not, setup, teardown),
		cmocka_unit_test_setup_teardown(emergencies, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(minutes_a_day, setup, teardown),
		cmocka_unit_test_setup_teardown(over_midnight, setup, teardown),
		cmocka_unit_test_setup_teardown(before_the_store_has_answered, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
