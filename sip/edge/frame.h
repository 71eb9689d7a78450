/* sip/edge/frame.h - cuts a byte stream into SIP messages, incrementally.
 *
 *   CRLF CRLF           a ping (RFC 5626 §4.4.1): answer with CRLF
 *   CRLF                its answer, or an empty line before a message: passed over
 *   head CRLF body      a message: the head ends at the first empty line, and the only
 *                       Content-Length (compact `l` too) says how long the body is
 *
 * A stream has no place to start again after an error: the connection ends. Bytes are
 * kept only while a message is incomplete. Pure; edge thread. RFC 3261 §18.3, §20.14. */
#ifndef SLUSS_SIP_EDGE_FRAME_H
#define SLUSS_SIP_EDGE_FRAME_H

#include "sip/edge/message.h"

enum frame_kind {
	FRAME_MESSAGE,
	FRAME_PING,
	FRAME_BROKEN, /* a head behind which nothing can be read: for a last 400 or 513 */
};

/** `m` is borrowed, NULL for FRAME_PING. Non-zero ends frame_feed() with that error. */
typedef int(frame_h)(enum frame_kind kind, const struct message *m, int why, void *arg);

struct frame {
	char *buf; /**< NULL while nothing is waiting */
	size_t n, size;
	size_t scanned;      /**< no end of head before here */
	size_t head_n, need; /**< once the head is whole; need: whole message */
	unsigned n_empty;    /**< bytes of CR LF CR LF seen between messages */
	size_t max_bytes;
};

void frame_init(struct frame *f, size_t max_bytes);
void frame_clear(struct frame *f);
/** Is part of a message waiting for the rest? */
static inline bool frame_partial(const struct frame *f)
{
	return f->n != 0;
}
/** Takes the next bytes of the stream and calls `h` for each message that is whole.
 *  `room` is scratch for the index; it is what `h` gets. After an error the frame is to
 *  be cleared.
 *  Errors: EBADMSG no proper framing; EMSGSIZE over max_bytes; E2BIG too many headers;
 *  ENOMEM; what `h` gave. FRAME_BROKEN is called before EBADMSG, EMSGSIZE and E2BIG if
 *  there is a whole head. */
int frame_feed(struct frame *f, struct message *room, const char *p, size_t n, frame_h *h,
	       void *arg);

#endif
