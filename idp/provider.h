/* idp/provider.h - the identity provider of our sites' users: the door that gateway/provider.h describes. Thread:
 * signalling. */
#ifndef SLUSS_IDP_PROVIDER_H
#define SLUSS_IDP_PROVIDER_H

#include "gateway/core.h"

struct provider;

/** Starts the provider's thread and enters itself as core->provider; where no site has one, nothing is made and *pp is NULL.
 *  After the back office, which makes the store. Errors: one line in *whyp.  Owns: *pp by mem_deref, after all who ask. */
int provider_alloc(struct provider **pp, char **whyp, struct core *core);

#endif
