/* sip/identity.c - SIP Identity (RFC 8224) on the leg's side: what is signed before it goes out.
 *
 * Thread: signalling. Called by leg_out.c and reoffer.c; asks the identity room through gateway/identity.h and waits for
 * nothing. Every INVITE and re-INVITE that goes to another domain has its own signature, also when it repeats one: a
 * target that is tried after another one must not see a copy. */
#include "gateway/identity.h"
#include "sip/leg.h"

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

	if (!core->identity || strcmp(from->host, leg->hop->site) != 0)
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
