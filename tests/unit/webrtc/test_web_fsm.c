/* tests/unit/webrtc/test_web_fsm.c - every state and event of the room's four machines, against tables
 * written down a second time, the way docs/protocol.md tells it. */
#include "webrtc/http/conn_fsm.h"
#include "webrtc/session/browser_leg_fsm.h"
#include "webrtc/session/session_fsm.h"

#include <setjmp.h>
#include <cmocka.h>

struct want {
	int state, event, next, action;
};

static const struct want *find(const struct want *w, size_t n, int state, int event)
{
	for (size_t i = 0; i < n; i++)
		if (w[i].state == state && w[i].event == event)
			return &w[i];
	return NULL;
}

static void a_browser(void **state)
{
	/* what is not here does nothing and stays */
	static const struct want wants[] = {
		{BROWSER_NEW, BROWSER_HELLO, BROWSER_ASKING, BROWSER_DO_ASK},
		{BROWSER_NEW, BROWSER_REQUEST, BROWSER_NEW, BROWSER_DO_REFUSE_ANON},
		{BROWSER_NEW, BROWSER_LATE, BROWSER_ENDED, BROWSER_DO_CLOSE_LATE},
		{BROWSER_NEW, BROWSER_BYE, BROWSER_ENDED, BROWSER_DO_SAY_BYE},
		{BROWSER_NEW, BROWSER_BROKEN, BROWSER_ENDED, BROWSER_DO_BREAK},
		{BROWSER_NEW, BROWSER_CLOSED, BROWSER_ENDED, BROWSER_DO_FORGET},
		{BROWSER_NEW, BROWSER_CUT, BROWSER_ENDED, BROWSER_DO_FORGET},
		{BROWSER_ASKING, BROWSER_HELLO, BROWSER_ASKING, BROWSER_DO_REFUSE_STATE},
		{BROWSER_ASKING, BROWSER_REQUEST, BROWSER_ASKING, BROWSER_DO_REFUSE_ANON},
		{BROWSER_ASKING, BROWSER_GRANTED, BROWSER_ONLINE, BROWSER_DO_ENTER},
		{BROWSER_ASKING, BROWSER_DENIED, BROWSER_NEW, BROWSER_DO_DENY},
		{BROWSER_ASKING, BROWSER_LATE, BROWSER_ENDED, BROWSER_DO_CLOSE_LATE},
		{BROWSER_ASKING, BROWSER_BYE, BROWSER_ENDED, BROWSER_DO_SAY_BYE},
		{BROWSER_ASKING, BROWSER_BROKEN, BROWSER_ENDED, BROWSER_DO_BREAK},
		{BROWSER_ASKING, BROWSER_CLOSED, BROWSER_ENDED, BROWSER_DO_FORGET},
		{BROWSER_ASKING, BROWSER_RESUMES, BROWSER_ENDED, BROWSER_DO_HAND_OVER},
		{BROWSER_ASKING, BROWSER_CUT, BROWSER_ENDED, BROWSER_DO_FORGET},
		{BROWSER_ONLINE, BROWSER_HELLO, BROWSER_ONLINE, BROWSER_DO_REFUSE_STATE},
		{BROWSER_ONLINE, BROWSER_REQUEST, BROWSER_ONLINE, BROWSER_DO_SERVE},
		{BROWSER_ONLINE, BROWSER_BYE, BROWSER_ENDED, BROWSER_DO_SAY_BYE},
		{BROWSER_ONLINE, BROWSER_BROKEN, BROWSER_ENDED, BROWSER_DO_BREAK},
		{BROWSER_ONLINE, BROWSER_CLOSED, BROWSER_ENDED, BROWSER_DO_FORGET},
		{BROWSER_ONLINE, BROWSER_CUT, BROWSER_AWAY, BROWSER_DO_LINGER},
		{BROWSER_ONLINE, BROWSER_BACK, BROWSER_ONLINE, BROWSER_DO_RESUME},
		{BROWSER_AWAY, BROWSER_BACK, BROWSER_ONLINE, BROWSER_DO_RESUME},
		{BROWSER_AWAY, BROWSER_LATE, BROWSER_ENDED, BROWSER_DO_EXPIRE},
		{BROWSER_AWAY, BROWSER_BYE, BROWSER_ENDED, BROWSER_DO_QUIT},
		{BROWSER_AWAY, BROWSER_BROKEN, BROWSER_ENDED, BROWSER_DO_QUIT},
		{BROWSER_ENDED, BROWSER_CUT, BROWSER_ENDED, BROWSER_DO_FORGET},
		{BROWSER_ENDED, BROWSER_CLOSED, BROWSER_ENDED, BROWSER_DO_FORGET},
	};

	for (int s = 0; s < BROWSER_STATE_N; s++)
		for (int e = 0; e < BROWSER_EVENT_N; e++) {
			const struct want *w = find(wants, N_ELEMS(wants), s, e);
			enum browser_action action = BROWSER_ACTION_N;
			int next = browser_next(s, e, &action);

			if (next != (w ? w->next : s) ||
			    (int)action != (w ? w->action : BROWSER_DO_NOTHING))
				fail_msg("%s on %s", browser_state_name(s),
					 browser_event_name(e));
		}
}

static void a_leg(void **state)
{
	/* what is not here is a bad state, but in ENDED, where everything is swallowed */
	static const struct want wants[] = {
		{BLEG_IDLE, BLEG_O_INVITE, BLEG_ALERTING, BLEG_DO_TELL_INCOMING},
		{BLEG_IDLE, BLEG_O_END, BLEG_ENDED, BLEG_DO_NOTHING},
		{BLEG_CALLING, BLEG_O_RINGING, BLEG_CALLING, BLEG_DO_TELL_RINGING},
		{BLEG_CALLING, BLEG_O_ACCEPTED, BLEG_CALLING, BLEG_DO_TELL_ACCEPTED},
		{BLEG_CALLING, BLEG_O_EARLY, BLEG_CALLING, BLEG_DO_TELL_EARLY},
		{BLEG_CALLING, BLEG_O_ANSWER, BLEG_ACTIVE, BLEG_DO_TELL_ANSWERED},
		{BLEG_ALERTING, BLEG_C_RINGING, BLEG_RINGING, BLEG_DO_SAY_RINGING},
		{BLEG_ALERTING, BLEG_C_ACCEPT, BLEG_ACCEPTED, BLEG_DO_SAY_ACCEPTED},
		{BLEG_ALERTING, BLEG_C_REJECT, BLEG_ENDED, BLEG_DO_SAY_ENDED},
		{BLEG_RINGING, BLEG_C_ACCEPT, BLEG_ACCEPTED, BLEG_DO_SAY_ACCEPTED},
		{BLEG_RINGING, BLEG_C_REJECT, BLEG_ENDED, BLEG_DO_SAY_ENDED},
		{BLEG_ACCEPTED, BLEG_C_ANSWER, BLEG_ACTIVE, BLEG_DO_SAY_ANSWER},
		{BLEG_CALLING, BLEG_C_CANDIDATES, BLEG_CALLING, BLEG_DO_PASS_CANDIDATES},
		{BLEG_ACTIVE, BLEG_C_CANDIDATES, BLEG_ACTIVE, BLEG_DO_PASS_CANDIDATES},
		{BLEG_ALERTING, BLEG_O_CANDIDATES, BLEG_ALERTING,
		 BLEG_DO_TELL_CANDIDATES},
		{BLEG_RINGING, BLEG_O_CANDIDATES, BLEG_RINGING, BLEG_DO_TELL_CANDIDATES},
		{BLEG_ACCEPTED, BLEG_O_CANDIDATES, BLEG_ACCEPTED,
		 BLEG_DO_TELL_CANDIDATES},
		{BLEG_ACTIVE, BLEG_O_CANDIDATES, BLEG_ACTIVE, BLEG_DO_TELL_CANDIDATES},
		{BLEG_ACTIVE, BLEG_C_ANSWER, BLEG_ACTIVE, BLEG_DO_OFFER_ANSWER},
		{BLEG_ACTIVE, BLEG_C_OFFER, BLEG_ACTIVE, BLEG_DO_OFFER_ANSWER},
		{BLEG_ACTIVE, BLEG_C_REFUSE, BLEG_ACTIVE, BLEG_DO_OFFER_ANSWER},
		{BLEG_ACTIVE, BLEG_O_ANSWER, BLEG_ACTIVE, BLEG_DO_OFFER_ANSWER},
		{BLEG_ACTIVE, BLEG_O_OFFER, BLEG_ACTIVE, BLEG_DO_OFFER_ANSWER},
		{BLEG_ACTIVE, BLEG_O_OFFER_REFUSE, BLEG_ACTIVE, BLEG_DO_OFFER_ANSWER},
		{BLEG_ACTIVE, BLEG_O_OFFER_WITHDRAW, BLEG_ACTIVE, BLEG_DO_OFFER_ANSWER},
	};

	for (int s = 0; s < BLEG_STATE_N; s++)
		for (int e = 0; e < BLEG_EVENT_N; e++) {
			const struct want *w = find(wants, N_ELEMS(wants), s, e);
			struct want want = {s, e, s, BLEG_DO_BAD_STATE};
			enum bleg_action action = BLEG_ACTION_N;
			int next = bleg_next(s, e, &action);

			if (w)
				want = *w;
			else if (s == BLEG_ENDED)
				want.action = BLEG_DO_NOTHING;
			else if (e == BLEG_LOST || (e == BLEG_C_HANGUP && s != BLEG_IDLE))
				want = (struct want){s, e, BLEG_ENDED, BLEG_DO_SAY_ENDED};
			else if (e == BLEG_O_END)
				want = (struct want){s, e, BLEG_ENDED,
						     BLEG_DO_TELL_ENDED};
			if (next != want.next || (int)action != want.action)
				fail_msg("%s on %s", bleg_state_name(s),
					 bleg_event_name(e));
		}
}

static void offers_of_a_leg(void **state)
{
	static const struct want wants[] = {
		{BLEG_QUIET, BLEG_C_OFFER, BLEG_OURS, BLEG_DO_PASS_OFFER},
		{BLEG_QUIET, BLEG_O_OFFER, BLEG_THEIRS, BLEG_DO_TELL_OFFER},
		{BLEG_OURS, BLEG_O_ANSWER, BLEG_QUIET, BLEG_DO_TELL_ANSWER},
		{BLEG_OURS, BLEG_O_OFFER_REFUSE, BLEG_QUIET, BLEG_DO_TELL_REFUSED},
		{BLEG_THEIRS, BLEG_C_ANSWER, BLEG_QUIET, BLEG_DO_PASS_ANSWER},
		{BLEG_THEIRS, BLEG_C_REFUSE, BLEG_QUIET, BLEG_DO_PASS_REFUSE},
		{BLEG_THEIRS, BLEG_C_OFFER, BLEG_THEIRS, BLEG_DO_GLARE},
		{BLEG_THEIRS, BLEG_O_OFFER_WITHDRAW, BLEG_QUIET, BLEG_DO_TELL_WITHDRAWN},
	};

	for (int s = 0; s < BLEG_OA_N; s++)
		for (int e = 0; e < BLEG_EVENT_N; e++) {
			const struct want *w = find(wants, N_ELEMS(wants), s, e);
			enum bleg_action action = BLEG_ACTION_N;
			int next = bleg_oa_next(s, e, &action);

			if (next != (w ? w->next : s) ||
			    (int)action != (w ? w->action : BLEG_DO_BAD_STATE))
				fail_msg("%s on %s", bleg_oa_name(s), bleg_event_name(e));
		}
}

static void a_connection(void **state)
{
	static const struct want wants[] = {
		{CONN_OPENING, CONN_REQUEST, CONN_WORKING, 0},
		{CONN_OPENING, CONN_REQUEST_BODY, CONN_BODY, 0},
		{CONN_OPENING, CONN_UPGRADE, CONN_SOCKET, 0},
		{CONN_IDLE, CONN_REQUEST, CONN_WORKING, 0},
		{CONN_IDLE, CONN_REQUEST_BODY, CONN_BODY, 0},
		{CONN_IDLE, CONN_UPGRADE, CONN_SOCKET, 0},
		{CONN_BODY, CONN_BODY_END, CONN_WORKING, 0},
		{CONN_WORKING, CONN_ASK, CONN_ASKED, 0},
		{CONN_WORKING, CONN_REPLY, CONN_SENDING, 0},
		{CONN_ASKED, CONN_REPLY, CONN_SENDING, 0},
		{CONN_SENDING, CONN_SENT, CONN_IDLE, 0},
	};
	const struct limits limits = {.http_handshake_s = 10, .http_idle_s = 30};

	for (int s = 0; s < CONN_PHASE_N; s++) {
		for (int e = 0; e < CONN_EVENT_N; e++) {
			const struct want *w = find(wants, N_ELEMS(wants), s, e);
			enum conn_phase phase = s;
			bool can = web_conn_next(&phase, e);

			if (e == CONN_CLOSE
				    ? !can || phase != CONN_CLOSING
				    : can != !!w || (int)phase != (w ? w->next : s))
				fail_msg("%s on %s", web_conn_phase_name(s),
					 web_conn_event_name(e));
		}
		/* every phase ends by itself, but for the WebSocket, which pings watch over */
		assert_true(!web_conn_timeout_s(s, &limits) == (s == CONN_SOCKET));
	}
	assert_true(web_conn_timeout_s(CONN_OPENING, &limits) <= 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_browser),
		cmocka_unit_test(a_leg),
		cmocka_unit_test(offers_of_a_leg),
		cmocka_unit_test(a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
