/* idp/header.h - one Identity header: a PASSporT, and where its certificate is (RFC 8224 §4). Pure; any thread.
 *
 *   eyJhbGci….eyJkZXN0….rq3pjT1h…;info=<https://alpha.example/…>;alg=ES256;ppt=shaken
 *   ..rq3pjT1h…;info=<https://alpha.example/…>                        compact: only the signature          */
#ifndef SLUSS_IDP_HEADER_H
#define SLUSS_IDP_HEADER_H

#include "lib/base.h"

enum {
	HEADER_BYTES_MAX = 8192, /**< a longer one is no PASSporT of a call */
	HEADER_URL_MAX = 511,
	HEADER_WORD_MAX = 31,
};

struct header {
	struct pl header, payload, signature; /**< base64url, in the text parsed */
	bool compact;                         /**< header and payload are empty */
	char info[HEADER_URL_MAX + 1];
	char alg[HEADER_WORD_MAX + 1]; /**< "ES256" when it is not said */
	char ppt[HEADER_WORD_MAX + 1]; /**< empty: none */
};

/** Parses a header's value. alg and ppt may be quoted (as SHAKEN's examples have them); parameters that are not
 *  known are skipped; a known one that comes twice is refused.
 *  Errors: EBADMSG, with a static sentence in *whyp; EFBIG. Borrows: `p` must outlive *h. */
int header_parse(struct header *h, const char **whyp, const char *p, size_t n);

#endif
