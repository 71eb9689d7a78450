/* gateway/call_path.c - what stands between the two halves of a call: which mode its media have, and the one way by
 * which a description or candidates of one half come to the other.
 *
 * Signalling thread. Called by call.c and call_legs.c (the first offer and its answer), call_talk.c (later ones),
 * call_trickle.c and call_event.c; calls path.h. A call without a path is direct: what comes in goes out. */
#include "gateway/call_own.h"
#include "gateway/media.h"
#include "gateway/path.h"
#include "gateway/quota.h"
#include "gateway/sdp.h"
#include "lib/log.h"

int call_sdp_check(const struct core *core, const struct leg *from, struct cause *cause,
		   struct body *body)
{
	struct sdp_facts facts;
	const char *why;
	int err;

	cause_set(cause, CAUSE_NONE, NULL);
	if (!body) {
		cause_set(cause, CAUSE_MEDIA, "There is no media description.");
		return EBADMSG;
	}
	if (body->webrtc_ok)
		return 0;
	err = sdp_check(&facts, &why, body->data, body->len,
			core->config->limits.sdp_bytes);
	if (err) {
		cause_set(cause, CAUSE_MEDIA, "The media description is not usable: %s.",
			  why);
		return EBADMSG;
	}
	if (from->media != LEG_WEBRTC)
		return 0; /* the path makes of it what a browser needs */
	/* Both ends are browsers: nothing here could make up for what is missing. */
	if (!facts.webrtc) {
		cause_set(
			cause, CAUSE_MEDIA,
			"The media are not encrypted the way browsers need it (DTLS-SRTP with ICE).");
		return EBADMSG;
	}
	body->webrtc_ok = true;
	return 0;
}

/* ---- which, and its beginning ---- */

/* The legs that are not there yet are of one kind: the route says of which. */
static bool is_anchored(const struct call *call)
{
	return call->kind == ROUTE_TRUNK || (call->a && call->a->media != LEG_WEBRTC);
}

static void over(const struct cause *cause, void *arg)
{
	struct call *call = arg;

	log_info(call_id(call), "call.media", "over=%s",
		 cause_reason_name(cause->reason));
	call_end(call, cause);
}

static void setup_fill(const struct call *call, struct path_setup *setup)
{
	struct path_side_setup *a = &setup->sidev[PATH_A], *b = &setup->sidev[PATH_B];

	setup->call_id = call_id(call);
	a->speaks = call->a ? call->a->media : LEG_WEBRTC;
	a->keys_apart = call->a && call->a->keys_apart;
	if (call->a)
		a->seen = call->a->seen;
	a->here = call->account.user[0] != '\0';
	addr_text(a->who, &call->invite->from.addr);
	b->here = call->kind == ROUTE_LOCAL;
	b->speaks = call->trunk ? call->trunk->media : LEG_WEBRTC;
	b->keys_apart = call->trunk && call->trunk->keys_by_info;
	if (call->trunk)
		b->seen = call->trunk->seen;
	addr_text(b->who, &call->invite->to);
}

/** The same call, as its outgoing legs get it: with the path's description and candidates. */
static int give(struct call *call, struct cause *why)
{
	struct candidates *made = NULL, *gathered = call->gathered;
	struct body *offer = NULL;
	int err = call->path->ops->offer(call->path, PATH_A, call->invite->offer, &offer,
					 why);

	if (!err)
		err = invite_copy(&call->given, call->invite, offer);
	if (!err && gathered)
		err = call->path->ops->candidates(call->path, PATH_A, gathered, &made);
	if (!err) {
		mem_deref(gathered);
		call->gathered = made;
	}
	mem_deref(offer);
	return err;
}

static void words(struct cause *why, int err)
{
	if (why->reason == CAUSE_NONE && err == ENOSPC)
		cause_set(
			why, CAUSE_LIMIT,
			"There is no room for the media of one more call at the moment.");
	else if (why->reason == CAUSE_NONE)
		cause_set(why, call_reason_of(err), NULL);
}

static struct media_caps caps_of(const struct limits *limits)
{
	return (struct media_caps){
		.kbps = limits->relay_kbps,
		.packets = limits->relay_packets,
		.time_s = limits->relay_s,
	};
}

static int relay(struct call *call, const struct path_setup *setup, struct cause *why)
{
	struct core *core = call->core;
	const struct limits *limits = &core->config->limits;
	int err = core->path_relay ? 0 : ENOSYS;

	/* one that takes the place of another is in its count */
	if (!err && !call->invite->replaces)
		err = quota_take(core->quota_relay, AT(&call->hidden),
				 limits->relay_calls, 0);
	if (err == ENOSPC)
		cause_set(
			why, CAUSE_LIMIT,
			"There are %u calls already in which the address of %s is hidden.",
			limits->relay_calls, AT(&call->hidden));
	if (!err) {
		if (!call->invite->replaces)
			addr_text(call->relay_key, &call->hidden);
		err = core->path_relay(&call->path, core, setup);
	}
	if (err == ENOSYS)
		cause_set(why, CAUSE_UNREACHABLE,
			  "The address of %s is not to be shown, and this site has no "
			  "media relay.",
			  AT(&call->hidden));
	return err;
}

int call_path_begin(struct call *call, struct cause *why)
{
	struct core *core = call->core;
	struct media_caps caps = caps_of(&core->config->limits); /* a relay's alone */
	struct path_setup setup = {.over_h = over, .arg = call};
	int err = ENOSYS;

	cause_set(why, CAUSE_NONE, NULL);
	if (call->given)
		return 0;
	if (!is_anchored(call) && !call->hidden.user[0]) {
		call->given = mem_ref(call->invite);
		return 0;
	}
	setup_fill(call, &setup);
	setup.caps = is_anchored(call) ? NULL : &caps;
	if (!call->invite->offer)
		call->late = LATE_ASKED; /* late_side is A's */
	if (!is_anchored(call))
		err = relay(call, &setup, why);
	else if (core->path_anchor)
		err = core->path_anchor(&call->path, core, &setup);
	if (!err)
		err = give(call, why);
	if (err) {
		call_path_end(call);
		words(why, err);
	}
	return err;
}

void call_path_end(struct call *call)
{
	call->path = mem_deref(call->path);
	call->given = mem_deref(call->given);
	if (call->relay_key[0])
		quota_give(call->core->quota_relay, call->relay_key);
	call->relay_key[0] = '\0';
}

/* ---- from one half to the other ---- */

/** `err` and what came of it: on failure *why says why. */
static int passed(struct call *call, int err, struct cause *why, const char *what)
{
	if (!err)
		return 0;
	words(why, err);
	log_debug(call_id(call), "call.path.refused", "%s err=%d text=%s", what, err,
		  LQ(why->text));
	return err;
}

int call_path_offer(struct call *call, enum path_side from, struct body *in,
		    struct body **outp, struct cause *why)
{
	struct path *p = call->path;

	cause_set(why, CAUSE_NONE, NULL);
	if (p)
		return passed(call, p->ops->offer(p, from, in, outp, why), why, "offer");
	*outp = mem_ref(in);
	return 0;
}

int call_path_answer(struct call *call, enum path_side from, struct body *in,
		     struct body **outp, struct cause *why)
{
	struct path *p = call->path;
	int err;

	cause_set(why, CAUSE_NONE, NULL);
	if (!p) {
		*outp = mem_ref(in);
		return 0;
	}
	err = passed(call, p->ops->answer(p, from, in, outp, why), why, "answer");
	if (!err && call->late == LATE_ASKED && call->late_side != from)
		call->late = LATE_OWED;
	return err;
}

void call_path_undo(struct call *call, enum path_side from)
{
	if (call->late == LATE_ASKED && call->late_side == from)
		call->late = LATE_NONE;
	if (call->path)
		call->path->ops->undo(call->path, from);
}

int call_path_candidates(struct call *call, enum path_side from,
			 const struct candidates *in, struct candidates **outp)
{
	struct path *p = call->path;

	if (p)
		return p->ops->candidates(p, from, in, outp);
	*outp = mem_ref((void *)in);
	return 0;
}

void call_path_early(struct call *call, struct leg *leg, struct body *in)
{
	struct path *p = call->path;
	struct leg *a = call->a;
	struct body *out = NULL;
	struct cause why;

	if (leg == a || !a || call->state == CALL_ACTIVE || !p || !p->ops->early ||
	    call_sdp_check(call->core, leg, &why, in))
		return;
	if (!passed(call, p->ops->early(p, PATH_B, in, &out, &why), &why, "early") &&
	    out && a->ops->early) {
		call->busy = true; /* rule 1 of leg.h */
		a->ops->early(a, out);
		call->busy = false;
	}
	mem_deref(out);
	call_again(call);
}

/* ---- an offer of ours ---- */

static struct leg *late_half(const struct call *call)
{
	return call->late_side == PATH_A ? call->a : call->winner;
}

void call_path_late(struct call *call, struct leg *leg)
{
	bool is_a = leg == call->a;
	struct cause c;

	if (call->state != CALL_ACTIVE || call->oa != OA_QUIET ||
	    call->late != LATE_NONE) {
		leg->ops->offer_refuse(leg, cause_set(&c, CAUSE_GLARE, NULL));
		return;
	}
	if (call_media_mode(call) != MODE_ANCHOR) {
		leg->ops->offer_refuse(
			leg, cause_set(&c, CAUSE_MEDIA,
				       "The other side cannot make an offer now."));
		return;
	}
	call->late = LATE_ASKED;
	call->late_side = is_a ? PATH_A : PATH_B;
	call_oa_event(call, is_a ? OA_A_OFFER : OA_B_OFFER, NULL, NULL);
}

bool call_path_late_answer(struct call *call, struct leg *leg, struct body *in)
{
	struct body *none = NULL;
	struct cause why;
	int err;

	if (call->late != LATE_OWED || call->state != CALL_ACTIVE ||
	    leg != late_half(call))
		return false;
	call->late = LATE_NONE;
	err = call_sdp_check(call->core, leg, &why, in);
	if (!err)
		err = call_path_answer(call, call->late_side, in, &none, &why);
	mem_deref(none);
	if (err)
		call_end(call, &why);
	return true;
}
