/* tests/bench/load_loop.c - the driver's loop: epoll, a tick of one millisecond, lines on stdin;
 * and the small things every part needs: time, random numbers, samples, growing bytes.
 *
 * One thread. Called by all parts. Calls nothing but the C library and jansson. */
#include "tests/bench/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int epoll_fd = -1;
static bool running, quitting, gone;
static struct load_watch input;
static char line[64];
static size_t line_n;

uint64_t load_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint32_t load_random(uint32_t below)
{
	static uint64_t x;

	if (!x)
		x = 0x9e3779b97f4a7c15u ^ ((uint64_t)opt.seed << 17) ^ opt.seed;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return below ? (uint32_t)((x >> 16) % below) : 0;
}

static void on_line(void)
{
	if (!strcmp(line, "go"))
		gone = true;
	else if (!strcmp(line, "quit"))
		quitting = true;
}

static void on_input(uint32_t events, void *arg)
{
	char c;
	ssize_t n = read(0, &c, 1);

	(void)events;
	(void)arg;
	if (n <= 0) {
		gone = quitting = true;
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, 0, NULL);
		return;
	}
	if (c == '\n') {
		line[line_n] = '\0';
		line_n = 0;
		on_line();
	} else if (line_n < sizeof(line) - 1) {
		line[line_n++] = c;
	}
}

static void init(void)
{
	if (epoll_fd >= 0)
		return;
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		load_die("epoll_create1: %s", strerror(errno));
	input.fd = 0;
	input.h = on_input;
	load_watch_set(&input, EPOLLIN);
}

void load_watch_set(struct load_watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};
	int op = w->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	init();
	if (w->events == events)
		return;
	if (epoll_ctl(epoll_fd, op, w->fd, &ev) && errno != EPERM)
		load_die("epoll_ctl: %s", strerror(errno));
	w->events = events;
}

void load_watch_close(struct load_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->events = 0;
}

static void turn(int timeout_ms)
{
	struct epoll_event ev[128];
	int n = epoll_wait(epoll_fd, ev, 128, timeout_ms);

	for (int i = 0; i < n; i++) {
		struct load_watch *w = ev[i].data.ptr;

		if (w->fd >= 0)
			w->h(ev[i].events, w->arg);
	}
}

void load_run(void (*tick)(void *arg), void *arg)
{
	uint64_t next = 0;

	init();
	running = true;
	while (running && !quitting) {
		uint64_t now = load_now_us();

		if (tick && now >= next) {
			tick(arg);
			next = now + 1000;
		}
		turn(tick ? 1 : 1000);
	}
}

void load_stop(void)
{
	running = false;
}

void load_wait_go(void)
{
	init();
	while (!gone)
		turn(1000);
}

bool load_quitting(void)
{
	return quitting;
}

void load_sample(struct load_samples *s, uint64_t us)
{
	if (s->n == s->size) {
		s->size = s->size ? 2 * s->size : 1024;
		s->v = realloc(s->v, s->size * sizeof(*s->v));
		if (!s->v)
			load_die("out of memory");
	}
	s->v[s->n++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

json_t *load_samples_json(struct load_samples *s)
{
	if (!s->n)
		return json_pack("{s:i}", "n", 0);
	qsort(s->v, s->n, sizeof(*s->v), by_value);
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "n", (json_int_t)s->n, "p50_us",
			 (json_int_t)s->v[s->n / 2], "p90_us",
			 (json_int_t)s->v[s->n * 9 / 10], "p99_us",
			 (json_int_t)s->v[s->n * 99 / 100], "max_us",
			 (json_int_t)s->v[s->n - 1]);
}

void load_bytes_add(struct load_bytes *b, const void *p, size_t n)
{
	if (!n)
		return;
	if (b->n + n > b->size) {
		b->size = 2 * (b->n + n);
		b->p = realloc(b->p, b->size);
		if (!b->p)
			load_die("out of memory");
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void load_bytes_cut(struct load_bytes *b, size_t n)
{
	b->n -= n;
	if (b->n)
		memmove(b->p, b->p + n, b->n);
	else
		load_bytes_free(b); /* thousands of idle devices: no buffer each */
}

void load_bytes_free(struct load_bytes *b)
{
	free(b->p);
	*b = (struct load_bytes){0};
}
