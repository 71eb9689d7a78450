/* gateway/control.c - slussctl's socket: connections, lines, answers. Signalling thread, never blocking; one
 * request of a client at a time, the next is read when the answer has gone out. What is asked for is in
 * control_command.c. Called by main.c and by the loop. */
#include "gateway/control.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/control_own.h"
#include "lib/log.h"
#include "lib/secret.h"

enum {
	CLIENTS_MAX = 16,
	LINE_BYTES_MAX = 65536,
	READ_BYTES = 4096,
	IDLE_MS = 30000,        /* a client that neither asks nor reads */
	ACCEPT_AGAIN_MS = 1000, /* out of descriptors: no busy loop */
};

struct control {
	struct core *core;
	char *path;
	int fd;
	dev_t dev; /* of the socket file: only our own is removed */
	ino_t ino;
	struct loop_watch *watch;
	struct timer accept_again;
	struct list clients, asks;
	unsigned n_clients;
};

struct client {
	struct le le;
	struct control *control; /* NULL when it is gone; an answer may still come */
	int fd;
	struct loop_watch *watch;
	struct timer idle;
	struct mbuf *in;  /* what was read: lines, and the beginning of one */
	struct mbuf *out; /* what is to be written, from pos */
	bool busy;        /* a request is under way */
	bool eof;         /* it has asked all that it will */
};

/* ---- clients ---- */

static void client_close(struct client *c)
{
	if (!c->control)
		return;
	c->control->n_clients--;
	c->control = NULL;
	c->watch = mem_deref(c->watch);
	timer_cancel(&c->idle);
	close(c->fd);
	c->fd = -1;
	list_unlink(&c->le);
	mem_deref(c);
}

static void client_destroy(void *p)
{
	struct client *c = p;

	if (c->in)
		secret_wipe(c->in->buf, c->in->size);
	mem_deref(c->in);
	mem_deref(c->out);
}

static void client_idle(void *arg)
{
	client_close(arg);
}

static void client_touch(struct client *c)
{
	(void)timer_start(c->control->core->loop->timers, &c->idle, IDLE_MS, client_idle,
			  c);
}

static bool client_owes(const struct client *c)
{
	return c->out->pos < c->out->end;
}

static void client_watch(struct client *c)
{
	unsigned events = 0;

	if (client_owes(c))
		events = LOOP_WRITE;
	else if (!c->busy && !c->eof)
		events = LOOP_READ;
	if (c->control->core->loop->ops->watch_set(c->watch, events))
		client_close(c);
}

/* The first whole line, as a request; NULL when there is none. *bad: what is there is no request. */
static json_t *client_line(struct client *c, bool *bad)
{
	uint8_t *start = c->in->buf, *nl;
	size_t left;
	json_t *request;

	*bad = false;
	nl = c->in->end ? memchr(start, '\n', c->in->end) : NULL;
	if (!nl) {
		*bad = c->in->end >= LINE_BYTES_MAX;
		c->eof = c->eof || *bad;
		return NULL;
	}
	request = json_loadb((const char *)start, (size_t)(nl - start),
			     JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(request)) {
		json_decref(request);
		request = NULL;
		*bad = true;
	}
	/* A password may stand in there. */
	left = c->in->end - (size_t)(nl + 1 - start);
	memmove(start, nl + 1, left);
	secret_wipe(start + left, c->in->end - left);
	c->in->end = left;
	return request;
}

static void client_say(struct client *c, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	c->busy = false;
	if (!c->control)
		goto out;
	mbuf_rewind(c->out);
	if (!text || mbuf_write_str(c->out, text) || mbuf_write_u8(c->out, '\n')) {
		client_close(c);
		goto out;
	}
	c->out->pos = 0;
	client_touch(c);
	client_watch(c);
out:
	free(text);
	json_decref(answer);
}

static void ask_destroy(void *p)
{
	struct control_ask *a = p;
	json_t *password = json_object_get(a->request, "password");

	list_unlink(&a->le);
	if (json_is_string(password))
		secret_wipe((char *)json_string_value(password),
			    json_string_length(password));
	json_decref(a->request);
	mem_deref(a->client);
}

/* Begins the next request that was read, if there is one. */
static void client_next(struct client *c)
{
	struct control_ask *a;
	json_t *request;
	bool bad;

	if (c->busy || client_owes(c))
		return;
	request = client_line(c, &bad);
	if (!request && !bad) {
		if (c->eof)
			client_close(c);
		else
			client_watch(c);
		return;
	}
	a = mem_zalloc(sizeof(*a), ask_destroy);
	if (!a) {
		json_decref(request);
		client_close(c);
		return;
	}
	c->busy = true;
	a->core = c->control->core;
	a->client = mem_ref(c);
	a->request = request;
	a->name = json_string_value(json_object_get(request, "command"));
	list_append(&c->control->asks, &a->le, a);
	client_watch(c);
	if (bad)
		control_refuse(
			a, "a request is one JSON object on one line of at most %d bytes",
			LINE_BYTES_MAX);
	else
		control_command(a);
}

static void ask_end(struct control_ask *a, json_t *answer)
{
	client_say(a->client, answer);
	mem_deref(a);
}

void control_reply(struct control_ask *a, json_t *result, size_t next)
{
	json_t *answer =
		result ? json_pack("{s:b, s:o}", "ok", 1, "result", result) : NULL;

	if (answer && next)
		json_object_set_new(answer, "next", json_integer((json_int_t)next));
	ask_end(a, answer);
}

void control_refuse(struct control_ask *a, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ask_end(a, json_pack("{s:b, s:s}", "ok", 0, "error", text));
}

static void client_read(struct client *c)
{
	uint8_t buf[READ_BYTES];
	ssize_t n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_close(c);
		return;
	}
	if (n == 0)
		c->eof = true;
	c->in->pos = c->in->end;
	if (n && mbuf_write_mem(c->in, buf, (size_t)n)) {
		client_close(c);
		return;
	}
	secret_wipe(buf, (size_t)n);
	client_touch(c);
	client_next(c);
}

static void client_write(struct client *c)
{
	ssize_t n = send(c->fd, mbuf_buf(c->out), mbuf_get_left(c->out),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_close(c);
		return;
	}
	mbuf_advance(c->out, n);
	client_touch(c);
	if (!client_owes(c))
		client_next(c);
}

static void on_client(unsigned events, void *arg)
{
	struct client *c = mem_ref(arg);

	if (c->control && client_owes(c)) {
		if (events & (LOOP_WRITE | LOOP_HUP))
			client_write(c);
	} else if (c->control && (events & LOOP_READ)) {
		client_read(c);
	} else if (c->control && (events & LOOP_HUP)) {
		client_close(c);
	}
	mem_deref(c);
}

static int client_open(struct control *k, int fd)
{
	struct client *c = mem_zalloc(sizeof(*c), client_destroy);
	int err;

	if (!c)
		return ENOMEM;
	c->in = mbuf_alloc(LINE_BYTES_MAX +
			   READ_BYTES); /* never moves: no copy of a secret is left */
	c->out = mbuf_alloc(4096);
	if (!c->in || !c->out) {
		mem_deref(c);
		return ENOMEM;
	}
	c->fd = fd;
	err = k->core->loop->ops->watch(&c->watch, k->core->loop, fd, LOOP_READ,
					on_client, c);
	if (err) {
		mem_deref(c);
		return err;
	}
	c->control = k;
	k->n_clients++;
	list_append(&k->clients, &c->le, c);
	client_touch(c);
	return 0;
}

/* ---- the listener ---- */

static void accept_resume(void *arg)
{
	struct control *k = arg;

	(void)k->core->loop->ops->watch_set(k->watch, LOOP_READ);
}

static void on_accept(unsigned events, void *arg)
{
	struct control *k = arg;
	int fd = accept4(k->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		log_err(NULL, "control.accept", "error=%s", LQ(strerror(errno)));
		(void)k->core->loop->ops->watch_set(k->watch, 0);
		(void)timer_start(k->core->loop->timers, &k->accept_again,
				  ACCEPT_AGAIN_MS, accept_resume, k);
		return;
	}
	if (k->n_clients >= CLIENTS_MAX || client_open(k, fd))
		close(fd);
}

static int PRINTF_LIKE(3, 4) say(char **whyp, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*whyp = base_dup(text, strlen(text));
	return err;
}

/* A socket file may be left from a daemon that was killed; one that answers is somebody's. */
static int path_clear(char **whyp, const struct sockaddr_un *un)
{
	const char *path = un->sun_path;
	struct stat st;
	int fd, err;

	if (lstat(path, &st))
		return errno == ENOENT ? 0
				       : say(whyp, errno, "control socket %s: %s", path,
					     strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return say(
			whyp, EEXIST,
			"control socket %s: there is something that is no socket; another "
			"name, or that out of the way, would be right",
			path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return say(whyp, errno, "control socket %s: %s", path, strerror(errno));
	err = connect(fd, (const struct sockaddr *)un, sizeof(*un)) ? errno : 0;
	close(fd);
	if (!err || err == EAGAIN)
		return say(whyp, EADDRINUSE,
			   "control socket %s: in use, another slussd listens there",
			   path);
	if (err != ECONNREFUSED)
		return say(whyp, err, "control socket %s: %s", path, strerror(err));
	return unlink(path)
		       ? say(whyp, errno, "control socket %s: %s", path, strerror(errno))
		       : 0;
}

static int control_bind(struct control *k, char **whyp)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stat st;
	int err;

	if (strlen(k->path) >= sizeof(un.sun_path))
		return say(
			whyp, ENAMETOOLONG,
			"control socket %s: the path is longer than the %zu bytes that a "
			"socket's may have",
			k->path, sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, k->path, strlen(k->path));
	err = path_clear(whyp, &un);
	if (err)
		return err;
	k->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode of the socket before bind() is that of the file it makes: never open to others. */
	if (k->fd < 0 || fchmod(k->fd, 0600) ||
	    bind(k->fd, (const struct sockaddr *)&un, sizeof(un)) ||
	    lstat(k->path, &st) || listen(k->fd, CLIENTS_MAX))
		return say(whyp, errno, "control socket %s: %s", k->path,
			   strerror(errno));
	k->dev = st.st_dev;
	k->ino = st.st_ino;
	return 0;
}

static void control_destroy(void *p)
{
	struct control *k = p;
	struct stat st;

	while (k->clients.head)
		client_close(k->clients.head->data);
	list_flush(&k->asks);
	timer_cancel(&k->accept_again);
	mem_deref(k->watch);
	if (k->fd >= 0)
		close(k->fd);
	if (k->ino && !lstat(k->path, &st) && st.st_dev == k->dev && st.st_ino == k->ino)
		(void)unlink(k->path);
	mem_deref(k->path);
}

int control_alloc(struct control **cp, char **whyp, struct core *core, const char *path)
{
	struct control *k = mem_zalloc(sizeof(*k), control_destroy);
	int err;

	if (!k)
		return ENOMEM;
	k->fd = -1;
	k->core = core;
	k->path = base_dup(path, strlen(path));
	err = k->path ? control_bind(k, whyp) : ENOMEM;
	if (!err)
		err = core->loop->ops->watch(&k->watch, core->loop, k->fd, LOOP_READ,
					     on_accept, k);
	if (err)
		mem_deref(k);
	else
		*cp = k;
	return err;
}
