/* webrtc/http/conn.c - one struct a connection, from accept to its end: ids, counts, caps and timeouts.
 *
 * Web thread. Called by accept.c (new ones), callback.c (lws's news), api.c and ws.c; calls lws to close.
 * lws has timeouts of its own for handshake and headers; these here are the ones that count as a whole, so
 * that a byte a second keeps nobody alive. */
#include "webrtc/http/own.h"
#include "lib/log.h"

enum { SEND_TICK_MS = 1000 };

/* Addresses are counted as whole IPv4 addresses and as IPv6 /64. */
struct addr_count {
	struct le le;
	uint8_t key[16];
	uint32_t n;
};

static void addr_key(uint8_t key[16], const struct sa *sa)
{
	memset(key, 0, 16);
	if (sa_af(sa) == AF_INET) {
		memcpy(key, &sa->u.in.sin_addr, 4);
	} else {
		uint8_t in6[16];

		sa_in6(sa, in6);
		memcpy(key, in6, 8);
	}
	key[15] = sa_af(sa) == AF_INET ? 4 : 6;
}

static bool key_is(struct le *le, void *arg)
{
	const struct addr_count *c = le->data;

	return !memcmp(c->key, arg, sizeof(c->key));
}

static void addr_count_destructor(void *arg)
{
	hash_unlink(&((struct addr_count *)arg)->le);
}

/* One reference a connection of that address. */
static int count_take(struct addr_count **cp, struct server *s, const struct sa *from)
{
	struct addr_count *count;
	uint8_t key[16];
	uint32_t h;

	addr_key(key, from);
	h = hash_joaat(key, sizeof(key));
	count = list_ledata(hash_lookup(s->addrs, h, key_is, key));
	if (count) {
		if (count->n >= s->config->limits.http_conns_per_addr)
			return EUSERS;
		mem_ref(count);
	} else {
		count = mem_zalloc(sizeof(*count), addr_count_destructor);
		if (!count)
			return ENOMEM;
		memcpy(count->key, key, sizeof(key));
		hash_append(s->addrs, h, &count->le, count);
	}
	count->n++;
	*cp = count;
	return 0;
}

static void count_give(struct addr_count *count)
{
	if (!count)
		return;
	count->n--;
	mem_deref(count);
}

static void conn_destructor(void *arg)
{
	struct conn *c = arg;

	timer_cancel(&c->timer);
	web_socket_free(c);
	web_reply_reset(&c->reply);
	mem_deref(c->body);
	count_give(c->count);
	if (c->le_all.list) {
		list_unlink(&c->le_all);
		hash_unlink(&c->le_id);
		if (!--c->server->n_conns && c->server->stopping)
			uv_stop(&c->server->loop);
	}
	list_unlink(&c->le_undelivered);
}

static bool id_is(struct le *le, void *arg)
{
	const struct conn *c = le->data;

	return c->id == *(const uint64_t *)arg;
}

struct conn *web_conn_find(const struct server *s, uint64_t id)
{
	return list_ledata(hash_lookup(s->conns, (uint32_t)id, id_is, &id));
}

struct conn *web_conn_of(struct lws *wsi)
{
	return lws_get_opaque_user_data(wsi);
}

/* ---- phases ---- */

void web_conn_kill(struct conn *c)
{
	if (!c->wsi)
		return;
	/* lws closes it when its own timers run next; server.c kicks them after every turn of ours */
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_ACK, LWS_TO_KILL_ASYNC);
	c->server->wants_lws_turn = true;
}

/* Somebody who sends on while he does not take his answer would keep the loop spinning: lws does not read
 * in that phase, and its poll is level triggered. */
static bool pushes_on(const struct conn *c)
{
	int n = 0;

	return !ioctl(c->fd, FIONREAD, &n) && n > 0;
}

static void on_timer(void *arg)
{
	struct conn *c = arg;
	uint64_t full_ms =
		(uint64_t)web_conn_timeout_s(c->phase, &c->server->config->limits) * 1000;

	if (c->phase == CONN_SENDING && !pushes_on(c) &&
	    c->reply.waited_ms + SEND_TICK_MS < full_ms) {
		c->reply.waited_ms += SEND_TICK_MS;
		timer_start(c->server->timers, &c->timer, SEND_TICK_MS, on_timer, c);
		return;
	}
	log_debug(NULL, "web.timeout", "conn=%llu phase=%s", (unsigned long long)c->id,
		  web_conn_phase_name(c->phase));
	if (c->phase == CONN_ASKED) {
		web_api_late(c);
		return;
	}
	web_conn_step(c, CONN_CLOSE);
	web_conn_kill(c);
}

void web_conn_alive(struct conn *c)
{
	c->reply.waited_ms = 0;
}

bool web_conn_step(struct conn *c, enum conn_event event)
{
	uint64_t ms;

	if (!web_conn_next(&c->phase, event)) {
		log_debug(NULL, "web.phase", "conn=%llu %s in %s: closed",
			  (unsigned long long)c->id, web_conn_event_name(event),
			  web_conn_phase_name(c->phase));
		return false;
	}
	ms = (uint64_t)web_conn_timeout_s(c->phase, &c->server->config->limits) * 1000;
	if (c->phase == CONN_SENDING) {
		c->reply.waited_ms = 0;
		ms = SEND_TICK_MS;
	}
	if (!ms)
		timer_cancel(&c->timer);
	else if (timer_start(c->server->timers, &c->timer, ms, on_timer, c))
		return false;
	return true;
}

int web_conn_alloc(struct conn **cp, struct server *s, const struct sa *from, int fd,
		   bool tls)
{
	struct conn *c;
	int err;

	if (s->n_conns >= s->config->limits.http_conns)
		return ENOSPC;
	c = mem_zalloc(sizeof(*c), conn_destructor);
	if (!c)
		return ENOMEM;
	c->server = s;
	c->from = *from;
	c->fd = fd;
	c->tls = tls;
	c->id = ++s->last_id;
	err = count_take(&c->count, s, from);
	if (!err)
		err = timer_start(
			s->timers, &c->timer,
			(uint64_t)web_conn_timeout_s(c->phase, &s->config->limits) * 1000,
			on_timer, c);
	if (err) {
		mem_deref(c);
		return err;
	}
	hash_append(s->conns, (uint32_t)c->id, &c->le_id, c);
	list_append(&s->conn_list, &c->le_all, c);
	s->n_conns++;
	*cp = c;
	return 0;
}

/* ---- the end ---- */

/* What the signalling thread has been told exists must be told to be gone: that message is never lost. */
static bool deliver(struct conn *c)
{
	struct web_up up = {.conn = c->id};

	if (c->socket && c->socket->told_open) {
		up.kind = WEB_CLOSED;
		up.closed.left = c->socket->left;
	} else if (c->asked) {
		up.kind = WEB_API_GONE;
	} else {
		return true;
	}
	return mailbox_post(c->server->up, &up) != ENOSPC;
}

static void on_undelivered(void *arg)
{
	struct server *s = arg;

	while (s->undelivered.head) {
		struct conn *c = s->undelivered.head->data;

		if (!deliver(c)) {
			timer_start(s->timers, &s->undelivered_timer, 100, on_undelivered,
				    s);
			return;
		}
		list_unlink(&c->le_undelivered);
		mem_deref(c);
	}
}

void web_conn_gone(struct conn *c)
{
	if (c->over)
		return;
	c->over = true;
	c->wsi = NULL;
	web_conn_next(&c->phase, CONN_CLOSE);
	timer_cancel(&c->timer);
	if (c->socket)
		timer_cancel(&c->socket->ping);
	if (!deliver(c)) {
		list_append(&c->server->undelivered, &c->le_undelivered, mem_ref(c));
		if (!timer_running(&c->server->undelivered_timer))
			timer_start(c->server->timers, &c->server->undelivered_timer, 100,
				    on_undelivered, c->server);
	}
}
