/* idp/b64url.h - base64url without padding (RFC 4648 §5, RFC 7515 §2), strict. Pure; any thread. */
#ifndef SLUSS_IDP_B64URL_H
#define SLUSS_IDP_B64URL_H

#include "lib/base.h"

/** Bytes that `n` bytes become, without a NUL. */
#define B64URL_LEN(n) (((n)*4 + 2) / 3)

/** Writes B64URL_LEN(n) characters, no NUL; gives how many. */
size_t b64url_encode(char *out, const void *p, size_t n);
/** Decodes into out[size]. Takes what the encoder makes and nothing else: no padding, no blanks, no bits
 *  left over in the last character.  Errors: EINVAL; EFBIG does not fit. *np untouched. */
int b64url_decode(uint8_t *out, size_t size, size_t *np, const char *p, size_t n);

#endif
