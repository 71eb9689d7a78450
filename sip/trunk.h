/* sip/trunk.h - trunks: configured legacy systems, which prove nothing but where they are. Signalling thread.
 *
 *   trunk.c           what is known of each; where its requests go; the ops of gateway/core.h
 *   trunk_udp.c       the joint for datagrams:  trunk ══ UDP ══ our socket ── loopback UDP ── Sofia
 *   trunk_words.c     who calls whom, in the words of a trunk: From, To, Contact, caller-id
 *   trunk_in.c        which of its calls are taken, and for whom
 *   trunk_keys.c      keys that are pressed, in INFO
 *   trunk_register.c  registration, and OPTIONS as keep-alive
 *   digest.c          its challenges
 * All requests go to the trunk's own address, whatever Contact and Record-Route say: nobody can send us elsewhere.
 * decisions/0040. */
#ifndef SLUSS_SIP_TRUNK_H
#define SLUSS_SIP_TRUNK_H

#include "sip/digest.h"
#include "sip/headers.h"
#include "sip/leg.h"

struct trunk_line; /* trunk_register.c */
struct udp_joint;
struct sip_udp;

struct trunk {
	struct sip *sip;
	const struct trunk_config *config;
	struct sa targetv
		[TRUNK_ADDRESSES_MAX]; /**< unset: a name that is not resolved yet */
	unsigned at;                   /**< which address is in use */
	struct digest digest;          /**< its last challenge */
	struct trunk_line *line;
	char contact_user[SIP_TAG_HEX +
			  1]; /**< of the registration; same as long as we run */
	unsigned n_calls;
	char last_error[CAUSE_TEXT_BYTES];
};

/* trunk.c */
int trunks_start(struct sip *sip, char **whyp);
void trunks_stop(struct sip *sip);
struct trunk *trunk_named(const struct sip *sip, const char *name);
/** Whose datagram is it? NULL: no trunk's. An address with its port before one without, and these before networks. */
struct trunk *trunk_of_source(const struct sip *sip, const struct sa *src);
/** May a datagram from there be this trunk's? Of several that have one address each may say so. */
bool trunk_is_source(const struct trunk *t, const struct sa *src);
/** Are they one system, under two sets of rules? By transport and first address (or proxy). */
bool trunk_is_one(const struct trunk *a, const struct trunk *b);
/** How many addresses it has, and the i-th; a proxy is the only one. */
unsigned trunk_addresses(const struct trunk *t);
const struct trunk_address *trunk_address(const struct trunk *t, unsigned i);
/** "192.0.2.7:5060", or the name: for people. */
const char *trunk_target_text(char buf[ADDR_HOST_MAX + 8], const struct trunk *t,
			      unsigned i);
bool trunk_is_udp(const struct trunk *t);
/** The edge has resolved one of its names; `target` empty: it could not, `why`. */
void trunk_resolved(struct sip *sip, const struct edge_event *ev);
/** A target was no use: the next one is in use from now on. */
void trunk_failed(struct trunk *t, unsigned at, const char *why);
/** A hop to it, by the address in use. Errors: ENOMEM, ENOTCONN its name is not resolved. */
int trunk_hop_alloc(struct sip_hop **hp, struct trunk *t);
/** Our host and port as that trunk sees them, into `buf`. */
void trunk_here(char *buf, size_t size, const struct trunk *t, unsigned at);
/** 401 or 407: may the request go again, with the challenge answered? Said in the log when not. */
bool trunk_challenged(struct trunk *t, const sip_t *response);
/** The line "Authorization: …" for the next request, once there has been a challenge; else false. */
bool trunk_authorization(char line[DIGEST_LINE], struct trunk *t, const char *method,
			 const char *uri);

/* trunk_udp.c */
/** Errors: errno, one line in *whyp. */
int udp_joint_alloc(struct udp_joint **jp, struct sip *sip, char **whyp);
/** The URL for route_url of NTA's requests. */
const char *udp_joint_url(const struct udp_joint *j);
/** A datagram from outside. False: it is from no trunk, and nothing was done. */
bool udp_joint_datagram(struct sip *sip, struct sip_udp *by, const char *p, size_t n,
			const struct sa *src);

/* trunk_words.c */
/** The number that goes out for `to`, in the trunk's format, or the name of an address that is no number. */
void trunk_dialled(char out[ADDR_USER_MAX + 1], const struct trunk *t,
		   const struct addr *to);
struct trunk_caller {
	char from[512]; /**< From, without its tag's end: `"name" <sip:…>;tag=…` */
	char line
		[1024]; /**< further header lines, or empty: Privacy, P-Asserted-Identity */
};
/** Who calls, as the trunk is to see it. Errors: EOVERFLOW. */
int trunk_caller_print(struct trunk_caller *out, const struct trunk *t,
		       const struct party *from, const char *tag);
/** "sip:USER@TRUNK" */
void trunk_uri(char *buf, size_t size, const struct trunk *t, const char *user);

/* trunk_in.c */
/** An INVITE of this trunk: is it to be taken? Gives 0 or the status of the refusal. `from` and `to` are filled in. */
unsigned trunk_judge(struct refusal *r, struct trunk *t, const sip_t *s,
		     struct party *from, struct addr *to);

/** Does a PASSporT come with it (RFC 8588, "shaken"), and is anybody trusted to vouch for numbers? */
bool trunk_identity_due(const struct trunk *t, const sip_t *s);
/** From and To as who has signed their numbers means them: tel: URIs, in E.164 as far as the plan of the trunk's place
 *  says how (RFC 8224 §8.3). Left as they are: what is no number. */
void trunk_signed(char *from, char *to, size_t size, const struct trunk *t,
		  const sip_t *s);
/** What follows from the verdict: a word for the callee, about the number in From: not when it is shown another one
 *  (P-Asserted-Identity) or none. A call by a trunk is refused for no signature. */
void trunk_verdict(struct party *from, const struct trunk *t, const sip_t *s,
		   const struct addr *to, const struct identity_verdict *v);

/* trunk_keys.c */
/** Keys for the trunk; dropped when too many wait, or it takes none so. */
void trunk_keys_send(struct sip_leg *leg, const char *keys);
/** An INFO in the dialog: true: it is about keys, and was answered. */
bool trunk_keys_info(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *s);
/** Nothing calls back any more. */
void trunk_keys_close(struct sip_leg *leg);

/* trunk_register.c */
int trunk_line_alloc(struct trunk_line **lp, struct trunk *t);
/** Something has come from it: it is there. */
void trunk_line_heard(struct trunk *t);
/** Its address is another one now: register there. */
void trunk_line_moved(struct trunk *t);
void trunk_line_state(const struct trunk *t, struct trunk_state *state);

#endif
