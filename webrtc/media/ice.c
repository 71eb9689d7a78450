/* webrtc/media/ice.c - ICE-lite: who has proved to be a session's peer, and where its packets go.
 *
 * A media thread's. Called by worker.c for every check, by side.c; calls binding.c. Nothing is remembered
 * of who knows no password of ours. RFC 8445 §6.1.1 (lite is controlled), §7.3 (checks), §8.1.1 (nomination),
 * §9 (restart); RFC 7675 (consent: a lite agent hears the other's checks). */
#include "webrtc/media/session_own.h"

#include "lib/log.h"
#include "lib/secret.h"

/* A source that serves another session may not be claimed while it does. */
enum { OTHERS_MS = 15000 };

static struct side_creds *creds_of(const struct session_home *home, const char *ufrag)
{
	struct le *le;

	LIST_FOREACH(hash_list(home->ufrags, hash_joaat_str(ufrag)), le)
	{
		struct side_creds *c = le->data;

		if (!strcmp(c->own.ufrag, ufrag))
			return c;
	}
	return NULL;
}

static void creds_drop(struct side_creds *c)
{
	hash_unlink(&c->le);
	secret_wipe(&c->own, sizeof(c->own));
}

static void creds_join(struct side_creds *c, struct side *sd)
{
	c->side = sd;
	hash_append(sd->session->home->ufrags, hash_joaat_str(c->own.ufrag), &c->le, c);
}

/** The pair in use serves on until the new generation has its own. */
static void creds_keep(struct side *sd)
{
	creds_drop(&sd->before);
	hash_unlink(&sd->creds.le);
	sd->before = sd->creds;
	memset(&sd->before.le, 0, sizeof(sd->before.le));
	creds_join(&sd->before, sd);
}

int ice_creds_set(struct side *sd, const struct media_creds *own, const char *peer_ufrag)
{
	struct side_creds *c = &sd->creds;

	if (own && creds_of(sd->session->home, own->ufrag))
		return EEXIST;
	if (own) {
		if (c->le.list)
			creds_keep(sd);
		c->own = *own;
		creds_join(c, sd);
	}
	snprintf(c->peer_ufrag, sizeof(c->peer_ufrag), "%s", peer_ufrag);
	return 0;
}

void ice_close(struct side *sd)
{
	for (size_t i = 0; i < SIDE_TUPLES; i++)
		hash_unlink(&sd->tuplev[i].le);
	creds_drop(&sd->creds);
	creds_drop(&sd->before);
}

struct side_tuple *ice_tuple_find(const struct session_home *home, const struct sa *peer)
{
	struct le *le;

	LIST_FOREACH(hash_list(home->tuples, sa_hash(peer, SA_ALL)), le)
	{
		struct side_tuple *t = le->data;

		if (sa_cmp(&t->path.peer, peer, SA_ALL))
			return t;
	}
	return NULL;
}

static struct side_tuple *own_find(const struct side *sd, const struct port_path *path)
{
	struct le *le;

	LIST_FOREACH(&sd->proved, le)
	{
		struct side_tuple *t = le->data;

		if (t->path.own == path->own &&
		    sa_cmp(&t->path.peer, &path->peer, SA_ALL))
			return t;
	}
	return NULL;
}

struct side *ice_side_of(const struct session_home *home, const struct port_path *path)
{
	struct side_tuple *t;
	struct side *sd;

	if (!path->own) {
		t = ice_tuple_find(home, &path->peer);
		return t ? t->side : NULL;
	}
	sd = path->own->owner;
	return own_find(sd, path) ? sd : NULL;
}

struct side_creds *ice_creds_find(const struct session_home *home, const char *username,
				  const struct port_path *path)
{
	const char *colon = strchr(username, ':');
	char ufrag[MEDIA_UFRAG + 1];
	struct side_creds *c;

	if (!colon || colon - username != MEDIA_UFRAG)
		return NULL;
	memcpy(ufrag, username, MEDIA_UFRAG);
	ufrag[MEDIA_UFRAG] = '\0';
	c = creds_of(home, ufrag);
	if (!c || !*c->peer_ufrag || strcmp(c->peer_ufrag, colon + 1) != 0)
		return NULL;
	/* each side is spoken to where it lives: on the shared port, or on its own */
	return path->own ? (path->own->owner == c->side ? c : NULL)
			 : (c->side->n_own ? NULL : c);
}

/** The one that was heard least lately, but not the pair in use. */
static struct side_tuple *tuple_free(struct side *sd)
{
	struct side_tuple *oldest = NULL;

	for (size_t i = 0; i < SIDE_TUPLES; i++) {
		struct side_tuple *t = &sd->tuplev[i];

		if (!t->le.list)
			return t;
		if (t != sd->pair && (!oldest || t->heard_ms < oldest->heard_ms))
			oldest = t;
	}
	hash_unlink(&oldest->le);
	return oldest;
}

/** Takes the address away from whoever it belongs to. False: it serves another session. */
static bool claim(struct side *sd, struct side_tuple *t, uint64_t now_ms)
{
	if (t->side == sd)
		return true;
	if (t->side->state != MS_OVER && now_ms - t->heard_ms < OTHERS_MS)
		return false;
	if (t->side->pair == t)
		t->side->pair = NULL;
	hash_unlink(&t->le);
	return true;
}

struct side_tuple *ice_tuple_of(struct side *sd, const struct port_path *path,
				uint64_t now_ms)
{
	struct side_tuple *t = path->own ? own_find(sd, path)
					 : ice_tuple_find(sd->session->home, &path->peer);

	if (t && !claim(sd, t, now_ms))
		return NULL;
	if (!t || t->side != sd) {
		t = tuple_free(sd);
		t->side = sd;
		t->path = *path;
		if (path->own)
			list_append(&sd->proved, &t->le, t);
		else
			hash_append(sd->session->home->tuples,
				    sa_hash(&path->peer, SA_ALL), &t->le, t);
		log_debug(sd->session->call, "ice.proved", "side=%u peer=%s", sd->index,
			  sa_af(&path->peer) == AF_INET6 ? "ip6" : "ip4");
	}
	t->heard_ms = now_ms;
	return t;
}

void ice_nominate(struct side *sd, struct side_tuple *t, const struct side_creds *c)
{
	if (sd->pair != t || !sd->nominated)
		log_debug(sd->session->call, "ice.pair", "side=%u changed=%d", sd->index,
			  sd->nominated);
	sd->nominated = true;
	side_paired(sd, t);
	if (c == &sd->creds)
		creds_drop(&sd->before);
}

size_t ice_check(uint8_t *out, struct session_home *home, const struct binding *b,
		 const struct port_path *path)
{
	struct side_creds *c = ice_creds_find(home, b->username, path);
	struct side_tuple *t;
	struct side *sd;

	if (!c || c->side->state == MS_OVER || !binding_proved(b, c->own.pwd))
		return 0;
	sd = c->side;
	if (b->unknown.typec)
		return binding_refuse(out, &home->codec, b, c->own.pwd, 420);
	if (b->controlled) /* a lite agent never controls (RFC 8445 §6.1.1) */
		return binding_refuse(out, &home->codec, b, c->own.pwd, 487);
	t = ice_tuple_of(sd, path, session_now_ms(sd->session));
	if (!t)
		return 0;
	home->counters.n_checks++;
	sd->heard_ms = t->heard_ms;
	if (b->use_candidate || !sd->pair) {
		t->path = *path; /* the address of ours that it chose */
		if (b->use_candidate)
			ice_nominate(sd, t, c);
		else
			side_paired(sd, t);
	}
	side_event(sd, MS_CHECKED);
	return binding_answer(out, &home->codec, b, c->own.pwd, &path->peer);
}
