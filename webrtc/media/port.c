/* webrtc/media/port.c - sockets, and batches of datagrams. Nothing is allocated after port_alloc().
 *
 * Called by worker.c (port_take) and, while it works on a batch, by all that send; calls the kernel. */
#include "webrtc/media/port.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/log.h"

enum {
	QUEUE = 128,
	SCRATCH = 64,
	BUFFER_BYTES =
		4 << 20, /* a burst of a thousand sessions; the kernel may give less */
	OWN_BATCH = 8,   /* datagrams of one own socket a turn: the others have theirs */
	CONTROL_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)),
};

struct out {
	struct sa peer;
	int fd;
	struct iovec iov;
	union {
		struct cmsghdr align;
		char bytes[CONTROL_BYTES];
	} control;
};

struct port {
	int fdv[PORT_SOCKETS_MAX];
	size_t n_fds;
	uint16_t number;
	int own_fd; /**< an epoll of its own: libre's has a size that is fixed when it begins */

	struct mmsghdr inv[PORT_BATCH];
	struct iovec in_iov[PORT_BATCH];
	struct sockaddr_in6 in_from[PORT_BATCH];
	union {
		struct cmsghdr align;
		char bytes[CONTROL_BYTES];
	} in_control[PORT_BATCH];
	uint8_t in[PORT_BATCH][PORT_PACKET + PORT_ROOM];

	struct mmsghdr outv[QUEUE];
	struct out out[QUEUE];
	size_t n_out;
	uint8_t scratch[SCRATCH][PORT_PACKET];
	size_t n_scratch,
		scratch_at; /**< handed out since the flush; the next one, in turn */

	struct port_counters counters;
};

static void destructor(void *arg)
{
	struct port *p = arg;

	for (size_t i = 0; i < p->n_fds; i++)
		close(p->fdv[i]);
	if (p->own_fd >= 0)
		close(p->own_fd);
}

static void buffers_set(int fd)
{
	int size = BUFFER_BYTES;

	/* forced where we may, else as much as the system allows */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int options_set(int fd, int af)
{
	int on = 1;

	if (af == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
				       setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on,
						  sizeof(on))
			       ? errno
			       : 0;
	return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ? errno : 0;
}

int port_socket_bind(int *fdp, const struct sa *listen, uint16_t number, bool shared)
{
	struct sa sa = *listen;
	int fd, err;

	sa_set_port(&sa, number);
	fd = socket(sa_af(&sa), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (shared)
		buffers_set(fd);
	err = options_set(fd, sa_af(&sa));
	if (!err && bind(fd, &sa.u.sa, sa.len))
		err = errno;
	if (err)
		close(fd);
	else
		*fdp = fd;
	return err;
}

static int number_learn(struct port *p)
{
	struct sa sa = {.len = sizeof(sa.u)};

	if (getsockname(p->fdv[0], &sa.u.sa, &sa.len))
		return errno;
	p->number = sa_port(&sa);
	return 0;
}

static void batches_prepare(struct port *p)
{
	for (size_t i = 0; i < PORT_BATCH; i++) {
		p->in_iov[i] = (struct iovec){p->in[i], PORT_PACKET};
		p->inv[i].msg_hdr = (struct msghdr){
			.msg_name = &p->in_from[i],
			.msg_iov = &p->in_iov[i],
			.msg_iovlen = 1,
			.msg_control = p->in_control[i].bytes,
		};
	}
	for (size_t i = 0; i < QUEUE; i++)
		p->outv[i].msg_hdr = (struct msghdr){
			.msg_name = &p->out[i].peer.u,
			.msg_iov = &p->out[i].iov,
			.msg_iovlen = 1,
			.msg_control = p->out[i].control.bytes,
		};
}

int port_alloc(struct port **pp, char **whyp, const struct sa *listenv, size_t n,
	       uint16_t number)
{
	struct port *p = mem_zalloc(sizeof(*p), destructor);
	int err = 0;

	if (!p)
		return ENOMEM;
	p->number = number;
	p->own_fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->own_fd < 0)
		err = errno;
	for (size_t i = 0; i < n && i < PORT_SOCKETS_MAX && !err; i++) {
		err = port_socket_bind(&p->fdv[p->n_fds], &listenv[i], p->number, true);
		/* a machine without IPv6 is not wrong: only what was asked for by address must be there */
		if ((err == EAFNOSUPPORT || err == EADDRNOTAVAIL) &&
		    sa_af(&listenv[i]) == AF_INET6 && sa_is_any(&listenv[i])) {
			err = 0;
			continue;
		}
		if (err)
			re_sdprintf(whyp, "media: UDP port %u of %j: %s", p->number,
				    &listenv[i], strerror(err));
		else if (++p->n_fds == 1 && !number)
			err = number_learn(p);
	}
	if (!err && !p->n_fds)
		err = EAFNOSUPPORT;
	batches_prepare(p);
	if (err)
		mem_deref(p);
	else
		*pp = p;
	return err;
}

uint16_t port_number(const struct port *p)
{
	return p->number;
}

int port_fd(const struct port *p, size_t i)
{
	return p->fdv[i];
}

size_t port_sockets(const struct port *p)
{
	return p->n_fds;
}

const struct port_counters *port_counters(const struct port *p)
{
	return &p->counters;
}

/* ---- in ---- */

static void local_read(struct port_path *path, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			sa_set_in(&path->local, ntohl(info.ipi_addr.s_addr), 0);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			sa_set_in6(&path->local, info.ipi6_addr.s6_addr, 0);
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				path->scope = info.ipi6_ifindex;
		}
	}
}

/** Up to `max` datagrams into the buffers from `at` on. */
static size_t receive(struct port *p, int fd, const struct port_own *own, size_t at,
		      size_t max, port_h *h, void *arg)
{
	struct port_path path;
	int n;

	for (size_t k = at; k < at + max; k++) {
		p->inv[k].msg_hdr.msg_namelen = sizeof(p->in_from[k]);
		p->inv[k].msg_hdr.msg_controllen = CONTROL_BYTES;
	}
	n = recvmmsg(fd, p->inv + at, (unsigned)max, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;
	p->counters.n_in += (uint64_t)n;
	for (size_t k = at; k < at + (size_t)n; k++) {
		struct msghdr *m = &p->inv[k].msg_hdr;

		if (m->msg_flags & MSG_TRUNC) {
			p->counters.n_long++;
			continue;
		}
		memset(&path, 0, sizeof(path));
		path.fd = fd;
		path.own = own;
		if (sa_set_sa(&path.peer, m->msg_name))
			continue;
		local_read(&path, m);
		h(&path, p->in[k], p->inv[k].msg_len, arg);
	}
	return (size_t)n;
}

size_t port_take(struct port *p, size_t i, port_h *h, void *arg)
{
	size_t n = receive(p, p->fdv[i], NULL, 0, PORT_BATCH, h, arg);

	port_flush(p);
	return n;
}

/* ---- sockets of one side's own ---- */

int port_own_fd(const struct port *p)
{
	return p->own_fd;
}

int port_own_join(struct port *p, struct port_own *o)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = o};

	return epoll_ctl(p->own_fd, EPOLL_CTL_ADD, o->fd, &ev) ? errno : 0;
}

void port_own_leave(struct port *p, struct port_own *o)
{
	if (p->n_out)
		port_flush(p);
	close(o->fd); /* which takes it out of the epoll, too */
	o->fd = -1;
}

size_t port_take_own(struct port *p, port_h *h, void *arg)
{
	struct epoll_event evv[PORT_BATCH];
	int n = epoll_wait(p->own_fd, evv, PORT_BATCH, 0);
	size_t at = 0, n_all = 0;

	for (int i = 0; i < n; i++) {
		const struct port_own *o = evv[i].data.ptr;
		size_t got;

		if (at + OWN_BATCH > PORT_BATCH) {
			port_flush(p);
			at = 0;
		}
		got = receive(p, o->fd, o, at, OWN_BATCH, h, arg);
		at += got;
		n_all += got;
	}
	port_flush(p);
	return n_all;
}

/* ---- out ---- */

static void local_write(struct out *o, struct msghdr *m, const struct port_path *path)
{
	struct cmsghdr *c = &o->control.align;

	m->msg_controllen = 0;
	if (sa_af(&path->local) == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = path->local.u.in.sin_addr};

		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(info)),
				      .cmsg_level = IPPROTO_IP,
				      .cmsg_type = IP_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	} else if (sa_af(&path->local) == AF_INET6) {
		struct in6_pktinfo info = {.ipi6_ifindex = path->scope};

		sa_in6(&path->local, info.ipi6_addr.s6_addr);
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(info)),
				      .cmsg_level = IPPROTO_IPV6,
				      .cmsg_type = IPV6_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

void port_send(struct port *p, const struct port_path *path, const uint8_t *data,
	       size_t n)
{
	struct msghdr *m;
	struct out *o;

	if (p->n_out == QUEUE)
		port_flush(p);
	m = &p->outv[p->n_out].msg_hdr;
	o = &p->out[p->n_out++];
	o->fd = path->fd;
	o->peer = path->peer;
	o->iov = (struct iovec){(void *)data, n};
	m->msg_namelen = path->peer.len;
	local_write(o, m, path);
}

uint8_t *port_scratch(struct port *p)
{
	if (p->n_scratch == SCRATCH)
		port_flush(p);
	p->n_scratch++;
	p->scratch_at = (p->scratch_at + 1) % SCRATCH;
	return p->scratch[p->scratch_at];
}

/** How many in a row from `at` leave by the same socket. */
static unsigned run_length(const struct port *p, size_t at)
{
	size_t to = at + 1;

	while (to < p->n_out && p->out[to].fd == p->out[at].fd)
		to++;
	return (unsigned)(to - at);
}

void port_flush(struct port *p)
{
	size_t at = 0;

	while (at < p->n_out) {
		int n = sendmmsg(p->out[at].fd, p->outv + at, run_length(p, at),
				 MSG_DONTWAIT);

		if (n > 0) {
			at += (size_t)n;
			p->counters.n_out += (uint64_t)n;
		} else { /* that one cannot go (no route, no room): media lives without */
			at++;
			p->counters.n_unsent++;
		}
	}
	p->n_out = 0;
	p->n_scratch = 0;
}
