/* tests/bench/media_plane.c - the media plane as slussd has it, its threads and nothing else, with anchored or relayed
 * sessions for ./dev bench media.
 *
 *   media_plane KIND STREAMS WORKERS FINGERPRINT    a line a stream (media_bench.h), then "ready"; ends with its stdin
 * KIND: sdes (SRTP by SDES on side A, RTP on B), sdes2 (SDES on both), browser (ICE-lite and DTLS on A), relay.
 * FINGERPRINT: hex of the sha-256 of the load's certificate; of two loads': joined. */
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/bench/media_bench.h"
#include "tests/fake/fake.h"
#include "webrtc/media/media.h"

static struct fake_core fc;
static struct media_session *sessionv[STREAMS_MAX];
static struct media_fingerprint fingerprintv[2];

static void on_media(enum media_event event, unsigned side, void *arg)
{
	if (event != MEDIA_UP)
		fprintf(stderr, "media_plane: stream %u side %u: %s\n",
			(unsigned)((struct media_session **)arg - sessionv), side,
			media_event_name(event));
}

static void stream_set(struct media_remote *r, uint32_t ssrc)
{
	r->n_streams = 1;
	r->streamv[0] = (struct media_stream){
		.ssrc = ssrc,
		.sends = true,
		.clock_rate = 8000,
		.n_types = 1,
		.typev = {{0, MEDIA_CODEC_PLAYS, 8000}},
	};
}

static void remote_set(struct media_remote *r, const struct media_side_setup *side,
		       unsigned i, bool b)
{
	uint8_t key[KEY_BYTES];

	memset(r, 0, sizeof(*r));
	stream_set(r, 2 * i + b + 1);
	if (side->reach == MEDIA_LITE) {
		snprintf(r->ufrag, sizeof(r->ufrag), "load");
		r->n_fingerprints = N_ELEMS(fingerprintv);
		memcpy(r->fingerprintv, fingerprintv, sizeof(fingerprintv));
		return;
	}
	r->n_plain = 1;
	bench_sa(&r->plainv[0].rtp, (b ? B_PORT : A_PORT) + 2 * i);
	r->plainv[0].rtcp_mux = true;
	if (side->crypt != MEDIA_SDES)
		return;
	bench_key(key, i);
	r->plainv[0].sdes.suite = 1;
	memcpy(r->plainv[0].sdes.key, key, 16);
	memcpy(r->plainv[0].sdes.salt, key + 16, 14);
}

static const char *or_none(const char *s)
{
	return *s ? s : "-";
}

static unsigned port_of(const struct media_local *l)
{
	return sa_port(l->n_plain ? &l->plainv[0].rtp : &l->addrv[0]);
}

static void line_print(unsigned i)
{
	const struct media_local *a = fc.core.media->local(sessionv[i], 0);
	const struct media_local *b = fc.core.media->local(sessionv[i], 1);

	printf("%u %u %u %s %s %s %s ", i, port_of(a), port_of(b), or_none(a->ufrag),
	       a->pwd, or_none(b->ufrag), or_none(b->pwd));
	for (unsigned k = 0; k < 16 && a->n_plain; k++)
		printf("%02x", a->plainv[0].sdes.key[k]);
	for (unsigned k = 0; k < 14 && a->n_plain; k++)
		printf("%02x", a->plainv[0].sdes.salt[k]);
	printf("%s\n", a->n_plain ? "" : "-");
}

static void session_make(unsigned i, const char *kind)
{
	const struct media_side_setup browser = {.reach = MEDIA_LITE,
						 .crypt = MEDIA_DTLS};
	const struct media_side_setup unread = {.reach = MEDIA_LITE,
						.crypt = MEDIA_UNREAD};
	const struct media_side_setup sdes = {
		.reach = MEDIA_PLAIN, .crypt = MEDIA_SDES, .n_plain = 1};
	const struct media_side_setup clear = {
		.reach = MEDIA_PLAIN, .crypt = MEDIA_CLEAR, .n_plain = 1};
	struct media_session_setup setup = {
		.work = MEDIA_WORK_ANCHOR, .n_sides = 2, .call_id = "bench"};
	struct media_remote r;

	setup.sidev[0] = !strcmp(kind, "browser") ? browser : sdes;
	setup.sidev[1] = !strcmp(kind, "sdes2") ? sdes : clear;
	if (!strcmp(kind, "relay")) {
		setup.work = MEDIA_WORK_RELAY;
		setup.sidev[0] = setup.sidev[1] = unread;
	}
	bench_must(!fc.core.media->alloc(&sessionv[i], fc.core.media_arg, &setup,
					 on_media, &sessionv[i]),
		   "alloc");
	for (unsigned side = 0; side < 2; side++) {
		remote_set(&r, &setup.sidev[side], i, side);
		bench_must(!fc.core.media->remote(sessionv[i], side, &r, false),
			   "remote");
	}
	line_print(i);
}

static void fingerprints_read(const char *hex)
{
	for (size_t k = 0; k < 64 && 2 * k + 2 <= strlen(hex); k++) {
		struct pl digits = {hex + 2 * k, 2};

		fingerprintv[k / 32].n_bytes = 32;
		fingerprintv[k / 32].v[k % 32] = (uint8_t)pl_x32(&digits);
	}
}

int main(int argc, char *argv[])
{
	struct rlimit fds = {20000, 20000};
	struct pollfd in = {.fd = 0, .events = POLLIN};
	struct media *media = NULL;
	char *why = NULL;
	unsigned n;

	bench_must(argc == 5, "KIND STREAMS WORKERS FINGERPRINT");
	n = (unsigned)strtoul(argv[2], NULL, 10);
	bench_must(n > 0 && n <= STREAMS_MAX, "STREAMS");
	setrlimit(RLIMIT_NOFILE, &fds);
	fingerprints_read(argv[4]);
	fake_core_open(&fc);
	fc.config.media.workers = (uint32_t)strtoul(argv[3], NULL, 10);
	fc.config.media.n_listen = 1;
	bench_sa(&fc.config.media.listenv[0], 0);
	fc.config.media.rtp_first = 40000;
	fc.config.media.rtp_last = 59999;
	fc.config.limits.media_setup_s = 120;
	fc.config.limits.media_consent_s = 120;
	fc.config.limits.media_silence_s = 0;
	bench_must(!media_alloc(&media, &why, &fc.core) && !media_start(media, &why),
		   why ? why : "media");
	for (unsigned i = 0; i < n; i++)
		session_make(i, argv[1]);
	printf("server ");
	for (unsigned k = 0; k < 32; k++)
		printf("%02x", fc.core.media->local(sessionv[0], 0)->fingerprint.v[k]);
	printf("\nready\n");
	fflush(stdout);
	while (poll(&in, 1, 100) == 0)
		fake_loop_turn(fc.core.loop);
	_exit(0);
}
