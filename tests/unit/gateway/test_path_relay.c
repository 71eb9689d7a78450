/* tests/unit/gateway/test_path_relay.c - a relayed call's path over a media plane that writes down what it is told.
 *
 *   offer(A) ──► path_relay ──► remote(A), candidates(A); out: side B's credentials
 *   answer(B) ─►            ──► remote(B), candidates(B); out: side A's credentials */
#include "gateway/media.h"
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

struct media_session {
	struct media_local localv[MEDIA_SIDES];
	media_event_h *h;
	void *harg;
};

static struct {
	struct media_session *s;
	struct media_session_setup setup;
	char trace[512];
	int err_alloc, err_remote;
	unsigned n_fresh;
	char call_id[17];
} plane;

static void note(const char *what, unsigned side, const char *detail)
{
	size_t n = strlen(plane.trace);

	snprintf(plane.trace + n, sizeof(plane.trace) - n, "%s%s(%c,%s)", n ? " " : "",
		 what, side ? 'B' : 'A', detail);
}

static void gone(void *arg)
{
	(void)arg;
	plane.s = NULL;
}

static int plane_alloc(struct media_session **sp, void *arg,
		       const struct media_session_setup *setup, media_event_h *h,
		       void *harg)
{
	struct media_session *s;

	(void)arg;
	if (plane.err_alloc)
		return plane.err_alloc;
	s = mem_zalloc(sizeof(*s), gone);
	plane.setup = *setup;
	plane.s = s;
	s->h = h;
	s->harg = harg;
	for (unsigned i = 0; i < MEDIA_SIDES; i++) {
		snprintf(s->localv[i].ufrag, sizeof(s->localv[i].ufrag), "gateway%c",
			 i ? 'B' : 'A');
		snprintf(s->localv[i].pwd, sizeof(s->localv[i].pwd),
			 "ourpasswordourpassword12");
		sa_set_str(&s->localv[i].addrv[0], "203.0.113.5", (uint16_t)(3479 + i));
		s->localv[i].n_addrs = 1;
	}
	*sp = s;
	return 0;
}

static int plane_remote(struct media_session *s, unsigned side,
			const struct media_remote *r, bool fresh)
{
	if (plane.err_remote)
		return plane.err_remote;
	note(fresh ? "fresh" : "remote", side, r->ufrag);
	if (fresh)
		s->localv[side].ufrag[0] = (char)('0' + ++plane.n_fresh);
	return 0;
}

static int plane_candidates(struct media_session *s, unsigned side,
			    const struct candidates *c)
{
	char n[ICE_UFRAG_MAX + 24];

	(void)s;
	snprintf(n, sizeof(n), "%s:%zu", c->ufrag, c->n);
	note("candidates", side, n);
	return 0;
}

static const struct media_local *plane_local(const struct media_session *s, unsigned side)
{
	return &s->localv[side];
}

static const struct media_ops plane_ops = {
	.alloc = plane_alloc,
	.remote = plane_remote,
	.candidates = plane_candidates,
	.local = plane_local,
};

struct world {
	struct fake_core fc;
	struct path *path;
	struct cause over;
	unsigned n_over;
};

static void on_over(const struct cause *cause, void *arg)
{
	struct world *w = arg;

	w->over = *cause;
	w->n_over++;
}

static int setup(void **state)
{
	static struct world w;
	struct path_setup ps = {
		.call_id = "0123456789abcdef", .over_h = on_over, .arg = &w};

	memset(&w, 0, sizeof(w));
	memset(&plane, 0, sizeof(plane));
	fake_core_open(&w.fc);
	w.fc.core.media = &plane_ops;
	ps.sidev[PATH_A].here = false; /* alice is at another site, bob is ours */
	ps.sidev[PATH_B].here = true;
	snprintf(ps.sidev[PATH_A].who, sizeof(ps.sidev[PATH_A].who), "alice@far.example");
	assert_int_equal(path_relay_alloc(&w.path, &w.fc.core, &ps), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	w->path = mem_deref(w->path);
	assert_null(plane.s);
	fake_core_close(&w->fc);
	return 0;
}

#define FP1                                                                              \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:" \
	"AA:BB:CC:DD:EE:FF"
#define FP2                                                                              \
	"FF:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:" \
	"AA:BB:CC:DD:EE:FF"

static struct body *sdp(const char *ufrag, const char *fingerprint, bool candidate)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n"
		 "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
		 "a=ice-ufrag:%s\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
		 "a=fingerprint:sha-256 %s\r\na=setup:actpass\r\na=rtcp-mux\r\n%s",
		 ufrag, fingerprint,
		 candidate ? "a=candidate:1 1 udp 1 192.0.2.7 4000 typ host\r\n" : "");
	return fake_body(text);
}

/** Gives whether it passed; then `line` is in what came out. */
static bool step(struct world *w, bool offer, enum path_side from, const char *ufrag,
		 const char *fingerprint, const char *line)
{
	struct body *in = sdp(ufrag, fingerprint, false), *out = NULL;
	struct cause why;
	int err = (offer ? w->path->ops->offer : w->path->ops->answer)(w->path, from, in,
								       &out, &why);

	if (!err) {
		assert_non_null(strstr(out->data, line));
		assert_null(strstr(out->data, "192.0.2.7"));
	}
	mem_deref(in);
	mem_deref(out);
	return !err;
}

static void trickle(struct world *w, enum path_side from, const char *ufrag)
{
	struct candidates *c, *out = NULL;
	const char *line = "candidate:9 1 udp 1 192.0.2.8 4000 typ host";

	assert_int_equal(candidates_alloc(&c, ufrag, strlen(ufrag)), 0);
	assert_int_equal(candidates_add(c, "0", 1, 0, line, strlen(line)), 0);
	w->path->ops->candidates(w->path, from, c, &out);
	assert_null(out);
	mem_deref(c);
}

static void establish(struct world *w)
{
	assert_true(step(w, true, PATH_A, "alice1", FP1, "a=ice-ufrag:gatewayB"));
	assert_true(step(w, false, PATH_B, "bobs1", FP2, "a=ice-ufrag:gatewayA"));
	plane.trace[0] = '\0';
}

static void how_each_side_is_reached(void **state)
{
	(void)state;
	assert_int_equal(plane.setup.work, MEDIA_WORK_RELAY);
	assert_int_equal(plane.setup.sidev[0].reach, MEDIA_FULL);
	assert_int_equal(plane.setup.sidev[1].reach, MEDIA_LITE);
	assert_int_equal(plane.setup.sidev[0].crypt, MEDIA_UNREAD);
	assert_false(plane.setup.sidev[0].controlling);
}

static void the_first_offer_and_its_answer(void **state)
{
	struct world *w = *state;
	struct body *in = sdp("alice1", FP1, true), *out = NULL;
	struct cause why;

	assert_int_equal(w->path->ops->offer(w->path, PATH_A, in, &out, &why), 0);
	assert_non_null(strstr(out->data, "a=ice-lite\r\n"));
	mem_deref(in);
	mem_deref(out);
	trickle(w, PATH_A, "alice1");
	trickle(w, PATH_A, "");
	trickle(w, PATH_A, "else");
	assert_true(step(w, false, PATH_B, "bobs1", FP2, "a=ice-ufrag:gatewayA"));
	trickle(w, PATH_B, "bobs1"); /* lite: bob's browser checks us */
	assert_string_equal(plane.trace,
			    "remote(A,alice1) candidates(A,alice1:1) "
			    "candidates(A,alice1:1) candidates(A,:1) remote(B,bobs1)");
}

static void a_change_without_a_restart(void **state)
{
	struct world *w = *state;

	establish(w);
	assert_true(step(w, true, PATH_B, "bobs1", FP2, "a=ice-ufrag:gatewayA"));
	assert_string_equal(plane.trace, "");
	assert_true(step(w, false, PATH_A, "alice1", FP1, "a=ice-ufrag:gatewayB"));
	assert_string_equal(plane.trace, "remote(A,alice1) remote(B,bobs1)");
}

/* Bob's network changes: his side gets new credentials, alice's hears nothing of it. */
static void a_restart_is_that_sides_alone(void **state)
{
	struct world *w = *state;

	establish(w);
	assert_true(step(w, true, PATH_B, "bobs2", FP2, "a=ice-ufrag:gatewayA"));
	assert_true(step(w, false, PATH_A, "alice1", FP1, "a=ice-ufrag:1atewayB"));
	assert_string_equal(plane.trace, "remote(A,alice1) fresh(B,bobs2)");
}

/* Candidates of the offer that is open wait for its answer; those of before go on. */
static void candidates_of_a_restart(void **state)
{
	struct world *w = *state;

	establish(w);
	assert_true(step(w, true, PATH_A, "alice2", FP1, "a=ice-ufrag:gatewayB"));
	trickle(w, PATH_A, "alice2");
	trickle(w, PATH_A, "alice1");
	assert_string_equal(plane.trace, "candidates(A,alice1:1)");
	assert_true(step(w, false, PATH_B, "bobs1", FP2, "a=ice-ufrag:1atewayA"));
	assert_string_equal(plane.trace, "candidates(A,alice1:1) remote(B,bobs1) "
					 "fresh(A,alice2) candidates(A,alice2:1)");
}

static void a_restart_that_is_refused(void **state)
{
	struct world *w = *state;

	establish(w);
	assert_true(step(w, true, PATH_A, "alice2", FP1, "a=ice-ufrag:gatewayB"));
	w->path->ops->undo(w->path, PATH_A);
	trickle(w, PATH_A, "alice2");
	trickle(w, PATH_A, "alice1");
	assert_string_equal(plane.trace, "candidates(A,alice1:1)");
	assert_true(step(w, true, PATH_B, "bobs1", FP2, "a=ice-ufrag:gatewayA"));
}

/* Abuse case 33: a change of keys in mid-call; the call goes on as before. */
static void another_certificate(void **state)
{
	struct world *w = *state;

	establish(w);
	assert_false(step(w, true, PATH_A, "alice2", FP2, ""));
	/* nor the old one and the new one first, and then the new one alone */
	assert_false(step(w, true, PATH_A, "alice2", FP1 "\r\na=fingerprint:sha-256 " FP2,
			  ""));
	assert_true(step(w, true, PATH_A, "alice2", FP1, "a=ice-ufrag:gatewayB"));
	assert_false(step(w, false, PATH_B, "bobs1", FP1, ""));
	w->path->ops->undo(w->path, PATH_A);
	assert_string_equal(plane.trace, "");
}

static void no_memory_in_the_media_plane(void **state)
{
	struct world *w = *state;

	plane.err_remote = ENOMEM;
	assert_false(step(w, true, PATH_A, "alice1", FP1, ""));
	plane.err_remote = 0;
	establish(w);
}

static void what_ends_it(void **state)
{
	static const struct {
		enum media_event event;
		enum cause_reason reason;
	} v[] = {{MEDIA_NEVER, CAUSE_MEDIA},
		 {MEDIA_LOST, CAUSE_LOST},
		 {MEDIA_CAPPED, CAUSE_LIMIT},
		 {MEDIA_FAILED, CAUSE_INTERNAL}};
	struct world *w = *state;

	plane.s->h(MEDIA_UP, 0, plane.s->harg);
	assert_int_equal(w->n_over, 0);
	for (size_t i = 0; i < N_ELEMS(v); i++) {
		plane.s->h(v[i].event, 0, plane.s->harg);
		assert_int_equal(w->over.reason, v[i].reason);
	}
	plane.s->h(MEDIA_LOST, 0, plane.s->harg);
	assert_non_null(strstr(w->over.text, "alice@far.example"));
}

static void no_room(void **state)
{
	struct world *w = *state;
	struct path_setup ps = {.call_id = "x"};
	struct path *p = NULL;

	plane.err_alloc = EADDRNOTAVAIL;
	assert_int_equal(path_relay_alloc(&p, &w->fc.core, &ps), ENOSPC);
	w->fc.core.media = NULL;
	assert_int_equal(path_relay_alloc(&p, &w->fc.core, &ps), ENOSYS);
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(how_each_side_is_reached),
		TEST(the_first_offer_and_its_answer),
		TEST(a_change_without_a_restart),
		TEST(a_restart_is_that_sides_alone),
		TEST(candidates_of_a_restart),
		TEST(a_restart_that_is_refused),
		TEST(another_certificate),
		TEST(no_memory_in_the_media_plane),
		TEST(what_ends_it),
		TEST(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
