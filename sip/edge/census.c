/* sip/edge/census.c - see census.h. Called by edge.c when connections open, end or fail.
 * Bounded: a domain is kept only while a connection proves it, and a connection counts
 * for a few domains only. */
#include "sip/edge/census.h"

#include "gateway/addr.h"

enum { CENSUS_NAMES_MAX = 4 };

struct census {
	struct hash *domains;
	census_h *h;
	void *arg;
};

struct census_domain {
	struct le he;
	char name[ADDR_HOST_MAX + 1];
	unsigned n;
};

static void census_destroy(void *p)
{
	struct census *c = p;

	hash_flush(c->domains);
	mem_deref(c->domains);
}

static void census_domain_destroy(void *p)
{
	struct census_domain *d = p;

	hash_unlink(&d->he);
}

int census_alloc(struct census **cp, census_h *h, void *arg)
{
	struct census *c = mem_zalloc(sizeof(*c), census_destroy);

	if (!c)
		return ENOMEM;
	c->h = h;
	c->arg = arg;
	if (hash_alloc(&c->domains, 256)) {
		mem_deref(c);
		return ENOMEM;
	}
	*cp = c;
	return 0;
}

static bool census_is(struct le *le, void *arg)
{
	return !strcmp(((struct census_domain *)le->data)->name, arg);
}

static struct census_domain *census_find(struct census *c, char *name)
{
	return list_ledata(
		hash_lookup(c->domains, hash_joaat_str(name), census_is, name));
}

/* The next name of a list, in lower case as certificates' names are kept. False at the
 * end. */
static bool census_next(const char **names, char name[ADDR_HOST_MAX + 1])
{
	size_t n = strcspn(*names, "/");

	if (!n || n > ADDR_HOST_MAX)
		return false;
	memcpy(name, *names, n);
	name[n] = '\0';
	*names += n + ((*names)[n] == '/');
	return true;
}

void census_enter(struct census *c, const char *names)
{
	char name[ADDR_HOST_MAX + 1];

	for (unsigned i = 0; i < CENSUS_NAMES_MAX && census_next(&names, name); i++) {
		struct census_domain *d = census_find(c, name);

		if (!d) {
			d = mem_zalloc(sizeof(*d), census_domain_destroy);
			if (!d)
				return;
			memcpy(d->name, name, sizeof(d->name));
			hash_append(c->domains, hash_joaat_str(name), &d->he, d);
		}
		d->n++;
		c->h(name, true, "", d->n, c->arg);
	}
}

void census_leave(struct census *c, const char *names, const char *why)
{
	char name[ADDR_HOST_MAX + 1];

	for (unsigned i = 0; i < CENSUS_NAMES_MAX && census_next(&names, name); i++) {
		struct census_domain *d = census_find(c, name);
		unsigned left;

		if (!d)
			continue;
		left = --d->n;
		if (!left)
			mem_deref(d);
		c->h(name, left > 0, why, left, c->arg);
	}
}

void census_failed(struct census *c, const char *domain, const char *why)
{
	char name[ADDR_HOST_MAX + 1];
	struct census_domain *d;

	snprintf(name, sizeof(name), "%s", domain);
	d = census_find(c, name);
	c->h(name, d != NULL, why, d ? d->n : 0, c->arg);
}
