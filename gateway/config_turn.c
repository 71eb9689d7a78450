/* gateway/config_turn.c - the section turn { }: STUN and TURN servers that browsers are told of. Rows of the
 * table in config_keys.c; called from there, before there are threads. What the values are used for is in
 * turn.c. */
#include "gateway/config_keys.h"
#include "gateway/config_value.h"
#include "lib/secret.h"

/* Browsers slow down with more than a few, and each is asked at every call. */
enum { URIS_MAX = 8, LIFETIME_MIN_S = 10, LIFETIME_MAX_S = 604800 };

static int set_uris(struct spot *s, bool relay)
{
	char ***vp = (char ***)(void *)((uint8_t *)s->base + s->row->offset);
	char **v = config_strings_alloc(s->n);
	size_t n = 0;

	if (!v)
		return ENOMEM;
	if (s->n > URIS_MAX)
		config_fault(s->b->report, s->v->line,
			     "%s: %zu servers; at most %d are of use to a browser",
			     s->row->name, s->n, URIS_MAX);
	for (size_t i = 0; i < s->n; i++) {
		if (config_ice_uri_parse(s->v[i].text, relay)) {
			spot_fault(
				s, &s->v[i],
				relay ? "write \"turn:turn.alpha.example:3478\", with "
					"?transport=tcp behind it where TCP is meant; turns "
					"likewise"
				      : "write \"stun:stun.alpha.example:3478\"; stuns "
					"likewise");
			continue;
		}
		v[n] = base_dup(s->v[i].text, strlen(s->v[i].text));
		if (!v[n++]) {
			mem_deref(v);
			return ENOMEM;
		}
	}
	mem_deref(*vp);
	*vp = n ? v : mem_deref(v);
	return 0;
}

static int set_stun(struct spot *s)
{
	return set_uris(s, false);
}

static int set_turn(struct spot *s)
{
	return set_uris(s, true);
}

/* Never named in a fault. */
static int set_secret(struct spot *s)
{
	struct config *c = s->base;
	char *secret;

	if (!*s->v->text) {
		config_fault(
			s->b->report, s->v->line,
			"secret: it must not be empty; take the static-auth-secret of "
			"the TURN servers");
		return 0;
	}
	secret = secret_dup(s->v->text, strlen(s->v->text));
	if (!secret)
		return ENOMEM;
	mem_deref(c->turn.secret);
	c->turn.secret = secret;
	return 0;
}

static int set_lifetime(struct spot *s)
{
	struct config *c = s->base;
	uint32_t v;

	if (config_uint_parse(&v, s->v->text) || v < LIFETIME_MIN_S || v > LIFETIME_MAX_S)
		config_fault(
			s->b->report, s->v->line,
			"lifetime: \"%.40s\" is not usable; a number from %d to %d (s) "
			"would be right, %d is the default",
			s->v->text, LIFETIME_MIN_S, LIFETIME_MAX_S,
			CONFIG_TURN_LIFETIME_S);
	else
		c->turn.lifetime_s = v;
	return 0;
}

const struct key_row config_turn_rows[] = {
	{"uris", set_turn, offsetof(struct config, turn.uriv), true},
	{"stun", set_stun, offsetof(struct config, turn.stunv), true},
	{"secret", set_secret},
	{"lifetime", set_lifetime},
	{NULL},
};
