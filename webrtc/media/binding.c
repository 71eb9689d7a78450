/* webrtc/media/binding.c - STUN Binding requests.
 *
 * A media thread's. Called by worker.c; calls libre's STUN codec. RFC 8489 §5 (head), §14 (attributes; §14.5:
 * nothing but FINGERPRINT counts behind MESSAGE-INTEGRITY), RFC 8445 §7.3.1.1 (roles). */
#include "webrtc/media/binding.h"

#include "webrtc/media/packet.h"

enum { COOKIE = 0x2112a442, TYPE_REQUEST = 0x0001, IN_MAX = 1600 };

int binding_codec_init(struct binding_codec *c)
{
	c->in = mbuf_alloc(IN_MAX);
	c->out = mbuf_alloc(BINDING_ANSWER_MAX);
	return c->in && c->out ? 0 : ENOMEM;
}

void binding_codec_close(struct binding_codec *c)
{
	c->in = mem_deref(c->in);
	c->out = mem_deref(c->out);
}

/** What a sender who means well never does. */
static bool well_formed(const uint8_t *p, size_t n)
{
	bool username = false, integrity = false, fingerprint = false;
	size_t at = STUN_HEADER_SIZE;

	if (n < STUN_HEADER_SIZE || n > IN_MAX || be16(p) != TYPE_REQUEST ||
	    be32(p + 4) != COOKIE || be16(p + 2) % 4 ||
	    be16(p + 2) + (size_t)STUN_HEADER_SIZE != n)
		return false;
	while (at < n) {
		uint16_t type = be16(p + at);
		size_t len = be16(p + at + 2), room = n - at - STUN_ATTR_HEADER_SIZE;

		if (len > room || fingerprint ||
		    (integrity && type != STUN_ATTR_FINGERPRINT) ||
		    (username && type == STUN_ATTR_USERNAME))
			return false;
		username |= type == STUN_ATTR_USERNAME;
		integrity |= type == STUN_ATTR_MSG_INTEGRITY;
		fingerprint |= type == STUN_ATTR_FINGERPRINT;
		at += STUN_ATTR_HEADER_SIZE + ((len + 3) & ~(size_t)3);
	}
	return at == n;
}

int binding_read(struct binding *b, struct binding_codec *c, const uint8_t *p, size_t n)
{
	const struct stun_attr *a;
	int err;

	if (!well_formed(p, n))
		return EBADMSG;
	memset(b, 0, sizeof(*b));
	mbuf_rewind(c->in);
	err = mbuf_write_mem(c->in, p, n);
	if (err)
		return err;
	mbuf_set_pos(c->in, 0);
	err = stun_msg_decode(&b->msg, c->in, &b->unknown);
	if (err)
		return err == ENOMEM ? ENOMEM : EBADMSG;
	b->fingerprint = stun_msg_attr(b->msg, STUN_ATTR_FINGERPRINT) != NULL;
	if (b->fingerprint && stun_msg_chk_fingerprint(b->msg)) {
		b->msg = mem_deref(b->msg);
		return EBADMSG;
	}
	a = stun_msg_attr(b->msg, STUN_ATTR_USERNAME);
	b->username = a ? a->v.username : NULL;
	b->use_candidate = stun_msg_attr(b->msg, STUN_ATTR_USE_CAND) != NULL;
	b->controlled = stun_msg_attr(b->msg, STUN_ATTR_CONTROLLED) != NULL;
	return 0;
}

bool binding_proved(const struct binding *b, const char *pwd)
{
	return stun_msg_attr(b->msg, STUN_ATTR_MSG_INTEGRITY) &&
	       !stun_msg_chk_mi(b->msg, (const uint8_t *)pwd, strlen(pwd));
}

static size_t taken(uint8_t *out, const struct binding_codec *c, int err)
{
	if (err || c->out->end > BINDING_ANSWER_MAX)
		return 0;
	memcpy(out, c->out->buf, c->out->end);
	return c->out->end;
}

size_t binding_answer(uint8_t *out, struct binding_codec *c, const struct binding *b,
		      const char *pwd, const struct sa *mapped)
{
	int err;

	mbuf_rewind(c->out);
	err = stun_msg_encode(c->out, STUN_METHOD_BINDING, STUN_CLASS_SUCCESS_RESP,
			      stun_msg_tid(b->msg), NULL, (const uint8_t *)pwd,
			      pwd ? strlen(pwd) : 0, b->fingerprint, 0, 1,
			      STUN_ATTR_XOR_MAPPED_ADDR, mapped);
	return taken(out, c, err);
}

size_t binding_refuse(uint8_t *out, struct binding_codec *c, const struct binding *b,
		      const char *pwd, uint16_t code)
{
	struct stun_errcode ec = {
		.code = code,
		.reason = code == 487 ? (char[]){"Role Conflict"}
				      : (char[]){"Unknown Attribute"},
	};
	bool names = code == 420;
	int err;

	mbuf_rewind(c->out);
	err = stun_msg_encode(c->out, STUN_METHOD_BINDING, STUN_CLASS_ERROR_RESP,
			      stun_msg_tid(b->msg), &ec, (const uint8_t *)pwd,
			      pwd ? strlen(pwd) : 0, b->fingerprint, 0, 1,
			      STUN_ATTR_UNKNOWN_ATTR, names ? &b->unknown : NULL);
	return taken(out, c, err);
}
