/* webrtc/media/dtls.c - one DTLS association, from the first ClientHello to the keys.
 *
 * The thread of its session. Called by session.c; calls OpenSSL and dtls_bio.c's datagram BIO. What cannot be
 * read is dropped: nobody ends a call by a bad record (CVE-2023-49786 and its like). RFC 6347 §4.2.4 (timers,
 * the last flight), RFC 5764 §4.2 (exported keys), RFC 8122 §5 (fingerprints). */
#include "webrtc/media/dtls_own.h"

#include <openssl/err.h>

#include "lib/log.h"
#include "lib/secret.h"

enum {
	ANEW_MAX = 8, /* handshakes begun anew, before it is left alone */
	FLIGHT_BYTES =
		1024, /* our last flight: ChangeCipherSpec and Finished, 100 bytes or so */
	FLIGHT_REPEATS = 32,
	FLIGHT_GAP_MS = 20,
	HELLO_AGAIN_MS = 100,
	RECORD_HEAD = 13,
	TYPE_HANDSHAKE = 22,
	CLIENT_HELLO = 1,
	RANDOM_AT = RECORD_HEAD + 12 + 2, /* §4.2.2; the version is before it */
	RANDOM_BYTES = 32,
};

struct dtls {
	struct dtls_context *context;
	const struct media_remote *peer;
	dtls_send_h *send_h;
	void *arg;

	SSL *ssl;          /**< NULL when it is over */
	bool client, said; /**< said: its hello is on its way */
	enum dtls_state state;
	unsigned n_anew;

	uint8_t random[RANDOM_BYTES]; /**< of the client's last hello that was taken */

	const uint8_t *in; /**< the datagram that is being read; not owned */
	size_t n_in;

	uint64_t now_ms;

	uint8_t flight
		[FLIGHT_BYTES]; /**< datagrams of the flight that ended it: length (2), bytes */
	size_t n_flight;
	unsigned n_repeats;
	uint64_t flight_at_ms;

	struct dtls_keys keys;
	bool has_keys;
};

/* ---- datagrams, for dtls_bio.c ---- */

size_t dtls_datagram_read(struct dtls *d, uint8_t *p, size_t n)
{
	size_t take = d->n_in < n ? d->n_in : n;

	if (take)
		memcpy(p, d->in, take);
	d->n_in = 0;
	return take;
}

void dtls_datagram_write(struct dtls *d, const uint8_t *p, size_t n)
{
	if (n <= UINT16_MAX && d->n_flight + 2 + n <= sizeof(d->flight)) {
		d->flight[d->n_flight] = (uint8_t)(n >> 8);
		d->flight[d->n_flight + 1] = (uint8_t)n;
		memcpy(d->flight + d->n_flight + 2, p, n);
		d->n_flight += 2 + n;
	}
	d->send_h(p, n, d->arg);
}

const struct media_remote *dtls_peer(const struct dtls *d)
{
	return d->peer;
}

void dtls_foreign(struct dtls *d)
{
	d->state = DTLS_FOREIGN;
}

/* ---- the handshake ---- */

static void ssl_end(struct dtls *d)
{
	SSL_free(d->ssl);
	d->ssl = NULL;
}

static void destructor(void *arg)
{
	struct dtls *d = arg;

	SSL_free(d->ssl);
	secret_wipe(&d->keys, sizeof(d->keys));
	mem_deref(d->context);
}

static int ssl_begin(struct dtls *d)
{
	d->said = false;
	d->ssl = dtls_ssl_new(d->context, d->client, d);
	return d->ssl ? 0 : ENOMEM;
}

int dtls_alloc(struct dtls **dp, struct dtls_context *c, bool client,
	       const struct media_remote *peer, dtls_send_h *send_h, void *arg)
{
	struct dtls *d = mem_zalloc(sizeof(*d), destructor);
	int err;

	if (!d)
		return ENOMEM;
	d->context = mem_ref(c);
	d->client = client;
	d->peer = peer;
	d->send_h = send_h;
	d->arg = arg;
	err = ssl_begin(d);
	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}

/** RFC 5764 §4.2: client key, server key, client salt, server salt. */
static int keys_export(struct dtls *d)
{
	const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(d->ssl);
	static const char label[] = "EXTRACTOR-dtls_srtp";
	uint8_t block[2 * (SRTP_KEY_MAX + SRTP_SALT_MAX)], *p = block;
	struct dtls_keys *k = &d->keys;
	size_t n_key, n_salt;
	int err = 0;

	if (!profile)
		return ENOENT;
	k->suite = (enum srtp_suite)profile->id;
	n_key = srtp_key_bytes(k->suite);
	n_salt = srtp_salt_bytes(k->suite);
	if (!n_key)
		return ENOENT;
	if (SSL_export_keying_material(d->ssl, block, 2 * (n_key + n_salt), label,
				       sizeof(label) - 1, NULL, 0, 0) != 1) {
		err = EIO;
	} else {
		memcpy(d->client ? k->key_out : k->key_in, p, n_key);
		memcpy(d->client ? k->key_in : k->key_out, p += n_key, n_key);
		memcpy(d->client ? k->salt_out : k->salt_in, p += n_key, n_salt);
		memcpy(d->client ? k->salt_in : k->salt_out, p += n_salt, n_salt);
		d->has_keys = true;
	}
	secret_wipe(block, sizeof(block));
	return err;
}

/** A handshake that somebody's bytes have broken: the peer's next ClientHello finds a fresh one; a client says
 *  hello again with its next tick. */
static void anew(struct dtls *d)
{
	log_debug(NULL, "dtls.anew", "n=%u error=%s", d->n_anew + 1,
		  LQ(ERR_reason_error_string(ERR_peek_error())));
	ssl_end(d);
	if (++d->n_anew > ANEW_MAX || ssl_begin(d))
		d->state = DTLS_FOREIGN;
}

static void step(struct dtls *d)
{
	int rc, why;

	d->n_flight = 0;
	ERR_clear_error();
	rc = SSL_do_handshake(d->ssl);
	d->said = true;
	if (d->state == DTLS_FOREIGN) { /* said so while it looked at the certificate */
		ssl_end(d);
		return;
	}
	if (rc == 1) {
		d->state = keys_export(d) ? DTLS_FOREIGN : DTLS_DONE;
		ssl_end(d);
		return;
	}
	why = SSL_get_error(d->ssl, rc);
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		anew(d);
	ERR_clear_error();
}

/** Of a ClientHello, or of its first piece; NULL: it is something else. */
static const uint8_t *random_of(const uint8_t *p, size_t n)
{
	static const uint8_t none[3];

	if (n < RANDOM_AT + RANDOM_BYTES || p[0] != TYPE_HANDSHAKE || p[3] || p[4] ||
	    p[RECORD_HEAD] != CLIENT_HELLO || memcmp(p + RECORD_HEAD + 6, none, 3))
		return NULL;
	return p + RANDOM_AT;
}

bool dtls_is_anew(const struct dtls *d, const uint8_t *p, size_t n)
{
	const uint8_t *random = random_of(p, n);

	return random && d->state == DTLS_DONE && !d->client &&
	       memcmp(random, d->random, RANDOM_BYTES) != 0;
}

/** A client that repeats its last flight has not seen ours (RFC 6347 §4.2.4). Alerts and data are nobody's. A
 *  client's last flight is not the handshake's: there is nothing to repeat. */
static void flight_repeat(struct dtls *d, const uint8_t *p, size_t n)
{
	if (d->client || n < RECORD_HEAD || (p[0] != TYPE_HANDSHAKE && p[0] != 20) ||
	    d->n_repeats >= FLIGHT_REPEATS || d->now_ms < d->flight_at_ms + FLIGHT_GAP_MS)
		return;
	d->n_repeats++;
	d->flight_at_ms = d->now_ms;
	for (size_t at = 0; at + 2 <= d->n_flight;) {
		size_t len = (size_t)d->flight[at] << 8 | d->flight[at + 1];

		d->send_h(d->flight + at + 2, len, d->arg);
		at += 2 + len;
	}
}

enum dtls_state dtls_take(struct dtls *d, const uint8_t *p, size_t n, uint64_t now_ms)
{
	const uint8_t *random = random_of(p, n);

	d->now_ms = now_ms;
	if (d->state == DTLS_DONE) {
		flight_repeat(d, p, n);
	} else if (d->ssl) {
		if (random)
			memcpy(d->random, random, RANDOM_BYTES);
		d->in = p;
		d->n_in = n;
		step(d);
		d->in = NULL;
		d->n_in = 0;
	}
	return d->state;
}

enum dtls_state dtls_tick(struct dtls *d, uint64_t now_ms)
{
	d->now_ms = now_ms;
	if (!d->ssl)
		return d->state;
	if (d->client && !d->said) {
		step(d);
		return d->state;
	}
	d->n_flight = 0;
	ERR_clear_error();
	if (DTLSv1_handle_timeout(d->ssl) < 0) /* a dozen repeats, and nothing came */
		anew(d);
	return d->state;
}

uint64_t dtls_next_ms(const struct dtls *d)
{
	struct timeval left;

	if (d->ssl && d->client && !d->said)
		return HELLO_AGAIN_MS;
	if (!d->ssl || DTLSv1_get_timeout(d->ssl, &left) != 1)
		return UINT64_MAX;
	return (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000 + 1;
}

int dtls_keys_take(struct dtls_keys *keys, struct dtls *d)
{
	if (!d->has_keys)
		return ENOENT;
	*keys = d->keys;
	secret_wipe(&d->keys, sizeof(d->keys));
	d->has_keys = false;
	return 0;
}
