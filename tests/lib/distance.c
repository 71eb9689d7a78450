/* tests/lib/distance.c - a cable as long as a continent: what goes in at either end comes out at the other later, and
 * some of it never. (The kernel's own, netem, is not in every kernel.) Started by world.mjs, Host.far():
 *
 *   distance NEAR FAR DELAY-US LOST-PER-10000 SEED
 *
 *   bridge ── NEAR (tap) ── this program ── FAR (tap, moved into the host as its eth0)
 *
 * DELAY-US is the time one way; so many of ten thousand IP packets each way are lost, chosen by chance that SEED makes
 * the same in every run. ARP is never lost: it belongs to the cable in this room, not to the path that it stands for.
 * Says "ready" when both ends are there; what it carried and lost, when it is ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_MAX = 2048, FRAMES_MAX = 8192, ETHER_TYPE = 12, IP4 = 0x0800, IP6 = 0x86dd };

struct frame {
	uint64_t due_ns;
	size_t n;
	uint8_t bytes[FRAME_MAX];
};

/** One direction: a ring of frames in the order in which they are due. */
struct way {
	int from, to;
	struct frame *ring;
	size_t first, n;
	unsigned long carried, lost, overrun;
};

static volatile sig_atomic_t over;

static void on_signal(int signal)
{
	(void)signal;
	over = 1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** xorshift64*: what is lost is lost again in the next run. */
static uint64_t chance(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 2685821657736338717u) >> 33;
}

static int tap(const char *name)
{
	struct ifreq request;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	memset(&request, 0, sizeof(request));
	request.ifr_flags = IFF_TAP | IFF_NO_PI;
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static int is_ip(const uint8_t *frame, size_t n)
{
	int type = n < 14 ? 0 : frame[ETHER_TYPE] << 8 | frame[ETHER_TYPE + 1];

	return type == IP4 || type == IP6;
}

/** Takes what has come; gives 0 when an end is gone. */
static int take(struct way *w, uint64_t delay_ns, unsigned per_10000, uint64_t *state)
{
	for (;;) {
		struct frame *f = &w->ring[(w->first + w->n) % FRAMES_MAX];
		uint8_t rest[FRAME_MAX];
		int full = w->n == FRAMES_MAX;
		ssize_t n = read(w->from, full ? rest : f->bytes, FRAME_MAX);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR || errno == EIO;
		if (full) {
			w->overrun++;
		} else if (is_ip(f->bytes, (size_t)n) &&
			   chance(state) % 10000 < per_10000) {
			w->lost++;
		} else {
			f->n = (size_t)n;
			f->due_ns = now_ns() + delay_ns;
			w->n++;
		}
	}
}

/** Hands on what is due; gives when the next one is, or 0. */
static uint64_t give(struct way *w)
{
	while (w->n) {
		struct frame *f = &w->ring[w->first];

		if (f->due_ns > now_ns())
			return f->due_ns;
		/* an end that is down takes nothing, as a cable that is out */
		if (write(w->to, f->bytes, f->n) == (ssize_t)f->n)
			w->carried++;
		else
			w->overrun++;
		w->first = (w->first + 1) % FRAMES_MAX;
		w->n--;
	}
	return 0;
}

static void carry(struct way ways[2], uint64_t delay_ns, unsigned per_10000,
		  uint64_t state)
{
	while (!over) {
		struct pollfd ends[2] = {{ways[0].from, POLLIN, 0},
					 {ways[1].from, POLLIN, 0}};
		uint64_t a = give(&ways[0]), b = give(&ways[1]),
			 next = a && (!b || a < b) ? a : b, now = now_ns();
		uint64_t wait = next > now ? next - now : 0;
		struct timespec t = {next ? (time_t)(wait / 1000000000u) : 1,
				     (long)(wait % 1000000000u)};

		if (ppoll(ends, 2, &t, NULL) < 0 && errno != EINTR)
			return;
		for (int i = 0; i < 2; i++) {
			if (ends[i].revents &&
			    !take(&ways[i], delay_ns, per_10000, &state))
				return;
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_signal};
	struct way ways[2] = {{0}, {0}};

	if (argc != 6) {
		fprintf(stderr,
			"usage: distance NEAR FAR DELAY-US LOST-PER-10000 SEED\n");
		return 2;
	}
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	for (int i = 0; i < 2; i++) {
		ways[i].from = ways[1 - i].to = tap(argv[1 + i]);
		ways[i].ring = calloc(FRAMES_MAX, sizeof(struct frame));
		if (ways[i].from < 0 || !ways[i].ring) {
			perror(argv[1 + i]);
			return 1;
		}
	}
	printf("ready\n");
	(void)fflush(stdout);
	carry(ways, strtoull(argv[3], NULL, 10) * 1000u,
	      (unsigned)strtoul(argv[4], NULL, 10), strtoull(argv[5], NULL, 10) | 1u);
	for (int i = 0; i < 2; i++)
		printf("%s -> %s: carried %lu, lost %lu, overrun %lu\n", argv[1 + i],
		       argv[2 - i], ways[i].carried, ways[i].lost, ways[i].overrun);
	return 0;
}
