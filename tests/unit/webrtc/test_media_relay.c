/* tests/unit/webrtc/test_media_relay.c - a relay between two browsers: what passes, what waits, what is dropped.
 *
 *   peer A ── UDP ──► side 0 ── relay ── side 1 ◄── UDP ── peer B            */
#include "tests/unit/webrtc/media_peer.h"
#include "webrtc/media/relay.h"

#include <setjmp.h>
#include <cmocka.h>

#define PWD "ourpasswordourpassword12"

struct world {
	struct media_stage st;
	struct media_peer_stand a, b;
};

static const struct peer_check checks[] = {
	{.username = "sidezero:peera", .pwd = PWD, .use_candidate = true},
	{.username = "side1one:peerb", .pwd = PWD, .use_candidate = true},
};

static void describe(struct world *w, unsigned side, const char *ufrag,
		     const struct media_creds *fresh)
{
	struct media_told *told = media_told_alloc();

	snprintf(told->remote.ufrag, sizeof(told->remote.ufrag), "%s", ufrag);
	if (fresh) {
		told->fresh = true;
		told->creds = *fresh;
	}
	assert_int_equal(session_remote(session_find(&w->st.home, 1), side, told), 0);
	mem_deref(told);
}

static void relay_open(struct world *w, const struct media_caps *caps)
{
	struct media_add add = {
		.work = MEDIA_WORK_RELAY,
		.n_sides = 2,
		.sidev = {{.reach = MEDIA_LITE, .crypt = MEDIA_UNREAD},
			  {.reach = MEDIA_LITE, .crypt = MEDIA_UNREAD}},
		.credv = {{.ufrag = "sidezero", .pwd = PWD},
			  {.ufrag = "side1one", .pwd = PWD}},
		.caps = *caps,
		.call = "0123456789abcdef",
	};

	media_stage_open(&w->st);
	media_peer_open(&w->a, &w->st, 0);
	media_peer_open(&w->b, &w->st, 0);
	assert_int_equal(session_add(&w->st.home, 1, &add), 0);
	describe(w, 0, "peera", NULL);
}

static int setup(void **state)
{
	static struct world w;

	*state = &w;
	relay_open(&w, &(struct media_caps){0});
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	media_peer_close(&w->a);
	media_peer_close(&w->b);
	media_stage_close(&w->st);
	return 0;
}

static void checked(struct media_peer_stand *p, unsigned side)
{
	assert_int_equal(media_peer_check(p, &checks[side], NULL),
			 STUN_CLASS_SUCCESS_RESP);
	p->n_inbox = 0;
}

/** `n` bytes that look like this kind. */
static size_t packet(uint8_t *p, enum packet_kind kind, uint8_t mark, size_t n)
{
	memset(p, mark, n);
	memset(p, 0, 14);
	if (kind == PACKET_DTLS) {
		memcpy(p, "\x16\xfe\xfd", 3);
		be16_put(p + 11, (uint16_t)(n - 13));
	} else if (kind == PACKET_RTP) {
		memcpy(p, "\x80\x6f", 2);
	} else {
		memcpy(p, "\x80\xc8\0\x06", 4);
	}
	return n;
}

/** What `to` has received is `n` datagrams, and the last is this one. */
static void received(struct media_peer_stand *to, size_t n, const uint8_t *p, size_t len)
{
	uint8_t buf[2048];
	size_t got = 0;
	ssize_t r;

	media_stage_turn(to->stage);
	while ((r = recv(to->fd, buf, sizeof(buf), 0)) > 0) {
		got++;
		if (got == n) {
			assert_int_equal(r, len);
			assert_memory_equal(buf, p, len);
		}
	}
	assert_int_equal(got, n);
}

static void both_ways_unread(void **state)
{
	static const enum packet_kind kinds[] = {PACKET_DTLS, PACKET_RTP, PACKET_RTCP};
	struct world *w = *state;
	uint8_t p[1200];

	describe(w, 1, "peerb", NULL);
	checked(&w->a, 0);
	assert_int_equal(w->st.n_told, 1);
	assert_int_equal(w->st.told_side, 0);
	checked(&w->b, 1);
	assert_int_equal(w->st.n_told, 2);
	assert_int_equal(w->st.told, MEDIA_UP);
	assert_int_equal(w->st.told_side, 1);
	for (uint8_t i = 0; i < 90; i++) {
		size_t n = packet(p, kinds[i % 3], i, 60 + 10u * i);

		media_peer_send(&w->a, p, n);
		received(&w->b, 1, p, n);
		media_peer_send(&w->b, p, n);
		received(&w->a, 1, p, n);
	}
	assert_int_equal(w->st.home.counters.n_relayed, 180);
}

static void the_last_flight_waits_for_a_pair(void **state)
{
	struct world *w = *state;
	uint8_t first[100], two[100], rtp[100];

	describe(w, 1, "peerb", NULL);
	checked(&w->a, 0);
	packet(first, PACKET_DTLS, 1, 100);
	packet(two, PACKET_DTLS, 2, 100);
	packet(rtp, PACKET_RTP, 3, 100);
	media_peer_send(&w->a, two, 100); /* an earlier flight */
	media_stage_turn(&w->st);
	media_stage_advance_ms(&w->st, 50);
	media_peer_send(&w->a, first, 100);
	media_peer_send(&w->a, rtp, 100); /* media wait for nobody */
	media_peer_send(&w->a, two, 100);
	media_stage_turn(&w->st);
	assert_int_equal(w->st.home.counters.n_relay_early, 1);
	assert_int_equal(w->st.home.counters.n_relayed, 0);
	assert_int_equal(media_peer_check(&w->b, &checks[1], NULL),
			 STUN_CLASS_SUCCESS_RESP);
	/* what came went to the peer's SSL, which does not know it: what counts is how many */
	assert_int_equal(w->st.home.counters.n_relayed, 2);
	media_peer_send(&w->a, rtp, 100);
	received(&w->b, 1, rtp, 100);
}

static void case_60_nobody_sends_who_has_not_proved(void **state)
{
	struct media_peer_stand stranger;
	struct world *w = *state;
	uint8_t p[100];

	describe(w, 1, "peerb", NULL);
	media_peer_open(&stranger, &w->st, 0);
	checked(&w->a, 0);
	packet(p, PACKET_RTP, 1, 100);
	media_peer_send(&w->b, p, 100); /* before its check: never learned */
	media_stage_turn(&w->st);
	received(&w->a, 0, NULL, 0);
	checked(&w->b, 1);
	media_peer_send(&stranger, p, 100);
	received(&w->a, 0, NULL, 0);
	received(&w->b, 0, NULL, 0);
	assert_int_equal(w->st.home.counters.n_foreign, 2);
	media_peer_close(&stranger);
}

static void a_relay_is_no_tunnel(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", /* no kind of ours */
		"\x15\xfe\xfd\0\0\0\0\0\0\0\1\xff\xff\1\1",  /* a record past the end */
		"\x17\x03\x03\0\0\0\0\0\0\0\1\0\2\1\1",      /* TLS's version */
		"\x80\xc8\0\xff"
		"12345678901234567890", /* RTCP whose length lies */
		"\x8f\x6f"
		"12345678901234567890", /* fifteen CSRCs in 22 bytes */
		"\x40\x6f"
		"12345678901234567890", /* TURN's channel numbers */
	};
	static const size_t lenv[] = {36, 15, 15, 24, 22, 22};
	struct world *w = *state;

	describe(w, 1, "peerb", NULL);
	checked(&w->a, 0);
	checked(&w->b, 1);
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		media_peer_send(&w->a, bad[i], lenv[i]);
		received(&w->b, 0, NULL, 0);
		assert_int_equal(w->st.home.counters.n_relay_shape, i + 1);
	}
}

static void what_it_looks_like(void **state)
{
	uint8_t p[1500];

	(void)state;
	assert_true(relay_shape_ok(PACKET_DTLS, p, packet(p, PACKET_DTLS, 0, 1200)));
	/* DTLS 1.3's short header, with and without a length */
	memset(p, 0, sizeof(p));
	memcpy(p, "\x2f\0\1\0\x10", 5);
	assert_true(relay_shape_ok(PACKET_DTLS, p, 21));
	assert_false(relay_shape_ok(PACKET_DTLS, p, 20));
	p[0] = 0x2a;
	assert_true(relay_shape_ok(PACKET_DTLS, p, 19));
	p[0] = 0x3a; /* a connection id was never agreed on */
	assert_false(relay_shape_ok(PACKET_DTLS, p, 19));
	/* any cut of any of them is read without a step past the end (AddressSanitizer looks on) */
	for (unsigned kind = 0; kind <= PACKET_RTCP; kind++) {
		for (size_t n = 1; n < 64; n++) {
			uint8_t *cut = mem_alloc(n, NULL);

			for (unsigned b = 0; b < 256; b++) {
				memset(cut, (int)b, n);
				(void)relay_shape_ok(kind, cut, n);
			}
			mem_deref(cut);
		}
	}
}

static void caps_hold(void **state)
{
	static struct world w;
	uint8_t p[1000];
	unsigned n = 0;

	(void)state;
	relay_open(&w, &(struct media_caps){.kbps = 80, .packets = 1000, .time_s = 100});
	describe(&w, 1, "peerb", NULL);
	checked(&w.a, 0);
	checked(&w.b, 1);
	packet(p, PACKET_RTP, 1, sizeof(p));
	for (unsigned s = 0; s < 3;
	     s++) { /* ten a second, and a second's worth at once */
		for (unsigned i = 0; i < 40; i++) {
			media_peer_send(&w.a, p, sizeof(p));
			media_stage_turn(&w.st);
			media_stage_advance_ms(&w.st, 25);
			n += recv(w.b.fd, p, sizeof(p), 0) > 0;
		}
	}
	assert_in_range(n, 39, 41);
	assert_int_equal(w.st.home.counters.n_relay_over, 120 - n);
	/* the other direction has its own */
	media_peer_send(&w.b, p, sizeof(p));
	received(&w.a, 1, p, sizeof(p));
	for (unsigned i = 0; i < 10; i++) { /* consent goes on, time does not */
		media_stage_advance_ms(&w.st, 10000);
		if (w.st.told != MEDIA_CAPPED) {
			checked(&w.a, 0);
			checked(&w.b, 1);
		}
	}
	assert_int_equal(w.st.told, MEDIA_CAPPED);
	media_peer_send(&w.b, p, sizeof(p));
	received(&w.a, 0, NULL, 0);
	media_peer_close(&w.a);
	media_peer_close(&w.b);
	media_stage_close(&w.st);
}

static void packets_are_capped_too(void **state)
{
	struct media_caps caps = {.packets = 100};
	struct relay *r = NULL;
	unsigned n = 0;
	uint8_t p[60];

	(void)state;
	packet(p, PACKET_RTP, 1, sizeof(p));
	assert_int_equal(relay_alloc(&r, &caps), 0);
	for (uint64_t us = 1000000; us < 3000000; us += 1000)
		n += relay_take(r, 0, true, PACKET_RTP, p, sizeof(p), us) == RELAY_PASS;
	assert_in_range(n, 290, 310);
	mem_deref(r);
}

static void either_side_may_be_lost(void **state)
{
	struct world *w = *state;

	describe(w, 1, "peerb", NULL);
	checked(&w->a, 0);
	checked(&w->b, 1);
	for (unsigned i = 0; i < 4; i++) {
		media_stage_advance_ms(&w->st, 9000);
		if (w->st.n_told == 2)
			checked(&w->a, 0);
	}
	assert_int_equal(w->st.told, MEDIA_LOST);
	assert_int_equal(w->st.told_side, 1);
}

static void the_time_runs_from_when_both_are_described(void **state)
{
	struct world *w = *state;

	media_stage_advance_ms(&w->st, 60000); /* it rings */
	assert_int_equal(w->st.n_told, 0);
	describe(w, 1, "peerb", NULL);
	media_stage_advance_ms(&w->st, 29000);
	assert_int_equal(w->st.n_told, 0);
	media_stage_advance_ms(&w->st, 1500);
	assert_int_equal(w->st.told, MEDIA_NEVER);
}

static void one_side_restarts_and_moves_the_other_sees_nothing(void **state)
{
	struct peer_check fresh = {
		.username = "newonnew:peera2", .pwd = PWD, .use_candidate = true};
	struct world *w = *state;
	uint8_t p[100];

	describe(w, 1, "peerb", NULL);
	checked(&w->a, 0);
	checked(&w->b, 1);
	packet(p, PACKET_RTP, 1, 100);
	describe(w, 0, "peera2", &(struct media_creds){.ufrag = "newonnew", .pwd = PWD});
	media_peer_send(&w->a, p, 100); /* the old pair serves until there is a new one */
	received(&w->b, 1, p, 100);
	media_peer_move(&w->a);
	assert_int_equal(media_peer_check(&w->a, &fresh, NULL), STUN_CLASS_SUCCESS_RESP);
	media_peer_send(&w->a, p, 100);
	received(&w->b, 1, p, 100);
	media_peer_send(&w->b, p, 100);
	received(&w->a, 1, p, 100);
	assert_int_equal(w->st.n_told, 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(both_ways_unread),
		T(the_last_flight_waits_for_a_pair),
		T(case_60_nobody_sends_who_has_not_proved),
		T(a_relay_is_no_tunnel),
		cmocka_unit_test(what_it_looks_like),
		cmocka_unit_test(caps_hold),
		cmocka_unit_test(packets_are_capped_too),
		T(either_side_may_be_lost),
		T(the_time_runs_from_when_both_are_described),
		T(one_side_restarts_and_moves_the_other_sees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
