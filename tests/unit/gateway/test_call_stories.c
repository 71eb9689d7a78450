/* tests/unit/gateway/test_call_stories.c - thousands of random calls: legs say anything at any time, ops
 * fail, time passes. The fake legs abort when the call breaks a rule of leg.h; here it is checked that
 * every call ends, that both sides were told once, and that nothing is left in any table.
 *
 *   alice (leg A) ──► call ──► up to 3 devices of bob (legs B), or one SIP leg */
#include "gateway/quota.h"
#include "lib/log.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

enum { STORIES = 4000, STEPS_MAX = 40, DEVICES = 3 };

struct story {
	struct fake_core fc;
	struct fake_device *d[DEVICES];
	struct fake_leg *a;
	uint32_t seed;
	unsigned reached[CALL_STATE_N]; /**< over all stories */
};

/** xorshift: the same stories in every run. */
static uint32_t dice(struct story *s, uint32_t n)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 17;
	s->seed ^= s->seed << 5;
	return s->seed % n;
}

static struct fake_leg *any_leg(struct story *s)
{
	struct fake_leg *legs[DEVICES + 2] = {s->a};
	size_t n = 1;

	for (size_t i = 0; i < DEVICES; i++)
		if (fake_device_leg(s->d[i]))
			legs[n++] = fake_device_leg(s->d[i]);
	if (s->fc.federation.n_legs)
		legs[n++] = s->fc.federation.legv[0];
	return legs[dice(s, (uint32_t)n)];
}

static void something_happens(struct story *s)
{
	static const enum cause_reason reasons[] = {
		CAUSE_HANGUP, CAUSE_BUSY, CAUSE_DECLINED, CAUSE_LOST, CAUSE_MEDIA};
	struct fake_leg *fl = any_leg(s);
	uint32_t i = dice(s, DEVICES);
	struct cause c;

	switch (dice(s, 15)) {
	case 0:
	case 1:
		fake_leg_say(fl, LEG_RINGING);
		break;
	case 2:
		fake_leg_say(fl, LEG_ACCEPTED);
		break;
	case 3:
	case 4:
	case 5:
		fake_leg_say_sdp(fl, LEG_ANSWER, dice(s, 100));
		break;
	case 6:
	case 7:
		if (!fl->owes_answer && !fl->awaits_answer)
			fake_leg_say_sdp(fl, LEG_OFFER, dice(s, 100));
		break;
	case 8:
		fake_leg_say_cause(fl, LEG_OFFER_REFUSED, CAUSE_MEDIA);
		break;
	case 9:
		if (!dice(s, 3))
			fake_leg_say_cause(fl, LEG_ENDED,
					   reasons[dice(s, N_ELEMS(reasons))]);
		break;
	case 10:
		fake_loop_advance_ms(s->fc.loop, dice(s, 20000));
		break;
	case 11:
		fake_loop_settle(s->fc.loop);
		if (!dice(s, 8))
			fake_leg_say_text(fl, LEG_ANSWER, "nonsense");
		break;
	case 12: /* a device comes or goes */
		if (s->d[i]->d.registered) {
			registry_remove(s->fc.core.registry, &s->d[i]->d);
		} else if (s->d[i]->n_legs < FAKE_LEGS_MAX - 1) {
			registry_add(s->fc.core.registry, &s->d[i]->d);
			call_device_online(&s->fc.core, &s->d[i]->d);
		}
		break;
	case 14:
		if (fl->awaits_answer && fl->leg.call &&
		    call_state(fl->leg.call) == CALL_ACTIVE)
			fake_leg_say_cause(fl, LEG_OFFER_WITHDRAWN, CAUSE_CANCELLED);
		break;
	case 13:
		fl->err_offer = dice(s, 3) ? 0 : EBUSY;
		fl->err_answer = dice(s, 12) ? 0 : ENOMEM;
		if (!dice(s, 10) && fl->leg.call)
			call_end(fl->leg.call, cause_set(&c, CAUSE_SHUTDOWN, NULL));
		break;
	}
}

static unsigned n_in(const char *text, const char *word)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, word)); p++)
		n++;
	return n;
}

static void told_once(const struct fake_leg *fl)
{
	assert_true(fl->over);
	assert_true(n_in(fl->trace, "end(") <= 1);
	assert_true(n_in(fl->trace, "invite") <= 1);
	assert_true(n_in(fl->trace, "ringing") <= 1);
	assert_true(n_in(fl->trace, "accepted") <= 1);
	assert_null(fl->leg.call);
	assert_int_equal(mem_nrefs(fl), 1);
}

static void story(struct story *s, uint32_t n)
{
	static const char *const tos[] = {"bob@alpha.example", "bob@alpha.example",
					  "per@gamma.example", "nobody@alpha.example"};
	struct call *call;
	uint32_t steps;
	int err;

	s->seed = 2463534242u + n * 2654435761u;
	fake_core_open(&s->fc);
	for (size_t i = 0; i < DEVICES; i++) {
		char id[20];

		snprintf(id, sizeof(id), "d-%zu", i);
		s->d[i] = fake_device_alloc("bob@alpha.example", id);
		s->d[i]->err_invite = dice(s, 10) ? 0 : ENOTCONN;
		if (dice(s, 3))
			registry_add(s->fc.core.registry, &s->d[i]->d);
	}
	err = fake_core_call(&s->fc, &call, &s->a,
			     dice(s, 3) ? "alice@alpha.example" : NULL,
			     tos[dice(s, N_ELEMS(tos))]);
	assert_int_equal(err, 0);
	if (dice(s, 10))
		fake_loop_settle(s->fc.loop);
	for (steps = dice(s, STEPS_MAX); steps; steps--) {
		something_happens(s);
		if (s->a->leg.call)
			s->reached[call_state(s->a->leg.call)]++;
	}
	if (!s->a->over)
		fake_leg_say_cause(s->a, LEG_ENDED, CAUSE_HANGUP);
	fake_loop_settle(s->fc.loop);

	assert_int_equal(s->fc.core.n_calls, 0);
	assert_int_equal(s->fc.core.counters.n_invariants, 0);
	assert_int_equal(quota_now(s->fc.core.quota_users, "alice@alpha.example"), 0);
	assert_int_equal(quota_now(s->fc.core.quota_peers, "peer.example"), 0);
	assert_int_equal(quota_now(s->fc.core.quota_peers, "gamma.example"), 0);
	assert_null(
		hash_list(s->fc.core.ringing, hash_joaat_str("bob@alpha.example"))->head);
	assert_int_equal(timers_count(s->fc.loop->timers), 0);
	told_once(s->a);
	mem_deref(s->a);
	if (s->fc.federation.n_legs)
		told_once(s->fc.federation.legv[0]);
	for (size_t i = 0; i < DEVICES; i++) {
		for (size_t k = 0; k < s->d[i]->n_legs; k++)
			told_once(s->d[i]->legv[k]);
		registry_remove(s->fc.core.registry, &s->d[i]->d);
		mem_deref(s->d[i]);
	}
	fake_core_close(&s->fc);
}

static void stories(void **state)
{
	static struct story s;

	(void)state;
	log_level_set(LOG_ERR);
	for (uint32_t n = 0; n < STORIES; n++)
		story(&s, n);
	/* the dice did lead everywhere a leg can be asked */
	for (unsigned st = CALL_IDLE; st < CALL_ENDED; st++)
		if (st != CALL_ROUTING && s.reached[st] < 100)
			fail_msg("%s was seen %u times only",
				 call_state_name((enum call_state)st), s.reached[st]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stories)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
