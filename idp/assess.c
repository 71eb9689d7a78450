/* idp/assess.c - see assess.h. Called by idp.c (to make a case) and worker.c; calls assertion.c, shelf.c, jwks.c. */
#include "idp/assess.h"

#include "idp/jwks.h"
#include "lib/clock.h"

struct own_keys {
	struct le le;
	char host[ADDR_HOST_MAX + 1];
	struct jwks *keys;
};

struct assess_case {
	char *value; /* of a=identity, as it came */
	struct mky keys;
	int keys_err;
	char callee[ADDR_TEXT_MAX + 1];
	char site[ADDR_HOST_MAX + 1];
	struct assertion_line line;
	struct assertion assertion;
	struct shelf_ask ask;
	char url[sizeof("https://") + IDENTITY_IDP_BYTES + sizeof(JWKS_PATH)];
	bool renewed;
	struct assess_court *court;
	identity_assessed_h *h;
	void *arg;
};

/* ---- sets of keys ---- */

static int make(void **thingp, char why[SHELF_WHY_BYTES], uint64_t *keep_s, void *arg,
		const void *p, size_t n)
{
	const char *text = NULL;
	struct jwks *keys = NULL;
	int err = jwks_alloc(&keys, &text, p, n);

	(void)arg;
	(void)keep_s;
	if (err == EBADMSG)
		snprintf(why, SHELF_WHY_BYTES, "%s", text);
	*thingp = keys;
	return err;
}

const struct shelf_kind jwks_kind = {
	.fetched_event = "idp.keys.fetched",
	.failed_event = "idp.keys.unreachable",
	.busy = "the keys of too many identity providers are being fetched",
	.kept_s = 300,
	.kept_max_s = 3600, /* a key that was withdrawn is believed for so long */
	.n_per_domain = 16,
	.make = make,
};

static void own_destructor(void *arg)
{
	struct own_keys *own = arg;

	list_unlink(&own->le);
	mem_deref(own->keys);
}

static struct own_keys *own_find(const struct assess_court *court, const char *host)
{
	for (struct le *le = court->own.head; le; le = le->next) {
		struct own_keys *own = le->data;

		if (!strcmp(own->host, host))
			return own;
	}
	return NULL;
}

int assess_own(struct assess_court *court, const char *host, const char *jwks)
{
	struct own_keys *own = own_find(court, host);
	struct jwks *keys = NULL;
	const char *why;
	int err = jwks ? jwks_alloc(&keys, &why, jwks, strlen(jwks)) : 0;

	if (err)
		return err;
	mem_deref(own);
	if (!jwks)
		return 0;
	own = mem_zalloc(sizeof(*own), own_destructor);
	if (!own) {
		mem_deref(keys);
		return ENOMEM;
	}
	snprintf(own->host, sizeof(own->host), "%s", host);
	own->keys = keys;
	list_append(&court->own, &own->le, own);
	return 0;
}

void assess_own_clear(struct assess_court *court)
{
	list_flush(&court->own);
}

/* ---- cases ---- */

static void case_destructor(void *arg)
{
	struct assess_case *c = arg;

	shelf_forget(&c->ask);
	mem_deref(c->value);
}

int assess_case_alloc(struct assess_case **cp, const struct identity_description *d)
{
	struct assess_case *c;
	struct pl value;

	if (!assertion_find(&value, d->sdp->data, d->sdp->len))
		return ENOENT;
	c = mem_zalloc(sizeof(*c), case_destructor);
	if (!c)
		return ENOMEM;
	c->value = base_dup(value.p, value.l);
	if (!c->value) {
		mem_deref(c);
		return ENOMEM;
	}
	c->keys_err = mky_read(&c->keys, d->sdp->data, d->sdp->len);
	addr_text(c->callee, d->callee);
	snprintf(c->site, sizeof(c->site), "%s", d->site);
	*cp = c;
	return 0;
}

static void tell(struct assess_case *c, enum identity_status status, const char *why)
{
	struct identity_person *p = mem_zalloc(sizeof(*p), NULL);

	if (p && status == IDENTITY_VERIFIED)
		*p = c->assertion.said;
	if (p) {
		p->status = status;
		snprintf(p->idp, sizeof(p->idp), "%s", c->line.domain);
		snprintf(p->why, sizeof(p->why), "%s", why);
	}
	c->h(p, c->arg); /* c may be gone */
	mem_deref(p);
}

static void PRINTF_LIKE(3, 4)
	tell_why(struct assess_case *c, enum identity_status status, const char *fmt, ...)
{
	char why[ASSERTION_WHY_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	tell(c, status, why);
}

static void settled(void *arg);

/* A key that is not among those which lie here may be new: they are asked for again, but not for every caller. */
static bool renew(struct assess_case *c)
{
	if (c->renewed)
		return false;
	c->renewed = true;
	switch (shelf_renew(c->court->shelf, &c->ask, c->url, c->site, ASSESS_RENEW_S)) {
	case SHELF_COMES:
		return true;
	case SHELF_HERE:
		return false;
	case SHELF_FAILED:
		break;
	}
	shelf_forget(&c->ask);
	settled(c);
	return true;
}

static void judge_signature(struct assess_case *c, const struct jwks *keys, bool own)
{
	struct es256 *key = jwks_key(keys, c->assertion.kid);

	if (!key && !own && renew(c))
		return;
	if (!key)
		tell_why(c, IDENTITY_FAILED, "%s has published no such key",
			 c->line.domain);
	else if (!assertion_signed(&c->assertion, c->line.token, key))
		tell(c, IDENTITY_FAILED, "the signature is not of this assertion");
	else
		tell(c, IDENTITY_VERIFIED, "");
}

static void settled(void *arg)
{
	struct assess_case *c = arg;

	if (c->ask.thing)
		judge_signature(c, c->ask.thing, false);
	else
		tell_why(c, IDENTITY_UNVERIFIED, "the keys of %s could not be had: %s",
			 c->line.domain, c->ask.why);
}

static void ask(struct assess_case *c)
{
	struct own_keys *own = own_find(c->court, c->line.host);

	if (own) {
		judge_signature(c, own->keys, true);
		return;
	}
	snprintf(c->url, sizeof(c->url), "https://%s" JWKS_PATH, c->line.domain);
	c->ask.h = settled;
	c->ask.arg = c;
	if (shelf_get(c->court->shelf, &c->ask, c->url, c->site) != SHELF_COMES)
		settled(c);
}

/* A provider of another protocol may have assertions of any form, which only its own code can judge. */
static bool is_ours(const struct assess_case *c)
{
	return !strcmp(c->line.protocol, "sluss");
}

void assess_begin(struct assess_case *c, struct assess_court *court,
		  identity_assessed_h *h, void *arg)
{
	int64_t now_s = court->now_s ? court->now_s() : clock_wall_s();
	char text[ASSERTION_WHY_BYTES];
	const char *why;
	int err;

	c->court = court;
	c->h = h;
	c->arg = arg;
	if (assertion_open(&c->line, &why, c->value, strlen(c->value))) {
		memset(&c->line, 0, sizeof(c->line));
		tell(c, IDENTITY_FAILED, why);
		return;
	}
	err = assertion_read(&c->assertion, &why, c->line.token);
	if (err) {
		tell(c,
		     err == ENOTSUP && !is_ours(c) ? IDENTITY_UNVERIFIED
						   : IDENTITY_FAILED,
		     why);
		return;
	}
	if (c->keys_err) {
		tell(c, IDENTITY_FAILED, "the description's media keys are not usable");
		return;
	}
	err = assertion_judge(&c->assertion, text, &c->line, &c->keys, c->callee, now_s,
			      court->slack_s);
	if (err)
		tell(c, err == ENOTSUP ? IDENTITY_UNVERIFIED : IDENTITY_FAILED, text);
	else
		ask(c);
}
