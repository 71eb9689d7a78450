/* tests/unit/gateway/test_call.c - one caller, one callee, from the first leg to the last word.
 *
 *   alice (fake leg A) ──► call ──► bob's device at the same site, or beta's SIP leg (fake legs B) */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *bob;
	struct call *call;
	struct fake_leg *a;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	fake_account_add(w.fc.core.accounts, "bob@alpha.example", NULL);
	w.bob = fake_device_alloc("bob@alpha.example", "d-bob");
	return registry_add(w.fc.core.registry, &w.bob->d);
}

static int teardown(void **state)
{
	struct world *w = *state;

	mem_deref(w->a);
	fake_core_close(&w->fc);
	registry_remove(w->fc.core.registry, &w->bob->d);
	mem_deref(w->bob);
	return 0;
}

static void dial(struct world *w, const char *from, const char *to)
{
	assert_int_equal(fake_core_call(&w->fc, &w->call, &w->a, from, to), 0);
	assert_int_equal(call_state(w->call), CALL_IDLE);
	assert_string_equal(w->a->trace, ""); /* no op from inside call_alloc */
	fake_loop_settle(w->fc.loop);
}

static void healthy_inside_a_site(void **state)
{
	struct world *w = *state;
	struct core *core = &w->fc.core;
	struct fake_leg *b;
	char id[17];

	dial(w, "alice@alpha.example", "bob@alpha.example");
	b = fake_device_leg(w->bob);
	assert_int_equal(call_state(w->call), CALL_CALLING);
	assert_string_equal(b->trace, "invite");
	assert_string_equal(b->body->data, fake_sdp_offer); /* byte for byte */
	assert_string_equal(AT(&b->invite->from.addr), "alice@alpha.example");
	assert_string_equal(AT(&b->invite->to), "bob@alpha.example");
	assert_int_equal(strlen(b->invite->call_id), 16);
	assert_string_equal(b->invite->call_id, call_id(w->call));
	snprintf(id, sizeof(id), "%s", call_id(w->call));
	assert_ptr_equal(call_find(core, id), w->call);
	assert_ptr_equal(call_leg_a(w->call), &w->a->leg);
	assert_ptr_equal(call_leg_b(w->call), &b->leg);
	assert_ptr_equal(b->leg.call, w->call);
	assert_int_equal(b->leg.dir, LEG_OUT);
	assert_string_equal(call_other_party(&b->leg)->name, "A. Caller");
	assert_string_equal(AT(&call_other_party(&w->a->leg)->addr), "bob@alpha.example");
	assert_string_equal(call_other_party(&w->a->leg)->name, "");
	assert_true(call_other_party(&w->a->leg)->site_verified);

	fake_leg_say(b, LEG_RINGING);
	assert_int_equal(call_state(w->call), CALL_RINGING);
	fake_leg_say(b, LEG_RINGING); /* again: told once */
	fake_leg_say(b, LEG_ACCEPTED);
	assert_int_equal(call_state(w->call), CALL_ACCEPTED);
	fake_leg_say(b, LEG_ACCEPTED);
	fake_leg_say(b, LEG_RINGING);
	fake_leg_say_sdp(b, LEG_ANSWER, 7);
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
	assert_string_equal(w->a->trace, "ringing accepted answer");
	assert_non_null(strstr(w->a->body->data, " 7 IN IP4"));
	assert_string_equal(b->trace, "invite");
	assert_string_equal(call_other_party(&w->a->leg)->name, "device d-bob");
	assert_string_equal(media_mode_name(call_media_mode(w->call)), "direct");
	assert_string_equal(call_encryption_name(w->call), "claimed");
	assert_int_equal(core->counters.n_calls_established, 1);

	/* an established call has no end of its own */
	fake_loop_advance_ms(w->fc.loop, 24 * 3600 * 1000u);
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
	assert_int_equal(call_age_s(w->call), 24 * 3600);

	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	assert_string_equal(b->trace, "invite end(hangup)");
	assert_null(call_find(core, id));
	assert_null(b->leg.call);
	assert_null(w->a->leg.call);
	assert_null(call_other_party(&b->leg));
	fake_loop_settle(w->fc.loop);
	assert_int_equal(core->n_calls, 0);
	assert_int_equal(mem_nrefs(w->a), 1); /* the call has let go of its legs */
	assert_int_equal(mem_nrefs(b), 1);
	assert_int_equal(core->counters.n_calls_started, 1);
	assert_int_equal(core->counters.n_calls_failed, 0);
	assert_int_equal(core->counters.n_invariants, 0);
}

static void callee_hangs_up(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	dial(w, "alice@alpha.example", "bob@alpha.example");
	b = fake_device_leg(w->bob);
	fake_leg_say_sdp(b, LEG_ANSWER, 2); /* neither ringing nor accepted before it */
	assert_string_equal(w->a->trace, "answer");
	fake_leg_say_cause(b, LEG_ENDED, CAUSE_HANGUP);
	assert_string_equal(w->a->trace, "answer end(hangup)");
	assert_string_equal(b->trace, "invite");
}

static void healthy_to_another_domain(void **state)
{
	struct world *w = *state;
	struct fake_federation *ff = &w->fc.federation;
	struct fake_leg *b;

	dial(w, "alice@alpha.example", "per@gamma.example");
	assert_int_equal(ff->n_legs, 1);
	assert_string_equal(ff->domain, "gamma.example");
	assert_string_equal(ff->site->domain, "alpha.example");
	b = ff->legv[0];
	assert_int_equal(b->invite->max_forwards, 70);
	assert_false(call_other_party(&w->a->leg)->site_verified);
	fake_leg_say(b, LEG_RINGING);
	b->leg.remote.addr = fake_addr("per@gamma.example");
	b->leg.remote.site_verified = true;
	fake_leg_say_sdp(b, LEG_ANSWER, 3);
	assert_string_equal(w->a->trace, "ringing answer");
	assert_true(call_other_party(&w->a->leg)->site_verified);
	fake_leg_say_cause(b, LEG_ENDED, CAUSE_LOST);
	assert_string_equal(w->a->trace, "ringing answer end(lost)");
}

static void from_another_domain(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	dial(w, NULL, "bob@alpha.example");
	b = fake_device_leg(w->bob);
	fake_leg_say(b, LEG_RINGING);
	fake_leg_say(b, LEG_ACCEPTED);
	fake_leg_say_sdp(b, LEG_ANSWER, 3);
	assert_string_equal(w->a->trace, "ringing accepted answer");
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	assert_string_equal(b->trace, "invite end(hangup)");
}

static void no_open_relay(void **state)
{
	struct world *w = *state;

	dial(w, NULL, "per@gamma.example");
	assert_string_equal(w->a->trace, "end(forbidden)");
	assert_int_equal(w->fc.federation.n_legs, 0);
}

static void nobody_there(void **state)
{
	static const struct {
		const char *to, *trace;
	} rows[] = {{"nobody@alpha.example", "end(not-found)"},
		    {"carol@alpha.example", "end(offline)"}};
	struct world *w = *state;

	fake_account_add(w->fc.core.accounts, "carol@alpha.example", NULL);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		dial(w, "alice@alpha.example", rows[i].to);
		assert_string_equal(w->a->trace, rows[i].trace);
		assert_int_equal(w->fc.core.n_calls, 0);
		w->a = mem_deref(w->a);
	}
	assert_int_equal(w->fc.core.counters.n_calls_failed, 2);
}

static void a_refusal_is_passed_on(void **state)
{
	static const struct {
		unsigned status;
		const char *phrase, *trace;
	} rows[] = {
		{486, "Busy Here", "end(busy)"},
		{603, "Decline", "end(declined)"},
		{404, "Not Found", "end(not-found)"},
		{480, "No Answer", "end(no-answer)"},
		{488, NULL, "end(media)"},
		{302, "Moved", "end(redirect)"},
		{503, "Out", "end(unreachable)"},
		{699, "?", "end(other)"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		dial(w, "alice@alpha.example", "per@gamma.example");
		fake_leg_say_status(w->fc.federation.legv[i], rows[i].status,
				    rows[i].phrase);
		assert_string_equal(w->a->trace, rows[i].trace);
		assert_int_equal(w->a->cause.code, rows[i].status);
		w->a = mem_deref(w->a);
	}
}

static void a_leg_that_cannot_start(void **state)
{
	static const struct {
		int err;
		const char *trace;
	} rows[] = {{ENOSPC, "end(limit)"},
		    {ENOTCONN, "end(unreachable)"},
		    {ENOMEM, "end(internal)"},
		    {EBADMSG, "end(media)"},
		    {ESHUTDOWN, "end(shutdown)"}};
	struct world *w = *state;
	struct fake_federation *ff = &w->fc.federation;

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		ff->err_alloc = rows[i].err;
		dial(w, "alice@alpha.example", "per@gamma.example");
		assert_string_equal(w->a->trace, rows[i].trace);
		w->a = mem_deref(w->a);
		ff->err_alloc = 0;
		ff->err_invite = rows[i].err;
		dial(w, "alice@alpha.example", "per@gamma.example");
		assert_string_equal(w->a->trace, rows[i].trace);
		w->a = mem_deref(w->a);
		assert_int_equal(mem_nrefs(ff->legv[i]), 1);
		ff->err_invite = 0;
	}
	w->bob->err_alloc = ENOTCONN; /* its connection has just gone */
	dial(w, "alice@alpha.example", "bob@alpha.example");
	assert_string_equal(w->a->trace, "end(offline)");
}

static void a_loop_ends(void **state)
{
	struct world *w = *state;
	struct addr to = fake_addr("per@gamma.example");
	struct party from = {.addr = fake_addr("alice@alpha.example")};
	struct body *offer = fake_body(fake_sdp_offer);
	struct invite *invite;

	w->a = fake_leg_alloc(LEG_IN, "browser", "d-caller");
	assert_int_equal(invite_alloc(&invite, &from, &to, offer, 0), 0);
	assert_int_equal(
		call_alloc(&w->call, &w->fc.core, &w->a->leg, invite, &from.addr, NULL),
		0);
	mem_deref(invite);
	mem_deref(offer);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(w->a->trace, "end(loop)");
	assert_int_equal(w->a->cause.code, 483);
	assert_int_equal(w->fc.federation.n_legs, 0);
}

static void invites_carry_what_came(void **state)
{
	char value[] = "eyJ.a.b;info=<https://x>", empty[] = "";
	char *identityv[] = {value, empty, NULL};
	struct party from = {.addr = fake_addr("eve@peer.example"),
			     .identityv = identityv};
	struct addr to = fake_addr("bob@alpha.example");
	struct body *offer = fake_body("x\0y");
	struct invite *invite;

	(void)state;
	assert_int_equal(invite_alloc(&invite, &from, &to, offer, 69), 0);
	assert_string_equal(invite->from.identityv[0], identityv[0]);
	assert_ptr_not_equal(invite->from.identityv[0], identityv[0]);
	assert_string_equal(invite->from.identityv[1], "");
	assert_null(invite->from.identityv[2]);
	assert_int_equal(invite->max_forwards, 69);
	assert_ptr_equal(invite->offer, offer);
	mem_deref(offer);
	assert_int_equal(invite->offer->len, 1);
	mem_deref(invite);

	assert_int_equal(body_alloc(&offer, "a\0b", 3), 0); /* bytes, not a string */
	assert_int_equal(offer->len, 3);
	assert_memory_equal(offer->data, "a\0b", 4);
	mem_deref(offer);
	assert_int_equal(body_alloc(&offer, NULL, 0), 0);
	assert_string_equal(offer->data, "");
	mem_deref(offer);
	assert_int_equal(body_alloc(&offer, "", SIZE_MAX), ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(healthy_inside_a_site, setup, teardown),
		cmocka_unit_test_setup_teardown(callee_hangs_up, setup, teardown),
		cmocka_unit_test_setup_teardown(healthy_to_another_domain, setup,
						teardown),
		cmocka_unit_test_setup_teardown(from_another_domain, setup, teardown),
		cmocka_unit_test_setup_teardown(no_open_relay, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refusal_is_passed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_leg_that_cannot_start, setup, teardown),
		cmocka_unit_test_setup_teardown(a_loop_ends, setup, teardown),
		cmocka_unit_test(invites_carry_what_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
