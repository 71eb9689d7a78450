/* sip/edge/message.h - a SIP message as raw bytes: finding its headers, and writing it
 * out changed.
 *
 * Nothing is decoded or re-ordered: what the edge does not touch goes through byte for
 * byte. The index points into the caller's bytes. Lines end with CR LF and nothing else,
 * so that the next parser cannot see other lines than this one did. Pure. RFC 3261 §7,
 * §25. */
#ifndef SLUSS_SIP_EDGE_MESSAGE_H
#define SLUSS_SIP_EDGE_MESSAGE_H

#include "lib/base.h"

enum header {
	HEADER_OTHER,
	HEADER_VIA,     /* v */
	HEADER_FROM,    /* f */
	HEADER_TO,      /* t */
	HEADER_CALL_ID, /* i */
	HEADER_CSEQ,
	HEADER_MAX_FORWARDS,
	HEADER_CONTENT_LENGTH, /* l */
	HEADER_ROUTE,
	HEADER_JOINT, /* JOINT_HEADER */
	HEADER_N
};

enum { MESSAGE_LINES_MAX = 512 };

struct message_line {
	enum header header;
	struct pl line;  /**< with its continuations and the last CR LF */
	struct pl value; /**< without the white space around it; may hold folds */
};

enum message_kind { MESSAGE_GARBAGE, MESSAGE_REQUEST, MESSAGE_RESPONSE };

struct message {
	const char *p;
	size_t n, head_n; /**< the whole; the head with its empty line */
	enum message_kind kind;
	struct pl method, uri;
	struct pl version; /**< "SIP/2.0", any case */
	unsigned status;   /**< of a response: 100..699, else 0 */
	struct pl phrase;
	bool faulty; /**< a line without a proper name, or a NUL: not to be passed on */
	size_t n_lines, n_of[HEADER_N];
	struct message_line linev[MESSAGE_LINES_MAX];
};

/** Indexes a message whose head is the first `head_n` of `n` bytes.
 *  Errors: EBADMSG a bare CR or LF, a first line that folds; E2BIG too many lines. */
int message_parse(struct message *m, const char *p, size_t head_n, size_t n);
/** The i-th (from 0) line of that name, from the top. NULL when there is none. */
const struct message_line *message_line(const struct message *m, enum header header,
					size_t i);
/** The value of the only line of that name. Errors: ENOENT none, EBADMSG several. */
int message_value(const struct message *m, enum header header, struct pl *value);
/** Content-Length. Errors: ENOENT; EBADMSG several, or no number of at most nine digits.
 *  */
int message_content_length(const struct message *m, size_t *np);
/** CSeq. Errors: ENOENT, EBADMSG. */
int message_cseq(const struct message *m, uint32_t *number, struct pl *method);

/** Linear white space with folds, RFC 3261 LWS. */
static inline bool message_is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool message_is_token(char c);
void message_trim(struct pl *s);
/** The next element of a comma-separated value, quoted strings and <...> respected:
 *  `*rest` goes on behind its comma. False at the end. The element is trimmed. */
bool message_element(struct pl *rest, struct pl *element);
/** The next of ";a=b;c": `item` from its semicolon on, name and value trimmed. False at
 *  the end. */
bool message_param_next(struct pl *rest, struct pl *item, struct pl *name,
			struct pl *value);
/** A parameter in ";a=b;c" text. True when it is there; *value is empty when it has none.
 *  */
bool message_param(const struct pl *params, const char *name, struct pl *value);

/* ---- writing ---- */
enum { EDITS_MAX = 72 };
/** Changes to a head, in any order, none inside another. Texts are borrowed until
 *  written. */
struct edits {
	size_t n;
	bool overflow;
	struct {
		size_t at, drop;
		struct pl text;
	} v[EDITS_MAX];
};
/** Takes `old`, which lies in m's head, out and puts `text` there. */
void edits_replace(struct edits *e, const struct message *m, const struct pl *old,
		   const struct pl *text);
/** Takes out every line of that name. */
void edits_drop_all(struct edits *e, const struct message *m, enum header header);
/** Appends to `mb`: a first line in its plain form (one space between its parts), `top`
 *  (whole header lines or nothing), the edited head, `bottom` likewise, the empty line,
 *  the body.
 *  Errors: ENOMEM; E2BIG more than EDITS_MAX changes. */
int message_write(struct mbuf *mb, const struct message *m, struct edits *e,
		  const struct pl *top, const struct pl *bottom);

#endif
