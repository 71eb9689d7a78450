/* sip/edge/crowd.c - see crowd.h. Called by conns.c. An address is known while somebody
 * is there. */
#include "sip/edge/crowd.h"

struct crowd {
	struct hash *places;
};

struct crowd_place {
	struct le he;
	uint8_t key[8];
	uint32_t n;
};

static void crowd_destroy(void *p)
{
	struct crowd *c = p;

	hash_flush(c->places);
	mem_deref(c->places);
}

static void crowd_place_destroy(void *p)
{
	struct crowd_place *place = p;

	hash_unlink(&place->he);
}

int crowd_alloc(struct crowd **cp)
{
	struct crowd *c = mem_zalloc(sizeof(*c), crowd_destroy);

	if (!c)
		return ENOMEM;
	if (hash_alloc(&c->places, 4096)) {
		mem_deref(c);
		return ENOMEM;
	}
	*cp = c;
	return 0;
}

static uint32_t crowd_key(uint8_t key[8], const struct sa *sa)
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

static bool crowd_is(struct le *le, void *arg)
{
	return !memcmp(((struct crowd_place *)le->data)->key, arg, 8);
}

static struct crowd_place *crowd_find(struct crowd *c, const struct sa *sa)
{
	uint8_t key[8];
	uint32_t h = crowd_key(key, sa);

	return list_ledata(hash_lookup(c->places, h, crowd_is, key));
}

int crowd_enter(struct crowd *c, const struct sa *sa)
{
	struct crowd_place *place = crowd_find(c, sa);
	uint32_t h;

	if (!place) {
		place = mem_zalloc(sizeof(*place), crowd_place_destroy);
		if (!place)
			return ENOMEM;
		h = crowd_key(place->key, sa);
		hash_append(c->places, h, &place->he, place);
	}
	place->n++;
	return 0;
}

void crowd_leave(struct crowd *c, const struct sa *sa)
{
	struct crowd_place *place = crowd_find(c, sa);

	if (place && !--place->n)
		mem_deref(place);
}

uint32_t crowd_count(struct crowd *c, const struct sa *sa)
{
	const struct crowd_place *place = crowd_find(c, sa);

	return place ? place->n : 0;
}
