/* sip/identity.c - SIP Identity (RFC 8224) on the leg's side: what is signed before it goes out, what is judged when it
 * comes in.
 *
 * Thread: signalling. Called by leg_out.c, reoffer.c, newcomer.c and reoffer_in.c; asks the identity room through gateway/identity.h and waits for
 * nothing. Every INVITE and re-INVITE that goes to another domain has its own signature, also when it repeats one: a
 * target that is tried after another one must not see a copy. */
#include "gateway/identity.h"
#include "sip/leg.h"
#include "sip/trunk.h"

int sip_identity_sign(const struct sip_leg *leg, struct identity_wait **wp,
		      const struct addr *from, const struct addr *to,
		      const struct body *sdp, identity_signed_h *h, void *arg)
{
	const struct core *core = leg->sip->core;
	struct identity_claim claim = {
		.site = leg->hop->site,
		.from = *from,
		.to = *to,
		.sdp = sdp,
	};

	/* a trunk has no use for it: a provider signs with a number's certificate, not with a site's */
	if (!core->identity || leg->hop->trunk || strcmp(from->host, leg->hop->site) != 0)
		return ENOKEY;
	return core->identity->sign(core->identity_arg, wp, &claim, h, arg);
}

char *sip_identity_line(const struct identity_signed *sig)
{
	size_t size;
	char *line;

	if (!sig || !sig->header)
		return NULL;
	size = strlen(sig->header) + sizeof("Identity: ");
	line = mem_alloc(size, NULL);
	if (line)
		snprintf(line, size, "Identity: %s", sig->header);
	return line;
}

void sip_identity_tags(tagi_t tags[], size_t max, char **linev, char *own,
		       char *const *identityv)
{
	size_t n = 0, len;

	if (own) {
		linev[n] = own;
		tags[n].t_tag = siptag_unknown_str;
		tags[n].t_value = tag_str_v(own);
		n++;
	}

	for (; identityv && *identityv && n + 1 < max; identityv++) {
		len = strlen(*identityv);
		if (strpbrk(*identityv, "\r\n"))
			continue;
		linev[n] = mem_alloc(len + sizeof("Identity: "), NULL);
		if (!linev[n])
			break;
		snprintf(linev[n], len + sizeof("Identity: "), "Identity: %s",
			 *identityv);
		tags[n].t_tag = siptag_unknown_str;
		tags[n].t_value = tag_str_v(linev[n]);
		n++;
	}
	tags[n].t_tag = NULL;
	tags[n].t_value = 0;
	linev[n] = NULL;
}

enum { URI_BYTES = 512 };

/* Sofia counts from 1900 (RFC 868). */
static int64_t date_s(const sip_t *s)
{
	enum { SECONDS_TO_1970 = 2208988800 };

	return s->sip_date ? (int64_t)s->sip_date->d_time - (int64_t)SECONDS_TO_1970 : 0;
}

int sip_identity_verify(struct sip *sip, struct identity_wait **wp, const sip_t *s,
			identity_judged_h *h, void *arg)
{
	char from[URI_BYTES], to[URI_BYTES], **headerv = NULL;
	struct identity_case c = {.from = from, .to = to, .date_s = date_s(s)};
	isize_t a = s->sip_from ? url_e(from, sizeof(from), s->sip_from->a_url) : -1;
	isize_t b = s->sip_to ? url_e(to, sizeof(to), s->sip_to->a_url) : -1;
	const struct trunk *trunk;
	struct joint j;
	int err;

	if (a < 0 || (size_t)a >= sizeof(from) || b < 0 || (size_t)b >= sizeof(to) ||
	    !s->sip_call_id)
		return EINVAL;
	trunk = !trust_joint(&j, sip, s) && *j.trunk ? trunk_named(sip, j.trunk) : NULL;
	if (trunk)
		trunk_signed(from, to, sizeof(from), trunk, s);
	err = trust_identity(&headerv, s);
	if (err)
		return err;
	c.headerv = headerv;
	c.call_id = s->sip_call_id->i_id;
	if (s->sip_payload) {
		c.sdp = s->sip_payload->pl_data;
		c.sdp_len = s->sip_payload->pl_len;
	}
	err = sip->core->identity->verify(sip->core->identity_arg, wp, &c, h, arg);
	mem_deref(headerv);
	return err;
}

bool sip_leg_trusts(const struct sip_leg *leg, const sip_t *s)
{
	struct joint j;

	if (leg->hop->trunk)
		return trust_hop(leg->hop, s);
	if (trust_joint(&j, leg->sip, s))
		return false;
	return joint_list_has(j.names, leg->hop->domain) ||
	       (leg->by_signature && j.tls && !*j.names);
}
