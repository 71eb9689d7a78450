/* tests/bench/tls_proxy.c - the bare TLS proxy that the edge is measured against: poll, OpenSSL, one
 * buffer; TLS connections in, one plain TCP connection out for each. No framing, no checks, no limits.
 *   tls_proxy CERT KEY CAFILE LISTEN-PORT TARGET-PORT        (all on 127.0.0.1) */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAIRS = 256 };
static struct pollfd fds[1 + 2 * PAIRS];
static SSL *ssl[PAIRS];
static char buf[32768];

static void pair_close(int i)
{
	SSL_free(ssl[i]);
	ssl[i] = NULL;
	close(fds[1 + 2 * i].fd), close(fds[2 + 2 * i].fd);
	fds[1 + 2 * i].fd = fds[2 + 2 * i].fd = -1;
}

static void pair_open(int i, int fd, SSL_CTX *ctx, const struct sockaddr_in *target)
{
	int on = 1, out = socket(AF_INET, SOCK_STREAM, 0);

	ssl[i] = SSL_new(ctx);
	SSL_set_fd(ssl[i], fd);
	fds[1 + 2 * i] = (struct pollfd){.fd = fd, .events = POLLIN};
	fds[2 + 2 * i] = (struct pollfd){.fd = out, .events = POLLIN};
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(out, (const struct sockaddr *)target, sizeof(*target)) ||
	    SSL_accept(ssl[i]) != 1)
		pair_close(i);
}

static void pair_move(int i)
{
	int n = 1;

	if (fds[1 + 2 * i].revents) {
		do
			n = SSL_read(ssl[i], buf, sizeof(buf));
		while (n > 0 && write(fds[2 + 2 * i].fd, buf, (size_t)n) == n &&
		       SSL_pending(ssl[i]));
	} else if (fds[2 + 2 * i].revents) {
		n = (int)read(fds[2 + 2 * i].fd, buf, sizeof(buf));
		if (n > 0)
			n = SSL_write(ssl[i], buf, n);
	}
	if (n <= 0)
		pair_close(i);
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
			   to = sa;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 6 || SSL_CTX_use_certificate_chain_file(ctx, argv[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[2], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, argv[3], NULL) != 1)
		return 2;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_purpose(ctx, X509_PURPOSE_ANY);
	sa.sin_port = htons((uint16_t)strtoul(argv[4], NULL, 10));
	to.sin_port = htons((uint16_t)strtoul(argv[5], NULL, 10));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 64))
		return 2;
	for (int i = 1; i <= 2 * PAIRS; i++)
		fds[i].fd = -1;
	fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	while (poll(fds, 1 + 2 * PAIRS, -1) >= 0) {
		for (int i = 0; i < PAIRS; i++)
			if (ssl[i] && (fds[1 + 2 * i].revents || fds[2 + 2 * i].revents))
				pair_move(i);
		for (int i = 0; i < PAIRS && fds[0].revents; i++)
			if (!ssl[i]) {
				pair_open(i, accept(fd, NULL, NULL), ctx, &to);
				break;
			}
	}
	return 1;
}
