/* sip/edge/conns.c - the table of outer connections: ids, caps, accepting, dialling,
 * finding. Edge thread. Called by the listeners, the dialler and the two directions;
 * calls conn.c. Nothing here waits. */
#include <inttypes.h>
#include <strings.h>

#include "lib/log.h"
#include "sip/edge/conn_internal.h"
#include "sip/joint.h"

static void conns_destroy(void *p)
{
	struct conns *cs = p;

	mem_deref(cs->by_addr);
	mem_deref(cs->crowd);
	mem_deref(cs->by_dest);
	mem_deref(cs->slotv);
	mem_deref(cs->genv);
	mem_deref(cs->freev);
	mem_deref(cs->spare);
	BIO_meth_free(cs->bio);
}

int conns_alloc(struct conns **csp, uv_loop_t *loop, struct timers *timers,
		struct tls *tls, const struct config *config, const struct conn_ops *ops,
		void *arg)
{
	struct conns *cs = mem_zalloc(sizeof(*cs), conns_destroy);
	int err;

	if (!cs)
		return ENOMEM;
	cs->loop = loop;
	cs->timers = timers;
	cs->tls = tls;
	cs->config = config;
	cs->ops = *ops;
	cs->arg = arg;
	cs->first_site = "";
	for (size_t i = config->n_sites; i--;)
		if (config->sitev[i].certificate || !*cs->first_site)
			cs->first_site = config->sitev[i].domain;
	cs->bio = conn_bio_alloc();
	err = cs->bio ? crowd_alloc(&cs->crowd) : ENOMEM;
	if (!err)
		err = hash_alloc(&cs->by_addr, 1024);
	if (!err)
		err = hash_alloc(&cs->by_dest, 256);
	if (err)
		mem_deref(cs);
	else
		*csp = cs;
	return err;
}

static uint32_t conns_dest_key(const char *addr)
{
	return hash_joaat((const uint8_t *)addr, strlen(addr));
}

/* ---- ids ---- */

static int conns_grow(struct conns *cs)
{
	uint32_t n = cs->n_slots ? 2 * cs->n_slots : 64;
	struct conn **slotv = mem_zalloc(n * sizeof(*slotv), NULL);
	uint32_t *genv = mem_zalloc(n * sizeof(*genv), NULL),
		 *freev = mem_zalloc(n * sizeof(*freev), NULL);

	if (!slotv || !genv || !freev) {
		mem_deref(slotv);
		mem_deref(genv);
		mem_deref(freev);
		return ENOMEM;
	}
	if (cs->n_slots) {
		memcpy(slotv, cs->slotv, cs->n_slots * sizeof(*slotv));
		memcpy(genv, cs->genv, cs->n_slots * sizeof(*genv));
	}
	for (uint32_t i = n; i > cs->n_slots; i--)
		freev[cs->n_free++] = i;
	mem_deref(cs->slotv);
	mem_deref(cs->genv);
	mem_deref(cs->freev);
	cs->slotv = slotv;
	cs->genv = genv;
	cs->freev = freev;
	cs->n_slots = n;
	return 0;
}

static int conns_number(struct conn *c)
{
	struct conns *cs = c->cs;

	if (!cs->n_free && conns_grow(cs))
		return ENOMEM;
	c->id = cs->freev[--cs->n_free];
	c->gen = ++cs->genv[c->id - 1];
	cs->slotv[c->id - 1] = c;
	return 0;
}

static void conn_destroy(void *p)
{
	struct conn *c = p;

	timer_cancel(&c->timer);
	SSL_free(c->ssl);
	frame_clear(&c->frame);
	mem_deref(c->out);
	mem_deref(c->domain);
	mem_deref(c->host);
	mem_deref(c->names);
	mem_deref(c->note);
}

/* A connection with its handle; from here on it ends by conn_event() alone. */
static int conns_add(struct conn **cp, struct conns *cs, bool tls)
{
	struct conn *c = mem_zalloc(sizeof(*c), conn_destroy);

	if (!c)
		return ENOMEM;
	c->cs = cs;
	c->tls = tls;
	c->state = CONN_CONNECTING;
	c->side.site = cs->first_site;
	frame_init(&c->frame, cs->config->limits.sip_message_bytes);
	if (conns_number(c)) {
		mem_deref(c);
		return ENOMEM;
	}
	uv_tcp_init(cs->loop, &c->tcp);
	c->tcp.data = c;
	list_append(&cs->all, &c->le_all, c);
	cs->st.n_conns++;
	*cp = c;
	return 0;
}

void conns_released(struct conn *c)
{
	struct conns *cs = c->cs;

	cs->slotv[c->id - 1] = NULL;
	cs->freev[cs->n_free++] = c->id;
	cs->st.n_conns--;
	if (c->counted)
		crowd_leave(cs->crowd, &c->peer);
	list_unlink(&c->le_all);
	list_unlink(&c->le_dirty);
	list_unlink(&c->le_paused);
}

static void conns_not_half(struct conn *c)
{
	if (!c->le_half.list)
		return;
	list_unlink(&c->le_half);
	c->cs->n_half--;
}

void conns_opened(struct conn *c)
{
	conns_not_half(c);
}

void conns_not_usable(struct conn *c)
{
	conns_not_half(c);
	hash_unlink(&c->le_addr);
	hash_unlink(&c->le_dest);
}

/* ---- accepting ---- */

static const char *conns_refusal(struct conns *cs, const struct sa *peer)
{
	if (cs->stopping)
		return "stopping";
	if (cs->st.n_conns > cs->config->limits.sip_conns)
		return "limit sip-connections";
	if (crowd_count(cs->crowd, peer) >= cs->config->limits.sip_conns_per_addr)
		return "limit per address";
	return NULL;
}

int conns_accept(struct conns *cs, uv_stream_t *listener, bool tls)
{
	static struct log_gate gate;
	struct sockaddr_storage ss = {0};
	const char *refusal = NULL;
	int len = sizeof(ss);
	struct conn *c;

	if (conns_add(&c, cs, tls))
		return ENOMEM;
	c->side.server = true;
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) ||
	    uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&ss, &len) ||
	    sa_set_sa(&c->peer, (struct sockaddr *)&ss)) {
		refusal = "gone";
	} else {
		sa_text(c->addr, &c->peer);
		refusal = conns_refusal(cs, &c->peer);
	}
	if (refusal) {
		cs->st.n_refused++;
		if (log_gate_open(&gate, 2))
			log_warn(NULL, "edge.refused", "addr=%s why=%s", c->addr,
				 LQ(refusal));
		conn_event(c, CONN_FAULT, refusal);
		return 0;
	}
	cs->st.n_accepted++;
	c->counted = !crowd_enter(cs->crowd, &c->peer);
	hash_append(cs->by_addr, sa_hash(&c->peer, SA_ADDR), &c->le_addr, c);
	list_append(&cs->half, &c->le_half, c);
	if (++cs->n_half > CONN_HALF_MAX)
		conn_event(list_ledata(cs->half.head), CONN_FAULT, "too many handshakes");
	conn_begin(c, cs->config->limits.sip_handshake_s * 1000ull);
	conn_started(c);
	return 0;
}

/* ---- dialling ---- */

static const char *conn_error_text(int err)
{
	switch (err) {
	case UV_ECONNREFUSED:
		return "connection refused";
	case UV_ETIMEDOUT:
		return "the connection timed out";
	case UV_ENETUNREACH:
	case UV_EHOSTUNREACH:
	case UV_EADDRNOTAVAIL:
		return "the network has no way to it";
	case UV_ECONNRESET:
		return "it reset the connection";
	case UV_EMFILE:
	case UV_ENFILE:
		return "too many open connections here";
	default:
		return uv_strerror(err);
	}
}

static void conns_connected(uv_connect_t *req, int status)
{
	struct conn *c = req->data;

	mem_deref(req);
	if (!status)
		conn_started(c);
	else if (status != UV_ECANCELED)
		conn_event(c, CONN_FAULT, conn_error_text(status));
	mem_deref(c);
}

int conns_dial(struct conn **cp, struct conns *cs, const char *site, const struct sa *to,
	       bool tls, const char *domain, const char *host, uint64_t limit_ms)
{
	uv_connect_t *req;
	struct conn *c;
	int err;

	if (cs->stopping || cs->st.n_conns >= 2u * cs->config->limits.sip_conns)
		return ENFILE;
	req = mem_zalloc(sizeof(*req), NULL);
	if (!req)
		return ENOMEM;
	err = conns_add(&c, cs, tls);
	if (err) {
		mem_deref(req);
		return err;
	}
	c->dialled = true;
	c->peer = *to;
	sa_text(c->addr, to);
	c->domain = base_dup(domain, strlen(domain));
	c->host = host ? base_dup(host, strlen(host)) : NULL;
	c->side.site = site;
	c->side.domain = c->domain;
	c->side.host = c->host;
	cs->st.n_dialled++;
	hash_append(cs->by_dest, conns_dest_key(c->addr), &c->le_dest, c);
	req->data = mem_ref(c);
	err = !c->domain || (host && !c->host)
		      ? UV_ENOMEM
		      : uv_tcp_connect(req, &c->tcp, &to->u.sa, conns_connected);
	if (err) {
		/* Told later like any other failure, so that callers meet one way only.
		 * */
		mem_deref(req);
		mem_deref(c);
		snprintf(c->why, sizeof(c->why), "%s", conn_error_text(err));
		limit_ms = 0;
	}
	conn_begin(c, limit_ms);
	*cp = c;
	return 0;
}

static bool conns_fits(const struct conn *c, const char *domain, const char *host)
{
	if (c->state == CONN_OPEN)
		return !strcasecmp(c->proved, domain) ||
		       (host && !strcasecmp(c->proved, host));
	return !strcasecmp(c->domain, domain) && !c->host == !host &&
	       (!host || !strcasecmp(c->host, host));
}

struct conn *conns_find_dialled(struct conns *cs, const char *site, const struct sa *to,
				bool tls, const char *domain, const char *host)
{
	char addr[64];

	sa_text(addr, to);
	for (struct le *le = list_head(hash_list(cs->by_dest, conns_dest_key(addr))); le;
	     le = le->next) {
		struct conn *c = le->data;

		if (c->tls == tls && sa_cmp(&c->peer, to, SA_ALL) &&
		    !strcasecmp(c->side.site, site) && conns_fits(c, domain, host))
			return c;
	}
	return NULL;
}

struct conn *conns_find(struct conns *cs, uint32_t id, uint32_t gen)
{
	struct conn *c = id && id <= cs->n_slots ? cs->slotv[id - 1] : NULL;

	return c && c->gen == gen && c->state == CONN_OPEN ? c : NULL;
}

bool conns_has_peer(struct conns *cs, const struct sa *addr, const char *domain)
{
	struct list *same = hash_list(cs->by_addr, sa_hash(addr, SA_ADDR));

	for (struct le *le = list_head(same); le; le = le->next) {
		struct conn *c = le->data;

		if (c->state == CONN_OPEN && sa_cmp(&c->peer, addr, SA_ADDR) &&
		    conn_proves(c, domain))
			return true;
	}
	return false;
}

/* ---- all of them ---- */

void conns_flush(struct conns *cs)
{
	struct conn *c;

	while ((c = list_ledata(cs->dirty.head))) {
		mem_ref(c);
		conn_flush(c);
		mem_deref(c);
	}
}

static void conns_resume(struct conns *cs)
{
	/* Each one reads in a later turn of the loop, when it is reported readable. */
	for (struct le *le = cs->paused.head, *next; le; le = next) {
		struct conn *c = le->data;

		next = le->next;
		list_unlink(le);
		conn_resume(c);
	}
}

void conns_pause(struct conns *cs, bool pause)
{
	cs->pausing = pause;
	if (!pause)
		conns_resume(cs);
}

void conns_stop(struct conns *cs, bool force)
{
	cs->stopping = true;
	cs->pausing = false;
	conns_resume(cs);
	for (struct le *le = cs->all.head, *next; le; le = next) {
		struct conn *c = le->data;

		/* Handles close in a later turn of the loop: the list stands still
		 * meanwhile. */
		next = le->next;
		conn_event(c, force ? CONN_FAULT : CONN_CLOSE, "the site stops");
		if (force && c->state == CONN_CLOSING)
			conn_event(c, CONN_FAULT, NULL);
	}
}

void conns_stats(const struct conns *cs, struct conns_stats *st)
{
	*st = cs->st;
}
