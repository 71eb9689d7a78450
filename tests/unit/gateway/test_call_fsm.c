/* tests/unit/gateway/test_call_fsm.c - walks every state x event pair of the call's table.
 *
 * The expectation is written a second time, by hand, one cell a pair:
 *   "!" cannot happen   "." ignored   "NEXT actions" else */
#include "gateway/call_fsm.h"

#include <setjmp.h>
#include <cmocka.h>

/* clang-format off */
/*           START ROUTED NO_ROUTE | B_RINGING B_ACCEPTED B_ANSWER B_LEFT B_GONE | A_ENDED TIMEOUT FORCED BROKEN */
static const char *const expected[CALL_STATE_N][CALL_EVENT_N] = {
	[CALL_IDLE] = {"ROUTING route", "!", "!", "!", "!", "!", "!", "!", "ENDED finish",
		       "ENDED end_a finish", "ENDED end_a finish", "!"},
	[CALL_ROUTING] = {"!", "CALLING unroute ring", "ENDED unroute end_a finish", "!", "!", "!",
			  "!", "!", "ENDED unroute finish", "ENDED unroute end_a finish",
			  "ENDED unroute end_a finish", "!"},
	[CALL_CALLING] = {"!", "!", "!", "RINGING tell_ringing", "ACCEPTED choose tell_accepted",
			  "ACTIVE choose answer", ".", "ENDED end_b end_a finish",
			  "ENDED end_b finish", "ENDED end_b end_a finish",
			  "ENDED end_b end_a finish", "ENDED end_b end_a finish"},
	[CALL_RINGING] = {"!", "!", "!", ".", "ACCEPTED choose tell_accepted",
			  "ACTIVE choose answer", ".", "ENDED end_b end_a finish",
			  "ENDED end_b finish", "ENDED end_b end_a finish",
			  "ENDED end_b end_a finish", "ENDED end_b end_a finish"},
	[CALL_ACCEPTED] = {"!", "!", "!", ".", ".", "ACTIVE answer", "!", "ENDED end_a finish",
			   "ENDED end_b finish", "ENDED end_b end_a finish",
			   "ENDED end_b end_a finish", "ENDED end_b end_a finish"},
	[CALL_ACTIVE] = {"!", "!", "!", ".", ".", "!", "!", "ENDED end_a finish",
			 "ENDED end_b finish", "!", "ENDED end_b end_a finish",
			 "ENDED end_b end_a finish"},
	[CALL_ENDED] = {"!", "!", "!", "!", "!", "!", "!", "!", "!", "!", ".", "!"},
};
/* clang-format on */

static const char *const action_names[] = {
	[CALL_DO_ROUTE] = "route",
	[CALL_DO_UNROUTE] = "unroute",
	[CALL_DO_RING] = "ring",
	[CALL_DO_TELL_RINGING] = "tell_ringing",
	[CALL_DO_TELL_ACCEPTED] = "tell_accepted",
	[CALL_DO_CHOOSE] = "choose",
	[CALL_DO_ANSWER] = "answer",
	[CALL_DO_END_B] = "end_b",
	[CALL_DO_END_A] = "end_a",
	[CALL_DO_FINISH] = "finish",
};

static const char *cell(char *buf, size_t size, const struct call_step *step)
{
	if (step->verdict == CALL_IMPOSSIBLE)
		return "!";
	if (step->verdict == CALL_IGNORED)
		return ".";
	snprintf(buf, size, "%s", call_state_name(step->next));
	for (size_t i = 0; i < CALL_ACTIONS_MAX && step->actions[i]; i++) {
		size_t n = strlen(buf);

		snprintf(buf + n, size - n, " %s", action_names[step->actions[i]]);
	}
	return buf;
}

static void every_pair(void **state)
{
	char buf[128];

	(void)state;
	for (unsigned s = 0; s < CALL_STATE_N; s++) {
		for (unsigned e = 0; e < CALL_EVENT_N; e++) {
			const char *got = cell(
				buf, sizeof(buf),
				call_fsm_step((enum call_state)s, (enum call_event)e));

			assert_non_null(expected[s][e]);
			if (strcmp(got, expected[s][e]))
				fail_msg("%s on %s: \"%s\" instead of \"%s\"",
					 call_state_name((enum call_state)s),
					 call_event_name((enum call_event)e), got,
					 expected[s][e]);
		}
	}
}

static size_t n_of(const struct call_step *step, enum call_action action)
{
	size_t n = 0;

	for (size_t i = 0; i < CALL_ACTIONS_MAX; i++)
		n += step->actions[i] == action;
	return n;
}

/** What must hold whatever the table says. */
static void laws(void **state)
{
	(void)state;
	for (unsigned s = 0; s < CALL_STATE_N; s++) {
		for (unsigned e = 0; e < CALL_EVENT_N; e++) {
			const struct call_step *step =
				call_fsm_step((enum call_state)s, (enum call_event)e);
			bool ends =
				step->verdict == CALL_STEPS && step->next == CALL_ENDED;

			/* the end is told once, last, and only on the way into ENDED */
			assert_int_equal(n_of(step, CALL_DO_FINISH), ends);
			if (e == CALL_A_ENDED) /* nobody tells A what A said */
				assert_int_equal(n_of(step, CALL_DO_END_A), 0);
			else
				assert_int_equal(n_of(step, CALL_DO_END_A), ends);
			if (s == CALL_ENDED) /* there is no way back */
				assert_int_equal(step->verdict == CALL_STEPS, false);
			/* a call goes forward */
			if (step->verdict == CALL_STEPS)
				assert_true(step->next > s);
		}
		if (s !=
		    CALL_ENDED) { /* from anywhere: hang-up and the operator end it */
			assert_int_equal(
				call_fsm_step((enum call_state)s, CALL_A_ENDED)->next,
				CALL_ENDED);
			assert_int_equal(
				call_fsm_step((enum call_state)s, CALL_FORCED)->next,
				CALL_ENDED);
		}
	}
}

static void every_state_has_its_time(void **state)
{
	struct limits limits = {.ring_s = 45, .accept_s = 15};
	static const uint32_t want[CALL_STATE_N] = {
		[CALL_IDLE] = 10,    [CALL_ROUTING] = 10,  [CALL_CALLING] = 45,
		[CALL_RINGING] = 45, [CALL_ACCEPTED] = 15,
	};

	(void)state;
	for (unsigned s = 0; s < CALL_STATE_N; s++) {
		assert_int_equal(call_fsm_timeout_s((enum call_state)s, &limits),
				 want[s]);
		/* where time runs, its end is an event that steps */
		assert_int_equal(
			call_fsm_step((enum call_state)s, CALL_TIMEOUT)->verdict ==
				CALL_STEPS,
			want[s] != 0);
	}
}

static void names(void **state)
{
	(void)state;
	for (unsigned s = 0; s < CALL_STATE_N; s++)
		for (unsigned t = 0; t < s; t++)
			assert_string_not_equal(call_state_name((enum call_state)s),
						call_state_name((enum call_state)t));
	for (unsigned e = 0; e < CALL_EVENT_N; e++)
		for (unsigned f = 0; f < e; f++)
			assert_string_not_equal(call_event_name((enum call_event)e),
						call_event_name((enum call_event)f));
	assert_string_equal(call_state_name(CALL_STATE_N), "?");
	assert_string_equal(call_event_name(CALL_EVENT_N), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),
		cmocka_unit_test(laws),
		cmocka_unit_test(every_state_has_its_time),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
