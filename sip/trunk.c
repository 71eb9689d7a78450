/* sip/trunk.c - what is known of each trunk, where its requests go, and the ops that the core has for trunks.
 *
 * Thread: signalling. Called by sip.c (start, stop, events of the edge), by the leg and by headers.c. Names are resolved by
 * the edge (c-ares); Sofia never looks one up. RFC 3261 §22 (challenges), RFC 3263 (no SRV for UDP: name and port). */
#include "sip/trunk.h"

#include <unistd.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "sip/udp.h"

enum { RESOLVE_AGAIN_MS = 300000, RESOLVE_FAILED_MS = 15000, TOKEN_SHIFT = 8 };

struct trunks {
	struct timer resolve;
	size_t n;
	struct trunk trunkv[];
};

static void trunks_destructor(void *arg)
{
	struct trunks *ts = arg;

	timer_cancel(&ts->resolve);
	for (size_t i = 0; i < ts->n; i++) {
		mem_deref(ts->trunkv[i].line);
		secret_wipe(&ts->trunkv[i].digest, sizeof(ts->trunkv[i].digest));
	}
}

bool trunk_is_udp(const struct trunk *t)
{
	return t->config->transport == TRANSPORT_UDP;
}

unsigned trunk_addresses(const struct trunk *t)
{
	return t->config->has_proxy ? 1 : (unsigned)t->config->n_addresses;
}

const struct trunk_address *trunk_address(const struct trunk *t, unsigned i)
{
	return t->config->has_proxy ? &t->config->proxy : &t->config->addressv[i];
}

const char *trunk_target_text(char buf[ADDR_HOST_MAX + 8], const struct trunk *t,
			      unsigned i)
{
	const struct trunk_address *a = trunk_address(t, i);

	if (!*a->host)
		re_snprintf(buf, ADDR_HOST_MAX + 8, "%J", &a->sa);
	else if (a->port)
		snprintf(buf, ADDR_HOST_MAX + 8, "%s:%u", a->host, a->port);
	else
		snprintf(buf, ADDR_HOST_MAX + 8, "%s", a->host);
	return buf;
}

struct trunk *trunk_named(const struct sip *sip, const char *name)
{
	for (size_t i = 0; sip->trunks && i < sip->trunks->n; i++)
		if (!strcmp(sip->trunks->trunkv[i].config->name, name))
			return &sip->trunks->trunkv[i];
	return NULL;
}

/* ---- where its datagrams come from ---- */

enum { MATCH_NONE, MATCH_NET, MATCH_ADDRESS, MATCH_EXACT };

static int match(const struct trunk *t, const struct sa *src)
{
	const struct trunk_config *c = t->config;
	int best = MATCH_NONE;

	for (unsigned i = 0; i < trunk_addresses(t); i++) {
		if (sa_cmp(&t->targetv[i], src, SA_ALL))
			return MATCH_EXACT;
		if (sa_cmp(&t->targetv[i], src, SA_ADDR) && !sa_is_loopback(src))
			best = MATCH_ADDRESS;
	}
	if (sa_is_loopback(
		    src)) /* its port tells it from the other programs of this machine */
		return MATCH_NONE;
	for (size_t i = 0; best < MATCH_ADDRESS && i < c->n_addresses; i++)
		if (sa_cmp(&c->addressv[i].sa, src, SA_ADDR))
			best = MATCH_ADDRESS;
	for (size_t i = 0; best == MATCH_NONE && i < c->n_match; i++)
		if (config_net_has(&c->matchv[i], src))
			best = MATCH_NET;
	return best;
}

struct trunk *trunk_of_source(const struct sip *sip, const struct sa *src)
{
	struct trunk *found = NULL;
	int best = MATCH_NONE;

	for (size_t i = 0; sip->trunks && i < sip->trunks->n; i++) {
		struct trunk *t = &sip->trunks->trunkv[i];
		int m = trunk_is_udp(t) ? match(t, src) : MATCH_NONE;

		if (m > best) {
			best = m;
			found = t;
		}
	}
	return found;
}

bool trunk_is_source(const struct trunk *t, const struct sa *src)
{
	return match(t, src) != MATCH_NONE;
}

static bool same_address(const struct trunk_address *a, const struct trunk_address *b)
{
	return a->port == b->port && !strcmp(a->host, b->host) &&
	       (*a->host || sa_cmp(&a->sa, &b->sa, SA_ALL));
}

bool trunk_is_one(const struct trunk *a, const struct trunk *b)
{
	return a == b || (a->config->transport == b->config->transport &&
			  trunk_addresses(a) && trunk_addresses(b) &&
			  same_address(trunk_address(a, 0), trunk_address(b, 0)));
}

/* ---- names ---- */

static void resolve(void *arg)
{
	struct sip *sip = arg;
	struct trunks *ts = sip->trunks;

	for (size_t i = 0; i < ts->n; i++) {
		struct trunk *t = &ts->trunkv[i];

		for (unsigned k = 0; trunk_is_udp(t) && k < trunk_addresses(t); k++) {
			const struct trunk_address *a = trunk_address(t, k);
			struct edge_order order = {.kind = EDGE_RESOLVE, .port = a->port};

			if (!*a->host)
				continue;
			order.token = (uint64_t)i << TOKEN_SHIFT | k;
			snprintf(order.domain, sizeof(order.domain), "%s", a->host);
			(void)edge_post(sip->edge, &order);
		}
	}
	(void)timer_start(sip->core->loop->timers, &ts->resolve, RESOLVE_AGAIN_MS,
			  resolve, sip);
}

void trunk_resolved(struct sip *sip, const struct edge_event *ev)
{
	struct trunks *ts = sip->trunks;
	size_t i = (size_t)(ev->token >> TOKEN_SHIFT);
	unsigned k = (unsigned)(ev->token & ((1u << TOKEN_SHIFT) - 1));
	struct trunk *t;
	struct sa sa;
	bool first;

	if (!ts || i >= ts->n || k >= trunk_addresses(&ts->trunkv[i]))
		return;
	t = &ts->trunkv[i];
	if (!*ev->target || sa_decode(&sa, ev->target, strlen(ev->target))) {
		log_warn(NULL, "trunk.unresolved", "trunk=%s name=%s why=%s",
			 t->config->name, LQ(ev->domain), LQ(ev->why));
		snprintf(t->last_error, sizeof(t->last_error), "%.60s: %.120s",
			 ev->domain, ev->why);
		(void)timer_start(sip->core->loop->timers, &ts->resolve,
				  RESOLVE_FAILED_MS, resolve, sip);
		return;
	}
	first = !sa_isset(&t->targetv[k], SA_ALL);
	if (!sa_cmp(&t->targetv[k], &sa, SA_ALL))
		log_info(NULL, "trunk.address", "trunk=%s name=%s address=%s",
			 t->config->name, LQ(ev->domain), LQ(ev->target));
	t->targetv[k] = sa;
	if (first && k == t->at)
		trunk_line_moved(t);
}

void trunk_failed(struct trunk *t, unsigned at, const char *why)
{
	char text[ADDR_HOST_MAX + 8];

	snprintf(t->last_error, sizeof(t->last_error), "%s", why);
	if (at != t->at || trunk_addresses(t) < 2)
		return;
	t->at = (at + 1) % trunk_addresses(t);
	memset(&t->digest, 0, sizeof(t->digest));
	log_warn(NULL, "trunk.failover", "trunk=%s address=%s why=%s", t->config->name,
		 LQ(trunk_target_text(text, t, t->at)), LQ(why));
	trunk_line_moved(t);
}

/* ---- hops ---- */

/* By which of our addresses it would be reached: what the kernel would send from. No packet leaves. */
static int local_address(struct sa *local, const struct sa *to)
{
	int fd = socket(sa_af(to), SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return errno;
	local->len = sizeof(local->u);
	if (connect(fd, &to->u.sa, to->len) || getsockname(fd, &local->u.sa, &local->len))
		err = errno;
	close(fd);
	return err;
}

void trunk_here(char *buf, size_t size, const struct trunk *t, unsigned at)
{
	const struct config *c = t->sip->core->config;
	const struct sa *to = &t->targetv[at];
	uint16_t port = 0;
	struct sa local;
	char host[ADDR_HOST_MAX + 1];

	for (size_t i = 0; i < c->n_sip && !port; i++)
		if (c->sipv[i].transport == t->config->transport)
			port = trunk_is_udp(t) ? sip_udp_port(t->sip, to)
					       : edge_outer_port(t->sip->edge, i);
	if (*t->config->advertise)
		snprintf(host, sizeof(host), "%s", t->config->advertise);
	else if (trunk_is_udp(t) && sip_udp_bound(t->sip, &local, to))
		re_snprintf(host, sizeof(host), sa_af(&local) == AF_INET6 ? "[%j]" : "%j",
			    &local);
	else if (t->config->transport != TRANSPORT_TLS && sa_isset(to, SA_ADDR) &&
		 !local_address(&local, to))
		re_snprintf(host, sizeof(host), sa_af(&local) == AF_INET6 ? "[%j]" : "%j",
			    &local);
	else
		snprintf(host, sizeof(host), "%s", t->config->site);
	snprintf(buf, size, "%s:%u", host, port);
}

int trunk_hop_alloc(struct sip_hop **hp, struct trunk *t)
{
	static const char *const names[] = {
		[TRANSPORT_UDP] = "udp",
		[TRANSPORT_TCP] = "tcp",
		[TRANSPORT_TLS] = "tls",
	};
	const struct sa *to = &t->targetv[t->at];
	char id[SIP_TAG_HEX + 1], sent_by[ADDR_HOST_MAX + 16];
	struct sip_hop *hop;
	int err;

	if (trunk_is_udp(t) && !sa_isset(to, SA_ALL))
		return ENOTCONN;
	err = sip_hop_alloc(&hop, t->sip, t->config->site, t->config->name);
	if (err)
		return err;
	hop->trunk = t;
	hop->at = t->at;
	trunk_here(sent_by, sizeof(sent_by), t, t->at);
	secret_hex(id, SIP_TAG_HEX);
	snprintf(hop->contact, sizeof(hop->contact), "<sip:%s@%s;transport=%s>", id,
		 sent_by, names[t->config->transport]);
	*hp = hop;
	return 0;
}

/* ---- challenges ---- */

bool trunk_challenged(struct trunk *t, const sip_t *s)
{
	const struct trunk_config *c = t->config;
	char other[DIGEST_WORD];
	int err;

	if (!c->auth_user || !c->password) {
		snprintf(t->last_error, sizeof(t->last_error),
			 "it asks for a password, and the configuration has none");
		log_warn(NULL, "trunk.challenge", "trunk=%s why=\"no password\"",
			 c->name);
		return false;
	}
	err = digest_learn(&t->digest, s, c->realm, other);
	if (!err)
		return true;
	if (err == EACCES)
		snprintf(t->last_error, sizeof(t->last_error),
			 "it asks for a password in the realm \"%.60s\"; only \"%.60s\" "
			 "is answered",
			 other, c->realm);
	else
		snprintf(t->last_error, sizeof(t->last_error),
			 "its challenge is none that is understood");
	log_warn(NULL, "trunk.challenge", "trunk=%s why=%s", c->name, LQ(t->last_error));
	return false;
}

bool trunk_authorization(char line[DIGEST_LINE], struct trunk *t, const char *method,
			 const char *uri)
{
	const struct trunk_config *c = t->config;

	return c->auth_user && c->password && uri &&
	       !digest_print(line, &t->digest, c->auth_user, c->password, method, uri);
}

/* ---- for the core ---- */

static int leg_alloc(struct leg **legp, void *arg, struct call *call,
		     const struct trunk_config *config)
{
	struct sip *sip = arg;
	struct trunk *t = trunk_named(sip, config->name);
	struct sip_leg *leg;
	int err;

	if (!t || sip->stopping)
		return ENOTCONN;
	if (t->n_calls >= config->calls && !call_is_emergency(call))
		return ENOSPC;
	err = sip_leg_alloc_trunk(&leg, t, LEG_OUT);
	if (err)
		return err;
	leg->leg.call = call;
	*legp = &leg->leg;
	return 0;
}

static void each(void *arg,
		 void (*h)(const struct trunk_config *trunk,
			   const struct trunk_state *state, void *harg),
		 void *harg)
{
	const struct sip *sip = arg;
	char text[ADDR_HOST_MAX + 8];

	for (size_t i = 0; sip->trunks && i < sip->trunks->n; i++) {
		const struct trunk *t = &sip->trunks->trunkv[i];
		struct trunk_state state = {
			.address = trunk_target_text(text, t, t->at),
			.n_calls = t->n_calls,
			.last_error = t->last_error,
		};

		trunk_line_state(t, &state);
		h(t->config, &state, harg);
	}
}

static const struct trunk_ops trunk_ops = {.leg_alloc = leg_alloc, .each = each};

int trunks_start(struct sip *sip, char **whyp)
{
	const struct config *c = sip->core->config;
	struct trunks *ts;
	bool udp = false;
	int err = 0;

	if (!c->n_trunks)
		return 0;
	ts = mem_zalloc(sizeof(*ts) + c->n_trunks * sizeof(ts->trunkv[0]),
			trunks_destructor);
	if (!ts)
		return ENOMEM;
	sip->trunks = ts;
	ts->n = c->n_trunks;
	for (size_t i = 0; i < ts->n; i++) {
		struct trunk *t = &ts->trunkv[i];

		t->sip = sip;
		t->config = &c->trunkv[i];
		secret_hex(t->contact_user, SIP_TAG_HEX);
		for (unsigned k = 0; k < TRUNK_ADDRESSES_MAX; k++)
			sa_init(&t->targetv[k], AF_UNSPEC);
		for (unsigned k = 0; k < trunk_addresses(t); k++)
			if (!*trunk_address(t, k)->host)
				t->targetv[k] = trunk_address(t, k)->sa;
		udp = udp || trunk_is_udp(t);
	}
	if (udp)
		err = udp_joint_alloc(&sip->udp_joint, sip, whyp);
	for (size_t i = 0; i < ts->n && !err; i++)
		err = trunk_line_alloc(&ts->trunkv[i].line, &ts->trunkv[i]);
	if (err)
		return err;
	sip->core->trunks = &trunk_ops;
	sip->core->trunks_arg = sip;
	return timer_start(sip->core->loop->timers, &ts->resolve, 0, resolve, sip);
}

void trunks_stop(struct sip *sip)
{
	if (sip->core->trunks_arg == sip) {
		sip->core->trunks = NULL;
		sip->core->trunks_arg = NULL;
	}
	sip->trunks = mem_deref(sip->trunks);
	sip->udp_joint = mem_deref(sip->udp_joint);
}
