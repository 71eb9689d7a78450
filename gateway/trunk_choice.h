/* gateway/trunk_choice.h - who may call which number by which trunk. Signalling thread; changes nothing. */
#ifndef SLUSS_GATEWAY_TRUNK_CHOICE_H
#define SLUSS_GATEWAY_TRUNK_CHOICE_H

#include "gateway/cause.h"
#include "gateway/core.h"

/** Is `user`, exactly as it was dialled, one of the site's emergency numbers? *trunk: by which it is called; NULL: it
 *  is refused, with the words in *why. */
bool trunk_emergency(const struct core *core, const struct site_config *site,
		     const char *user, const struct trunk_config **trunk,
		     struct cause *why);
/** The trunk by which `account` calls `number` (in the form of the house): the longest prefix of those that it may use.
 *  NULL: none, and *why says why: nobody's number, not allowed, or today's minutes are used up. */
const struct trunk_config *trunk_choose(const struct core *core,
					const struct addr *account, const char *number,
					struct cause *why);

#endif
