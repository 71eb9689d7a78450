/* sip/edge/tls.c - see tls.h: two SSL_CTX (we accept, we dial) that share the sites'
 * certificates and the trust. Edge thread. Called by edge.c and the connections; calls
 * lib/cert.h and OpenSSL 3. */
#include "sip/edge/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/cert.h"
#include "lib/log.h"

/* RFC 5924 §4 */
#define TLS_OID_SIP_DOMAIN "1.3.6.1.5.5.7.3.20"

struct tls {
	const struct config *config;
	struct cert_store *certs;
	SSL_CTX *accept, *dial;
	struct timespec trust_mtime;
	off_t trust_size;
	ino_t trust_ino;
};

static int tls_peer_idx = -1; /* set once, before the edge's thread starts */

static struct tls_peer *tls_peer_of(SSL *ssl)
{
	return SSL_get_ex_data(ssl, tls_peer_idx);
}

static void tls_destroy(void *p)
{
	struct tls *t = p;

	SSL_CTX_free(t->accept);
	SSL_CTX_free(t->dial);
	mem_deref(t->certs);
}

static int PRINTF_LIKE(3, 4) tls_fault(char **whyp, int err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (whyp)
		*whyp = base_dup(text, strlen(text));
	ERR_clear_error();
	return err;
}

/* ---- whom we believe ---- */

/* May a certificate of the chain stand for a SIP domain? No extended key usage, any,
 * sipDomain, server. DEVIATES: RFC 5924 §4 and RFC 5246 want another purpose of a client's
 * certificate, but public authorities give up issuing any for clients: every peer that shows
 * its ordinary certificate needs this. */
static bool tls_purpose(X509 *cert, bool of_client)
{
	uint32_t known = X509_get_extended_key_usage(cert);
	EXTENDED_KEY_USAGE *eku;
	bool sip_domain = false;
	char oid[64];

	if (known == UINT32_MAX || known & (XKU_ANYEKU | XKU_SSL_SERVER) ||
	    (of_client && known & XKU_SSL_CLIENT))
		return true;
	eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku) && !sip_domain; i++) {
		OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(eku, i), 1);
		sip_domain = !strcmp(oid, TLS_OID_SIP_DOMAIN);
	}
	EXTENDED_KEY_USAGE_free(eku);
	return sip_domain;
}

static int tls_verify(int ok, X509_STORE_CTX *ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_peer *peer = tls_peer_of(ssl);
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	int depth = X509_STORE_CTX_get_error_depth(ctx);
	int error = X509_STORE_CTX_get_error(ctx);

	/* The trust file may bring revocation lists of some authorities; the others are
	 * not missed. */
	if (!ok && error == X509_V_ERR_UNABLE_TO_GET_CRL) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (ok && !tls_purpose(cert, peer->server)) {
		error = X509_V_ERR_INVALID_PURPOSE;
		ok = 0;
	} else if (ok && !depth && !peer->server && !cert_covers(cert, peer->domain) &&
		   !(peer->host && cert_covers(cert, peer->host))) {
		error = X509_V_ERR_HOSTNAME_MISMATCH;
		ok = 0;
	}
	if (!ok) {
		X509_STORE_CTX_set_error(ctx, error);
		tls_why_verify(peer->why, error, depth, cert);
	}
	return ok;
}

/* The authorities' certificates, and revocation lists if the file has some. */
static int tls_trust_load(X509_STORE **storep, const char *file)
{
	X509_STORE *store = X509_STORE_new();
	X509_LOOKUP *lookup;
	STACK_OF(X509_OBJECT) * objects;
	int n, err = 0;

	if (!store)
		return ENOMEM;
	lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	n = lookup ? X509_load_cert_crl_file(lookup, file, X509_FILETYPE_PEM) : 0;
	if (n <= 0) {
		err = EINVAL;
		goto out;
	}
	objects = X509_STORE_get0_objects(store);
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++)
		if (X509_OBJECT_get_type(sk_X509_OBJECT_value(objects, i)) ==
		    X509_LU_CRL) {
			X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
			break;
		}
out:
	ERR_clear_error();
	if (err)
		X509_STORE_free(store);
	else
		*storep = store;
	return err;
}

/* Fills `t` with the stamp of the trust file; true when it is another than before. */
static bool tls_trust_changed(struct tls *t)
{
	struct stat st;

	if (!t->config->sip_trust || stat(t->config->sip_trust, &st))
		return false;
	if (st.st_ino == t->trust_ino && st.st_size == t->trust_size &&
	    st.st_mtim.tv_sec == t->trust_mtime.tv_sec &&
	    st.st_mtim.tv_nsec == t->trust_mtime.tv_nsec)
		return false;
	t->trust_ino = st.st_ino;
	t->trust_size = st.st_size;
	t->trust_mtime = st.st_mtim;
	return true;
}

static int tls_trust_set(struct tls *t, char **whyp)
{
	X509_STORE *store;
	int err;

	if (!t->config->sip_trust) {
		if (SSL_CTX_set_default_verify_paths(t->accept) == 1 &&
		    SSL_CTX_set_default_verify_paths(t->dial) == 1)
			return 0;
		return tls_fault(whyp, EINVAL,
				 "the system's certificate authorities cannot be read");
	}
	(void)tls_trust_changed(t);
	err = tls_trust_load(&store, t->config->sip_trust);
	if (err)
		return tls_fault(
			whyp, err,
			"%s holds no certificate authority; a PEM file with those that SIP peers are "
			"certified by would be right",
			t->config->sip_trust);
	SSL_CTX_set1_cert_store(t->accept, store);
	SSL_CTX_set1_cert_store(t->dial, store);
	X509_STORE_free(store);
	return 0;
}

/* ---- what we show ---- */

static int tls_sni(SSL *ssl, int *alert, void *arg)
{
	struct tls *t = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct site_config *site = name ? config_site_find(t->config, name) : NULL;

	(void)alert;
	if (!site || !site->certificate)
		return SSL_TLSEXT_ERR_NOACK;
	tls_peer_of(ssl)->site = site->domain;
	return SSL_TLSEXT_ERR_OK;
}

static int tls_cert(SSL *ssl, void *arg)
{
	struct tls *t = arg;
	struct tls_peer *peer = tls_peer_of(ssl);
	int err = cert_store_use(t->certs, ssl, peer->site, peer->server);

	/* As a client we go on without one: the peer's policy decides. */
	return !err || (!peer->server && err == ENOENT);
}

static SSL_CTX *tls_ctx(struct tls *t, const SSL_METHOD *method, bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		return NULL;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	/* A resumed session with a client certificate costs more than a new one. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"sluss", 5);
	SSL_CTX_set_mode(ctx,
			 SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, tls_verify);
	SSL_CTX_set_verify_depth(ctx, 8);
	SSL_CTX_set_max_cert_list(ctx, 64 * 1024);
	/* tls_verify() judges the purpose. */
	SSL_CTX_set_purpose(ctx, X509_PURPOSE_ANY);
	SSL_CTX_set_cert_cb(ctx, tls_cert, t);
	if (server) {
		SSL_CTX_set_tlsext_servername_callback(ctx, tls_sni);
		SSL_CTX_set_tlsext_servername_arg(ctx, t);
	}
	return ctx;
}

static int tls_certs_load(struct tls *t, char **whyp)
{
	int err = cert_store_alloc(&t->certs);

	for (size_t i = 0; i < t->config->n_sites && !err; i++) {
		const struct site_config *s = &t->config->sitev[i];

		if (s->certificate)
			err = cert_store_add(t->certs, whyp, s->domain, s->certificate,
					     s->key);
	}
	return err;
}

int tls_alloc(struct tls **tp, char **whyp, const struct config *config)
{
	struct tls *t = mem_zalloc(sizeof(*t), tls_destroy);
	int err;

	if (!t)
		return ENOMEM;
	t->config = config;
	if (tls_peer_idx < 0)
		tls_peer_idx = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	t->accept = tls_ctx(t, TLS_server_method(), true);
	t->dial = tls_ctx(t, TLS_client_method(), false);
	err = !t->accept || !t->dial || tls_peer_idx < 0 ? ENOMEM : 0;
	if (!err)
		err = tls_certs_load(t, whyp);
	if (!err)
		err = tls_trust_set(t, whyp);
	if (err)
		mem_deref(t);
	else
		*tp = t;
	return err;
}

/* `said` (may be NULL) gets why not. */
static unsigned tls_trust_again(struct tls *t, char *said, size_t size)
{
	char *why = NULL;

	if (tls_trust_set(t, &why)) {
		log_err(NULL, "edge.trust_not_reloaded", "why=%s in_service=old",
			LQ(why));
		if (said)
			snprintf(said, size, "%s", why ? why : "out of memory");
		mem_deref(why);
		return 0;
	}
	log_info(NULL, "edge.trust_reloaded", "file=%s", LQ(t->config->sip_trust));
	return 1;
}

unsigned tls_poll(struct tls *t)
{
	unsigned n = cert_store_poll(t->certs);

	return tls_trust_changed(t) ? n + tls_trust_again(t, NULL, 0) : n;
}

void tls_reload(struct tls *t, char *why, size_t size)
{
	why[0] = '\0';
	(void)cert_store_reload(t->certs);
	if (t->config->sip_trust)
		(void)tls_trust_again(t, why, size);
}

void tls_listen(struct tls *t, cert_news_h *h, void *arg)
{
	cert_store_listen(t->certs, h, arg);
}

int tls_ssl_alloc(SSL **sslp, struct tls *t, struct tls_peer *peer)
{
	SSL *ssl = SSL_new(peer->server ? t->accept : t->dial);
	const char *sni = peer->host ? peer->host : peer->domain;

	if (!ssl || SSL_set_ex_data(ssl, tls_peer_idx, peer) != 1 ||
	    (!peer->server &&
	     SSL_set_tlsext_host_name(ssl, (void *)(uintptr_t)sni) != 1)) {
		SSL_free(ssl);
		ERR_clear_error();
		return ENOMEM;
	}
	if (peer->server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	*sslp = ssl;
	return 0;
}

int tls_names(char **namesp, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	char names[2048] = "", *copy;

	if (cert)
		cert_names(cert, names, sizeof(names));
	for (char *c = names; *c; c++)
		if (*c == ' ')
			*c = '/';
	copy = base_dup(names, strlen(names));
	if (!copy)
		return ENOMEM;
	*namesp = copy;
	return 0;
}
