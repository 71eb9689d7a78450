/* sip/edge/mark.h - the keyed hashes in the branches that the edge makes.
 *
 * Inwards the pushed Via is a ticket: it says where the answer goes and nobody else can
 * make one.
 *   SIP/2.0/TCP 127.0.0.1:PORT;branch=z9hG4bK<hash>;c=ID.GEN;m=<seal>
 *     hash  of the peer's branch, sent-by, Call-ID, CSeq number and the connection: CANCEL
 *           and the ACK to a refusal get the INVITE's, what only looks alike gets another
 *     seal  of hash and ID.GEN
 * Outwards the branch is a hash of Sofia's, because Sofia counts its branches up from one
 * it shows: whoever has seen one knows all the others. Keys live as long as the process.
 * Pure; edge thread. */
#ifndef SLUSS_SIP_EDGE_MARK_H
#define SLUSS_SIP_EDGE_MARK_H

#include "sip/edge/via.h"

enum { MARK_BRANCH = 7 + 32 + 1, MARK_VIA_MAX = 192 };

struct mark;

/** Errors: ENOMEM. Wiped when freed (mem_deref). */
int mark_alloc(struct mark **mp);
/** The branch under which a peer's request goes to Sofia. Errors: ENOMEM. */
int mark_inward(char branch[MARK_BRANCH], struct mark *mk, const struct via *peer,
		const struct pl *call_id, uint32_t cseq, uint32_t conn, uint32_t gen);
/** The whole Via header line with its CR LF. Gives its length. */
size_t mark_via_print(char buf[MARK_VIA_MAX], struct mark *mk, uint16_t port,
		      const char *branch, uint32_t conn, uint32_t gen);
/** Is it one of ours, and whose? Errors: EACCES. */
int mark_via_check(struct mark *mk, const struct via *v, uint16_t port, uint32_t *conn,
		   uint32_t *gen);
/** The branch under which a request of Sofia goes out; `label` keeps apart what Sofia
 *  gives one branch: the ACK to a 2xx is a transaction of its own. Errors: ENOMEM. */
int mark_outward(char branch[MARK_BRANCH], struct mark *mk, const struct pl *sofia,
		 const struct pl *label);

#endif
