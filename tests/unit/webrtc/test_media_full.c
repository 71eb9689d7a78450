/* tests/unit/webrtc/test_media_full.c - two gateways that both hide their users: each relays, and between them a
 * full ICE agent on either side finds the way over real sockets.
 *
 *   peer A ─► lite │ gateway 0 │ full ◄── rtp-ports ──► full │ gateway 1 │ lite ◄─ peer B     */
#include "tests/unit/webrtc/media_peer.h"
#include "webrtc/media/rtp_ports.h"

#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

#define PWD "ourpasswordourpassword12"

struct gateway {
	struct media_stage st;
	struct rtp_ports *ports;
	struct rtp_port port; /* its number; the sockets are the session's */
	struct media_peer_stand p;
	struct media_creds lite, full;
};
struct world {
	struct media_config mc;
	struct gateway gv[2];
};

static const struct media_creds creds[2][2] = {
	{{"lite0000", PWD}, {"full0000", "passwordoffull0password0"}},
	{{"lite1111", PWD}, {"full1111", "passwordoffull1password1"}}};

static void gateway_open(struct world *w, unsigned i)
{
	struct gateway *g = &w->gv[i];
	struct media_add *add = media_add_alloc();

	media_stage_open(&g->st);
	media_peer_open(&g->p, &g->st, 0);
	assert_int_equal(rtp_ports_alloc(&g->ports, &w->mc), 0);
	add->work = MEDIA_WORK_RELAY;
	add->n_sides = 2;
	add->sidev[0] = (struct media_side_setup){.reach = MEDIA_LITE};
	add->sidev[1] =
		(struct media_side_setup){.reach = MEDIA_FULL, .controlling = i == 0};
	add->credv[0] = creds[i][0];
	add->credv[1] = creds[i][1];
	assert_int_equal(rtp_ports_take(g->ports, &add->portv[1][0], 1), 0);
	g->port = add->portv[1][0];
	assert_int_equal(session_add(&g->st.home, 1, add), 0);
	mem_deref(add);
}

static int setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	*state = &w;
	w.mc.n_listen = 1;
	sa_set_str(&w.mc.listenv[0], "127.0.0.1", 0);
	w.mc.rtp_first = 20000;
	w.mc.rtp_last = 29999;
	gateway_open(&w, 0);
	gateway_open(&w, 1);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 2; i++) {
		media_peer_close(&w->gv[i].p);
		media_stage_close(&w->gv[i].st);
		mem_deref(w->gv[i].ports);
	}
	return 0;
}

static void describe(struct gateway *g, unsigned side, const char *ufrag, const char *pwd,
		     const struct media_creds *fresh)
{
	struct media_told *told = media_told_alloc();

	snprintf(told->remote.ufrag, sizeof(told->remote.ufrag), "%s", ufrag);
	snprintf(told->remote.pwd, sizeof(told->remote.pwd), "%s", pwd);
	if (fresh) {
		told->fresh = true;
		told->creds = *fresh;
	}
	assert_int_equal(session_remote(session_find(&g->st.home, 1), side, told), 0);
	mem_deref(told);
}

static void candidate(struct gateway *g, const char *ufrag, uint16_t port)
{
	struct media_candidates c = {.n = 1};

	snprintf(c.ufrag, sizeof(c.ufrag), "%s", ufrag);
	sa_set_str(&c.v[0].addr, "127.0.0.1", port);
	c.v[0].priority = 1000;
	session_candidates(session_find(&g->st.home, 1), 1, &c);
}

static void run(struct world *w, unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 10)
		for (unsigned k = 0; k < 2; k++) {
			media_stage_advance_ms(&w->gv[k].st, 10);
			media_stage_turn(&w->gv[k].st);
		}
}

static void browsers_check(struct world *w)
{
	static const struct peer_check checks[] = {
		{.username = "lite0000:peer", .pwd = PWD, .use_candidate = true},
		{.username = "lite1111:peer", .pwd = PWD, .use_candidate = true}};

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(media_peer_check(&w->gv[i].p, &checks[i], NULL),
				 STUN_CLASS_SUCCESS_RESP);
}

static void join(struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		describe(&w->gv[i], 0, "peer", "itspasswordisnotneeded12", NULL);
		describe(&w->gv[i], 1, creds[!i][1].ufrag, creds[!i][1].pwd, NULL);
		candidate(&w->gv[i], "", w->gv[!i].port.number);
	}
	run(w, 300);
	browsers_check(w);
}

/** Gives how many of ten packets from gateway i's browser reach the other one. */
static unsigned arrive(struct world *w, unsigned i)
{
	uint8_t p[172], buf[2048];
	unsigned n = 0;

	memset(p, 0x55, sizeof(p));
	memset(p, 0, RTP_HEADER);
	p[0] = 0x80;
	for (uint16_t k = 0; k < 10; k++) {
		rtp_seq_set(p, k);
		media_peer_send(&w->gv[i].p, p, sizeof(p));
		media_stage_turn(&w->gv[i].st);
		media_stage_turn(&w->gv[!i].st);
		while (recv(w->gv[!i].p.fd, buf, sizeof(buf), 0) > 0)
			n += !memcmp(buf, p, sizeof(p));
	}
	return n;
}

static void two_hiding_sites_have_sound_both_ways(void **state)
{
	struct world *w = *state;

	join(w);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(w->gv[i].st.n_told, 2); /* either side is up */
		assert_int_equal(w->gv[i].st.told, MEDIA_UP);
		assert_int_equal(arrive(w, i), 10);
	}
}

static void consent_of_the_other_gateway_keeps_it(void **state)
{
	struct world *w = *state;

	join(w);
	for (unsigned i = 0; i < 12; i++) {
		run(w, 10000);
		browsers_check(w);
	}
	assert_int_equal(w->gv[0].st.n_told, 2);
	session_remove(session_find(&w->gv[1].st.home, 1));
	run(w, 20000);
	assert_int_equal(w->gv[0].st.n_told, 2);
	media_stage_turn(&w->gv[0].st);
	for (unsigned i = 0; i < 2; i++) {
		const struct peer_check c = {
			.username = "lite0000:peer", .pwd = PWD, .use_candidate = true};

		(void)media_peer_check(&w->gv[0].p, &c, NULL);
		run(w, 10000);
	}
	assert_int_equal(w->gv[0].st.told, MEDIA_LOST); /* in 35 s (case 55) */
	assert_int_equal(w->gv[0].st.told_side, 1);
}

static void it_restarts_and_no_packet_is_lost(void **state)
{
	static const struct media_creds fresh[2] = {{"anew0000", PWD}, {"anew1111", PWD}};
	struct world *w = *state;

	join(w);
	describe(&w->gv[1], 1, fresh[0].ufrag, fresh[0].pwd, &fresh[1]);
	assert_int_equal(arrive(w, 0), 10);
	assert_int_equal(arrive(w, 1), 10);
	describe(&w->gv[0], 1, fresh[1].ufrag, fresh[1].pwd, &fresh[0]);
	assert_int_equal(arrive(w, 0), 10);
	for (unsigned i = 0; i < 2; i++) /* of a generation that is over: not heard */
		candidate(&w->gv[i], creds[!i][1].ufrag, 9);
	for (unsigned i = 0; i < 2; i++)
		candidate(&w->gv[i], fresh[!i].ufrag, w->gv[!i].port.number);
	run(w, 500);
	assert_int_equal(arrive(w, 0), 10);
	assert_int_equal(arrive(w, 1), 10);
	assert_int_equal(w->gv[0].st.n_told, 2);
}

static void case_60_nothing_of_a_stranger_s_passes(void **state)
{
	uint8_t p[172] = {0x80, 0x6f};
	struct world *w = *state;
	uint64_t n_foreign;
	struct sa to;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	join(w);
	n_foreign = w->gv[0].st.home.counters.n_foreign;
	sa_set_str(&to, "127.0.0.1", w->gv[0].port.number);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(sendto(fd, p, sizeof(p), 0, &to.u.sa, to.len),
				 sizeof(p));
	media_stage_turn(&w->gv[0].st);
	assert_true(recv(w->gv[0].p.fd, p, sizeof(p), 0) < 0);
	assert_int_equal(w->gv[0].st.home.counters.n_foreign, n_foreign + 50);
	assert_int_equal(arrive(w, 1), 10);
	close(fd);
}

static void ports_are_nobody_else_s(void **state)
{
	struct rtp_port portv[16] = {0}, more;
	struct rtp_ports *r = NULL;
	struct world *w = *state;

	w->mc.rtp_first = 31200;
	w->mc.rtp_last = 31215;
	assert_int_equal(rtp_ports_alloc(&r, &w->mc), 0);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(rtp_ports_take(r, &portv[i], 2), 0);
		assert_int_equal(portv[i].number % 2, 0);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(portv[i].number, portv[k].number);
	}
	assert_int_equal(rtp_ports_used(r), 16);
	assert_int_equal(rtp_ports_take(r, &more, 1), EADDRNOTAVAIL);
	assert_int_equal(rtp_ports_refused(r), 1);
	rtp_ports_give(r, &portv[3]);
	/* its sockets are still open: bound by somebody, and so not ours to give */
	assert_int_equal(rtp_ports_take(r, &more, 2), EADDRNOTAVAIL);
	rtp_port_close(&portv[3]);
	assert_int_equal(rtp_ports_take(r, &more, 2), 0);
	assert_int_equal(more.number, portv[3].number);
	rtp_port_close(&more);
	for (unsigned i = 0; i < 8; i++)
		rtp_port_close(&portv[i]);
	mem_deref(r);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(two_hiding_sites_have_sound_both_ways),
		T(consent_of_the_other_gateway_keeps_it),
		T(it_restarts_and_no_packet_is_lost),
		T(case_60_nothing_of_a_stranger_s_passes),
		T(ports_are_nobody_else_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
