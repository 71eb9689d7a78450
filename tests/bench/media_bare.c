/* tests/bench/media_bare.c - what ./dev bench media compares with: the least that forwards a packet. One thread, epoll,
 * a socket pair a stream, recvfrom, OpenSSL's EVP with keyed contexts, sendto. No replay list, no roll-over, no check
 * of a tag, no reports.
 *
 *   media_bare KIND STREAMS      sdes: AES_CM_128_HMAC_SHA1_80 on side A, RTP on B; clear: RTP to RTP */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/media_bench.h"
#include "webrtc/media/packet.h"
#include "webrtc/media/srtp_own.h"

enum { BARE_PORT = 40000, TAG = 10, HEAD = 12 };

struct end {
	int fd;
	bool is_a;
	unsigned stream;
	struct sa to;
	struct srtp *in, *out; /* only their keyed contexts are used */
};

static struct end ends[STREAMS_MAX][2];
static bool srtp_side;

static void cipher(struct srtp_keys *k, uint8_t *p, size_t n)
{
	uint8_t iv[16] = {0};
	int len;

	memcpy(iv, k->salt, 14);
	for (unsigned i = 0; i < 4; i++)
		iv[4 + i] ^= p[8 + i];
	iv[12] ^= p[2];
	iv[13] ^= p[3];
	EVP_EncryptInit_ex(k->cipher, NULL, NULL, NULL, iv);
	EVP_EncryptUpdate(k->cipher, p + HEAD, &len, p + HEAD, (int)(n - HEAD));
}

static void mac(struct srtp_keys *k, uint8_t tag[20], const uint8_t *p, size_t n)
{
	static const uint8_t roc[4];
	size_t len;

	EVP_MAC_init(k->mac, NULL, 0, NULL);
	EVP_MAC_update(k->mac, p, n);
	EVP_MAC_update(k->mac, roc, 4);
	EVP_MAC_final(k->mac, tag, &len, 20);
}

static void forward(struct end *e)
{
	struct end *to = &ends[e->stream][e->is_a];
	uint8_t p[1600], tag[20];
	ssize_t rc = recvfrom(e->fd, p, sizeof(p) - TAG, 0, NULL, NULL);
	size_t n = (size_t)rc;

	if (rc < HEAD + TAG)
		return;
	if (srtp_side && e->is_a) {
		n -= TAG;
		mac(&e->in->rtp, tag, p, n);
		cipher(&e->in->rtp, p, n);
	} else if (srtp_side) {
		cipher(&to->out->rtp, p, n);
		mac(&to->out->rtp, tag, p, n);
		memcpy(p + n, tag, TAG);
		n += TAG;
	}
	sendto(to->fd, p, n, 0, &to->to.u.sa, to->to.len);
}

static void end_open(unsigned i, bool is_a, int ep)
{
	struct end *e = &ends[i][!is_a];
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = e};
	uint8_t key[KEY_BYTES];
	struct sa sa;

	e->stream = i;
	e->is_a = is_a;
	e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	bench_sa(&sa, BARE_PORT + 2 * i + !is_a);
	bench_must(!bind(e->fd, &sa.u.sa, sa.len), "bind");
	bench_sa(&e->to, (is_a ? A_PORT : B_PORT) + 2 * i);
	bench_key(key, i);
	bench_must(
		!srtp_alloc(&e->in, SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, key, key + 16) &&
			!srtp_alloc(&e->out, SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, key,
				    key + 16),
		"keys");
	bench_must(!epoll_ctl(ep, EPOLL_CTL_ADD, e->fd, &ev), "epoll");
	if (is_a)
		return;
	printf("%u %u %u - - - - ", i, BARE_PORT + 2 * i, BARE_PORT + 2 * i + 1);
	for (unsigned k = 0; k < KEY_BYTES; k++)
		printf("%02x", key[k]);
	printf("\n");
}

int main(int argc, char *argv[])
{
	struct rlimit fds = {20000, 20000};
	struct epoll_event evv[64];
	int ep = epoll_create1(0);
	unsigned n;

	bench_must(argc == 3, "KIND STREAMS");
	srtp_side = !strcmp(argv[1], "sdes");
	n = (unsigned)strtoul(argv[2], NULL, 10);
	bench_must(n > 0 && n <= STREAMS_MAX, "STREAMS");
	setrlimit(RLIMIT_NOFILE, &fds);
	for (unsigned i = 0; i < n; i++) {
		end_open(i, true, ep);
		end_open(i, false, ep);
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int got = epoll_wait(ep, evv, N_ELEMS(evv), -1);

		for (int k = 0; k < got; k++)
			forward(evv[k].data.ptr);
	}
}
