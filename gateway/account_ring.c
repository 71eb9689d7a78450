/* gateway/account_ring.c - whose calls ring at a user's, and from whom the user's address is hidden, as the user has
 * set it: asked for at every call, so what the store has said is remembered; whatever changes it comes by here. And
 * who is no stranger to whom: only that somebody is known is remembered, in an entry of its own for each two. Signalling thread; called by account.h's users and
 * by account_work.c. */
#include "gateway/account_own.h"

enum { BUCKETS = 1024, REMEMBERED = 16384 };

struct ring_known {
	struct le le, le_age; /* by user; asked for last at the end */
	struct account_rings *rings;
	struct addr user;
	struct addr other; /* of a pair; user empty: these are the user's rules */
	enum account_ring ring;
	enum relay_rule relay;
};

struct account_rings {
	struct hash *users;
	struct list by_age;
	uint32_t n;
};

static const char *const names[ACCOUNT_RING_N] = {
	[ACCOUNT_RING_ANYONE] = "anyone",
	[ACCOUNT_RING_VERIFIED_NAME] = "verified-name",
	[ACCOUNT_RING_VERIFIED_EMAIL] = "verified-email",
};

const char *account_ring_name(enum account_ring ring)
{
	return (unsigned)ring < ACCOUNT_RING_N ? names[ring] : "?";
}

int account_ring_parse(enum account_ring *ring, const char *name)
{
	for (unsigned i = 0; i < ACCOUNT_RING_N; i++)
		if (!strcmp(names[i], name)) {
			*ring = (enum account_ring)i;
			return 0;
		}
	return EINVAL;
}

/* ---- what is remembered ---- */

static void known_destroy(void *p)
{
	struct ring_known *k = p;

	hash_unlink(&k->le);
	list_unlink(&k->le_age);
	k->rings->n--;
}

static void rings_destroy(void *p)
{
	struct account_rings *r = p;

	list_flush(&r->by_age);
	mem_deref(r->users);
}

int account_rings_alloc(struct account_rings **rp)
{
	struct account_rings *r = mem_zalloc(sizeof(*r), rings_destroy);

	if (!r)
		return ENOMEM;
	if (hash_alloc(&r->users, BUCKETS)) {
		mem_deref(r);
		return ENOMEM;
	}
	*rp = r;
	return 0;
}

struct pair {
	const struct addr *user, *other;
};

static const struct addr nobody;

static bool known_is(struct le *le, void *arg)
{
	const struct ring_known *k = le->data;
	const struct pair *p = arg;

	return addr_equal(&k->user, p->user) && addr_equal(&k->other, p->other);
}

static struct ring_known *find(const struct account_rings *r, const struct addr *user,
			       const struct addr *other)
{
	struct pair p = {user, other};

	return list_ledata(hash_lookup(r->users, hash_joaat_str(AT(user)), known_is, &p));
}

/** There already, or made. NULL: no memory; it is asked for again. */
static struct ring_known *get(struct account_rings *r, const struct addr *user,
			      const struct addr *other)
{
	struct ring_known *k = find(r, user, other);

	if (k)
		return k;
	if (r->n >= REMEMBERED)
		mem_deref(list_ledata(r->by_age.head));
	k = mem_zalloc(sizeof(*k), known_destroy);
	if (!k)
		return NULL;
	k->rings = r;
	k->user = *user;
	k->other = *other;
	hash_append(r->users, hash_joaat_str(AT(user)), &k->le, k);
	list_append(&r->by_age, &k->le_age, k);
	r->n++;
	return k;
}

void account_rings_note(struct account_rings *r, const struct addr *user,
			enum account_ring ring, enum relay_rule relay)
{
	struct ring_known *k = get(r, user, &nobody);

	if (!k)
		return;
	k->ring = ring;
	k->relay = relay;
}

bool account_rings_meet(struct account_rings *r, const struct addr *user,
			const struct addr *other)
{
	return !find(r, user, other) && get(r, user, other);
}

/* With all whom the user knows: the next one of that name knows nobody. */
void account_rings_drop(struct account_rings *r, const struct addr *user)
{
	struct le *le = hash_list(r->users, hash_joaat_str(AT(user)))->head;

	while (le) {
		struct ring_known *k = le->data;

		le = le->next;
		if (addr_equal(&k->user, user))
			mem_deref(k);
	}
}

/* ---- questions ---- */

static struct ring_known *asked_for(struct account_service *as, const struct addr *user,
				    const struct addr *other)
{
	struct ring_known *k = find(as->rings, user, other);

	if (k) {
		list_unlink(&k->le_age);
		list_append(&as->rings->by_age, &k->le_age, k);
	}
	return k;
}

bool account_ring_known(struct account_service *as, const struct addr *user,
			enum account_ring *ring, enum relay_rule *relay)
{
	const struct ring_known *k = asked_for(as, user, &nobody);

	if (!k)
		return false;
	*ring = k->ring;
	*relay = k->relay;
	return true;
}

bool account_knows(struct account_service *as, const struct addr *user,
		   const struct addr *other)
{
	return asked_for(as, user, other) != NULL;
}

void account_know(struct account_service *as, const struct addr *user,
		  const struct addr *other)
{
	struct office_job job = {.kind = OFFICE_KNOW};

	if (!account_rings_meet(as->rings, user, other))
		return;
	memcpy(job.site, user->host, sizeof(job.site));
	memcpy(job.user, user->user, sizeof(job.user));
	addr_text(job.other, other);
	(void)office_post(as->core->office, &job, NULL, NULL, NULL);
}

int account_ring(struct account_request **rp, struct account_service *as,
		 const struct addr *user, const struct addr *other, account_h *h,
		 void *arg)
{
	struct account_work *w;
	int err = account_work_alloc(&w, rp, as, OFFICE_RING, user->host, user->user, h,
				     arg);

	if (err)
		return err;
	if (other)
		addr_text(w->other, other);
	return account_work_post(w, NULL, NULL);
}

int account_ring_set(struct account_request **rp, struct account_service *as,
		     const struct addr *user, const char *ring, const char *relay,
		     account_h *h, void *arg)
{
	struct account_work *w;
	int err = account_work_alloc(&w, rp, as, OFFICE_RING_SET, user->host, user->user,
				     h, arg);

	if (err)
		return err;
	w->ring_stays = !ring;
	w->relay_stays = !relay;
	if ((!ring && !relay) || (ring && account_ring_parse(&w->answer.ring, ring)) ||
	    (relay && relay_rule_parse(&w->answer.relay, relay)))
		return account_work_answer_soon(w, EINVAL);
	return account_work_post(w, NULL, NULL);
}
