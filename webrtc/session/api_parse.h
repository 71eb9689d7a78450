/* webrtc/session/api_parse.h - the JSON body of an HTTP API request becomes a struct api_request. Pure. */
#ifndef SLUSS_WEBRTC_SESSION_API_PARSE_H
#define SLUSS_WEBRTC_SESSION_API_PARSE_H

#include "webrtc/session/web_msg.h"

struct api_fault {
	const char *
		error; /**< static code: "bad-json", "too-deep", "bad-message", "internal" */
	char text[WEB_TEXT_BYTES];
};

/** Only for the kinds that have a body: LOGIN, REGISTER, PASSWD, DELETE, CONNECT, RULES_SET.
 *  Errors: EBADMSG, ENOMEM; *rp untouched, *fault filled. */
int api_request_parse(struct api_request **rp, struct api_fault *fault,
		      enum api_kind kind, const char *p, size_t n, uint32_t depth);

#endif
