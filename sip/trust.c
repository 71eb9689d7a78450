/* sip/trust.c - judging requests: pure functions of the message and of what the edge proved.
 *
 * Thread: signalling. Called by agent.c, leg_in.c, dialog.c, reoffer.c; calls addr, cause, joint.
 * Sofia's parser is lenient, so every address that decides anything is printed again
 * and goes through addr_parse_uri(). RFC 3261 §8.2, §16.3; RFC 5922 §4; RFC 3323 is not honoured. */
#include "sip/trust.h"

#include <strings.h>

#include "lib/log.h"
#include "sip/headers.h"
#include "sip/trunk.h"

enum { URI_BYTES = 512, IDENTITY_MAX = 8, METHOD_TEXT = 32 };

unsigned refusal_set(struct refusal *r, unsigned status, const char *phrase,
		     const char *fmt, ...)
{
	char text[CAUSE_TEXT_BYTES];
	va_list ap;

	memset(r, 0, sizeof(*r));
	r->status = status;
	r->phrase = phrase;
	cause_from_sip(&r->cause, status, NULL);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	addr_name_clean(r->cause.text, sizeof(r->cause.text), text, strlen(text));
	return status;
}

static bool name_is(const sip_unknown_t *un, const char *name, const char *compact)
{
	return un->un_name && (!strcasecmp(un->un_name, name) ||
			       (compact && !strcasecmp(un->un_name, compact)));
}

int trust_joint(struct joint *j, const struct sip *sip, const sip_t *s)
{
	const sip_unknown_t *found = NULL;

	for (const sip_unknown_t *un = s->sip_unknown; un; un = un->un_next) {
		if (!name_is(un, JOINT_HEADER, NULL))
			continue;
		if (found)
			return EACCES;
		found = un;
	}
	if (!found || !found->un_value)
		return EACCES;
	return joint_parse(j, sip->secret, found->un_value, strlen(found->un_value));
}

bool trust_peer(const struct sip *sip, const sip_t *s, const char *domain)
{
	struct joint j;

	return !trust_joint(&j, sip, s) && joint_list_has(j.names, domain);
}

bool trust_hop(const struct sip_hop *hop, const sip_t *s)
{
	const struct trunk *from;
	struct joint j;

	if (!hop->trunk)
		return trust_peer(hop->sip, s, hop->domain);
	if (trust_joint(&j, hop->sip, s))
		return false;
	if (!strcmp(j.trunk, hop->domain))
		return true;
	from = trunk_named(hop->sip, j.trunk);
	return from && trunk_is_one(from, hop->trunk);
}

/* Strictly parses what Sofia made of a URI. */
static int uri_parse(struct addr *a, const url_t *url)
{
	char text[URI_BYTES];
	isize_t n = url_e(text, sizeof(text), url);

	if (n < 0 || (size_t)n >= sizeof(text))
		return EINVAL;
	return addr_parse_uri(a, text, (size_t)n);
}

bool trust_unsupported(char *buf, size_t size, const sip_t *s)
{
	size_t n = 0;

	buf[0] = '\0';
	if (!s->sip_require || !s->sip_require->k_items)
		return false;
	for (const msg_param_t *item = s->sip_require->k_items; *item; item++) {
		if (!strcasecmp(*item, "timer") || !strcasecmp(*item, "100rel") ||
		    !strcasecmp(*item, "trickle-ice") || !strcasecmp(*item, "replaces"))
			continue;
		if (n + strlen(*item) + 3 > size)
			break;
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", *item);
	}
	return n > 0;
}

static unsigned check_method(struct refusal *r, const sip_t *s)
{
	const char *name = s->sip_request->rq_method_name;

	switch (s->sip_request->rq_method) {
	case sip_method_invite:
	case sip_method_ack:
	case sip_method_cancel:
	case sip_method_bye:
	case sip_method_options:
	case sip_method_prack:
	case sip_method_update:
	case sip_method_info:
		return 0;
	case sip_method_unknown:
		return refusal_set(r, 501, "Not Implemented",
				   "The method %.*s is not known here.", METHOD_TEXT,
				   name);
	default:
		return refusal_set(r, 405, "Method Not Allowed",
				   "The method %.*s is not offered here.", METHOD_TEXT,
				   name);
	}
}

static unsigned check_uri(struct refusal *r, const sip_t *s)
{
	struct addr a;

	if (s->sip_request->rq_url->url_headers) /* RFC 3261 §19.1.1 */
		return refusal_set(r, 400, "Bad Request",
				   "The Request-URI carries headers.");
	switch (uri_parse(&a, s->sip_request->rq_url)) {
	case EPROTONOSUPPORT:
		return refusal_set(r, 416, "Unsupported URI Scheme",
				   "Only sip: and sips: addresses can be called here.");
	case EINVAL:
		return refusal_set(r, 400, "Bad Request",
				   "The Request-URI is malformed.");
	default:
		return 0; /* EDOM: well formed, but nobody here */
	}
}

static unsigned check_hops(struct refusal *r, const struct sip *sip, const sip_t *s)
{
	unsigned n = 0;

	for (const sip_via_t *v = s->sip_via ? s->sip_via->v_next : NULL; v;
	     v = v->v_next) {
		if (++n > SIP_VIA_MAX)
			return refusal_set(r, 482, "Loop Detected",
					   "The request has passed more than %d hops.",
					   SIP_VIA_MAX);
		if (v->v_host && core_site_find(sip->core, v->v_host))
			return refusal_set(r, 482, "Loop Detected",
					   "The request has come back to %s.", v->v_host);
	}
	if (s->sip_request->rq_method == sip_method_invite && s->sip_max_forwards &&
	    s->sip_max_forwards->mf_count == 0)
		return refusal_set(r, 483, "Too Many Hops",
				   "The request may not travel further.");
	return 0;
}

/* Sofia keeps two kinds of things in its list of errors: lines it could not read, and whole headers that
 * came once too often, which are no sip_error_t in spite of the list's type. */
static const char *faulty_header(const sip_error_t *e)
{
	const char *name = NULL;

	if (e && e->er_common->h_class == sip_error_class)
		name = e->er_name;
	else if (e && e->er_common->h_class)
		name = e->er_common->h_class->hc_name;
	return name ? name : "its name could not be read";
}

unsigned trust_shape(struct refusal *r, const struct sip *sip, const sip_t *s,
		     unsigned errors)
{
	char list[256];
	unsigned status;

	memset(r, 0, sizeof(*r));
	if (errors)
		return refusal_set(r, 400, "Bad Request", "A header is malformed: %.32s.",
				   faulty_header(s->sip_error));
	status = check_method(r, s);
	if (!status)
		status = check_uri(r, s);
	if (!status)
		status = check_hops(r, sip, s);
	if (status || s->sip_request->rq_method == sip_method_ack ||
	    s->sip_request->rq_method == sip_method_cancel)
		return status;
	if (s->sip_replaces && s->sip_request->rq_method != sip_method_invite)
		return refusal_set(r, 400, "Bad Request",
				   "Only an INVITE replaces a call."); /* RFC 3891 §3 */
	if (trust_unsupported(list, sizeof(list), s)) {
		refusal_set(r, 420, "Bad Extension",
			    "An extension is required that is not known here.");
		snprintf(r->header, sizeof(r->header), "Unsupported: %s", list);
		return r->status;
	}
	return 0;
}

enum require trust_policy(const struct sip *sip, const char *domain)
{
	const struct peer_config *pc = config_peer_find(sip->core->config, domain);

	return pc ? pc->require : REQUIRE_TLS;
}

static bool is_signature_required(enum require require, bool tls)
{
	return require == REQUIRE_IDENTITY || require == REQUIRE_BOTH ||
	       (require == REQUIRE_EITHER && !tls);
}

/* The connection proves nothing of From: may a signature do instead? Not one that comes in the clear, nor over the
 * connection of a third domain. */
static unsigned check_unproved(struct refusal *r, const struct sip *sip,
			       const struct joint *j, const char *domain)
{
	enum require require = trust_policy(sip, domain);
	bool may = require == REQUIRE_IDENTITY || require == REQUIRE_EITHER;

	if (*j->names)
		return refusal_set(r, 403, "Forbidden",
				   "The connection's certificate does not prove %s.",
				   domain);
	if (!may || !j->tls)
		return refusal_set(r, 403, "Forbidden",
				   "The connection shows no certificate that proves %s.",
				   domain);
	return 0;
}

unsigned trust_caller(struct refusal *r, const struct sip *sip, const struct joint *j,
		      const sip_t *s, struct party *from)
{
	const struct peer_config *pc;
	unsigned status = 0;
	int err = s->sip_from ? uri_parse(&from->addr, s->sip_from->a_url) : EINVAL;

	if (err)
		return refusal_set(
			r, err == EINVAL ? 400 : 403,
			err == EINVAL ? "Bad Request" : "Forbidden",
			"The From address is not one that a calling site can vouch for.");
	pc = config_peer_find(sip->core->config, from->addr.host);
	if (pc && pc->block)
		return refusal_set(r, 403, "Forbidden",
				   "Calls from %s are not taken here.", from->addr.host);
	from->site_tls = joint_list_has(j->names, from->addr.host);
	from->site_verified = from->site_tls;
	if (!from->site_tls)
		status = check_unproved(r, sip, j, from->addr.host);
	if (status)
		return status;
	if (!sip->core->identity &&
	    is_signature_required(trust_policy(sip, from->addr.host), from->site_tls))
		return refusal_set(
			r, 403, "Forbidden",
			"Calls from %s must be signed, which is not verified here.",
			from->addr.host);
	sip_text_read(from->name, sizeof(from->name), s->sip_from->a_display);
	return 0;
}

bool trust_has_identity(const sip_t *s)
{
	for (const sip_unknown_t *un = s->sip_unknown; un; un = un->un_next)
		if (name_is(un, "Identity", "y"))
			return true;
	return false;
}

bool trust_identity_due(const struct sip *sip, const sip_t *s, const char *domain,
			bool tls)
{
	return sip->core->identity &&
	       (trust_has_identity(s) ||
		is_signature_required(trust_policy(sip, domain), tls));
}

unsigned trust_verdict(struct refusal *r, const struct sip *sip, const char *domain,
		       struct party *party, const struct identity_verdict *v)
{
	bool required = is_signature_required(trust_policy(sip, domain), party->site_tls);
	static struct log_gate gate;

	party->judged_ms = v->took_ms;
	if (!v->status) {
		party->identity = PARTY_SIGNED;
		/* who vouches for a number says nothing of the domain it comes from */
		party->site_verified = party->site_tls || !v->number;
		return 0;
	}
	if (required || v->status == 438) {
		refusal_set(r, v->status, v->phrase, "%s: %s.", v->phrase, v->why);
		if (v->status == 503)
			cause_set(&r->cause, CAUSE_LIMIT, NULL);
		return r->status;
	}
	party->identity = v->status == 428 ? PARTY_UNSIGNED : PARTY_DOUBTED;
	if (party->identity == PARTY_DOUBTED && log_gate_open(&gate, 10))
		log_warn(NULL, "sip.identity.doubted", "peer=%s status=%u why=%s",
			 LQ(domain), v->status, LQ(v->why));
	return 0;
}

unsigned trust_target(struct refusal *r, const struct sip *sip, const sip_t *s,
		      struct addr *to)
{
	int err = uri_parse(to, s->sip_request->rq_url);

	if (err == EDOM)
		return refusal_set(r, 404, "Not Found", "Nobody has this address.");
	if (err)
		return refusal_set(r, 400, "Bad Request",
				   "The Request-URI is malformed.");
	if (!core_site_find(sip->core, to->host))
		return refusal_set(r, 403, "Forbidden",
				   "Calls are not passed on to other domains.");
	return 0;
}

int trust_to(struct addr *to, const sip_t *s)
{
	return s->sip_to ? uri_parse(to, s->sip_to->a_url) : EINVAL;
}

static bool accepts_sdp(const sip_accept_t *accept)
{
	for (; accept; accept = accept->ac_next)
		if (accept->ac_type && (!strcasecmp(accept->ac_type, "application/sdp") ||
					!strcasecmp(accept->ac_type, "application/*") ||
					!strcasecmp(accept->ac_type, "*/*")))
			return true;
	return false;
}

static unsigned unsupported_media(struct refusal *r, const char *why)
{
	refusal_set(r, 415, "Unsupported Media Type", "%s", why);
	snprintf(r->header, sizeof(r->header), "Accept: application/sdp");
	return r->status;
}

unsigned trust_body(struct refusal *r, const sip_t *s)
{
	const sip_content_disposition_t *cd = s->sip_content_disposition;
	bool body = s->sip_payload && s->sip_payload->pl_len;

	memset(r, 0, sizeof(*r));
	if (s->sip_accept && !accepts_sdp(s->sip_accept))
		return refusal_set(
			r, 406, "Not Acceptable",
			"The answer would be SDP, which Accept does not name.");
	if (!body)
		return 0;
	if (!s->sip_content_type || !s->sip_content_type->c_type ||
	    strcasecmp(s->sip_content_type->c_type, "application/sdp") != 0)
		return unsupported_media(r, "The body is not one SDP description.");
	if (s->sip_content_encoding && s->sip_content_encoding->k_items &&
	    s->sip_content_encoding->k_items[0] &&
	    strcasecmp(s->sip_content_encoding->k_items[0], "identity") != 0)
		return unsupported_media(r, "The body is encoded.");
	if (cd && cd->cd_type && strcasecmp(cd->cd_type, "session") != 0 &&
	    !cd->cd_optional)
		return unsupported_media(
			r, "The body is meant for something else than the session.");
	return 0;
}

static void identity_destructor(void *arg)
{
	for (char **v = arg; *v; v++)
		mem_deref(*v);
}

int trust_identity(char ***identityv, const sip_t *s)
{
	char **v = mem_zalloc((IDENTITY_MAX + 1) * sizeof(*v), identity_destructor);
	size_t n = 0;

	if (!v)
		return ENOMEM;
	for (const sip_unknown_t *un = s->sip_unknown; un && n < IDENTITY_MAX;
	     un = un->un_next) {
		if (!name_is(un, "Identity", "y") || !un->un_value)
			continue;
		v[n] = base_dup(un->un_value, strlen(un->un_value));
		if (!v[n++]) {
			mem_deref(v);
			return ENOMEM;
		}
	}
	if (!n)
		v = mem_deref(v);
	*identityv = v;
	return 0;
}
