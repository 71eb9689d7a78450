/* tests/unit/webrtc/web_peer.c - see web_peer.h. */
#include "tests/unit/webrtc/web_peer.h"
#include "lib/clock.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <setjmp.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { WAIT_MS = 10000, TURN_MS = 5 };

void (*web_idle_h)(void);

/* ---- the server ---- */

static unsigned free_port(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	close(fd);
	return ntohs(sin.sin_port);
}

void web_file(const struct web *w, const char *name, const void *p, size_t n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

void web_certificate(const struct web *w, const char *domain)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *ext;
	char text[300];
	FILE *f;

	X509_set_version(x, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), clock_us());
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const uint8_t *)domain, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	snprintf(text, sizeof(text), "DNS:%s", domain);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	X509_sign(x, key, EVP_sha256());
	snprintf(text, sizeof(text), "%s/%s.key", w->dir, domain);
	f = fopen(text, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	snprintf(text, sizeof(text), "%s/%s.pem", w->dir, domain);
	f = fopen(text, "w");
	PEM_write_X509(f, x);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static char *file_of(const struct web *w, const char *domain, const char *ending)
{
	char text[400];

	snprintf(text, sizeof(text), "%s/%s.%s", w->dir, domain, ending);
	return base_dup(text, strlen(text));
}

void web_init(struct web *w, bool tls)
{
	static const char *const domains[] = {"alpha.localhost", "beta.localhost"};
	char path[80];

	memset(w, 0, sizeof(*w));
	snprintf(w->dir, sizeof(w->dir), "/tmp/test_web.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(path, sizeof(path), "%s/phone", w->dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/sdk", w->dir);
	mkdir(path, 0755);
	for (size_t i = 0; i < config_limits_n; i++)
		*(uint32_t *)(void *)((char *)&w->config.limits +
				      config_limits[i].offset) = config_limits[i].def;
	for (size_t i = 0; i < N_ELEMS(domains); i++) {
		snprintf(w->sitev[i].domain, sizeof(w->sitev[i].domain), "%s",
			 domains[i]);
		if (!tls)
			continue;
		web_certificate(w, domains[i]);
		w->sitev[i].certificate = file_of(w, domains[i], "pem");
		w->sitev[i].key = file_of(w, domains[i], "key");
	}
	w->port = free_port();
	w->host = domains[0];
	sa_set_str(&w->listen.sa, "127.0.0.1", (uint16_t)w->port);
	w->listen.plain = !tls;
	w->config.sitev = w->sitev;
	w->config.n_sites = 2;
	w->config.httpv = &w->listen;
	w->config.n_http = 1;
	w->config.web_root = w->dir;
}

void web_open(struct web *w)
{
	char *why = NULL;

	assert_int_equal(mailbox_alloc(&w->up, "test", sizeof(struct web_up), 4096,
				       web_up_clear, NULL, NULL),
			 0);
	if (web_server_alloc(&w->server, &why, &w->config, w->up))
		fail_msg("%s", why ? why : "no memory");
}

void web_post(struct web *w, struct web_down *down)
{
	assert_int_equal(mailbox_post_or_clear(web_server_mailbox(w->server), down), 0);
}

struct taking {
	struct web_up *up;
	bool taken;
};

static void take(const void *msg, void *arg)
{
	struct taking *t = arg;

	*t->up = *(const struct web_up *)msg;
	t->taken = true;
}

static bool take_one(struct web *w)
{
	struct taking t = {.up = &w->last};

	do { /* news of the certificates come at the start and answer nothing */
		web_up_clear(&w->last);
		w->last.kind = WEB_STOPPED;
		t.taken = false;
		mailbox_drain(w->up, 1, take, &t);
	} while (t.taken && w->last.kind == WEB_CERT);
	return t.taken;
}

const struct web_up *web_expect_any(struct web *w)
{
	uint64_t until = clock_us() + WAIT_MS * 1000ull;

	while (!take_one(w)) {
		if (clock_us() > until)
			fail_msg("no message came for %d ms", WAIT_MS);
		poll(NULL, 0, 1);
	}
	return &w->last;
}

const struct web_up *web_expect(struct web *w, enum web_up_kind kind)
{
	web_expect_any(w);
	if (w->last.kind != kind)
		fail_msg("%s instead of %s", web_up_name(w->last.kind),
			 web_up_name(kind));
	return &w->last;
}

bool web_quiet(struct web *w)
{
	struct mailbox_stats stats;

	mailbox_stats(w->up, &stats);
	return !stats.n_now;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void web_close(struct web *w)
{
	struct web_down stop = {.kind = WEB_STOP};

	(void)mailbox_post_or_clear(web_server_mailbox(w->server),
				    &stop); /* may have been told already */
	do {
		uint64_t until = clock_us() + WAIT_MS * 1000ull;

		while (!take_one(w)) {
			assert_true(clock_us() < until);
			poll(NULL, 0, 1);
		}
	} while (w->last.kind != WEB_STOPPED);
	mem_deref(w->server);
	mailbox_free(&w->up);
	for (size_t i = 0; i < 2; i++) {
		mem_deref(w->sitev[i].certificate);
		mem_deref(w->sitev[i].key);
	}
	web_remove(w);
}

void web_remove(struct web *w)
{
	nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the client ---- */

static int connect_fd(const struct web *w)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons((uint16_t)w->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

struct client *client_open(const struct web *w)
{
	struct client *c = calloc(1, sizeof(*c));

	c->fd = connect_fd(w);
	return c;
}

static void on_info(const SSL *ssl, int where, int ret)
{
	if (where == SSL_CB_READ_ALERT)
		*(int *)SSL_get_app_data(ssl) = ret & 0xff;
}

struct client *client_open_tls(const struct web *w, const char *sni, int *alertp)
{
	struct client *c = client_open(w);
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int none;

	SSL_CTX_set_info_callback(ctx, on_info);
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_app_data(c->ssl, alertp ? alertp : &none);
	if (sni)
		SSL_set_tlsext_host_name(c->ssl, sni);
	SSL_set_fd(c->ssl, c->fd);
	if (SSL_connect(c->ssl) != 1) {
		client_free(c);
		return NULL;
	}
	SSL_set_info_callback(c->ssl, NULL);
	return c;
}

void client_free(struct client *c)
{
	if (c->ssl)
		SSL_free(c->ssl);
	close(c->fd);
	free(c);
}

void client_send(struct client *c, const void *p, size_t n)
{
	if (c->ssl) {
		assert_int_equal(SSL_write(c->ssl, p, (int)n), n);
		return;
	}
	for (size_t at = 0; at < n;) {
		ssize_t k = send(c->fd, (const char *)p + at, n - at, MSG_NOSIGNAL);

		if (k <= 0)
			return; /* closed on us: the reading side says so */
		at += (size_t)k;
	}
}

void client_say(struct client *c, const char *text)
{
	client_send(c, text, strlen(text));
}

/* Waits for something to read; false after WAIT_MS. */
static bool wait_readable(const struct client *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	uint64_t until = clock_us() + WAIT_MS * 1000ull;

	while (poll(&p, 1, web_idle_h ? TURN_MS : WAIT_MS) <= 0) {
		if (clock_us() > until)
			return false;
		if (web_idle_h)
			web_idle_h();
	}
	return true;
}

/* More bytes into c->in; false at the end of the stream. */
static bool read_more(struct client *c)
{
	ssize_t n;

	assert_true(c->n + 1 < sizeof(c->in));
	if ((!c->ssl || !SSL_pending(c->ssl)) && !wait_readable(c))
		fail_msg("nothing came for %d ms", WAIT_MS);
	n = c->ssl ? SSL_read(c->ssl, c->in + c->n, (int)(sizeof(c->in) - 1 - c->n))
		   : recv(c->fd, c->in + c->n, sizeof(c->in) - 1 - c->n, 0);
	if (n <= 0)
		return false;
	c->n += (size_t)n;
	c->in[c->n] = '\0';
	return true;
}

static void drop(struct client *c, size_t n)
{
	memmove(c->in, c->in + n, c->n - n + 1);
	c->n -= n;
}

/* How long the response at c->in is; 0: not all there. */
static size_t response_bytes(const struct client *c, bool has_body)
{
	const char *end = strstr(c->in, "\r\n\r\n"),
		   *length = strcasestr(c->in, "\r\nContent-Length:");
	size_t n;

	if (!end)
		return 0;
	n = (size_t)(end - c->in) + 4;
	if (has_body && length && length < end)
		n += strtoul(length + 17, NULL, 10);
	return c->n >= n ? n : 0;
}

int client_try_status(struct client *c, bool has_body)
{
	size_t n;

	drop(c, c->kept);
	c->kept = 0;
	while (!(n = response_bytes(c, has_body)))
		if (!read_more(c))
			return -1;
	c->kept = n;
	assert_memory_equal(c->in, "HTTP/1.1 ", 9);
	return (int)strtol(c->in + 9, NULL, 10);
}

int client_status(struct client *c, bool has_body)
{
	int status = client_try_status(c, has_body);

	if (status < 0)
		fail_msg("closed after \"%.60s\"", c->in);
	return status;
}

bool client_has(const struct client *c, const char *text)
{
	const char *end = strstr(c->in, "\r\n\r\n"), *at = strstr(c->in, text);

	return at && at < end;
}

const char *client_body(const struct client *c)
{
	return strstr(c->in, "\r\n\r\n") + 4;
}

size_t client_closed(struct client *c)
{
	while (read_more(c))
		;
	return c->n - c->kept;
}

void client_get(struct client *c, const struct web *w, const char *path,
		const char *lines)
{
	char text[1024];

	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: %s:%u\r\n%s\r\n", path,
		 w->host, w->port, lines ? lines : "");
	client_say(c, text);
}

void client_post(struct client *c, const struct web *w, const char *path,
		 const char *lines, const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "POST %s HTTP/1.1\r\nHost: %s:%u\r\nContent-Length: %zu\r\n%s\r\n%s",
		 path, w->host, w->port, strlen(body), lines ? lines : "", body);
	client_say(c, text);
}

/* ---- WebSocket ---- */

void client_ws(struct client *c, struct web *w, const char *lines)
{
	char text[1024];

	snprintf(
		text, sizeof(text),
		"Origin: http%s://%s:%u\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Protocol: sluss.v1\r\n%s",
		c->ssl ? "s" : "", w->host, w->port, lines ? lines : "");
	client_get(c, w, "/ws", text);
	assert_int_equal(client_status(c, false), 101);
	assert_true(client_has(c, "Sec-WebSocket-Protocol: sluss.v1\r\n"));
	assert_true(
		client_has(c, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_false(client_has(c, "Sec-WebSocket-Extensions"));
}

void client_frame(struct client *c, uint8_t head, const void *p, size_t n)
{
	uint8_t *frame = malloc(n + 14);
	size_t at = 0;

	frame[at++] = head;
	if (n < 126) {
		frame[at++] = (uint8_t)(0x80 | n);
	} else if (n < 65536) {
		frame[at++] = 0x80 | 126;
		frame[at++] = (uint8_t)(n >> 8);
		frame[at++] = (uint8_t)n;
	} else {
		frame[at++] = 0x80 | 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			frame[at++] = (uint8_t)((uint64_t)n >> shift);
	}
	memcpy(frame + at, "\x11\x22\x33\x44", 4);
	for (size_t i = 0; i < n; i++)
		frame[at + 4 + i] = ((const uint8_t *)p)[i] ^ frame[at + i % 4];
	client_send(c, frame, at + 4 + n);
	free(frame);
}

void client_text(struct client *c, const char *text)
{
	client_frame(c, 0x81, text, strlen(text));
}

int client_hear(struct client *c, const char **p, size_t *n)
{
	const uint8_t *f = (const uint8_t *)c->in;
	size_t head, len;

	drop(c, c->kept);
	c->kept = 0;
	for (;;) {
		head = 2;
		len = c->n >= 2 ? f[1] & 0x7f : 0;
		if (len == 126) {
			head = 4;
			len = c->n >= 4 ? (size_t)f[2] << 8 | f[3] : 0;
		} else if (len == 127) {
			head = 10;
			len = c->n >= 10
				      ? (size_t)f[6] << 24 | f[7] << 16 | f[8] << 8 | f[9]
				      : 0;
		}
		if (c->n >= head && c->n >= head + len)
			break;
		if (!read_more(c))
			return -1;
	}
	c->kept = head + len;
	*p = c->in + head;
	*n = len;
	return f[0] & 0xf;
}

void client_hear_close(struct client *c, unsigned code)
{
	const char *p = "";
	size_t n = 0;
	int op;

	do {
		op = client_hear(c, &p, &n);
	} while (op == 9);
	if (op != 8 || n < 2)
		fail_msg("frame %d \"%.*s\" instead of close %u", op, (int)n, p, code);
	assert_int_equal((uint8_t)p[0] << 8 | (uint8_t)p[1], code);
}
