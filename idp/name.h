/* idp/name.h - who a PASSporT is from and for, in the one form that is signed and compared. Pure; any thread. */
#ifndef SLUSS_IDP_NAME_H
#define SLUSS_IDP_NAME_H

#include "gateway/addr.h"

enum { NAME_TEXT_MAX = 5 + ADDR_TEXT_MAX, NAME_TN_MAX = 15 };

/** Made by name_parse() and name_of() alone, so that what is not canonical cannot get in here. */
struct name {
	bool tn; /**< a telephone number: digits, '#' and '*', no '+' */
	char text[NAME_TEXT_MAX + 1]; /**< that, or "sip:user@host", "sips:user@host" */
};

/** From the addr-spec of a From or To header, as it came (RFC 8224 §8.3, §8.5). A telephone number is what stands
 *  in a tel: URI, has user=phone, or is '+' and digits; bare digits are a user like any other. Everything else is
 *  the URI: lower case, without port, password, parameters and headers.
 *  Errors: EINVAL malformed; EPROTONOSUPPORT another scheme; EDOM an address that Sluss has no form for. */
int name_parse(struct name *out, const char *uri, size_t n);
/** Of an address here, "sip:" before it; it may be a number ("+49…"). */
void name_of(struct name *out, const struct addr *a);
bool name_equal(const struct name *a, const struct name *b);

#endif
