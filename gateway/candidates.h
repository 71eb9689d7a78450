/* gateway/candidates.h - ICE candidates on their way from leg to leg (RFC 8838), whatever carried them.
 *
 * They are as private as a description: no formatter, never logged; their number may be. Signalling
 * thread, or the one thread that has them; a copy travels between threads. */
#ifndef SLUSS_GATEWAY_CANDIDATES_H
#define SLUSS_GATEWAY_CANDIDATES_H

#include "lib/base.h"

enum {
	CANDIDATE_LINE_MAX = 512, /**< bytes of "candidate:…" (RFC 8839 §5.1) */
	CANDIDATE_MID_MAX = 64,
	CANDIDATE_MLINE_MAX = 63, /**< sdp_check() takes 64 m= lines */
	CANDIDATES_MAX = 256,     /**< in one struct; limits.candidates is lower */
	ICE_UFRAG_MAX = 256
};

struct candidate {
	char mid[CANDIDATE_MID_MAX + 1]; /**< the m= section it is for (RFC 5888) */
	int mline;  /**< its place in the description; -1: not said */
	char *line; /**< "candidate:…", one line without its end */
};

/** Candidates of one generation, in the order in which they were found. */
struct candidates {
	char ufrag[ICE_UFRAG_MAX +
		   1]; /**< of that generation; "": the description's own */
	bool end;      /**< there are no more in this generation */
	size_t n, size;
	struct candidate *v;
};

/** Errors: ENOMEM; EBADMSG: `ufrag` is neither empty nor 4 to 256 ICE characters. */
int candidates_alloc(struct candidates **cp, const char *ufrag, size_t n_ufrag);
/** Puts one at the end. Accepts -1 to CANDIDATE_MLINE_MAX for `mline`. What is twice there is once there.
 *  Errors: EBADMSG: mid or line are not well formed; ENOSPC: CANDIDATES_MAX; ENOMEM. */
int candidates_add(struct candidates *c, const char *mid, size_t n_mid, int mline,
		   const char *line, size_t n_line);
/** Adds those of `more` that `all` lacks, `max` in all at most, and its end. *newp: what was new (NULL:
 *  nothing; caller's). Errors: ENOMEM; ENOSPC: some did not find room, the others are in *newp. */
int candidates_join(struct candidates *all, struct candidates **newp,
		    const struct candidates *more, size_t max);
/** Errors: ENOMEM. */
int candidates_dup(struct candidates **cp, const struct candidates *from);

/** candidate-attribute of RFC 8839 §5.1 without "a=": fields, ranges, printable ASCII. */
bool candidate_line_ok(const char *p, size_t n);
/** A token (RFC 8866 §9) of 1 to CANDIDATE_MID_MAX bytes. */
bool candidate_mid_ok(const char *p, size_t n);
/** ice-char of RFC 8839 §5.4: ALPHA / DIGIT / "+" / "/". */
bool ice_chars_ok(const char *p, size_t n, size_t min, size_t max);

#endif
