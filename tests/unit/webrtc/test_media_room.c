/* tests/unit/webrtc/test_media_room.c - the whole media room: its threads, its mailboxes, sessions that come, change
 * and go while datagrams fly. What ThreadSanitizer looks at.
 *
 *   the test ── media_ops ──► media threads ◄── UDP ── the test                                              */
#include "gateway/media.h"
#include "tests/fake/fake.h"
#include "webrtc/media/binding.h"
#include "webrtc/media/media.h"

#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

enum { WORKERS = 3, SESSIONS = 200, PAIRS = 20 };

struct world {
	struct fake_core fc;
	struct media *media;
	struct binding_codec codec;
	bool stopped;
	unsigned n_told;
	enum media_event told;
};

static int setup(void **state)
{
	static struct world w;
	char *why = NULL;

	memset(&w, 0, sizeof(w));
	*state = &w;
	fake_core_open(&w.fc);
	w.fc.config.media.workers = WORKERS;
	w.fc.config.media.n_listen = 1;
	sa_set_str(&w.fc.config.media.listenv[0], "127.0.0.1", 0);
	assert_int_equal(binding_codec_init(&w.codec), 0);
	assert_int_equal(media_alloc(&w.media, &why, &w.fc.core), 0);
	assert_int_equal(media_start(w.media, &why), 0);
	return 0;
}

static void on_stopped(void *arg)
{
	((struct world *)arg)->stopped = true;
}

static bool is_stopped(void *arg)
{
	return ((struct world *)arg)->stopped;
}

static int teardown(void **state)
{
	struct world *w = *state;

	media_stop(w->media, on_stopped, w);
	assert_true(fake_loop_wait(w->fc.loop, is_stopped, w));
	mem_deref(w->media);
	binding_codec_close(&w->codec);
	fake_core_close(&w->fc);
	return 0;
}

static void on_media(enum media_event event, unsigned side, void *arg)
{
	struct world *w = arg;

	w->n_told++;
	w->told = event;
}

static bool is_told(void *arg)
{
	return ((struct world *)arg)->n_told > 0;
}

static struct media_session *session(struct world *w, struct media_remote *remote)
{
	const struct media_session_setup setup = {
		.work = MEDIA_WORK_ECHO,
		.n_sides = 1,
		.sidev = {{.reach = MEDIA_LITE, .crypt = MEDIA_DTLS}},
		.call_id = "0123456789abcdef",
	};
	struct media_session *s = NULL;

	memset(remote, 0, sizeof(*remote));
	strcpy(remote->ufrag, "peer");
	remote->n_streams = 1;
	remote->streamv[0] = (struct media_stream){.ssrc = 1, .clock_rate = 8000};
	assert_int_equal(
		w->fc.core.media->alloc(&s, w->fc.core.media_arg, &setup, on_media, w),
		0);
	assert_int_equal(w->fc.core.media->remote(s, 0, remote, false), 0);
	return s;
}

/** A check of the session's peer at `fd`; `answered`: waits for the answer. */
static void check(struct world *w, int fd, const struct media_local *l, bool answered)
{
	struct mbuf *mb = mbuf_alloc(256);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t tie = 1;
	char name[64];

	snprintf(name, sizeof(name), "%s:peer", l->ufrag);
	assert_int_equal(stun_msg_encode(mb, STUN_METHOD_BINDING, STUN_CLASS_REQUEST,
					 (const uint8_t *)"transaction", NULL,
					 (const uint8_t *)l->pwd, strlen(l->pwd), true, 0,
					 3, STUN_ATTR_USERNAME, name,
					 STUN_ATTR_CONTROLLING, &tie, STUN_ATTR_USE_CAND,
					 &tie),
			 0);
	/* repeated like a browser's: the session's message may reach its thread behind the datagram */
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(sendto(fd, mb->buf, mb->end, 0, &l->addrv[0].u.sa,
					l->addrv[0].len),
				 mb->end);
		if (!answered || poll(&p, 1, 100) == 1)
			break;
	}
	if (answered)
		assert_true(recv(fd, mb->buf, mb->size, MSG_DONTWAIT) > 20);
	mem_deref(mb);
}

static void sessions_come_and_go(void **state)
{
	struct world *w = *state;
	struct media_session *sv[SESSIONS];
	struct media_remote remote;
	int fdv[SESSIONS]; /* a port that another session lives on may not be claimed */
	unsigned ports[3] = {0};

	for (unsigned i = 0; i < SESSIONS; i++) {
		int fd = fdv[i] = socket(AF_INET, SOCK_DGRAM, 0);

		sv[i] = session(w, &remote);
		check(w, fd, w->fc.core.media->local(sv[i], 0), true);
		ports[i % 3] = sa_port(&w->fc.core.media->local(sv[i], 0)->addrv[0]);
		if (i % 3 == 0) { /* ICE restarts */
			strcpy(remote.ufrag, "peer2");
			assert_int_equal(
				w->fc.core.media->remote(sv[i], 0, &remote, true), 0);
		}
		if (i % 4 == 0) { /* it goes, with a check on its way */
			const struct media_local l = *w->fc.core.media->local(sv[i], 0);

			sv[i] = mem_deref(sv[i]);
			check(w, fd, &l, false);
		}
	}
	/* they are spread over the threads */
	assert_true(ports[0] && ports[1] && ports[2]);
	assert_true(ports[0] != ports[1] || ports[1] != ports[2]);
	for (unsigned i = 0; i < SESSIONS; i++) {
		mem_deref(sv[i]);
		close(fdv[i]);
	}
	assert_int_equal(w->n_told, 0);
}

/** Two relays that meet each other by full ICE, each on whatever thread it has. */
struct half {
	struct world *w;
	struct media_session *s;
	unsigned n_up, n_other;
};

static void on_half(enum media_event event, unsigned side, void *arg)
{
	struct half *h = arg;

	if (event == MEDIA_UP && side == 1)
		h->n_up++;
	else
		h->n_other++;
}

static void half_open(struct world *w, struct half *h, bool controlling)
{
	const struct media_session_setup setup = {
		.work = MEDIA_WORK_RELAY,
		.n_sides = 2,
		.sidev = {{.reach = MEDIA_LITE},
			  {.reach = MEDIA_FULL, .controlling = controlling}},
		.call_id = "0123456789abcdef",
	};

	*h = (struct half){.w = w};
	assert_int_equal(
		w->fc.core.media->alloc(&h->s, w->fc.core.media_arg, &setup, on_half, h),
		0);
}

static void half_meet(struct world *w, struct half *h, const struct half *other)
{
	const struct media_local *theirs = w->fc.core.media->local(other->s, 1);
	struct media_remote remote = {.ufrag = "peer"};
	struct candidates *c = NULL;
	char line[128];
	int n;

	assert_int_equal(w->fc.core.media->remote(h->s, 0, &remote, false), 0);
	snprintf(remote.ufrag, sizeof(remote.ufrag), "%s", theirs->ufrag);
	snprintf(remote.pwd, sizeof(remote.pwd), "%s", theirs->pwd);
	assert_int_equal(w->fc.core.media->remote(h->s, 1, &remote, false), 0);
	assert_int_equal(candidates_alloc(&c, "", 0), 0);
	n = snprintf(line, sizeof(line),
		     "candidate:1 1 udp 2130706431 127.0.0.1 %u typ host",
		     sa_port(&theirs->addrv[0]));
	assert_int_equal(candidates_add(c, "0", 1, 0, line, (size_t)n), 0);
	assert_int_equal(w->fc.core.media->candidates(h->s, 1, c), 0);
	mem_deref(c);
}

static bool are_up(void *arg)
{
	struct half *v = arg;

	for (unsigned i = 0; i < PAIRS; i++)
		if (!v[2 * i].n_up || !v[2 * i + 1].n_up)
			return false;
	return true;
}

static void relays_find_each_other(void **state)
{
	static struct half v[2 * PAIRS];
	struct world *w = *state;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 2 * PAIRS; i++)
			half_open(w, &v[i], i % 2 == 0);
		for (unsigned i = 0; i < PAIRS; i++) {
			half_meet(w, &v[2 * i], &v[2 * i + 1]);
			half_meet(w, &v[2 * i + 1], &v[2 * i]);
		}
		if (round) /* and some go while they look for each other */
			assert_true(fake_loop_wait(w->fc.loop, are_up, v));
		for (unsigned i = 0; i < 2 * PAIRS; i++) {
			assert_int_equal(v[i].n_other, 0);
			v[i].s = mem_deref(v[i].s);
		}
	}
}

static void no_port_is_an_error_and_nothing_is_left(void **state)
{
	struct world *w = *state;
	struct half v[16];
	char *why = NULL;

	w->media = mem_deref(w->media);
	w->fc.config.media.rtp_first = 31300;
	w->fc.config.media.rtp_last = 31315;
	assert_int_equal(media_alloc(&w->media, &why, &w->fc.core), 0);
	assert_int_equal(media_start(w->media, &why), 0);
	for (unsigned i = 0; i < 16; i++)
		half_open(w, &v[i], true);
	{
		const struct media_session_setup setup = {
			.work = MEDIA_WORK_RELAY,
			.n_sides = 2,
			.sidev = {{.reach = MEDIA_LITE}, {.reach = MEDIA_FULL}},
			.call_id = "0123456789abcdef",
		};
		struct media_session *s = NULL;

		assert_int_equal(w->fc.core.media->alloc(&s, w->fc.core.media_arg, &setup,
							 on_half, NULL),
				 EADDRNOTAVAIL);
	}
	for (unsigned i = 0; i < 16; i++)
		mem_deref(v[i].s);
}

static void the_thread_tells_what_became_of_it(void **state)
{
	struct world *w = *state;
	struct media_session *s;
	struct media_remote remote;
	char *why = NULL;

	w->media = mem_deref(w->media);        /* its threads read the limits */
	w->fc.config.limits.media_setup_s = 0; /* at once; the file allows 5 s at least */
	assert_int_equal(media_alloc(&w->media, &why, &w->fc.core), 0);
	assert_int_equal(media_start(w->media, &why), 0);
	s = session(w, &remote);
	assert_true(fake_loop_wait(w->fc.loop, is_told, w));
	assert_int_equal(w->told, MEDIA_NEVER);
	mem_deref(s);
}

static void a_site_is_its_own_stun_server(void **state)
{
	struct world *w = *state;
	struct media_remote remote;
	struct media_session *s = session(w, &remote);
	const struct media_local *l = w->fc.core.media->local(s, 0);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t ask[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, answer[256];
	unsigned n_answers = 0;
	ssize_t n;

	/* case 54: a flood is answered as far as its source's rate goes, with 2.5 times its bytes at most */
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(sendto(fd, ask, sizeof(ask), 0, &l->addrv[0].u.sa,
					l->addrv[0].len),
				 sizeof(ask));
	while (poll(&p, 1, n_answers ? 200 : 10000) == 1) {
		n = recv(fd, answer, sizeof(answer), 0);
		assert_true(n >= 32 && n <= 50);
		assert_int_equal(answer[0] << 8 | answer[1], 0x0101);
		n_answers++;
	}
	assert_true(n_answers >= 2 * w->fc.config.limits.stun_rate);
	assert_true(n_answers <= 4 * w->fc.config.limits.stun_rate);
	close(fd);
	mem_deref(s);
}

/* ---- torture: anchored sessions that come, change and go on all threads while their packets flow ---- */

enum { ANCHORED = 24, ROUNDS = 400 };

struct anchored {
	struct media_session *s;
	int fdv[2]; /* the two legacy peers */
	struct media_remote remotev[2];
	uint16_t seq;
};

static void anchored_open(struct world *w, struct anchored *a)
{
	const struct media_session_setup setup = {
		.work = MEDIA_WORK_ANCHOR,
		.n_sides = 2,
		.sidev = {{.reach = MEDIA_PLAIN, .crypt = MEDIA_CLEAR, .n_plain = 2},
			  {.reach = MEDIA_PLAIN, .crypt = MEDIA_CLEAR, .n_plain = 2}},
		.call_id = "0123456789abcdef",
	};

	assert_int_equal(
		w->fc.core.media->alloc(&a->s, w->fc.core.media_arg, &setup, on_media, w),
		0);
	for (unsigned i = 0; i < 2; i++) {
		struct media_remote *r = &a->remotev[i];

		memset(r, 0, sizeof(*r));
		a->fdv[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		sa_set_str(&r->plainv[0].rtp, "127.0.0.1", 0);
		assert_int_equal(
			bind(a->fdv[i], &r->plainv[0].rtp.u.sa, r->plainv[0].rtp.len), 0);
		assert_int_equal(getsockname(a->fdv[i], &r->plainv[0].rtp.u.sa,
					     &r->plainv[0].rtp.len),
				 0);
		r->n_plain = 1;
		r->plainv[0].rtcp_mux = true;
		r->n_streams = 1;
		r->streamv[0] =
			(struct media_stream){.ssrc = 100 + i,
					      .sends = true,
					      .n_types = 1,
					      .typev = {{0, MEDIA_CODEC_PLAYS, 8000}}};
		assert_int_equal(w->fc.core.media->remote(a->s, i, r, false), 0);
	}
}

static void anchored_close(struct anchored *a)
{
	a->s = mem_deref(a->s);
	close(a->fdv[0]);
	close(a->fdv[1]);
}

/** A packet each way, and a report; gives how many of theirs have come through. */
static unsigned anchored_talk(struct world *w, struct anchored *a)
{
	uint8_t p[172] = {0x80}, rr[8] = {0x80, 201, 0, 1}, in[1600];
	unsigned n = 0;

	a->seq++;
	p[2] = (uint8_t)(a->seq >> 8);
	p[3] = (uint8_t)a->seq;
	for (unsigned i = 0; i < 2; i++) {
		const struct sa *to = &w->fc.core.media->local(a->s, i)->plainv[0].rtp;

		p[11] = (uint8_t)(i + 1);
		(void)sendto(a->fdv[i], p, sizeof(p), 0, &to->u.sa, to->len);
		(void)sendto(a->fdv[i], rr, sizeof(rr), 0, &to->u.sa, to->len);
		while (recv(a->fdv[i], in, sizeof(in), 0) > 0)
			n++;
	}
	return n;
}

static void torture_anchored_sessions(void **state)
{
	static struct anchored av[ANCHORED];
	struct world *w = *state;
	unsigned n = 0;

	memset(av, 0, sizeof(av));
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct anchored *a = &av[round * 7 % ANCHORED];

		if (!a->s) {
			anchored_open(w, a);
		} else if (round % 5 == 0) { /* gone, with packets on their way */
			anchored_talk(w, a);
			anchored_close(a);
		} else { /* on hold and back */
			a->remotev[round & 1].streamv[0].sends ^= 1;
			assert_int_equal(w->fc.core.media->remote(a->s, round & 1,
								  &a->remotev[round & 1],
								  false),
					 0);
		}
		for (unsigned i = 0; i < ANCHORED; i++)
			if (av[i].s)
				n += anchored_talk(w, &av[i]);
	}
	assert_true(n > ROUNDS);
	for (unsigned i = 0; i < ANCHORED; i++)
		if (av[i].s)
			anchored_close(&av[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sessions_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(relays_find_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(no_port_is_an_error_and_nothing_is_left,
						setup, teardown),
		cmocka_unit_test_setup_teardown(torture_anchored_sessions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_thread_tells_what_became_of_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_site_is_its_own_stun_server, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
