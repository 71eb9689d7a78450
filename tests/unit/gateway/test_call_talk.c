/* tests/unit/gateway/test_call_talk.c - new offers in an established call.
 *
 *   alice (leg A) ◄── offer / answer / refuse ──► call ◄──► bob (leg B) */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *bob;
	struct call *call;
	struct fake_leg *a, *b;
};

/** Established, traces empty. */
static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.bob = fake_device_alloc("bob@alpha.example", "d-bob");
	registry_add(w.fc.core.registry, &w.bob->d);
	assert_int_equal(fake_core_call(&w.fc, &w.call, &w.a, "alice@alpha.example",
					"bob@alpha.example"),
			 0);
	fake_loop_settle(w.fc.loop);
	w.b = fake_device_leg(w.bob);
	fake_leg_say_sdp(w.b, LEG_ANSWER, 2);
	assert_int_equal(call_state(w.call), CALL_ACTIVE);
	fake_leg_trace_clear(w.a);
	fake_leg_trace_clear(w.b);
	return 0;
}

/** The call is still there and ends well, whatever happened. */
static int teardown(void **state)
{
	struct world *w = *state;

	assert_int_equal(call_state(w->call), CALL_ACTIVE);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	mem_deref(w->a);
	fake_core_close(&w->fc);
	registry_remove(w->fc.core.registry, &w->bob->d);
	mem_deref(w->bob);
	return 0;
}

static void traces(const struct world *w, const char *a, const char *b)
{
	assert_string_equal(w->a->trace, a);
	assert_string_equal(w->b->trace, b);
}

static void assert_version(const struct fake_leg *fl, const char *version)
{
	assert_non_null(strstr(fl->body->data, version));
}

static void both_ways(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	traces(w, "", "offer");
	assert_version(w->b, " 10 IN");
	fake_leg_say_sdp(w->b, LEG_ANSWER, 11);
	traces(w, "answer", "offer");
	assert_version(w->a, " 11 IN");

	fake_leg_say_sdp(w->b, LEG_OFFER, 12);
	traces(w, "answer offer", "offer");
	assert_version(w->a, " 12 IN");
	fake_leg_say_sdp(w->a, LEG_ANSWER, 13);
	traces(w, "answer offer", "offer answer");
	assert_version(w->b, " 13 IN");

	for (unsigned i = 20; i < 40; i += 2) { /* as often as they like */
		fake_leg_say_sdp(w->a, LEG_OFFER, i);
		fake_leg_say_sdp(w->b, LEG_ANSWER, i + 1);
	}
	assert_version(w->a, " 39 IN");
}

static void refused(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	fake_leg_say_cause(w->b, LEG_OFFER_REFUSED, CAUSE_MEDIA);
	traces(w, "refuse(media)", "offer");
	fake_leg_say_sdp(w->b, LEG_OFFER, 11);
	fake_leg_say_cause(w->a, LEG_OFFER_REFUSED, CAUSE_GLARE);
	traces(w, "refuse(media) offer", "offer refuse(glare)");
	fake_leg_say_sdp(w->a, LEG_OFFER, 12); /* it goes on as before */
	fake_leg_say_sdp(w->b, LEG_ANSWER, 13);
	assert_version(w->a, " 13 IN");
}

/* An offer is taken back: the other side hears so, what it still says to it is nothing, and either may offer. */
static void withdrawn(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	fake_leg_say_cause(w->b, LEG_OFFER_WITHDRAWN, CAUSE_CANCELLED); /* not its own */
	fake_leg_say_cause(w->a, LEG_OFFER_WITHDRAWN, CAUSE_CANCELLED);
	traces(w, "", "offer withdraw");
	fake_leg_say_cause(w->a, LEG_OFFER_WITHDRAWN, CAUSE_CANCELLED); /* twice */
	fake_leg_say_sdp(w->b, LEG_ANSWER, 11);
	fake_loop_advance_ms(w->fc.loop,
			     (uint64_t)w->fc.config.limits.offer_s * 1000 + 10);
	traces(w, "", "offer withdraw");
	fake_leg_say_sdp(w->b, LEG_OFFER, 12);
	fake_leg_say_cause(w->b, LEG_OFFER_WITHDRAWN, CAUSE_CANCELLED);
	traces(w, "offer withdraw", "offer withdraw");
	fake_leg_say_sdp(w->a, LEG_OFFER, 13);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 14);
	traces(w, "offer withdraw answer", "offer withdraw offer");
}

static void refused_without_a_cause(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	fake_leg_say(w->b, LEG_OFFER_REFUSED);
	traces(w, "refuse(internal)", "offer");
}

static void glare_in_the_call(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	fake_leg_say_sdp(w->b, LEG_OFFER, 11); /* the later one loses */
	traces(w, "", "offer refuse(glare)");
	fake_leg_say_sdp(w->b, LEG_ANSWER, 12);
	traces(w, "answer", "offer refuse(glare)");

	fake_leg_say_sdp(w->b, LEG_OFFER, 13);
	fake_leg_say_sdp(w->a, LEG_OFFER, 14);
	traces(w, "answer offer refuse(glare)", "offer refuse(glare)");
	fake_leg_say_sdp(w->a, LEG_ANSWER, 15);
	traces(w, "answer offer refuse(glare)", "offer refuse(glare) answer");
}

static void glare_at_the_leg(void **state)
{
	struct world *w = *state;

	w->b->err_offer = EBUSY; /* B's own offer is on its way */
	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	traces(w, "refuse(glare)", "offer");
	w->b->err_offer = 0;
	fake_leg_say_sdp(w->b, LEG_OFFER, 11);
	fake_leg_say_sdp(w->a, LEG_ANSWER, 12);
	traces(w, "refuse(glare) offer", "offer answer");

	w->a->err_offer = EBUSY;
	fake_leg_say_sdp(w->b, LEG_OFFER, 13);
	traces(w, "refuse(glare) offer offer", "offer answer refuse(glare)");
}

static void no_answer_in_time(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	fake_loop_advance_ms(w->fc.loop, 29999);
	traces(w, "", "offer");
	fake_loop_advance_ms(w->fc.loop, 1);
	traces(w, "refuse(timeout)", "offer");
	/* B still owes an answer: nothing new can be brought to it */
	fake_leg_say_sdp(w->a, LEG_OFFER, 11);
	traces(w, "refuse(timeout) refuse(timeout)", "offer");
	fake_loop_advance_ms(w->fc.loop, 3600 * 1000);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 12); /* late, and not passed on */
	traces(w, "refuse(timeout) refuse(timeout)", "offer");
	fake_leg_say_sdp(w->a, LEG_OFFER, 13);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 14);
	traces(w, "refuse(timeout) refuse(timeout) answer", "offer offer");
}

static void no_answer_in_time_the_other_way(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->b, LEG_OFFER, 10);
	fake_loop_advance_ms(w->fc.loop, 30000);
	traces(w, "offer", "refuse(timeout)");
	/* A makes an offer instead: it has dropped B's */
	w->a->owes_answer = false;
	fake_leg_say_sdp(w->a, LEG_OFFER, 11);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 12);
	traces(w, "offer answer", "refuse(timeout) offer");
}

static void answers_to_nothing(void **state)
{
	struct world *w = *state;

	fake_leg_say_sdp(w->a, LEG_ANSWER, 10);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 11);
	fake_leg_say_cause(w->a, LEG_OFFER_REFUSED, CAUSE_MEDIA);
	fake_leg_say_cause(w->b, LEG_OFFER_REFUSED, CAUSE_MEDIA);
	traces(w, "", "");
	fake_leg_say_sdp(w->a, LEG_OFFER, 12);
	fake_leg_say_sdp(w->a, LEG_OFFER, 13);  /* twice: its leg should have known */
	fake_leg_say_sdp(w->a, LEG_ANSWER, 14); /* its own offer */
	fake_leg_say_cause(w->a, LEG_OFFER_REFUSED, CAUSE_MEDIA);
	traces(w, "", "offer");
	fake_leg_say_sdp(w->b, LEG_ANSWER, 15);
	traces(w, "answer", "offer");
}

static void unusable_descriptions(void **state)
{
	struct world *w = *state;

	fake_leg_say_text(w->a, LEG_OFFER, "");
	traces(w, "refuse(media)", "");
	fake_leg_say_text(w->b, LEG_OFFER, "v=0\r\nnonsense");
	traces(w, "refuse(media)", "refuse(media)");
	fake_leg_say_text(
		w->b, LEG_OFFER,
		"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n");
	assert_non_null(strstr(w->b->cause.text, "not encrypted"));
	fake_leg_say(w->a, LEG_OFFER); /* no body at all */
	fake_leg_trace_clear(w->a);
	fake_leg_trace_clear(w->b);

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	fake_leg_say_text(w->b, LEG_ANSWER, "nonsense");
	traces(w, "refuse(media)", "offer"); /* so A does not wait */
	fake_leg_say_sdp(w->b, LEG_OFFER, 11);
	fake_leg_say(w->a, LEG_ANSWER);
	traces(w, "refuse(media) offer", "offer refuse(media)");
}

static void ops_that_fail(void **state)
{
	struct world *w = *state;

	w->b->err_offer = ENOMEM;
	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	traces(w, "refuse(internal)", "offer");
	w->b->err_offer = EBADMSG; /* its party could not read it */
	fake_leg_say_sdp(w->a, LEG_OFFER, 9);
	traces(w, "refuse(internal) refuse(media)", "offer offer");
	fake_leg_trace_clear(w->a);
	fake_leg_trace_clear(w->b);
	w->b->err_offer = 0;
	w->a->err_answer = ENOMEM;
	fake_leg_say_sdp(w->a, LEG_OFFER, 11);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 12);
	traces(w, "answer refuse(internal)", "offer");
	w->a->err_answer = 0;
	fake_leg_say_sdp(w->a, LEG_OFFER, 13);
	fake_leg_say_sdp(w->b, LEG_ANSWER, 14);
	assert_version(w->a, " 14 IN");
}

static void the_end_with_an_offer_open(void **state)
{
	struct world *w = *state;
	struct call *call;

	fake_leg_say_sdp(w->a, LEG_OFFER, 10);
	fake_leg_say_cause(w->b, LEG_ENDED, CAUSE_LOST);
	traces(w, "end(lost)", "offer");
	fake_loop_advance_ms(w->fc.loop, 60000); /* its timer went with it */
	w->a = mem_deref(w->a);

	/* one more call, for the teardown to end */
	assert_int_equal(fake_core_call(&w->fc, &call, &w->a, "alice@alpha.example",
					"bob@alpha.example"),
			 0);
	fake_loop_settle(w->fc.loop);
	fake_leg_say_sdp(fake_device_leg(w->bob), LEG_ANSWER, 2);
	w->call = call;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(withdrawn, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_without_a_cause, setup, teardown),
		cmocka_unit_test_setup_teardown(glare_in_the_call, setup, teardown),
		cmocka_unit_test_setup_teardown(glare_at_the_leg, setup, teardown),
		cmocka_unit_test_setup_teardown(no_answer_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(no_answer_in_time_the_other_way, setup,
						teardown),
		cmocka_unit_test_setup_teardown(answers_to_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(unusable_descriptions, setup, teardown),
		cmocka_unit_test_setup_teardown(ops_that_fail, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_with_an_offer_open, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
