/* tests/unit/gateway/test_call_rejoin.c - the process is killed in mid-call, and the call is joined again: what
 * kept.c writes down and finds, and what call_rejoin.c makes of it. Office and store are the real ones.
 *
 *   alice d-caller ── old ──► bob d-one   │ killed │   alice d-new ── rejoins ──► the device that holds it, or peer.example */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "gateway/kept.h"
#include "gateway/office.h"

struct world {
	struct fake_core fc;
	struct fake_device *one, *two;
	char dir[64], path[128];
	char id[STORE_CALL_HEX + 1];
};

static uint32_t left(const struct world *w)
{
	uint32_t n_left, n_mine;

	kept_count(w->fc.core.kept, &n_left, &n_mine);
	return n_left;
}

/* Goes through the office's queue after whatever is in it. */
static void answered(const struct office_result *result, void *arg)
{
	*(int *)arg = result->err ? result->err : -1;
}

static bool is_set(void *arg)
{
	return *(int *)arg != 0;
}

static void office_settle(struct world *w)
{
	struct office_job job = {.kind = OFFICE_USER_EXISTS, .site = "x", .user = "x"};
	int done = 0;

	assert_int_equal(office_post(w->fc.core.office, &job, answered, &done, NULL), 0);
	assert_true(fake_loop_wait(w->fc.loop, is_set, &done));
}

/* Whatever waits for its time is written down. */
static void written(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		fake_loop_advance_ms(w->fc.loop, 1000);
		office_settle(w);
	}
}

static void start(struct world *w)
{
	char *why = NULL;

	assert_int_equal(
		office_alloc(&w->fc.core.office, &why, w->fc.loop, w->path, 1, 64, 10),
		0);
	assert_int_equal(kept_alloc(&w->fc.core.kept, &w->fc.core), 0);
	office_settle(w);
}

static void killed(struct world *w)
{
	w->fc.core.kept = mem_deref(w->fc.core.kept);
	w->fc.core.office = mem_deref(w->fc.core.office);
}

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	snprintf(w.dir, sizeof(w.dir), "/tmp/test_rejoin.XXXXXX");
	if (!mkdtemp(w.dir))
		return -1;
	snprintf(w.path, sizeof(w.path), "%s/sluss.db", w.dir);
	fake_core_open(&w.fc);
	start(&w);
	w.one = fake_device_alloc("bob@alpha.example", "d-one");
	w.two = fake_device_alloc("bob@alpha.example", "d-two");
	assert_int_equal(registry_add(w.fc.core.registry, &w.two->d), 0);
	return 0;
}

static int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	struct world *w = *state;
	char file[160];

	registry_remove(w->fc.core.registry, &w->one->d);
	registry_remove(w->fc.core.registry, &w->two->d);
	fake_loop_settle(w->fc.loop);
	killed(w);
	fake_core_close(&w->fc);
	mem_deref(w->one);
	mem_deref(w->two);
	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", w->path, ends[i]);
		unlink(file);
	}
	return rmdir(w->dir);
}

/* alice talks to somebody, the process is killed, and is there again. */
static void talk_and_restart(struct world *w, const char *to)
{
	struct call *call;
	struct fake_leg *a, *b;

	assert_int_equal(fake_core_call(&w->fc, &call, &a, "alice@alpha.example", to), 0);
	fake_loop_settle(w->fc.loop);
	b = strstr(to, "peer") ? w->fc.federation.legv[0] : fake_device_leg(w->two);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	assert_int_equal(call_state(call), CALL_ACTIVE);
	snprintf(w->id, sizeof(w->id), "%s", call_id(call));
	written(w);
	killed(w); /* before the call's end can be written down */
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(a);
	start(w);
}

/* `from` NULL: eve@peer.example by SIP. */
static int join(struct world *w, struct call **callp, struct fake_leg **legp,
		const char *from, const char *to, struct kept_call *kept)
{
	struct addr dialled = fake_addr(to);
	struct party party = {.addr = fake_addr(from ? from : "eve@peer.example")};
	struct body *offer = fake_sdp(7);
	struct invite *invite = NULL;
	int err;

	*legp = fake_leg_alloc(LEG_IN, from ? "browser" : "sip",
			       from ? "d-new" : "peer.example");
	assert_int_equal(invite_alloc(&invite, &party, &dialled, offer, 70), 0);
	invite->rejoins = mem_ref(kept);
	err = call_alloc(callp, &w->fc.core, &(*legp)->leg, invite,
			 from ? &party.addr : NULL, from ? NULL : "peer.example");
	mem_deref(invite);
	mem_deref(offer);
	if (!err)
		fake_loop_settle(w->fc.loop);
	return err;
}

static struct kept_call *find(const struct world *w, const char *user, const char *to)
{
	struct addr u = fake_addr(user), t = fake_addr(to);

	return call_rejoin_find(&w->fc.core, w->id, &u, &t);
}

static void only_its_own_two_find_it(void **state)
{
	struct world *w = *state;

	talk_and_restart(w, "bob@alpha.example");
	assert_int_equal(left(w), 1);
	assert_non_null(find(w, "alice@alpha.example", "bob@alpha.example"));
	assert_non_null(find(w, "bob@alpha.example", "alice@alpha.example"));
	assert_null(find(w, "eve@alpha.example", "bob@alpha.example"));
	assert_null(find(w, "alice@alpha.example", "eve@alpha.example"));
	w->id[0] = w->id[0] == '0' ? '1' : '0';
	assert_null(find(w, "alice@alpha.example", "bob@alpha.example"));
}

static void what_is_over_is_not_left(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a;

	for (int late = 0; late < 2; late++) {
		assert_int_equal(fake_core_call(&w->fc, &call, &a, "alice@alpha.example",
						"bob@alpha.example"),
				 0);
		fake_loop_settle(w->fc.loop);
		fake_leg_say_sdp(fake_device_leg(w->two), LEG_ANSWER, 2);
		if (late)
			written(w);
		fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
		written(w);
		mem_deref(a);
	}
	killed(w);
	start(w);
	assert_int_equal(left(w), 0);
}

static void the_one_device_rings_that_holds_it(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;

	talk_and_restart(w, "bob@alpha.example");
	memcpy(w->one->holds, w->id, sizeof(w->id));
	assert_int_equal(registry_add(w->fc.core.registry, &w->one->d), 0);
	assert_int_equal(join(w, &call, &a, "alice@alpha.example", "bob@alpha.example",
			      find(w, "alice@alpha.example", "bob@alpha.example")),
			 0);
	b = fake_device_leg(w->one);
	assert_string_equal(b->trace, "invite");
	assert_int_equal(w->two->n_legs, 1); /* of the old call */
	assert_non_null(b->invite->rejoins);
	fake_leg_say_sdp(b, LEG_ANSWER, 8);
	assert_string_equal(a->trace, "answer");
	assert_int_equal(left(w), 0);
	assert_null(find(w, "alice@alpha.example", "bob@alpha.example"));
	written(w);
	killed(w); /* once more: the new call is what is left */
	start(w);
	assert_int_equal(left(w), 1);
	snprintf(w->id, sizeof(w->id), "%s", call_id(call));
	assert_non_null(find(w, "alice@alpha.example", "bob@alpha.example"));
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

static void it_waits_for_the_device(void **state)
{
	struct world *w = *state;
	struct call *call, *other;
	struct fake_leg *a, *b;
	struct kept_call *kept;

	talk_and_restart(w, "bob@alpha.example");
	kept = find(w, "alice@alpha.example", "bob@alpha.example");
	assert_int_equal(
		join(w, &call, &a, "alice@alpha.example", "bob@alpha.example", kept), 0);
	assert_int_equal(call_state(call), CALL_ROUTING);
	assert_int_equal(
		join(w, &other, &b, "bob@alpha.example", "alice@alpha.example", kept),
		EBUSY);
	mem_deref(b);
	call_device_online(&w->fc.core, &w->two->d); /* has it not */
	assert_int_equal(call_state(call), CALL_ROUTING);
	memcpy(w->one->holds, w->id, sizeof(w->id));
	assert_int_equal(registry_add(w->fc.core.registry, &w->one->d), 0);
	call_device_online(&w->fc.core, &w->one->d);
	assert_string_equal(fake_device_leg(w->one)->trace, "invite");
	fake_leg_say_cause(fake_device_leg(w->one), LEG_ENDED, CAUSE_BUSY);
	assert_string_equal(a->trace, "end(busy)");
	fake_loop_settle(w->fc.loop);
	mem_deref(a);
	/* it may be tried again */
	assert_int_equal(join(w, &call, &a, "alice@alpha.example", "bob@alpha.example",
			      find(w, "alice@alpha.example", "bob@alpha.example")),
			 0);
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(a);
}

static void who_does_not_come_back_is_waited_for_so_long(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a;

	talk_and_restart(w, "bob@alpha.example");
	assert_int_equal(join(w, &call, &a, "alice@alpha.example", "bob@alpha.example",
			      find(w, "alice@alpha.example", "bob@alpha.example")),
			 0);
	fake_loop_advance_ms(w->fc.loop, 9000);
	assert_string_equal(a->trace, "");
	fake_loop_advance_ms(w->fc.loop, 2000);
	assert_string_equal(a->trace, "end(offline)");
	assert_non_null(strstr(a->cause.text, "bob@alpha.example"));
	mem_deref(a);
}

static void another_site_is_told_the_dialog(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;
	struct kept_call *kept;

	talk_and_restart(w, "bob@peer.example");
	kept = find(w, "alice@alpha.example", "bob@peer.example");
	assert_string_equal(kept->row.dialog,
			    "dialog-with-peer.example;to-tag=theirs;from-tag=ours");
	assert_int_equal(
		join(w, &call, &a, "alice@alpha.example", "bob@peer.example", kept), 0);
	b = w->fc.federation.legv[1];
	assert_ptr_equal(b->invite->rejoins, kept);
	/* it knows nothing of it: then nobody does */
	fake_leg_say_cause(b, LEG_ENDED, CAUSE_GONE);
	assert_string_equal(a->trace, "end(gone)");
	fake_loop_settle(w->fc.loop);
	assert_int_equal(left(w), 0);
	mem_deref(a);
}

static void another_site_joins_it(void **state)
{
	struct world *w = *state;
	struct addr eve = fake_addr("eve@peer.example"),
		    bob = fake_addr("bob@alpha.example"),
		    mal = fake_addr("mal@peer.example");
	static const char dialog[] =
		"dialog-with-peer.example;to-tag=theirs;from-tag=ours";
	struct kept_call *kept;
	struct call *call;
	struct fake_leg *a;

	assert_int_equal(fake_core_call(&w->fc, &call, &a, NULL, "bob@alpha.example"), 0);
	fake_loop_settle(w->fc.loop);
	fake_leg_say_sdp(fake_device_leg(w->two), LEG_ANSWER, 2);
	snprintf(w->id, sizeof(w->id), "%s", call_id(call));
	written(w);
	killed(w);
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(a);
	start(w);
	assert_null(call_rejoin_find_dialog(&w->fc.core, dialog, &mal, &bob));
	assert_null(call_rejoin_find_dialog(&w->fc.core, dialog, &bob, &eve));
	assert_null(call_rejoin_find_dialog(&w->fc.core, "", &eve, &bob));
	kept = call_rejoin_find_dialog(&w->fc.core, dialog, &eve, &bob);
	assert_non_null(kept);
	memcpy(w->two->holds, w->id, sizeof(w->id));
	assert_int_equal(join(w, &call, &a, NULL, "bob@alpha.example", kept), 0);
	assert_int_equal(w->two->n_legs, 2);
	fake_leg_say_sdp(fake_device_leg(w->two), LEG_ANSWER, 8);
	assert_string_equal(a->trace, "answer");
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

static void what_nobody_joins_is_swept(void **state)
{
	struct world *w = *state;
	uint32_t session_s = w->fc.config.limits.session_expires_s;

	talk_and_restart(w, "bob@alpha.example");
	fake_loop_advance_ms(w->fc.loop, (uint64_t)session_s * 1000 - 5000);
	assert_int_equal(left(w), 1);
	fake_loop_advance_ms(w->fc.loop, 6000);
	assert_int_equal(left(w), 0);
	office_settle(w);
	killed(w);
	start(w);
	assert_int_equal(left(w), 0);
}

static void who_is_away_is_told(void **state)
{
	struct world *w = *state;
	struct call *call;
	struct fake_leg *a, *b;

	assert_int_equal(fake_core_call(&w->fc, &call, &a, "alice@alpha.example",
					"bob@peer.example"),
			 0);
	fake_loop_settle(w->fc.loop);
	b = w->fc.federation.legv[0];
	fake_leg_say_away(b, true); /* not established yet: nobody is told */
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	fake_leg_say_away(b, true);
	fake_leg_say_away(b, false);
	assert_string_equal(a->trace, "answer away back");
	fake_leg_say_away(a, true); /* a SIP leg has nobody to tell */
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_its_own_two_find_it),
		TEST(what_is_over_is_not_left),
		TEST(the_one_device_rings_that_holds_it),
		TEST(it_waits_for_the_device),
		TEST(who_does_not_come_back_is_waited_for_so_long),
		TEST(another_site_is_told_the_dialog),
		TEST(another_site_joins_it),
		TEST(what_nobody_joins_is_swept),
		TEST(who_is_away_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
