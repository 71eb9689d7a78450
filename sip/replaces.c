/* sip/replaces.c - RFC 3891: which dialog an INVITE wants to replace, and how we say so ourselves.
 *
 * Thread: signalling. Called by leg_in.c and leg_out.c; changes nothing. To know a dialog's identifiers is not
 * enough (§6): the connection must prove the dialog's own peer domain, the caller must be the very user at its far
 * end, and the callee the one at ours. */
#include <strings.h>

#include "gateway/kept.h"
#include "sip/leg.h"

/* The dialog as seen from here: To tag ours, From tag the peer's. */
static struct sip_leg *find(const struct sip *sip, const sip_replaces_t *rp)
{
	nta_leg_t *dialog = nta_leg_by_replaces(sip->agent, rp);

	return dialog ? (struct sip_leg *)nta_leg_magic(dialog, sip_dialog_request)
		      : NULL;
}

/* One header (§3: more is a 400; Sofia has a second one among what she could not take), with each of the three
 * identifiers, the tags once each (§6.1). */
static bool well_formed(const sip_replaces_t *rp, const sip_t *s)
{
	unsigned n_to = 0, n_from = 0;

	for (const sip_error_t *er = s->sip_error; er; er = er->er_next)
		if (er->er_common->h_class == sip_replaces_class)
			return false;
	if (!rp->rp_call_id || !*rp->rp_call_id)
		return false;
	for (const msg_param_t *p = rp->rp_params; p && *p; p++) {
		n_to += !strncasecmp(*p, "to-tag=", 7);
		n_from += !strncasecmp(*p, "from-tag=", 9);
	}
	return n_to == 1 && n_from == 1 && rp->rp_to_tag && *rp->rp_to_tag &&
	       rp->rp_from_tag && *rp->rp_from_tag;
}

static bool is_between(const struct sip_leg *leg, const struct addr *theirs,
		       const struct addr *ours)
{
	bool in = leg->leg.dir == LEG_IN;

	return addr_equal(in ? &leg->invite->from.addr : &leg->invite->to, theirs) &&
	       addr_equal(in ? &leg->invite->to : &leg->invite->from.addr, ours);
}

/* As our own INVITE would have named it (sip_replaces_print): theirs and ours change places. */
static struct kept_call *find_kept(const struct sip *sip, const sip_t *s,
				   const sip_replaces_t *rp, const struct party *from,
				   const struct addr *to)
{
	char text[STORE_DIALOG_MAX + 1];
	int n = snprintf(text, sizeof(text), "%s;to-tag=%s;from-tag=%s", rp->rp_call_id,
			 rp->rp_from_tag, rp->rp_to_tag);

	if (n < 0 || (size_t)n >= sizeof(text) || !trust_peer(sip, s, from->addr.host))
		return NULL;
	return call_rejoin_find_dialog(sip->core, text, &from->addr, to);
}

unsigned sip_replaces_judge(struct refusal *r, struct replaced *old, struct sip *sip,
			    const sip_t *s, const struct party *from,
			    const struct addr *to)
{
	const sip_replaces_t *rp = s->sip_replaces;
	struct sip_leg *leg;

	memset(old, 0, sizeof(*old));
	if (!rp)
		return 0;
	if (!well_formed(rp, s))
		return refusal_set(r, 400, "Bad Request",
				   "The Replaces header is malformed.");
	leg = find(sip, rp);
	old->kept = leg ? NULL : find_kept(sip, s, rp, from, to);
	if (old->kept)
		return 0;
	if (!leg || !leg->invite)
		return refusal_set(r, 481, "Call/Transaction Does Not Exist",
				   "The call to be replaced is not known here.");
	if (!trust_peer(sip, s, leg->hop->domain) || !is_between(leg, &from->addr, to))
		return refusal_set(
			r, 403, "Forbidden",
			"The call to be replaced is not one between these two.");
	switch (leg->state) {
	case SL_ANSWERED:
	case SL_TALKING:
		break;
	case SL_LEAVING:
	case SL_BYE:
	case SL_ENDED:
		return refusal_set(r, 603, "Decline",
				   "The call to be replaced has ended.");
	default: /* early, and none that we began: §3 */
		return refusal_set(r, 481, "Call/Transaction Does Not Exist",
				   "The call to be replaced is not established.");
	}
	if (rp->rp_early_only)
		return refusal_set(r, 486, "Busy Here",
				   "The call to be replaced is established already.");
	old->leg = leg;
	return 0;
}

sip_replaces_t *sip_replaces_of(su_home_t *home, const struct sip *sip,
				const struct invite *invite)
{
	const struct leg *l = invite->replaced;
	const struct sip_leg *old = (const struct sip_leg *)l;

	if (invite->rejoins && invite->rejoins->row.dialog[0])
		return sip_replaces_make(home, invite->rejoins->row.dialog);
	if (!l || l->ops != &sip_leg_ops || old->sip != sip || !old->dialog || !l->call)
		return NULL;
	return nta_leg_make_replaces(old->dialog, home, 0);
}

bool sip_replaces_print(const struct leg *l, char *buf, size_t size)
{
	const struct sip_leg *leg = (const struct sip_leg *)l;
	su_home_t home[1] = {SU_HOME_INIT(home)};
	sip_replaces_t *rp =
		leg->dialog ? nta_leg_make_replaces(leg->dialog, home, 0) : NULL;
	int n = -1;

	if (rp && rp->rp_to_tag && rp->rp_from_tag)
		n = snprintf(buf, size, "%s;to-tag=%s;from-tag=%s", rp->rp_call_id,
			     rp->rp_to_tag, rp->rp_from_tag);
	su_home_deinit(home);
	return n > 0 && (size_t)n < size;
}
