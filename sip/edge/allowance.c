/* sip/edge/allowance.c - see allowance.h: token buckets. Edge thread. Called by the inward direction. A
 * place is forgotten when its bucket must be full again, so nothing is gained by coming back, and the
 * oldest makes room when there are too many: then the bucket of all still holds. */
#include "sip/edge/allowance.h"

struct bucket {
	uint64_t tokens_us; /* one request is worth 1/rate s */
	uint64_t at_us;     /* when they were counted */
};

struct allowance_place {
	struct le he, le; /* by address; in the order of last use */
	struct allowance *allowance;
	uint8_t key[8];
	struct bucket bucket;
};

struct allowance {
	struct timers *timers;
	struct hash *places;
	struct list used; /* the latest last */
	size_t n;
	uint32_t rate;
	struct bucket all;
};

static void allowance_destroy(void *p)
{
	struct allowance *a = p;

	list_flush(&a->used);
	mem_deref(a->places);
}

static void place_destroy(void *p)
{
	struct allowance_place *place = p;

	hash_unlink(&place->he);
	list_unlink(&place->le);
	place->allowance->n--;
}

/* Full at `now`. */
static void bucket_fill(struct bucket *b, uint64_t now)
{
	b->tokens_us = ALLOWANCE_BURST_S * 1000000ull;
	b->at_us = now;
}

/* A second fills in a second's worth, whatever the rate. */
static void bucket_count(struct bucket *b, uint64_t now)
{
	uint64_t full = ALLOWANCE_BURST_S * 1000000ull, gone = now - b->at_us;

	b->tokens_us = gone >= full - b->tokens_us ? full : b->tokens_us + gone;
	b->at_us = now;
}

int allowance_alloc(struct allowance **ap, struct timers *timers, uint32_t rate)
{
	struct allowance *a = mem_zalloc(sizeof(*a), allowance_destroy);

	if (!a)
		return ENOMEM;
	a->timers = timers;
	a->rate = rate ? rate : 1;
	if (hash_alloc(&a->places, ALLOWANCE_PLACES_MAX)) {
		mem_deref(a);
		return ENOMEM;
	}
	bucket_fill(&a->all, timers_now_us(timers));
	*ap = a;
	return 0;
}

static uint32_t place_key(uint8_t key[8], const struct sa *sa)
{
	uint8_t in6[16];
	uint32_t in;

	memset(key, 0, 8);
	if (sa_af(sa) == AF_INET6) {
		sa_in6(sa, in6);
		memcpy(key, in6, 8);
	} else {
		in = sa_in(sa);
		memcpy(key, &in, sizeof(in));
	}
	return hash_joaat(key, 8);
}

static bool place_is(struct le *le, void *arg)
{
	return !memcmp(((struct allowance_place *)le->data)->key, arg, 8);
}

static void forget(struct allowance *a, uint64_t now)
{
	struct allowance_place *place;

	while ((place = list_ledata(list_head(&a->used))) &&
	       (a->n >= ALLOWANCE_PLACES_MAX ||
		now - place->bucket.at_us >= ALLOWANCE_BURST_S * 1000000ull))
		mem_deref(place);
}

static struct allowance_place *place_get(struct allowance *a, const struct sa *from,
					 uint64_t now)
{
	struct allowance_place *place;
	uint8_t key[8];
	uint32_t h = place_key(key, from);

	place = list_ledata(hash_lookup(a->places, h, place_is, key));
	if (place) {
		bucket_count(&place->bucket, now);
		list_unlink(&place->le);
		list_append(&a->used, &place->le, place);
		return place;
	}
	forget(a, now);
	place = mem_zalloc(sizeof(*place), place_destroy);
	if (!place)
		return NULL;
	place->allowance = a;
	memcpy(place->key, key, sizeof(key));
	bucket_fill(&place->bucket, now);
	hash_append(a->places, h, &place->he, place);
	list_append(&a->used, &place->le, place);
	a->n++;
	return place;
}

bool allowance_take(struct allowance *a, const struct sa *from)
{
	uint64_t now = timers_now_us(a->timers);
	struct allowance_place *place = place_get(a, from, now);
	uint64_t cost = 1000000 / a->rate, share = cost / ALLOWANCE_SHARES;

	bucket_count(&a->all, now);
	if (!place || place->bucket.tokens_us < cost || a->all.tokens_us < share)
		return false;
	place->bucket.tokens_us -= cost;
	a->all.tokens_us -= share;
	return true;
}

size_t allowance_n_places(const struct allowance *a)
{
	return a->n;
}
