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

enum { WORKERS = 3, SESSIONS = 200 };

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

static void on_media(enum media_event event, void *arg)
{
	struct world *w = arg;

	w->n_told++;
	w->told = event;
}

static bool is_told(void *arg)
{
	return ((struct world *)arg)->n_told > 0;
}

static struct media_session *session(struct world *w, struct media_setup *setup)
{
	struct media_session *s = NULL;

	memset(setup, 0, sizeof(*setup));
	strcpy(setup->peer.ufrag, "peer");
	setup->n_streams = 1;
	setup->streamv[0] = (struct media_stream){.ssrc = 1, .clock_rate = 8000};
	assert_int_equal(w->fc.core.media->echo_alloc(&s, w->fc.core.media_arg, setup,
						      "0123456789abcdef", on_media, w),
			 0);
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
	struct media_setup setup;
	int fdv[SESSIONS]; /* a port that another session lives on may not be claimed */
	unsigned ports[3] = {0};

	for (unsigned i = 0; i < SESSIONS; i++) {
		int fd = fdv[i] = socket(AF_INET, SOCK_DGRAM, 0);

		sv[i] = session(w, &setup);
		check(w, fd, w->fc.core.media->local(sv[i]), true);
		ports[i % 3] = sa_port(&w->fc.core.media->local(sv[i])->addrv[0]);
		if (i % 3 == 0) { /* ICE restarts */
			strcpy(setup.peer.ufrag, "peer2");
			assert_int_equal(w->fc.core.media->change(sv[i], &setup), 0);
		}
		if (i % 4 == 0) { /* it goes, with a check on its way */
			const struct media_local l = *w->fc.core.media->local(sv[i]);

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

static void the_thread_tells_what_became_of_it(void **state)
{
	struct world *w = *state;
	struct media_session *s;
	struct media_setup setup;
	char *why = NULL;

	w->media = mem_deref(w->media);        /* its threads read the limits */
	w->fc.config.limits.media_setup_s = 0; /* at once; the file allows 5 s at least */
	assert_int_equal(media_alloc(&w->media, &why, &w->fc.core), 0);
	assert_int_equal(media_start(w->media, &why), 0);
	s = session(w, &setup);
	assert_true(fake_loop_wait(w->fc.loop, is_told, w));
	assert_int_equal(w->told, MEDIA_NEVER);
	mem_deref(s);
}

static void a_site_is_its_own_stun_server(void **state)
{
	struct world *w = *state;
	struct media_setup setup;
	struct media_session *s = session(w, &setup);
	const struct media_local *l = w->fc.core.media->local(s);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sessions_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(the_thread_tells_what_became_of_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_site_is_its_own_stun_server, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
