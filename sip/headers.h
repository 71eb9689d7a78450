/* sip/headers.h - the one place where outgoing messages are written. Signalling thread.
 *
 * Whatever leaves carries the joint's private header, and with it the secret; requests name their
 * site and peer domain. NTA alone writes CANCEL's Via, the ACK to a refusal, and the 200 to a CANCEL. */
#ifndef SLUSS_SIP_HEADERS_H
#define SLUSS_SIP_HEADERS_H

#include "gateway/cause.h"
#include "sip/room.h"
#include "sip/trust.h"

extern const char sip_allow[];     /* the methods we take, for Allow */
extern const char sip_supported[]; /* the extensions, for Supported */
extern const char
	sip_recv_info[]; /* the header line: INFO packages that we take (RFC 6086) */

/** "z9hG4bK" and 128 random bits: NTA's own branches can be reckoned from one another, and the branch
 *  is all that protects what NTA does by itself (RFC 3261 §8.1.1.7). */
/** For a trunk, whose joint for datagrams keeps nothing, its last 16 bits name trunk and address. */
const char *sip_branch_make(char buf[SIP_BRANCH_BYTES], const struct sip_hop *hop);
/** What we say we support to whoever is there. */
const char *sip_supported_by(const struct sip_hop *hop);

struct sip_request {
	const struct sip_hop *hop;
	nta_leg_t *dialog;
	sip_method_t method;
	const char *name;
	const char *request_uri;  /* NULL: the dialog's target */
	const char *branch;       /* NULL: a new one */
	uint64_t token;           /* for edge events; 0: none wanted */
	const char *skip;         /* targets not to try; may be NULL */
	const struct body *sdp;   /* may be NULL */
	const char *content_type; /* of that body; NULL: application/sdp */
};
/** Sends it. Magic and handler as nta_outgoing_tcreate(). Further headers by tags.
 *  Errors: NULL (memory, or the joint could not be written). */
nta_outgoing_t *sip_request_send(const struct sip_request *rq, nta_response_f *h,
				 void *arg, tag_type_t tag, tag_value_t value, ...);
/** ACK to a 2xx of the INVITE with this branch and CSeq: by its branch, or NTA aborts. */
int sip_ack_send(const struct sip_hop *hop, nta_leg_t *dialog, const char *invite_branch,
		 uint32_t invite_cseq);
/** CANCEL, waiting for the first 1xx when there was none; `cause` may be NULL. */
void sip_cancel_send(const struct sip_hop *hop, nta_outgoing_t *invite,
		     const struct cause *cause);
/** The hop-by-hop ACK to a refusal that NTA did not acknowledge since it had given the INVITE up. */
void sip_hop_ack_send(const struct sip_hop *hop, nta_outgoing_t *invite,
		      const sip_t *refusal);

/** Answers. `hop` gives the Contact; NULL outside of dialogs. `phrase` must be static or NULL. */
int sip_reply(struct sip *sip, nta_incoming_t *irq, const struct sip_hop *hop, int status,
	      const char *phrase, const struct body *sdp, tag_type_t tag,
	      tag_value_t value, ...);
/** The same, reliably (RFC 3262); falls back to sip_reply() when the peer does not know it. */
nta_reliable_t *sip_reply_reliable(struct sip *sip, nta_incoming_t *irq,
				   const struct sip_hop *hop, nta_prack_f *h, void *arg,
				   int status, const char *phrase);
/** A refusal by cause: its status, Reason with its words, Retry-After where it helps. */
int sip_refuse(struct sip *sip, nta_incoming_t *irq, const struct cause *cause);
/** A refusal by the letter: exact status, words, further header. */
int sip_refuse_with(struct sip *sip, nta_incoming_t *irq, const struct refusal *r);

enum { SIP_REASON_BYTES = 3 * CAUSE_TEXT_BYTES };
/** `SIP;cause=486;text="…"` into buf; gives buf. What a quoted string cannot hold is left out. */
const char *sip_reason_print(char *buf, size_t size, const struct cause *cause);
/** Reads a Reason header of a message whose own status is `status` (0: a request) into `c`, which
 *  already holds what follows from the status: text, and for requests the reason itself. */
void sip_reason_read(struct cause *c, const sip_reason_t *reason, unsigned status);
/** The edge's own Reason (protocol X-EDGE) on a 503 it made: a sentence that says why no target could be reached. */
bool sip_reason_edge(char *buf, size_t size, const sip_reason_t *reason);

/** A header's text from a quoted string or token, unquoted and cleaned for people. Gives dst. */
const char *sip_text_read(char *dst, size_t size, const char *quoted);
/** `"name" <sip:user@host>;tag=…` into buf, the name cleaned and quoted, empty name left out. */
int sip_name_addr_print(char *buf, size_t size, const char *name, const struct addr *addr,
			const char *tag);

#endif
