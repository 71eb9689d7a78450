/* gateway/path_anchor.h - the path of a call one of whose halves is a telephone system: media end here on both
 * sides. Signalling thread. */
#ifndef SLUSS_GATEWAY_PATH_ANCHOR_H
#define SLUSS_GATEWAY_PATH_ANCHOR_H

#include "gateway/core.h"
#include "gateway/path.h"

/** For core->path_anchor. Errors: ENOMEM; ENOSYS: no media plane. The media session is made with the first offer. */
int path_anchor_alloc(struct path **pp, struct core *core,
		      const struct path_setup *setup);

#endif
