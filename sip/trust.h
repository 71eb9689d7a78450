/* sip/trust.h - who is calling, may they, and which refusal is due. Signalling thread; changes nothing.
 *
 * Order (RFC 3261 §8.2): shape (what any peer would be told), caller, target, body. */
#ifndef SLUSS_SIP_TRUST_H
#define SLUSS_SIP_TRUST_H

#include "gateway/cause.h"
#include "gateway/identity.h"
#include "sip/room.h"

/** Why not. status 0: nothing is wrong. */
struct refusal {
	unsigned status;
	const char *phrase; /* static */
	struct cause cause; /* the words, and what the log says */
	char header[320];   /* one more header line, or empty */
};
/** Fills it in and gives status. */
unsigned refusal_set(struct refusal *r, unsigned status, const char *phrase,
		     const char *fmt, ...) PRINTF_LIKE(4, 5);

/** The joint's private header: exactly one, with our secret. Errors: EACCES, EBADMSG. */
int trust_joint(struct joint *j, const struct sip *sip, const sip_t *s);
/** Does this message of a dialog come over a connection that proves the dialog's peer? */
bool trust_peer(const struct sip *sip, const sip_t *s, const char *domain);
/** The same for the far end of a hop, which may be a trunk: what comes from its address. */
bool trust_hop(const struct sip_hop *hop, const sip_t *s);

/* Each gives 0 or the status, with *r filled in. */

/** Syntax that NTA let through (`errors`: msg_extract_errors()), method, scheme, hops, Require. */
unsigned trust_shape(struct refusal *r, const struct sip *sip, const sip_t *s,
		     unsigned errors);
/** What a domain must show before it is believed (slussd.conf(5)); REQUIRE_TLS when the file does not name it. */
enum require trust_policy(const struct sip *sip, const char *domain);
/** The From address, strictly parsed again, must be of a domain that the connection proves, or that may be proved by
 *  a signature instead, and the operator's policy must want it. `from` is filled in, but for what Identity says:
 *  trust_identity_due() tells whether that is to be asked, trust_verdict() takes it. */
unsigned trust_caller(struct refusal *r, const struct sip *sip, const struct joint *j,
		      const sip_t *s, struct party *from);
bool trust_has_identity(const sip_t *s);
/** Is the Identity of this request to be judged? `tls`: the connection proves the domain. */
bool trust_identity_due(const struct sip *sip, const sip_t *s, const char *domain,
			bool tls);
/** What follows from the verdict under the policy for `domain`: 0, with party->identity and site_verified set, or the
 *  refusal. Where Identity is not required, only a signature that is plainly not of this request (438) refuses it. */
unsigned trust_verdict(struct refusal *r, const struct sip *sip, const char *domain,
		       struct party *party, const struct identity_verdict *v);
/** The address in To, strictly parsed. Errors: those of addr_parse_uri(). */
int trust_to(struct addr *to, const sip_t *s);
/** The Request-URI must be an address of a site here: no relay. */
unsigned trust_target(struct refusal *r, const struct sip *sip, const sip_t *s,
		      struct addr *to);
/** An INVITE or UPDATE with a body: it must be one SDP. */
unsigned trust_body(struct refusal *r, const sip_t *s);

/** The values of all Identity headers as they came; NULL when there is none. Errors: ENOMEM. */
int trust_identity(char ***identityv, const sip_t *s);
/** The Require header's list of what we do not know, comma separated; true when there is some. */
bool trust_unsupported(char *buf, size_t size, const sip_t *s);

#endif
