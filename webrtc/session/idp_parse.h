/* webrtc/session/idp_parse.h - the JSON body of a request to an identity provider becomes a struct provider_request. Pure. */
#ifndef SLUSS_WEBRTC_SESSION_IDP_PARSE_H
#define SLUSS_WEBRTC_SESSION_IDP_PARSE_H

#include "webrtc/session/api_parse.h"

/** Has a request of that kind a body? */
bool idp_request_has_body(enum provider_op op);
/** Only for those. Errors: EBADMSG, ENOMEM; *rp untouched, *fault filled. */
int idp_request_parse(struct provider_request **rp, struct api_fault *fault,
		      enum provider_op op, const char *p, size_t n, uint32_t depth);

#endif
