/* gateway/leg.c - what travels between legs and call: bodies and invites.
 *
 * Signalling thread. Called by the legs of every room and by call.c; calls nothing of ours.
 * call_leg_event(), the leg's way to the call, is in call.c. */
#include "gateway/leg.h"

int body_alloc(struct body **bp, const void *p, size_t len)
{
	struct body *b;

	if (len > SIZE_MAX - sizeof(*b) - 1)
		return ENOMEM;
	b = mem_alloc(sizeof(*b) + len + 1, NULL);
	if (!b)
		return ENOMEM;
	b->len = len;
	b->webrtc_ok = b->trickle = false;
	if (len)
		memcpy(b->data, p, len);
	b->data[len] = '\0';
	*bp = b;
	return 0;
}

static void identity_destructor(void *arg)
{
	for (char **v = arg; *v; v++)
		mem_deref(*v);
}

static int identity_dup(char ***vp, char *const *from)
{
	char **v;
	size_t n = 0;

	while (from[n])
		n++;
	v = mem_zalloc((n + 1) * sizeof(*v), identity_destructor);
	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < n; i++) {
		v[i] = base_dup(from[i], strlen(from[i]));
		if (!v[i]) {
			mem_deref(v);
			return ENOMEM;
		}
	}
	*vp = v;
	return 0;
}

static void invite_destructor(void *arg)
{
	struct invite *inv = arg;

	mem_deref(inv->from.identityv);
	mem_deref(inv->offer);
	mem_deref(inv->replaces);
	mem_deref(inv->replaced);
	mem_deref(inv->rejoins);
}

const char *party_identity_name(enum party_identity identity)
{
	switch (identity) {
	case PARTY_UNSIGNED:
		return "none";
	case PARTY_SIGNED:
		return "verified";
	case PARTY_DOUBTED:
		return "failed";
	}
	return "?";
}

int invite_alloc(struct invite **invp, const struct party *from, const struct addr *to,
		 struct body *offer, unsigned max_forwards)
{
	struct invite *inv;

	inv = mem_zalloc(sizeof(*inv), invite_destructor);
	if (!inv)
		return ENOMEM;
	inv->from = *from;
	inv->from.identityv = NULL;
	inv->to = *to;
	inv->offer = mem_ref(offer);
	inv->max_forwards = max_forwards;
	if (from->identityv && identity_dup(&inv->from.identityv, from->identityv)) {
		mem_deref(inv);
		return ENOMEM;
	}
	*invp = inv;
	return 0;
}

const char *leg_media_name(enum leg_media media)
{
	switch (media) {
	case LEG_WEBRTC:
		return "webrtc";
	case LEG_RTP:
		return "rtp";
	case LEG_SDES:
		return "sdes";
	case LEG_DTLS:
		return "dtls";
	}
	return "?";
}

int invite_copy(struct invite **invp, const struct invite *from, struct body *offer)
{
	struct invite *inv;
	int err = invite_alloc(&inv, &from->from, &from->to, offer, from->max_forwards);

	if (err)
		return err;
	memcpy(inv->call_id, from->call_id, sizeof(inv->call_id));
	inv->replaces = mem_ref(from->replaces);
	inv->replaced = mem_ref(from->replaced);
	inv->rejoins = mem_ref(from->rejoins);
	*invp = inv;
	return 0;
}
