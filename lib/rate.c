/* lib/rate.c - token buckets in a table of fixed size.
 *
 * One thread's own. Called by media threads for plain STUN requests and by the web thread for what identity providers
 * are asked; calls secret.c for the seed. */
#include "lib/rate.h"

#include "lib/secret.h"

enum { SLOTS = 4096, MILLI = 1000 };

struct slot {
	uint64_t at_ms;
	uint32_t milli; /**< thousandths of a token */
};

struct rate {
	uint64_t seed; /**< nobody outside can choose whom to share a slot with */
	uint32_t per_s;
	struct slot slotv[SLOTS];
};

int rate_alloc(struct rate **rp, uint32_t per_s)
{
	struct rate *r = mem_zalloc(sizeof(*r), NULL);

	if (!r)
		return ENOMEM;
	r->seed = secret_u64();
	r->per_s = per_s;
	for (size_t i = 0; i < SLOTS; i++)
		r->slotv[i].milli = 2 * per_s * MILLI;
	*rp = r;
	return 0;
}

static uint64_t source_key(const struct sa *source)
{
	uint8_t v6[16];
	uint64_t key = 0;

	if (sa_af(source) == AF_INET)
		return sa_in(source);
	sa_in6(source, v6);
	memcpy(&key, v6, sizeof(key));
	return key;
}

/** splitmix64's finish: every bit of the key moves every bit of the slot. */
static size_t slot_of(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (x ^ x >> 31) % SLOTS;
}

bool rate_take(struct rate *r, const struct sa *source, uint64_t now_ms)
{
	struct slot *s = &r->slotv[slot_of(source_key(source) + r->seed)];
	uint64_t full = 2ull * r->per_s * MILLI, milli;

	milli = s->milli + (now_ms - s->at_ms) * r->per_s;
	if (milli > full)
		milli = full;
	s->at_ms = now_ms;
	s->milli = (uint32_t)milli;
	if (s->milli < MILLI)
		return false;
	s->milli -= MILLI;
	return true;
}
