/* gateway/account_slow.c - the table of failed sign-ins. Signalling thread; called by account.c. Who fills the
 * table with names or addresses of no worth pushes out the keys unused for longest, not his own latest. */
#include "gateway/account_slow.h"

#include "lib/secret.h"

enum { BUCKETS = 4096 };
#define US_PER_S 1000000ull

struct slow_key {
	struct le le, le_used; /* in the hash; in the order of use */
	struct account_slow *slow;
	uint64_t until_us, last_us;
	uint32_t n_failures, n_under_way;
	char text[];
};

struct account_slow {
	const struct timers *timers;
	uint32_t tries, capacity, n;
	struct hash *keys;
	struct list used; /* longest unused first */
	uint64_t salt;    /* so that nobody can aim at one bucket */
};

static void key_destroy(void *p)
{
	struct slow_key *k = p;

	hash_unlink(&k->le);
	list_unlink(&k->le_used);
	k->slow->n--;
}

static void slow_destroy(void *p)
{
	struct account_slow *s = p;

	hash_flush(s->keys);
	mem_deref(s->keys);
}

int account_slow_alloc(struct account_slow **sp, const struct timers *timers,
		       uint32_t tries, uint32_t capacity)
{
	struct account_slow *s = mem_zalloc(sizeof(*s), slow_destroy);
	int err;

	if (!s)
		return ENOMEM;
	s->timers = timers;
	s->tries = tries;
	s->capacity = capacity;
	s->salt = secret_u64();
	err = hash_alloc(&s->keys, BUCKETS);
	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}

static uint32_t key_hash(const struct account_slow *s, const char *text)
{
	uint64_t h = s->salt;

	for (; *text; text++) {
		h = (h ^ (uint8_t)*text) * 0x100000001b3ull;
		h ^= h >> 29;
	}
	return (uint32_t)(h ^ h >> 32);
}

static bool key_is(struct le *le, void *arg)
{
	const struct slow_key *k = le->data;

	return !strcmp(k->text, arg);
}

static struct slow_key *key_find(const struct account_slow *s, const char *text)
{
	return list_ledata(hash_lookup(s->keys, key_hash(s, text), key_is, (void *)text));
}

/* Those with a try under way stay; they are fewer than the back office takes. */
static void key_evict(struct account_slow *s)
{
	for (struct le *le = s->used.head; le; le = le->next) {
		struct slow_key *k = le->data;

		if (!k->n_under_way) {
			mem_deref(k);
			return;
		}
	}
}

static struct slow_key *key_make(struct account_slow *s, const char *text)
{
	struct slow_key *k;

	if (s->n >= s->capacity)
		key_evict(s);
	k = mem_zalloc(sizeof(*k) + strlen(text) + 1, key_destroy);
	if (!k)
		return NULL;
	memcpy(k->text, text, strlen(text) + 1);
	k->slow = s;
	s->n++;
	hash_append(s->keys, key_hash(s, text), &k->le, k);
	list_append(&s->used, &k->le_used, k);
	return k;
}

static void key_touch(struct account_slow *s, struct slow_key *k)
{
	list_unlink(&k->le_used);
	list_append(&s->used, &k->le_used, k);
}

int account_slow_enter(struct account_slow *s, const char *text, uint32_t *retry_s)
{
	uint64_t now_us = timers_now_us(s->timers);
	struct slow_key *k = key_find(s, text);
	uint64_t quiet_us;

	if (!k)
		k = key_make(s, text);
	if (!k)
		return ENOMEM;
	key_touch(s, k);
	quiet_us = k->until_us > k->last_us ? k->until_us : k->last_us;
	if (!k->n_under_way && now_us >= quiet_us + SLOW_FORGET_S * US_PER_S)
		k->n_failures = 0;
	if (now_us < k->until_us) {
		*retry_s = (uint32_t)((k->until_us - now_us + US_PER_S - 1) / US_PER_S);
		return EAGAIN;
	}
	if (k->n_under_way && k->n_failures + k->n_under_way >= s->tries) {
		*retry_s = 1;
		return EAGAIN;
	}
	k->n_under_way++;
	return 0;
}

void account_slow_leave(struct account_slow *s, const char *text, enum slow_end end)
{
	struct slow_key *k = key_find(s, text);
	uint64_t wait_s = SLOW_WAIT_MAX_S;

	if (!k || !k->n_under_way)
		return;
	k->n_under_way--;
	if (end == SLOW_GOOD) {
		k->n_failures = 0;
		k->until_us = 0;
	}
	if (end != SLOW_FAILED)
		return;
	k->last_us = timers_now_us(s->timers);
	k->n_failures++;
	if (k->n_failures < s->tries)
		return;
	if (k->n_failures - s->tries < 10)
		wait_s = 1ull << (k->n_failures - s->tries);
	if (wait_s > SLOW_WAIT_MAX_S)
		wait_s = SLOW_WAIT_MAX_S;
	k->until_us = k->last_us + wait_s * US_PER_S;
}

size_t account_slow_count(const struct account_slow *s)
{
	return s->n;
}

const char *account_slow_address(char key[SLOW_KEY_BYTES], const struct sa *from)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint32_t v4 = 0;
	uint8_t v6[16];

	if (sa_af(from) == AF_INET) {
		v4 = sa_in(from);
	} else {
		sa_in6(from, v6);
		if (memcmp(v6, mapped, sizeof(mapped)) != 0) {
			snprintf(key, SLOW_KEY_BYTES,
				 "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", v6[0], v6[1],
				 v6[2], v6[3], v6[4], v6[5], v6[6], v6[7]);
			return key;
		}
		for (int i = 12; i < 16; i++)
			v4 = v4 << 8 | v6[i];
	}
	snprintf(key, SLOW_KEY_BYTES, "%u.%u.%u.%u", v4 >> 24, v4 >> 16 & 255,
		 v4 >> 8 & 255, v4 & 255);
	return key;
}
