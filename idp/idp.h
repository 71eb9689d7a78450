/* idp/idp.h - the door of the identity room: signs for our users and judges what signs for others (RFC 8224), on a
 * thread of its own. Thread: signalling. */
#ifndef SLUSS_IDP_IDP_H
#define SLUSS_IDP_IDP_H

#include "gateway/core.h"

struct idp;

/** A chain that others will ask our web side for: from now on, until long after the next one has come. Borrowed. */
typedef void(idp_publish_h)(const char *site, const char *name, const char *text,
			    void *arg);

/** Reads the sites' keys and the authorities, starts the thread, and enters itself as core->identity. `publish` runs
 *  from the loop. Errors: one line in *whyp (mem_deref).  Owns: *ip by mem_deref, after all who wait for it. */
int idp_alloc(struct idp **ip, char **whyp, struct core *core, idp_publish_h *publish,
	      void *arg);

#endif
