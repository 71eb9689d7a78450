/* test_sip_leg_fsm.c - every state x event of the SIP leg's table keeps its promises. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/leg_fsm.h"

static void every_pair(void **state)
{
	unsigned n_known = 0;

	(void)state;
	for (unsigned s = 0; s < SL_STATE_N; s++) {
		for (unsigned e = 0; e < SE_EVENT_N; e++) {
			enum sip_leg_state next = SL_STATE_N;
			unsigned a = sip_leg_fsm(s, e, &next);

			assert_in_range(next, 0, SL_STATE_N - 1);
			n_known += next != s || a;
			/* what an op causes never tells the call (leg.h, rule 1) */
			if (e == SE_INVITE || e == SE_ANSWER || e == SE_END)
				assert_int_equal(a & (SA_TELL_RINGING | SA_TELL_ANSWER |
						      SA_TELL_ENDED),
						 0);
			/* the end is told once: on leaving the states in which the call still listens */
			if (a & SA_TELL_ENDED)
				assert_true(s < SL_TALKING + 1 && s != SL_NEW &&
					    (next == SL_ENDED || next == SL_BYE ||
					     next == SL_LEAVING));
			/* released when and only when it is over */
			assert_int_equal(!!(a & SA_RELEASE),
					 s != SL_ENDED && next == SL_ENDED);
			if (a & SA_BYE)
				assert_int_equal(next, SL_BYE);
			/* no BYE before the ACK, no way back */
			if (s == SL_ENDED)
				assert_true(next == SL_ENDED && !a);
			if (s == SL_BYE)
				assert_true(next == SL_BYE || next == SL_ENDED);
			/* every state can be left by the end or is about to be left */
			if (e == SE_END && s != SL_ENDED && s != SL_BYE &&
			    s != SL_LEAVING)
				assert_true(next != s);
		}
	}
	assert_int_equal(n_known,
			 41); /* the rows of the table: none is a copy of another */
}

static void ways(void **state)
{
	static const struct {
		enum sip_leg_state from;
		enum sip_leg_event ev[6];
		unsigned n;
		enum sip_leg_state to;
	} way[] = {
		{SL_NEW,
		 {SE_INVITE, SE_PROGRESS, SE_ALERT, SE_ALERT, SE_ACCEPT},
		 5,
		 SL_TALKING},
		{SL_NEW, {SE_INVITE, SE_ACCEPT_EMPTY, SE_BYE_DONE}, 3, SL_ENDED},
		{SL_NEW, {SE_INVITE, SE_SILENCE}, 2, SL_ENDED},
		{SL_INCOMING, {SE_ANSWER, SE_ACK, SE_PEER_BYE}, 3, SL_ENDED},
		{SL_INCOMING, {SE_ANSWER, SE_END, SE_ACK, SE_BYE_DONE}, 4, SL_ENDED},
		{SL_INCOMING, {SE_ANSWER, SE_NO_ACK, SE_BYE_DONE}, 3, SL_ENDED},
		{SL_INCOMING, {SE_CANCEL}, 1, SL_ENDED},
		{SL_TALKING, {SE_END, SE_PEER_BYE, SE_BYE_DONE}, 3, SL_ENDED},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(way); i++) {
		enum sip_leg_state s = way[i].from;

		for (unsigned k = 0; k < way[i].n; k++)
			sip_leg_fsm(s, way[i].ev[k], &s);
		assert_string_equal(sip_leg_state_name(s), sip_leg_state_name(way[i].to));
	}
}

static void names(void **state)
{
	(void)state;
	for (unsigned s = 0; s < SL_STATE_N; s++)
		assert_string_not_equal(sip_leg_state_name(s), "?");
	for (unsigned e = 0; e < SE_EVENT_N; e++)
		assert_string_not_equal(sip_leg_event_name(e), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),
		cmocka_unit_test(ways),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
