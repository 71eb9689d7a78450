/* idp/credential.h - the certificate that a PASSporT is signed with, read from what its info address gave, and judged.
 * Identity thread. OpenSSL 3.
 *
 * For a domain it is a site's ordinary certificate (RFC 8224 §8.4, RFC 5922 §7.2), trusted by the web's authorities;
 * for a telephone number one with a TNAuthList (RFC 8226 §9), trusted by authorities that are named for it alone. */
#ifndef SLUSS_IDP_CREDENTIAL_H
#define SLUSS_IDP_CREDENTIAL_H

#include "idp/es256.h"
#include "idp/name.h"
#include "idp/shelf.h"
#include <openssl/x509.h>

enum {
	CREDENTIAL_CHAIN_MAX = 8, /**< certificates in one file */
	CREDENTIAL_WHY_BYTES = SHELF_WHY_BYTES,
};

/** The authorities. */
struct authorities {
	X509_STORE *sites;
	X509_STORE *numbers; /**< NULL: no number is believed */
};

struct credential {
	struct es256 *key; /**< NULL: it is not usable at all, see `why` */
	X509 *leaf;
	bool for_sites, for_numbers;    /**< its chain ends at an authority for these */
	int64_t from_s, until_s;        /**< when the leaf is valid */
	char why[CREDENTIAL_WHY_BYTES]; /**< what is wrong with it; empty: nothing */
};

/** Reads DER or PEM (leaf first), as it came, and judges the chain as of now. What is wrong with it is told in
 *  c->why: also then there is a credential, which vouches for nobody. Owns: *cp by mem_deref. Errors: ENOMEM. */
int credential_alloc(struct credential **cp, const struct authorities *a, const void *p,
		     size_t n);
/** Certificates on a shelf, whose `arg` is struct authorities. */
extern const struct shelf_kind credential_kind;
/** May it vouch for that name, be it a URI's domain or a number? Else the reason in `why`. */
bool credential_covers(const struct credential *c, char why[CREDENTIAL_WHY_BYTES],
		       const struct name *name);
/** Does an encoded TNAuthList (RFC 8226 §9) hold that number? One with a service provider code holds all of that
 *  provider's, which nobody but the authority that issued it can know: it counts as holding it. */
bool credential_list_has(const uint8_t *der, size_t n, const char *tn);

/** Reads PEM files of authorities; `numbers` NULL: none. Errors: EINVAL with one line in *whyp; ENOMEM. */
int authorities_load(struct authorities *a, char **whyp, const char *sites,
		     const char *numbers);
void authorities_clear(struct authorities *a);

#endif
