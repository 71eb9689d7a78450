/* tests/unit/webrtc/media_peer.c - a browser's half of a media session (media_peer.h). One thread. */
#include "tests/unit/webrtc/media_peer.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

#include "webrtc/media/srtp.h"

/* ---- the stage ---- */

static uint64_t now(void *arg)
{
	return ((struct media_stage *)arg)->now_us;
}

static void tell(uint64_t id, unsigned side, enum media_event event, void *arg)
{
	struct media_stage *st = arg;

	assert_int_equal(id, 1);
	st->n_told++;
	st->told = event;
	st->told_side = side;
}

void media_stage_open(struct media_stage *st)
{
	struct sa loopback;
	char *why = NULL;

	memset(st, 0, sizeof(*st));
	st->now_us = 1000000000;
	sa_set_str(&loopback, "127.0.0.1", 0);
	assert_int_equal(port_alloc(&st->home.port, &why, &loopback, 1, 0), 0);
	assert_int_equal(timers_alloc(&st->home.timers, now, NULL, st), 0);
	assert_int_equal(dtls_identity_alloc(&st->identity), 0);
	assert_int_equal(dtls_context_alloc(&st->home.dtls, st->identity), 0);
	assert_int_equal(session_home_init(&st->home), 0);
	st->home.setup_ms = st->home.consent_ms = 30000;
	st->home.tell = tell;
	st->home.arg = st;
}

void media_stage_close(struct media_stage *st)
{
	session_home_close(&st->home);
	mem_deref(st->home.dtls);
	mem_deref(st->home.timers);
	mem_deref(st->home.port);
	mem_deref(st->identity);
}

/** As worker.c does it. */
static void take(const struct port_path *path, uint8_t *p, size_t n, void *arg)
{
	struct media_stage *st = arg;
	enum packet_kind kind = packet_kind(p, n);
	uint8_t *out = port_scratch(st->home.port);
	struct binding b;
	size_t n_out = 0;

	if (kind == PACKET_STUN && path->own) {
		ice_full_take(path, p, n);
		return;
	}
	if (kind != PACKET_STUN) {
		session_take(&st->home, kind, path, p, n);
		return;
	}
	if (binding_read(&b, &st->home.codec, p, n))
		return;
	if (b.username)
		n_out = ice_check(out, &st->home, &b, path);
	mem_deref(b.msg);
	if (n_out)
		port_send(st->home.port, path, out, n_out);
}

void media_stage_turn(struct media_stage *st)
{
	while (port_take(st->home.port, 0, take, st) +
	       port_take_own(st->home.port, take, st))
		;
}

void media_stage_advance_ms(struct media_stage *st, uint64_t ms)
{
	st->now_us += ms * 1000;
	timers_run(st->home.timers);
}

/* ---- the peer ---- */

static int any_certificate(X509_STORE_CTX *store, void *arg)
{
	return 1;
}

static void certificate_make(struct media_peer_stand *p, int bits)
{
	unsigned n = 0;

	p->key = bits ? EVP_RSA_gen((unsigned)bits) : EVP_EC_gen("P-256");
	p->cert = X509_new();
	X509_set_version(p->cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(p->cert), -86400 * 60);
	/* it has ended: nobody minds */
	X509_gmtime_adj(X509_getm_notAfter(p->cert), -86400);
	X509_set_pubkey(p->cert, p->key);
	assert_true(X509_sign(p->cert, p->key, EVP_sha256()) > 0);
	assert_int_equal(X509_digest(p->cert, EVP_sha256(), p->fingerprint.v, &n), 1);
	p->fingerprint.n_bytes = (uint8_t)n;
}

void media_peer_move(struct media_peer_stand *p)
{
	struct sa sa;

	if (p->fd >= 0)
		close(p->fd);
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	sa_set_str(&sa, "127.0.0.1", port_number(p->stage->home.port));
	assert_int_equal(connect(p->fd, &sa.u.sa, sa.len), 0);
}

static unsigned repeat_after(SSL *ssl, unsigned us)
{
	return 50000;
}

void media_peer_open(struct media_peer_stand *p, struct media_stage *st, int bits)
{
	memset(p, 0, sizeof(*p));
	p->stage = st;
	p->fd = -1;
	media_peer_move(p);
	certificate_make(p, bits);
	p->ctx = SSL_CTX_new(DTLS_client_method());
	SSL_CTX_set_security_level(p->ctx, 0);
	SSL_CTX_set_verify(p->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(p->ctx, any_certificate, NULL);
	assert_int_equal(SSL_CTX_set_tlsext_use_srtp(p->ctx, "SRTP_AES128_CM_SHA1_80:"
							     "SRTP_AEAD_AES_256_GCM"),
			 0);
	SSL_CTX_use_certificate(p->ctx, p->cert);
	SSL_CTX_use_PrivateKey(p->ctx, p->key);
	p->ssl = SSL_new(p->ctx);
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(p->ssl), -1);
	SSL_set_options(p->ssl, SSL_OP_NO_QUERY_MTU);
	/* its ClientHello and its certificate come in fragments */
	DTLS_set_link_mtu(p->ssl, 256);
	DTLS_set_timer_cb(p->ssl, repeat_after);
	SSL_set_connect_state(p->ssl);
}

void media_peer_close(struct media_peer_stand *p)
{
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	mem_deref(p->in);
	mem_deref(p->out);
	close(p->fd);
}

void media_peer_send(struct media_peer_stand *p, const void *data, size_t n)
{
	assert_int_equal(send(p->fd, data, n, 0), n);
}

static bool lost(struct media_peer_stand *p)
{
	return p->lose_one_in && ++p->n_sent % p->lose_one_in == 0;
}

/** A memory BIO joins datagrams: they are cut again at the records. */
static void flight_send(struct media_peer_stand *p)
{
	uint8_t buf[16384];
	int n = BIO_read(SSL_get_wbio(p->ssl), buf, sizeof(buf));

	for (size_t at = 0; n > 0 && at + 13 <= (size_t)n;) {
		size_t len = 13 + be16(buf + at + 11);

		if (!lost(p))
			media_peer_send(p, buf + at, len);
		if (p->twice)
			media_peer_send(p, buf + at, len);
		at += len;
	}
}

void media_peer_take(struct media_peer_stand *p)
{
	uint8_t buf[2048];
	ssize_t n;

	while ((n = recv(p->fd, buf, sizeof(buf), 0)) > 0) {
		if (packet_kind(buf, (size_t)n) == PACKET_DTLS) {
			assert_true(n <= 1200);
			if (lost(p))
				continue;
			BIO_write(SSL_get_rbio(p->ssl), buf, (int)n);
			SSL_do_handshake(p->ssl);
		} else if (p->n_inbox < PEER_INBOX) {
			memcpy(p->inbox[p->n_inbox].p, buf, (size_t)n);
			p->inbox[p->n_inbox++].n = (size_t)n;
		}
	}
}

int media_peer_check(struct media_peer_stand *p, const struct peer_check *c, int *code)
{
	struct mbuf *mb = mbuf_alloc(512);
	uint64_t tie = 42;
	uint32_t priority = 1;
	const uint8_t *pwd = (const uint8_t *)c->pwd;
	static const uint8_t tid[STUN_TID_SIZE] = "transaction";
	struct stun_unknown_attr ua;
	struct stun_msg *msg;
	int class = -1;

	assert_int_equal(
		stun_msg_encode(
			mb, STUN_METHOD_BINDING, STUN_CLASS_REQUEST, tid, NULL, pwd,
			strlen(c->pwd), !c->no_fingerprint, 0, 5, STUN_ATTR_USERNAME,
			c->username, STUN_ATTR_PRIORITY, &priority,
			c->controlled ? STUN_ATTR_CONTROLLED : STUN_ATTR_CONTROLLING,
			&tie, STUN_ATTR_USE_CAND, c->use_candidate ? &tie : NULL,
			STUN_ATTR_RESP_PORT, NULL),
		0);
	p->n_inbox = 0;
	media_peer_send(p, mb->buf, mb->end);
	media_stage_turn(p->stage);
	media_peer_take(p);
	for (size_t i = 0; i < p->n_inbox; i++) {
		mbuf_rewind(mb);
		mbuf_write_mem(mb, p->inbox[i].p, p->inbox[i].n);
		mbuf_set_pos(mb, 0);
		if (stun_msg_decode(&msg, mb, &ua))
			continue;
		class = stun_msg_class(msg);
		assert_int_equal(stun_msg_chk_mi(msg, pwd, strlen(c->pwd)), 0);
		if (code && stun_msg_attr(msg, STUN_ATTR_ERR_CODE))
			*code = stun_msg_attr(msg, STUN_ATTR_ERR_CODE)->v.err_code.code;
		mem_deref(msg);
	}
	mem_deref(mb);
	return class;
}

static void keys_make(struct media_peer_stand *p)
{
	const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(p->ssl);
	enum srtp_suite suite = (enum srtp_suite)profile->id;
	size_t n_key = srtp_key_bytes(suite), n_salt = srtp_salt_bytes(suite);
	uint8_t k[128];

	assert_int_equal(SSL_export_keying_material(p->ssl, k, 2 * (n_key + n_salt),
						    "EXTRACTOR-dtls_srtp", 19, NULL, 0,
						    0),
			 1);
	assert_int_equal(srtp_alloc(&p->out, suite, k, k + 2 * n_key), 0);
	assert_int_equal(srtp_alloc(&p->in, suite, k + n_key, k + 2 * n_key + n_salt), 0);
}

bool media_peer_shake(struct media_peer_stand *p, unsigned rounds)
{
	SSL_do_handshake(p->ssl);
	for (unsigned i = 0; i < rounds && !SSL_is_init_finished(p->ssl); i++) {
		flight_send(p);
		media_stage_turn(p->stage);
		media_peer_take(p);
		if (i %
		    2) { /* OpenSSL's timers read the clock on the wall, on both sides */
			usleep(i > 10 ? 60000 : 0);
			media_stage_advance_ms(p->stage, 60);
			port_flush(p->stage->home.port);
			DTLSv1_handle_timeout(p->ssl);
		}
	}
	flight_send(p);
	media_stage_turn(p->stage);
	if (!SSL_is_init_finished(p->ssl))
		return false;
	if (!p->out)
		keys_make(p);
	return true;
}
