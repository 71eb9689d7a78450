/* webrtc/media/binding.h - STUN Binding requests: reading them strictly, answering them. Pure but for the two
 * buffers in struct binding_codec. The codec is libre's; what it lets pass and we do not is refused before.
 * RFC 8489, RFC 8445 §7.3. */
#ifndef SLUSS_WEBRTC_MEDIA_BINDING_H
#define SLUSS_WEBRTC_MEDIA_BINDING_H

#include "lib/base.h"
#include <re/re_stun.h>

/** Bytes of an answer at most: head, XOR-MAPPED-ADDRESS or error, integrity, fingerprint. */
enum { BINDING_ANSWER_MAX = 160 };

/** A media thread's buffers. */
struct binding_codec {
	struct mbuf *in, *out;
};
/** Errors: ENOMEM. */
int binding_codec_init(struct binding_codec *c);
void binding_codec_close(struct binding_codec *c);

struct binding {
	struct stun_msg *msg;
	/** "ours:theirs" of USERNAME; NULL: a plain request. Not owned, lives as long as msg */
	const char *username;
	bool fingerprint; /**< it has one, and it is right */
	bool use_candidate, controlled,
		controlling;  /**< what the peer thinks that it is */
	uint64_t tie_breaker; /**< of that attribute */
	uint32_t priority;    /**< 0: none */
	struct stun_unknown_attr
		unknown; /**< attributes that must be understood and are not */
};
/** Accepts any bytes. Errors: EBADMSG: not a Binding request to be answered: length, cookie, an attribute past
 *  the end, two USERNAMEs, anything but FINGERPRINT behind MESSAGE-INTEGRITY, a wrong FINGERPRINT; ENOMEM.
 *  On success b->msg is the caller's (mem_deref). */
int binding_read(struct binding *b, struct binding_codec *c, const uint8_t *p, size_t n);
/** Is its MESSAGE-INTEGRITY made with this password? */
bool binding_proved(const struct binding *b, const char *pwd);
/** Success; with integrity when `pwd`, with fingerprint when the request had one. Gives the bytes written to
 *  `out` (BINDING_ANSWER_MAX), 0: out of memory. */
size_t binding_answer(uint8_t *out, struct binding_codec *c, const struct binding *b,
		      const char *pwd, const struct sa *mapped);
/** An error: 420 (with the attributes), 487, … */
size_t binding_refuse(uint8_t *out, struct binding_codec *c, const struct binding *b,
		      const char *pwd, uint16_t code);

/** A check of ours. */
struct binding_request {
	const uint8_t *tid; /**< STUN_TID_SIZE */
	const char *username, *pwd;
	uint32_t priority;
	bool controlling, use_candidate;
	uint64_t tie_breaker;
};
/** Gives the bytes written to `out`; 0: out of memory, or of `size`. RFC 8445 §7.1. */
size_t binding_request(uint8_t *out, size_t size, struct binding_codec *c,
		       const struct binding_request *r);

/** A response to one. */
struct binding_reply {
	struct stun_msg *msg;
	const uint8_t *tid; /**< in msg */
	bool success;
	uint16_t code; /**< of an error */
};
/** Accepts any bytes. Errors: EBADMSG: no Binding response, or misshapen as in binding_read(); ENOMEM. On
 *  success reply->msg is the caller's (mem_deref). */
int binding_reply_read(struct binding_reply *reply, struct binding_codec *c,
		       const uint8_t *p, size_t n);
bool binding_reply_proved(const struct binding_reply *reply, const char *pwd);
/** Is it a request? Else a response, or nothing. */
bool binding_is_request(const uint8_t *p, size_t n);

#endif
