/* sip/edge/via.h - the Via headers: reading the top one, pushing, popping and changing
 * it.
 *
 *   inwards   request   peer's Via gets received and rport, ours is pushed above it
 *             response  Sofia's own Via is put back in place of the one we sent
 *   outwards  request   Sofia's Via becomes the site's
 *             response  ours is popped
 * Pure. RFC 3261 §18.2.1, §20.42; RFC 3581. */
#ifndef SLUSS_SIP_EDGE_VIA_H
#define SLUSS_SIP_EDGE_VIA_H

#include "sip/edge/message.h"

struct via {
	struct pl all;       /**< the element, trimmed */
	struct pl transport; /**< "TLS" */
	struct pl host;      /**< IPv6 with its brackets */
	uint16_t port;       /**< 0: none */
	struct pl sent_by;   /**< host and port as they stand */
	struct pl params;    /**< from the first semicolon on */
	struct pl branch;    /**< empty: none */
	bool has_rport;
};

/** One Via element. Errors: EBADMSG. */
int via_parse(struct via *v, const struct pl *text);
/** The topmost. Errors: ENOENT none; EBADMSG. */
int via_top(struct via *v, const struct message *m);
/** How many elements there are in all Via headers. */
size_t via_count(const struct message *m);
/** Takes the topmost element out, with its comma or its line. */
void via_pop(struct edits *e, const struct message *m);
/** Notes where a request came from in its top Via: `received` always, `rport` if asked
 *  for; what the peer claimed there itself is taken out. `room` holds the text until it
 *  is written. */
enum { VIA_RECEIVED_MAX = 96 };
void via_received(struct edits *e, const struct message *m, const struct via *top,
		  const struct sa *from, char room[VIA_RECEIVED_MAX]);

#endif
