/* lib/rate.h - how often a source may ask without having proved anything. One thread; no allocation
 * after rate_alloc(), however many sources there are. */
#ifndef SLUSS_LIB_RATE_H
#define SLUSS_LIB_RATE_H

#include "lib/base.h"

struct rate;
/** `per_s` a second for one source, twice as many in a burst. Errors: ENOMEM. */
int rate_alloc(struct rate **rp, uint32_t per_s);
/** Takes one of the source's tokens; false: it has none left. An IPv6 source is a /64. Sources that fall into
 *  one slot of the table share its tokens: a flood from many addresses gets less, never more. */
bool rate_take(struct rate *r, const struct sa *source, uint64_t now_ms);

#endif
