/* fuzz_frame.c - a peer's bytes through the edge: framing in pieces, the checks, the
 * edits, the private header.
 *
 * The first byte says how long the pieces are. What holds for whatever comes: a message
 * that the edge would write to Sofia is one message again, of that length, without a
 * private header of the peer's; what is popped is gone. */
#include <stdint.h>
#include <stdlib.h>

#include "sip/edge/address.h"
#include "sip/edge/check.h"
#include "sip/edge/mark.h"
#include "sip/edge/reply.h"
#include "sip/joint.h"

#include "sip/edge/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "0123456789abcdef0123456789abcdef"
#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

enum { FUZZ_MAX = 8192 };

static struct message room, again;
static struct mark *mk;
static struct sa from;

static int only_one(enum frame_kind kind, const struct message *m, int why, void *arg)
{
	size_t *n = arg;

	(void)why;
	MUST(kind == FRAME_MESSAGE && m->kind != MESSAGE_GARBAGE);
	MUST(!m->n_of[HEADER_JOINT] && m->n_of[HEADER_CONTENT_LENGTH] == 1 && !m->faulty);
	*n = m->n;
	return 0;
}

/* As inward.c writes it. */
static void inwards(const struct message *m, const struct via *top, bool request)
{
	char text[MARK_VIA_MAX], received[VIA_RECEIVED_MAX], branch[MARK_BRANCH],
		length[40];
	struct mbuf *mb = mbuf_alloc(64), *popped = mbuf_alloc(64);
	struct edits e = {.n = 0};
	struct pl call_id = PL_INIT, method, above = {text, 0}, below = {length, 0};
	struct frame f;
	uint32_t cseq, conn, gen;
	size_t n = 0;
	int err;

	MUST(!message_value(m, HEADER_CALL_ID, &call_id) &&
	     !message_cseq(m, &cseq, &method));
	MUST(!mark_inward(branch, mk, top, &call_id, cseq, 3, 4));
	above.l = mark_via_print(text, mk, 4711, branch, 3, 4);
	if (request)
		via_received(&e, m, top, &from, received);
	else
		above.l = 0,
		edits_replace(&e, m, &top->all,
			      &(struct pl)PL("SIP/2.0/TCP 127.0.0.1:9;branch=z"));
	edits_drop_all(&e, m, HEADER_JOINT);
	edits_drop_all(&e, m, HEADER_CONTENT_LENGTH);
	below.l = (size_t)snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
				   m->n - m->head_n);
	err = message_write(mb, m, &e, &above, &below);
	MUST(!err || err == E2BIG);
	if (!err) {
		struct via v;

		frame_init(&f, 4 * FUZZ_MAX);
		MUST(!frame_feed(&f, &again, (char *)mb->buf, mb->end, only_one, &n));
		MUST(n == mb->end && !frame_partial(&f) && !f.buf);
		MUST(again.kind == m->kind && again.n - again.head_n == m->n - m->head_n);
		MUST(!via_top(&v, &again));
		if (request) {
			MUST(!mark_via_check(mk, &v, 4711, &conn, &gen) && conn == 3 &&
			     gen == 4);
			e = (struct edits){.n = 0};
			via_pop(&e, &again);
			MUST(!message_write(popped, &again, &e, NULL, NULL));
		}
	}
	mem_deref(popped);
	mem_deref(mb);
}

static int take(enum frame_kind kind, const struct message *m, int why, void *arg)
{
	struct pl value, uri, params;
	struct mbuf *mb;
	struct joint j, k;
	struct via top;
	struct hop hop;
	char text[JOINT_VALUE_MAX];

	(void)why;
	(void)arg;
	if (kind == FRAME_PING)
		return 0;
	mb = mbuf_alloc(64);
	MUST(!reply_lines(mb, m));
	mem_deref(mb);
	(void)via_count(m);
	if (!message_value(m, HEADER_TO, &value))
		(void)address_split(&value, &uri, &params);
	if (!message_value(m, HEADER_JOINT, &value) &&
	    !joint_parse(&j, SECRET, value.p, value.l) &&
	    !joint_print(text, sizeof(text), SECRET, &j)) {
		MUST(!joint_parse(&k, SECRET, text, strlen(text)));
		(void)joint_list_has(k.names, "beta.example");
	}
	if (kind == FRAME_BROKEN)
		return 0;
	if (m->kind == MESSAGE_REQUEST) {
		(void)hop_of(&hop, m);
		if (!check_request(m, &top))
			inwards(m, &top, true);
	} else if (m->kind == MESSAGE_RESPONSE && check_response(m, &top)) {
		inwards(m, &top, false);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame f;
	size_t piece;
	int err = 0;

	if (!mk) {
		MUST(!mark_alloc(&mk));
		MUST(!sa_set_str(&from, "2001:db8::1", 5061));
	}
	if (!size)
		return 0;
	piece = data[0] ? data[0] : size;
	frame_init(&f, FUZZ_MAX);
	for (size_t at = 1; at < size && !err; at += piece)
		err = frame_feed(&f, &room, (const char *)data + at,
				 size - at < piece ? size - at : piece, take, NULL);
	frame_clear(&f);
	return 0;
}
