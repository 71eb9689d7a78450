/* sip/edge/conn_tls.c - TLS of one connection, between libuv's buffers and OpenSSL. Edge
 * thread. Called by conn.c. The BIO keeps nothing: it reads from the bytes that libuv has
 * just brought and writes into the connection's output, so that an idle connection holds
 * no buffers (SSL_MODE_RELEASE_BUFFERS frees OpenSSL's own). */
#include <openssl/err.h>

#include "lib/cert.h"
#include "lib/log.h"
#include "sip/edge/conn_internal.h"

static int conn_bio_read(BIO *bio, char *buf, int size)
{
	struct conn *c = BIO_get_data(bio);
	size_t n = size < 0 ? 0 : (size_t)size;

	BIO_clear_retry_flags(bio);
	if (!c->in_n) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (n > c->in_n)
		n = c->in_n;
	memcpy(buf, c->in, n);
	c->in += n;
	c->in_n -= n;
	return (int)n;
}

static int conn_bio_write(BIO *bio, const char *p, int n)
{
	struct conn *c = BIO_get_data(bio);
	struct mbuf *out = conn_out(c);

	BIO_clear_retry_flags(bio);
	if (n <= 0 || !out || mbuf_write_mem(out, (const uint8_t *)p, (size_t)n))
		return -1;
	conn_dirty(c);
	return n;
}

static long conn_bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

BIO_METHOD *conn_bio_alloc(void)
{
	BIO_METHOD *method =
		BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sluss");

	if (method) {
		BIO_meth_set_read(method, conn_bio_read);
		BIO_meth_set_write(method, conn_bio_write);
		BIO_meth_set_ctrl(method, conn_bio_ctrl);
	}
	return method;
}

static int conn_tls_alloc(struct conn *c)
{
	BIO *bio = BIO_new(c->cs->bio);
	int err;

	if (!bio)
		return ENOMEM;
	err = tls_ssl_alloc(&c->ssl, c->cs->tls, &c->side);
	if (err) {
		BIO_free(bio);
		return err;
	}
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(c->ssl, bio, bio);
	return 0;
}

/* Which of the names that we dialled for the certificate proves; tls_verify() saw to it
 * that one does. */
static void conn_tls_proved(struct conn *c)
{
	X509 *cert = SSL_get0_peer_certificate(c->ssl);

	if (c->dialled)
		c->proved = !c->host || (cert && cert_covers(cert, c->domain)) ? c->domain
									       : c->host;
}

static void conn_tls_fault(struct conn *c, bool handshake)
{
	char why[TLS_WHY];

	tls_why(why, &c->side, handshake, false);
	conn_event(c, CONN_FAULT, why);
}

static void conn_tls_handshake(struct conn *c)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(c->ssl);
	if (r == 1) {
		conn_tls_proved(c);
		if (tls_names(&c->names, c->ssl))
			conn_event(c, CONN_FAULT, "out of memory");
		else
			conn_event(c, CONN_SECURED, NULL);
	} else if (SSL_get_error(c->ssl, r) != SSL_ERROR_WANT_READ) {
		conn_tls_fault(c, true);
	}
}

int conn_tls_start(struct conn *c)
{
	/* Somebody who connects and says nothing shall not cost an SSL: it is made by the
	 * first bytes. */
	int err = c->dialled ? conn_tls_alloc(c) : 0;

	if (!err && c->dialled)
		conn_tls_handshake(c);
	return err;
}

void conn_tls_read(struct conn *c, const char *p, size_t n)
{
	struct conns *cs = c->cs;
	int r;

	if (!c->ssl && conn_tls_alloc(c)) {
		conn_event(c, CONN_FAULT, "out of memory");
		return;
	}
	c->in = (const uint8_t *)p;
	c->in_n = n;
	if (c->state == CONN_HANDSHAKE)
		conn_tls_handshake(c);
	while (c->state == CONN_OPEN) {
		ERR_clear_error();
		r = SSL_read(c->ssl, cs->plain, sizeof(cs->plain));
		if (r > 0) {
			if (conn_take(c, cs->plain, (size_t)r))
				break;
			continue;
		}
		r = SSL_get_error(c->ssl, r);
		if (r == SSL_ERROR_ZERO_RETURN) {
			c->peer_ended = true;
			conn_event(c, CONN_PEER_END, "it closed the connection");
		} else if (r != SSL_ERROR_WANT_READ) {
			conn_tls_fault(c, false);
		}
		break;
	}
	c->in = NULL;
	c->in_n = 0;
}

int conn_tls_send(struct conn *c, const void *p, size_t n)
{
	int r;

	ERR_clear_error();
	r = n <= INT32_MAX ? SSL_write(c->ssl, p, (int)n) : -1;
	if (r == (int)n)
		return 0;
	ERR_clear_error();
	return EPIPE;
}

void conn_tls_shut(struct conn *c)
{
	/* After a failed handshake OpenSSL has already written its alert. */
	if (c->ssl && SSL_is_init_finished(c->ssl)) {
		ERR_clear_error();
		(void)SSL_shutdown(c->ssl);
		ERR_clear_error();
	}
	/* What the peer still sends is not read any more; its good-bye is waited for without
	 * the buffers that a close_notify leaves behind (16 KiB). */
	SSL_free(c->ssl);
	c->ssl = NULL;
}
