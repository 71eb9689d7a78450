/* tests/bench/media_load.c - both ends of the streams of ./dev bench media.
 *
 *   media_load KIND STREAMS [FIRST]     streams FIRST and on; KIND: sdes, sdes2, clear, browser, relay (media_plane.c, media_bare.c)
 *   "fingerprint HEX" ►   ◄ a line a stream, "up" ► (checks, handshakes) "up"
 *   ◄ "go SECONDS" ► "done {…}"    50 packets a second, both ways, of 172 bytes, spread over 20 ms
 *   ◄ "shake SECONDS" ► "done {…}" (browser) 100 handshakes a second, a stream each
 *   ◄ "burst SECONDS" ► "done {…}" as many as go through, 256 under way, A to B
 * Delay is measured where B's packets are in the clear: the payload says when it was sent. */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/media_bench.h"

#include <re/re_stun.h>

#include "webrtc/media/dtls.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/srtp.h"

enum { HIST = 100000, TICKS = 20, WINDOW = 256 };

struct end {
	int fd;
	bool is_a;
	unsigned stream;
	struct sa to;
	char ufrag[64], pwd[128];
	uint16_t seq;
	struct srtp *in, *out;
	struct dtls *dtls;
	bool checked;
	uint64_t n_in;
};

static struct end ends[STREAMS_MAX][2];
static struct media_remote any; /* whose certificate it may be: learned from the first */
static unsigned n_streams, first;
static const char *kind;
static int ep;
static uint64_t n_sent, n_got[2], n_bad;
static uint32_t hist[HIST + 1]; /* us */
static struct dtls_identity *identity;
static struct dtls_context *context;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool is(const char *k)
{
	return !strcmp(kind, k);
}

static void datagram(struct end *e, const void *p, size_t n)
{
	(void)sendto(e->fd, p, n, 0, &e->to.u.sa, e->to.len);
}

/* ---- checks and handshakes ---- */

static void check_send(struct end *e)
{
	struct mbuf *mb = mbuf_alloc(256);
	uint64_t tie = 1;
	char name[128];

	snprintf(name, sizeof(name), "%s:load", e->ufrag);
	bench_must(mb && !stun_msg_encode(mb, STUN_METHOD_BINDING, STUN_CLASS_REQUEST,
					  (const uint8_t *)"bench-media!", NULL,
					  (const uint8_t *)e->pwd, strlen(e->pwd), true,
					  0, 3, STUN_ATTR_USERNAME, name,
					  STUN_ATTR_CONTROLLING, &tie, STUN_ATTR_USE_CAND,
					  &tie),
		   "stun");
	datagram(e, mb->buf, mb->end);
	mem_deref(mb);
}

static void dtls_send(const uint8_t *p, size_t n, void *arg)
{
	datagram(arg, p, n);
}

static void keys_take(struct end *e)
{
	struct dtls_keys k;

	if (e->in || dtls_keys_take(&k, e->dtls))
		return;
	bench_must(!srtp_alloc(&e->in, k.suite, k.key_in, k.salt_in) &&
			   !srtp_alloc(&e->out, k.suite, k.key_out, k.salt_out),
		   "keys");
}

static void media_take(struct end *e, uint8_t *p, size_t n)
{
	uint64_t sent, us;

	n_got[e->is_a ? 0 : 1]++;
	if (e->n_in++ < 3 &&
	    e->in) { /* some are looked at: it must be what the other end has sent */
		n_bad += srtp_open(e->in, p, &n) != 0 || p[RTP_HEADER + 20] != 0x55;
		return;
	}
	if (e->is_a || e->in || is("relay") || is("sdes2") || n < RTP_HEADER + PAYLOAD)
		return;
	n_bad += p[n - 1] != 0x55;
	memcpy(&sent, p + n - PAYLOAD, 8);
	us = (now_ns() - sent) / 1000;
	hist[us < HIST ? us : HIST]++;
}

static void take(struct end *e)
{
	uint8_t p[1600];
	ssize_t rc;

	while ((rc = recv(e->fd, p, sizeof(p), MSG_DONTWAIT)) > 0) {
		size_t n = (size_t)rc;

		switch (packet_kind(p, n)) {
		case PACKET_STUN:
			e->checked = true;
			break;
		case PACKET_DTLS:
			if (e->dtls && dtls_take(e->dtls, p, n, 0) == DTLS_DONE)
				keys_take(e);
			break;
		case PACKET_RTP:
			media_take(e, p, n);
			break;
		case PACKET_RTCP:
		case PACKET_OTHER:
			break;
		}
	}
}

static void serve(int ms)
{
	struct epoll_event evv[64];
	int n;

	do {
		n = epoll_wait(ep, evv, N_ELEMS(evv), ms);
		for (int k = 0; k < n; k++)
			take(evv[k].data.ptr);
		ms = 0;
	} while (n == N_ELEMS(evv));
}

static bool up(struct end *e)
{
	if (e->ufrag[0] == '-')
		return true;
	if (!e->checked) {
		check_send(e);
		return false;
	}
	if (!is("browser") || !e->is_a)
		return true;
	if (!e->dtls)
		bench_must(!dtls_alloc(&e->dtls, context, true, &any, dtls_send, e),
			   "dtls");
	if (!e->in)
		dtls_tick(e->dtls, 0);
	return e->in != NULL;
}

static void all_up(void)
{
	for (unsigned tries = 0; tries < 2000; tries++) {
		unsigned n = 0;

		for (unsigned i = 0; i < n_streams; i++) {
			n += up(&ends[i][0]) + up(&ends[i][1]);
			if (i % 16 == 0)
				serve(0);
		}
		if (n == 2 * n_streams)
			return;
		serve(5);
	}
	bench_must(false, "not all streams came up");
}

/* ---- media ---- */

static void play(struct end *e)
{
	uint8_t p[300];
	size_t n = RTP_HEADER + PAYLOAD;
	uint64_t now = now_ns();

	memset(p, 0x55, n);
	p[0] = 0x80;
	p[1] = 0;
	rtp_seq_set(p, ++e->seq);
	rtp_ts_set(p, e->seq * 160u);
	rtp_ssrc_set(p, 5000 + 2 * e->stream + e->is_a);
	memcpy(p + RTP_HEADER, &now, 8);
	if (e->out)
		bench_must(!srtp_seal(e->out, p, &n), "seal");
	else if (is("relay"))
		n += 16;
	n_sent++;
	datagram(e, p, n);
}

static uint64_t percentile(double part)
{
	uint64_t all = 0, at = 0;

	for (unsigned i = 0; i <= HIST; i++)
		all += hist[i];
	for (unsigned i = 0; i <= HIST; i++) {
		at += hist[i];
		if (all && (double)at >= part * (double)all)
			return i;
	}
	return 0;
}

static void done(double seconds)
{
	printf("done {\"sent\":%llu,\"a\":%llu,\"b\":%llu,\"bad\":%llu,\"seconds\":%.3f,"
	       "\"p50_us\":%llu,\"p999_us\":%llu}\n",
	       (unsigned long long)n_sent, (unsigned long long)n_got[0],
	       (unsigned long long)n_got[1], (unsigned long long)n_bad, seconds,
	       (unsigned long long)percentile(0.5),
	       (unsigned long long)percentile(0.999));
	fflush(stdout);
}

static void counters_clear(void)
{
	n_sent = n_got[0] = n_got[1] = 0;
	memset(hist, 0, sizeof(hist));
}

static void go(double seconds)
{
	uint64_t begin = now_ns(), tick = 0, ticks = (uint64_t)(seconds * 1000);

	counters_clear();
	for (; tick < ticks; tick++) {
		uint64_t at = begin + tick * 1000000;

		for (unsigned i = (unsigned)(tick % TICKS); i < n_streams; i += TICKS) {
			play(&ends[i][0]);
			play(&ends[i][1]);
		}
		while (now_ns() < at + 1000000)
			serve(1);
	}
	serve(100);
	done(seconds);
}

/** Each tick of 10 ms another stream begins; those under way go on. */
static void shake(double seconds)
{
	unsigned ticks = (unsigned)(seconds * 100), from = 0;
	uint64_t begin = now_ns();

	counters_clear();
	for (unsigned tick = 0; tick < ticks && tick < n_streams; tick++) {
		uint64_t at = begin + tick * 10000000ull;

		while (now_ns() < at + 10000000) {
			for (unsigned i = from; i <= tick; i++)
				if (!ends[i][0].in)
					(void)up(&ends[i][0]);
			serve(2);
			while (from < tick && ends[from][0].in)
				from++;
		}
	}
	for (unsigned i = 0; i < n_streams; i++)
		n_got[0] += ends[i][0].in != NULL;
	done(seconds);
}

static void burst(double seconds)
{
	uint64_t end = now_ns() + (uint64_t)(seconds * 1e9), lost = 0;
	unsigned i = 0;

	counters_clear();
	while (now_ns() < end) {
		uint64_t was = n_got[1];

		while (n_sent < n_got[1] + lost + WINDOW) {
			play(&ends[i][0]);
			i = (i + 1) % n_streams;
		}
		serve(20);
		if (n_got[1] ==
		    was) /* what is still under way after 20 ms will not come */
			lost = n_sent - n_got[1];
	}
	serve(100);
	done(seconds);
}

/* ---- the whole ---- */

static void end_open(struct end *e, unsigned i, bool is_a)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = e};
	int size = 1 << 20;
	struct sa sa;

	e->stream = i;
	e->is_a = is_a;
	e->fd = socket(AF_INET, SOCK_DGRAM, 0);
	bench_sa(&sa, (is_a ? A_PORT : B_PORT) + 2 * (first + i));
	bench_must(!bind(e->fd, &sa.u.sa, sa.len), "bind");
	setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	bench_must(!epoll_ctl(ep, EPOLL_CTL_ADD, e->fd, &ev), "epoll");
}

static void line_take(const char *line)
{
	char a_ufrag[64], a_pwd[128], b_ufrag[64], b_pwd[128], hex[64];
	uint8_t key[KEY_BYTES], theirs[KEY_BYTES];
	unsigned i, a_port, b_port;

	bench_must(sscanf(line, "%u %u %u %63s %127s %63s %127s %63s", &i, &a_port,
			  &b_port, a_ufrag, a_pwd, b_ufrag, b_pwd, hex) == 8,
		   "a stream's line");
	if (i < first || i - first >= n_streams) /* another load's */
		return;
	i -= first;
	bench_sa(&ends[i][0].to, a_port);
	bench_sa(&ends[i][1].to, b_port);
	memcpy(ends[i][0].ufrag, a_ufrag, sizeof(a_ufrag));
	memcpy(ends[i][0].pwd, a_pwd, sizeof(a_pwd));
	memcpy(ends[i][1].ufrag, b_ufrag, sizeof(b_ufrag));
	memcpy(ends[i][1].pwd, b_pwd, sizeof(b_pwd));
	if (!is("browser") && !is("relay"))
		ends[i][0].ufrag[0] = ends[i][1].ufrag[0] = '-';
	if (is("browser"))
		ends[i][1].ufrag[0] = '-';
	if (!is("sdes") && !is("sdes2"))
		return;
	bench_key(key, first + i);
	for (unsigned k = 0; k < KEY_BYTES; k++) {
		struct pl digits = {hex + 2 * (size_t)k, 2};

		theirs[k] = (uint8_t)pl_x32(&digits);
	}
	bench_must(!srtp_alloc(&ends[i][0].in, SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, theirs,
			       theirs + 16) &&
			   !srtp_alloc(&ends[i][0].out,
				       SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, key, key + 16),
		   "keys");
}

/** "SERVER HEX": the certificate of the thing. */
static void server_take(const char *hex)
{
	any.n_fingerprints = 1;
	any.fingerprintv[0].n_bytes = 32;
	for (unsigned k = 0; k < 32; k++) {
		struct pl digits = {hex + 2 * (size_t)k, 2};

		any.fingerprintv[0].v[k] = (uint8_t)pl_x32(&digits);
	}
}

int main(int argc, char *argv[])
{
	struct rlimit fds = {20000, 20000};
	char line[1024];

	bench_must(argc == 3 || argc == 4, "KIND STREAMS [FIRST]");
	first = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	kind = argv[1];
	n_streams = (unsigned)strtoul(argv[2], NULL, 10);
	bench_must(n_streams > 0 && n_streams <= STREAMS_MAX, "STREAMS");
	setrlimit(RLIMIT_NOFILE, &fds);
	ep = epoll_create1(0);
	for (unsigned i = 0; i < n_streams; i++) {
		end_open(&ends[i][0], i, true);
		end_open(&ends[i][1], i, false);
	}
	bench_must(!dtls_identity_alloc(&identity) &&
			   !dtls_context_alloc(&context, identity),
		   "identity");
	printf("fingerprint ");
	for (unsigned k = 0; k < 32; k++)
		printf("%02x", dtls_identity_fingerprint(identity)->v[k]);
	printf("\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "server ", 7)) {
			server_take(line + 7);
		} else if (!strncmp(line, "up", 2)) {
			all_up();
			printf("up\n");
			fflush(stdout);
		} else if (!strncmp(line, "go ", 3)) {
			go(strtod(line + 3, NULL));
		} else if (!strncmp(line, "shake ", 6)) {
			shake(strtod(line + 6, NULL));
		} else if (!strncmp(line, "burst ", 6)) {
			burst(strtod(line + 6, NULL));
		} else if (!strncmp(line, "quit", 4)) {
			break;
		} else {
			line_take(line);
		}
	}
	return 0;
}
