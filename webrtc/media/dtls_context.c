/* webrtc/media/dtls_context.c - our certificate, the SSL_CTX of a thread, and the BIO that joins an SSL to
 * datagrams.
 *
 * The identity is made on the signalling thread before there are others, and never changes; a context belongs
 * to one media thread. Called by media.c, worker.c and dtls.c; calls OpenSSL. RFC 8827 §6.5 (ECDSA P-256, a
 * certificate of our own), RFC 5764 §4.1 (use_srtp), RFC 8122 §5 (what a fingerprint covers). */
#include "webrtc/media/dtls_own.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/secret.h"

enum {
	LINK_MTU = 1200,
	FIRST_REPEAT_US =
		100000, /* browsers are near; RFC 6347 §4.2.4.1 would have 1 s */
	LAST_REPEAT_US = 2000000,
	CERT_DAYS = 3650,    /* browsers look at the fingerprint alone */
	STRENGTH_BITS = 112, /* RSA 2048, P-224: RFC 8827 §6.5 asks for no less */
};

struct dtls_identity {
	X509 *cert;
	EVP_PKEY *key;
	struct media_fingerprint fingerprint;
};

struct dtls_context {
	SSL_CTX *ctx;
	BIO_METHOD *method;
};

/* ---- our certificate ---- */

static void identity_destructor(void *arg)
{
	struct dtls_identity *i = arg;

	X509_free(i->cert);
	EVP_PKEY_free(i->key);
}

static bool cert_make(struct dtls_identity *i)
{
	X509_NAME *name;
	uint64_t serial = secret_u64() >> 1;

	i->key = EVP_EC_gen("P-256");
	i->cert = X509_new();
	if (!i->key || !i->cert)
		return false;
	name = X509_get_subject_name(i->cert);
	return X509_set_version(i->cert, 2) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(i->cert), serial) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(i->cert), -86400) &&
	       X509_gmtime_adj(X509_getm_notAfter(i->cert), 86400L * CERT_DAYS) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const uint8_t *)"sluss", -1, -1, 0) == 1 &&
	       X509_set_issuer_name(i->cert, name) == 1 &&
	       X509_set_pubkey(i->cert, i->key) == 1 &&
	       X509_sign(i->cert, i->key, EVP_sha256()) > 0;
}

int dtls_identity_alloc(struct dtls_identity **ip)
{
	struct dtls_identity *i = mem_zalloc(sizeof(*i), identity_destructor);
	unsigned n = 0;

	if (!i)
		return ENOMEM;
	if (!cert_make(i) ||
	    X509_digest(i->cert, EVP_sha256(), i->fingerprint.v, &n) != 1) {
		mem_deref(i);
		return EIO;
	}
	i->fingerprint.n_bytes = (uint8_t)n;
	*ip = i;
	return 0;
}

const struct media_fingerprint *dtls_identity_fingerprint(const struct dtls_identity *i)
{
	return &i->fingerprint;
}

/* ---- the peer's ---- */

static const EVP_MD *digest_of(const struct media_fingerprint *f)
{
	switch (f->n_bytes) {
	case 32:
		return EVP_sha256();
	case 48:
		return EVP_sha384();
	case 64:
		return EVP_sha512();
	default:
		return NULL;
	}
}

/** RFC 8122 §5: one of the fingerprints of the description must be this certificate's. */
static bool is_peers(const struct media_remote *peer, X509 *cert)
{
	uint8_t v[EVP_MAX_MD_SIZE];
	unsigned n;

	for (size_t i = 0; i < peer->n_fingerprints; i++) {
		const struct media_fingerprint *f = &peer->fingerprintv[i];
		const EVP_MD *md = digest_of(f);

		if (md && X509_digest(cert, md, v, &n) == 1 && n == f->n_bytes &&
		    secret_equal(v, f->v, n))
			return true;
	}
	return false;
}

/** Instead of OpenSSL's walk up a chain: nobody vouches for these certificates but their fingerprints.
 *  When they end does not matter (RFC 8827 §6.5 makes them for one call or for a month). */
static int on_certificate(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	struct dtls *d = SSL_get_app_data(ssl);
	EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

	(void)arg;
	if (key && EVP_PKEY_get_security_bits(key) >= STRENGTH_BITS &&
	    is_peers(dtls_peer(d), cert))
		return 1;
	dtls_foreign(d);
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* ---- datagrams ---- */

static int bio_read(BIO *b, char *p, int n)
{
	size_t got =
		n > 0 ? dtls_datagram_read(BIO_get_data(b), (uint8_t *)p, (size_t)n) : 0;

	BIO_clear_retry_flags(b);
	if (got)
		return (int)got;
	BIO_set_retry_read(b);
	return -1;
}

static int bio_write(BIO *b, const char *p, int n)
{
	if (n > 0)
		dtls_datagram_write(BIO_get_data(b), (const uint8_t *)p, (size_t)n);
	return n;
}

static long bio_ctrl(BIO *b, int command, long n, void *p)
{
	(void)b;
	(void)n;
	(void)p;
	switch (command) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
	case BIO_CTRL_DGRAM_GET_MTU:
		return LINK_MTU;
	default:
		return 0;
	}
}

static unsigned repeat_after(SSL *ssl, unsigned us)
{
	(void)ssl;
	if (!us)
		return FIRST_REPEAT_US;
	return us < LAST_REPEAT_US / 2 ? us * 2 : LAST_REPEAT_US;
}

SSL *dtls_ssl_new(struct dtls_context *c, bool client, struct dtls *d)
{
	SSL *ssl = SSL_new(c->ctx);
	BIO *bio = ssl ? BIO_new(c->method) : NULL;

	if (!bio) {
		SSL_free(ssl);
		return NULL;
	}
	BIO_set_data(bio, d);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_app_data(ssl, d);
	if (client)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	DTLS_set_link_mtu(ssl, LINK_MTU);
	DTLS_set_timer_cb(ssl, repeat_after);
	return ssl;
}

/* ---- the context ---- */

static void context_destructor(void *arg)
{
	struct dtls_context *c = arg;

	SSL_CTX_free(c->ctx);
	BIO_meth_free(c->method);
}

static bool context_make(struct dtls_context *c, const struct dtls_identity *i)
{
	/* SSL_OP_NO_TICKET: the last flight is two small records; an SSL lives for one handshake */
	const uint64_t options = SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
				 SSL_OP_NO_QUERY_MTU | SSL_OP_NO_COMPRESSION |
				 SSL_OP_CIPHER_SERVER_PREFERENCE;

	c->ctx = SSL_CTX_new(DTLS_method());
	if (!c->ctx)
		return false;
	SSL_CTX_set_options(c->ctx, options);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   NULL);
	SSL_CTX_set_cert_verify_callback(c->ctx, on_certificate, NULL);
	SSL_CTX_set_read_ahead(c->ctx, 1);
	return SSL_CTX_set_min_proto_version(c->ctx, DTLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(c->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	       SSL_CTX_set1_groups_list(c->ctx, "X25519:P-256:P-384") == 1 &&
	       SSL_CTX_set_tlsext_use_srtp(c->ctx, "SRTP_AEAD_AES_128_GCM:"
						   "SRTP_AEAD_AES_256_GCM:"
						   "SRTP_AES128_CM_SHA1_80") == 0 &&
	       SSL_CTX_use_certificate(c->ctx, i->cert) == 1 &&
	       SSL_CTX_use_PrivateKey(c->ctx, i->key) == 1;
}

static bool method_make(struct dtls_context *c)
{
	c->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "datagram");
	return c->method && BIO_meth_set_read(c->method, bio_read) == 1 &&
	       BIO_meth_set_write(c->method, bio_write) == 1 &&
	       BIO_meth_set_ctrl(c->method, bio_ctrl) == 1;
}

int dtls_context_alloc(struct dtls_context **cp, const struct dtls_identity *i)
{
	struct dtls_context *c = mem_zalloc(sizeof(*c), context_destructor);

	if (!c)
		return ENOMEM;
	if (!method_make(c) || !context_make(c, i)) {
		mem_deref(c);
		return EIO;
	}
	*cp = c;
	return 0;
}
