/* tests/unit/webrtc/test_media_session.c - a media session against a peer that does what it should, and much that
 * it should not: cases 52, 53, 55, 56, 58 to 60, 62 of the abuse cases.
 *
 *   media_peer ── UDP ──► port ──► ice_check(), session_take() ── told ──► the test */
#include "tests/unit/webrtc/media_peer.h"
#include "webrtc/media/srtp.h"

#include <setjmp.h>
#include <cmocka.h>

#define UFRAG "oursours"
#define PWD   "ourpasswordourpassword12"
#define NAME  UFRAG ":peer"

struct world {
	struct media_stage st;
	struct media_peer_stand p;
};

static const struct peer_check right = {
	.username = NAME, .pwd = PWD, .use_candidate = true};

/** What a party says; `fresh`: an offer that is answered with these credentials of ours. */
static int described(struct world *w, const char *ufrag, const struct media_creds *fresh)
{
	struct media_told *told = media_told_alloc();
	struct media_remote *r = &told->remote;
	int err;

	snprintf(r->ufrag, sizeof(r->ufrag), "%s", ufrag);
	r->n_fingerprints = 1;
	r->fingerprintv[0] = w->p.fingerprint;
	r->n_streams = 1;
	r->streamv[0] =
		(struct media_stream){.ssrc = 1000, .sends = true, .clock_rate = 48000};
	r->streamv[0].ptv[111 / 8] = 1 << (111 % 8);
	if (fresh) {
		told->fresh = true;
		told->creds = *fresh;
	}
	err = session_remote(session_find(&w->st.home, 1), 0, told);
	mem_deref(told);
	return err;
}

static void open_with(struct world *w, int bits)
{
	struct media_add add = {
		.work = MEDIA_WORK_ECHO,
		.n_sides = 1,
		.sidev = {{.reach = MEDIA_LITE, .crypt = MEDIA_DTLS}},
		.credv = {{.ufrag = UFRAG, .pwd = PWD}},
		.call = "0123456789abcdef",
	};

	media_stage_open(&w->st);
	media_peer_open(&w->p, &w->st, bits);
	assert_int_equal(session_add(&w->st.home, 1, &add), 0);
	assert_int_equal(described(w, "peer", NULL), 0);
}

static int setup(void **state)
{
	static struct world w;

	*state = &w;
	open_with(&w, 0);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	media_peer_close(&w->p);
	media_stage_close(&w->st);
	return 0;
}

static size_t rtp_sealed(struct media_peer_stand *p, uint8_t *out, uint16_t seq)
{
	size_t n = 172;

	memset(out, 0x55, n);
	memset(out, 0, RTP_HEADER);
	out[0] = 0x80;
	out[1] = 111;
	rtp_seq_set(out, seq);
	rtp_ssrc_set(out, 7);
	assert_int_equal(srtp_seal(p->out, out, &n), 0);
	return n;
}

/** Sends a packet; gives how many come back that this peer can open. */
static unsigned speaks(struct media_peer_stand *p, uint16_t seq)
{
	uint8_t buf[1600];
	unsigned n_back = 0;

	p->n_inbox = 0;
	media_peer_send(p, buf, rtp_sealed(p, buf, seq));
	media_stage_turn(p->stage);
	media_peer_take(p);
	for (size_t i = 0; i < p->n_inbox; i++) {
		size_t n = p->inbox[i].n;

		if (srtp_open(p->in, p->inbox[i].p, &n))
			continue;
		assert_int_equal(n, 172);
		assert_int_equal(be32(p->inbox[i].p + 8), 1000);
		assert_int_equal(p->inbox[i].p[171], 0x55);
		n_back++;
	}
	return n_back;
}

static void up(struct world *w)
{
	assert_int_equal(media_peer_check(&w->p, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_true(media_peer_shake(&w->p, 40));
	assert_int_equal(w->st.n_told, 1);
	assert_int_equal(w->st.told, MEDIA_UP);
}

static void it_hears_itself(void **state)
{
	struct world *w = *state;

	up(w);
	for (uint16_t seq = 65530; seq != 20; seq++)
		assert_int_equal(speaks(&w->p, seq), 1);
}

static void case_52_malformed_stun_is_dropped(void **state)
{
	struct world *w = *state;
	uint8_t p[600];
	struct mbuf *mb = mbuf_alloc(512);
	struct binding b;
	size_t n;

	assert_int_equal(stun_msg_encode(mb, STUN_METHOD_BINDING, STUN_CLASS_REQUEST,
					 (const uint8_t *)"transaction", NULL,
					 (const uint8_t *)PWD, strlen(PWD), true, 0, 1,
					 STUN_ATTR_USERNAME, NAME),
			 0);
	n = mb->end;
	memcpy(p, mb->buf, n);
	assert_int_equal(binding_read(&b, &w->st.home.codec, p, n), 0);
	mem_deref(b.msg);
	/* any cut, any bit of the head or of an attribute's head or of the fingerprint */
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(binding_read(&b, &w->st.home.codec, p, cut), EBADMSG);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!binding_read(&b, &w->st.home.codec, p, n)) {
			assert_false(
				binding_proved(&b, PWD)); /* a name that ate the proof */
			mem_deref(b.msg);
		}
		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* two USERNAMEs; one behind MESSAGE-INTEGRITY; a length of 65535 */
	memcpy(p,
	       "\0\1\0\x10\x21\x12\xa4\x42"
	       "123456789012"
	       "\0\6\0\4user"
	       "\0\6\0\4user",
	       36);
	assert_int_equal(binding_read(&b, &w->st.home.codec, p, 36), EBADMSG);
	memcpy(p,
	       "\0\1\0\x20\x21\x12\xa4\x42"
	       "123456789012"
	       "\0\x08\0\x14"
	       "12345678901234567890"
	       "\0\6\0\4user",
	       52);
	assert_int_equal(binding_read(&b, &w->st.home.codec, p, 52), EBADMSG);
	memcpy(p,
	       "\0\1\0\x04\x21\x12\xa4\x42"
	       "123456789012"
	       "\0\6\xff\xff",
	       24);
	assert_int_equal(binding_read(&b, &w->st.home.codec, p, 24), EBADMSG);
	mem_deref(mb);
}

static void case_53_who_knows_no_password_gets_no_answer(void **state)
{
	static const struct peer_check wrong[] = {
		{.username = NAME, .pwd = "anotherpasswordanother12"},
		{.username = "oursourz:peer", .pwd = PWD},
		{.username = UFRAG ":other", .pwd = PWD},
		{.username = UFRAG, .pwd = PWD},
		{.username = "o:peer", .pwd = PWD},
	};
	struct world *w = *state;

	for (size_t i = 0; i < N_ELEMS(wrong); i++)
		assert_int_equal(media_peer_check(&w->p, &wrong[i], NULL), -1);
	assert_int_equal(w->st.home.counters.n_checks, 0);
	session_remove(session_find(&w->st.home, 1));
	assert_int_equal(media_peer_check(&w->p, &right, NULL),
			 -1); /* of a finished call */
}

static void case_55_roles_and_consent(void **state)
{
	struct peer_check c = right;
	struct world *w = *state;
	int code = 0;

	c.controlled = true;
	assert_int_equal(media_peer_check(&w->p, &c, &code), STUN_CLASS_ERROR_RESP);
	assert_int_equal(code, 487);
	up(w);
	media_stage_advance_ms(&w->st, 29000);
	assert_int_equal(media_peer_check(&w->p, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	media_stage_advance_ms(&w->st, 29000);
	assert_int_equal(w->st.n_told, 1);
	media_stage_advance_ms(&w->st, 1500);
	assert_int_equal(w->st.n_told, 2);
	assert_int_equal(w->st.told, MEDIA_LOST);
	assert_int_equal(speaks(&w->p, 1), 0);
}

static void a_peer_that_never_comes(void **state)
{
	struct world *w = *state;

	media_stage_advance_ms(&w->st, 29000);
	assert_int_equal(w->st.n_told, 0);
	media_stage_advance_ms(&w->st, 1500);
	assert_int_equal(w->st.told, MEDIA_NEVER);
}

static void a_peer_that_moves_keeps_its_call(void **state)
{
	struct world *w = *state;
	struct peer_check c = right;

	up(w);
	assert_int_equal(speaks(&w->p, 1), 1);
	media_peer_move(&w->p);
	assert_int_equal(speaks(&w->p, 2),
			 0); /* nobody may claim it without the password */
	c.use_candidate = false;
	assert_int_equal(media_peer_check(&w->p, &c, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_int_equal(speaks(&w->p, 3),
			 0); /* heard, but the pair is still the old one */
	assert_int_equal(media_peer_check(&w->p, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_int_equal(speaks(&w->p, 4), 1);
	assert_int_equal(w->st.n_told, 1);
}

static void ice_restarts_without_a_handshake(void **state)
{
	const struct peer_check fresh = {.username = "newonnew:peer2",
					 .pwd = "newpasswordnewpassword12",
					 .use_candidate = true};
	struct world *w = *state;

	up(w);
	assert_int_equal(
		described(w, "peer2",
			  &(struct media_creds){.ufrag = "newonnew",
						.pwd = "newpasswordnewpassword12"}),
		0);
	assert_int_equal(media_peer_check(&w->p, &right, NULL),
			 STUN_CLASS_SUCCESS_RESP); /* until then */
	assert_int_equal(speaks(&w->p, 1), 1);
	media_peer_move(&w->p);
	assert_int_equal(media_peer_check(&w->p, &fresh, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_int_equal(speaks(&w->p, 2), 1);
	assert_int_equal(media_peer_check(&w->p, &right, NULL),
			 -1); /* the old generation is over */
	assert_int_equal(w->st.n_told, 1);
}

static void case_56_racing_clienthellos_do_no_harm(void **state)
{
	/* a ClientHello of a version nobody has, cut short; an alert; noise */
	static const uint8_t bad[] =
		"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x1c\x01\0\0\x10\0\0\0\0\0\0\0\x10\x03\x03"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0";
	static const uint8_t alert[] = "\x15\xfe\xfd\0\0\0\0\0\0\0\1\0\2\2\x28";
	struct media_peer_stand stranger;
	struct world *w = *state;

	media_peer_open(&stranger, &w->st, 0);
	media_peer_send(&stranger, bad, sizeof(bad) - 1);
	media_stage_turn(&w->st);
	assert_int_equal(media_peer_check(&w->p, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	for (unsigned i = 0; i < 4; i++) {
		media_peer_send(&stranger, bad, sizeof(bad) - 1); /* from elsewhere */
		media_peer_send(&w->p, bad,
				sizeof(bad) - 1); /* and from its own address */
		media_peer_send(&w->p, alert, sizeof(alert) - 1);
		media_stage_turn(&w->st);
	}
	assert_true(media_peer_shake(&w->p, 40));
	assert_int_equal(w->st.told, MEDIA_UP);
	for (unsigned i = 0; i < 100; i++)
		media_peer_send(&w->p, bad, sizeof(bad) - 1);
	media_stage_turn(&w->st);
	assert_int_equal(speaks(&w->p, 1), 1);
	assert_int_equal(w->st.n_told, 1);
	media_peer_close(&stranger);
}

static void case_58_another_certificate(void **state)
{
	struct media_peer_stand other;
	struct world *w = *state;

	media_peer_open(&other, &w->st, 0);
	assert_int_equal(media_peer_check(&other, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_false(media_peer_shake(&other, 10));
	assert_int_equal(w->st.n_told, 1);
	assert_int_equal(w->st.told, MEDIA_FOREIGN);
	media_peer_close(&other);
}

static void case_58_a_weak_key(void **state)
{
	static struct world w;

	open_with(&w, 1024);
	assert_int_equal(media_peer_check(&w.p, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_false(media_peer_shake(&w.p, 10));
	assert_int_equal(w.st.told, MEDIA_FOREIGN);
	media_peer_close(&w.p);
	media_stage_close(&w.st);
}

static void case_58_no_certificate(void **state)
{
	struct world *w = *state;

	SSL_certs_clear(w->p.ssl);
	assert_int_equal(media_peer_check(&w->p, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_false(media_peer_shake(&w->p, 10));
	assert_int_equal(w->st.n_told, 0); /* bad bytes end nothing: it may still come */
	media_stage_advance_ms(&w->st, 31000);
	assert_int_equal(w->st.told, MEDIA_NEVER);
}

static void case_59_loss_and_repeats(void **state)
{
	struct world *w = *state;

	w->p.lose_one_in = 3;
	assert_int_equal(media_peer_check(&w->p, &right, NULL), STUN_CLASS_SUCCESS_RESP);
	assert_true(media_peer_shake(&w->p, 400));
	assert_int_equal(w->st.told, MEDIA_UP);
	assert_int_equal(speaks(&w->p, 1), 1);
}

static void case_59_everything_twice(void **state)
{
	struct world *w = *state;

	w->p.twice = true;
	up(w);
	assert_int_equal(speaks(&w->p, 1), 1);
}

static void case_60_nothing_is_learned_from_data(void **state)
{
	struct world *w = *state;

	assert_false(media_peer_shake(&w->p, 4)); /* DTLS before STUN */
	assert_int_equal(w->p.n_inbox, 0);
	assert_true(w->st.home.counters.n_foreign > 0);
	up(w); /* the same ClientHello again, from a proved address */
}

static void case_62_bad_tags_and_replays_are_counted(void **state)
{
	struct world *w = *state;
	uint8_t kept[1600], bad[1600];
	size_t n;

	up(w);
	n = rtp_sealed(&w->p, kept, 100);
	media_peer_send(&w->p, kept, n);
	for (unsigned i = 0; i < 200; i++) {
		memcpy(bad, kept, n);
		rtp_seq_set(bad, (uint16_t)(101 + 300 * i));
		media_peer_send(&w->p, bad, n);  /* jumps, under a wrong tag */
		media_peer_send(&w->p, kept, n); /* a replay */
		media_stage_turn(&w->st);
	}
	assert_int_equal(w->st.home.counters.n_refused, 400);
	assert_int_equal(w->st.home.counters.n_rtp_out, 1);
	media_peer_take(&w->p);
	assert_int_equal(speaks(&w->p, 101), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_hears_itself),
		T(case_52_malformed_stun_is_dropped),
		T(case_53_who_knows_no_password_gets_no_answer),
		T(case_55_roles_and_consent),
		T(a_peer_that_never_comes),
		T(a_peer_that_moves_keeps_its_call),
		T(ice_restarts_without_a_handshake),
		T(case_56_racing_clienthellos_do_no_harm),
		T(case_58_another_certificate),
		cmocka_unit_test(case_58_a_weak_key),
		T(case_58_no_certificate),
		T(case_59_loss_and_repeats),
		T(case_59_everything_twice),
		T(case_60_nothing_is_learned_from_data),
		T(case_62_bad_tags_and_replays_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
