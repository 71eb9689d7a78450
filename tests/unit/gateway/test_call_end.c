/* tests/unit/gateway/test_call_end.c - how calls end, from every state and by everybody.
 *
 *   alice (leg A) ──► call ──► d-one, d-two (legs B)      stop here, in each state: A, B, operator, core */
#include "gateway/call_own.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <config.h>

#define ALICE "alice@alpha.example"
#define BOB   "bob@alpha.example"

struct world {
	struct fake_core fc;
	struct fake_device *d[2];
	struct call *call;
	struct fake_leg *a, *b[2];
};

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.d[0] = fake_device_alloc(BOB, "d-one");
	w.d[1] = fake_device_alloc(BOB, "d-two");
	for (size_t i = 0; i < 2; i++)
		registry_add(w.fc.core.registry, &w.d[i]->d);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	mem_deref(w->a);
	fake_core_close(&w->fc);
	for (size_t i = 0; i < 2; i++) {
		if (w->fc.core.registry)
			registry_remove(w->fc.core.registry, &w->d[i]->d);
		w->d[i]->d.registered = false;
		mem_deref(w->d[i]);
	}
	return 0;
}

/** A new call, driven as far as `to`. */
static void drive(struct world *w, enum call_state to)
{
	w->a = mem_deref(w->a);
	w->b[0] = w->b[1] = NULL;
	for (size_t i = 0; i < 2; i++)
		for (size_t n = w->d[i]->n_legs; n; n--) {
			w->d[i]->legv[n - 1] = mem_deref(w->d[i]->legv[n - 1]);
			w->d[i]->n_legs = 0;
		}
	if (to == CALL_ROUTING) { /* nobody is online, and the store is slow */
		registry_remove(w->fc.core.registry, &w->d[0]->d);
		registry_remove(w->fc.core.registry, &w->d[1]->d);
		fake_account_hold(w->fc.core.accounts, true);
	}
	assert_int_equal(fake_core_call(&w->fc, &w->call, &w->a, ALICE, BOB), 0);
	if (to >= CALL_ROUTING)
		fake_loop_settle(w->fc.loop);
	if (to >= CALL_CALLING) {
		w->b[0] = fake_device_leg(w->d[0]);
		w->b[1] = fake_device_leg(w->d[1]);
	}
	if (to >= CALL_RINGING)
		fake_leg_say(w->b[0], LEG_RINGING);
	if (to >= CALL_ACCEPTED)
		fake_leg_say(w->b[0], LEG_ACCEPTED);
	if (to >= CALL_ACTIVE)
		fake_leg_say_sdp(w->b[0], LEG_ANSWER, 2);
	assert_int_equal(call_state(w->call), to);
	fake_leg_trace_clear(w->a);
	if (w->b[0])
		fake_leg_trace_clear(w->b[0]);
	if (w->b[1])
		fake_leg_trace_clear(w->b[1]);
}

/** It is over: these were the last words, nothing is left, and nobody listens any more. */
static void over(struct world *w, const char *a, const char *one, const char *two)
{
	static const struct cause c = {CAUSE_HANGUP, 200, "x"};
	struct fake_leg *legs[] = {w->a, w->b[0], w->b[1]};

	call_end(w->call, &c); /* an ended call cannot be ended */
	for (unsigned round = 0; round < 2; round++) {
		assert_string_equal(w->a->trace, a);
		if (w->b[0]) {
			assert_string_equal(w->b[0]->trace, one);
			assert_string_equal(w->b[1]->trace, two);
		}
		for (size_t i = 0; i < N_ELEMS(legs) && !round; i++) {
			for (unsigned t = 0; t < LEG_EVENT_N && legs[i]; t++) {
				fake_leg_say(legs[i], (enum leg_event_type)t);
				fake_leg_say_sdp(legs[i], (enum leg_event_type)t, 9);
			}
		}
		fake_loop_settle(w->fc.loop);
	}
	fake_account_hold(w->fc.core.accounts, false);
	fake_loop_advance_ms(w->fc.loop, 3600 * 1000);
	assert_int_equal(w->fc.core.n_calls, 0);
	assert_null(w->fc.core.calls.head);
	for (size_t i = 0; i < N_ELEMS(legs); i++)
		if (legs[i])
			assert_int_equal(mem_nrefs(legs[i]), 1);
	for (size_t i = 0; i < 2; i++)
		if (!w->d[i]->d.registered)
			registry_add(w->fc.core.registry, &w->d[i]->d);
}

static void the_caller_ends_in_every_state(void **state)
{
	static const struct {
		enum call_state at;
		const char *one, *two;
	} rows[] = {
		{CALL_IDLE, "", ""},
		{CALL_ROUTING, "", ""},
		{CALL_CALLING, "end(cancelled)", "end(cancelled)"},
		{CALL_RINGING, "end(cancelled)", "end(cancelled)"},
		{CALL_ACCEPTED, "end(cancelled)", ""},
		{CALL_ACTIVE, "end(lost)", ""},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		drive(w, rows[i].at);
		fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_LOST);
		over(w, "", rows[i].one, rows[i].two);
	}
	assert_int_equal(w->fc.core.counters.n_invariants, 0);
}

static void the_callee_ends_in_every_state(void **state)
{
	static const struct {
		enum call_state at;
		const char *a;
	} rows[] = {
		{CALL_CALLING, "end(lost)"},
		{CALL_RINGING, "end(lost)"},
		{CALL_ACCEPTED, "end(lost)"},
		{CALL_ACTIVE, "end(lost)"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		drive(w, rows[i].at);
		if (rows[i].at <= CALL_RINGING) {
			fake_leg_say_cause(w->b[1], LEG_ENDED, CAUSE_LOST);
			assert_string_equal(w->a->trace, "");
		}
		fake_leg_say_cause(w->b[0], LEG_ENDED, CAUSE_LOST);
		over(w, rows[i].a, "", "");
	}
	assert_int_equal(w->fc.core.counters.n_invariants, 0);
}

static void the_operator_ends_in_every_state(void **state)
{
	static const struct {
		enum call_state at;
		const char *one, *two;
	} rows[] = {
		{CALL_IDLE, "", ""},
		{CALL_ROUTING, "", ""},
		{CALL_CALLING, "end(shutdown)", "end(shutdown)"},
		{CALL_RINGING, "end(shutdown)", "end(shutdown)"},
		{CALL_ACCEPTED, "end(shutdown)", ""},
		{CALL_ACTIVE, "end(shutdown)", ""},
	};
	struct world *w = *state;
	struct cause c;

	cause_set(&c, CAUSE_SHUTDOWN, NULL);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		drive(w, rows[i].at);
		call_end(w->call, &c);
		over(w, "end(shutdown)", rows[i].one, rows[i].two);
	}
}

/** slussd stops: what is left in any state is ended, and freed without the loop. */
static void the_core_closes_in_every_state(void **state)
{
	for (unsigned at = CALL_IDLE; at <= CALL_ENDED; at++) {
		struct world *w;

		if (at > CALL_IDLE)
			setup(state);
		w = *state;
		drive(w, at == CALL_ENDED ? CALL_RINGING : (enum call_state)at);
		if (at == CALL_ENDED) /* the loop has not turned since */
			fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_CANCELLED);
		core_close(&w->fc.core);
		assert_string_equal(w->a->trace, at == CALL_ENDED ? "" : "end(shutdown)");
		if (at >= CALL_CALLING && at <= CALL_ACTIVE)
			assert_string_equal(w->b[0]->trace, "end(shutdown)");
		assert_int_equal(mem_nrefs(w->a), 1);
		core_close(&w->fc.core);
		if (at < CALL_ENDED)
			teardown(state);
	}
}

static void every_state_has_an_end(void **state)
{
	static const struct {
		enum call_state at;
		unsigned s;
		const char *a, *one, *two;
	} rows[] = {
		{CALL_ROUTING, 10, "end(timeout)", "", ""},
		{CALL_CALLING, 45, "end(no-answer)", "end(no-answer)", "end(no-answer)"},
		{CALL_RINGING, 45, "end(no-answer)", "end(no-answer)", "end(no-answer)"},
		{CALL_ACCEPTED, 15, "end(timeout)", "end(timeout)", ""},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		drive(w, rows[i].at);
		fake_loop_advance_ms(w->fc.loop, rows[i].s * 1000 - 1);
		assert_int_equal(call_state(w->call), rows[i].at);
		/* the fake clock stops at the very millisecond, before the call is freed */
		fake_leg_trace_clear(w->a);
		fake_loop_advance_ms(w->fc.loop, 1);
		assert_string_equal(w->a->trace, rows[i].a);
		if (w->b[0]) {
			assert_string_equal(w->b[0]->trace, rows[i].one);
			assert_string_equal(w->b[1]->trace, rows[i].two);
		}
		assert_int_equal(w->fc.core.n_calls, 0);
		fake_account_hold(w->fc.core.accounts, false);
		fake_loop_settle(w->fc.loop);
		for (size_t k = 0; k < 2; k++)
			if (!w->d[k]->d.registered)
				registry_add(w->fc.core.registry, &w->d[k]->d);
	}
}

static void answers_that_cannot_be_used(void **state)
{
	struct world *w = *state;

	drive(w, CALL_RINGING);
	fake_leg_say_text(w->b[0], LEG_ANSWER, "v=0\r\n");
	over(w, "end(media)", "end(media)", "end(media)");
	drive(w, CALL_ACCEPTED);
	fake_leg_say(w->b[0], LEG_ANSWER); /* none in it */
	over(w, "end(media)", "end(media)", "");
	drive(w, CALL_RINGING);
	w->a->err_answer = EINVAL;
	fake_leg_say_sdp(w->b[1], LEG_ANSWER, 2);
	over(w, "answer end(internal)", "end(elsewhere)", "end(internal)");
	assert_int_equal(w->fc.core.counters.n_calls_established, 0);
	drive(w, CALL_ACCEPTED);
	w->a->err_answer = ENOTCONN;
	fake_leg_say_sdp(w->b[0], LEG_ANSWER, 2);
	over(w, "answer end(lost)", "end(lost)", "");
}

static void too_early(void **state)
{
	struct world *w = *state;

	drive(w, CALL_RINGING);
	fake_leg_say_sdp(w->a, LEG_OFFER, 5); /* as a SIP peer may in an early dialog */
	assert_string_equal(w->a->trace, "refuse(glare)");
	w->a->awaits_answer = true; /* its first offer still does */
	fake_leg_say_sdp(w->b[0], LEG_OFFER, 6);
	assert_string_equal(w->b[0]->trace, "refuse(glare)");
	fake_leg_say_sdp(w->a, LEG_ANSWER, 7);
	fake_leg_say(w->a, LEG_RINGING);
	fake_leg_say(w->a, LEG_ACCEPTED);
	fake_leg_say_cause(w->a, LEG_OFFER_REFUSED, CAUSE_MEDIA);
	fake_leg_say_cause(w->b[0], LEG_OFFER_REFUSED, CAUSE_MEDIA);
	fake_leg_say(w->a, LEG_EVENT_N);
	assert_int_equal(call_state(w->call), CALL_RINGING);
	fake_leg_say_cause(w->a, LEG_ENDED, CAUSE_CANCELLED);
	over(w, "refuse(glare)", "refuse(glare) end(cancelled)", "end(cancelled)");
}

/* ---- a leg that breaks rule 1 of leg.h ---- */

static void ends_inside_its_op(struct fake_leg *fl, const char *op)
{
	if (strcmp(op, "ringing") && strcmp(op, "offer"))
		return;
	fl->on_op = NULL;
	fake_leg_say_cause(fl, LEG_ENDED, CAUSE_LOST);
}

static void break_rule_one(struct world *w, enum call_state at)
{
	drive(w, at);
	w->a->on_op = w->b[0]->on_op = ends_inside_its_op;
	if (at == CALL_CALLING)
		fake_leg_say(w->b[0], LEG_RINGING);
	else
		fake_leg_say_sdp(w->a, LEG_OFFER, 5);
}

/** Two ways of breaking an invariant: `how` 0 and 1 from inside an op, 2 an event that cannot be. */
static void break_it(struct world *w, int how)
{
	if (how < 2) {
		break_rule_one(w, how ? CALL_ACTIVE : CALL_CALLING);
	} else {
		drive(w, CALL_RINGING);
		call_do(w->call, CALL_ROUTED);
	}
}

static void a_broken_invariant(void **state)
{
	struct world *w = *state;
#ifdef SLUSS_DEBUG
	for (int how = 0; how < 3; how++) { /* a debug build stops at once */
		int status;
		pid_t pid = fork();

		if (!pid) {
			signal(SIGABRT, SIG_DFL);
			break_it(w, how);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
#else
	break_it(w, 0); /* that call is dropped, and it is counted */
	over(w, "ringing", "end(internal)", "end(internal)");
	break_it(w, 1);
	over(w, "end(internal)", "offer", "");
	break_it(w, 2);
	over(w, "end(internal)", "end(internal)", "end(internal)");
	assert_int_equal(w->fc.core.counters.n_invariants, 3);
#endif
}

/** Leaves the call from inside an op, as an operator's order might. */
static void operator_inside_an_op(struct fake_leg *fl, const char *op)
{
	struct cause c;

	fl->on_op = NULL;
	call_end(fl->leg.call, cause_set(&c, CAUSE_SHUTDOWN, NULL));
}

static void ended_from_inside_an_op(void **state)
{
	struct world *w = *state;

	drive(w, CALL_RINGING);
	w->a->on_op = operator_inside_an_op;
	fake_leg_say(w->b[0], LEG_ACCEPTED);
	over(w, "accepted end(shutdown)", "end(shutdown)", "end(elsewhere)");
	drive(w, CALL_ACTIVE);
	w->b[0]->on_op = operator_inside_an_op;
	fake_leg_say_sdp(w->a, LEG_OFFER, 5);
	over(w, "end(shutdown)", "offer end(shutdown)", "");
	assert_int_equal(w->fc.core.counters.n_invariants, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_caller_ends_in_every_state, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_callee_ends_in_every_state, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_operator_ends_in_every_state, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_core_closes_in_every_state, setup,
						teardown),
		cmocka_unit_test_setup_teardown(every_state_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(answers_that_cannot_be_used, setup,
						teardown),
		cmocka_unit_test_setup_teardown(too_early, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_invariant, setup, teardown),
		cmocka_unit_test_setup_teardown(ended_from_inside_an_op, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
