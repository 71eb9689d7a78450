/* sip/peers.c - one small record for each peer domain that was met.
 *
 * Thread: signalling. Called by sip.c (edge events, slussctl) and the legs. There are at most
 * PEERS_MAX records: then the oldest without connection and call is forgotten; a domain that cannot
 * be recorded is simply not counted. */
#include "sip/peers.h"

#include <strings.h>

enum { TRICKLE_YES_S = 86400, TRICKLE_NO_S = 3600, SECOND_US = 1000000 };

struct peer {
	struct le le, le_hash;
	char domain[ADDR_HOST_MAX + 1];
	unsigned n_conns, n_calls;
	char last_error[160];
	enum trickle trickle;
	uint64_t trickle_until_us;
};

struct peers {
	struct list list;
	struct hash *by_domain;
	unsigned n;
};

static void peer_destructor(void *arg)
{
	struct peer *pe = arg;

	list_unlink(&pe->le);
	hash_unlink(&pe->le_hash);
}

static void peers_destructor(void *arg)
{
	struct peers *p = arg;

	list_flush(&p->list);
	mem_deref(p->by_domain);
}

int peers_alloc(struct peers **pp)
{
	struct peers *p = mem_zalloc(sizeof(*p), peers_destructor);
	int err;

	if (!p)
		return ENOMEM;
	list_init(&p->list);
	err = hash_alloc(&p->by_domain, 256);
	if (err)
		mem_deref(p);
	else
		*pp = p;
	return err;
}

static bool same_domain(struct le *le, void *arg)
{
	const struct peer *pe = le->data;

	return !strcasecmp(pe->domain, arg);
}

static struct peer *find(const struct peers *p, const char *domain)
{
	return list_ledata(hash_lookup(p->by_domain, hash_joaat_str_ci(domain),
				       same_domain, (void *)domain));
}

static bool forget_one(struct peers *p)
{
	struct le *le;

	LIST_FOREACH(&p->list, le)
	{
		struct peer *pe = le->data;

		if (pe->n_conns || pe->n_calls)
			continue;
		mem_deref(pe);
		p->n--;
		return true;
	}
	return false;
}

static struct peer *get(struct peers *p, const char *domain)
{
	struct peer *pe = find(p, domain);

	if (pe || !*domain)
		return pe;
	if (p->n >= PEERS_MAX && !forget_one(p))
		return NULL;
	pe = mem_zalloc(sizeof(*pe), peer_destructor);
	if (!pe)
		return NULL;
	snprintf(pe->domain, sizeof(pe->domain), "%s", domain);
	list_append(&p->list, &pe->le, pe);
	hash_append(p->by_domain, hash_joaat_str_ci(domain), &pe->le_hash, pe);
	p->n++;
	return pe;
}

void peers_edge(struct peers *p, const char *domain, bool up, unsigned n_conns,
		const char *why)
{
	struct peer *pe = get(p, domain);

	if (!pe)
		return;
	pe->n_conns = n_conns;
	if (up)
		pe->last_error[0] = '\0';
	else if (why && *why)
		snprintf(pe->last_error, sizeof(pe->last_error), "%s", why);
}

void peers_call(struct peers *p, const char *domain, int by)
{
	struct peer *pe = by > 0 ? get(p, domain) : find(p, domain);

	if (!pe)
		return;
	if (by > 0)
		pe->n_calls++;
	else if (pe->n_calls)
		pe->n_calls--;
}

unsigned peers_conns(const struct peers *p, const char *domain)
{
	const struct peer *pe = find(p, domain);

	return pe ? pe->n_conns : 0;
}

unsigned peers_calls(const struct peers *p, const char *domain)
{
	const struct peer *pe = find(p, domain);

	return pe ? pe->n_calls : 0;
}

void peers_error(struct peers *p, const char *domain, const char *why)
{
	struct peer *pe = get(p, domain);

	if (pe)
		snprintf(pe->last_error, sizeof(pe->last_error), "%s", why ? why : "");
}

void peers_trickle_set(struct peers *p, const char *domain, bool yes, uint64_t now_us)
{
	struct peer *pe = get(p, domain);

	if (!pe)
		return;
	pe->trickle = yes ? TRICKLE_YES : TRICKLE_NO;
	pe->trickle_until_us =
		now_us + (uint64_t)(yes ? TRICKLE_YES_S : TRICKLE_NO_S) * SECOND_US;
}

enum trickle peers_trickle(const struct peers *p, const char *domain, uint64_t now_us)
{
	const struct peer *pe = find(p, domain);

	return pe && now_us < pe->trickle_until_us ? pe->trickle : TRICKLE_AUTO;
}

void peers_each(const struct peers *p,
		void (*h)(const char *domain, const char *state, unsigned n_conns,
			  unsigned n_calls, const char *last_error, void *arg),
		void *arg)
{
	struct le *le;

	LIST_FOREACH(&p->list, le)
	{
		const struct peer *pe = le->data;
		const char *state = pe->n_conns         ? "up"
				    : pe->last_error[0] ? "down"
							: "idle";

		h(pe->domain, state, pe->n_conns, pe->n_calls, pe->last_error, arg);
	}
}
