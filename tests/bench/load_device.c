/* tests/bench/load_device.c - devices of the load driver: sign-in over HTTPS, hello, requests and events
 * of sluss.v1 (docs/protocol.md).
 *
 * One thread. Called by the scenarios, calls load_ws.c and jansson. */
#include "tests/bench/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OPENING_MAX = 48, REQUEST_BYTES = 65536 };

static SSL_CTX *tls;
static unsigned n_opening, n_ready;

/* ---- sign-in: blocking, before anything is measured ---- */

static void ask(const struct load_site *site, const char *req, char *answer, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	SSL *ssl = SSL_new(tls);
	int r = -1;

	if (connect(fd, (const struct sockaddr *)&site->sa, sizeof(site->sa)))
		load_die("%s: connect: %s", site->domain, strerror(errno));
	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, site->domain);
	if (SSL_connect(ssl) != 1 || SSL_write(ssl, req, (int)strlen(req)) <= 0)
		load_die("%s: TLS handshake or write failed", site->domain);
	while (n < size - 1) {
		r = SSL_read(ssl, answer + n, (int)(size - 1 - n));
		if (r <= 0)
			break;
		n += (size_t)r;
		answer[n] = '\0';
		if (strstr(answer, "\r\n\r\n") && strchr(strstr(answer, "\r\n\r\n"), '}'))
			break;
	}
	answer[n] = '\0';
	SSL_free(ssl);
	close(fd);
}

static char *token_of(const struct load_site *site, unsigned user, const char *password)
{
	char req[1024], body[256], answer[4096], *p, *end;
	int n = snprintf(body, sizeof(body),
			 "{\"user\":\"u%u\",\"password\":\"%s\",\"bearer\":true}", user,
			 password);

	snprintf(
		req, sizeof(req),
		"POST /api/v1/session HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Type: application/json\r\n"
		"Content-Length: %d\r\nConnection: close\r\n\r\n%s",
		site->origin + strlen("https://"), site->origin, n, body);
	ask(site, req, answer, sizeof(answer));
	p = strstr(answer, "\"token\":");
	p = p ? strchr(p + 8, '"') : NULL;
	end = p ? strchr(p + 1, '"') : NULL;
	if (!end)
		load_die("%s: u%u cannot sign in: %.400s", site->domain, user, answer);
	return strndup(p + 1, (size_t)(end - p - 1));
}

char **load_sign_in_each(const struct load_site *site, unsigned devices, unsigned users,
			 const char *password)
{
	char **v = calloc(devices, sizeof(*v));

	if (!v)
		load_die("out of memory");
	if (!tls)
		tls = load_tls_client(NULL, NULL);
	for (unsigned i = 0; i < devices; i++)
		v[i] = token_of(site, i % users, password);
	return v;
}

char **load_sign_in(const struct load_site *site, unsigned users, const char *password)
{
	return load_sign_in_each(site, users, users, password);
}

/* ---- requests ---- */

void load_device_send(struct load_device *d, enum load_request kind, uint32_t call,
		      const char *rest, ...)
{
	static const char *const type[] = {"",        "hello",  "ping",   "call",
					   "ringing", "accept", "answer", "reject",
					   "hangup",  "ping"};
	static char buf[REQUEST_BYTES];
	uint32_t id = d->next_id++;
	va_list ap;
	int n, m;

	if (!d->ws.upgraded)
		return;
	n = snprintf(buf, sizeof(buf), "{\"type\":\"%s\",\"id\":%u", type[kind], id);
	va_start(ap, rest);
	m = vsnprintf(buf + n, sizeof(buf) - (size_t)n, rest, ap);
	va_end(ap);
	if (m < 0 || (size_t)(n + m) + 2 > sizeof(buf))
		load_die("a request of %d bytes is too long", m);
	n += m;
	buf[n++] = '}';
	d->pending[id % LOAD_PENDING].id = id;
	d->pending[id % LOAD_PENDING].call = call;
	d->pending[id % LOAD_PENDING].kind = (uint8_t)kind;
	d->last_sent_us = load_now_us();
	load_ws_text(&d->ws, buf, (size_t)n);
}

static void on_answer(struct load_device *d, json_t *m, const char *error)
{
	uint32_t id = (uint32_t)json_integer_value(json_object_get(m, "id"));
	enum load_request kind = REQ_NONE;
	uint32_t call = 0;

	if (id && d->pending[id % LOAD_PENDING].id == id) {
		kind = d->pending[id % LOAD_PENDING].kind;
		call = d->pending[id % LOAD_PENDING].call;
	}
	if (kind != REQ_HELLO) {
		if (d->ops->reply)
			d->ops->reply(d, kind, call, error);
		return;
	}
	if (error && d->ops->refused) {
		n_opening--;
		d->ops->refused(
			d, error,
			(unsigned)json_integer_value(json_object_get(m, "retry_s")));
		return;
	}
	if (error)
		load_die("%s: hello of u%u refused: %s", d->site->domain, d->user, error);
	d->ping_s = (unsigned)json_integer_value(json_object_get(m, "ping_s"));
	d->ready = true;
	n_ready++;
	n_opening--;
	if (d->ops->ready)
		d->ops->ready(d);
}

static void on_text(struct load_ws *w, const char *p, size_t n)
{
	struct load_device *d = w->arg;
	json_error_t why;
	json_t *m = json_loadb(p, n, JSON_REJECT_DUPLICATES, &why);
	const char *type = json_string_value(json_object_get(m, "type"));

	if (!type)
		load_die("%s sent what is no message: %.*s", d->site->domain,
			 n > 200 ? 200 : (int)n, p);
	if (!strcmp(type, "ok"))
		on_answer(d, m, NULL);
	else if (!strcmp(type, "error"))
		on_answer(d, m, json_string_value(json_object_get(m, "error")));
	else
		d->ops->event(d, type, m);
	json_decref(m);
}

static void on_up(struct load_ws *w)
{
	struct load_device *d = w->arg;

	load_device_send(d, REQ_HELLO, 0,
			 ",\"version\":1,\"device\":\"load %u\",\"token\":\"%s\"%s",
			 d->index, d->token, d->resumable ? ",\"resume\":{}" : "");
}

static void on_down(struct load_ws *w, const char *why)
{
	struct load_device *d = w->arg;

	if (d->ready)
		n_ready--;
	else
		n_opening--;
	d->ready = false;
	d->ops->down(d, why);
}

static const struct load_ws_ops ws_ops = {on_up, on_text, on_down};

void load_device_connect(struct load_device *d)
{
	memset(d->pending, 0, sizeof(d->pending));
	d->next_id = 1;
	d->ready = false;
	d->ws.ops = &ws_ops;
	d->ws.arg = d;
	n_opening++;
	load_ws_connect(&d->ws, tls, d->site);
}

/* ---- many ---- */

static struct opening {
	struct load_device *v;
	unsigned n, next, base;
} opening;

static void open_more(void *arg)
{
	(void)arg;
	while (opening.next < opening.n && n_opening < OPENING_MAX)
		load_device_connect(&opening.v[opening.next++]);
	load_devices_tick(opening.v, opening.next);
	if (n_ready == opening.base + opening.n)
		load_stop();
}

void load_devices_open(struct load_device *v, unsigned n, const struct load_site *site,
		       char **tokens, unsigned users, const struct load_device_ops *ops)
{
	for (unsigned i = 0; i < n; i++) {
		v[i].site = site;
		v[i].user = i % users;
		v[i].token = tokens[i % users];
		v[i].index = i;
		v[i].ops = ops;
		v[i].ws.stream.watch.fd = -1;
	}
	opening = (struct opening){.v = v, .n = n, .base = n_ready};
	load_run(open_more, NULL);
}

void load_devices_tick(struct load_device *v, unsigned n)
{
	static uint64_t next_us;
	uint64_t now = load_now_us();

	if (now < next_us)
		return;
	next_us = now + 500000;
	for (unsigned i = 0; i < n; i++)
		if (v[i].ready && v[i].ping_s &&
		    now - v[i].last_sent_us > v[i].ping_s * 900000ull)
			load_device_send(&v[i], REQ_KEEP_ALIVE, 0, "%s", "");
}
