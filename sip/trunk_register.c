/* sip/trunk_register.c - is the trunk there, and does it know where we are: OPTIONS and REGISTER, over and over.
 *
 *   REGISTER sip:provider.example            OPTIONS sip:provider.example
 *   401, and again with the answer           anything that it answers shows that it is there
 *   200, Expires: 600; again at half of it   silence, 408, 503: down, and the next address
 * Thread: signalling. Made by trunk.c; calls NTA by headers.c. RFC 3261 §10.2, §11.1; back-off as RFC 5626 §4.5. */
#include "sip/trunk.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"

enum {
	FIRST_MS = 200,
	BACKOFF_MS = 5000,
	BACKOFF_MAX_MS = 600000,
	FORBIDDEN_MS = 300000, /* a wrong password is not tried every few seconds */
	CHALLENGES_MAX = 2,
};

/* One kind of request that is repeated for ever. */
struct rounds {
	struct trunk_line *line;
	sip_method_t method;
	const char *name;
	struct sip_hop *hop;
	nta_leg_t *base;
	nta_outgoing_t *out;
	struct timer timer;
	unsigned n_challenges, n_failed;
};

struct trunk_line {
	struct trunk *t;
	enum { LINE_UNKNOWN, LINE_UP, LINE_DOWN } state;
	enum { REG_NONE, REG_TRYING, REG_HOLDS, REG_REFUSED } registration;
	uint32_t expires_s; /* to ask for: a 423 may raise it */
	int64_t until_s;
	struct rounds reg, ping;
};

static void go(void *arg);

static void rounds_close(struct rounds *r)
{
	timer_cancel(&r->timer);
	nta_outgoing_destroy(r->out);
	r->out = NULL;
	nta_leg_destroy(r->base);
	r->base = NULL;
	r->hop = mem_deref(r->hop);
}

static void line_destructor(void *arg)
{
	struct trunk_line *l = arg;

	rounds_close(&l->reg);
	rounds_close(&l->ping);
}

static void again(struct rounds *r, uint64_t ms)
{
	if (timer_start(r->line->t->sip->core->loop->timers, &r->timer, ms, go, r))
		log_err(NULL, "sip.memory", "trunk=%s", r->line->t->config->name);
}

static void up(struct trunk_line *l)
{
	if (l->state != LINE_UP)
		log_info(NULL, "trunk.up", "trunk=%s", l->t->config->name);
	l->state = LINE_UP;
}

static void down(struct trunk_line *l, const char *why)
{
	if (l->state != LINE_DOWN)
		log_warn(NULL, "trunk.down", "trunk=%s why=%s", l->t->config->name,
			 LQ(why));
	l->state = LINE_DOWN;
	snprintf(l->t->last_error, sizeof(l->t->last_error), "%s", why);
}

void trunk_line_heard(struct trunk *t)
{
	if (t->line)
		up(t->line);
}

/* Twice as long each time, a little more or less: not all of us at once. */
static void back_off(struct rounds *r)
{
	uint64_t ms = BACKOFF_MS;

	for (unsigned i = 0; i < r->n_failed && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	r->n_failed++;
	ms = ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
	again(r, ms / 2 + secret_u64() % (ms / 2 + 1));
}

/* ---- answers ---- */

static uint32_t granted_s(const struct trunk_line *l, const sip_t *s)
{
	uint32_t x = l->expires_s;

	if (s->sip_expires)
		x = (uint32_t)s->sip_expires->ex_delta;
	for (const sip_contact_t *m = s->sip_contact; m; m = m->m_next)
		if (m->m_url->url_user &&
		    !strcmp(m->m_url->url_user, l->t->contact_user) && m->m_expires)
			x = (uint32_t)strtoul(m->m_expires, NULL, 10);
	return x < 10 ? 10 : x > 86400 ? 86400 : x;
}

static void registered(struct rounds *r, const sip_t *s)
{
	struct trunk_line *l = r->line;
	uint32_t x = granted_s(l, s);

	if (l->registration != REG_HOLDS)
		log_info(NULL, "trunk.registered", "trunk=%s expires_s=%u",
			 l->t->config->name, x);
	l->registration = REG_HOLDS;
	l->until_s = clock_wall_s() + x;
	l->t->last_error[0] = '\0';
	r->n_failed = 0;
	again(r, (uint64_t)x * 500);
}

static void reg_refused(struct rounds *r, unsigned status, const sip_t *s)
{
	struct trunk_line *l = r->line;
	bool why_known = status == 401 || status == 407;

	if (status == 423 && s->sip_min_expires &&
	    s->sip_min_expires->me_delta > l->expires_s &&
	    s->sip_min_expires->me_delta <= 86400) {
		l->expires_s = (uint32_t)s->sip_min_expires->me_delta;
		again(r, 0);
		return;
	}
	if (!why_known || !*l->t->last_error)
		snprintf(l->t->last_error, sizeof(l->t->last_error),
			 "registration was refused: %u %.100s", status,
			 nta_sip_is_internal(s) ? "no answer" : s->sip_status->st_phrase);
	if (l->registration != REG_REFUSED)
		log_warn(NULL, "trunk.unregistered", "trunk=%s status=%u why=%s",
			 l->t->config->name, status, LQ(l->t->last_error));
	l->registration = REG_REFUSED;
	l->until_s = 0;
	if (why_known || status == 403 || status == 404)
		again(r, FORBIDDEN_MS);
	else
		back_off(r);
}

/* Nothing is there. */
static bool is_silence(unsigned status, const sip_t *s)
{
	return nta_sip_is_internal(s) || status == 408 || status == 503;
}

static void final(struct rounds *r, const sip_t *s)
{
	struct trunk_line *l = r->line;
	unsigned status = (unsigned)s->sip_status->st_status, at = r->hop->at;
	bool challenge = status == 401 || status == 407;

	if (is_silence(status, s)) {
		down(l, "it does not answer");
		trunk_failed(l->t, at, "it does not answer");
	} else {
		up(l);
	}
	if (challenge && r->n_challenges < CHALLENGES_MAX && trunk_challenged(l->t, s)) {
		r->n_challenges++;
		again(r, 0);
		return;
	}
	r->n_challenges = 0;
	if (r == &l->ping)
		again(r, (uint64_t)l->t->config->keepalive_s * 1000);
	else if (status < 300)
		registered(r, s);
	else
		reg_refused(r, status, s);
}

static int answered(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct rounds *r = arg;
	struct joint j;

	if (!s || s->sip_status->st_status < 200 || orq != r->out)
		return 0;
	sip_loop_enter("sip.response.trunk");
	if (nta_sip_is_internal(s) || !trust_joint(&j, r->line->t->sip, s)) {
		r->out = NULL;
		final(r, s);
		nta_outgoing_destroy(orq);
	}
	sip_loop_leave();
	return 0;
}

/* ---- requests ---- */

static int base_make(struct rounds *r)
{
	struct trunk *t = r->line->t;
	const struct trunk_config *c = t->config;
	char whom[2 * ADDR_HOST_MAX], from[2 * ADDR_HOST_MAX + 64], call_id[33];
	char tag[SIP_TAG_HEX + 1];
	int err;

	if (r->hop && r->hop->at == t->at && r->base)
		return 0;
	rounds_close(r);
	err = trunk_hop_alloc(&r->hop, t);
	if (err)
		return err;
	secret_hex(call_id, 32);
	secret_hex(tag, SIP_TAG_HEX);
	/* auth_user may be anything that a quoted string may hold; in an address only a proper user part */
	if (r->method == sip_method_register && c->auth_user &&
	    c->auth_user[strspn(c->auth_user,
				"abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._~")] == '\0')
		snprintf(whom, sizeof(whom), "<sip:%s@%s>", c->auth_user, c->from_domain);
	else
		snprintf(whom, sizeof(whom), "<sip:%s>", c->from_domain);
	snprintf(from, sizeof(from), "%s;tag=%s", whom, tag);
	if (r->method == sip_method_register) {
		char here[ADDR_HOST_MAX + 16];

		trunk_here(here, sizeof(here), t, r->hop->at);
		snprintf(r->hop->contact, sizeof(r->hop->contact),
			 "<sip:%s@%s;transport=%s>", t->contact_user, here,
			 trunk_is_udp(t)                 ? "udp"
			 : c->transport == TRANSPORT_TLS ? "tls"
							 : "tcp");
	}
	r->base = nta_leg_tcreate(t->sip->agent, NULL, NULL, SIPTAG_CALL_ID_STR(call_id),
				  SIPTAG_FROM_STR(from), SIPTAG_TO_STR(whom), TAG_END());
	return r->base ? 0 : ENOMEM;
}

static void go(void *arg)
{
	struct rounds *r = arg;
	struct trunk_line *l = r->line;
	struct trunk *t = l->t;
	char uri[ADDR_HOST_MAX + 8], expires[16];
	struct sip_request rq = {
		.method = r->method,
		.name = r->name,
		.request_uri = uri,
	};
	bool reg = r == &l->reg;

	if (t->sip->stopping || r->out)
		return;
	if (base_make(r)) { /* its name is not resolved yet */
		back_off(r);
		return;
	}
	rq.hop = r->hop;
	rq.dialog = r->base;
	snprintf(uri, sizeof(uri), "sip:%s", t->config->from_domain);
	snprintf(expires, sizeof(expires), "%u", l->expires_s);
	if (reg && l->registration != REG_HOLDS)
		l->registration = REG_TRYING;
	r->out = sip_request_send(&rq, answered, r, SIPTAG_ALLOW_STR(sip_allow),
				  TAG_IF(reg, SIPTAG_EXPIRES_STR(expires)), TAG_END());
	if (!r->out)
		back_off(r);
}

void trunk_line_moved(struct trunk *t)
{
	struct trunk_line *l = t->line;

	if (!l)
		return;
	if (t->config->registers && !l->reg.out)
		again(&l->reg, 0);
	if (t->config->keepalive_s && !l->ping.out)
		again(&l->ping, 0);
}

void trunk_line_state(const struct trunk *t, struct trunk_state *state)
{
	static const char *const states[] = {
		[LINE_UNKNOWN] = "unknown", [LINE_UP] = "up", [LINE_DOWN] = "down"};
	static const char *const regs[] = {[REG_NONE] = "none",
					   [REG_TRYING] = "trying",
					   [REG_HOLDS] = "registered",
					   [REG_REFUSED] = "refused"};

	state->state = states[t->line ? t->line->state : LINE_UNKNOWN];
	state->registration = regs[t->line ? t->line->registration : REG_NONE];
	state->until_s = t->line ? t->line->until_s : 0;
}

int trunk_line_alloc(struct trunk_line **lp, struct trunk *t)
{
	struct trunk_line *l = mem_zalloc(sizeof(*l), line_destructor);

	if (!l)
		return ENOMEM;
	l->t = t;
	l->expires_s = t->config->expires_s;
	l->reg = (struct rounds){
		.line = l, .method = sip_method_register, .name = "REGISTER"};
	l->ping = (struct rounds){
		.line = l, .method = sip_method_options, .name = "OPTIONS"};
	if (t->config->registers)
		again(&l->reg, FIRST_MS);
	if (t->config->keepalive_s)
		again(&l->ping, FIRST_MS);
	*lp = l;
	return 0;
}
