/* idp/copies.c - see copies.h. Called by judge.c. A request sent again after a refusal, or one that comes by two ways,
 * has the Call-ID that it had. */
#include "idp/copies.h"

#include "lib/secret.h"

enum { BUCKETS = 4096, US = 1000000 };

struct seen {
	struct le le, le_hash;
	uint8_t r[COPIES_R_BYTES];
	uint8_t call[SECRET_SHA256_BYTES]; /* keyed hash of the Call-ID */
	uint64_t until_us;
};

struct copies {
	struct secret_mac *mac; /* nobody outside can choose the buckets */
	struct hash *table;
	struct list list; /* oldest first */
	uint32_t n, max, keep_s;
};

static void seen_destructor(void *arg)
{
	struct seen *s = arg;

	list_unlink(&s->le);
	hash_unlink(&s->le_hash);
}

static void copies_destructor(void *arg)
{
	struct copies *r = arg;

	list_flush(&r->list);
	mem_deref(r->table);
	mem_deref(r->mac);
}

int copies_alloc(struct copies **rp, uint32_t max, uint32_t keep_s)
{
	struct copies *r = mem_zalloc(sizeof(*r), copies_destructor);
	uint8_t key[SECRET_SHA256_BYTES];
	int err;

	if (!r)
		return ENOMEM;
	secret_random(key, sizeof(key));
	err = secret_mac_alloc(&r->mac, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	if (!err)
		err = hash_alloc(&r->table, BUCKETS);
	r->max = max;
	r->keep_s = keep_s;
	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}

static bool seen_is(struct le *le, void *arg)
{
	return !memcmp(((const struct seen *)le->data)->r, arg, COPIES_R_BYTES);
}

static void forget(struct copies *r, struct seen *s)
{
	r->n--;
	mem_deref(s);
}

int copies_see(struct copies *r, const uint8_t sig_r[COPIES_R_BYTES], const char *call_id,
	       uint64_t now_us)
{
	uint8_t mac[SECRET_SHA256_BYTES], call[SECRET_SHA256_BYTES];
	uint32_t key;
	struct seen *s;

	while ((s = list_ledata(r->list.head)) &&
	       (s->until_us <= now_us || r->n >= r->max))
		forget(r, s);
	if (secret_mac(mac, r->mac, sig_r, COPIES_R_BYTES) ||
	    secret_mac(call, r->mac, call_id, strlen(call_id)))
		return ENOMEM;
	memcpy(&key, mac, sizeof(key));
	s = list_ledata(hash_lookup(r->table, key, seen_is, (void *)(uintptr_t)sig_r));
	if (s)
		return memcmp(s->call, call, sizeof(call)) != 0 ? EALREADY : 0;
	s = mem_zalloc(sizeof(*s), seen_destructor);
	if (!s)
		return ENOMEM;
	memcpy(s->r, sig_r, sizeof(s->r));
	memcpy(s->call, call, sizeof(call));
	s->until_us = now_us + (uint64_t)r->keep_s * US;
	list_append(&r->list, &s->le, s);
	hash_append(r->table, key, &s->le_hash, s);
	r->n++;
	return 0;
}
