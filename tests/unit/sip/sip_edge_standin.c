/* tests/unit/sip/sip_edge_standin.c - the interface of sip/edge/edge.h on plain TCP, in the test's own
 * thread: one inner connection to Sofia's port, and whatever Sofia opens to the edge's port. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "tests/unit/sip/sip_standin.h"

enum { CONNS_MAX = 16, BUF_BYTES = 300000 };

struct edge {
	struct mailbox *to_sig;
	char secret[JOINT_SECRET_HEX + 1];
	int listener, inner, connv[CONNS_MAX];
	char *bufv[CONNS_MAX + 1];
	size_t usedv[CONNS_MAX + 1];
	unsigned n_accepted;
	uint16_t port, sofia_port;
};

char standin_resolved[64];
static struct edge *the_edge;

static void nonblocking(int fd)
{
	int one = 1;

	assert_int_equal(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static int dial(uint16_t port)
{
	struct sockaddr_in sin = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	nonblocking(fd);
	return fd;
}

int edge_alloc(struct edge **ep, char **whyp, const struct config *config,
	       const char *secret, struct mailbox *to_sig)
{
	struct sockaddr_in sin = loopback(0);
	socklen_t len = sizeof(sin);
	struct edge *e = calloc(1, sizeof(*e));

	(void)whyp;
	(void)config;
	assert_non_null(e);
	e->to_sig = to_sig;
	snprintf(e->secret, sizeof(e->secret), "%s", secret);
	for (size_t i = 0; i < CONNS_MAX; i++)
		e->connv[i] = -1;
	e->inner = -1;
	e->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(e->listener >= 0);
	assert_int_equal(bind(e->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(e->listener, 16), 0);
	assert_int_equal(getsockname(e->listener, (struct sockaddr *)&sin, &len), 0);
	nonblocking(e->listener);
	e->port = ntohs(sin.sin_port);
	*ep = the_edge = e;
	return 0;
}

uint16_t edge_inner_port(const struct edge *e)
{
	return e->port;
}

uint16_t edge_outer_port(const struct edge *e, size_t i)
{
	(void)e;
	(void)i;
	return 5061;
}

int edge_start(struct edge *e, uint16_t sofia_port)
{
	e->sofia_port = sofia_port;
	standin_inner_open();
	return 0;
}

int edge_post(struct edge *e, const struct edge_order *order)
{
	struct edge_event ev = {.kind = EDGE_STOPPED};

	if (order->kind == EDGE_RESOLVE) {
		ev.kind = EDGE_RESOLVED;
		ev.token = order->token;
		snprintf(ev.domain, sizeof(ev.domain), "%s", order->domain);
		snprintf(ev.target, sizeof(ev.target), "%s", standin_resolved);
		snprintf(ev.why, sizeof(ev.why), "%s",
			 *standin_resolved ? "" : "its DNS has no such name");
		return mailbox_post(e->to_sig, &ev);
	}
	assert_int_equal(order->kind, EDGE_STOP);
	return mailbox_post(e->to_sig, &ev);
}

void edge_stats(const struct edge *e, struct edge_stats *stats)
{
	(void)e;
	memset(stats, 0, sizeof(*stats));
}

void edge_free(struct edge **ep)
{
	struct edge *e = *ep;

	standin_inner_close(false);
	standin_outer_close(false);
	for (size_t i = 0; i < N_ELEMS(e->bufv); i++)
		free(e->bufv[i]);
	close(e->listener);
	free(e);
	*ep = the_edge = NULL;
}

const char *standin_secret(void)
{
	return the_edge->secret;
}

uint16_t standin_port(void)
{
	return the_edge->port;
}

unsigned standin_n_accepted(void)
{
	return the_edge->n_accepted;
}

int standin_dial_sofia(void)
{
	return dial(the_edge->sofia_port);
}

static void close_fd(int *fd, bool reset)
{
	struct linger now = {.l_onoff = 1};

	if (*fd < 0)
		return;
	if (reset)
		setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(*fd);
	*fd = -1;
}

void standin_inner_open(void)
{
	the_edge->inner = dial(the_edge->sofia_port);
	the_edge->usedv[CONNS_MAX] = 0;
}

void standin_inner_close(bool reset)
{
	close_fd(&the_edge->inner, reset);
}

void standin_outer_close(bool reset)
{
	for (size_t i = 0; i < CONNS_MAX; i++)
		close_fd(&the_edge->connv[i], reset);
}

void standin_post(const struct edge_event *ev)
{
	assert_int_equal(mailbox_post(the_edge->to_sig, ev), 0);
}

void standin_write(const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(the_edge->inner, p, n);

		if (k < 0 && errno == EAGAIN) {
			standin_pump();
			continue;
		}
		assert_true(k > 0);
		p += k;
		n -= (size_t)k;
	}
}

static void accept_all(void)
{
	int fd;

	while ((fd = accept4(the_edge->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		size_t i = 0;

		while (i < CONNS_MAX && the_edge->connv[i] >= 0)
			i++;
		assert_true(i < CONNS_MAX);
		nonblocking(fd);
		the_edge->connv[i] = fd;
		the_edge->usedv[i] = 0;
		the_edge->n_accepted++;
	}
}

/* One whole message out of connection i's bytes, by Content-Length. */
static bool cut(size_t i, char *buf, size_t size, size_t *n)
{
	char *p = the_edge->bufv[i], *end, *cl;
	size_t used = the_edge->usedv[i], len;

	while (used >= 2 && !memcmp(p, "\r\n", 2)) {
		memmove(p, p + 2, used -= 2);
		the_edge->usedv[i] = used;
	}
	if (!used)
		return false;
	p[used] = '\0';
	end = strstr(p, "\r\n\r\n");
	if (!end)
		return false;
	cl = strcasestr(p, "\r\nContent-Length:");
	assert_true(cl && cl < end);
	len = (size_t)(end - p) + 4 + strtoul(cl + 17, NULL, 10);
	if (used < len)
		return false;
	assert_true(len < size);
	memcpy(buf, p, len);
	buf[len] = '\0';
	*n = len;
	memmove(p, p + len, used - len);
	the_edge->usedv[i] = used - len;
	return true;
}

static void fill(size_t i, int *fd)
{
	ssize_t k;

	if (!the_edge->bufv[i])
		the_edge->bufv[i] = malloc(BUF_BYTES + 1);
	assert_non_null(the_edge->bufv[i]);
	while (*fd >= 0 && the_edge->usedv[i] < BUF_BYTES) {
		k = read(*fd, the_edge->bufv[i] + the_edge->usedv[i],
			 BUF_BYTES - the_edge->usedv[i]);
		if (k == 0)
			close_fd(fd, false);
		if (k <= 0)
			return;
		the_edge->usedv[i] += (size_t)k;
	}
}

bool standin_read(char *buf, size_t size, size_t *n)
{
	accept_all();
	for (size_t i = 0; i <= CONNS_MAX; i++) {
		fill(i, i < CONNS_MAX ? &the_edge->connv[i] : &the_edge->inner);
		if (the_edge->usedv[i] && cut(i, buf, size, n))
			return true;
	}
	return false;
}
