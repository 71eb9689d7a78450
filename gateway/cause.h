/* gateway/cause.h - why a call or an offer ended: one table maps cause <-> SIP status <-> words.
 *
 * `text` is for a person: a sentence that names what failed and where ("beta.example could not be
 * reached: its certificate expired yesterday"). It is printable UTF-8. */
#ifndef SLUSS_GATEWAY_CAUSE_H
#define SLUSS_GATEWAY_CAUSE_H

#include "lib/base.h"

/* clang-format off */
enum cause_reason {
	CAUSE_NONE = 0,
	CAUSE_HANGUP,      /* "hangup"      200  a normal end of a talk */
	CAUSE_CANCELLED,   /* "cancelled"   487  the caller gave up */
	CAUSE_ELSEWHERE,   /* "elsewhere"   200  another device took it (RFC 3326: SIP;cause=200) */
	CAUSE_BUSY,        /* "busy"        486  this device (or all) busy */
	CAUSE_DECLINED,    /* "declined"    603  the user does not want it, on any device */
	CAUSE_NO_ANSWER,   /* "no-answer"   480 towards SIP (408 read too); ring time over */
	CAUSE_OFFLINE,     /* "offline"     480  the user exists, no device is connected */
	CAUSE_NOT_FOUND,   /* "not-found"   404  no such user */
	CAUSE_NO_ROUTE,    /* "no-route"    404  not an address of ours, and not one we can call */
	CAUSE_UNREACHABLE, /* "unreachable" 503  DNS, connection, TLS: the text says which */
	CAUSE_TIMEOUT,     /* "timeout"     408  a peer or browser did not answer in time */
	CAUSE_FORBIDDEN,   /* "forbidden"   403  not proved to be who they say, or not allowed */
	CAUSE_MEDIA,       /* "media"       488  no common media; unusable SDP */
	CAUSE_GLARE,       /* "glare"       491  both sides made an offer at once */
	CAUSE_LOOP,        /* "loop"        482, 483 */
	CAUSE_BAD_REQUEST, /* "bad-request" 400  and other 4xx about syntax */
	CAUSE_LIMIT,       /* "limit"       503 + Retry-After  a stated limit was reached */
	CAUSE_LOST,        /* "lost"        BYE/480: the other side vanished (socket, session timer) */
	CAUSE_SHUTDOWN,    /* "shutdown"    503  this site is stopping */
	CAUSE_INTERNAL,    /* "internal"    500  our fault */
	CAUSE_GONE,        /* "gone"        410, 604 */
	CAUSE_REDIRECT,    /* "redirect"    3xx  we do not follow it */
	CAUSE_OTHER,       /* "other"       any other status; `code` is exact */
	CAUSE_N
};
/* clang-format on */

enum { CAUSE_TEXT_BYTES = 200 };
/** ELSEWHERE, said of a call that was established. */
#define CAUSE_TEXT_MOVED "The call goes on on another device."
struct cause {
	enum cause_reason reason;
	unsigned code; /**< SIP status 200..699 */
	char text[CAUSE_TEXT_BYTES];
};

const char *cause_reason_name(enum cause_reason reason);
/** Errors: EINVAL for an unknown token. */
int cause_reason_parse(enum cause_reason *reason, const char *token);
/** Fills `c` from the table, text NULL: the table's own sentence. Gives c. */
struct cause *cause_set(struct cause *c, enum cause_reason reason, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/** From a SIP status of a peer (phrase may be NULL; it is not trusted and gets cleaned). */
struct cause *cause_from_sip(struct cause *c, unsigned status, const char *phrase);
/** The status to send to a SIP peer that has not been answered, and a static phrase for it. */
unsigned cause_sip_status(const struct cause *c, const char **phrasep);
/** How good a refusal is to pass on when several forks refuse (RFC 3261 §16.7 6): lower is better;
 *  603 and other 6xx best, then 4xx that name the user's doing (486, 488), …, 503 and 408 last. */
unsigned cause_rank(const struct cause *c);
/** Does it speak for the user and not for one device? 603 and every other 6xx: no fork rings on. */
bool cause_is_final(const struct cause *c);

#endif
