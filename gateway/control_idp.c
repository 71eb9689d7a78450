/* gateway/control_idp.c - what an operator asks of the identity provider. Signalling thread; called by control_command.c. */
#include "gateway/control_own.h"
#include "gateway/provider.h"

static void on_rotated(struct provider_answer *answer, void *arg)
{
	struct control_ask *a = arg;
	json_t *result = answer && !answer->error && answer->json
				 ? json_loads(answer->json, 0, NULL)
				 : NULL;

	if (result)
		control_reply(a, result, 0);
	else
		control_refuse(a, "%s", answer ? answer->text : "out of memory");
	mem_deref(answer);
}

void control_idp_rotate(struct control_ask *a)
{
	const struct core *core = a->core; /* a refusal frees what was asked */
	const struct site *site = control_site(a);
	struct provider_request *r;

	if (!site)
		return;
	if (!core->provider || !site->config->idp) {
		control_refuse(a, "%s has no identity provider", site->domain);
		return;
	}
	r = provider_request_new(PROVIDER_ROTATE);
	if (r)
		r->site = site->config;
	if (!r || core->provider->ask(core->provider_arg, NULL, r, on_rotated, a))
		control_refuse(a, "the identity provider is busy; please try again");
}
