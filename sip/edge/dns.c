/* sip/edge/dns.c - c-ares on libuv: sockets, time-outs, questions and what their answers
 * hold. Edge thread. Called by the resolver through dns_ops. c-ares follows CNAMEs and
 * asks again by TCP where needed. */
#include "sip/edge/dns.h"

#include <arpa/nameser.h>
#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>

#include "lib/log.h"

struct dns {
	uv_loop_t *loop;
	struct timers *timers;
	struct timer timer;
	ares_channel channel;
	bool up, stopped;
	struct list socks;
};

struct dns_sock {
	struct le le;
	struct dns *dns;
	uv_poll_t poll;
	ares_socket_t fd;
};

struct dns_question {
	struct dns *dns;
	enum dns_kind kind;
	dns_h *h;
	void *arg;
};

/* ---- sockets and time ---- */

static void dns_timeout(void *arg);

/* c-ares says how long it may be left alone. */
static void dns_arm(struct dns *d)
{
	struct timeval tv, *next = d->up ? ares_timeout(d->channel, NULL, &tv) : NULL;

	if (!next)
		timer_cancel(&d->timer);
	else if (timer_start(d->timers, &d->timer,
			     (uint64_t)next->tv_sec * 1000 +
				     (uint64_t)next->tv_usec / 1000 + 1,
			     dns_timeout, d))
		log_err(NULL, "edge.timer", "err=%d", ENOMEM);
}

static void dns_timeout(void *arg)
{
	struct dns *d = arg;

	ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_arm(d);
}

static void dns_ready(uv_poll_t *poll, int status, int events)
{
	struct dns_sock *s = poll->data;
	struct dns *d = s->dns;
	bool both = status < 0;

	/* `s` may be closed in here. */
	ares_process_fd(d->channel,
			both || events & UV_READABLE ? s->fd : ARES_SOCKET_BAD,
			both || events & UV_WRITABLE ? s->fd : ARES_SOCKET_BAD);
	dns_arm(d);
}

static void dns_sock_closed(uv_handle_t *h)
{
	mem_deref(h->data);
}

static struct dns_sock *dns_sock_find(struct dns *d, ares_socket_t fd)
{
	for (struct le *le = d->socks.head; le; le = le->next) {
		struct dns_sock *s = le->data;

		if (s->fd == fd)
			return s;
	}
	return NULL;
}

static struct dns_sock *dns_sock_alloc(struct dns *d, ares_socket_t fd)
{
	struct dns_sock *s = mem_zalloc(sizeof(*s), NULL);

	if (!s || uv_poll_init_socket(d->loop, &s->poll, fd)) {
		mem_deref(s);
		return NULL;
	}
	s->dns = d;
	s->fd = fd;
	s->poll.data = s;
	list_append(&d->socks, &s->le, s);
	return s;
}

static void dns_sock_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *d = arg;
	struct dns_sock *s = dns_sock_find(d, fd);

	if (readable || writable) {
		if (!s)
			s = dns_sock_alloc(d, fd);
		/* Without memory the question runs into its time-out. */
		if (s)
			uv_poll_start(&s->poll,
				      (readable ? UV_READABLE : 0) |
					      (writable ? UV_WRITABLE : 0),
				      dns_ready);
	} else if (s) {
		list_unlink(&s->le);
		uv_close((uv_handle_t *)&s->poll, dns_sock_closed);
	}
}

static void dns_destroy(void *p)
{
	dns_stop(p);
}

void dns_stop(struct dns *d)
{
	d->stopped = true;
	if (d->up) {
		d->up = false;
		ares_destroy(d->channel);
	}
	timer_cancel(&d->timer);
}

static int dns_servers(struct dns *d, char *const *serverv)
{
	char text[1024] = "";
	size_t n = 0;

	for (; serverv && *serverv; serverv++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? "," : "",
				      *serverv);
		if (n >= sizeof(text))
			return EINVAL;
	}
	return n && ares_set_servers_ports_csv(d->channel, text) != ARES_SUCCESS ? EINVAL
										 : 0;
}

int dns_alloc(struct dns **dp, uv_loop_t *loop, struct timers *timers,
	      char *const *serverv)
{
	struct dns *d = mem_zalloc(sizeof(*d), dns_destroy);
	struct ares_options o = {
		.flags = ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.ednspsz = 1232,
		/* A lost packet must not cost a question its part of the look-up's time
		 * (lookup.c): asked again after 0.5, 1.5 and 3.5 s. */
		.timeout = 500,
		.tries = 4,
		.ndomains = 0, /* never with a search domain behind the name */
		.sock_state_cb = dns_sock_state,
		.sock_state_cb_data = d,
	};
	int err = 0;

	if (!d)
		return ENOMEM;
	d->loop = loop;
	d->timers = timers;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS ||
	    ares_init_options(&d->channel, &o,
			      ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
				      ARES_OPT_TRIES | ARES_OPT_DOMAINS |
				      ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS)
		err = EIO;
	else
		d->up = true;
	if (!err)
		err = dns_servers(d, serverv);
	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}

/* ---- answers ---- */

static int dns_error(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		return ENOENT;
	case ARES_ENODATA:
		return ENODATA;
	case ARES_ETIMEOUT:
		return ETIMEDOUT;
	case ARES_ENOMEM:
		return ENOMEM;
	default:
		/* A SERVFAIL of every server comes as ARES_ECONNREFUSED, too. */
		return EIO;
	}
}

static void dns_tell(struct dns_question *q, const struct dns_answer *a)
{
	q->h(a, q->arg);
	mem_deref(q);
}

/* Behind the name at `at`; 0 when it runs out of the message. RFC 1035 §4.1.4 */
static size_t dns_skip_name(const uint8_t *p, size_t n, size_t at)
{
	while (at < n) {
		if (!p[at])
			return at + 1;
		if (p[at] >= 0xc0)
			return at + 2 <= n ? at + 2 : 0;
		at += 1u + p[at];
	}
	return 0;
}

static uint32_t dns_u(const uint8_t *p, unsigned bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

/* The smallest time to live in the answer section; c-ares keeps that to itself for SRV
 * and NAPTR. */
static uint32_t dns_ttl(const uint8_t *p, size_t n)
{
	uint32_t ttl = UINT32_MAX, v;
	size_t at = 12;
	unsigned qd, an;

	if (n < 12)
		return 0;
	qd = dns_u(p + 4, 2);
	an = dns_u(p + 6, 2);
	for (; qd && at; qd--) {
		at = dns_skip_name(p, n, at);
		at = at ? at + 4 : 0;
	}
	for (; an && at; an--) {
		at = dns_skip_name(p, n, at);
		if (!at || at + 10 > n)
			break;
		v = dns_u(p + at + 4, 4);
		ttl = v < ttl ? v : ttl;
		at += 10 + dns_u(p + at + 8, 2);
	}
	/* RFC 2181 §8: the top bit set means 0. */
	return ttl > INT32_MAX ? 0 : ttl;
}

static bool dns_copy(char *dst, size_t size, const void *src)
{
	size_t n = src ? strlen(src) : 0;

	if (n >= size)
		return false;
	memcpy(dst, src ? src : "", n);
	dst[n] = '\0';
	return true;
}

static int dns_read_srv(struct dns_srv v[DNS_RECORDS_MAX], size_t *np, const uint8_t *p,
			int n)
{
	struct ares_srv_reply *list = NULL, *r;
	int err = dns_error(ares_parse_srv_reply(p, n, &list));

	for (r = list; r && *np < DNS_RECORDS_MAX; r = r->next) {
		struct dns_srv *srv = &v[*np];

		*srv = (struct dns_srv){
			.priority = r->priority, .weight = r->weight, .port = r->port};
		*np += dns_copy(srv->host, sizeof(srv->host), r->host);
	}
	if (list)
		ares_free_data(list);
	return err;
}

static int dns_read_naptr(struct dns_naptr v[DNS_RECORDS_MAX], size_t *np,
			  const uint8_t *p, int n)
{
	struct ares_naptr_reply *list = NULL, *r;
	int err = dns_error(ares_parse_naptr_reply(p, n, &list));

	for (r = list; r && *np < DNS_RECORDS_MAX; r = r->next) {
		struct dns_naptr *naptr = &v[*np];

		*naptr = (struct dns_naptr){.order = r->order,
					    .preference = r->preference};
		*np += dns_copy(naptr->flags, sizeof(naptr->flags), r->flags) &&
		       dns_copy(naptr->service, sizeof(naptr->service), r->service) &&
		       dns_copy(naptr->replacement, sizeof(naptr->replacement),
				r->replacement);
	}
	if (list)
		ares_free_data(list);
	return err;
}

static void dns_answered(void *arg, int status, int n_timeouts, unsigned char *p, int n)
{
	struct dns_question *q = arg;
	struct dns_answer a = {.err = dns_error(status)};
	union {
		struct dns_srv srv[DNS_RECORDS_MAX];
		struct dns_naptr naptr[DNS_RECORDS_MAX];
	} * room;

	(void)n_timeouts;
	room = a.err ? NULL : mem_alloc(sizeof(*room), NULL);
	if (!a.err && !room)
		a.err = ENOMEM;
	if (!a.err) {
		a.ttl_s = dns_ttl(p, (size_t)n);
		if (q->kind == DNS_SRV)
			a.err = dns_read_srv(room->srv, &a.n, p, n);
		else
			a.err = dns_read_naptr(room->naptr, &a.n, p, n);
		a.srv = room->srv;
		a.naptr = room->naptr;
		if (!a.err && !a.n)
			a.err = ENODATA;
	}
	dns_tell(q, &a);
	mem_deref(room);
}

static void dns_addressed(void *arg, int status, int n_timeouts, struct ares_addrinfo *ai)
{
	struct dns_question *q = arg;
	struct dns_answer a = {.err = dns_error(status), .ttl_s = INT32_MAX};
	struct sa v[DNS_RECORDS_MAX];

	(void)n_timeouts;
	for (struct ares_addrinfo_node *node = ai ? ai->nodes : NULL;
	     node && a.n < DNS_RECORDS_MAX; node = node->ai_next) {
		uint32_t ttl = node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0;

		if (sa_set_sa(&v[a.n], node->ai_addr))
			continue;
		sa_set_port(&v[a.n], 0);
		a.ttl_s = ttl < a.ttl_s ? ttl : a.ttl_s;
		a.n++;
	}
	if (!a.err && !a.n)
		a.err = ENODATA;
	if (a.err)
		a.ttl_s = 0;
	a.sa = v;
	if (ai)
		ares_freeaddrinfo(ai);
	dns_tell(q, &a);
}

static void dns_ask(void *arg, enum dns_kind kind, const char *name, dns_h *h, void *harg)
{
	static const struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC,
							 .ai_socktype = SOCK_STREAM};
	struct dns *d = arg;
	struct dns_question *q = d->stopped ? NULL : mem_zalloc(sizeof(*q), NULL);

	if (!q) {
		h(&(struct dns_answer){.err = d->stopped ? ECANCELED : ENOMEM}, harg);
		return;
	}
	*q = (struct dns_question){d, kind, h, harg};
	switch (kind) {
	case DNS_NAPTR:
		ares_query(d->channel, name, ns_c_in, ns_t_naptr, dns_answered, q);
		break;
	case DNS_SRV:
		ares_query(d->channel, name, ns_c_in, ns_t_srv, dns_answered, q);
		break;
	case DNS_ADDR:
		ares_getaddrinfo(d->channel, name, NULL, &hints, dns_addressed, q);
		break;
	}
	dns_arm(d);
}

const struct dns_ops dns_ops = {.ask = dns_ask};
