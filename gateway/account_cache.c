/* gateway/account_cache.c - a short memory for tokens. Signalling thread; called by account.c, which drops what
 * ends before it tells anybody. */
#include "gateway/account_cache.h"

#include "lib/secret.h"

enum { BUCKETS = 4096 };

struct known {
	struct le le, le_age; /* in the hash; oldest first */
	struct account_cache *cache;
	uint8_t sha[SECRET_SHA256_BYTES];
	uint64_t until_us;
	struct addr user;
	char session[STORE_SESSION_HEX + 1];
	char origin[STORE_ORIGIN_MAX + 1];
};

struct account_cache {
	const struct timers *timers;
	struct hash *tokens;
	struct list by_age;
	uint32_t n;
};

static void known_destroy(void *p)
{
	struct known *k = p;

	hash_unlink(&k->le);
	list_unlink(&k->le_age);
	k->cache->n--;
}

static void cache_destroy(void *p)
{
	struct account_cache *c = p;

	hash_flush(c->tokens);
	mem_deref(c->tokens);
}

int account_cache_alloc(struct account_cache **cp, const struct timers *timers)
{
	struct account_cache *c = mem_zalloc(sizeof(*c), cache_destroy);
	int err;

	if (!c)
		return ENOMEM;
	c->timers = timers;
	err = hash_alloc(&c->tokens, BUCKETS);
	if (err)
		mem_deref(c);
	else
		*cp = c;
	return err;
}

/* The digest's own bits: nobody chooses those. */
static uint32_t sha_key(const uint8_t sha[SECRET_SHA256_BYTES])
{
	uint32_t key;

	memcpy(&key, sha, sizeof(key));
	return key;
}

static bool known_is(struct le *le, void *arg)
{
	const struct known *k = le->data;

	return secret_equal(k->sha, arg, sizeof(k->sha));
}

/* Those whose time is over stand at the front. */
static void cache_sweep(struct account_cache *c)
{
	uint64_t now_us = timers_now_us(c->timers);
	struct known *k;

	while ((k = list_ledata(c->by_age.head)) &&
	       (k->until_us <= now_us || c->n >= ACCOUNT_CACHE_MAX))
		mem_deref(k);
}

void account_cache_add(struct account_cache *c, const char *token,
		       const struct addr *user, const char *session, const char *origin)
{
	uint8_t sha[SECRET_SHA256_BYTES];
	struct known *k;

	cache_sweep(c);
	if (secret_sha256(sha, token, strlen(token)))
		return;
	mem_deref(list_ledata(hash_lookup(c->tokens, sha_key(sha), known_is, sha)));
	k = mem_zalloc(sizeof(*k), known_destroy);
	if (!k)
		return;
	k->cache = c;
	c->n++;
	memcpy(k->sha, sha, sizeof(sha));
	k->user = *user;
	snprintf(k->session, sizeof(k->session), "%s", session);
	snprintf(k->origin, sizeof(k->origin), "%s", origin);
	k->until_us = timers_now_us(c->timers) + ACCOUNT_CACHE_S * 1000000ull;
	hash_append(c->tokens, sha_key(sha), &k->le, k);
	list_append(&c->by_age, &k->le_age, k);
}

int account_cache_find(struct account_cache *c, const char *site, const char *token,
		       struct addr *user, char session[STORE_SESSION_HEX + 1],
		       char origin[STORE_ORIGIN_MAX + 1])
{
	uint8_t sha[SECRET_SHA256_BYTES];
	const struct known *k;

	cache_sweep(c);
	if (secret_sha256(sha, token, strlen(token)))
		return ENOENT;
	k = list_ledata(hash_lookup(c->tokens, sha_key(sha), known_is, sha));
	if (!k || strcmp(k->user.host, site) != 0)
		return ENOENT;
	*user = k->user;
	memcpy(session, k->session, sizeof(k->session));
	memcpy(origin, k->origin, sizeof(k->origin));
	return 0;
}

void account_cache_drop(struct account_cache *c, const struct addr *user,
			const char *session)
{
	struct le *le = c->by_age.head;

	while (le) {
		struct known *k = le->data;

		le = le->next;
		if (addr_equal(&k->user, user) &&
		    (!session || !strcmp(k->session, session)))
			mem_deref(k);
	}
}
