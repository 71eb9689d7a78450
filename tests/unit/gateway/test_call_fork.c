/* tests/unit/gateway/test_call_fork.c - several devices of the callee ring at once.
 *
 *                       ┌──► d-one (fake leg)
 *   alice (leg A) ► call ──► d-two           the first to take it wins, the others hear "elsewhere"
 *                       └──► d-three */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct world {
	struct fake_core fc;
	struct fake_device *d[3];
	struct call *call;
	struct fake_leg *a, *b[3];
};

static int setup(void **state)
{
	static const char *const ids[] = {"d-one", "d-two", "d-three"};
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	for (size_t i = 0; i < N_ELEMS(w.d); i++) {
		w.d[i] = fake_device_alloc("bob@alpha.example", ids[i]);
		assert_int_equal(registry_add(w.fc.core.registry, &w.d[i]->d), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	mem_deref(w->a);
	fake_core_close(&w->fc);
	for (size_t i = 0; i < N_ELEMS(w->d); i++) {
		registry_remove(w->fc.core.registry, &w->d[i]->d);
		mem_deref(w->d[i]);
	}
	return 0;
}

static void dial_from(struct world *w, const char *from)
{
	assert_int_equal(
		fake_core_call(&w->fc, &w->call, &w->a, from, "bob@alpha.example"), 0);
	fake_loop_settle(w->fc.loop);
	for (size_t i = 0; i < N_ELEMS(w->d); i++)
		w->b[i] = fake_device_leg(w->d[i]);
}

static void dial(struct world *w)
{
	dial_from(w, "alice@alpha.example");
	for (size_t i = 0; i < N_ELEMS(w->d); i++)
		assert_string_equal(w->b[i]->trace, "invite");
	assert_null(call_leg_b(w->call)); /* which one is not known yet */
}

static void traces(const struct world *w, const char *a, const char *one, const char *two,
		   const char *three)
{
	assert_string_equal(w->a->trace, a);
	assert_string_equal(w->b[0]->trace, one);
	assert_string_equal(w->b[1]->trace, two);
	assert_string_equal(w->b[2]->trace, three);
}

static void first_to_accept_wins(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say(w->b[0], LEG_RINGING);
	fake_leg_say(w->b[1], LEG_RINGING);
	fake_leg_say(w->b[1], LEG_ACCEPTED);
	traces(w, "ringing accepted", "invite end(elsewhere)", "invite",
	       "invite end(elsewhere)");
	assert_string_equal(w->b[0]->cause.text,
			    "The call was answered on another device.");
	assert_ptr_equal(call_leg_b(w->call), &w->b[1]->leg);
	fake_leg_say(w->b[0], LEG_ACCEPTED); /* too late, not heard */
	fake_leg_say_sdp(w->b[2], LEG_ANSWER, 9);
	assert_int_equal(call_state(w->call), CALL_ACCEPTED);
	fake_leg_say_sdp(w->b[1], LEG_ANSWER, 2);
	traces(w, "ringing accepted answer", "invite end(elsewhere)", "invite",
	       "invite end(elsewhere)");
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	assert_string_equal(w->b[1]->trace, "invite end(hangup)");
}

static void first_to_answer_wins(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say_sdp(w->b[2], LEG_ANSWER, 2);
	traces(w, "answer", "invite end(elsewhere)", "invite end(elsewhere)", "invite");
	fake_leg_say_cause(w->b[2], LEG_ENDED, CAUSE_HANGUP);
	assert_string_equal(w->a->trace, "answer end(hangup)");
}

static void one_device_is_busy(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say(w->b[0], LEG_RINGING);
	fake_leg_say_cause(w->b[0], LEG_ENDED, CAUSE_BUSY);
	traces(w, "ringing", "invite", "invite", "invite"); /* the others ring on */
	fake_leg_say_cause(w->b[1], LEG_ENDED, CAUSE_LOST);
	assert_int_equal(call_state(w->call), CALL_RINGING);
	assert_ptr_equal(call_leg_b(w->call), &w->b[2]->leg);
	fake_leg_say(w->b[2], LEG_ACCEPTED);
	fake_leg_say_sdp(w->b[2], LEG_ANSWER, 2);
	traces(w, "ringing accepted answer", "invite", "invite", "invite");
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
}

static void the_best_refusal_counts(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say_cause(w->b[0], LEG_ENDED, CAUSE_LOST);
	fake_leg_say_cause(w->b[1], LEG_ENDED, CAUSE_BUSY);
	fake_leg_say_cause(w->b[2], LEG_ENDED, CAUSE_TIMEOUT);
	traces(w, "end(busy)", "invite", "invite", "invite");
}

static void decline_is_for_all(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say_cause(w->b[0], LEG_ENDED, CAUSE_BUSY);
	fake_leg_say_cause(w->b[1], LEG_ENDED, CAUSE_DECLINED);
	traces(w, "end(declined)", "invite", "invite", "invite end(declined)");
	assert_string_equal(w->b[2]->cause.text,
			    "The call was declined on another device.");
}

static void any_6xx_is_for_all(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say_status(w->b[2], 606, "Not Acceptable");
	traces(w, "end(media)", "invite end(declined)", "invite end(declined)", "invite");
	assert_int_equal(w->a->cause.code, 606);
}

static void the_caller_gives_up(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say(w->b[0], LEG_RINGING);
	fake_leg_say_cause(w->b[1], LEG_ENDED, CAUSE_BUSY);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_CANCELLED);
	traces(w, "ringing", "invite end(cancelled)", "invite", "invite end(cancelled)");
}

static void taken_at_another_branch_of_the_caller(void **state)
{
	struct world *w = *state;

	dial_from(w, NULL);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_ELSEWHERE);
	traces(w, "", "invite end(elsewhere)", "invite end(elsewhere)",
	       "invite end(elsewhere)");
}

static void nobody_answers(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_loop_advance_ms(w->fc.loop, 44999);
	traces(w, "", "invite", "invite", "invite");
	fake_loop_advance_ms(w->fc.loop, 1);
	traces(w, "end(no-answer)", "invite end(no-answer)", "invite end(no-answer)",
	       "invite end(no-answer)");
}

static void ringing_has_a_time_of_its_own(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_loop_advance_ms(w->fc.loop, 44000);
	fake_leg_say(w->b[0], LEG_RINGING); /* from here on it rings */
	fake_loop_advance_ms(w->fc.loop, 30000);
	fake_leg_say(w->b[1], LEG_RINGING); /* this does not make it longer */
	fake_loop_advance_ms(w->fc.loop, 14999);
	assert_int_equal(call_state(w->call), CALL_RINGING);
	fake_loop_advance_ms(w->fc.loop, 1);
	assert_string_equal(w->a->trace, "ringing end(no-answer)");
}

static void the_winner_leaves_before_its_answer(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say(w->b[1], LEG_ACCEPTED);
	fake_leg_say_cause(w->b[1], LEG_ENDED, CAUSE_MEDIA);
	traces(w, "accepted end(media)", "invite end(elsewhere)", "invite",
	       "invite end(elsewhere)");
}

static void accepted_but_no_answer(void **state)
{
	struct world *w = *state;

	dial(w);
	fake_leg_say(w->b[1], LEG_ACCEPTED);
	fake_loop_advance_ms(w->fc.loop, 14999);
	assert_int_equal(call_state(w->call), CALL_ACCEPTED);
	fake_loop_advance_ms(w->fc.loop, 1);
	traces(w, "accepted end(timeout)", "invite end(elsewhere)", "invite end(timeout)",
	       "invite end(elsewhere)");
}

static void a_device_comes_online_while_it_rings(void **state)
{
	struct world *w = *state;

	registry_remove(w->fc.core.registry, &w->d[1]->d);
	registry_remove(w->fc.core.registry, &w->d[2]->d);
	dial_from(w, "alice@alpha.example");
	fake_leg_say(w->b[0], LEG_RINGING);
	registry_add(w->fc.core.registry, &w->d[1]->d);
	call_device_online(&w->fc.core, &w->d[1]->d);
	w->b[1] = fake_device_leg(w->d[1]);
	assert_string_equal(w->b[1]->trace, "invite");
	fake_leg_say_cause(w->b[0], LEG_ENDED, CAUSE_BUSY); /* so the call goes on */
	fake_leg_say(w->b[1], LEG_ACCEPTED);
	/* after that no device rings any more */
	registry_add(w->fc.core.registry, &w->d[2]->d);
	call_device_online(&w->fc.core, &w->d[2]->d);
	assert_null(fake_device_leg(w->d[2]));
	fake_leg_say_sdp(w->b[1], LEG_ANSWER, 2);
	assert_string_equal(w->a->trace, "ringing accepted answer");
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(w->fc.loop);
	call_device_online(&w->fc.core, &w->d[2]->d);
	assert_null(fake_device_leg(w->d[2]));
}

static void another_user_comes_online(void **state)
{
	struct world *w = *state;
	struct fake_device *carol = fake_device_alloc("carol@alpha.example", "d-carol");

	dial(w);
	registry_add(w->fc.core.registry, &carol->d);
	call_device_online(&w->fc.core, &carol->d);
	assert_null(fake_device_leg(carol));
	registry_remove(w->fc.core.registry, &carol->d);
	mem_deref(carol);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_CANCELLED);
}

static void calling_oneself(void **state)
{
	struct world *w = *state;

	/* the fake caller's leg is called "d-caller": bob calls from that device of his */
	snprintf(w->d[0]->d.id, sizeof(w->d[0]->d.id), "d-caller");
	dial_from(w, "bob@alpha.example");
	assert_null(w->b[0]);
	assert_string_equal(w->b[1]->trace, "invite");
	assert_string_equal(w->b[2]->trace, "invite");
	call_device_online(&w->fc.core, &w->d[0]->d);
	assert_null(fake_device_leg(w->d[0]));
	fake_leg_say_cause(w->b[1], LEG_ENDED, CAUSE_BUSY);
	fake_leg_say_cause(w->b[2], LEG_ENDED, CAUSE_BUSY);
	assert_string_equal(w->a->trace, "end(busy)");
	fake_loop_settle(w->fc.loop);
	w->a = mem_deref(w->a);

	registry_remove(w->fc.core.registry, &w->d[1]->d);
	registry_remove(w->fc.core.registry, &w->d[2]->d);
	dial_from(w, "bob@alpha.example");
	assert_string_equal(w->a->trace, "end(offline)");
	assert_non_null(strstr(w->a->cause.text, "no other device"));
}

static void some_devices_cannot_ring(void **state)
{
	struct world *w = *state;

	w->d[0]->err_alloc = ENOTCONN;
	w->d[1]->err_invite = ENOSPC;
	dial_from(w, "alice@alpha.example");
	assert_null(w->b[0]);
	assert_string_equal(w->b[2]->trace, "invite");
	assert_int_equal(call_state(w->call), CALL_CALLING);
	fake_leg_say_cause(w->b[2], LEG_ENDED, CAUSE_LOST);
	assert_string_equal(w->a->trace, "end(offline)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(first_to_accept_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(first_to_answer_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(one_device_is_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(the_best_refusal_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(decline_is_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(any_6xx_is_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(the_caller_gives_up, setup, teardown),
		cmocka_unit_test_setup_teardown(taken_at_another_branch_of_the_caller,
						setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(ringing_has_a_time_of_its_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_winner_leaves_before_its_answer,
						setup, teardown),
		cmocka_unit_test_setup_teardown(accepted_but_no_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_comes_online_while_it_rings,
						setup, teardown),
		cmocka_unit_test_setup_teardown(another_user_comes_online, setup,
						teardown),
		cmocka_unit_test_setup_teardown(calling_oneself, setup, teardown),
		cmocka_unit_test_setup_teardown(some_devices_cannot_ring, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
