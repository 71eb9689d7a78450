/* tests/unit/webrtc/test_media_agent.c - the full ICE agent against another one, against a lite peer and against
 * nobody, over a network of this file's own: it loses, it translates, its clock is the test's.
 *
 *   end 0 ── agent ── send_h ──► net ──► as ice_full.c does it ──► agent ── end 1                         */
#include "webrtc/media/agent.h"
#include "webrtc/media/ice_candidate.h"

#include <setjmp.h>
#include <cmocka.h>

enum { QUEUE = 256, HOP_MS = 10 };

struct end {
	struct net *net;
	struct agent *agent; /* NULL: lite */
	const char *ufrag, *pwd;
	const char *says;  /* what it answers with; NULL: pwd */
	struct sa addr;    /* what the others see */
	struct sa sent_to; /* the last of it */
	unsigned what;     /* all that came of it */
	unsigned n_consents, n_nominated;
	struct sa selected;
	bool deaf; /* it gets nothing */
};

struct net {
	uint64_t now_ms;
	struct binding_codec codec;
	struct end endv[2];
	unsigned lose_percent, n_strays;
	uint32_t dice;
	size_t n;
	struct {
		uint64_t at_ms;
		struct sa from, to;
		size_t n;
		uint8_t p[AGENT_REQUEST_MAX];
	} v[QUEUE];
};

static void post(struct net *net, const struct sa *from, const struct sa *to,
		 const uint8_t *p, size_t n)
{
	net->dice = net->dice * 1664525 + 1013904223;
	if ((net->dice >> 16) % 100 < net->lose_percent)
		return;
	assert_true(net->n < QUEUE);
	net->v[net->n].at_ms = net->now_ms + HOP_MS;
	net->v[net->n].from = *from;
	net->v[net->n].to = *to;
	net->v[net->n].n = n;
	memcpy(net->v[net->n++].p, p, n);
}

static void on_send(unsigned base, const struct sa *to, const uint8_t *p, size_t n,
		    void *arg)
{
	struct end *e = arg;

	assert_int_equal(base, 0);
	e->sent_to = *to;
	post(e->net, &e->addr, to, p, n);
}

static void became(struct end *e, const struct sa *from, unsigned what)
{
	e->what |= what;
	e->n_consents += (what & AGENT_CONSENT) != 0;
	if (what & AGENT_SELECTED)
		e->selected = *from;
}

static void request(struct end *e, const struct sa *from, const uint8_t *p, size_t n)
{
	struct net *net = e->net;
	uint8_t out[BINDING_ANSWER_MAX];
	struct binding b;
	unsigned what = 0;
	size_t n_out;

	assert_int_equal(binding_read(&b, &net->codec, p, n), 0);
	if (!b.username || strncmp(b.username, e->ufrag, strlen(e->ufrag)) != 0 ||
	    !binding_proved(&b, e->pwd)) {
		mem_deref(b.msg);
		return;
	}
	e->n_nominated += b.use_candidate;
	if (e->agent)
		what = agent_checked(e->agent, 0, from, &b, net->now_ms);
	n_out = what & AGENT_CONFLICT ? binding_refuse(out, &net->codec, &b, e->pwd, 487)
				      : binding_answer(out, &net->codec, &b,
						       e->says ? e->says : e->pwd, from);
	/* whoever answers is never louder than who asks: 2.5 times at most */
	assert_true(n_out > 0 && 2 * n_out <= 5 * n);
	mem_deref(b.msg);
	post(net, &e->addr, from, out, n_out);
	became(e, from, what);
}

static void deliver(struct net *net, size_t i)
{
	const struct sa from = net->v[i].from, to = net->v[i].to;

	for (unsigned k = 0; k < 2; k++) {
		struct end *e = &net->endv[k];

		if (!sa_cmp(&e->addr, &to, SA_ALL))
			continue;
		if (e->deaf)
			return;
		if (binding_is_request(net->v[i].p, net->v[i].n))
			request(e, &from, net->v[i].p, net->v[i].n);
		else if (e->agent)
			became(e, &from,
			       agent_reply(e->agent, 0, &from, net->v[i].p, net->v[i].n,
					   net->now_ms));
		return;
	}
	net->n_strays++;
}

/** A millisecond after the other. */
static void run(struct net *net, uint64_t ms)
{
	for (uint64_t end = net->now_ms + ms; net->now_ms < end; net->now_ms++) {
		for (unsigned k = 0; k < 2; k++) {
			struct agent *a = net->endv[k].agent;

			if (a && !agent_next_ms(a, net->now_ms))
				agent_tick(a, net->now_ms);
		}
		for (size_t i = 0; i < net->n; i++) {
			if (net->v[i].at_ms > net->now_ms)
				continue;
			deliver(net, i);
			memmove(&net->v[i], &net->v[i + 1],
				(net->n - i - 1) * sizeof(net->v[0]));
			net->n--;
			i--;
		}
	}
}

static void end_open(struct net *net, unsigned k, bool controlling, uint64_t tie)
{
	struct end *e = &net->endv[k];
	const struct agent_setup setup = {
		.controlling = controlling,
		.tie_breaker = tie,
		.n_bases = 1,
		.afv = {AF_INET},
		.codec = &net->codec,
		.send_h = on_send,
		.arg = e,
	};

	assert_int_equal(agent_alloc(&e->agent, &setup), 0);
}

static void meet(struct net *net, bool lite)
{
	struct end *a = &net->endv[0], *b = &net->endv[1];

	if (a->agent)
		agent_describe(a->agent, a->ufrag, b->ufrag, b->pwd, lite, false);
	if (b->agent)
		agent_describe(b->agent, b->ufrag, a->ufrag, a->pwd, false, false);
}

static int setup(void **state)
{
	static struct net net;

	memset(&net, 0, sizeof(net));
	net.now_ms = 1000000;
	assert_int_equal(binding_codec_init(&net.codec), 0);
	net.endv[0] = (struct end){
		.net = &net, .ufrag = "endzero0", .pwd = "passwordofend0password00"};
	net.endv[1] = (struct end){
		.net = &net, .ufrag = "endone11", .pwd = "passwordofend1password11"};
	sa_set_str(&net.endv[0].addr, "192.0.2.1", 20000);
	sa_set_str(&net.endv[1].addr, "198.51.100.1", 30000);
	*state = &net;
	return 0;
}

static int teardown(void **state)
{
	struct net *net = *state;

	mem_deref(net->endv[0].agent);
	mem_deref(net->endv[1].agent);
	binding_codec_close(&net->codec);
	return 0;
}

static void both(struct net *net)
{
	end_open(net, 0, true, 7);
	end_open(net, 1, false, 5);
	meet(net, false);
	agent_candidate(net->endv[0].agent, &net->endv[1].addr, 1000);
	agent_candidate(net->endv[1].agent, &net->endv[0].addr, 1000);
}

static void assert_joined(struct net *net)
{
	struct end *a = &net->endv[0], *b = &net->endv[1];

	assert_true(a->what & AGENT_SELECTED);
	assert_true(b->what & AGENT_SELECTED);
	assert_true(sa_cmp(&a->selected, &b->addr, SA_ALL));
	assert_true(sa_cmp(&b->selected, &a->addr, SA_ALL));
	assert_int_not_equal(agent_controlling(a->agent), agent_controlling(b->agent));
}

static void two_full_ones_meet(void **state)
{
	struct net *net = *state;

	both(net);
	run(net, 200); /* a check, its answer, and another one that nominates */
	assert_joined(net);
	assert_true(agent_n_sent(net->endv[0].agent) <= 3);
}

static void loss_costs_time_alone(void **state)
{
	teardown(state);
	for (unsigned seed = 0; seed < 20; seed++) {
		struct net *net;

		setup(state);
		net = *state;
		net->lose_percent = 20 + seed;
		net->dice = seed;
		both(net);
		run(net, 15000);
		assert_joined(net);
		teardown(state);
	}
	setup(state);
}

static void case_55_roles_in_conflict(void **state)
{
	teardown(state);
	for (unsigned controlling = 0; controlling < 2; controlling++) {
		for (unsigned tie = 0; tie < 2; tie++) {
			struct net *net;

			setup(state);
			net = *state;
			end_open(net, 0, controlling, tie ? 9 : 1);
			end_open(net, 1, controlling, 5);
			meet(net, false);
			agent_candidate(net->endv[0].agent, &net->endv[1].addr, 1000);
			agent_candidate(net->endv[1].agent, &net->endv[0].addr, 1000);
			run(net, 1500);
			assert_joined(net);
			/* the larger tie-breaker controls (RFC 8445 §7.3.1.1) */
			assert_int_equal(agent_controlling(net->endv[0].agent), tie);
			teardown(state);
		}
	}
	setup(state);
}

static void a_lite_peer_is_nominated_by_us(void **state)
{
	struct net *net = *state;

	end_open(net, 0, false, 7); /* the answerer: controlling all the same */
	meet(net, true);
	agent_candidate(net->endv[0].agent, &net->endv[1].addr, 1000);
	run(net, 200);
	assert_true(net->endv[0].what & AGENT_SELECTED);
	assert_true(net->endv[1].n_nominated > 0);
}

static void a_peer_that_nobody_named_is_found(void **state)
{
	struct net *net = *state;

	end_open(net, 0, true, 7);
	end_open(net, 1, false, 5);
	meet(net, false);
	/* only one of them knows where the other is: peer-reflexive (§7.3.1.3) */
	agent_candidate(net->endv[1].agent, &net->endv[0].addr, 1000);
	run(net, 300);
	assert_joined(net);
}

static void candidates_may_trickle(void **state)
{
	struct net *net = *state;
	struct sa dead;

	end_open(net, 0, true, 7);
	end_open(net, 1, false, 5);
	meet(net, false);
	sa_set_str(&dead, "203.0.113.9", 9999);
	agent_candidate(net->endv[0].agent, &dead, 4000);
	run(net, 3000);
	assert_false(net->endv[0].what & AGENT_SELECTED);
	agent_candidate(net->endv[0].agent, &net->endv[1].addr, 1000);
	/* a dead one of higher priority is waited for 200 ms, not for ever */
	run(net, 1000);
	assert_joined(net);
}

static void case_54_checks_are_few_and_slow(void **state)
{
	struct net *net = *state;
	uint32_t was = 0;

	end_open(net, 0, true, 7);
	meet(net, false);
	for (unsigned i = 0; i < 100; i++) {
		struct sa dead;

		sa_set_str(&dead, "203.0.113.9", (uint16_t)(2000 + i));
		agent_candidate(net->endv[0].agent, &dead, i);
	}
	for (unsigned i = 0; i < 3000; i++) {
		run(net, 100);
		assert_true(agent_n_sent(net->endv[0].agent) - was <= 3);
		was = agent_n_sent(net->endv[0].agent);
	}
	assert_int_equal(was, AGENT_REMOTES_MAX * 7);
	assert_true(agent_next_ms(net->endv[0].agent, net->now_ms) == UINT64_MAX);
}

static void consent_is_asked_for(void **state)
{
	struct net *net = *state;
	unsigned n;

	both(net);
	run(net, 500);
	n = net->endv[0].n_consents;
	run(net, 60000);
	assert_in_range(net->endv[0].n_consents - n, 10, 15); /* 4 to 6 s */
	assert_in_range(net->endv[1].n_consents, 10, 15);
	n = net->endv[0].n_consents;
	net->endv[1].pwd = "anotherpasswordanother12"; /* who answers cannot prove it */
	run(net, 60000);
	assert_int_equal(net->endv[0].n_consents, n);
}

static void a_peer_that_moves_is_followed(void **state)
{
	teardown(state);
	for (unsigned who = 0; who < 2; who++) {
		struct net *net;
		unsigned n;

		setup(state);
		net = *state;
		both(net);
		run(net, 1000);
		assert_joined(net);
		/* a NAT in front of it forgets: its next check comes from elsewhere */
		sa_set_str(&net->endv[who].addr, "203.0.113.77", 40000);
		n = agent_n_sent(net->endv[!who].agent);
		run(net, 6000 + 2500); /* its consent, and a second of doubt */
		assert_true(
			sa_cmp(&net->endv[!who].selected, &net->endv[who].addr, SA_ALL));
		assert_true(agent_n_sent(net->endv[!who].agent) - n < 30);
		teardown(state);
	}
	setup(state);
}

static void a_restart_leaves_the_pair_until_there_is_another(void **state)
{
	struct net *net = *state;
	struct end *a = &net->endv[0], *b = &net->endv[1];
	const char *pwd = b->pwd;
	unsigned n;

	both(net);
	run(net, 1000);
	n = a->n_consents;
	/* the peer has offered anew; nobody there answers the new names yet */
	agent_describe(a->agent, "endzero2", "endone22", "anewpasswordofend1paswrd",
		       false, true);
	run(net, 12000);
	assert_true(a->n_consents > n); /* by the old names */
	a->what = b->what = 0;
	a->ufrag = "endzero2";
	b->ufrag = "endone22";
	b->pwd = "anewpasswordofend1paswrd";
	agent_describe(b->agent, b->ufrag, a->ufrag, a->pwd, false, true);
	agent_candidate(a->agent, &b->addr, 1000);
	agent_candidate(b->agent, &a->addr, 1000);
	run(net, 1000);
	assert_joined(net);
	assert_string_not_equal(pwd, b->pwd);
}

static void answers_from_elsewhere_do_not_count(void **state)
{
	struct net *net = *state;
	struct sa named;

	end_open(net, 0, true, 7);
	meet(net, true);
	agent_candidate(net->endv[0].agent, &net->endv[1].addr, 1000);
	agent_tick(net->endv[0].agent, net->now_ms);
	named = net->endv[1].addr;
	net->now_ms += HOP_MS;
	/* the check arrives, but its answer leaves by another address (§7.2.5.2.1) */
	assert_int_equal(net->n, 1);
	sa_set_str(&net->endv[1].addr, "203.0.113.50", 5050);
	net->v[0].to = net->endv[1].addr;
	run(net, 300);
	assert_false(sa_cmp(&named, &net->endv[1].addr, SA_ALL));
	assert_int_equal(net->endv[0].what, 0);
}

static void case_53_answers_without_proof_do_not_count(void **state)
{
	struct net *net = *state;

	end_open(net, 0, true, 7);
	meet(net, true);
	net->endv[1].says = "anotherpasswordanother12";
	agent_candidate(net->endv[0].agent, &net->endv[1].addr, 1000);
	run(net, 3000);
	assert_int_equal(net->endv[0].what, 0);
	net->endv[1].says = NULL;
	run(net, 2000);
	assert_true(net->endv[0].what & AGENT_SELECTED);
}

static void which_candidates_are_checked(void **state)
{
	static const struct {
		const char *line;
		bool ok;
	} rows[] = {
		{"candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host", true},
		{"candidate:1 1 UDP 2130706431 192.0.2.1 50000 typ srflx raddr 0.0.0.0 rport 9",
		 true},
		{"candidate:1 1 udp 1 10.0.0.1 50000 typ host", true},
		{"candidate:1 1 udp 1 2001:db8::1 443 typ relay", true},
		{"candidate:1 2 udp 1 192.0.2.1 50000 typ host", false},
		{"candidate:1 1 tcp 1 192.0.2.1 50000 typ host tcptype active", false},
		{"candidate:1 1 udp 1 5f0a7b2c.local 50000 typ host", false},
		{"candidate:1 1 udp 1 192.0.2.1 53 typ host", false},
		{"candidate:1 1 udp 1 192.0.2.1 0 typ host", false},
		{"candidate:1 1 udp 1 127.0.0.1 50000 typ host", false},
		{"candidate:1 1 udp 1 ::1 50000 typ host", false},
		{"candidate:1 1 udp 1 ::ffff:127.0.0.1 50000 typ host", false},
		{"candidate:1 1 udp 1 0.0.0.0 50000 typ host", false},
		{"candidate:1 1 udp 1 :: 50000 typ host", false},
		{"candidate:1 1 udp 1 169.254.169.254 50000 typ host", false},
		{"candidate:1 1 udp 1 fe80::1 50000 typ host", false},
		{"candidate:1 1 udp 1 224.0.0.251 5353 typ host", false},
		{"candidate:1 1 udp 1 255.255.255.255 50000 typ host", false},
		{"candidate:1 1 udp 1 ff02::1 50000 typ host", false},
		{"candidate:1 1 udp 1 0.1.2.3 50000 typ host", false},
		{"candidate:1 1 udp 1", false},
		{"", false},
	};
	struct media_candidate c;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_int_equal(ice_candidate_read(&c, rows[i].line, false), rows[i].ok);
	assert_true(ice_candidate_read(&c, rows[9].line, true));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(two_full_ones_meet),
		T(loss_costs_time_alone),
		T(case_55_roles_in_conflict),
		T(a_lite_peer_is_nominated_by_us),
		T(a_peer_that_nobody_named_is_found),
		T(candidates_may_trickle),
		T(case_54_checks_are_few_and_slow),
		T(consent_is_asked_for),
		T(a_peer_that_moves_is_followed),
		T(a_restart_leaves_the_pair_until_there_is_another),
		T(answers_from_elsewhere_do_not_count),
		T(case_53_answers_without_proof_do_not_count),
		cmocka_unit_test(which_candidates_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
