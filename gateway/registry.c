/* gateway/registry.c - two hash tables over the devices that are signed in and connected.
 *
 * Signalling thread. Called by webrtc/session/ (add, remove), route.c and call.c (who rings),
 * account.c and slussctl (end, list); calls the devices' ops. It owns no device. */
#include "gateway/registry.h"

/* For the 10,000 devices of one node: chains stay short. */
enum { BUCKETS = 4096 };

struct registry {
	struct hash *by_id, *by_account;
	uint32_t devices_per_user;
	size_t n;
};

static void destructor(void *arg)
{
	struct registry *r = arg;

	/* the devices are their sessions'; they only leave the tables */
	for (uint32_t i = 0; r->by_id && i < hash_bsize(r->by_id); i++) {
		struct list *bucket = hash_list(r->by_id, i);

		while (bucket->head)
			registry_remove(r, bucket->head->data);
	}
	mem_deref(r->by_id);
	mem_deref(r->by_account);
}

int registry_alloc(struct registry **rp, uint32_t devices_per_user)
{
	struct registry *r;
	int err;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;
	r->devices_per_user = devices_per_user;
	err = hash_alloc(&r->by_id, BUCKETS);
	err = err ? err : hash_alloc(&r->by_account, BUCKETS);
	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}

static uint32_t account_key(const struct addr *user)
{
	return hash_joaat_str(AT(user));
}

static size_t n_devices(const struct registry *r, const struct addr *user)
{
	struct le *le;
	size_t n = 0;

	LIST_FOREACH(hash_list(r->by_account, account_key(user)), le)
	{
		const struct device *d = le->data;

		n += addr_equal(&d->user, user);
	}
	return n;
}

/* Of the user's devices that have lost their connection the oldest; first of those of the same sign-in, so that
 * whoever leaves many behind loses their own. */
static struct device *oldest_away(const struct registry *r, const struct device *for_d)
{
	struct device *oldest = NULL;
	struct le *le;

	LIST_FOREACH(hash_list(r->by_account, account_key(&for_d->user)), le)
	{
		struct device *d = le->data;

		if (!d->away || !addr_equal(&d->user, &for_d->user))
			continue;
		if (!strcmp(d->session, for_d->session))
			return d;
		if (!oldest)
			oldest = d;
	}
	return oldest;
}

int registry_add(struct registry *r, struct device *d)
{
	if (d->registered)
		return EALREADY;
	if (n_devices(r, &d->user) >= r->devices_per_user) {
		struct device *away = oldest_away(r, d);

		if (!away)
			return ENOSPC;
		away->ops->bye(&away->ep, DEVICE_TOO_MANY);
		registry_remove(r, away);
	}
	hash_append(r->by_id, hash_joaat_str(d->id), &d->le_hash, d);
	hash_append(r->by_account, account_key(&d->user), &d->le_account, d);
	d->registered = true;
	r->n++;
	return 0;
}

void registry_remove(struct registry *r, struct device *d)
{
	if (!d || !d->registered)
		return;
	hash_unlink(&d->le_hash);
	hash_unlink(&d->le_account);
	d->registered = false;
	r->n--;
}

static bool id_is(struct le *le, void *arg)
{
	const struct device *d = le->data;

	return !strcmp(d->id, arg);
}

struct device *registry_device(const struct registry *r, const char *id)
{
	return list_ledata(hash_lookup(r->by_id, hash_joaat_str(id), id_is, (void *)id));
}

size_t registry_each(const struct registry *r, const struct addr *user,
		     bool (*h)(struct device *d, void *arg), void *arg)
{
	uint32_t from = user ? account_key(user) : 0;
	uint32_t to = user ? from : hash_bsize(r->by_account) - 1;
	size_t n = 0;

	for (uint64_t i = from; i <= to; i++) {
		struct le *le = hash_list(r->by_account, (uint32_t)i)->head;

		while (le) {
			struct device *d = le->data;

			le = le->next; /* h may take d out */
			if (user && !addr_equal(&d->user, user))
				continue;
			n++;
			if (h(d, arg))
				return n;
		}
	}
	return n;
}

struct ending {
	struct registry *r;
	const char *session, *but;
	enum device_bye why;
};

static bool end_one(struct device *d, void *arg)
{
	const struct ending *e = arg;

	if (e->session && strcmp(d->session, e->session) != 0)
		return false;
	if (e->but && !strcmp(d->session, e->but))
		return false;
	d->ops->bye(&d->ep, e->why);
	return false;
}

void registry_end(struct registry *r, const struct addr *user, const char *session,
		  const char *but, enum device_bye why)
{
	struct ending e = {r, session, but, why};

	registry_each(r, user, end_one, &e);
}

size_t registry_count(const struct registry *r)
{
	return r->n;
}
