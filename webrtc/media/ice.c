/* webrtc/media/ice.c - ICE-lite: who has proved to be a session's peer, and where its packets go.
 *
 * A media thread's. Called by worker.c for every check, by session.c; calls binding.c. Nothing is remembered
 * of who knows no password of ours. RFC 8445 §6.1.1 (lite is controlled), §7.3 (checks), §8.1.1 (nomination),
 * §9 (restart); RFC 7675 (consent: a lite agent hears the other's checks). */
#include "webrtc/media/session_own.h"

#include "lib/log.h"
#include "lib/secret.h"

/* A source that serves another session may not be claimed while it does. */
enum { OTHERS_MS = 15000 };

int ice_creds_set(struct session *s, const char *ufrag, const char *pwd,
		  const char *peer_ufrag)
{
	struct session_creds *c = &s->creds;
	struct le *le;

	LIST_FOREACH(hash_list(s->home->ufrags, hash_joaat_str(ufrag)), le)
	{
		const struct session_creds *other = le->data;

		if (!strcmp(other->ufrag, ufrag))
			return EEXIST;
	}
	if (c->le.list) { /* the pair in use serves on until the new generation has its own */
		hash_unlink(&s->before.le);
		secret_wipe(s->before.pwd, sizeof(s->before.pwd));
		hash_unlink(&c->le);
		s->before = *c;
		memset(&s->before.le, 0, sizeof(s->before.le));
		hash_append(s->home->ufrags, hash_joaat_str(s->before.ufrag),
			    &s->before.le, &s->before);
	}
	c->session = s;
	snprintf(c->ufrag, sizeof(c->ufrag), "%s", ufrag);
	snprintf(c->pwd, sizeof(c->pwd), "%s", pwd);
	snprintf(c->peer_ufrag, sizeof(c->peer_ufrag), "%s", peer_ufrag);
	hash_append(s->home->ufrags, hash_joaat_str(c->ufrag), &c->le, c);
	return 0;
}

void ice_close(struct session *s)
{
	for (size_t i = 0; i < SESSION_TUPLES; i++)
		hash_unlink(&s->tuplev[i].le);
	hash_unlink(&s->creds.le);
	hash_unlink(&s->before.le);
	secret_wipe(s->creds.pwd, sizeof(s->creds.pwd));
	secret_wipe(s->before.pwd, sizeof(s->before.pwd));
}

struct session_tuple *ice_tuple_find(const struct session_home *home,
				     const struct sa *peer)
{
	struct le *le;

	LIST_FOREACH(hash_list(home->tuples, sa_hash(peer, SA_ALL)), le)
	{
		struct session_tuple *t = le->data;

		if (sa_cmp(&t->path.peer, peer, SA_ALL))
			return t;
	}
	return NULL;
}

/** "ours:theirs" -> the generation that it belongs to. */
static struct session_creds *creds_find(const struct session_home *home,
					const char *username)
{
	const char *colon = strchr(username, ':');
	char ufrag[MEDIA_UFRAG + 1];
	struct le *le;

	if (!colon || colon - username != MEDIA_UFRAG)
		return NULL;
	memcpy(ufrag, username, MEDIA_UFRAG);
	ufrag[MEDIA_UFRAG] = '\0';
	LIST_FOREACH(hash_list(home->ufrags, hash_joaat_str(ufrag)), le)
	{
		struct session_creds *c = le->data;

		if (!strcmp(c->ufrag, ufrag))
			return strcmp(c->peer_ufrag, colon + 1) ? NULL : c;
	}
	return NULL;
}

/** The one that was heard least lately, but not the pair in use. */
static struct session_tuple *tuple_free(struct session *s)
{
	struct session_tuple *oldest = NULL;

	for (size_t i = 0; i < SESSION_TUPLES; i++) {
		struct session_tuple *t = &s->tuplev[i];

		if (!t->le.list)
			return t;
		if (t != s->pair && (!oldest || t->heard_ms < oldest->heard_ms))
			oldest = t;
	}
	hash_unlink(&oldest->le);
	return oldest;
}

/** NULL: that address serves another session. */
static struct session_tuple *tuple_of(struct session *s, const struct port_path *path,
				      uint64_t now_ms)
{
	struct session_tuple *t = ice_tuple_find(s->home, &path->peer);

	if (t && t->session != s) {
		if (t->session->state != MS_OVER && now_ms - t->heard_ms < OTHERS_MS)
			return NULL;
		if (t->session->pair == t)
			t->session->pair = NULL;
		hash_unlink(&t->le);
		t = NULL;
	}
	if (!t) {
		t = tuple_free(s);
		t->session = s;
		t->path = *path;
		hash_append(s->home->tuples, sa_hash(&path->peer, SA_ALL), &t->le, t);
		log_debug(s->call, "ice.proved", "peer=%s",
			  sa_af(&path->peer) == AF_INET6 ? "ip6" : "ip4");
	}
	t->heard_ms = now_ms;
	return t;
}

static void nominate(struct session *s, struct session_tuple *t,
		     const struct session_creds *c)
{
	if (s->pair != t || !s->nominated)
		log_debug(s->call, "ice.pair", "changed=%d", s->nominated);
	s->pair = t;
	s->nominated = true;
	if (c == &s->creds && s->before.le.list) {
		hash_unlink(&s->before.le);
		secret_wipe(s->before.pwd, sizeof(s->before.pwd));
	}
}

size_t ice_check(uint8_t *out, struct session_home *home, const struct binding *b,
		 const struct port_path *path)
{
	struct session_creds *c = creds_find(home, b->username);
	struct session_tuple *t;
	struct session *s;

	if (!c || c->session->state == MS_OVER || !binding_proved(b, c->pwd))
		return 0;
	s = c->session;
	if (b->unknown.typec)
		return binding_refuse(out, &home->codec, b, c->pwd, 420);
	if (b->controlled) /* a lite agent never controls (RFC 8445 §6.1.1) */
		return binding_refuse(out, &home->codec, b, c->pwd, 487);
	t = tuple_of(s, path, session_now_ms(s));
	if (!t)
		return 0;
	home->counters.n_checks++;
	s->heard_ms = t->heard_ms;
	if (b->use_candidate || !s->pair) {
		t->path = *path; /* the address of ours that it chose */
		if (b->use_candidate)
			nominate(s, t, c);
		else
			s->pair = t;
	}
	session_event(s, MS_CHECKED);
	return binding_answer(out, &home->codec, b, c->pwd, &path->peer);
}
