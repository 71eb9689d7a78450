/* test_edge_txn.c - every state and event of the edge's two machines; the table of
 * transactions under a fake clock. */
#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/conn_fsm.h"
#include "sip/edge/txn.h"

/* ---- the machines ---- */

/* What must hold for every pair, said again in other words than the tables'. */
static void txn_pairs(void **state)
{
	(void)state;
	for (int invite = 0; invite < 2; invite++) {
		for (int s = 0; s < TXN_STATE_N; s++) {
			for (int ev = 0; ev < TXN_EVENT_N; ev++) {
				struct txn_step step = txn_fsm(invite, s, ev);
				bool live = s == TXN_DIALLING || s == TXN_SENT ||
					    s == TXN_PROCEEDING;
				unsigned synths = step.actions &
						  (TXN_DO_SYNTH_503 | TXN_DO_SYNTH_487);

				if (!txn_state_name(step.next) || !txn_event_name(ev))
					fail();
				/* Sofia never gets two finals of ours, nor one behind the
				 * peer's. */
				if (synths && (!live || step.next == TXN_SENT ||
					       step.next == TXN_PROCEEDING))
					fail_msg("%s on %s", txn_state_name(s),
						 txn_event_name(ev));
				/* Nobody who dials has an answer. */
				if (s == TXN_DIALLING && step.actions & TXN_DO_PASS)
					fail_msg("DIALLING on %s passes",
						 txn_event_name(ev));
				/* A 2xx to an INVITE that went out always goes through, a
				 * final ends the others. */
				if (ev == TXN_SUCCESS && s != TXN_DIALLING &&
				    s != TXN_GONE && invite)
					assert_true(step.actions & TXN_DO_PASS &&
						    step.next == TXN_ANSWERED);
				if ((ev == TXN_SUCCESS || ev == TXN_REFUSAL) && live &&
				    s != TXN_DIALLING && !invite)
					assert_true(step.actions & TXN_DO_PASS &&
						    step.next == TXN_GONE);
				/* What is lost while it lives gets exactly one 503. */
				if (ev == TXN_LOST)
					assert_int_equal(
						!!(step.actions & TXN_DO_SYNTH_503),
						live);
				/* Time ends everything. */
				if (ev == TXN_TIMEOUT)
					assert_true(step.next == TXN_GONE ||
						    step.next == TXN_FAILED);
				/* Every CANCEL is answered by somebody. */
				if (ev == TXN_CANCEL)
					assert_true(step.actions &
						    (TXN_DO_PASS | TXN_DO_CANCEL_OK |
						     TXN_DO_CANCEL_481));
				/* The hop ACK passes behind a refusal only, our own
				 * finals swallow it. */
				if (ev == TXN_ACK)
					assert_int_equal(step.actions,
							 invite && s == TXN_REFUSED
								 ? TXN_DO_PASS
							 : invite && s == TXN_ANSWERED
								 ? TXN_DO_ROUTE
								 : 0);
				if (s == TXN_GONE)
					assert_int_equal(step.next, TXN_GONE);
			}
			assert_true(txn_state_s(invite, s) >= 32);
		}
	}
}

static void conn_pairs(void **state)
{
	(void)state;
	for (int s = 0; s < CONN_STATE_N; s++) {
		for (int ev = 0; ev < CONN_EVENT_N; ev++) {
			struct conn_step step = conn_fsm(s, ev);
			bool before = s == CONN_CONNECTING || s == CONN_HANDSHAKE;
			bool after =
				step.next == CONN_CLOSING || step.next == CONN_CLOSED;
			unsigned a = step.actions;

			if (!conn_state_name(step.next) || !conn_event_name(ev))
				fail();
			/* The users hear of the end once: fail if it never was open, lost
			 * if it was. */
			assert_int_equal(!!(a & CONN_DO_FAIL), before && after);
			assert_int_equal(!!(a & CONN_DO_LOST), s == CONN_OPEN && after);
			/* The socket is closed once, by whatever leads to CLOSED. */
			assert_int_equal(!!(a & CONN_DO_RELEASE),
					 s != CONN_CLOSED && step.next == CONN_CLOSED);
			assert_int_equal(!!(a & CONN_DO_SHUT),
					 s != CONN_CLOSING && step.next == CONN_CLOSING);
			assert_int_equal(!!(a & CONN_DO_OPEN),
					 s != CONN_OPEN && step.next == CONN_OPEN);
			/* No state lasts for ever. */
			if (ev == CONN_TIMEOUT && s != CONN_CLOSED)
				assert_true(after && (int)step.next != s);
			/* Nothing opens but from a handshake. */
			if (step.next == CONN_OPEN && s != CONN_OPEN)
				assert_true(s == CONN_HANDSHAKE && ev == CONN_SECURED);
		}
	}
}

/* ---- the table ---- */

static uint64_t now_us;
static unsigned n_timeouts, last_actions;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return now_us;
}

static void on_timeout(struct txn *t, unsigned actions, void *arg)
{
	(void)t;
	(void)arg;
	n_timeouts++;
	last_actions = actions;
}

struct table {
	struct timers *timers;
	struct txns *ts;
};

static int begin(void **state)
{
	static struct table tb;

	now_us = 1000000;
	n_timeouts = last_actions = 0;
	if (timers_alloc(&tb.timers, fake_now, NULL, NULL) ||
	    txns_alloc(&tb.ts, tb.timers, on_timeout, NULL))
		return -1;
	*state = &tb;
	return 0;
}

static int end(void **state)
{
	struct table *tb = *state;

	mem_deref(tb->ts);
	mem_deref(tb->timers);
	return 0;
}

static void pass_s(struct table *tb, unsigned s)
{
	now_us += s * 1000000ull;
	timers_run(tb->timers);
}

#define BRANCH "z9hG4bK00000000000000000000000000000000"
static const struct pl branch = PL(BRANCH);

static void finds_by_branch_and_kind(void **state)
{
	static const struct pl other = PL("z9hG4bK00000000000000000000000000000001");
	struct table *tb = *state;
	struct txn *invite, *cancel;

	assert_int_equal(txn_alloc(&invite, tb->ts, BRANCH, true, false), 0);
	assert_int_equal(txn_alloc(&cancel, tb->ts, BRANCH, true, false), EALREADY);
	assert_null(txn_find(tb->ts, &branch, true));
	assert_int_equal(txn_alloc(&cancel, tb->ts, BRANCH, false, true), 0);
	assert_ptr_equal(txn_find(tb->ts, &branch, false), invite);
	assert_ptr_equal(txn_find(tb->ts, &branch, true), cancel);
	assert_null(txn_find(tb->ts, &other, false));
	assert_int_equal(txns_count(tb->ts), 2);
	(void)txn_step(cancel, TXN_WRITTEN);
	assert_int_equal(txn_step(cancel, TXN_SUCCESS), TXN_DO_PASS);
	assert_null(txn_find(tb->ts, &branch, true));
	assert_int_equal(txns_count(tb->ts), 1);
}

/* A refused INVITE is known until its ACK can no longer come, and then forgotten. */
static void a_refusal_lingers(void **state)
{
	struct table *tb = *state;
	struct list pending = LIST_INIT;
	struct txn *t;

	assert_int_equal(txn_alloc(&t, tb->ts, BRANCH, true, false), 0);
	t->lines = base_dup("x", 1);
	assert_int_equal(txn_step(t, TXN_WRITTEN), 0);
	list_append(&pending, &t->pending, t);
	pass_s(tb, 30);
	assert_int_equal(txn_step(t, TXN_PROVISIONAL), TXN_DO_PASS);
	pass_s(tb, 200);
	/* Each 1xx gives it its time again (timer C). */
	assert_int_equal(txn_step(t, TXN_PROVISIONAL), TXN_DO_PASS);
	pass_s(tb, 200);
	assert_int_equal(n_timeouts, 0);
	assert_int_equal(txn_step(t, TXN_REFUSAL), TXN_DO_PASS);
	assert_true(list_isempty(&pending));
	assert_null(t->lines);
	pass_s(tb, 32);
	assert_int_equal(txn_step(t, TXN_ACK), TXN_DO_PASS);
	assert_int_equal(txns_count(tb->ts), 1);
	pass_s(tb, 36);
	assert_int_equal(n_timeouts, 1);
	assert_int_equal(last_actions, 0);
	assert_int_equal(txns_count(tb->ts), 0);
	assert_int_equal(timers_count(tb->timers), 0);
}

static void silence_while_dialling_is_a_503(void **state)
{
	struct table *tb = *state;
	struct txn *t;

	assert_int_equal(txn_alloc(&t, tb->ts, BRANCH, false, false), 0);
	pass_s(tb, 40);
	assert_int_equal(n_timeouts, 1);
	assert_true(last_actions & TXN_DO_SYNTH_503);
	assert_int_equal(txns_count(tb->ts), 0);
}

static void the_table_frees_what_is_left(void **state)
{
	struct table *tb = *state;
	struct txn *t;

	assert_int_equal(txn_alloc(&t, tb->ts, BRANCH, true, false), 0);
	t->via = base_dup("v", 1);
	t->domain = base_dup("d", 1);
	tb->ts = mem_deref(tb->ts);
	assert_int_equal(timers_count(tb->timers), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(txn_pairs),
		cmocka_unit_test(conn_pairs),
		cmocka_unit_test_setup_teardown(finds_by_branch_and_kind, begin, end),
		cmocka_unit_test_setup_teardown(a_refusal_lingers, begin, end),
		cmocka_unit_test_setup_teardown(silence_while_dialling_is_a_503, begin,
						end),
		cmocka_unit_test_setup_teardown(the_table_frees_what_is_left, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
