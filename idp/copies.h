/* idp/copies.h - signatures that have been accepted, for as long as they are fresh: the same one in another call is a
 * copy (RFC 8224 §6.2.3, §12.1). Identity thread.
 *
 * Of a signature (r, s) only r counts: (r, n - s) is as good, and whoever copies may choose. */
#ifndef SLUSS_IDP_COPIES_H
#define SLUSS_IDP_COPIES_H

#include "lib/base.h"

struct copies;

enum { COPIES_R_BYTES = 32 };

/** @param max  remembered at once; beyond it the oldest is forgotten   @param keep_s  for so long */
int copies_alloc(struct copies **rp, uint32_t max, uint32_t keep_s);
/** Remembers it, or finds it. Errors: EALREADY it was in another call; ENOMEM. */
int copies_see(struct copies *r, const uint8_t sig_r[COPIES_R_BYTES], const char *call_id,
	       uint64_t now_us);

#endif
