/* webrtc/session/field.h - reads a JSON object into a struct by a table of its fields: what is missing, of
 * the wrong type or size, or not in the table is refused with words that name the field. Pure. */
#ifndef SLUSS_WEBRTC_SESSION_FIELD_H
#define SLUSS_WEBRTC_SESSION_FIELD_H

#include "gateway/candidates.h"
#include "lib/base.h"
#include <jansson.h>

enum field_type {
	FIELD_CALL,   /**< char[max + 1]: 1 to max of A-Z a-z 0-9 _ - */
	FIELD_TEXT,   /**< char *: 1 to max characters (code points) */
	FIELD_SECRET, /**< char *, wiped when freed: 1 to max bytes */
	FIELD_SDP, /**< struct body *: at least one byte; field_limits.sdp_bytes at most */
	FIELD_WORD,       /**< int: one of `words` */
	FIELD_BOOL,       /**< bool */
	FIELD_CANDIDATES, /**< struct candidates *: an array of {mid, mline?, candidate} */
	FIELD_ONE,        /**< nothing is stored: an integer that must be `max` */
	FIELD_SEQ,        /**< uint64_t: an integer from 0 to 2^53-1 */
};

struct field_word {
	const char *word; /**< NULL ends the list */
	int value;
};

struct field {
	const char *name;
	enum field_type type;
	bool required;
	uint32_t max;
	size_t offset;
	const struct field_word *words;
};

enum field_fault_kind { FIELD_BAD, FIELD_TOO_LONG };
struct field_fault {
	enum field_fault_kind
		kind; /**< TOO_LONG: over a stated limit (FIELD_SDP, FIELD_CANDIDATES) */
	char text[200];
};

/** field_candidates.c: FIELD_CANDIDATES. Errors: EBADMSG with *fault filled; ENOMEM. */
int field_candidates_read(struct candidates **cp, const json_t *v, const char *name,
			  struct field_fault *fault);
/** Fills *fault. Gives EBADMSG. */
int field_bad(struct field_fault *fault, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Depth of the deepest array or object in JSON text, without parsing it. */
size_t field_depth(const char *p, size_t n);

/** Reads one value into `dst`, as field_read() does. */
int field_value(void *dst, const json_t *v, const struct field *f,
		struct field_fault *fault, size_t sdp_bytes);

/** Fills `dst`. Keys in `known` (NULL ended) are the caller's and not looked at.
 *  @param what  names the object in the words: "call"
 *  Errors: EBADMSG with *fault filled; ENOMEM. What was stored before stays in dst. */
int field_read(void *dst, struct field_fault *fault, const json_t *obj,
	       const struct field *fields, size_t n_fields, const char *const *known,
	       const char *what, size_t sdp_bytes);

#endif
