/* sip/edge/where.h - the next hop of one request of Sofia's: what to resolve or dial, and
 * what that must prove.
 *
 *   no To tag   the domain that the leg names: its configured address, else RFC 3263
 *   To tag      the top Route, else the Request-URI:
 *               the domain itself or another configured peer   as above
 *               another name       resolved; must prove that name or the domain
 *               an address         dialled; must prove the domain; a special address only
 *                                  if the peer uses it itself or the configuration says so
 * Towards federated domains TLS only. Pure but for one question about open connections.
 * RFC 3261 §12.2.1.1, §16.6 step 7; RFC 3263 §4; RFC 5922 §4. */
#ifndef SLUSS_SIP_EDGE_WHERE_H
#define SLUSS_SIP_EDGE_WHERE_H

#include "gateway/config.h"
#include "sip/edge/address.h"
#include "sip/joint.h"

struct where {
	char name[ADDR_HOST_MAX + 1]; /**< to resolve; empty: `fixed` is the target */
	uint16_t port;                /**< of the URI, with `name` */
	struct sa fixed;
	char domain[ADDR_HOST_MAX + 1]; /**< to be proved … */
	char host[ADDR_HOST_MAX + 1];   /**< … or this; empty: nothing else */
	bool tls;
	bool in_dialog;
};
/** Does the peer itself use that address: is there an open connection from it that proves
 *  the domain? */
typedef bool(where_peer_h)(const struct sa *sa, const char *domain, void *arg);

/** Gives NULL, or why there is no way, to end "X could not be reached: …". */
const char *where_to(struct where *w, const struct config *config,
		     const struct message *m, const struct joint *j, where_peer_h *h,
		     void *arg);

#endif
