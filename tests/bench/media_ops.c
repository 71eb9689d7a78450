/* tests/bench/media_ops.c - what protecting a packet and accepting a handshake cost, beside bare OpenSSL, on one thread, in
 * turns.
 *
 *   media_ops ROUNDS MS      one line of JSON: nanoseconds of CPU an operation, each round's
 * MS: CPU time that each kind gets in a round. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <time.h>

#include "lib/secret.h"
#include "webrtc/media/dtls.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/srtp_own.h"

enum { SESSIONS = 1000, FEW = 10, BYTES = 172, ROUNDS_MAX = 32, QUEUE = 32 };

static struct srtp *outv[SESSIONS], *inv[SESSIONS];
static uint16_t seqv[SESSIONS];
static unsigned at, n_sessions;

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "media_ops: %s\n", what);
	exit(2);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- SRTP ---- */

static void sessions_make(enum srtp_suite suite)
{
	uint8_t key[SRTP_KEY_MAX], salt[SRTP_SALT_MAX];

	for (unsigned i = 0; i < SESSIONS; i++) {
		secret_random(key, sizeof(key));
		secret_random(salt, sizeof(salt));
		mem_deref(outv[i]);
		mem_deref(inv[i]);
		seqv[i] = 0;
		must(!srtp_alloc(&outv[i], suite, key, salt) &&
			     !srtp_alloc(&inv[i], suite, key, salt),
		     "srtp_alloc");
	}
}

static void packet(uint8_t *p, unsigned i)
{
	memset(p, 0x55, BYTES);
	p[0] = 0x80;
	p[1] = 0;
	rtp_seq_set(p, ++seqv[i]);
	rtp_ssrc_set(p, 7);
}

static void ours(void)
{
	uint8_t p[BYTES + SRTP_OVERHEAD_MAX];
	unsigned i = at++ % n_sessions;
	size_t n = BYTES;

	packet(p, i);
	must(!srtp_seal(outv[i], p, &n) && !srtp_open(inv[i], p, &n), "seal, open");
}

/** The same cipher and MAC on the same keys, and nothing else. */
static void bare_pass(struct srtp *s, uint8_t *p, bool seal)
{
	struct srtp_aad aad[2] = {{p, RTP_HEADER}};
	uint8_t tag[20];
	const uint8_t roc[4] = {0};

	if (s->gcm && seal)
		srtp_seal_gcm(&s->rtp, 7, seqv[0], aad, p + RTP_HEADER,
			      BYTES - RTP_HEADER, p + BYTES);
	else if (s->gcm)
		srtp_open_gcm(&s->rtp, 7, seqv[0], aad, p + RTP_HEADER,
			      BYTES - RTP_HEADER, p + BYTES);
	else {
		if (seal)
			srtp_crypt_cm(&s->rtp, 7, seqv[0], p + RTP_HEADER,
				      BYTES - RTP_HEADER);
		srtp_tag_sha1(&s->rtp, tag, p, BYTES, roc);
		if (!seal)
			srtp_crypt_cm(&s->rtp, 7, seqv[0], p + RTP_HEADER,
				      BYTES - RTP_HEADER);
	}
}

static void bare(void)
{
	uint8_t p[BYTES + SRTP_OVERHEAD_MAX];
	unsigned i = at++ % n_sessions;

	packet(p, i);
	bare_pass(outv[i], p, true);
	bare_pass(inv[i], p, false);
}

/* ---- DTLS ---- */

static struct dtls_identity *server_id, *client_id;
static struct dtls_context *server_ctx, *client_ctx;
static SSL_CTX *bare_ctx;
static struct queue {
	uint8_t p[QUEUE][1500];
	size_t nv[QUEUE], n;
} to_server, to_client;
static double server_ns; /* what the server's half has used */

static void queue_add(const uint8_t *p, size_t n, void *arg)
{
	struct queue *q = arg;

	must(q->n < QUEUE && n <= sizeof(q->p[0]), "queue");
	memcpy(q->p[q->n], p, n);
	q->nv[q->n++] = n;
}

static void remote_of(struct media_remote *r, const struct dtls_identity *id)
{
	memset(r, 0, sizeof(*r));
	r->n_fingerprints = 1;
	r->fingerprintv[0] = *dtls_identity_fingerprint(id);
}

static struct dtls *client_begin(struct media_remote *server)
{
	struct dtls *d;

	to_server.n = to_client.n = 0;
	remote_of(server, server_id);
	must(!dtls_alloc(&d, client_ctx, true, server, queue_add, &to_server), "client");
	dtls_tick(d, 0);
	return d;
}

static enum dtls_state client_turn(struct dtls *d)
{
	enum dtls_state state = DTLS_SHAKING;
	unsigned n = (unsigned)to_client.n;

	for (unsigned i = 0; i < n; i++)
		state = dtls_take(d, to_client.p[i], to_client.nv[i], 0);
	to_client.n = 0;
	return state;
}

static void accept_ours(void)
{
	struct media_remote server, client;
	struct dtls *c = client_begin(&server), *s;
	double begin = cpu_ns();
	struct dtls_keys k;
	bool done = false;

	remote_of(&client, client_id);
	must(!dtls_alloc(&s, server_ctx, false, &client, queue_add, &to_client),
	     "server");
	server_ns += cpu_ns() - begin;
	while (!done) {
		begin = cpu_ns();
		for (unsigned i = 0; i < to_server.n; i++)
			done = dtls_take(s, to_server.p[i], to_server.nv[i], 0) ==
			       DTLS_DONE;
		if (done)
			must(!dtls_keys_take(&k, s), "keys");
		server_ns += cpu_ns() - begin;
		to_server.n = 0;
		client_turn(c);
	}
	begin = cpu_ns();
	mem_deref(s);
	server_ns += cpu_ns() - begin;
	mem_deref(c);
}

static int any_certificate(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static void bare_drain(BIO *out)
{
	uint8_t p[8192];
	int n;

	/* a memory BIO joins records: each is a datagram of its own to the client */
	while ((n = BIO_read(out, p, sizeof(p))) > 0)
		for (int i = 0; i + 13 <= n;) {
			int len = 13 + be16(p + i + 11);

			queue_add(p + i, (size_t)len, &to_client);
			i += len;
		}
}

static void accept_bare(void)
{
	struct media_remote server;
	struct dtls *c = client_begin(&server);
	double begin = cpu_ns();
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL *ssl = SSL_new(bare_ctx);
	uint8_t block[64];
	bool done = false;

	SSL_set_bio(ssl, in, out);
	BIO_set_mem_eof_return(in, -1);
	SSL_set_accept_state(ssl);
	DTLS_set_link_mtu(ssl, 1200);
	server_ns += cpu_ns() - begin;
	while (!done) {
		begin = cpu_ns();
		for (unsigned i = 0; i < to_server.n; i++) {
			BIO_write(in, to_server.p[i], (int)to_server.nv[i]);
			done = SSL_do_handshake(ssl) == 1;
		}
		if (done)
			must(SSL_export_keying_material(ssl, block, 56,
							"EXTRACTOR-dtls_srtp", 19, NULL,
							0, 0) == 1,
			     "export");
		bare_drain(out);
		server_ns += cpu_ns() - begin;
		to_server.n = 0;
		client_turn(c);
	}
	begin = cpu_ns();
	SSL_free(ssl);
	server_ns += cpu_ns() - begin;
	ERR_clear_error();
	mem_deref(c);
}

static void dtls_make(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	must(!dtls_identity_alloc(&server_id) && !dtls_identity_alloc(&client_id) &&
		     !dtls_context_alloc(&server_ctx, server_id) &&
		     !dtls_context_alloc(&client_ctx, client_id),
	     "identities");
	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	bare_ctx = SSL_CTX_new(DTLS_method());
	SSL_CTX_set_options(bare_ctx, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_session_cache_mode(bare_ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(bare_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   NULL);
	SSL_CTX_set_cert_verify_callback(bare_ctx, any_certificate, NULL);
	must(SSL_CTX_set_cipher_list(bare_ctx, "ECDHE+AESGCM") == 1 &&
		     SSL_CTX_set1_groups_list(bare_ctx, "X25519:P-256:P-384") == 1 &&
		     SSL_CTX_set_tlsext_use_srtp(bare_ctx, "SRTP_AEAD_AES_128_GCM") ==
			     0 &&
		     SSL_CTX_use_certificate(bare_ctx, cert) == 1 &&
		     SSL_CTX_use_PrivateKey(bare_ctx, key) == 1,
	     "bare context");
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* the bare server has a certificate of its own: the client must not mind */
static void bare_trust(void)
{
	X509 *cert = SSL_CTX_get0_certificate(bare_ctx);
	unsigned n = 0;
	struct media_fingerprint *f =
		(struct media_fingerprint *)dtls_identity_fingerprint(server_id);
	static struct media_fingerprint own;

	if (!own.n_bytes)
		own = *f;
	if (f->v[0] == own.v[0] && !memcmp(f->v, own.v, 32))
		X509_digest(cert, EVP_sha256(), f->v, &n);
	else
		*f = own;
}

/* ---- rounds ---- */

static double rate(void (*op)(void), double ms)
{
	double begin = cpu_ns(), end = begin + ms * 1e6, now;
	unsigned n = 0;

	do {
		for (unsigned i = 0; i < 64; i++)
			op();
		n += 64;
		now = cpu_ns();
	} while (now < end);
	return (now - begin) / n;
}

static double accept_rate(void (*op)(void), double ms)
{
	double end = cpu_ns() + ms * 1e6;
	unsigned n = 0;

	server_ns = 0;
	while (cpu_ns() < end) {
		op();
		n++;
	}
	return server_ns / n;
}

static void list(const char *name, const double *v, unsigned n, bool last)
{
	printf("\"%s\":[", name);
	for (unsigned i = 0; i < n; i++)
		printf("%s%.1f", i ? "," : "", v[i]);
	printf("]%s", last ? "" : ",");
}

static void suite_run(const char *name, enum srtp_suite suite, unsigned rounds, double ms)
{
	double v[3][ROUNDS_MAX];
	char text[64];

	sessions_make(suite);
	for (unsigned r = 0; r < rounds; r++) {
		n_sessions = SESSIONS;
		v[0][r] = rate(ours, ms);
		v[1][r] = rate(bare, ms);
		n_sessions = FEW;
		v[2][r] = rate(ours, ms);
	}
	snprintf(text, sizeof(text), "%s_ours", name);
	list(text, v[0], rounds, false);
	snprintf(text, sizeof(text), "%s_bare", name);
	list(text, v[1], rounds, false);
	snprintf(text, sizeof(text), "%s_few", name);
	list(text, v[2], rounds, false);
}

int main(int argc, char *argv[])
{
	unsigned rounds = argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	double ms = argc == 3 ? strtod(argv[2], NULL) : 0;
	double v[2][ROUNDS_MAX];

	must(rounds && rounds <= ROUNDS_MAX && ms >= 1, "ROUNDS MS");
	printf("{");
	suite_run("cm80", SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, rounds, ms);
	suite_run("gcm", SRTP_SUITE_AES_128_GCM, rounds, ms);
	dtls_make();
	for (unsigned r = 0; r < rounds; r++) {
		v[0][r] = accept_rate(accept_ours, ms);
		bare_trust();
		v[1][r] = accept_rate(accept_bare, ms);
		bare_trust();
	}
	list("dtls_ours", v[0], rounds, false);
	list("dtls_bare", v[1], rounds, true);
	printf("}\n");
	return 0;
}
