/* tests/unit/gateway/test_echo.c - the echo test as the core sees it: who may call it, how it answers, how it
 * ends. The media plane is a fake that only remembers.
 *
 *   fake leg (A) ──► call ──► echo leg ──► fake media */
#include "gateway/echo.h"
#include "gateway/media.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct media_session {
	media_event_h *h;
	void *arg;
};

static struct {
	struct media_session *session; /* the newest; NULL: ended */
	unsigned n_sessions;
	struct media_remote remote;
	bool fresh;
	struct media_local local;
	unsigned n_changes;
	int err;
} plane;

struct world {
	struct fake_core fc;
	struct echo_service *echo;
	struct call *call;
	struct fake_leg *a;
	char name[8];
};

static void session_gone(void *arg)
{
	if (plane.session == arg)
		plane.session = NULL;
	plane.n_sessions--;
}

static int plane_alloc(struct media_session **sp, void *arg,
		       const struct media_session_setup *setup, media_event_h *h,
		       void *harg)
{
	if (plane.err)
		return plane.err;
	assert_int_equal(setup->work, MEDIA_WORK_ECHO);
	assert_int_equal(setup->n_sides, 1);
	plane.n_sessions++;
	plane.session = mem_zalloc(sizeof(*plane.session), session_gone);
	plane.session->h = h;
	plane.session->arg = harg;
	*sp = plane.session;
	return 0;
}

static int plane_remote(struct media_session *s, unsigned side,
			const struct media_remote *r, bool fresh)
{
	assert_ptr_equal(s, plane.session);
	assert_int_equal(side, 0);
	plane.n_changes++;
	plane.remote = *r;
	plane.fresh = fresh;
	return plane.err;
}

static const struct media_local *plane_local(const struct media_session *s, unsigned side)
{
	(void)s;
	assert_int_equal(side, 0);
	return &plane.local;
}

static const struct media_ops plane_ops = {
	.alloc = plane_alloc,
	.remote = plane_remote,
	.local = plane_local,
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	memset(&plane, 0, sizeof(plane));
	strcpy(plane.local.ufrag, "oursours");
	strcpy(plane.local.pwd, "ourpasswordourpassword12");
	plane.local.fingerprint.n_bytes = 32;
	*state = &w;
	fake_core_open(&w.fc);
	strcpy(w.name, "echo");
	for (size_t i = 0; i < 2; i++) {
		w.fc.sitev[i].echo = w.name;
		w.fc.sitev[i].echo_federated = true;
	}
	w.fc.core.media = &plane_ops;
	assert_int_equal(echo_service_alloc(&w.echo, &w.fc.core), 0);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	struct cause c;

	cause_set(&c, CAUSE_SHUTDOWN, NULL);
	for (struct le *le = w->fc.core.calls.head; le; le = le->next)
		call_end(le->data, &c);
	fake_loop_settle(w->fc.loop);
	mem_deref(w->a);
	fake_core_close(&w->fc);
	assert_int_equal(plane.n_sessions, 0);
	mem_deref(w->echo);
	return 0;
}

static void dial(struct world *w, const char *from)
{
	assert_int_equal(
		fake_core_call(&w->fc, &w->call, &w->a, from, "echo@beta.example"), 0);
	fake_loop_settle(w->fc.loop);
}

static void it_answers_at_once(void **state)
{
	struct world *w = *state;

	dial(w, "alice@alpha.example");
	assert_string_equal(w->a->trace, "answer");
	assert_non_null(plane.session);
	assert_non_null(strstr(w->a->body->data, "a=ice-ufrag:oursours\r\n"));
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
	assert_string_equal(media_mode_name(call_media_mode(w->call)), "anchor");
	assert_string_equal(call_encryption_name(w->call), "to-gateway");
	assert_true(call_other_party(&w->a->leg)->site_verified);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	assert_null(plane.session);
}

static void other_sites_may_when_the_site_says_so(void **state)
{
	struct world *w = *state;

	dial(w, NULL);
	assert_string_equal(w->a->trace, "answer");
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(w->a);
	w->fc.sitev[1].echo_federated = false;
	dial(w, NULL);
	assert_string_equal(w->a->trace, "end(forbidden)");
}

static void they_have_half_of_the_places(void **state)
{
	struct world *w = *state;
	struct fake_leg *other;
	struct call *call;

	w->fc.config.limits.echo_calls = 1;
	dial(w, "alice@alpha.example");
	assert_string_equal(w->a->trace, "answer");
	assert_int_equal(fake_core_call(&w->fc, &call, &other, "bob@alpha.example",
					"echo@beta.example"),
			 0);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(other->trace, "end(limit)");
	mem_deref(other);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(w->a);

	/* of two places one is for others: the second call from outside finds none, one from here does */
	w->fc.config.limits.echo_calls = 2;
	dial(w, NULL);
	assert_string_equal(w->a->trace, "answer");
	assert_int_equal(fake_core_call(&w->fc, &call, &other, NULL, "echo@beta.example"),
			 0);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(other->trace, "end(limit)");
	mem_deref(other);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
}

static void it_ends_when_its_time_is_over(void **state)
{
	struct world *w = *state;

	w->fc.config.limits.echo_s = 10;
	dial(w, "alice@alpha.example");
	fake_loop_advance_ms(w->fc.loop, 9900);
	assert_string_equal(w->a->trace, "answer");
	fake_loop_advance_ms(w->fc.loop, 200);
	assert_string_equal(w->a->trace, "answer end(hangup)");
	assert_string_equal(w->a->cause.text, "An echo test ends after 10 seconds.");
}

static void it_ends_with_its_media(void **state)
{
	static const struct {
		enum media_event event;
		const char *trace;
	} ends[] = {
		{MEDIA_NEVER, "answer end(media)"},
		{MEDIA_LOST, "answer end(lost)"},
		{MEDIA_FOREIGN, "answer end(forbidden)"},
		{MEDIA_FAILED, "answer end(internal)"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		w->a = mem_deref(w->a);
		dial(w, "alice@alpha.example");
		plane.session->h(MEDIA_UP, 0, plane.session->arg);
		assert_string_equal(w->a->trace, "answer");
		plane.session->h(ends[i].event, 0, plane.session->arg);
		fake_loop_settle(w->fc.loop);
		assert_string_equal(w->a->trace, ends[i].trace);
	}
}

static void a_new_offer_is_answered_another_certificate_is_not(void **state)
{
	struct world *w = *state;
	char *other, *digit;

	dial(w, "alice@alpha.example");
	fake_leg_say_sdp(w->a, LEG_OFFER, 2);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(w->a->trace, "answer answer");
	assert_int_equal(plane.n_changes, 2);

	other = base_dup(fake_sdp_offer, strlen(fake_sdp_offer));
	digit = strstr(other, "a=fingerprint:sha-256 ") + 22;
	*digit = *digit == '0' ? '1' : '0';
	fake_leg_say_text(w->a, LEG_OFFER, other);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(w->a->trace, "answer answer refuse(media)");
	assert_int_equal(plane.n_changes, 2);
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
	mem_deref(other);
}

static void it_moves_to_another_device(void **state)
{
	struct party alice = {.addr = fake_addr("alice@alpha.example")};
	struct addr echo = fake_addr("echo@beta.example");
	struct world *w = *state;
	struct fake_leg *second;
	struct invite *invite;
	struct body *offer;
	struct call *call;

	dial(w, "alice@alpha.example");
	offer = fake_sdp(7);
	second = fake_leg_alloc(LEG_IN, "browser", "d-second");
	assert_int_equal(invite_alloc(&invite, &alice, &echo, offer, 70), 0);
	invite->replaces = mem_ref(&w->a->leg);
	assert_int_equal(
		call_alloc(&call, &w->fc.core, &second->leg, invite, &alice.addr, NULL),
		0);
	fake_loop_settle(w->fc.loop);
	assert_string_equal(second->trace, "answer");
	assert_string_equal(media_mode_name(call_media_mode(call)), "anchor");
	assert_int_equal(plane.n_sessions, 2);
	fake_loop_advance_ms(w->fc.loop, 6000); /* replace-time */
	assert_string_equal(w->a->trace, "answer end(elsewhere)");
	assert_int_equal(plane.n_sessions, 1);
	fake_leg_say_cause(second, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	mem_deref(second);
	mem_deref(invite);
	mem_deref(offer);
}

static void a_media_plane_without_room_is_a_limit(void **state)
{
	struct world *w = *state;

	plane.err = ENOSPC;
	dial(w, "alice@alpha.example");
	assert_string_equal(w->a->trace, "end(limit)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_answers_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(other_sites_may_when_the_site_says_so,
						setup, teardown),
		cmocka_unit_test_setup_teardown(they_have_half_of_the_places, setup,
						teardown),
		cmocka_unit_test_setup_teardown(it_ends_when_its_time_is_over, setup,
						teardown),
		cmocka_unit_test_setup_teardown(it_ends_with_its_media, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_new_offer_is_answered_another_certificate_is_not, setup,
			teardown),
		cmocka_unit_test_setup_teardown(it_moves_to_another_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_media_plane_without_room_is_a_limit,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
