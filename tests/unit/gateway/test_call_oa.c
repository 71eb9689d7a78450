/* tests/unit/gateway/test_call_oa.c - walks every pair of the offer/answer table. */
#include "gateway/call_oa.h"

#include <setjmp.h>
#include <cmocka.h>

/* clang-format off */
/*      A_OFFER  B_OFFER  A_ANSWER  B_ANSWER  A_REFUSE  B_REFUSE  A_WITHDRAW  B_WITHDRAW  TIMEOUT */
static const char *const expected[OA_STATE_N][OA_EVENT_N] = {
	[OA_QUIET] = {"A_OFFERED offer_b", "B_OFFERED offer_a", "QUIET", "QUIET", "QUIET", "QUIET",
		      "QUIET", "QUIET", "QUIET"},
	[OA_A_OFFERED] = {"A_OFFERED", "A_OFFERED refuse_b", "A_OFFERED", "QUIET answer_a",
			  "A_OFFERED", "QUIET refuse_a", "QUIET withdraw_b", "A_OFFERED",
			  "A_LATE refuse_a"},
	[OA_B_OFFERED] = {"B_OFFERED refuse_a", "B_OFFERED", "QUIET answer_b", "B_OFFERED",
			  "QUIET refuse_b", "B_OFFERED", "B_OFFERED", "QUIET withdraw_a",
			  "B_LATE refuse_b"},
	[OA_A_LATE] = {"A_LATE refuse_a", "B_OFFERED offer_a", "A_LATE", "QUIET", "A_LATE", "QUIET",
		       "A_LATE", "A_LATE", "A_LATE"},
	[OA_B_LATE] = {"A_OFFERED offer_b", "B_LATE refuse_b", "QUIET", "B_LATE", "QUIET", "B_LATE",
		       "B_LATE", "B_LATE", "B_LATE"},
};
/* clang-format on */

static const char *const action_names[] = {
	[OA_DO_OFFER_A] = " offer_a",       [OA_DO_OFFER_B] = " offer_b",
	[OA_DO_ANSWER_A] = " answer_a",     [OA_DO_ANSWER_B] = " answer_b",
	[OA_DO_REFUSE_A] = " refuse_a",     [OA_DO_REFUSE_B] = " refuse_b",
	[OA_DO_WITHDRAW_A] = " withdraw_a", [OA_DO_WITHDRAW_B] = " withdraw_b",
};

static void every_pair(void **state)
{
	char got[64];

	(void)state;
	for (unsigned s = 0; s < OA_STATE_N; s++) {
		for (unsigned e = 0; e < OA_EVENT_N; e++) {
			const struct oa_step *step =
				call_oa_step((enum oa_state)s, (enum oa_event)e);

			snprintf(got, sizeof(got), "%s%s", oa_state_name(step->next),
				 step->action ? action_names[step->action] : "");
			if (strcmp(got, expected[s][e]))
				fail_msg("%s on %s: \"%s\" instead of \"%s\"",
					 oa_state_name((enum oa_state)s),
					 oa_event_name((enum oa_event)e), got,
					 expected[s][e]);
		}
	}
}

/** A and B exchanged, the table is the same. */
static void symmetry(void **state)
{
	static const enum oa_state other_state[] = {OA_QUIET, OA_B_OFFERED, OA_A_OFFERED,
						    OA_B_LATE, OA_A_LATE};
	static const enum oa_event other_event[] = {
		OA_B_OFFER,  OA_A_OFFER,    OA_B_ANSWER,   OA_A_ANSWER, OA_B_REFUSE,
		OA_A_REFUSE, OA_B_WITHDRAW, OA_A_WITHDRAW, OA_TIMEOUT};
	static const enum oa_action other_action[] = {
		OA_DO_NOTHING,  OA_DO_OFFER_B,    OA_DO_OFFER_A,
		OA_DO_ANSWER_B, OA_DO_ANSWER_A,   OA_DO_REFUSE_B,
		OA_DO_REFUSE_A, OA_DO_WITHDRAW_B, OA_DO_WITHDRAW_A,
	};

	(void)state;
	for (unsigned s = 0; s < OA_STATE_N; s++) {
		for (unsigned e = 0; e < OA_EVENT_N; e++) {
			const struct oa_step *one =
				call_oa_step((enum oa_state)s, (enum oa_event)e);
			const struct oa_step *two =
				call_oa_step(other_state[s], other_event[e]);

			assert_int_equal(two->next, other_state[one->next]);
			assert_int_equal(two->action, other_action[one->action]);
		}
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(oa_state_name(OA_STATE_N), "?");
	assert_string_equal(oa_event_name(OA_EVENT_N), "?");
	for (unsigned e = 0; e < OA_EVENT_N; e++)
		for (unsigned f = 0; f < e; f++)
			assert_string_not_equal(oa_event_name((enum oa_event)e),
						oa_event_name((enum oa_event)f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),
		cmocka_unit_test(symmetry),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
