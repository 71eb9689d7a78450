/* gateway/path_anchor.c - a call whose media end here: between a browser and a telephone system.
 *
 * Signalling thread. Called by call_path.c (ops), by the media plane (events); calls the media plane by gateway/media.h
 * and sdp_anchor.c. It can hear the call, and says so: call_encryption_name() is "to-gateway".
 *
 *   offer of A   ─► sdp_desc_read ─► sdp_anchor_offer ─► sdp_anchor_print(B)
 *   answer of B  ─► sdp_desc_read ─► sdp_anchor_answer ─► media: remote(A), remote(B) ─► sdp_anchor_print(A)
 *
 * The media plane hears of an offer when it is answered: one that is refused changes nothing. */
#include "gateway/path_anchor.h"

#include "gateway/media.h"
#include "gateway/sdp_anchor.h"
#include "gateway/sdp_own.h"
#include "lib/log.h"
#include "lib/secret.h"

/** An offer of ours that a telephone system has asked for (RFC 3264 §5, RFC 3261 §14.1). */
enum anchor_late {
	LATE_NONE,
	LATE_MADE, /**< the other side has it */
	LATE_OWED, /**< its answer is an offer to who asked, who owes the answer */
};

struct path_anchor {
	struct path path; /**< first */
	struct core *core;
	char call_id[17];
	struct path_side_setup sidev[PATH_SIDES];
	path_over_h *over_h;
	void *arg;

	struct sdp_anchor *sdp;      /**< NULL before the first offer */
	struct media_session *media; /**< likewise */
	enum media_reach reachv[PATH_SIDES];
	enum path_side from; /**< who made the open offer */
	bool restarts;       /**< it restarts ICE */
	enum anchor_late late;
};

/* ---- events ---- */

static void over(struct path_anchor *p, const struct cause *c)
{
	p->over_h(c, p->arg); /* the last touch */
}

static void on_media(enum media_event event, unsigned side, void *arg)
{
	struct path_anchor *p = arg;
	const char *who = p->sidev[side].who;
	struct cause c;

	log_debug(p->call_id, "anchor.media", "side=%c event=%s", "AB"[side],
		  media_event_name(event));
	switch (event) {
	case MEDIA_UP:
	case MEDIA_EVENT_N:
		return;
	case MEDIA_NEVER:
		over(p,
		     cause_set(
			     &c, CAUSE_MEDIA,
			     "No media have come from %s: a firewall may keep UDP away.",
			     who));
		return;
	case MEDIA_LOST:
		over(p, cause_set(&c, CAUSE_LOST, "The media of %s have stopped coming.",
				  who));
		return;
	case MEDIA_FOREIGN:
		over(p,
		     cause_set(
			     &c, CAUSE_FORBIDDEN,
			     "The media that came from %s were not encrypted with the key of this "
			     "call.",
			     who));
		return;
	case MEDIA_CAPPED:
		over(p,
		     cause_set(&c, CAUSE_LIMIT,
			       "The media of the call with %s were cut off at a limit.",
			       who));
		return;
	case MEDIA_FAILED:
		over(p,
		     cause_set(&c, CAUSE_INTERNAL,
			       "The media of the call with %s have failed here.", who));
		return;
	}
}

/* ---- the beginning: how each side is reached ---- */

static bool has_video(const struct sdp_desc *d)
{
	for (unsigned i = 0; d && i < d->n_media; i++)
		if (d->mediav[i].kind == SDP_VIDEO && !d->mediav[i].refused)
			return true;
	return false;
}

static bool has_ice(const struct sdp_desc *d)
{
	for (unsigned i = 0; i < d->n_media; i++)
		if (d->mediav[i].ufrag.n)
			return true;
	return false;
}

/** `said`: what its party has described; NULL: it will be told first. A telephone system gets no ICE then: which it
 *  would need a socket for, and it has an address of its own. */
static struct media_side_setup side_of(const struct path_side_setup *side,
				       const struct sdp_desc *said, bool video)
{
	struct media_side_setup m = {.controlling = !said, .n_plain = video ? 2 : 1};

	switch (side->speaks) {
	case LEG_WEBRTC:
		m.reach = side->here ? MEDIA_LITE : MEDIA_FULL;
		m.crypt = MEDIA_DTLS;
		break;
	case LEG_DTLS:
		m.reach = said && has_ice(said) ? MEDIA_FULL : MEDIA_PLAIN;
		m.crypt = MEDIA_DTLS;
		m.n_plain = 1;
		break;
	case LEG_SDES:
		m.reach = MEDIA_PLAIN;
		m.crypt = MEDIA_SDES;
		break;
	case LEG_RTP:
		m.reach = MEDIA_PLAIN;
		m.crypt = MEDIA_CLEAR;
		break;
	}
	return m;
}

static int begin(struct path_anchor *p, enum path_side from, const struct sdp_desc *in)
{
	struct sdp_anchor_setup sdp = {.id = secret_u64(), .video = has_video(in)};
	struct media_session_setup media = {
		.work = MEDIA_WORK_ANCHOR, .n_sides = PATH_SIDES, .call_id = p->call_id};
	int err;

	for (unsigned i = 0; i < PATH_SIDES; i++) {
		sdp.speaksv[i] = p->sidev[i].speaks;
		sdp.keys_apart |= p->sidev[i].keys_apart;
		sdp.first_ssrc[i] = (uint32_t)secret_u64() | 1u << 30;
		media.sidev[i] = side_of(&p->sidev[i], i == from ? in : NULL, sdp.video);
		media.sidev[i].seen = p->sidev[i].seen;
		p->reachv[i] = media.sidev[i].reach;
	}
	err = sdp_anchor_alloc(&p->sdp, &sdp);
	if (!err)
		err = p->core->media->alloc(&p->media, p->core->media_arg, &media,
					    on_media, p);
	if (err)
		p->sdp = mem_deref(p->sdp);
	return err == EADDRNOTAVAIL ? ENOSPC : err;
}

/* ---- descriptions ---- */

static int refused(const struct path_anchor *p, int err, const char *sentence,
		   struct cause *why)
{
	if (err != EBADMSG && err != EPROTO)
		return err;
	if (!sentence)
		sentence = "no offer is open";
	log_debug(p->call_id, "anchor.refused", "why=%s", LQ(sentence));
	cause_set(why, CAUSE_MEDIA, "The media description is not usable: %s.", sentence);
	return EBADMSG;
}

static int print(struct path_anchor *p, enum path_side to, struct body **outp)
{
	const struct sdp_anchor_local local = {
		.media = p->core->media->local(p->media, to),
		.ice = p->reachv[to] != MEDIA_PLAIN,
		.lite = p->reachv[to] == MEDIA_LITE,
	};

	return sdp_anchor_print(outp, p->sdp, to, &local);
}

/** The candidates of its description: an agent that checks needs them. */
static int candidates_give(struct path_anchor *p, unsigned side,
			   const struct media_remote *r, const struct body *body)
{
	const char *at = body->data, *end = at + body->len;
	struct candidates *c;
	struct sdp_text line, v;
	int err = candidates_alloc(&c, r->ufrag, strlen(r->ufrag));

	while (!err && sdp_line(&line, &at, end)) {
		if (sdp_attribute(&v, line, "candidate")) {
			err = candidates_add(c, "0", 1, 0, line.p + 2, line.n - 2);
			if (err == EBADMSG || err == ENOSPC)
				err = 0; /* one more or less */
		} else if (sdp_attribute(&v, line, "end-of-candidates")) {
			c->end = true;
		}
	}
	if (!err && (c->n || c->end))
		err = p->core->media->candidates(p->media, side, c);
	mem_deref(c);
	return err;
}

/** Tells the media plane what both parties have said, which is agreed now. */
static int apply(struct path_anchor *p)
{
	int err = 0;

	for (unsigned i = 0; i < PATH_SIDES && !err; i++) {
		struct media_remote r;

		sdp_anchor_remote(&r, p->sdp, i);
		err = p->core->media->remote(p->media, i, &r,
					     i == p->from && p->restarts);
		if (!err && p->reachv[i] == MEDIA_FULL && r.ufrag[0] &&
		    sdp_anchor_body(p->sdp, i))
			err = candidates_give(p, i, &r, sdp_anchor_body(p->sdp, i));
		secret_wipe(&r, sizeof(r));
	}
	return err;
}

/* ---- ops ---- */

static int op_offer(struct path *path, enum path_side from, struct body *in,
		    struct body **outp, struct cause *why)
{
	struct path_anchor *p = (struct path_anchor *)path;
	struct sdp_desc *d = NULL;
	const char *sentence = NULL;
	int err = in ? sdp_desc_read(&d, &sentence, in) : 0;

	if (!err && !p->media)
		err = begin(p, from, d);
	if (!err)
		err = sdp_anchor_offer(p->sdp, from, d, &sentence);
	if (!err) {
		p->from = from;
		p->restarts = d && sdp_anchor_restarts(p->sdp, from);
		p->late = in ? LATE_NONE : LATE_MADE;
		err = print(p, !from, outp);
		if (err)
			sdp_anchor_undo(p->sdp);
	}
	mem_deref(d);
	return refused(p, err, sentence, why);
}

/** The other side's answer to an offer of ours is what the one who asked for it is offered. */
static int late_answer(struct path_anchor *p, enum path_side from, struct sdp_desc *d,
		       struct body **outp, const char **whyp)
{
	int err = sdp_anchor_offer(p->sdp, from, d, whyp);

	if (err)
		return err;
	p->from = from;
	p->late = LATE_OWED;
	return print(p, !from, outp);
}

static int agree(struct path_anchor *p, enum path_side from, struct sdp_desc *d,
		 struct body **outp, const char **whyp)
{
	int err = sdp_anchor_answer(p->sdp, from, d, whyp);

	if (!err)
		err = apply(p);
	if (!err && outp)
		err = print(p, !from, outp);
	return err;
}

static int op_answer(struct path *path, enum path_side from, struct body *in,
		     struct body **outp, struct cause *why)
{
	struct path_anchor *p = (struct path_anchor *)path;
	const char *sentence = NULL;
	struct sdp_desc *d = NULL;
	int err = p->media ? sdp_desc_read(&d, &sentence, in) : EPROTO;

	if (!err && p->late == LATE_MADE && from != p->from) {
		err = late_answer(p, from, d, outp, &sentence);
	} else if (!err) {
		err = agree(p, from, d, p->late == LATE_OWED ? NULL : outp, &sentence);
		if (!err) {
			sdp_anchor_commit(p->sdp);
			p->late = LATE_NONE;
			p->restarts = false;
		}
	}
	mem_deref(d);
	return refused(p, err, sentence, why);
}

static int op_early(struct path *path, enum path_side from, struct body *in,
		    struct body **outp, struct cause *why)
{
	struct path_anchor *p = (struct path_anchor *)path;
	const char *sentence = NULL;
	struct sdp_desc *d = NULL;
	int err = p->media && !p->late ? sdp_desc_read(&d, &sentence, in) : EPROTO;

	if (!err)
		err = agree(p, from, d, outp, &sentence);
	mem_deref(d);
	return refused(p, err, sentence, why);
}

static void op_undo(struct path *path, enum path_side from)
{
	struct path_anchor *p = (struct path_anchor *)path;

	(void)from;
	if (p->sdp)
		sdp_anchor_undo(p->sdp);
	p->late = LATE_NONE;
	p->restarts = false;
}

/** ICE ends here: nothing of it goes on. */
static int op_candidates(struct path *path, enum path_side from,
			 const struct candidates *in, struct candidates **outp)
{
	struct path_anchor *p = (struct path_anchor *)path;

	(void)outp;
	if (!p->media || p->reachv[from] != MEDIA_FULL)
		return 0;
	return p->core->media->candidates(p->media, from, in);
}

static const struct path_ops ops = {
	.offer = op_offer,
	.answer = op_answer,
	.early = op_early,
	.undo = op_undo,
	.candidates = op_candidates,
};

static void destructor(void *arg)
{
	struct path_anchor *p = arg;

	mem_deref(p->media);
	mem_deref(p->sdp);
}

int path_anchor_alloc(struct path **pp, struct core *core, const struct path_setup *setup)
{
	struct path_anchor *p;

	if (!core->media)
		return ENOSYS;
	p = mem_zalloc(sizeof(*p), destructor);
	if (!p)
		return ENOMEM;
	p->path.ops = &ops;
	p->path.mode = MODE_ANCHOR;
	p->core = core;
	snprintf(p->call_id, sizeof(p->call_id), "%s", setup->call_id);
	memcpy(p->sidev, setup->sidev, sizeof(p->sidev));
	p->over_h = setup->over_h;
	p->arg = setup->arg;
	*pp = &p->path;
	return 0;
}
