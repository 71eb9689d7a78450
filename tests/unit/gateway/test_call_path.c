/* tests/unit/gateway/test_call_path.c - a call whose media pass here: everything that goes from half to half goes
 * through its path, and only through it.
 *
 *   alice (leg A) ──► call ──► fake_path ──► call ──► bob's devices (legs B)
 *                 ◄──      ◄──           ◄──      ◄──                        */
#include "gateway/call_own.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *bob, *bob2;
	struct call *call;
	struct fake_leg *a;
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.bob = fake_device_alloc("bob@alpha.example", "d-bob");
	w.bob2 = fake_device_alloc("bob@alpha.example", "d-bob2");
	registry_add(w.fc.core.registry, &w.bob->d);
	assert_int_equal(fake_core_call(&w.fc, &w.call, &w.a, "alice@alpha.example",
					"bob@alpha.example"),
			 0);
	w.call->hidden = fake_addr("bob@alpha.example");
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (!w->a->over)
		fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(w->a);
	fake_core_close(&w->fc);
	assert_null(w->fc.path);
	registry_remove(w->fc.core.registry, &w->bob->d);
	registry_remove(w->fc.core.registry, &w->bob2->d);
	mem_deref(w->bob);
	mem_deref(w->bob2);
	return 0;
}

static struct fake_leg *establish(struct world *w)
{
	struct fake_leg *b;

	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
	fake_leg_trace_clear(w->a);
	fake_leg_trace_clear(b);
	w->fc.path->trace[0] = '\0';
	return b;
}

static void came_from(const struct fake_leg *fl, const char *side)
{
	char line[32];

	snprintf(line, sizeof(line), "a=x-from:%s\r\n", side);
	assert_non_null(strstr(fl->body->data, line));
}

static void end(struct fake_leg *a)
{
	fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(a);
}

static void traces(const struct world *w, const char *path, const char *a, const char *b)
{
	assert_string_equal(w->fc.path->trace, path);
	assert_string_equal(w->a->trace, a);
	assert_string_equal(fake_device_leg(w->bob)->trace, b);
}

/* The first offer and its answer; who is at its ends. */
static void both_ways_through_the_path(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	assert_int_equal(call_media_mode(w->call), MODE_RELAY);
	assert_string_equal(call_encryption_name(w->call), "claimed");
	came_from(b, "A");
	assert_ptr_not_equal(b->invite, call_invite(w->call));
	assert_string_equal(b->invite->call_id, call_id(w->call));
	assert_true(w->fc.path->setup.sidev[PATH_A].here);
	assert_true(w->fc.path->setup.sidev[PATH_B].here);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
	came_from(w->a, "B");
	assert_string_equal(w->fc.path->trace, "offer(A) answer(B)");
}

static void a_direct_call_has_none(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	w->call->hidden.user[0] = '\0';
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	assert_null(w->fc.path);
	assert_ptr_equal(b->body, call_invite(w->call)->offer);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	assert_int_equal(call_media_mode(w->call), MODE_DIRECT);
}

/* One offer of ours for all of them, also for one that comes later; the winner's answer counts. */
static void all_devices_get_the_same(void **state)
{
	struct world *w = *state;
	struct fake_leg *b, *b2;

	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	fake_leg_say(b, LEG_RINGING);
	registry_add(w->fc.core.registry, &w->bob2->d);
	call_device_online(&w->fc.core, &w->bob2->d);
	b2 = fake_device_leg(w->bob2);
	assert_ptr_equal(b->body, b2->body);
	fake_leg_say(b2, LEG_ACCEPTED);
	assert_string_equal(b->trace, "invite end(elsewhere)");
	fake_leg_say_sdp(b2, LEG_ANSWER, 7);
	came_from(w->a, "B");
	assert_non_null(strstr(w->a->body->data, " 7 IN IP4"));
	assert_string_equal(w->fc.path->trace, "offer(A) answer(B)");
}

/* Candidates: those of before, of while it rings, and of the talk; the callee's never before the answer. */
static void candidates_end_in_the_path(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	fake_leg_say_candidates(w->a, "F7gI", 1, 2, false);
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	assert_int_equal(w->fc.path->n_candidates, 2);
	fake_leg_say_candidates(w->a, "F7gI", 3, 1, true);
	fake_leg_say_candidates(b, "bobs", 1, 1, false);
	assert_int_equal(w->fc.path->n_candidates, 3);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	fake_leg_say_candidates(b, "bobs", 1, 4, false);
	assert_int_equal(w->fc.path->n_candidates, 7);
	traces(w, "offer(A) candidates(A) candidates(A) answer(B) candidates(B)",
	       "answer", "invite");
}

static void candidates_that_it_hands_on(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	w->fc.path->passes_candidates = true;
	fake_leg_say_candidates(b, "bobs", 1, 2, false);
	fake_leg_say_candidates(w->a, "F7gI", 1, 1, false);
	traces(w, "candidates(B) candidates(A)", "candidates(2)", "candidates(1)");
}

static void later_offers_of_both(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	fake_leg_say_sdp(w->a, LEG_OFFER, 3);
	came_from(b, "A");
	fake_leg_say_sdp(b, LEG_ANSWER, 4);
	came_from(w->a, "B");
	fake_leg_say_sdp(b, LEG_OFFER, 5);
	came_from(w->a, "B");
	fake_leg_say_sdp(w->a, LEG_ANSWER, 6);
	came_from(b, "A");
	traces(w, "offer(A) answer(B) offer(B) answer(A)", "answer offer",
	       "offer answer");
}

static void refused_offers_are_undone(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	fake_leg_say_sdp(w->a, LEG_OFFER, 3);
	fake_leg_say_cause(b, LEG_OFFER_REFUSED, CAUSE_MEDIA);
	traces(w, "offer(A) undo(A)", "refuse(media)", "offer");
	fake_leg_say_sdp(b, LEG_OFFER, 3);
	fake_leg_say_cause(b, LEG_OFFER_WITHDRAWN, CAUSE_CANCELLED);
	traces(w, "offer(A) undo(A) offer(B) undo(B)", "refuse(media) offer withdraw",
	       "offer");
}

/* The later of two that cross has gone nowhere: nothing is undone but the one that was. */
static void crossing_offers(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	fake_leg_say_sdp(w->a, LEG_OFFER, 3);
	fake_leg_say_sdp(b, LEG_OFFER, 3);
	traces(w, "offer(A)", "", "offer refuse(glare)");
	fake_leg_say_sdp(b, LEG_ANSWER, 4);
	traces(w, "offer(A) answer(B)", "answer", "offer refuse(glare)");
}

static void an_offer_without_an_answer_in_time(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	fake_leg_say_sdp(w->a, LEG_OFFER, 3);
	fake_loop_advance_ms(w->fc.loop, 31000);
	traces(w, "offer(A) undo(A)", "refuse(timeout)", "offer");
	fake_leg_say_sdp(b, LEG_ANSWER, 4); /* too late */
	traces(w, "offer(A) undo(A)", "refuse(timeout)", "offer");
}

static void a_later_offer_that_the_path_refuses(void **state)
{
	struct world *w = *state;

	establish(w);
	w->fc.path->err_offer = EBADMSG;
	fake_leg_say_sdp(w->a, LEG_OFFER, 3);
	traces(w, "offer(A) undo(A)", "refuse(media)", "");
	assert_string_equal(w->a->cause.text, "It does not like the offer.");
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
}

static void a_later_answer_that_the_path_refuses(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	fake_leg_say_sdp(w->a, LEG_OFFER, 3);
	w->fc.path->err_answer = EBADMSG;
	fake_leg_say_sdp(b, LEG_ANSWER, 4);
	traces(w, "offer(A) answer(B) undo(A)", "refuse(media)", "offer");
	assert_int_equal(call_state(w->call), CALL_ACTIVE);
}

/* Not shown is not shown: there is no falling back to direct. */
static void without_a_path_no_call(void **state)
{
	struct world *w = *state;

	w->fc.err_path = ENOSPC;
	fake_loop_settle(w->fc.loop);
	assert_null(fake_device_leg(w->bob));
	assert_string_equal(w->a->trace, "end(limit)");
}

static void without_a_media_plane_no_call(void **state)
{
	struct world *w = *state;

	w->fc.core.path_relay = NULL;
	fake_loop_settle(w->fc.loop);
	assert_null(fake_device_leg(w->bob));
	assert_string_equal(w->a->trace, "end(unreachable)");
}

static void a_first_answer_that_the_path_refuses(void **state)
{
	struct world *w = *state;
	struct fake_leg *b;

	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	w->fc.path->err_answer = EBADMSG;
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	assert_string_equal(w->a->trace, "end(media)");
	assert_string_equal(b->trace, "invite end(media)");
	assert_string_equal(w->a->cause.text, "It does not like the answer.");
}

/* relay-calls: of one user, whoever calls. */
static void more_than_a_user_may_have(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w), *a2;
	struct call *call;

	w->fc.config.limits.relay_calls = 1;
	assert_int_equal(fake_core_call(&w->fc, &call, &a2, "carol@alpha.example",
					"bob@alpha.example"),
			 0);
	call->hidden = fake_addr("bob@alpha.example");
	fake_loop_settle(w->fc.loop);
	assert_string_equal(a2->trace, "end(limit)");
	mem_deref(a2);
	fake_leg_say_cause(b, LEG_ENDED, CAUSE_HANGUP);
	assert_int_equal(fake_core_call(&w->fc, &call, &a2, "carol@alpha.example",
					"bob@alpha.example"),
			 0);
	call->hidden = fake_addr("bob@alpha.example");
	fake_loop_settle(w->fc.loop);
	assert_string_equal(a2->trace, "");
	end(a2);
}

static void its_media_are_over(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	fake_path_over(w->fc.path, CAUSE_LOST);
	assert_string_equal(w->a->trace, "end(lost)");
	assert_string_equal(b->trace, "end(lost)");
	fake_loop_settle(w->fc.loop);
	assert_int_equal(w->fc.n_paths_ended, 1);
}

/* The path ends with the call, not only when the last leg has gone. */
static void it_ends_with_the_call(void **state)
{
	struct world *w = *state;

	establish(w);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	assert_int_equal(w->fc.n_paths_ended, 1);
}

/* ---- a caller that is no browser: its call is anchored ---- */

static struct fake_leg *trunk_call(struct world *w, const char *offer)
{
	struct addr to = fake_addr("bob@alpha.example");
	struct party from = {.addr = fake_addr("4930123@pbx.example"),
			     .site_verified = true};
	struct body *body = offer ? fake_body(offer) : NULL;
	struct invite *invite = NULL;
	struct fake_leg *a = fake_leg_alloc(LEG_IN, "sip", "pbx");
	struct call *call;

	a->leg.media = LEG_RTP;
	assert_int_equal(invite_alloc(&invite, &from, &to, body, 70), 0);
	assert_int_equal(
		call_alloc(&call, &w->fc.core, &a->leg, invite, NULL, "pbx.example"), 0);
	mem_deref(invite);
	mem_deref(body);
	return a;
}

static const char rtp_offer[] =
	"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
	"m=audio 4000 RTP/AVP 0 8\r\n";

static void a_leg_that_speaks_rtp(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = trunk_call(w, rtp_offer), *b;

	w->call->hidden.user[0] = '\0';
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	came_from(b, "A");
	assert_int_equal(w->fc.path->setup.sidev[PATH_A].speaks, LEG_RTP);
	assert_false(w->fc.path->setup.sidev[PATH_A].here);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	assert_string_equal(a->trace, "answer");
	assert_string_equal(call_encryption_name(a->leg.call), "to-gateway");
	/* its own later offer need not be WebRTC either; the browser's must */
	fake_leg_say_text(a, LEG_OFFER, rtp_offer);
	fake_leg_say_text(b, LEG_ANSWER, rtp_offer);
	assert_string_equal(a->trace, "answer refuse(media)");
	end(a);
}

/* An INVITE without a description: ours is in the answer, theirs comes with the ACK. */
static void a_late_offer(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = trunk_call(w, NULL), *b;

	w->call->hidden.user[0] = '\0';
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	w->fc.path->late_answers = true;
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	came_from(a, "B");
	fake_leg_say_sdp(b, LEG_OFFER, 3); /* not before it is all agreed */
	assert_string_equal(b->trace, "invite refuse(glare)");
	fake_leg_say_text(a, LEG_ANSWER, rtp_offer);
	assert_string_equal(w->fc.path->trace, "late(A) answer(B) late-answer(A)");
	assert_string_equal(a->trace, "answer");
	end(a);
}

/* The same in mid-call: the browser is asked for an offer, as if the trunk had made one. */
static void a_late_offer_in_mid_call(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = trunk_call(w, rtp_offer), *b;

	w->call->hidden.user[0] = '\0';
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	a->awaits_answer = true;
	fake_leg_say(a, LEG_LATE);
	assert_string_equal(b->trace, "invite offer");
	fake_leg_say(a, LEG_LATE); /* one at a time */
	assert_string_equal(a->trace, "answer refuse(glare)");
	a->awaits_answer = true;
	w->fc.path->late_answers = true;
	fake_leg_say_sdp(b, LEG_ANSWER, 3);
	assert_string_equal(a->trace, "answer refuse(glare) answer");
	fake_leg_say_text(a, LEG_ANSWER, rtp_offer);
	assert_string_equal(w->fc.path->trace,
			    "offer(A) answer(B) late(A) answer(B) late-answer(A)");
	a->awaits_answer = true;
	fake_leg_say(a, LEG_LATE);
	fake_leg_say_cause(b, LEG_OFFER_REFUSED, CAUSE_MEDIA);
	a->awaits_answer = true;
	fake_leg_say(a, LEG_LATE); /* what was refused is over */
	assert_string_equal(b->trace, "invite offer offer offer");
	end(a);
}

static void a_late_offer_that_nobody_can_make(void **state)
{
	struct world *w = *state;
	struct fake_leg *b = establish(w);

	b->awaits_answer = true;
	fake_leg_say(b, LEG_LATE);
	traces(w, "", "", "refuse(media)");
}

static void what_a_trunk_plays_before_the_answer(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = trunk_call(w, rtp_offer), *b;

	w->call->hidden.user[0] = '\0';
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	fake_leg_say_sdp(b, LEG_EARLY, 2);
	came_from(a, "B");
	assert_string_equal(a->trace, "early ringing");
	fake_leg_say_sdp(b, LEG_ANSWER, 3);
	fake_leg_say_sdp(b, LEG_EARLY, 4); /* too late */
	assert_string_equal(a->trace, "early ringing answer");
	assert_string_equal(w->fc.path->trace, "offer(A) early(B) answer(B)");
	end(a);
}

static void a_late_offer_with_no_good_answer(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = trunk_call(w, NULL), *b;

	w->call->hidden.user[0] = '\0';
	fake_loop_settle(w->fc.loop);
	b = fake_device_leg(w->bob);
	w->fc.path->late_answers = true;
	fake_leg_say_sdp(b, LEG_ANSWER, 2);
	fake_leg_say_text(a, LEG_ANSWER, "v=1\r\n");
	assert_string_equal(a->trace, "answer end(media)");
	assert_string_equal(b->trace, "invite end(media)");
	mem_deref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(both_ways_through_the_path),
		TEST(a_direct_call_has_none),
		TEST(all_devices_get_the_same),
		TEST(candidates_end_in_the_path),
		TEST(candidates_that_it_hands_on),
		TEST(later_offers_of_both),
		TEST(refused_offers_are_undone),
		TEST(crossing_offers),
		TEST(an_offer_without_an_answer_in_time),
		TEST(a_later_offer_that_the_path_refuses),
		TEST(a_later_answer_that_the_path_refuses),
		TEST(without_a_path_no_call),
		TEST(without_a_media_plane_no_call),
		TEST(a_first_answer_that_the_path_refuses),
		TEST(more_than_a_user_may_have),
		TEST(its_media_are_over),
		TEST(it_ends_with_the_call),
		TEST(a_leg_that_speaks_rtp),
		TEST(a_late_offer),
		TEST(a_late_offer_in_mid_call),
		TEST(a_late_offer_that_nobody_can_make),
		TEST(what_a_trunk_plays_before_the_answer),
		TEST(a_late_offer_with_no_good_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
