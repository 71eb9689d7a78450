/* webrtc/http/tls.c - TLS of the https listeners: each site's certificate by the name the client asks for,
 * read again when its files change.
 *
 * Web thread (loaded before it runs). Called by callback.c when lws has made its SSL_CTX, and by OpenSSL in
 * each handshake; stands on lib/cert.h. TLS 1.2 and 1.3, no renegotiation, no resumption: a session must
 * not outlive its certificate, and one context serves all sites. RFC 6066 §3, RFC 9325. */
#include "gateway/addr.h"
#include "lib/cert.h"
#include "lib/log.h"
#include "webrtc/http/own.h"

struct tls {
	const struct config *config;
	struct cert_store *store;
};

static void tls_destructor(void *arg)
{
	struct tls *t = arg;

	mem_deref(t->store);
}

int web_tls_alloc(struct tls **tp, char **whyp, const struct config *config)
{
	struct tls *t = mem_zalloc(sizeof(*t), tls_destructor);
	int err;

	if (!t)
		return ENOMEM;
	t->config = config;
	err = cert_store_alloc(&t->store);
	for (size_t i = 0; !err && i < config->n_sites; i++) {
		const struct site_config *site = &config->sitev[i];

		if (site->certificate)
			err = cert_store_add(t->store, whyp, site->domain,
					     site->certificate, site->key);
		if (!err && site->idp && (site->certificate || site->idp_certificate))
			err = cert_store_add(t->store, whyp, site->idp_host,
					     site->idp_certificate ? site->idp_certificate
								   : site->certificate,
					     site->idp_key ? site->idp_key : site->key);
	}
	if (err)
		mem_deref(t);
	else
		*tp = t;
	return err;
}

/* A name that is none of our sites gets an alert that says so, not a certificate of somebody else. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls *t = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	char host[ADDR_HOST_MAX + 1];

	if (!name)
		return SSL_TLSEXT_ERR_NOACK;
	if (!addr_host_parse(host, name, strlen(name)) &&
	    (config_site_find(t->config, host) || config_idp_find(t->config, host)))
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int on_certificate(SSL *ssl, void *arg)
{
	struct tls *t = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	return !cert_store_use(t->store, ssl, name, !name);
}

int web_tls_install(struct tls *t, SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
					 SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, t);
	SSL_CTX_set_cert_cb(ctx, on_certificate, t);
	return SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 ? 0
										: EINVAL;
}

unsigned web_tls_poll(struct tls *t)
{
	return cert_store_poll(t->store);
}

void web_tls_reload(struct tls *t)
{
	(void)cert_store_reload(t->store);
}

void web_tls_listen(struct tls *t, cert_news_h *h, void *arg)
{
	cert_store_listen(t->store, h, arg);
}
