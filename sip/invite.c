/* sip/invite.c - one INVITE as it is written: the dialog that it would make, its headers.
 *
 * Thread: signalling. leg_out.c decides what goes where; the answers go back to it. RFC 3261 §8.1.1, §13.2.1; RFC 4028 §7.1;
 * RFC 8840 §4.2 (trickle-ice required). */
#include <strings.h>

#include "lib/secret.h"
#include "sip/trunk.h"
#include "sip/try.h"

static int base_response(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_try *t = arg;
	struct joint j;

	(void)orq;
	sip_loop_enter("sip.response.invite");
	if (nta_sip_is_internal(s) || !trust_joint(&j, t->sip, s))
		sip_try_response(t, s);
	sip_loop_leave();
	return 0;
}

/* The Request-URI. */
static void target(char *buf, size_t size, const struct trunk *trunk,
		   const struct invite *inv)
{
	char user[ADDR_USER_MAX + 1];

	if (!trunk) {
		snprintf(buf, size, "sip:%s@%s", inv->to.user, inv->to.host);
		return;
	}
	trunk_dialled(user, trunk, &inv->to);
	trunk_uri(buf, size, trunk, user);
}

int sip_invite_base(struct sip_try *t, const struct invite *inv)
{
	char from[ADDR_TEXT_MAX + 3 * CAUSE_TEXT_BYTES], to[ADDR_TEXT_MAX + 16];
	const struct trunk *trunk = t->hop->trunk;

	secret_hex(t->tag, SIP_TAG_HEX);
	secret_hex(t->call_id, 32);
	if (trunk) {
		struct trunk_caller caller;
		char uri[ADDR_TEXT_MAX + 8];

		if (trunk_caller_print(&caller, trunk, &inv->from, t->tag))
			return EINVAL;
		target(uri, sizeof(uri), trunk, inv);
		snprintf(from, sizeof(from), "%s", caller.from);
		snprintf(to, sizeof(to), "<%s>", uri);
	} else if (sip_name_addr_print(from, sizeof(from), inv->from.name,
				       &inv->from.addr, t->tag) ||
		   sip_name_addr_print(to, sizeof(to), NULL, &inv->to, NULL))
		return EINVAL;
	t->base = nta_leg_tcreate(t->sip->agent, sip_dialog_stray, t,
				  SIPTAG_CALL_ID_STR(t->call_id), SIPTAG_FROM_STR(from),
				  SIPTAG_TO_STR(to), TAG_END());
	return t->base ? 0 : ENOMEM;
}

int sip_invite_send(struct sip_try *t, struct sip_leg *leg,
		    const struct identity_signed *sig)
{
	const struct invite *inv = leg->invite;
	char uri[ADDR_TEXT_MAX + 8], hops[16], expires[SESSION_TIMER_TEXT], min_se[16];
	char *linev[10], *own = sip_identity_line(sig);
	tagi_t identity[10];
	struct sip_request rq = {
		.hop = t->hop,
		.dialog = t->base,
		.method = sip_method_invite,
		.name = "INVITE",
		.request_uri = uri,
		.branch = sip_branch_make(t->branch, t->hop),
		.token = t->token,
		.skip = leg->skip,
		.sdp = leg->offer,
	};
	bool required = leg->peer_trickle && leg->offer->trickle;
	su_home_t home[1] = {SU_HOME_INIT(home)};
	const struct trunk *trunk = t->hop->trunk;
	struct trunk_caller caller = {.line = ""};
	sip_replaces_t *replaces;

	if (sig && !own)
		return ENOMEM;
	if (trunk && trunk_caller_print(&caller, trunk, &inv->from, t->tag))
		return EINVAL;
	su_home_init(home);
	replaces = sip_replaces_of(home, t->sip, inv);
	if (!replaces && inv->replaced && inv->replaced->ops == &sip_leg_ops) {
		/* it has ended: without the header this would ring all of the user's devices */
		su_home_deinit(home);
		mem_deref(own);
		return ENOENT;
	}
	target(uri, sizeof(uri), trunk, inv);
	snprintf(hops, sizeof(hops), "%u", inv->max_forwards);
	snprintf(min_se, sizeof(min_se), "%u", (unsigned)leg->st.min_s);
	sip_identity_tags(identity, N_ELEMS(identity), linev, own,
			  trunk ? NULL : inv->from.identityv);
	t->invite = sip_request_send(
		&rq, base_response, t, SIPTAG_MAX_FORWARDS_STR(hops),
		SIPTAG_ALLOW_STR(sip_allow),
		SIPTAG_SUPPORTED_STR(sip_supported_by(t->hop)),
		SIPTAG_ACCEPT_STR("application/sdp"),
		TAG_IF(!trunk, SIPTAG_UNKNOWN_STR(sip_recv_info)),
		TAG_IF(*caller.line, SIPTAG_HEADER_STR(caller.line)),
		TAG_IF(required, SIPTAG_REQUIRE_STR("trickle-ice")),
		TAG_IF(replaces, SIPTAG_REPLACES(replaces)),
		SIPTAG_SESSION_EXPIRES_STR(session_timer_offer(&leg->st, expires, true)),
		SIPTAG_MIN_SE_STR(min_se),
		TAG_IF(sig, SIPTAG_DATE_STR(sig ? sig->date : NULL)), NTATAG_PASS_100(1),
		TAG_NEXT(identity));
	for (char **p = linev; *p; p++)
		mem_deref(*p);
	su_home_deinit(home);
	if (!t->invite)
		return EIO;
	t->cseq = nta_outgoing_cseq(t->invite);
	leg->ours.sent = true;
	/* no edge tells when a datagram has gone; with one address Sofia's own patience decides */
	if (trunk && trunk_is_udp(trunk) && trunk_addresses(trunk) > 1) {
		trunk_target_text(t->target, trunk, t->hop->at);
		sip_try_watch(t);
	}
	return 0;
}
