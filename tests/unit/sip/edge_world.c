/* edge_world.c - see edge_world.h. */
#include "tests/unit/sip/edge_world.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <strings.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/log.h"

/* ---- certificates ---- */

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static X509 *certify(EVP_PKEY **keyp, const char *cn, X509 *issuer, EVP_PKEY *issuer_key,
		     int from_days, int to_days)
{
	static long serial = 1;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	assert_non_null(key);
	assert_non_null(x);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), from_days * 86400L - 60);
	X509_gmtime_adj(X509_getm_notAfter(x), to_days * 86400L - 60);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const uint8_t *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	if (!issuer_key || issuer != NULL)
		extend(x, issuer ? issuer : x, NID_subject_key_identifier, "hash");
	(void)issuer_key;
	*keyp = key;
	return x;
}

static X509 *make_ca(EVP_PKEY **keyp, const char *cn, X509 *issuer, EVP_PKEY *issuer_key)
{
	X509 *x = certify(keyp, cn, issuer, issuer_key, -100, 100);

	extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
	extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	assert_true(X509_sign(x, issuer_key ? issuer_key : *keyp, EVP_sha256()) > 0);
	return x;
}

const char *world_path(char buf[128], const struct edge_world *w, const char *name,
		       const char *end)
{
	snprintf(buf, 128, "%s/%s%s", w->dir, name, end);
	return buf;
}

static void san(char *out, size_t size, const char *names)
{
	char copy[512], *save = NULL, *item;

	*out = '\0';
	snprintf(copy, sizeof(copy), "%s", names);
	for (item = strtok_r(copy, " ", &save); item; item = strtok_r(NULL, " ", &save))
		snprintf(out + strlen(out), size - strlen(out), "%s%s%s", *out ? "," : "",
			 strncmp(item, "dns:", 4) ? "URI:" : "DNS:",
			 strncmp(item, "dns:", 4) ? item : item + 4);
}

void world_cert(struct edge_world *w, const char *name, const struct world_cert *c)
{
	X509 *issuer = c->by == WORLD_FOREIGN        ? w->other
		       : c->by == WORLD_INTERMEDIATE ? w->inter
						     : w->ca;
	EVP_PKEY *issuer_key = c->by == WORLD_FOREIGN        ? w->other_key
			       : c->by == WORLD_INTERMEDIATE ? w->inter_key
							     : w->ca_key;
	char path[128], next[140], names[600];
	EVP_PKEY *key;
	X509 *x;
	FILE *f;

	x = certify(&key, name, issuer, issuer_key, c->from_days ? c->from_days : -1,
		    c->to_days ? c->to_days : 90);
	if (c->names) {
		san(names, sizeof(names), c->names);
		extend(x, issuer, NID_subject_alt_name, names);
	}
	if (c->eku)
		extend(x, issuer, NID_ext_key_usage, c->eku);
	assert_true(X509_sign(x, issuer_key, EVP_sha256()) > 0);
	/* Written beside and moved, the key first, as an operator's tool would. */
	for (int chain = 0; chain < 2; chain++) {
		world_path(path, w, name, chain ? ".pem" : ".key");
		snprintf(next, sizeof(next), "%s.new", path);
		f = fopen(next, "w");
		assert_non_null(f);
		if (chain) {
			PEM_write_X509(f, x);
			if (c->by == WORLD_INTERMEDIATE)
				PEM_write_X509(f, w->inter);
		} else {
			PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
		}
		fclose(f);
		assert_int_equal(rename(next, path), 0);
	}
	X509_free(x);
	EVP_PKEY_free(key);
}

/* ---- the world ---- */

static void write_trust(struct edge_world *w)
{
	char path[128];
	FILE *f = fopen(world_path(path, w, "trust", ".pem"), "w");

	assert_non_null(f);
	PEM_write_X509(f, w->ca);
	fclose(f);
	w->config.sip_trust = base_dup(path, strlen(path));
}

void world_make(struct edge_world *w)
{
	static const char *const domains[2] = {"alpha.test", "gamma.test"};
	char path[128], names[128];

	memset(w, 0, sizeof(*w));
	snprintf(w->dir, sizeof(w->dir), "/tmp/edge-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->ca = make_ca(&w->ca_key, "Test authority", NULL, NULL);
	w->other = make_ca(&w->other_key, "Nobody's authority", NULL, NULL);
	w->inter = make_ca(&w->inter_key, "Intermediate", w->ca, w->ca_key);
	write_trust(w);
	for (size_t i = 0; i < config_limits_n; i++)
		memcpy((char *)&w->config.limits + config_limits[i].offset,
		       &config_limits[i].def, sizeof(uint32_t));
	for (size_t i = 0; i < 2; i++) {
		snprintf(names, sizeof(names), "dns:%s", domains[i]);
		world_cert(w, domains[i],
			   &(struct world_cert){.names = names,
						.eku = "serverAuth",
						.by = WORLD_INTERMEDIATE});
		strcpy(w->sitev[i].domain, domains[i]);
		world_path(path, w, domains[i], ".pem");
		w->sitev[i].certificate = base_dup(path, strlen(path));
		world_path(path, w, domains[i], ".key");
		w->sitev[i].key = base_dup(path, strlen(path));
		sa_set_str(&w->sipv[i].sa, "127.0.0.1", 0);
		w->sipv[i].transport = i ? TRANSPORT_TCP : TRANSPORT_TLS;
	}
	world_cert(w, "beta.test",
		   &(struct world_cert){.names = "dns:beta.test", .eku = "serverAuth"});
	w->config.sitev = w->sitev;
	w->config.n_sites = 2;
	w->config.sipv = w->sipv;
	w->config.n_sip = 2;
	w->config.peerv = w->peerv;
	w->config.sip_loopback = true;
	w->config.limits.sip_target_s = 1;
}

void world_peer(struct edge_world *w, const char *domain, enum transport transport,
		uint16_t port)
{
	struct peer_config *p = &w->peerv[w->config.n_peers++];

	assert_true(w->config.n_peers <= N_ELEMS(w->peerv));
	strcpy(p->domain, domain);
	p->has_address = true;
	p->address.transport = transport;
	sa_set_str(&p->address.sa, "127.0.0.1", port);
}

void world_start(struct edge_world *w)
{
	uint16_t port;
	char *why = NULL;
	int err;

	w->sofia_fd = stream_listen(&port);
	assert_int_equal(mailbox_alloc(&w->events, "test", sizeof(struct edge_event),
				       65536, NULL, NULL, NULL),
			 0);
	err = edge_alloc(&w->edge, &why, &w->config, WORLD_SECRET, w->events);
	if (err)
		fail_msg("%d: %s", err, why);
	assert_int_equal(edge_start(w->edge, port), 0);
}

void world_end(struct edge_world *w)
{
	struct edge_order stop = {.kind = EDGE_STOP};
	struct edge_event ev;
	char command[100];

	if (w->edge) {
		assert_int_equal(edge_post(w->edge, &stop), 0);
		world_event(w, EDGE_STOPPED, &ev);
		edge_free(&w->edge);
		mailbox_free(&w->events);
		close(w->sofia_fd);
	}
	for (size_t i = 0; i < 2; i++) {
		mem_deref(w->sitev[i].certificate);
		mem_deref(w->sitev[i].key);
	}
	mem_deref(w->config.sip_trust);
	X509_free(w->ca);
	X509_free(w->other);
	X509_free(w->inter);
	EVP_PKEY_free(w->ca_key);
	EVP_PKEY_free(w->other_key);
	EVP_PKEY_free(w->inter_key);
	snprintf(command, sizeof(command), "rm -r %s", w->dir);
	assert_int_equal(system(command), 0);
}

uint16_t world_port(const struct edge_world *w, size_t listener)
{
	return edge_outer_port(w->edge, listener);
}

void world_event(struct edge_world *w, enum edge_event_kind kind, struct edge_event *ev)
{
	do {
		assert_int_equal(mailbox_wait(w->events, ev), 0);
	} while (ev->kind != kind);
}

struct edge_stats world_stats(const struct edge_world *w)
{
	struct edge_stats st;

	edge_stats(w->edge, &st);
	return st;
}

/* ---- streams ---- */

static void patience(int fd)
{
	struct timeval tv = {.tv_sec = 10};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

void stream_dial(struct stream *s, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	memset(s, 0, sizeof(*s));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	patience(s->fd);
	assert_int_equal(connect(s->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
}

int stream_listen(uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 16), 0);
	getsockname(fd, (struct sockaddr *)&sin, &len);
	patience(fd);
	*port = ntohs(sin.sin_port);
	return fd;
}

void stream_accept(struct stream *s, int fd)
{
	memset(s, 0, sizeof(*s));
	s->fd = accept(fd, NULL, NULL);
	if (s->fd < 0)
		fail_msg("nobody connected");
	patience(s->fd);
}

bool stream_distrusts;

static int distrust(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	return 0;
}

int stream_tls(struct stream *s, const struct edge_world *w, bool server,
	       const char *name, const char *sni)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	char path[128];
	int r;

	assert_int_equal(SSL_CTX_load_verify_file(ctx, w->config.sip_trust), 1);
	/* The edge's certificates are for servers; as in the field, they are shown to
	 * servers too. */
	SSL_CTX_set_purpose(ctx, X509_PURPOSE_ANY);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, stream_distrusts ? distrust : NULL);
	if (name) {
		assert_int_equal(SSL_CTX_use_certificate_chain_file(
					 ctx, world_path(path, w, name, ".pem")),
				 1);
		assert_int_equal(
			SSL_CTX_use_PrivateKey_file(
				ctx, world_path(path, w, name, ".key"), SSL_FILETYPE_PEM),
			1);
	}
	s->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(s->ssl, s->fd);
	if (sni)
		SSL_set_tlsext_host_name(s->ssl, sni);
	ERR_clear_error();
	r = server ? SSL_accept(s->ssl) : SSL_connect(s->ssl);
	if (r == 1)
		return 0;
	r = ERR_GET_REASON(ERR_peek_error());
	ERR_clear_error();
	return r ? r : -1;
}

void peer_dial(struct stream *s, struct edge_world *w, const char *cert, const char *sni)
{
	int r;

	stream_dial(s, world_port(w, 0));
	r = stream_tls(s, w, false, cert, sni);
	if (r)
		fail_msg("handshake: %s",
			 ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, r)));
}

void stream_send(struct stream *s, const char *fmt, ...)
{
	static char text[262144];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	if (s->ssl)
		assert_int_equal(SSL_write(s->ssl, text, n), n);
	else
		assert_int_equal(send(s->fd, text, (size_t)n, MSG_NOSIGNAL), n);
}

/* More bytes. 0 at the end. */
static int fill(struct stream *s)
{
	int n, room = (int)(sizeof(s->buf) - 1 - s->n);

	ERR_clear_error();
	errno = 0;
	n = s->ssl ? SSL_read(s->ssl, s->buf + s->n, room)
		   : (int)recv(s->fd, s->buf + s->n, (size_t)room, 0);
	if (n > 0) {
		s->n += (size_t)n;
		s->buf[s->n] = '\0';
		return n;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		fail_msg("silence; so far: %s", s->buf);
	return 0;
}

bool stream_read(struct stream *s, char *text)
{
	for (;;) {
		char *end;

		while (s->n >= 2 && !memcmp(s->buf, "\r\n", 2)) {
			s->n -= 2;
			memmove(s->buf, s->buf + 2, s->n + 1);
		}
		end = s->n ? strstr(s->buf, "\r\n\r\n") : NULL;
		if (end) {
			char length[WORLD_TEXT];
			size_t n = (size_t)(end + 4 - s->buf);

			n += (size_t)atoi(
				sip_header(length, s->buf, "Content-Length", 0));
			if (s->n >= n) {
				assert_true(n < WORLD_TEXT);
				memcpy(text, s->buf, n);
				text[n] = '\0';
				s->n -= n;
				memmove(s->buf, s->buf + n, s->n + 1);
				return true;
			}
		}
		if (!fill(s))
			return false;
	}
}

void stream_expect_end(struct stream *s)
{
	while (fill(s))
		;
	if (s->n)
		fail_msg("before the end: %s", s->buf);
}

void stream_close(struct stream *s)
{
	SSL_free(s->ssl);
	close(s->fd);
	s->ssl = NULL;
	s->fd = -1;
}

void stream_reset(struct stream *s)
{
	struct linger linger = {.l_onoff = 1};

	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	SSL_free(s->ssl);
	close(s->fd);
	s->ssl = NULL;
}

const char *sip_header(char *value, const char *text, const char *name, unsigned i)
{
	const char *p = text, *end = strstr(text, "\r\n\r\n");
	size_t n = strlen(name);

	*value = '\0';
	while ((p = strstr(p, "\r\n")) && p < end) {
		p += 2;
		if (strncasecmp(p, name, n) || p[n] != ':' || i--)
			continue;
		p += n + 1;
		while (*p == ' ')
			p++;
		snprintf(value, WORLD_TEXT, "%.*s", (int)(strstr(p, "\r\n") - p), p);
		break;
	}
	return value;
}

void expect_reason(const char *text, const char *words)
{
	char value[WORLD_TEXT];

	if (strncmp(text, "SIP/2.0 503 ", 12))
		fail_msg("no 503: %s", text);
	sip_header(value, text, "Reason", 0);
	if (strncmp(value, "X-EDGE;cause=503;text=\"", 23) || !strstr(value, words))
		fail_msg("Reason: %s\nwanted: %s", value, words);
}
