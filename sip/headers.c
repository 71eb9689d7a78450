/* sip/headers.c - outgoing requests and responses, all of them.
 *
 * Thread: signalling. Called by agent.c and the leg's files; calls NTA. The private header of the
 * joint goes on everything (sip/joint.h); an initial INVITE is sent as a proxy would, so that NTA
 * leaves the 200s of unseen forks to us. RFC 3261 §8.1, §12.2; RFC 3262; RFC 3326. */
#include "sip/headers.h"

#include "config.h"
#include "gateway/addr.h"
#include "lib/secret.h"
#include "sip/trunk.h"

const char sip_allow[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO";
const char sip_supported[] = "timer, 100rel, trickle-ice, replaces";
const char sip_recv_info[] = "Recv-Info: trickle-ice";
static const char agent_name[] = PACKAGE_NAME "/" PACKAGE_VERSION;

enum {
	JOINT_LINE_BYTES = JOINT_VALUE_MAX + 32,
	RETRY_AFTER_MIN_S =
		2, /* spread, so that refused callers do not come back together */
	RETRY_AFTER_MAX_S = 9,
};

static const char trunk_supported[] = "timer, 100rel";

const char *sip_supported_by(const struct sip_hop *hop)
{
	return hop && hop->trunk ? trunk_supported : sip_supported;
}

const char *sip_branch_make(char buf[SIP_BRANCH_BYTES], const struct sip_hop *hop)
{
	char hex[SIP_BRANCH_BYTES - 7];

	secret_hex(hex, 32);
	if (hop->trunk)
		snprintf(hex + 28, 5, "%03x%1x", hop->trunk->config->index & 0xfff,
			 hop->at & 0xf);
	snprintf(buf, SIP_BRANCH_BYTES, "z9hG4bK%s", hex);
	return buf;
}

/* Where NTA is to send it; NULL: to the edge. */
static const url_string_t *route_of(const struct sip_hop *hop)
{
	return hop->trunk && trunk_is_udp(hop->trunk)
		       ? (const url_string_t *)udp_joint_url(hop->sip->udp_joint)
		       : NULL;
}

static void hop_destructor(void *arg)
{
	(void)arg;
}

int sip_hop_alloc(struct sip_hop **hp, struct sip *sip, const char *site,
		  const char *domain)
{
	struct sip_hop *hop = mem_zalloc(sizeof(*hop), hop_destructor);
	char id[SIP_TAG_HEX + 1];

	if (!hop)
		return ENOMEM;
	hop->sip = sip;
	snprintf(hop->site, sizeof(hop->site), "%s", site);
	snprintf(hop->domain, sizeof(hop->domain), "%s", domain);
	secret_hex(id, SIP_TAG_HEX);
	snprintf(hop->contact, sizeof(hop->contact), "<sip:%s@%s%s;transport=tls>", id,
		 site, sip->contact_port);
	*hp = hop;
	return 0;
}

/* The private header as a whole line. Empty when it does not fit: the edge drops such a message. */
static const char *joint_line(char *buf, size_t size, const struct sip *sip,
			      const struct sip_request *rq)
{
	struct joint j = {.token = rq ? rq->token : 0};
	int n = snprintf(buf, size, "%s: ", JOINT_HEADER);

	if (rq) {
		snprintf(j.site, sizeof(j.site), "%s", rq->hop->site);
		if (rq->hop->trunk)
			snprintf(j.trunk, sizeof(j.trunk), "%s/%u",
				 rq->hop->trunk->config->name, rq->hop->at);
		else
			snprintf(j.domain, sizeof(j.domain), "%s", rq->hop->domain);
		if (rq->skip)
			snprintf(j.skip, sizeof(j.skip), "%s", rq->skip);
	}
	if (joint_print(buf + n, size - (size_t)n, sip->secret, &j))
		buf[0] = '\0';
	return buf;
}

/* The answer to a trunk's challenge, once there has been one. NTA makes the URI of a dialog's request from its target. */
static bool authorization(char line[DIGEST_LINE], const struct sip_request *rq)
{
	struct trunk *t = rq->hop->trunk;
	sip_contact_t const *target = NULL;
	sip_route_t const *route = NULL;
	char uri[512];

	if (!t)
		return false;
	if (rq->request_uri)
		return trunk_authorization(line, t, rq->name, rq->request_uri);
	if (nta_leg_get_route(rq->dialog, &route, &target) < 0 || !target)
		return false;
	return url_e(uri, sizeof(uri), target->m_url) < (isize_t)sizeof(uri) &&
	       trunk_authorization(line, t, rq->name, uri);
}

nta_outgoing_t *sip_request_send(const struct sip_request *rq, nta_response_f *h,
				 void *arg, tag_type_t tag, tag_value_t value, ...)
{
	struct sip *sip = rq->hop->sip;
	bool as_proxy = rq->method == sip_method_invite && !nta_leg_get_rtag(rq->dialog);
	char line[JOINT_LINE_BYTES], branch[SIP_BRANCH_BYTES], auth[DIGEST_LINE];
	bool has_auth = authorization(auth, rq);
	sip_payload_t pl[1];
	nta_outgoing_t *orq;
	ta_list ta;

	sip_payload_init(pl);
	if (rq->sdp) {
		pl->pl_data = (char *)rq->sdp->data;
		pl->pl_len = rq->sdp->len;
	}
	if (as_proxy)
		nta_agent_set_params(sip->agent, NTATAG_UA(0), TAG_END());
	ta_start(ta, tag, value);
	orq = nta_outgoing_tcreate(
		rq->dialog, h, arg, route_of(rq->hop), rq->method, rq->name,
		(url_string_t const *)rq->request_uri,
		SIPTAG_CONTACT_STR(rq->hop->contact), SIPTAG_USER_AGENT_STR(agent_name),
		SIPTAG_UNKNOWN_STR(joint_line(line, sizeof(line), sip, rq)),
		NTATAG_BRANCH_KEY(rq->branch ? rq->branch
					     : sip_branch_make(branch, rq->hop)),
		TAG_IF(has_auth, SIPTAG_HEADER_STR(auth)),
		TAG_IF(rq->sdp,
		       SIPTAG_CONTENT_TYPE_STR(rq->content_type ? rq->content_type
								: "application/sdp")),
		TAG_IF(rq->sdp, SIPTAG_PAYLOAD(pl)), ta_tags(ta));
	(void)ta_end(ta);
	if (as_proxy)
		nta_agent_set_params(sip->agent, NTATAG_UA(1), TAG_END());
	return orq;
}

int sip_ack_send(const struct sip_hop *hop, nta_leg_t *dialog, const char *invite_branch,
		 uint32_t invite_cseq)
{
	struct sip_request rq = {
		.hop = hop,
		.dialog = dialog,
		.method = sip_method_ack,
		.name = "ACK",
	};
	char cseq[32];
	nta_outgoing_t *orq;

	snprintf(cseq, sizeof(cseq), "%u ACK", (unsigned)invite_cseq);
	orq = sip_request_send(&rq, NULL, NULL, SIPTAG_CSEQ_STR(cseq),
			       NTATAG_ACK_BRANCH(invite_branch), TAG_END());
	if (!orq)
		return EIO;
	nta_outgoing_destroy(
		orq); /* NTA keeps it for 64*T1, to repeat it for a repeated 2xx */
	return 0;
}

void sip_cancel_send(const struct sip_hop *hop, nta_outgoing_t *invite,
		     const struct cause *cause)
{
	struct sip_request rq = {.hop = hop};
	char line[JOINT_LINE_BYTES], reason[SIP_REASON_BYTES];

	nta_outgoing_tcancel(
		invite, NULL, NULL,
		SIPTAG_UNKNOWN_STR(joint_line(line, sizeof(line), hop->sip, &rq)),
		SIPTAG_USER_AGENT_STR(agent_name),
		TAG_IF(cause,
		       SIPTAG_REASON_STR(
			       cause ? sip_reason_print(reason, sizeof(reason), cause)
				     : NULL)),
		TAG_END());
}

void sip_hop_ack_send(const struct sip_hop *hop, nta_outgoing_t *invite,
		      const sip_t *refusal)
{
	struct sip *sip = hop->sip;
	msg_t *old_msg = nta_outgoing_getrequest(invite),
	      *msg = nta_msg_create(sip->agent, 0);
	const sip_t *old = sip_object(old_msg);
	sip_t *ack = sip_object(msg);
	su_home_t *home = msg_home(msg);
	sip_request_t *line;
	sip_cseq_t *cseq;
	sip_via_t via[1];

	if (!old || !ack || !old->sip_via)
		goto out;
	*via = *old->sip_via;
	via->v_next = NULL;
	line = sip_request_create(home, SIP_METHOD_ACK,
				  (url_string_t *)old->sip_request->rq_url, NULL);
	cseq = sip_cseq_create(home, old->sip_cseq->cs_seq, SIP_METHOD_ACK);
	if (!line || !cseq ||
	    sip_add_tl(msg, ack, SIPTAG_VIA(via), SIPTAG_ROUTE(old->sip_route),
		       SIPTAG_FROM(old->sip_from), SIPTAG_TO(refusal->sip_to),
		       SIPTAG_CALL_ID(old->sip_call_id),
		       SIPTAG_MAX_FORWARDS(old->sip_max_forwards), TAG_END()) < 0)
		goto out;
	msg_header_insert(msg, (msg_pub_t *)ack, (msg_header_t *)line);
	msg_header_insert(msg, (msg_pub_t *)ack, (msg_header_t *)cseq);
	nta_msg_tsend(sip->agent, msg, (url_string_t *)route_of(hop),
		      NTATAG_BRANCH_KEY(via->v_branch), NTATAG_USER_VIA(1), TAG_END());
	msg = NULL; /* taken */
out:
	msg_destroy(msg);
	msg_destroy(old_msg);
}

int sip_reply(struct sip *sip, nta_incoming_t *irq, const struct sip_hop *hop, int status,
	      const char *phrase, const struct body *sdp, tag_type_t tag,
	      tag_value_t value, ...)
{
	char line[JOINT_LINE_BYTES];
	sip_payload_t pl[1];
	ta_list ta;
	int n;

	sip_payload_init(pl);
	if (sdp) {
		pl->pl_data = (char *)sdp->data;
		pl->pl_len = sdp->len;
	}
	ta_start(ta, tag, value);
	n = nta_incoming_treply(
		irq, status, phrase,
		SIPTAG_UNKNOWN_STR(joint_line(line, sizeof(line), sip, NULL)),
		SIPTAG_SERVER_STR(agent_name),
		TAG_IF(hop, SIPTAG_CONTACT_STR(hop ? hop->contact : NULL)),
		TAG_IF(hop && status < 300, SIPTAG_ALLOW_STR(sip_allow)),
		TAG_IF(hop && status < 300, SIPTAG_SUPPORTED_STR(sip_supported_by(hop))),
		TAG_IF(hop && !hop->trunk && status < 300,
		       SIPTAG_UNKNOWN_STR(sip_recv_info)),
		TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(sdp, SIPTAG_PAYLOAD(pl)), ta_tags(ta));
	(void)ta_end(ta);
	return n < 0 ? EIO : 0;
}

nta_reliable_t *sip_reply_reliable(struct sip *sip, nta_incoming_t *irq,
				   const struct sip_hop *hop, nta_prack_f *h, void *arg,
				   int status, const char *phrase)
{
	char line[JOINT_LINE_BYTES];
	nta_reliable_t *rel;

	rel = nta_reliable_treply(
		irq, h, arg, status, phrase,
		SIPTAG_UNKNOWN_STR(joint_line(line, sizeof(line), sip, NULL)),
		SIPTAG_SERVER_STR(agent_name), SIPTAG_CONTACT_STR(hop->contact),
		SIPTAG_ALLOW_STR(sip_allow), SIPTAG_SUPPORTED_STR(sip_supported_by(hop)),
		TAG_IF(!hop->trunk, SIPTAG_UNKNOWN_STR(sip_recv_info)), TAG_END());
	if (!rel)
		sip_reply(sip, irq, hop, status, phrase, NULL, TAG_END());
	return rel;
}

static int refuse(struct sip *sip, nta_incoming_t *irq, unsigned status,
		  const char *phrase, const struct cause *cause, const char *header)
{
	char reason[SIP_REASON_BYTES], after[16];
	unsigned spread = RETRY_AFTER_MAX_S - RETRY_AFTER_MIN_S + 1;
	bool wait = status == 500 || status == 503,
	     allow = status == 405 || status == 501;

	snprintf(after, sizeof(after), "%u",
		 RETRY_AFTER_MIN_S + (unsigned)(secret_u64() % spread));
	return sip_reply(
		sip, irq, NULL, (int)status, phrase, NULL,
		SIPTAG_REASON_STR(sip_reason_print(reason, sizeof(reason), cause)),
		TAG_IF(wait, SIPTAG_RETRY_AFTER_STR(after)),
		TAG_IF(allow, SIPTAG_ALLOW_STR(sip_allow)),
		TAG_IF(header, SIPTAG_HEADER_STR(header)), TAG_END());
}

int sip_refuse(struct sip *sip, nta_incoming_t *irq, const struct cause *cause)
{
	const char *phrase = NULL;
	unsigned status = cause_sip_status(cause, &phrase);

	return refuse(sip, irq, status, phrase, cause, NULL);
}

int sip_refuse_with(struct sip *sip, nta_incoming_t *irq, const struct refusal *r)
{
	return refuse(sip, irq, r->status, r->phrase, &r->cause,
		      *r->header ? r->header : NULL);
}
