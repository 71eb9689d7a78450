/* webrtc/media/binding.c - STUN Binding requests.
 *
 * A media thread's. Called by worker.c; calls libre's STUN codec. RFC 8489 §5 (head), §14 (attributes; §14.5:
 * nothing but FINGERPRINT counts behind MESSAGE-INTEGRITY), RFC 8445 §7.3.1.1 (roles). */
#include "webrtc/media/binding.h"

#include "webrtc/media/packet.h"

enum {
	COOKIE = 0x2112a442,
	TYPE_REQUEST = 0x0001,
	TYPE_SUCCESS = 0x0101,
	TYPE_ERROR = 0x0111,
	IN_MAX = 1600
};

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

	if (n < STUN_HEADER_SIZE || n > IN_MAX || be32(p + 4) != COOKIE ||
	    be16(p + 2) % 4 || be16(p + 2) + (size_t)STUN_HEADER_SIZE != n)
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

bool binding_is_request(const uint8_t *p, size_t n)
{
	return n >= STUN_HEADER_SIZE && be16(p) == TYPE_REQUEST;
}

static void roles_read(struct binding *b)
{
	const struct stun_attr *a = stun_msg_attr(b->msg, STUN_ATTR_PRIORITY);

	b->priority = a ? a->v.priority : 0;
	a = stun_msg_attr(b->msg, STUN_ATTR_CONTROLLED);
	b->controlled = a != NULL;
	if (a)
		b->tie_breaker = a->v.controlled;
	a = stun_msg_attr(b->msg, STUN_ATTR_CONTROLLING);
	b->controlling = a != NULL;
	if (a)
		b->tie_breaker = a->v.controlling;
}

int binding_read(struct binding *b, struct binding_codec *c, const uint8_t *p, size_t n)
{
	const struct stun_attr *a;
	int err;

	if (!binding_is_request(p, n) || !well_formed(p, n))
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
	roles_read(b);
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

size_t binding_request(uint8_t *out, size_t size, struct binding_codec *c,
		       const struct binding_request *r)
{
	uint64_t tie = r->tie_breaker;
	int err;

	mbuf_rewind(c->out);
	err = stun_msg_encode(
		c->out, STUN_METHOD_BINDING, STUN_CLASS_REQUEST, r->tid, NULL,
		(const uint8_t *)r->pwd, strlen(r->pwd), true, 0, 4, STUN_ATTR_USERNAME,
		r->username, STUN_ATTR_PRIORITY, &r->priority,
		r->controlling ? STUN_ATTR_CONTROLLING : STUN_ATTR_CONTROLLED, &tie,
		STUN_ATTR_USE_CAND, r->use_candidate ? &tie : NULL);
	if (err || c->out->end > size)
		return 0;
	memcpy(out, c->out->buf, c->out->end);
	return c->out->end;
}

int binding_reply_read(struct binding_reply *reply, struct binding_codec *c,
		       const uint8_t *p, size_t n)
{
	struct stun_unknown_attr unknown;
	const struct stun_attr *a;
	int err;

	if (n < STUN_HEADER_SIZE || (be16(p) != TYPE_SUCCESS && be16(p) != TYPE_ERROR) ||
	    !well_formed(p, n))
		return EBADMSG;
	memset(reply, 0, sizeof(*reply));
	mbuf_rewind(c->in);
	err = mbuf_write_mem(c->in, p, n);
	if (err)
		return err;
	mbuf_set_pos(c->in, 0);
	err = stun_msg_decode(&reply->msg, c->in, &unknown);
	if (err)
		return err == ENOMEM ? ENOMEM : EBADMSG;
	reply->tid = stun_msg_tid(reply->msg);
	a = stun_msg_attr(reply->msg, STUN_ATTR_ERR_CODE);
	reply->code = a ? a->v.err_code.code : 0;
	/* what must be understood and is not makes a success none (RFC 8489 §6.3.3) */
	reply->success = be16(p) == TYPE_SUCCESS && !unknown.typec;
	return 0;
}

bool binding_reply_proved(const struct binding_reply *reply, const char *pwd)
{
	return stun_msg_attr(reply->msg, STUN_ATTR_MSG_INTEGRITY) &&
	       !stun_msg_chk_mi(reply->msg, (const uint8_t *)pwd, strlen(pwd));
}
