/* gateway/path.h - what stands between the two halves of a call whose media pass here. Thread: signalling.
 *
 *     leg A ──► call ── ops->offer(PATH_A, in) ──► path ──► *outp ──► every leg B
 *     leg A ◄── call ◄─ *outp ◄── path ◄── ops->answer(PATH_B, in) ── the winner
 *
 * A call that has none is direct: what one half says goes to the other as it is. call_path.c chooses and makes the
 * path, and asks it at every place where a description or candidates go from leg to leg; path_relay.c and
 * path_anchor.c implement it. mem_deref() ends it, with its media session; no event comes after that.
 *
 * Rules. (1) At most one offer is open, as in the call; `undo` ends one that has no answer. (2) Bodies that come in
 * have passed call_sdp_check(). (3) What fails changes nothing. (4) An op never calls the handler of its setup. */
#ifndef SLUSS_GATEWAY_PATH_H
#define SLUSS_GATEWAY_PATH_H

#include "gateway/call.h"
#include "gateway/candidates.h"
#include "gateway/leg.h"

/** Of a path: towards the caller's leg, towards the callee's. */
enum path_side { PATH_A, PATH_B, PATH_SIDES };

struct path;
struct path_ops {
	/** `from`'s party offers `in`; *outp is what the other side's legs get, all of them the same. `in` NULL: it has
	 *  offered nothing (late offer of a trunk), and an offer of our own is made for the other side.
	 *  Errors: EBADMSG with a sentence in *why: refused with that; ENOSPC: no room; ENOMEM. */
	int (*offer)(struct path *p, enum path_side from, struct body *in,
		     struct body **outp, struct cause *why);
	/** `from`'s party answers the offer that is open towards it. *outp NULL after 0: nothing is passed on (the answer
	 *  to the offer that a late offer was answered with). Errors as for offer. */
	int (*answer)(struct path *p, enum path_side from, struct body *in,
		      struct body **outp, struct cause *why);
	/** What the callee's side says of its media before it answers (a trunk's 183). *outp: what the caller can be given
	 *  already, or NULL. NULL op: there is nothing of the kind. */
	int (*early)(struct path *p, enum path_side from, struct body *in,
		     struct body **outp, struct cause *why);
	/** The offer of `from` that is open was refused or taken back: all is as before it. None is open: nothing. */
	void (*undo)(struct path *p, enum path_side from);
	/** Candidates of `from`'s party. *outp NULL: nothing is passed on. */
	int (*candidates)(struct path *p, enum path_side from,
			  const struct candidates *in, struct candidates **outp);
};

/** Embedded first in the implementation's struct. */
struct path {
	const struct path_ops *ops;
	enum media_mode mode; /**< MODE_RELAY or MODE_ANCHOR */
};

/** Its media are over, and so is the call: both halves are told `cause`. Called from the loop, never from an op. */
typedef void(path_over_h)(const struct cause *cause, void *arg);

struct media_caps;
struct path_side_setup {
	enum leg_media speaks; /**< what its party speaks */
	bool here;             /**< its party is a browser of ours, not another system */
	bool keys_apart;       /**< it tells and takes keys beside its media */
	struct sa
		seen; /**< where it sees our media, without port; only the family set: at
				*   one of ours of that family, the first without */
	char who[ADDR_TEXT_MAX + 1]; /**< its party, for sentences */
};
/** All of it is copied. */
struct path_setup {
	const char *call_id; /**< for logs */
	struct path_side_setup sidev[PATH_SIDES];
	const struct media_caps *caps; /**< relay's; NULL: none */
	path_over_h *over_h;
	void *arg;
};

/* Makers: core->path_relay and core->path_anchor. Errors: ENOMEM; ENOSYS: no media plane; ENOSPC: no room. */
/** ICE ends here on both sides, all else passes unread. */
int path_relay_alloc(struct path **pp, struct core *core, const struct path_setup *setup);

#endif
