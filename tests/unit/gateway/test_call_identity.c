/* tests/unit/gateway/test_call_identity.c - who calls is asked before anything rings. The identity room is the test's:
 * it answers when the test says so. */
#include "tests/fake/fake.h"
#include "gateway/identity.h"

#include <setjmp.h>
#include <cmocka.h>

struct identity_wait {
	struct room *room;
};

struct room {
	struct identity_wait *wait; /* the one that is open; not ours */
	identity_assessed_h *h;
	void *arg;
	int err;
	unsigned n_asked;
	char callee[ADDR_TEXT_MAX + 1], site[ADDR_HOST_MAX + 1];
	const struct body *sdp;
};

struct world {
	struct fake_core fc;
	struct fake_device *bob;
	struct call *call;
	struct fake_leg *a;
	struct room room;
};

static void wait_gone(void *arg)
{
	struct identity_wait *w = arg;

	if (w->room->wait == w)
		w->room->wait = NULL;
}

static int assess(void *arg, struct identity_wait **wp,
		  const struct identity_description *d, identity_assessed_h *h,
		  void *harg)
{
	struct room *r = arg;
	struct identity_wait *w;

	r->n_asked++;
	addr_text(r->callee, d->callee);
	snprintf(r->site, sizeof(r->site), "%s", d->site);
	r->sdp = d->sdp;
	if (r->err)
		return r->err;
	w = mem_zalloc(sizeof(*w), wait_gone);
	w->room = r;
	r->wait = w;
	r->h = h;
	r->arg = harg;
	*wp = w;
	return 0;
}

static const struct identity_ops ops = {.assess = assess};

static void say(struct world *w, enum identity_status status, const char *why)
{
	struct identity_person *p = mem_zalloc(sizeof(*p), NULL);

	p->status = status;
	snprintf(p->idp, sizeof(p->idp), "idp.example");
	snprintf(p->why, sizeof(p->why), "%s", why);
	assert_non_null(w->room.wait);
	w->room.h(p, w->room.arg);
	mem_deref(p);
	fake_loop_settle(w->fc.loop);
}

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.fc.core.identity = &ops;
	w.fc.core.identity_arg = &w.room;
	w.bob = fake_device_alloc("bob@alpha.example", "d-bob");
	return registry_add(w.fc.core.registry, &w.bob->d);
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w->a && !w->a->over)
		fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	assert_null(w->room.wait); /* nothing is left asked for */
	mem_deref(w->a);
	fake_core_close(&w->fc);
	registry_remove(w->fc.core.registry, &w->bob->d);
	mem_deref(w->bob);
	return 0;
}

static void dial(struct world *w, const char *from, const char *to)
{
	assert_int_equal(fake_core_call(&w->fc, &w->call, &w->a, from, to), 0);
	fake_loop_settle(w->fc.loop);
}

static void it_rings_when_it_is_known_who_calls(void **state)
{
	struct world *w = *state;

	dial(w, NULL, "bob@alpha.example");
	assert_int_equal(call_state(w->call), CALL_ROUTING);
	assert_null(fake_device_leg(w->bob));
	assert_int_equal(w->room.n_asked, 1);
	assert_string_equal(w->room.callee, "bob@alpha.example");
	assert_string_equal(w->room.site, "peer.example");
	assert_ptr_equal(w->room.sdp, call_invite(w->call)->offer);
	say(w, IDENTITY_VERIFIED, "");
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
	assert_int_equal(call_caller(w->call)->status, IDENTITY_VERIFIED);
	assert_string_equal(call_caller(w->call)->idp, "idp.example");
	/* another device comes while it rings: it is not asked again */
	call_device_online(&w->fc.core, &w->bob->d);
	assert_int_equal(w->room.n_asked, 1);
}

static void what_cannot_be_told_rings_too(void **state)
{
	struct world *w = *state;

	dial(w, "alice@alpha.example", "bob@alpha.example");
	assert_string_equal(w->room.site, "alpha.example");
	say(w, IDENTITY_UNVERIFIED, "out of reach");
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
	assert_string_equal(call_caller(w->call)->why, "out of reach");
}

static void a_wrong_one_is_refused(void **state)
{
	struct world *w = *state;

	dial(w, NULL, "bob@alpha.example");
	say(w, IDENTITY_FAILED, "it has expired");
	assert_null(fake_device_leg(w->bob));
	assert_string_equal(w->a->trace, "end(forbidden)");
	assert_int_equal(w->a->cause.code, 438);
	assert_string_equal(w->a->cause.text,
			    "The caller's identity was not accepted: it has expired.");
}

static void or_shown_where_the_operator_wants_it(void **state)
{
	struct world *w = *state;

	w->fc.config.identity_show_wrong = true;
	dial(w, NULL, "bob@alpha.example");
	say(w, IDENTITY_FAILED, "it has expired");
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
	assert_int_equal(call_caller(w->call)->status, IDENTITY_FAILED);
}

static void nothing_to_judge(void **state)
{
	struct world *w = *state;

	w->room.err = ENOENT;
	dial(w, NULL, "bob@alpha.example");
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
	assert_null(call_caller(w->call));
}

static void too_much_to_judge(void **state)
{
	struct world *w = *state;

	w->room.err = ENOSPC;
	dial(w, NULL, "bob@alpha.example");
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
	assert_int_equal(call_caller(w->call)->status, IDENTITY_UNVERIFIED);
}

static void another_site_judges_its_own_calls(void **state)
{
	struct world *w = *state;

	dial(w, "alice@alpha.example", "bob@gamma.example");
	assert_int_equal(w->room.n_asked, 0);
	assert_int_equal(call_state(w->call), CALL_CALLING);
}

static void it_waits_for_three_seconds_at_most(void **state)
{
	struct world *w = *state;

	w->fc.config.limits.identity_fetch_s = 3;
	dial(w, NULL, "bob@alpha.example");
	fake_loop_advance_ms(w->fc.loop, 2899);
	assert_null(fake_device_leg(w->bob));
	fake_loop_advance_ms(w->fc.loop, 1);
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
	assert_int_equal(call_caller(w->call)->status, IDENTITY_UNVERIFIED);
	assert_null(w->room.wait);
}

static void the_signature_of_the_site_has_had_its_share(void **state)
{
	struct world *w = *state;
	struct addr to = fake_addr("bob@alpha.example");
	struct party from = {.addr = fake_addr("eve@peer.example"), .judged_ms = 2500};
	struct body *offer = fake_sdp(1);
	struct invite *invite = NULL;

	w->fc.config.limits.identity_fetch_s = 3;
	w->a = fake_leg_alloc(LEG_IN, "sip", "peer.example");
	assert_int_equal(invite_alloc(&invite, &from, &to, offer, 70), 0);
	assert_int_equal(call_alloc(&w->call, &w->fc.core, &w->a->leg, invite, NULL,
				    "peer.example"),
			 0);
	mem_deref(invite);
	mem_deref(offer);
	fake_loop_settle(w->fc.loop);
	fake_loop_advance_ms(w->fc.loop, 399);
	assert_null(fake_device_leg(w->bob));
	fake_loop_advance_ms(w->fc.loop, 1);
	assert_non_null(fake_device_leg(w->bob));
}

/* bob takes calls of these alone. */
static void set(struct world *w, const char *ring)
{
	struct addr bob = fake_addr("bob@alpha.example");

	fake_account_add(w->fc.core.accounts, "bob@alpha.example", NULL);
	assert_int_equal(
		account_ring_set(NULL, w->fc.core.accounts, &bob, ring, NULL, NULL, NULL),
		0);
	fake_loop_settle(w->fc.loop);
}

static void say_person(struct world *w, bool email)
{
	struct identity_person *p = mem_zalloc(sizeof(*p), NULL);

	p->status = IDENTITY_VERIFIED;
	snprintf(p->email, sizeof(p->email), "ann@mail.example");
	p->email_verified = email;
	w->room.h(p, w->room.arg);
	mem_deref(p);
	fake_loop_settle(w->fc.loop);
}

static void refused(struct world *w)
{
	assert_null(fake_device_leg(w->bob));
	assert_string_equal(w->a->trace, "end(forbidden)");
	assert_int_equal(w->a->cause.code, 403);
}

static void only_with_a_verified_name(void **state)
{
	struct world *w = *state;

	set(w, "verified-name");
	dial(w, NULL, "bob@alpha.example");
	say(w, IDENTITY_UNVERIFIED, "out of reach");
	refused(w);
	assert_string_equal(w->a->cause.text,
			    "bob@alpha.example only takes calls of people whose identity "
			    "provider vouches for their name.");
	fake_loop_settle(w->fc.loop);
	mem_deref(w->a);
	w->room.err = ENOENT; /* nobody is named at all */
	dial(w, NULL, "bob@alpha.example");
	refused(w);
	fake_loop_settle(w->fc.loop);
	mem_deref(w->a);
	w->room.err = 0;
	dial(w, NULL, "bob@alpha.example");
	say_person(w, false);
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
}

static void only_with_a_verified_address(void **state)
{
	struct world *w = *state;

	set(w, "verified-email");
	dial(w, NULL, "bob@alpha.example");
	say_person(w, false);
	refused(w);
	fake_loop_settle(w->fc.loop);
	mem_deref(w->a);
	dial(w, NULL, "bob@alpha.example");
	say_person(w, true);
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
}

static void one_of_the_two_answers_comes_later(void **state)
{
	struct world *w = *state;

	set(w, "verified-name");
	fake_account_hold(w->fc.core.accounts, true);
	dial(w, NULL, "bob@alpha.example");
	say_person(w, false);
	assert_null(fake_device_leg(w->bob));
	fake_account_hold(w->fc.core.accounts, false);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(fake_device_leg(w->bob)->trace, "invite");
}

static void what_is_set_cannot_be_read(void **state)
{
	struct world *w = *state;

	set(w, "verified-name");
	fake_account_err(w->fc.core.accounts, EIO);
	dial(w, NULL, "bob@alpha.example");
	assert_null(fake_device_leg(w->bob));
	assert_string_equal(w->a->trace, "end(internal)");
	assert_null(w->room.wait);
}

static void the_caller_gives_up_before_both(void **state)
{
	struct world *w = *state;

	set(w, "verified-name");
	fake_account_hold(w->fc.core.accounts, true);
	dial(w, NULL, "bob@alpha.example");
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_CANCELLED);
	fake_account_hold(w->fc.core.accounts, false);
	fake_loop_settle(w->fc.loop);
	assert_null(w->room.wait);
	assert_null(fake_device_leg(w->bob));
}

static void the_caller_gives_up_meanwhile(void **state)
{
	struct world *w = *state;

	dial(w, NULL, "bob@alpha.example");
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_CANCELLED);
	fake_loop_settle(w->fc.loop);
	assert_null(w->room.wait);
	assert_null(fake_device_leg(w->bob));
}

static void the_site_stops_meanwhile(void **state)
{
	struct world *w = *state;
	struct cause c;

	dial(w, NULL, "bob@alpha.example");
	call_end(w->call, cause_set(&c, CAUSE_SHUTDOWN, NULL));
	assert_string_equal(w->a->trace, "end(shutdown)");
	assert_null(w->room.wait);
}

static void a_call_that_was_to_be_moved_ends_meanwhile(void **state)
{
	struct world *w = *state;
	struct addr to = fake_addr("bob@alpha.example");
	struct party from = {.addr = fake_addr("alice@alpha.example")};
	struct body *offer = fake_sdp(7);
	struct invite *invite = NULL;
	struct fake_leg *old, *b;
	struct call *call;

	w->room.err = ENOENT;
	dial(w, "alice@alpha.example", "bob@alpha.example");
	old = w->a;
	b = fake_device_leg(w->bob);
	fake_leg_say(b, LEG_ACCEPTED);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	w->room.err = 0;
	w->a = fake_leg_alloc(LEG_IN, "browser", "d-new");
	assert_int_equal(invite_alloc(&invite, &from, &to, offer, 70), 0);
	invite->replaces = mem_ref(&old->leg);
	assert_int_equal(
		call_alloc(&call, &w->fc.core, &w->a->leg, invite, &from.addr, NULL), 0);
	mem_deref(invite);
	mem_deref(offer);
	fake_loop_settle(w->fc.loop);
	assert_int_equal(w->room.n_asked, 2);
	fake_leg_say_cause(old, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	say(w, IDENTITY_VERIFIED, "");
	assert_string_equal(w->a->trace, "end(gone)");
	assert_ptr_equal(fake_device_leg(w->bob), b); /* nothing rings */
	mem_deref(old);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_rings_when_it_is_known_who_calls),
		TEST(what_cannot_be_told_rings_too),
		TEST(a_wrong_one_is_refused),
		TEST(or_shown_where_the_operator_wants_it),
		TEST(nothing_to_judge),
		TEST(too_much_to_judge),
		TEST(another_site_judges_its_own_calls),
		TEST(it_waits_for_three_seconds_at_most),
		TEST(the_signature_of_the_site_has_had_its_share),
		TEST(only_with_a_verified_name),
		TEST(only_with_a_verified_address),
		TEST(one_of_the_two_answers_comes_later),
		TEST(what_is_set_cannot_be_read),
		TEST(the_caller_gives_up_before_both),
		TEST(the_caller_gives_up_meanwhile),
		TEST(the_site_stops_meanwhile),
		TEST(a_call_that_was_to_be_moved_ends_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
