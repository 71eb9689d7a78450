/* idp/pen.h - what our own sites sign with, and the chains that others fetch to check it. Identity thread. */
#ifndef SLUSS_IDP_PEN_H
#define SLUSS_IDP_PEN_H

#include "gateway/config.h"
#include "gateway/identity.h"
#include "idp/mky.h"
#include "idp/name.h"

struct pens;

/** A chain to be published: at IDENTITY_CHAIN_PATH of that site. `text` is PEM, borrowed. */
typedef void(pen_chain_h)(const char *site, const char *name, const char *text,
			  void *arg);

/** Reads every site's pair: its own, or the one that the configuration names for this. A site whose key is no P-256
 *  key signs nothing, which is logged. Errors: EINVAL with one line in *whyp; ENOMEM. */
int pens_alloc(struct pens **pp, char **whyp, const struct config *config);
/** Tells of every chain there is, and of new ones from then on, before anything is signed with them. */
void pens_listen(struct pens *p, pen_chain_h *h, void *arg);
/** Looks at the files again (lib/cert.h). */
void pens_poll(struct pens *p);
void pens_reload(struct pens *p);

struct pen_job {
	char site[ADDR_HOST_MAX + 1];
	struct name orig, dest;
	struct mky mky;
};
/** The value of an Identity header in full form, and the Date that goes with it, as of `now_s`. Owns: *headerp.
 *  Errors: ENOKEY the site has no key that signs, or its certificate is not valid now; EIO; ENOMEM. */
int pen_sign(char **headerp, char date[IDENTITY_DATE_BYTES], struct pens *p,
	     const struct pen_job *job, int64_t now_s);

#endif
