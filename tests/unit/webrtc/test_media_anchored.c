/* tests/unit/webrtc/test_media_anchored.c - a browser and a legacy peer in one session: RTP, SDES, DTLS in both roles.
 *
 *   browser ── checks, DTLS, SRTP ──► side 0 (LITE) ── anchor ── side 1 (PLAIN) ◄── RTP, SRTP, RTCP ── peer's sockets */
#include "tests/unit/webrtc/media_peer.h"
#include "webrtc/media/session_own.h"

#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "lib/secret.h"

enum { OURS_B = 1000, OURS_P = 2000, HERS = 7, THEIRS = 9, OPUS = 111, P_OPUS = 107 };

struct world {
	struct media_stage st;
	struct media_peer_stand browser;
	int rtp_fd, rtcp_fd, evil_fd; /* the peer's; somebody else's */
	struct sa ours_rtp, ours_rtcp;
	struct media_sdes own, theirs; /* SDES: keys of ours, of the peer's */
	struct srtp *in, *out;         /* the peer's */
	enum media_crypt crypt;
	struct media_told *told[2];
};

static struct world w;

static int socket_open(struct sa *sa)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	sa_set_str(sa, "127.0.0.1", 0);
	assert_int_equal(bind(fd, &sa->u.sa, sa->len), 0);
	assert_int_equal(getsockname(fd, &sa->u.sa, &sa->len), 0);
	return fd;
}

static struct media_stream stream(uint32_t ssrc, uint8_t opus)
{
	return (struct media_stream){
		.ssrc = ssrc,
		.sends = true,
		.feedback = true,
		.n_types = 1,
		.typev = {{opus, MEDIA_CODEC_PLAYS, 48000}},
	};
}

static void remote(unsigned side, const struct media_told *told)
{
	struct session *s = session_find(&w.st.home, 1);
	struct media_told *copy = media_told_alloc();

	*copy = *told;
	assert_int_equal(session_remote(s, side, copy), 0);
	mem_deref(copy);
}

static void keys_make(struct media_sdes *k, uint16_t suite)
{
	memset(k, 0, sizeof(*k));
	k->suite = suite;
	secret_random(k->key, sizeof(k->key));
	secret_random(k->salt, sizeof(k->salt));
}

static struct srtp *srtp_of(const struct media_sdes *k)
{
	struct srtp *s;

	assert_int_equal(srtp_alloc(&s, k->suite, k->key, k->salt), 0);
	return s;
}

/** How the peer's side is meant to be reached. */
static enum media_reach reach = MEDIA_PLAIN;

/** Both sides described; the browser's keys are agreed on. */
static void begin(enum media_crypt crypt, uint16_t suite, bool dtls_client)
{
	struct media_add *add = media_add_alloc();
	struct rtp_port *port = &add->portv[1][0];
	struct sa any, sa;

	memset(&w, 0, sizeof(w));
	w.crypt = crypt;
	media_stage_open(&w.st);
	w.st.home.silence_ms = 300000;
	media_peer_open(&w.browser, &w.st, 0);
	sa_set_str(&any, "127.0.0.1", 0);
	*port = (struct rtp_port){.number = 1, .n_ports = 2, .n_fds = 2};
	for (unsigned i = 0; i < 2; i++) {
		struct sa *ours = i ? &w.ours_rtcp : &w.ours_rtp;

		assert_int_equal(port_socket_bind(&port->fdv[i], &any, 0, false), 0);
		ours->len = sizeof(ours->u);
		assert_int_equal(getsockname(port->fdv[i], &ours->u.sa, &ours->len), 0);
	}
	keys_make(&w.own, suite);
	keys_make(&w.theirs, suite);
	add->work = MEDIA_WORK_ANCHOR;
	add->n_sides = 2;
	add->sidev[0] =
		(struct media_side_setup){.reach = MEDIA_LITE, .crypt = MEDIA_DTLS};
	add->sidev[1] = (struct media_side_setup){
		.reach = reach, .crypt = crypt, .n_plain = 1, .dtls_client = dtls_client};
	add->sdesv[1][0] = w.own;
	add->sdesv[1][0].suite = 0;
	strcpy(add->credv[0].ufrag, "oursours");
	strcpy(add->credv[0].pwd, "thepasswordofours1234567");
	strcpy(add->credv[1].ufrag, "oursplai");
	strcpy(add->credv[1].pwd, "thepasswordofours1234567");
	assert_int_equal(session_add(&w.st.home, 1, add), 0);
	mem_deref(add);

	w.rtp_fd = socket_open(&sa);
	w.told[1] = media_told_alloc();
	w.told[1]->remote.n_plain = 1;
	w.told[1]->remote.plainv[0].rtp = sa;
	w.rtcp_fd = socket_open(&sa);
	w.told[1]->remote.plainv[0].rtcp = sa;
	w.evil_fd = socket_open(&sa);
	w.told[1]->remote.n_streams = 1;
	w.told[1]->remote.streamv[0] = stream(OURS_P, P_OPUS);
	if (crypt == MEDIA_SDES) {
		w.told[1]->remote.plainv[0].sdes = w.theirs;
		w.in = srtp_of(&w.own);
		w.out = srtp_of(&w.theirs);
	}
	w.told[0] = media_told_alloc();
	strcpy(w.told[0]->remote.ufrag, "peer");
	w.told[0]->remote.n_fingerprints = 1;
	w.told[0]->remote.fingerprintv[0] = w.browser.fingerprint;
	w.told[0]->remote.n_streams = 1;
	w.told[0]->remote.streamv[0] = stream(OURS_B, OPUS);
	remote(0, w.told[0]);
	if (crypt != MEDIA_DTLS)
		remote(1, w.told[1]);
}

static void browser_up(void)
{
	const struct peer_check c = {.username = "oursours:peer",
				     .pwd = "thepasswordofours1234567",
				     .use_candidate = true};

	assert_int_equal(media_peer_check(&w.browser, &c, NULL), 2);
	assert_true(media_peer_shake(&w.browser, 20));
}

static void end(void)
{
	mem_deref(w.told[0]);
	mem_deref(w.told[1]);
	mem_deref(w.in);
	mem_deref(w.out);
	media_peer_close(&w.browser);
	media_stage_close(&w.st);
	close(w.rtp_fd);
	close(w.rtcp_fd);
	close(w.evil_fd);
}

static size_t rtp(uint8_t *p, uint8_t pt, uint16_t seq, uint32_t ssrc)
{
	memset(p, 0x55, 172);
	p[0] = 0x80;
	p[1] = pt;
	rtp_seq_set(p, seq);
	rtp_ts_set(p, seq * 960u);
	rtp_ssrc_set(p, ssrc);
	return 172;
}

/** The browser plays; gives the bytes that came to `fd`, unprotected, 0: none. */
static size_t from_browser(int fd, uint16_t seq, uint8_t *got)
{
	uint8_t p[300];
	size_t n = rtp(p, OPUS, seq, HERS), n_got;
	ssize_t rc;

	assert_int_equal(srtp_seal(w.browser.out, p, &n), 0);
	media_peer_send(&w.browser, p, n);
	media_stage_turn(&w.st);
	rc = recv(fd, got, 1500, 0);
	if (rc <= 0)
		return 0;
	n_got = (size_t)rc;
	if (w.in)
		assert_int_equal(srtp_open(w.in, got, &n_got), 0);
	return n_got;
}

static void plain_from(int fd, const struct sa *to, uint8_t *p, size_t n)
{
	assert_int_equal(sendto(fd, p, n, 0, &to->u.sa, to->len), n);
	media_stage_turn(&w.st);
	media_peer_take(&w.browser);
}

/** The peer plays; gives whether it came to the browser, unprotected in `got`. */
static bool from_peer(int fd, uint16_t seq, uint8_t *got)
{
	uint8_t p[300];
	size_t n = rtp(p, P_OPUS, seq, THEIRS);

	if (w.out)
		assert_int_equal(srtp_seal(w.out, p, &n), 0);
	w.browser.n_inbox = 0;
	plain_from(fd, &w.ours_rtp, p, n);
	for (size_t i = 0; i < w.browser.n_inbox; i++) {
		n = w.browser.inbox[i].n;
		memcpy(got, w.browser.inbox[i].p, n);
		if (packet_kind(got, n) != PACKET_RTP)
			continue;
		assert_int_equal(srtp_open(w.browser.in, got, &n), 0);
		return true;
	}
	return false;
}

static void both_ways(void)
{
	uint8_t got[1600];

	for (uint16_t i = 0; i < 50; i++) {
		assert_int_equal(from_browser(w.rtp_fd, 65520 + i, got), 172);
		assert_int_equal(got[1] & 0x7f, P_OPUS);
		assert_int_equal(be32(got + 8), OURS_P);
		assert_int_equal(got[171], 0x55);
		assert_true(from_peer(w.rtp_fd, 65520 + i, got));
		assert_int_equal(got[1] & 0x7f, OPUS);
		assert_int_equal(be32(got + 8), OURS_B);
		media_stage_advance_ms(&w.st, 20);
	}
}

static void rtp_in_the_clear(void **state)
{
	uint8_t p[1600], rr[32] = {0x81, RTCP_RR, 0, 7, 0, 0, 0, THEIRS};
	ssize_t n;

	begin(MEDIA_CLEAR, 0, false);
	assert_int_equal(w.st.told, MEDIA_UP);
	browser_up();
	both_ways();
	/* reports go to the port of a=rtcp, from ours; what comes there is heard */
	n = recv(w.rtcp_fd, p, sizeof(p), 0);
	assert_true(n > 8);
	assert_int_equal(be32(p + 4), OURS_P);
	be32_put(rr + 8, OURS_P);
	plain_from(w.rtcp_fd, &w.ours_rtcp, rr, sizeof(rr));
	assert_true(session_find(&w.st.home, 1)->anchor != NULL);
	end();
}

static void every_sdes_suite(void **state)
{
	static const uint16_t suites[] = {1, 2, 7, 8};

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		uint8_t got[1600];

		begin(MEDIA_SDES, suites[i], false);
		browser_up();
		both_ways();
		/* what is not protected is nobody's */
		rtp(got, P_OPUS, 500, THEIRS);
		w.browser.n_inbox = 0;
		plain_from(w.rtp_fd, &w.ours_rtp, got, 172);
		assert_int_equal(w.browser.n_inbox, 0);
		end();
	}
}

/** A DTLS end of the peer's, by our own code in the other role. */
static void peer_dtls_send(const uint8_t *p, size_t n, void *arg)
{
	assert_int_equal(sendto(w.rtp_fd, p, n, 0, &w.ours_rtp.u.sa, w.ours_rtp.len), n);
}

/** The peer's certificate. */
struct credential {
	struct dtls_identity *id;
	struct dtls_context *context;
};

static struct credential credential(void)
{
	struct credential c;

	assert_int_equal(dtls_identity_alloc(&c.id), 0);
	assert_int_equal(dtls_context_alloc(&c.context, c.id), 0);
	return c;
}

static void credential_drop(struct credential *c)
{
	mem_deref(c->context);
	mem_deref(c->id);
}

static struct dtls *end_of(const struct credential *c, bool client)
{
	static struct media_remote us;
	struct dtls *d;

	us.n_fingerprints = 1;
	us.fingerprintv[0] = *dtls_identity_fingerprint(w.st.identity);
	assert_int_equal(dtls_alloc(&d, c->context, client, &us, peer_dtls_send, NULL),
			 0);
	return d;
}

static void shake(struct dtls *d)
{
	enum dtls_state state = DTLS_SHAKING;

	for (unsigned i = 0; i < 20 && state == DTLS_SHAKING; i++) {
		struct pollfd pfd = {.fd = w.rtp_fd, .events = POLLIN};
		uint8_t p[1600];
		ssize_t n;

		media_stage_turn(&w.st);
		poll(&pfd, 1, 20);
		while ((n = recv(w.rtp_fd, p, sizeof(p), 0)) > 0)
			state = dtls_take(d, p, (size_t)n, 0);
	}
	media_stage_turn(&w.st);
}

static void keys_of(struct dtls *d)
{
	struct dtls_keys k;

	assert_int_equal(dtls_keys_take(&k, d), 0);
	w.in = mem_deref(w.in);
	w.out = mem_deref(w.out);
	assert_int_equal(srtp_alloc(&w.in, k.suite, k.key_in, k.salt_in), 0);
	assert_int_equal(srtp_alloc(&w.out, k.suite, k.key_out, k.salt_out), 0);
}

enum shakes { SERVER, CLIENT, EARLY_CLIENT };

static struct dtls *dtls_up(const struct credential *c, enum shakes peer)
{
	struct dtls *d;

	begin(MEDIA_DTLS, 0, peer == SERVER);
	d = end_of(c, peer != SERVER);
	w.told[1]->remote.n_fingerprints = 1;
	w.told[1]->remote.fingerprintv[0] = *dtls_identity_fingerprint(c->id);
	w.told[1]->remote.dtls_server = peer == SERVER;
	if (peer == EARLY_CLIENT) { /* somebody else speaks before and behind it */
		const uint8_t junk[64] = {22, 0xfe, 0xfd, [12] = 51, 1};

		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(sendto(w.evil_fd, junk, sizeof(junk), 0,
						&w.ours_rtp.u.sa, w.ours_rtp.len),
					 sizeof(junk));
			if (!i)
				dtls_tick(d, 0);
		}
		media_stage_turn(&w.st);
	}
	remote(1, w.told[1]);
	port_flush(w.st.home.port);
	if (peer == CLIENT)
		dtls_tick(d, 0);
	shake(d);
	assert_int_equal(w.st.told, MEDIA_UP);
	assert_int_equal(w.st.told_side, 1);
	keys_of(d);
	browser_up();
	both_ways();
	return d;
}

static void dtls_as(enum shakes peer)
{
	struct credential c = credential();
	struct dtls *d = dtls_up(&c, peer);

	mem_deref(d);
	credential_drop(&c);
	end();
}

static void dtls_with_a_passive_peer(void **state)
{
	dtls_as(SERVER);
}

static void dtls_with_an_active_peer(void **state)
{
	dtls_as(CLIENT);
}

/* It says hello as soon as it has answered, and that overtakes its answer; it says it once here. */
static void dtls_with_a_hello_before_the_answer(void **state)
{
	dtls_as(EARLY_CLIENT);
}

/* Asterisk does so at a hold: its new hello finds the call going on, and new keys take over when it has proved itself
 * again. Somebody with another certificate changes nothing. */
static void a_client_that_begins_anew(void **state)
{
	struct credential c = credential(), other = credential();
	struct dtls *d = dtls_up(&c, CLIENT), *again = end_of(&other, true);
	uint8_t got[1600];

	dtls_tick(again, 0);
	shake(again);
	assert_true(from_peer(w.rtp_fd, 100, got));
	assert_int_equal(from_browser(w.rtp_fd, 100, got), 172);
	mem_deref(again);
	media_stage_advance_ms(&w.st, 10000);

	again = end_of(&c, true);
	dtls_tick(again, 0);
	media_stage_turn(&w.st);
	assert_true(from_peer(w.rtp_fd, 101, got)); /* the keys of before */
	shake(again);
	keys_of(again);
	assert_true(from_peer(w.rtp_fd, 102, got));
	assert_int_equal(from_browser(w.rtp_fd, 101, got), 172);
	assert_int_equal(w.st.told, MEDIA_UP);
	mem_deref(again);
	mem_deref(d);
	credential_drop(&c);
	credential_drop(&other);
	end();
}

/* Its description has no ICE where ours had: it is reached where it says, and heard from there. */
static void full_ice_towards_a_peer_that_knows_none(void **state)
{
	(void)state;
	reach = MEDIA_FULL;
	dtls_as(SERVER);
	dtls_as(CLIENT);
	reach = MEDIA_PLAIN;
}

/* abuse case 61, through the sockets */
static void case_61_rtp_from_a_foreign_address(void **state)
{
	uint8_t got[1600];
	unsigned n_in = 0;

	begin(MEDIA_CLEAR, 0, false);
	browser_up();
	for (uint16_t i = 0; i < 4; i++) /* before anybody has the latch */
		n_in += from_peer(w.evil_fd, i, got);
	assert_int_equal(n_in, 0);
	assert_true(from_peer(w.rtp_fd, 100, got));
	for (uint16_t i = 0; i < 200; i++)
		n_in += from_peer(w.evil_fd, 101 + i, got);
	assert_int_equal(n_in, 0);
	assert_int_equal(from_browser(w.evil_fd, 1, got), 0);
	assert_int_equal(from_browser(w.rtp_fd, 2, got), 172);
	assert_true(w.st.home.counters.n_foreign >= 200);
	end();

	begin(MEDIA_SDES, 1,
	      false); /* none ever on SRTP, not even before the peer sends */
	browser_up();
	for (uint16_t i = 0; i < 50; i++) {
		rtp(got, P_OPUS, i, THEIRS);
		w.browser.n_inbox = 0;
		plain_from(w.evil_fd, &w.ours_rtp, got, 182);
		n_in += w.browser.n_inbox;
	}
	assert_int_equal(n_in, 0);
	end();
}

/* abuse case 62: bad tags, replays, jumps */
static void case_62_a_flood_of_bad_srtp(void **state)
{
	uint8_t p[1600], got[1600];
	size_t n;

	begin(MEDIA_SDES, 7, false);
	browser_up();
	both_ways();
	n = rtp(p, P_OPUS, 200, THEIRS);
	assert_int_equal(srtp_seal(w.out, p, &n), 0);
	plain_from(w.rtp_fd, &w.ours_rtp, p, n);
	w.browser.n_inbox = 0;
	for (unsigned i = 0; i < 3000; i++) {
		if (i % 3) {
			rtp_seq_set(p, (uint16_t)(i * 977));
			p[40 + i % 100] ^= 1;
		}
		plain_from(w.rtp_fd, &w.ours_rtp, p, n);
	}
	assert_int_equal(w.browser.n_inbox, 0);
	assert_int_equal(w.st.home.counters.n_refused, 3000);
	assert_true(from_peer(w.rtp_fd, 201, got));
	end();
}

/* the peer goes on hold by c=0.0.0.0, for an hour; it comes back from another address with another key */
static void hold_and_another_address(void **state)
{
	const struct peer_check consent = {.username = "oursours:peer",
					   .pwd = "thepasswordofours1234567",
					   .use_candidate = true};
	struct media_plain *told;
	uint8_t got[1600];
	struct sa sa;

	begin(MEDIA_SDES, 1, false);
	told = &w.told[1]->remote.plainv[0];
	browser_up();
	both_ways();
	sa_init(&told->rtp, AF_INET);
	w.told[1]->remote.streamv[0].sends = false;
	remote(1, w.told[1]);
	assert_int_equal(from_browser(w.rtp_fd, 200, got), 0);
	for (unsigned i = 0; i < 180; i++) { /* on hold nobody is impatient */
		media_stage_advance_ms(&w.st, 20000);
		assert_int_equal(media_peer_check(&w.browser, &consent, NULL), 2);
	}
	close(w.rtp_fd);
	w.rtp_fd = socket_open(&sa);
	told->rtp = sa;
	keys_make(&w.theirs, 1);
	told->sdes = w.theirs;
	w.told[1]->remote.streamv[0].sends = true;
	mem_deref(w.out);
	w.out = srtp_of(&w.theirs);
	remote(1, w.told[1]);
	assert_int_equal(from_browser(w.rtp_fd, 201, got), 172);
	assert_false(from_peer(w.rtp_fd, 40000, got)); /* numbers anew: two in a row */
	for (uint16_t i = 1; i < 50; i++) {
		assert_true(from_peer(w.rtp_fd, 40000 + i, got));
		assert_int_equal(from_browser(w.rtp_fd, 201 + i, got), 172);
	}
	end();
}

static void a_peer_that_falls_silent(void **state)
{
	begin(MEDIA_CLEAR, 0, false);
	for (unsigned i = 0; i < 60; i++)
		media_stage_advance_ms(&w.st, 4900);
	assert_int_equal(w.st.told_side,
			 0); /* the browser never came: NEVER after 30 s */
	assert_int_equal(w.st.told, MEDIA_NEVER);
	media_stage_advance_ms(&w.st, 10000);
	assert_int_equal(w.st.told_side, 1);
	assert_int_equal(w.st.told, MEDIA_LOST);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtp_in_the_clear),
		cmocka_unit_test(every_sdes_suite),
		cmocka_unit_test(dtls_with_a_passive_peer),
		cmocka_unit_test(dtls_with_an_active_peer),
		cmocka_unit_test(full_ice_towards_a_peer_that_knows_none),
		cmocka_unit_test(dtls_with_a_hello_before_the_answer),
		cmocka_unit_test(a_client_that_begins_anew),
		cmocka_unit_test(case_61_rtp_from_a_foreign_address),
		cmocka_unit_test(case_62_a_flood_of_bad_srtp),
		cmocka_unit_test(hold_and_another_address),
		cmocka_unit_test(a_peer_that_falls_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
