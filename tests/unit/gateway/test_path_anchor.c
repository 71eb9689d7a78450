/* tests/unit/gateway/test_path_anchor.c - the path of an anchored call, by itself: what it asks of the media plane,
 * and when.
 *
 *   test ── ops->offer, answer, … ──► path_anchor ──► a media plane that writes down what it is asked */
#include "tests/unit/gateway/anchor_world.h"

#include "gateway/path_anchor.h"
#include "tests/fake/fake.h"

static struct {
	unsigned n_sessions, n_allocs, n_remotes, n_candidates;
	int err_alloc, err_remote;
	struct media_session *session;
	struct media_session_setup setup;
	struct media_remote remotev[MEDIA_SIDES];
	bool freshv[MEDIA_SIDES];
	struct media_local localv[MEDIA_SIDES];
	media_event_h *h;
	void *arg;
} plane;

struct media_session {
	int n;
};

static void session_destructor(void *arg)
{
	(void)arg;
	plane.n_sessions--;
}

static int plane_alloc(struct media_session **sp, void *arg,
		       const struct media_session_setup *setup, media_event_h *h,
		       void *harg)
{
	(void)arg;
	if (plane.err_alloc)
		return plane.err_alloc;
	*sp = plane.session = mem_zalloc(sizeof(**sp), session_destructor);
	plane.n_sessions++;
	plane.n_allocs++;
	plane.setup = *setup;
	plane.h = h;
	plane.arg = harg;
	return 0;
}

static int plane_remote(struct media_session *s, unsigned side,
			const struct media_remote *r, bool fresh)
{
	assert_ptr_equal(s, plane.session);
	if (plane.err_remote)
		return plane.err_remote;
	plane.n_remotes++;
	plane.remotev[side] = *r;
	plane.freshv[side] = fresh;
	if (fresh)
		snprintf(plane.localv[side].ufrag, sizeof(plane.localv[side].ufrag),
			 "fresh%u", side);
	return 0;
}

static int plane_candidates(struct media_session *s, unsigned side,
			    const struct candidates *c)
{
	assert_ptr_equal(s, plane.session);
	assert_int_equal(plane.setup.sidev[side].reach, MEDIA_FULL);
	plane.n_candidates += c->n;
	return 0;
}

static const struct media_local *plane_local(const struct media_session *s, unsigned side)
{
	assert_ptr_equal(s, plane.session);
	return &plane.localv[side];
}

static const struct media_ops plane_ops = {
	.alloc = plane_alloc,
	.remote = plane_remote,
	.candidates = plane_candidates,
	.local = plane_local,
};

struct way {
	struct core core;
	struct path *p;
	struct cause why, over;
	unsigned n_over;
	char out[8192];
};

static void on_over(const struct cause *c, void *arg)
{
	struct way *w = arg;

	w->over = *c;
	w->n_over++;
}

static void way_open(struct way *w, enum leg_media a, enum leg_media b)
{
	struct path_setup setup = {
		.call_id = "0123456789abcdef", .over_h = on_over, .arg = w};
	struct world locals;

	memset(w, 0, sizeof(*w));
	memset(&plane, 0, sizeof(plane));
	w_init(&locals, a, b);
	memcpy(plane.localv, locals.localv, sizeof(plane.localv));
	w_done(&locals);
	setup.sidev[A].speaks = a;
	setup.sidev[B].speaks = b;
	setup.sidev[A].here = a == LEG_WEBRTC;
	setup.sidev[B].here = b == LEG_WEBRTC;
	snprintf(setup.sidev[A].who, sizeof(setup.sidev[A].who), "alice@alpha.example");
	snprintf(setup.sidev[B].who, sizeof(setup.sidev[B].who),
		 "+4930123@alpha.example");
	assert_int_equal(path_anchor_alloc(&w->p, &w->core, &setup), ENOSYS);
	w->core.media = &plane_ops;
	assert_int_equal(path_anchor_alloc(&w->p, &w->core, &setup), 0);
	assert_int_equal(w->p->mode, MODE_ANCHOR);
}

static void way_close(struct way *w)
{
	mem_deref(w->p);
	assert_int_equal(plane.n_sessions, 0);
}

typedef int(op_h)(struct path *p, enum path_side from, struct body *in,
		  struct body **outp, struct cause *why);

static int say(struct way *w, op_h *op, enum path_side from, const char *text)
{
	struct body *in = NULL, *out = NULL;
	int err;

	cause_set(&w->why, CAUSE_NONE, NULL);
	if (text)
		assert_int_equal(body_alloc(&in, text, strlen(text)), 0);
	err = op(w->p, from, in, &out, &w->why);
	snprintf(w->out, sizeof(w->out), "%s", out ? out->data : "");
	if (err)
		assert_null(out);
	mem_deref(in);
	mem_deref(out);
	return err;
}

#define offer(w, from, text)  say(w, (w)->p->ops->offer, from, text)
#define answer(w, from, text) say(w, (w)->p->ops->answer, from, text)
#define early(w, from, text)  say(w, (w)->p->ops->early, from, text)

static void media_hear_of_it_with_the_answer(void **state)
{
	struct way w;

	way_open(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(offer(&w, PATH_A, CHROME), 0);
	has(w.out, "m=audio 21000 RTP/AVP 111 ");
	assert_int_equal(plane.n_allocs, 1);
	assert_int_equal(plane.n_remotes, 0);
	assert_int_equal(plane.setup.work, MEDIA_WORK_ANCHOR);
	assert_int_equal(plane.setup.sidev[A].reach, MEDIA_LITE);
	assert_int_equal(plane.setup.sidev[A].crypt, MEDIA_DTLS);
	assert_int_equal(plane.setup.sidev[B].reach, MEDIA_PLAIN);
	assert_int_equal(plane.setup.sidev[B].crypt, MEDIA_CLEAR);
	assert_int_equal(plane.setup.sidev[B].n_plain, 1);

	assert_int_equal(early(&w, PATH_B, PHONE_("5000", "0")), 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 0\r\n");
	assert_int_equal(plane.n_remotes, 2);
	assert_int_equal(sa_port(&plane.remotev[B].plainv[0].rtp), 5000);
	assert_int_equal(answer(&w, PATH_B, PHONE), 0);
	has(w.out, "m=audio 20000 UDP/TLS/RTP/SAVPF 8 0 126\r\n");
	assert_int_equal(plane.n_remotes, 4);
	assert_string_equal(plane.remotev[A].ufrag, "peer");
	assert_int_equal(plane.remotev[A].n_streams, 1);
	assert_int_equal(plane.remotev[B].streamv[0].typev[2].pt, 101);

	/* a restart of ICE: new credentials of ours are in the answer */
	assert_int_equal(
		offer(&w, PATH_A,
		      HEAD "a=group:BUNDLE 0\r\n"
			   "m=audio 9 UDP/TLS/RTP/SAVPF 8 126\r\n" WEB_(
				   "other", "actpass", FP) "a=mid:0\r\n" EVENT("126")),
		0);
	assert_int_equal(plane.n_remotes, 4);
	assert_int_equal(answer(&w, PATH_B, PHONE), 0);
	assert_true(plane.freshv[A]);
	assert_false(plane.freshv[B]);
	has(w.out, "a=ice-ufrag:fresh0\r\n");
	/* and not once more */
	assert_int_equal(offer(&w, PATH_B, PHONE "a=sendonly\r\n"), 0);
	assert_int_equal(answer(&w, PATH_A,
				HEAD
				"a=group:BUNDLE 0\r\n"
				"m=audio 9 UDP/TLS/RTP/SAVPF 8 126\r\n" WEB_(
					"other", "active",
					FP) "a=mid:0\r\na=recvonly\r\n" EVENT("126")),
			 0);
	assert_false(plane.freshv[A]);
	assert_false(plane.remotev[B].streamv[0].sends);
	assert_true(plane.remotev[A].streamv[0].sends);
	way_close(&w);
}

static void what_fails_changes_nothing(void **state)
{
	struct way w;

	way_open(&w, LEG_WEBRTC, LEG_SDES);
	assert_int_equal(answer(&w, PATH_B, PHONE), EBADMSG); /* to nothing */
	plane.err_alloc = EADDRNOTAVAIL;
	assert_int_equal(offer(&w, PATH_A, CHROME), ENOSPC);
	plane.err_alloc = 0;
	assert_int_equal(offer(&w, PATH_A, HEAD), EBADMSG);
	assert_int_equal(w.why.reason, CAUSE_MEDIA);
	has(w.why.text, "not usable: it has no media line");
	assert_int_equal(plane.n_allocs, 0);
	assert_int_equal(offer(&w, PATH_A, CHROME), 0);
	assert_int_equal(plane.setup.sidev[B].crypt, MEDIA_SDES);
	assert_int_equal(answer(&w, PATH_B, PHONE), EBADMSG); /* RTP in the clear */
	has(w.why.text, "RTP/SAVP");
	assert_int_equal(plane.n_remotes, 0);
	w.p->ops->undo(w.p, PATH_A);
	assert_int_equal(answer(&w, PATH_B, PHONE), EBADMSG);
	has(w.why.text, "no offer is open");
	assert_int_equal(offer(&w, PATH_A, CHROME), 0);
	way_close(&w);
}

static void a_late_offer_and_what_is_owed(void **state)
{
	struct way w;

	way_open(&w, LEG_RTP, LEG_WEBRTC);
	assert_int_equal(offer(&w, PATH_A, NULL), 0);
	has(w.out, "m=audio 21000 UDP/TLS/RTP/SAVPF 0 8 96\r\n");
	/* the browser's answer is an offer for the telephone system */
	assert_int_equal(answer(&w, PATH_B,
				HEAD "a=group:BUNDLE 0\r\n"
				     "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 96\r\n" WEB_ANSWERS
				     "a=mid:0\r\n" EVENT("96")),
			 0);
	has(w.out, "m=audio 20000 RTP/AVP 0 8 96\r\n");
	assert_int_equal(plane.n_remotes, 0);
	/* whose answer goes nowhere */
	assert_int_equal(answer(&w, PATH_A, PHONE), 0);
	assert_string_equal(w.out, "");
	assert_int_equal(plane.n_remotes, 2);
	assert_int_equal(sa_port(&plane.remotev[A].plainv[0].rtp), 4000);
	/* the same in the established call */
	assert_int_equal(offer(&w, PATH_A, NULL), 0);
	has(w.out, "m=audio 21000 UDP/TLS/RTP/SAVPF 8 0 96\r\n");
	has(w.out, "a=mid:0\r\n");
	way_close(&w);
}

static void dtls_with_ice_takes_candidates(void **state)
{
	struct candidates *c, *out = NULL;
	struct way w;

	way_open(&w, LEG_DTLS, LEG_WEBRTC);
	assert_int_equal(
		offer(&w, PATH_A,
		      HEAD
		      "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 192.0.2.7\r\n" ICE_(
			      "aster") "a=candidate:1 1 udp 2130706431 192.0.2.7 4000 typ "
				       "host\r\na=candidate:2 1 udp 2130706430 192.0.2.8 "
				       "4000 typ host\r\na=fingerprint:sha-256 " FP2
				       "\r\na=setup:actpass\r\na=rtcp-mux\r\n"),
		0);
	assert_int_equal(plane.setup.sidev[A].reach, MEDIA_FULL);
	assert_false(plane.setup.sidev[A].controlling);
	assert_int_equal(answer(&w, PATH_B,
				HEAD "a=group:BUNDLE 0\r\n"
				     "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" WEB_ANSWERS
				     "a=mid:0\r\n"),
			 0);
	has(w.out, "a=setup:passive\r\n");
	assert_int_equal(plane.n_candidates, 2);
	assert_int_equal(candidates_alloc(&c, "aster", 5), 0);
	assert_int_equal(
		candidates_add(c, "0", 1, 0,
			       "candidate:3 1 udp 2130706429 192.0.2.9 4000 typ host",
			       52),
		0);
	assert_int_equal(w.p->ops->candidates(w.p, PATH_A, c, &out), 0);
	assert_int_equal(w.p->ops->candidates(w.p, PATH_B, c, &out), 0); /* lite */
	assert_null(out);
	assert_int_equal(plane.n_candidates, 3);
	mem_deref(c);
	way_close(&w);

	/* without it: its address */
	way_open(&w, LEG_DTLS, LEG_WEBRTC);
	assert_int_equal(
		offer(&w, PATH_A,
		      HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 192.0.2.7\r\n"
			   "a=fingerprint:sha-256 " FP2 "\r\na=setup:actpass\r\n"),
		0);
	assert_int_equal(plane.setup.sidev[A].reach, MEDIA_PLAIN);
	way_close(&w);
}

static void media_that_are_over_end_the_call_in_words(void **state)
{
	struct way w;

	way_open(&w, LEG_WEBRTC, LEG_RTP);
	assert_int_equal(offer(&w, PATH_A, CHROME), 0);
	plane.h(MEDIA_UP, B, plane.arg);
	assert_int_equal(w.n_over, 0);
	plane.h(MEDIA_NEVER, B, plane.arg);
	assert_int_equal(w.n_over, 1);
	assert_int_equal(w.over.reason, CAUSE_MEDIA);
	has(w.over.text, "+4930123@alpha.example");
	plane.h(MEDIA_LOST, A, plane.arg);
	assert_int_equal(w.over.reason, CAUSE_LOST);
	has(w.over.text, "alice@alpha.example");
	plane.h(MEDIA_FOREIGN, A, plane.arg);
	assert_int_equal(w.over.reason, CAUSE_FORBIDDEN);
	way_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(media_hear_of_it_with_the_answer),
		cmocka_unit_test(what_fails_changes_nothing),
		cmocka_unit_test(a_late_offer_and_what_is_owed),
		cmocka_unit_test(dtls_with_ice_takes_candidates),
		cmocka_unit_test(media_that_are_over_end_the_call_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
