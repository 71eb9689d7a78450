/* gateway/provider.c - making, naming and freeing what provider.h describes. Pure; any thread. */
#include "gateway/provider.h"

#include "lib/secret.h"

const char *provider_op_name(enum provider_op op)
{
	static const char *const names[PROVIDER_OP_N] = {
		[PROVIDER_KEYS] = "keys",
		[PROVIDER_ASSERT] = "assert",
		[PROVIDER_CHECK] = "check",
		[PROVIDER_SIGN_IN] = "sign-in",
		[PROVIDER_WHO] = "who",
		[PROVIDER_SIGN_OUT] = "sign-out",
		[PROVIDER_PROFILE_SET] = "profile-set",
		[PROVIDER_PASSWORD_SET] = "password-set",
		[PROVIDER_CONSENTS] = "consents",
		[PROVIDER_CONSENT_SET] = "consent-set",
		[PROVIDER_CONSENT_END] = "consent-end",
		[PROVIDER_RULES] = "rules",
		[PROVIDER_RULES_SET] = "rules-set",
		[PROVIDER_CODE] = "code",
		[PROVIDER_REDEEM] = "redeem",
		[PROVIDER_SITE_CODE] = "site-code",
		[PROVIDER_ROTATE] = "rotate",
		[PROVIDER_OPENID_LIST] = "openid-list",
		[PROVIDER_OPENID_START] = "openid-start",
		[PROVIDER_OPENID_BACK] = "openid-back",
		[PROVIDER_OPENID_END] = "openid-end",
	};

	return (unsigned)op < PROVIDER_OP_N ? names[op] : "?";
}

static void request_destructor(void *p)
{
	struct provider_request *r = p;
	char **const texts[] = {&r->user, &r->name,     &r->contents,  &r->origin,
				&r->peer, &r->password, &r->assertion, &r->challenge,
				&r->code, &r->verifier, &r->query};

	for (size_t i = 0; i < N_ELEMS(texts); i++)
		mem_deref(*texts[i]);
	mem_deref(r->rulev);
	secret_wipe(r->session, sizeof(r->session));
	secret_wipe(r->grant, sizeof(r->grant));
	secret_wipe(r->flow, sizeof(r->flow));
}

struct provider_request *provider_request_new(enum provider_op op)
{
	struct provider_request *r = mem_zalloc(sizeof(*r), request_destructor);

	if (r)
		r->op = op;
	return r;
}

static void answer_destructor(void *p)
{
	struct provider_answer *a = p;

	mem_deref(a->json);
	mem_deref(a->location);
	secret_wipe(a->session, sizeof(a->session));
	secret_wipe(a->code, sizeof(a->code));
	secret_wipe(a->flow, sizeof(a->flow));
}

struct provider_answer *provider_answer_new(unsigned status)
{
	struct provider_answer *a = mem_zalloc(sizeof(*a), answer_destructor);

	if (a)
		a->status = status;
	return a;
}

const char *provider_domain(char *buf, const struct site_config *site, bool tls,
			    uint16_t port)
{
	if (!port || port == (tls ? 443 : 80))
		snprintf(buf, PROVIDER_DOMAIN_BYTES, "%s", site->domain);
	else
		snprintf(buf, PROVIDER_DOMAIN_BYTES, "%s:%u", site->domain, port);
	return buf;
}

const char *provider_url(char *buf, size_t size, const struct provider_request *r,
			 const char *path)
{
	char port[8] = "";

	if (r->port && r->port != (r->tls ? 443 : 80))
		snprintf(port, sizeof(port), ":%u", r->port);
	snprintf(buf, size, "http%s://%s%s%s", r->tls ? "s" : "", r->site->idp_host, port,
		 path);
	return buf;
}

bool provider_is_pseudonym(const char *user)
{
	return strlen(user) == PROVIDER_PSEUDONYM_LEN &&
	       strspn(user, "abcdefghijklmnopqrstuvwxyz234567") == PROVIDER_PSEUDONYM_LEN;
}
