/* webrtc/session/replay.h - what a session remembers so that its browser can lose the connection and come
 * back with nothing lost and nothing done twice. Pure; one a session, on the signalling thread.
 *
 *   events    kept from the moment they are numbered until the browser has acknowledged them: after a
 *             loss they are sent again, in order, with the same `seq`. Bounded by bytes.
 *   requests  `id` rises in a session, over all of its connections. What was taken is never taken again:
 *             when it comes a second time, its answer is given once more. The last REPLAY_ANSWERS answers are
 *             kept, so a browser that lets no more than so many requests wait never meets one forgotten. */
#ifndef SLUSS_WEBRTC_SESSION_REPLAY_H
#define SLUSS_WEBRTC_SESSION_REPLAY_H

#include "webrtc/session/web_msg.h"

enum { REPLAY_ANSWERS = 64 };

struct replay;

/** Errors: ENOMEM. */
int replay_alloc(struct replay **rp, size_t max_bytes);

/** Numbers an event of ours and keeps a copy.  Errors: ENOMEM; ENOSPC: max_bytes wait already; the event
 *  has its number in both cases, and is not kept: the session cannot go on. */
int replay_event(struct replay *r, struct server_msg *event);
/** The browser has everything up to `seq`.  Errors: ERANGE: so much has never been sent; nothing is
 *  dropped then. */
int replay_ack(struct replay *r, uint64_t seq);
/** Can a browser that has everything up to `seq` be given all the rest?  Errors: ERANGE: it is ahead of us;
 *  ENOENT: what it lacks it has acknowledged before. */
int replay_can(const struct replay *r, uint64_t seq);
/** Calls `h` with a copy (owned) of each event that is kept, oldest first, until it gives not 0. Gives that. */
int replay_each(const struct replay *r, int (*h)(struct server_msg *copy, void *arg),
		void *arg);
size_t replay_bytes(const struct replay *r);

enum replay_request {
	REPLAY_FRESH,    /**< not seen before: carry it out, then replay_answer() */
	REPLAY_ANSWERED, /**< carried out before: *answerp says again what was said */
	REPLAY_FORGOTTEN, /**< was refused before it came here, or its answer is no longer known: it
			   *   must have no effect */
};
/** A request has come.  *answerp: owned, set for REPLAY_ANSWERED; NULL: out of memory. */
enum replay_request replay_request(struct replay *r, uint32_t id,
				   struct server_msg **answerp);
/** The answer to the request that came last. Errors: ENOMEM: not kept. */
int replay_answer(struct replay *r, const struct server_msg *answer);

#endif
