/* tests/bench/load_stream.c - a TCP stream of the load driver, with TLS or without, non-blocking.
 *
 * One thread. Called by load_ws.c and load_sip.c; calls OpenSSL and load_loop.c. The certificates of
 * the other side are not judged here: loopback, and what is measured is the other side. */
#include "tests/bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *tls_context(const SSL_METHOD *method, const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		load_die("SSL_CTX_new failed");
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (cert && (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
		     SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1))
		load_die("cannot use %s and %s", cert, key);
	return ctx;
}

SSL_CTX *load_tls_client(const char *cert, const char *key)
{
	return tls_context(TLS_client_method(), cert, key);
}

SSL_CTX *load_tls_server(const char *cert, const char *key)
{
	return tls_context(TLS_server_method(), cert, key);
}

static void down(struct load_stream *s, const char *why)
{
	load_stream_close(s, true);
	s->ops->down(s, why);
}

static void wait_for(struct load_stream *s)
{
	load_watch_set(&s->watch, EPOLLIN | (s->connecting || s->out.n ? EPOLLOUT : 0u));
}

/* 0: go on; 1: wait; -1: it is down */
static int io_wait(struct load_stream *s, int r)
{
	int e = s->ssl ? SSL_get_error(s->ssl, r) : 0;

	ERR_clear_error();
	if (s->ssl)
		return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? 1 : -1;
	return r < 0 && (errno == EAGAIN || errno == EINTR) ? 1 : -1;
}

static int flush(struct load_stream *s)
{
	size_t done = 0;
	int state = 0;

	while (done < s->out.n && !state) {
		size_t left = s->out.n - done;
		int n = left > 65536 ? 65536 : (int)left;
		int r = s->ssl ? SSL_write(s->ssl, s->out.p + done, n)
			       : (int)send(s->watch.fd, s->out.p + done, (size_t)n,
					   MSG_NOSIGNAL);

		if (r > 0)
			done += (size_t)r;
		else
			state = io_wait(s, r);
	}
	if (done)
		load_bytes_cut(&s->out, done);
	return state;
}

static void handshake(struct load_stream *s)
{
	if (s->ssl) {
		int r = SSL_do_handshake(s->ssl);

		if (r != 1) {
			if (io_wait(s, r) < 0)
				down(s, "TLS handshake failed");
			return;
		}
	}
	s->open = true;
	s->ops->up(s);
}

static void read_all(struct load_stream *s)
{
	static char buf[32768];

	while (s->open && s->watch.fd >= 0) {
		int r = s->ssl ? SSL_read(s->ssl, buf, sizeof(buf))
			       : (int)recv(s->watch.fd, buf, sizeof(buf), 0);

		if (r <= 0) {
			if (io_wait(s, r) < 0)
				down(s, "closed by the other side");
			return;
		}
		s->ops->data(s, buf, (size_t)r);
	}
}

static void on_events(uint32_t events, void *arg)
{
	struct load_stream *s = arg;

	if (s->connecting) {
		int err = 0;
		socklen_t n = sizeof(err);

		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		getsockopt(s->watch.fd, SOL_SOCKET, SO_ERROR, &err, &n);
		err = s->err ? s->err : err;
		if (err) {
			down(s, strerror(err));
			return;
		}
		s->connecting = false;
	}
	if (!s->open)
		handshake(s);
	if (s->open)
		read_all(s);
	if (s->open && s->out.n && flush(s) < 0)
		down(s, "write failed");
	if (s->watch.fd >= 0)
		wait_for(s);
}

static void begin(struct load_stream *s, SSL_CTX *ctx, int fd)
{
	const struct load_stream_ops *ops = s->ops;
	void *arg = s->arg;
	int on = 1;

	*s = (struct load_stream){
		.watch = {.fd = fd, .h = on_events, .arg = s}, .ops = ops, .arg = arg};
	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ctx) {
		s->ssl = SSL_new(ctx);
		if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1)
			load_die("SSL_new failed");
	}
}

void load_stream_connect(struct load_stream *s, SSL_CTX *ctx,
			 const struct sockaddr_in *to, const char *sni)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		load_die("socket: %s", strerror(errno));
	begin(s, ctx, fd);
	if (s->ssl) {
		SSL_set_connect_state(s->ssl);
		SSL_set_tlsext_host_name(s->ssl, sni);
	}
	s->connecting = true;
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) && errno != EINPROGRESS)
		s->err =
			errno; /* the loop reports it: never "down" from inside this call */
	wait_for(s);
}

void load_stream_accept(struct load_stream *s, SSL_CTX *ctx, int fd)
{
	begin(s, ctx, fd);
	if (s->ssl)
		SSL_set_accept_state(s->ssl);
	else
		s->open = true;
	wait_for(s);
}

int load_listen(const struct sockaddr_in *sa)
{
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) || listen(fd, 512))
		load_die("cannot listen on port %u: %s", ntohs(sa->sin_port),
			 strerror(errno));
	return fd;
}

void load_stream_write(struct load_stream *s, const void *p, size_t n)
{
	if (s->watch.fd < 0)
		return;
	load_bytes_add(&s->out, p, n);
	/* a failure shows as an event of the loop: never "down" from inside the caller's own call */
	if (s->open)
		flush(s);
	wait_for(s);
}

void load_stream_close(struct load_stream *s, bool abrupt)
{
	struct linger lin = {.l_onoff = 1, .l_linger = 0};

	if (s->watch.fd >= 0 && abrupt)
		setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &lin, sizeof(lin));
	if (s->ssl) {
		if (s->open && !abrupt)
			SSL_shutdown(s->ssl);
		SSL_free(s->ssl);
	}
	s->ssl = NULL;
	s->open = s->connecting = false;
	load_watch_close(&s->watch);
	load_bytes_free(&s->out);
}
