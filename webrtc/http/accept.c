/* webrtc/http/accept.c - listening and accepting by ourselves: lws's own listeners know no caps and mix up
 * addresses that share a port.
 *
 * Bound before the web thread runs, served on it. Called by server.c; hands accepted sockets to lws. Over a
 * cap a plain connection gets 429, a TLS one is closed; out of descriptors, nobody is accepted for a while. */
#include "lib/log.h"
#include "webrtc/http/own.h"
#include "webrtc/session/address.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 64, PAUSE_MS = 200, UNSENT_BYTES = 131072 };

struct listener {
	struct le le;
	struct server *server;
	int fd;
	bool plain;
	uv_poll_t poll;
	bool polling;
};

static void listener_destructor(void *arg)
{
	struct listener *l = arg;

	list_unlink(&l->le);
	if (l->fd >= 0)
		close(l->fd);
}

static int bind_socket(struct listener *l, const struct sa *sa)
{
	int on = 1;

	l->fd = socket(sa_af(sa), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return errno;
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa_af(sa) == AF_INET6)
		setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(l->fd, &sa->u.sa, sa->len) || listen(l->fd, BACKLOG))
		return errno;
	return 0;
}

/* With the port that the system chose, where the configuration says 0. */
static void say_listening(const struct listener *l)
{
	struct sa sa = {.len = sizeof(sa.u)};
	char text[64];

	if (getsockname(l->fd, &sa.u.sa, &sa.len))
		return;
	re_snprintf(text, sizeof(text), "%J", &sa);
	log_info(NULL, "web.listen", "address=%s tls=%s", text, l->plain ? "no" : "yes");
}

int web_listener_alloc(struct server *s, char **whyp, const struct listen_config *config)
{
	struct listener *l = mem_zalloc(sizeof(*l), listener_destructor);
	int err;

	if (!l)
		return ENOMEM;
	l->server = s;
	l->plain = config->plain;
	l->fd = -1;
	err = bind_socket(l, &config->sa);
	if (err) {
		re_sdprintf(whyp, "http: cannot listen on %J: %m", &config->sa, err);
		mem_deref(l);
		return err;
	}
	list_append(&s->listeners, &l->le, l);
	say_listening(l);
	return 0;
}

static void refuse(int fd, bool plain)
{
	static const char text[] =
		"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n"
		"Retry-After: 5\r\nConnection: close\r\n\r\n";

	if (plain)
		(void)!send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

/* Takes ownership of fd. */
static void adopt(struct listener *l, int fd, const struct sa *from)
{
	struct server *s = l->server;
	lws_adopt_desc_t desc = {
		.vh = l->plain ? s->plain : s->secure,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
		.fd.sockfd = fd,
	};
	struct conn *c;
	int on = 1, unsent = UNSENT_BYTES;

	if (web_conn_alloc(&c, s, from, fd, !l->plain)) {
		static struct log_gate gate;

		char text[ADDRESS_SHORT_BYTES];

		if (log_gate_open(&gate, 1))
			log_warn(NULL, "web.full", "from=%s conns=%u",
				 web_address_short(text, from), (unsigned)s->n_conns);
		refuse(fd, l->plain);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* Who does not read is to be seen in our queue, with its limit, and not to fill megabytes of the kernel's. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	/* One reference is lws's, given back at WSI_DESTROY. That comes also when adopting fails, as long as
	 * a wsi was made at all, but not before the loop turns. */
	desc.opaque = mem_ref(c);
	s->adopting = c;
	if (!lws_adopt_descriptor_vhost_via_info(&desc)) {
		if (!c->wsi && !c->over)
			mem_deref(c);
		web_conn_gone(c);
	}
	s->adopting = NULL;
	mem_deref(c);
}

static void peer_address(struct sa *sa, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *in6 = (const void *)ss;

	if (ss->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		uint32_t v4;

		memcpy(&v4, in6->sin6_addr.s6_addr + 12, 4);
		sa_set_in(sa, ntohl(v4), ntohs(in6->sin6_port));
		return;
	}
	sa_set_sa(sa, (const struct sockaddr *)ss);
}

static void resume(void *arg)
{
	web_listeners_start(arg);
}

/* Out of descriptors or memory: accept() would fail again at once, for ever. */
static void pause_all(struct server *s, int err)
{
	static struct log_gate gate;

	if (log_gate_open(&gate, 1))
		log_err(NULL, "web.accept", "cannot accept: %s", strerror(err));
	web_listeners_stop(s);
	timer_start(s->timers, &s->accept_timer, PAUSE_MS, resume, s);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
		socklen_t len = sizeof(ss);
		int fd = accept4(l->fd, (struct sockaddr *)&ss, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct sa from;

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				pause_all(l->server, errno);
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return;
		}
		peer_address(&from, &ss);
		adopt(l, fd, &from);
	}
}

void web_listeners_start(struct server *s)
{
	struct le *le;

	LIST_FOREACH(&s->listeners, le)
	{
		struct listener *l = le->data;

		if (l->polling || s->stopping)
			continue;
		if (!l->poll.data) {
			if (uv_poll_init(&s->loop, &l->poll, l->fd))
				continue;
			l->poll.data = l;
		}
		l->polling = !uv_poll_start(&l->poll, UV_READABLE, on_readable);
	}
}

void web_listeners_stop(struct server *s)
{
	struct le *le;

	LIST_FOREACH(&s->listeners, le)
	{
		struct listener *l = le->data;

		if (l->polling)
			uv_poll_stop(&l->poll);
		l->polling = false;
	}
}

void web_listeners_close(struct server *s)
{
	struct le *le;

	web_listeners_stop(s);
	LIST_FOREACH(&s->listeners, le)
	{
		struct listener *l = le->data;

		if (l->poll.data)
			uv_close((uv_handle_t *)&l->poll, NULL);
	}
}
