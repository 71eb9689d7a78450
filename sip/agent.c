/* sip/agent.c - NTA's agent on the joint: what comes in outside of every dialog and transaction.
 *
 * Thread: signalling. NTA calls message() for requests that belong to no dialog (there is no default
 * leg on purpose: so a message without the joint's secret can be dropped without a word) and for
 * responses that no transaction knows. Calls trust.c, leg_in.c, leg_out.c. The settings are those of
 * RFC 3261 §8.2, §11.2 (OPTIONS), §9.2. */
#include <strings.h>

#include "lib/log.h"
#include "sip/headers.h"
#include "sip/leg.h"

enum {
	UDP_BUFFER =
		4 << 20,     /* bursts wait in the kernel; Sofia's own default is small */
	UDP_MTU = 65000,     /* the joint is loopback: nothing is moved to TCP */
	JOINT_QUEUE = 16384, /* messages that may wait for the edge to read them */
	HEADER_SLACK =
		32768, /* what edge and NTA add to a message of the permitted size */
};

/* Header errors that are of no concern to a user agent, as NTA itself has it. All others are a 400,
 * but ours: NTA would close the joint after its own. */
static const unsigned harmless_errors = sip_mask_response | sip_mask_proxy |
					sip_mask_registrar | sip_mask_pref |
					sip_mask_privacy;

static void options(struct sip *sip, nta_incoming_t *irq)
{
	sip_reply(sip, irq, NULL, 200, "OK", NULL, SIPTAG_ALLOW_STR(sip_allow),
		  SIPTAG_SUPPORTED_STR(sip_supported), SIPTAG_UNKNOWN_STR(sip_recv_info),
		  SIPTAG_ACCEPT_STR("application/sdp"), TAG_END());
}

/* What is wrong with it, caller and target apart. */
static unsigned judge(struct refusal *r, const struct sip *sip, const sip_t *s,
		      unsigned errors)
{
	unsigned status = trust_shape(r, sip, s, errors & ~harmless_errors);

	if (status)
		return status;
	if (s->sip_to->a_tag || (s->sip_request->rq_method != sip_method_invite &&
				 s->sip_request->rq_method != sip_method_options))
		return refusal_set(r, 481, "Call/Transaction Does Not Exist",
				   "No such call is known here.");
	return s->sip_request->rq_method == sip_method_invite ? trust_body(r, s) : 0;
}

static void request(struct sip *sip, msg_t *msg, sip_t *s)
{
	static struct log_gate gate;
	unsigned errors = msg_extract_errors(msg);
	nta_incoming_t *irq;
	struct refusal r;
	struct joint j;

	if (trust_joint(&j, sip, s)) {
		if (log_gate_open(&gate, 1))
			log_warn(NULL, "sip.joint.foreign", "method=%s",
				 LQ(s->sip_request->rq_method_name));
		msg_destroy(msg);
		return;
	}
	if (s->sip_request->rq_method == sip_method_ack) {
		msg_destroy(msg);
		return;
	}
	irq = nta_incoming_create(sip->agent, NULL, msg, s, TAG_END());
	if (!irq)
		return;
	if (judge(&r, sip, s, errors)) {
		log_debug(NULL, "sip.refused", "method=%s status=%u peer=%s",
			  LQ(s->sip_request->rq_method_name), r.status, LQ(j.addr));
		sip_refuse_with(sip, irq, &r);
		nta_incoming_destroy(irq);
	} else if (s->sip_request->rq_method == sip_method_options) {
		options(sip, irq);
		nta_incoming_destroy(irq);
	} else {
		sip_leg_in_invite(sip, irq, s, &j);
	}
}

/* The last net for responses: an INVITE of ours that NTA has given up. */
static void response(struct sip *sip, msg_t *msg, const sip_t *s)
{
	struct joint j;

	if (!trust_joint(&j, sip, s) && s->sip_cseq->cs_method == sip_method_invite)
		sip_try_stray(sip, s);
	msg_destroy(msg);
}

static int message(void *arg, nta_agent_t *agent, msg_t *msg, sip_t *s)
{
	struct sip *sip = arg;

	(void)agent;
	sip_loop_enter("sip.message");
	if (s && s->sip_request)
		request(sip, msg, s);
	else if (s && s->sip_status)
		response(sip, msg, s);
	else
		msg_destroy(msg);
	sip_loop_leave();
	return 0;
}

int sip_agent_start(struct sip *sip, char **whyp)
{
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "sip:127.0.0.1:%u;transport=tcp;lr",
		 (unsigned)edge_inner_port(sip->edge));
	sip->agent = nta_agent_create(
		sip_loop_root(sip->core->loop),
		URL_STRING_MAKE("sip:127.0.0.1:0;transport=tcp"), message, sip,
		NTATAG_UA(1), NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
		NTATAG_DEFAULT_PROXY(proxy), NTATAG_SERVER_RPORT(0), NTATAG_MERGE_482(1),
		NTATAG_CANCEL_487(0), NTATAG_BAD_REQ_MASK(0),
		NTATAG_MAXSIZE(sip->core->config->limits.sip_message_bytes +
			       HEADER_SLACK),
		TPTAG_QUEUESIZE(JOINT_QUEUE), TPTAG_IDLE(UINT_MAX),
		TPTAG_TIMEOUT(UINT_MAX), TPTAG_KEEPALIVE(0), TAG_END());
	if (!sip->agent || !sip_agent_port(sip)) {
		re_sdprintf(whyp, "the SIP agent could not be started on 127.0.0.1: %s",
			    strerror(errno));
		return EADDRNOTAVAIL;
	}
	return 0;
}

void sip_agent_stop(struct sip *sip)
{
	nta_agent_destroy(sip->agent);
	sip->agent = NULL;
}

static uint16_t port_of(const struct sip *sip, const char *protocol)
{
	for (const sip_via_t *v = nta_agent_via(sip->agent); v; v = v->v_next)
		if (v->v_protocol && !strcasecmp(v->v_protocol, protocol) && v->v_port)
			return (uint16_t)strtoul(v->v_port, NULL, 10);
	return 0;
}

uint16_t sip_agent_port(const struct sip *sip)
{
	return port_of(sip, "SIP/2.0/TCP");
}

int sip_agent_udp_start(struct sip *sip)
{
	if (nta_agent_add_tport(sip->agent,
				URL_STRING_MAKE("sip:127.0.0.1:0;transport=udp"),
				TPTAG_UDP_RMEM(UDP_BUFFER), TPTAG_UDP_WMEM(UDP_BUFFER),
				TAG_END()) < 0 ||
	    !port_of(sip, "SIP/2.0/UDP"))
		return EADDRNOTAVAIL;
	nta_agent_set_params(sip->agent, NTATAG_UDP_MTU(UDP_MTU), TAG_END());
	return 0;
}

uint16_t sip_agent_udp_port(const struct sip *sip)
{
	return port_of(sip, "SIP/2.0/UDP");
}
