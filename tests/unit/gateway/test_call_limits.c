/* tests/unit/gateway/test_call_limits.c - calls that never begin: too many, too fast, not usable.
 *
 *   alice or peer.example (leg A) ──► call_alloc ──► which error; the leg stays its maker's */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

#define ALICE "alice@alpha.example"
#define BOB   "bob@alpha.example"

struct world {
	struct fake_core fc;
	struct fake_device *bob;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.bob = fake_device_alloc(BOB, "d-bob");
	return registry_add(w.fc.core.registry, &w.bob->d);
}

static int teardown(void **state)
{
	struct world *w = *state;

	registry_remove(w->fc.core.registry, &w->bob->d);
	mem_deref(w->bob);
	fake_core_close(&w->fc);
	return 0;
}

static int try_call(struct world *w, struct fake_leg **legp, const char *from)
{
	struct call *call = NULL;
	int err = fake_core_call(&w->fc, &call, legp, from, BOB);

	if (err) {
		assert_null(call);
		assert_null((*legp)->leg.call);
		assert_string_equal((*legp)->trace, "");
		assert_int_equal(mem_nrefs(*legp), 1);
		*legp = mem_deref(*legp);
	}
	return err;
}

static void hang_up(struct world *w, struct fake_leg *fl)
{
	fake_leg_say_cause(fl, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(fl);
}

static void calls_of_a_user(void **state)
{
	struct world *w = *state;
	struct fake_leg *fl[3], *other;

	w->fc.config.limits.calls_per_user = 2;
	w->fc.config.limits.calls_per_user_min = 4;
	assert_int_equal(try_call(w, &fl[0], ALICE), 0);
	assert_int_equal(try_call(w, &fl[1], ALICE), 0);
	assert_int_equal(try_call(w, &fl[2], ALICE), ENOSPC);
	assert_int_equal(try_call(w, &other, "carol@alpha.example"),
			 0); /* hers are her own */
	hang_up(w, fl[0]);
	assert_int_equal(try_call(w, &fl[0], ALICE), 0);
	hang_up(w, fl[0]);
	assert_int_equal(try_call(w, &fl[0], ALICE), 0);
	hang_up(w, fl[0]);
	assert_int_equal(try_call(w, &fl[0], ALICE), EAGAIN); /* the fifth this minute */
	fake_loop_advance_ms(w->fc.loop, 60000);
	assert_int_equal(try_call(w, &fl[0], ALICE), 0);
	hang_up(w, fl[0]);
	hang_up(w, fl[1]);
	hang_up(w, other);
}

static void calls_of_a_peer(void **state)
{
	struct world *w = *state;
	struct fake_leg *in, *in2, *out;
	struct call *call;

	w->fc.config.limits.calls_per_peer = 1;
	assert_int_equal(try_call(w, &in, NULL), 0); /* from peer.example */
	assert_int_equal(try_call(w, &in2, NULL), ENOSPC);
	/* a call to it counts too, and is refused by the call itself */
	assert_int_equal(fake_core_call(&w->fc, &call, &out, ALICE, "x@peer.example"), 0);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(out->trace, "end(limit)");
	mem_deref(out);
	hang_up(w, in);
	assert_int_equal(fake_core_call(&w->fc, &call, &out, ALICE, "x@peer.example"), 0);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(w->fc.federation.legv[0]->trace, "invite");
	assert_int_equal(try_call(w, &in, NULL), ENOSPC);
	hang_up(w, out);
	assert_int_equal(try_call(w, &in, NULL), 0);
	hang_up(w, in);
}

static void calls_in_all(void **state)
{
	struct world *w = *state;
	struct fake_leg *one, *two;

	w->fc.config.limits.calls = 1;
	assert_int_equal(try_call(w, &one, ALICE), 0);
	assert_int_equal(try_call(w, &two, NULL), ENOSPC);
	hang_up(w, one);
	assert_int_equal(try_call(w, &two, NULL), 0);
	w->fc.core.stopping = true;
	w->fc.config.limits.calls = 100;
	assert_int_equal(try_call(w, &one, ALICE), ECANCELED);
	hang_up(w, two); /* those that are on go on */
}

static void unusable_offers(void **state)
{
	static const char *const texts[] = {
		"", "v=0\r\n", "v=0\no=-\ns=-\nt=0 0\nm=audio 9 RTP/AVP 0\n"};
	struct world *w = *state;
	struct party from = {.addr = fake_addr(ALICE)};
	struct addr to = fake_addr(BOB);

	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		struct fake_leg *fl = fake_leg_alloc(LEG_IN, "browser", "d-caller");
		struct body *offer = fake_body(texts[i]);
		struct invite *invite;
		struct call *call = NULL;

		assert_int_equal(invite_alloc(&invite, &from, &to, offer, 70), 0);
		assert_int_equal(call_alloc(&call, &w->fc.core, &fl->leg, invite,
					    &from.addr, NULL),
				 EBADMSG);
		assert_null(call);
		mem_deref(offer);
		mem_deref(invite);
		mem_deref(fl);
	}
	assert_int_equal(w->fc.core.counters.n_calls_started, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(calls_of_a_user, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_of_a_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_in_all, setup, teardown),
		cmocka_unit_test_setup_teardown(unusable_offers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
