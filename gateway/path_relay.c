/* gateway/path_relay.c - the path of a relayed call: ICE ends here on both sides, DTLS and SRTP go through unread.
 *
 * Signalling thread. Made by call_path.c; calls sdp_relay.c for what the other side is given and the media plane by
 * gateway/media.h. Towards browsers of ours ICE-lite on the shared port, towards everybody else a port of its own and
 * full ICE, since whoever is there may be lite, too. An ICE restart is that side's alone: the other one hears nothing
 * of it. RFC 8839 §4.4 (restarts), RFC 8838 (candidates that come later), RFC 8842 §5.5 (keys that stay). */
#include "gateway/media.h"
#include "gateway/path.h"
#include "gateway/sdp_relay.h"
#include "lib/log.h"

/** What a party says of itself. */
struct described {
	bool is;
	struct media_remote remote;
	struct candidates *candidates; /**< not told to the media plane yet */
};
struct relay_side {
	enum media_reach reach;
	char who[ADDR_TEXT_MAX + 1];
	struct described now; /**< agreed on, or the first offer */
	struct described
		next; /**< of its offer that is open: holds once it is answered */
};
struct path_relay {
	struct path path; /**< first */
	struct core *core;
	struct media_session *media;
	struct relay_side sidev[PATH_SIDES];
	path_over_h *over_h;
	void *arg;
	char call_id[17];
};

static enum path_side other(enum path_side side)
{
	return side == PATH_A ? PATH_B : PATH_A;
}

static void described_clear(struct described *d)
{
	mem_deref(d->candidates);
	memset(d, 0, sizeof(*d));
}

/* ---- events ---- */

static void on_media(enum media_event event, unsigned side, void *arg)
{
	struct path_relay *p = arg;
	const char *who = p->sidev[side % PATH_SIDES].who;
	struct cause c;

	log_debug(p->call_id, "relay.media", "side=%c event=%s",
		  side == PATH_A ? 'a' : 'b', media_event_name(event));
	switch (event) {
	case MEDIA_UP:
	case MEDIA_EVENT_N:
		return;
	case MEDIA_NEVER:
		cause_set(
			&c, CAUSE_MEDIA,
			"No media of %s have reached the gateway that hides addresses: a "
			"firewall may keep UDP away.",
			who);
		break;
	case MEDIA_LOST:
		cause_set(&c, CAUSE_LOST, "The media of %s have stopped coming.", who);
		break;
	case MEDIA_CAPPED:
		cause_set(&c, CAUSE_LIMIT,
			  "A call whose addresses are hidden ends after %u seconds here.",
			  p->core->config->limits.relay_s);
		break;
	case MEDIA_FOREIGN:
	case MEDIA_FAILED:
		cause_set(&c, CAUSE_INTERNAL, NULL);
		break;
	}
	p->over_h(&c, p->arg);
}

/* ---- descriptions ---- */

/** What the media plane needs of it. */
static int describe(struct described *d, const struct sdp_relay *r)
{
	int err = sdp_relay_candidates(&d->candidates, r);

	if (err)
		return err;
	d->is = true;
	d->remote = (struct media_remote){.lite = r->lite,
					  .n_fingerprints = r->n_fingerprints};
	memcpy(d->remote.ufrag, r->ufrag.p, r->ufrag.n);
	if (r->pwd.n <= MEDIA_PWD_MAX)
		memcpy(d->remote.pwd, r->pwd.p, r->pwd.n);
	memcpy(d->remote.fingerprintv, r->fingerprintv, sizeof(d->remote.fingerprintv));
	return 0;
}

static int read_body(struct sdp_relay *r, const struct relay_side *side,
		     const struct body *in, struct cause *why)
{
	const struct media_remote *before = &side->now.remote;
	const char *words;
	int err = sdp_relay_read(r, &words, in);

	if (!err && side->now.is && r->n_fingerprints &&
	    !media_fingerprints_within(r->fingerprintv, r->n_fingerprints,
				       before->fingerprintv, before->n_fingerprints)) {
		words = "its certificate is another one than before";
		err = EBADMSG;
	}
	if (err == EBADMSG)
		cause_set(why, CAUSE_MEDIA, "The media cannot be relayed: %s.", words);
	return err;
}

/** Tells the media plane what side `i` has described; *d is taken, on success. */
static int take(struct path_relay *p, enum path_side i, struct described *d, bool fresh)
{
	const struct media_ops *media = p->core->media;
	struct relay_side *side = &p->sidev[i];
	int err;

	if (!d->remote.ufrag[0]) { /* every section is off: who it is stays */
		described_clear(d);
		return 0;
	}
	err = media->remote(p->media, i, &d->remote, fresh);
	if (err)
		return err;
	if (side->reach == MEDIA_FULL && d->candidates &&
	    (d->candidates->n || d->candidates->end) &&
	    media->candidates(p->media, i, d->candidates))
		log_debug(p->call_id, "relay.candidates.dropped", "side=%c",
			  i == PATH_A ? 'a' : 'b');
	d->candidates = mem_deref(d->candidates);
	side->now = *d;
	memset(d, 0, sizeof(*d));
	return 0;
}

static int print(struct path_relay *p, enum path_side to, const struct sdp_relay *r,
		 struct body **outp)
{
	const struct media_local *local = p->core->media->local(p->media, to);

	return sdp_relay_print(outp, r, local, p->sidev[to].reach == MEDIA_LITE,
			       p->core->config->limits.sdp_bytes);
}

/** Its first offer says at once who it is. A later one holds when it is answered: until then all is as before. */
static int op_offer(struct path *path, enum path_side from, struct body *in,
		    struct body **outp, struct cause *why)
{
	struct path_relay *p = (struct path_relay *)path;
	struct relay_side *side = &p->sidev[from];
	struct described d = {0};
	struct body *out = NULL;
	struct sdp_relay r;
	int err = in ? read_body(&r, side, in, why) : EBADMSG;

	if (!err)
		err = describe(&d, &r);
	if (!err)
		err = print(p, other(from), &r, &out);
	if (!err && !side->now.is)
		err = take(p, from, &d, false);
	if (err) {
		described_clear(&d);
		mem_deref(out);
		return err;
	}
	described_clear(&side->next);
	side->next = d;
	*outp = out;
	return 0;
}

/** The open offer is agreed on: has its side restarted ICE, we have, too. */
static int settle(struct path_relay *p, enum path_side side)
{
	struct relay_side *s = &p->sidev[side];

	if (!s->next.is)
		return 0;
	return take(p, side, &s->next,
		    strcmp(s->next.remote.ufrag, s->now.remote.ufrag) != 0);
}

static int op_answer(struct path *path, enum path_side from, struct body *in,
		     struct body **outp, struct cause *why)
{
	struct path_relay *p = (struct path_relay *)path;
	struct described d = {0};
	struct sdp_relay r;
	int err = read_body(&r, &p->sidev[from], in, why);

	if (!err)
		err = describe(&d, &r);
	if (!err)
		err = take(p, from, &d, false);
	if (!err)
		err = settle(p, other(from));
	if (!err)
		err = print(p, other(from), &r, outp);
	described_clear(&d);
	return err;
}

static void op_undo(struct path *path, enum path_side from)
{
	described_clear(&((struct path_relay *)path)->sidev[from].next);
}

/** Nothing is passed on: the other side has ours, all of them. Those of an offer that is open wait for its answer. */
static int op_candidates(struct path *path, enum path_side from,
			 const struct candidates *in, struct candidates **outp)
{
	struct path_relay *p = (struct path_relay *)path;
	struct relay_side *side = &p->sidev[from];
	struct candidates *fresh = NULL;
	int err = 0;

	(void)outp;
	if (side->reach != MEDIA_FULL)
		return 0;
	if (side->next.is && in->ufrag[0] &&
	    !strcmp(in->ufrag, side->next.remote.ufrag) &&
	    strcmp(in->ufrag, side->now.remote.ufrag) != 0) {
		err = candidates_join(side->next.candidates, &fresh, in,
				      p->core->config->limits.candidates);
		mem_deref(fresh);
	} else if (side->now.is &&
		   (!in->ufrag[0] || !strcmp(in->ufrag, side->now.remote.ufrag))) {
		err = p->core->media->candidates(p->media, from, in);
	}
	return err;
}

static const struct path_ops ops = {
	.offer = op_offer,
	.answer = op_answer,
	.undo = op_undo,
	.candidates = op_candidates,
};

static void destructor(void *arg)
{
	struct path_relay *p = arg;

	mem_deref(p->media);
	for (int i = 0; i < PATH_SIDES; i++) {
		described_clear(&p->sidev[i].now);
		described_clear(&p->sidev[i].next);
	}
}

int path_relay_alloc(struct path **pp, struct core *core, const struct path_setup *setup)
{
	struct media_session_setup media = {
		.work = MEDIA_WORK_RELAY,
		.n_sides = PATH_SIDES,
		.call_id = setup->call_id,
	};
	struct path_relay *p;
	int err;

	if (!core->media)
		return ENOSYS;
	p = mem_zalloc(sizeof(*p), destructor);
	if (!p)
		return ENOMEM;
	p->path.ops = &ops;
	p->path.mode = MODE_RELAY;
	p->core = core;
	p->over_h = setup->over_h;
	p->arg = setup->arg;
	snprintf(p->call_id, sizeof(p->call_id), "%s", setup->call_id);
	if (setup->caps)
		media.caps = *setup->caps;
	for (int i = 0; i < PATH_SIDES; i++) {
		struct relay_side *side = &p->sidev[i];

		side->reach = setup->sidev[i].here ? MEDIA_LITE : MEDIA_FULL;
		memcpy(side->who, setup->sidev[i].who, sizeof(side->who));
		media.sidev[i].reach = side->reach;
		media.sidev[i].crypt = MEDIA_UNREAD;
		media.sidev[i].controlling = i == PATH_B; /* the offer there is ours */
	}
	err = core->media->alloc(&p->media, core->media_arg, &media, on_media, p);
	if (err) {
		mem_deref(p);
		return err == EADDRNOTAVAIL ? ENOSPC : err;
	}
	*pp = &p->path;
	return 0;
}
