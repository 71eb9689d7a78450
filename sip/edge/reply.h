/* sip/edge/reply.h - responses that the edge makes itself. Pure. RFC 3261 §8.2.6, RFC
 * 3326 (Reason). */
#ifndef SLUSS_SIP_EDGE_REPLY_H
#define SLUSS_SIP_EDGE_REPLY_H

#include "sip/edge/message.h"

/** The lines of a response that come from its request (every Via, From, To with a tag of
 *  ours unless it has one, Call-ID, CSeq), appended to `mb`. What the request lacks is
 *  left out. Errors: ENOMEM. */
int reply_lines(struct mbuf *mb, const struct message *request);
/** A whole response without a body from such lines. `extra`: header lines, or NULL.
 *  Errors: ENOMEM. */
int reply_write(struct mbuf *mb, unsigned status, const struct pl *lines,
		const char *extra);
const char *reply_phrase(unsigned status);
/** A Reason header line in which `text` is said to whoever calls; quotes and control
 *  characters of it become blanks. */
enum { REPLY_REASON_MAX = 320 };
void reply_reason(char buf[REPLY_REASON_MAX], unsigned cause, const char *text);

#endif
