/* tests/unit/gateway/test_call_hide.c - in which calls an address is not shown: the rules of the site, of the callee and
 * of the caller, and who is a stranger.
 *
 *   alice@alpha.example, eve@peer.example ──► call ──► bob@alpha.example, or carol@far.example */
#include "gateway/call_own.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *bob, *alice;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	fake_account_add(w.fc.core.accounts, "alice@alpha.example", NULL);
	fake_account_add(w.fc.core.accounts, "bob@alpha.example", NULL);
	w.bob = fake_device_alloc("bob@alpha.example", "d-bob");
	w.alice = fake_device_alloc("alice@alpha.example", "d-alice");
	registry_add(w.fc.core.registry, &w.bob->d);
	registry_add(w.fc.core.registry, &w.alice->d);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fake_core_close(&w->fc);
	registry_remove(w->fc.core.registry, &w->bob->d);
	registry_remove(w->fc.core.registry, &w->alice->d);
	mem_deref(w->bob);
	mem_deref(w->alice);
	return 0;
}

static void rule(struct world *w, const char *user, const char *relay)
{
	struct addr a = fake_addr(user);

	assert_int_equal(
		account_ring_set(NULL, w->fc.core.accounts, &a, NULL, relay, NULL, NULL),
		0);
	fake_loop_settle(w->fc.loop);
}

static struct fake_leg *ring(struct world *w, struct call **callp, const char *from,
			     const char *to)
{
	struct fake_leg *a;

	assert_int_equal(fake_core_call(&w->fc, callp, &a, from, to), 0);
	fake_loop_settle(w->fc.loop);
	return a;
}

static void over(struct world *w, struct fake_leg *a)
{
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(a);
}

/** Whose address is hidden in this call: "" nobody's. It rings and is over, unanswered unless `answered`. */
static void hidden(struct world *w, const char *from, const char *to, const char *whose,
		   bool answered)
{
	struct call *call;
	struct fake_leg *a = ring(w, &call, from, to);

	assert_int_equal(call_state(call), CALL_CALLING);
	assert_string_equal(call->hidden.user[0] ? AT(&call->hidden) : "", whose);
	assert_int_equal(call_media_mode(call), *whose ? MODE_RELAY : MODE_DIRECT);
	if (answered)
		fake_leg_say_sdp(fake_device_leg(w->bob), LEG_ANSWER, 2);
	over(w, a);
}

static const char bob[] = "bob@alpha.example", alice[] = "alice@alpha.example";

static void nobody_unless_somebody_wants_it(void **state)
{
	hidden(*state, NULL, bob, "", false);
	hidden(*state, alice, bob, "", false);
	hidden(*state, alice, "carol@far.example", "", false);
}

static void the_callee_always(void **state)
{
	rule(*state, bob, "always");
	hidden(*state, NULL, bob, bob, true);
	hidden(*state, NULL, bob, bob, true);
	hidden(*state, bob, alice, bob, false); /* also when bob calls */
	hidden(*state, bob, "carol@far.example", bob, false);
}

/* Who was answered, or called, is no stranger; who only rang is. */
static void the_callee_from_strangers(void **state)
{
	struct world *w = *state;

	rule(w, bob, "strangers");
	hidden(w, NULL, bob, bob, false);
	hidden(w, NULL, bob, bob, true);
	hidden(w, NULL, bob, "", false);
	hidden(w, alice, bob, bob, false);
	hidden(w, bob, alice, "", false); /* a caller knows whom he calls */
	hidden(w, alice, bob, "", false);
}

/* The stricter one of site and account. */
static void what_the_site_says(void **state)
{
	struct world *w = *state;

	w->fc.sitev[0].relay = RELAY_STRANGERS;
	hidden(w, NULL, bob, bob, false);
	rule(w, bob, "never");
	hidden(w, NULL, bob, bob, false);
	rule(w, bob, "always");
	hidden(w, NULL, bob, bob, true);
	hidden(w, NULL, bob, bob, false);
	rule(w, bob, "site");
	hidden(w, NULL, bob, "", false);
	w->fc.sitev[0].relay = RELAY_ALWAYS;
	hidden(w, NULL, bob, bob, false);
	hidden(w, alice, "carol@far.example", alice, false);
}

/* A name that nobody has proved makes no friend. */
static void who_is_not_proved_stays_a_stranger(void **state)
{
	struct world *w = *state;
	struct addr to = fake_addr(bob);
	struct party from = {.addr = fake_addr("eve@peer.example")};

	rule(w, bob, "strangers");
	for (int i = 0; i < 2; i++) {
		struct fake_leg *a = fake_leg_alloc(LEG_IN, "sip", "peer.example");
		struct body *offer = fake_body(fake_sdp_offer);
		struct invite *invite = NULL;
		struct call *call;

		assert_int_equal(invite_alloc(&invite, &from, &to, offer, 70), 0);
		assert_int_equal(call_alloc(&call, &w->fc.core, &a->leg, invite, NULL,
					    "peer.example"),
				 0);
		mem_deref(invite);
		mem_deref(offer);
		fake_loop_settle(w->fc.loop);
		assert_int_equal(call_media_mode(call), MODE_RELAY);
		fake_leg_say_sdp(fake_device_leg(w->bob), LEG_ANSWER, 2);
		over(w, a);
	}
}

/* Bob goes on from another device: relayed as before, though eve is no stranger any more. */
static void a_call_that_moves_stays_as_it_was(void **state)
{
	struct world *w = *state;
	struct call *call, *moved;
	struct fake_leg *a, *a2;
	struct addr user = fake_addr(bob), to = fake_addr(alice);
	struct party from = {.addr = user, .site_verified = true};
	struct body *offer = fake_body(fake_sdp_offer);
	struct invite *invite = NULL;

	rule(w, bob, "strangers");
	a = ring(w, &call, alice, bob);
	snprintf(a->leg.tag, sizeof(a->leg.tag), "d-alice");
	fake_leg_say_sdp(fake_device_leg(w->bob), LEG_ANSWER, 2);
	assert_int_equal(call_media_mode(call), MODE_RELAY);
	assert_int_equal(invite_alloc(&invite, &from, &to, offer, 70), 0);
	invite->replaces =
		mem_ref(call_replace_find(&w->fc.core, call_id(call), &user, "d-bob2"));
	assert_non_null(invite->replaces);
	w->fc.config.limits.relay_calls = 1; /* it is in the old one's count */
	a2 = fake_leg_alloc(LEG_IN, "browser", "d-bob2");
	assert_int_equal(call_alloc(&moved, &w->fc.core, &a2->leg, invite, &user, NULL),
			 0);
	mem_deref(invite);
	mem_deref(offer);
	fake_loop_settle(w->fc.loop);
	assert_int_equal(call_media_mode(moved), MODE_RELAY);
	assert_string_equal(AT(&moved->hidden), bob);
	fake_leg_say_sdp(fake_device_leg(w->alice), LEG_ANSWER, 2);
	over(w, a);
	over(w, a2);
}

static void accounts_that_cannot_be_asked(void **state)
{
	struct world *w = *state;
	struct fake_leg *a;
	struct call *call;

	rule(w, alice, "always"); /* not remembered by the fake: it is asked */
	fake_account_err(w->fc.core.accounts, EIO);
	a = ring(w, &call, alice, "carol@far.example");
	assert_string_equal(a->trace, "end(internal)");
	mem_deref(a);
	assert_int_equal(w->fc.federation.n_legs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(nobody_unless_somebody_wants_it),
		TEST(the_callee_always),
		TEST(the_callee_from_strangers),
		TEST(what_the_site_says),
		TEST(who_is_not_proved_stays_a_stranger),
		TEST(a_call_that_moves_stays_as_it_was),
		TEST(accounts_that_cannot_be_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
