/* idp/judge.h - is a request what its Identity headers say? The order and the answers of RFC 8224 §6.2. Identity thread.
 *
 *   each header:  understood? ─ whose? ─ certificate fetched? ─ good for the caller? ─ fresh? ─ signed, and this request?
 *                  (ignored)     438        436                     437                  403         438
 * One good header is enough. When all are bad the answer is that of the one that came furthest. */
#ifndef SLUSS_IDP_JUDGE_H
#define SLUSS_IDP_JUDGE_H

#include "gateway/identity.h"
#include "idp/passport.h"
#include "idp/copies.h"
#include "idp/credential.h"
#include "idp/shelf.h"

enum { JUDGE_HEADERS_MAX = 8 /**< of one request that are looked at */ };

struct judge_case;

/** What cases are judged by. */
struct judge_court {
	struct shelf *shelf;
	struct copies *copies;
	uint32_t fresh_s;
	bool numbers;           /**< there are authorities for telephone numbers */
	int64_t (*now_s)(void); /**< NULL: clock_wall_s() */
};

/** A case with all that it needs, so that it may go to another thread. Errors: ENOMEM. */
int judge_case_alloc(struct judge_case **cp, const struct identity_case *from);
/** Judges it. `h` runs once: before this returns, or when a certificate has come. Owns: the caller keeps its
 *  reference until `h` ran; mem_deref before that forgets it. */
void judge_begin(struct judge_case *c, struct judge_court *court, identity_judged_h *h,
		 void *arg);

#endif
