/* sip/edge/mark.c - see mark.h. HMAC-SHA-256, cut to 128 bits. RFC 3261 §8.1.1.7, §16.6
 * step 8, §16.11. */
#include "sip/edge/mark.h"

#include <inttypes.h>

#include "lib/secret.h"

#define MARK_COOKIE "z9hG4bK"
enum { MARK_HEX = 32 };

struct mark {
	struct secret_mac *mac;
	struct mbuf *room; /* what is being hashed */
};

static void mark_destroy(void *p)
{
	struct mark *mk = p;

	mem_deref(mk->mac);
	mem_deref(mk->room);
}

int mark_alloc(struct mark **mp)
{
	struct mark *mk = mem_zalloc(sizeof(*mk), mark_destroy);
	uint8_t key[32];
	int err;

	if (!mk)
		return ENOMEM;
	secret_random(key, sizeof(key));
	err = secret_mac_alloc(&mk->mac, key, sizeof(key));
	secret_wipe(key, sizeof(key));
	mk->room = mbuf_alloc(512);
	if (!err && !mk->room)
		err = ENOMEM;
	if (err)
		mem_deref(mk);
	else
		*mp = mk;
	return err;
}

/* Hashes texts with their lengths, so that no two lists of texts look alike, and numbers.
 * */
static int mark_hash(char hex[MARK_HEX + 1], struct mark *mk, const char *what,
		     const struct pl *const *textv, size_t n, uint32_t a, uint32_t b,
		     uint32_t c)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[SECRET_SHA256_BYTES];
	int err;

	mbuf_rewind(mk->room);
	err = mbuf_write_str(mk->room, what);
	err |= mbuf_write_u32(mk->room, a) | mbuf_write_u32(mk->room, b) |
	       mbuf_write_u32(mk->room, c);
	for (size_t i = 0; i < n && !err; i++) {
		err = mbuf_write_u32(mk->room, (uint32_t)textv[i]->l);
		if (!err && textv[i]->l)
			err = mbuf_write_pl(mk->room, textv[i]);
	}
	if (!err)
		err = secret_mac(hash, mk->mac, mk->room->buf, mk->room->end);
	if (err)
		return ENOMEM;
	for (size_t i = 0; i < MARK_HEX / 2; i++) {
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	hex[MARK_HEX] = '\0';
	return 0;
}

int mark_inward(char branch[MARK_BRANCH], struct mark *mk, const struct via *peer,
		const struct pl *call_id, uint32_t cseq, uint32_t conn, uint32_t gen)
{
	const struct pl *textv[] = {&peer->branch, &peer->sent_by, call_id};

	memcpy(branch, MARK_COOKIE, sizeof(MARK_COOKIE)); /* the NUL is written over */
	return mark_hash(branch + 7, mk, "inward", textv, N_ELEMS(textv), cseq, conn,
			 gen);
}

int mark_outward(char branch[MARK_BRANCH], struct mark *mk, const struct pl *sofia,
		 const struct pl *label)
{
	const struct pl *textv[] = {sofia, label};

	memcpy(branch, MARK_COOKIE, sizeof(MARK_COOKIE)); /* the NUL is written over */
	return mark_hash(branch + 7, mk, "outward", textv, N_ELEMS(textv), 0, 0, 0);
}

static int mark_seal(char seal[MARK_HEX + 1], struct mark *mk, const struct pl *branch,
		     uint32_t conn, uint32_t gen)
{
	return mark_hash(seal, mk, "seal", &branch, 1, conn, gen, 0);
}

size_t mark_via_print(char buf[MARK_VIA_MAX], struct mark *mk, uint16_t port,
		      const char *branch, uint32_t conn, uint32_t gen)
{
	const struct pl b = {branch, strlen(branch)};
	char seal[MARK_HEX + 1] = "";

	/* Without memory there is no seal, and the answer will be dropped. */
	(void)mark_seal(seal, mk, &b, conn, gen);
	return (size_t)snprintf(buf, MARK_VIA_MAX,
				"Via: SIP/2.0/TCP 127.0.0.1:%u;branch=%s;c=%" PRIu32
				".%" PRIu32 ";m=%s\r\n",
				port, branch, conn, gen, seal);
}

static bool mark_number(const char **pp, const char *end, uint32_t *np)
{
	uint64_t v = 0;
	const char *p = *pp;

	while (p < end && *p >= '0' && *p <= '9' && v <= UINT32_MAX)
		v = v * 10 + (unsigned)(*p++ - '0');
	if (p == *pp || v > UINT32_MAX)
		return false;
	*np = (uint32_t)v;
	*pp = p;
	return true;
}

int mark_via_check(struct mark *mk, const struct via *v, uint16_t port, uint32_t *conn,
		   uint32_t *gen)
{
	char seal[MARK_HEX + 1];
	struct pl c, m;
	const char *p, *end;
	uint32_t id, g;

	if (pl_strcmp(&v->host, "127.0.0.1") || v->port != port ||
	    v->branch.l != MARK_BRANCH - 1 || !message_param(&v->params, "c", &c) ||
	    !message_param(&v->params, "m", &m) || m.l != MARK_HEX)
		return EACCES;
	p = c.p;
	end = c.p + c.l;
	if (!mark_number(&p, end, &id) || p == end || *p++ != '.' ||
	    !mark_number(&p, end, &g) || p != end)
		return EACCES;
	if (mark_seal(seal, mk, &v->branch, id, g) || !secret_equal(seal, m.p, MARK_HEX))
		return EACCES;
	*conn = id;
	*gen = g;
	return 0;
}
