/* webrtc/session/parse.h - a browser's text message becomes a struct client_msg. Pure. */
#ifndef SLUSS_WEBRTC_SESSION_PARSE_H
#define SLUSS_WEBRTC_SESSION_PARSE_H

#include "webrtc/session/web_msg.h"

struct parse_fault {
	enum web_error code;
	uint32_t id; /**< of the message, as far as it could be read; else 0 */
	char text[WEB_TEXT_BYTES];
};

/** @param p, n  one whole message, valid UTF-8
 *  Errors: EBADMSG, *mp untouched, *fault says what is wrong; ENOMEM likewise (ERROR_INTERNAL). */
int client_msg_parse(struct client_msg **mp, struct parse_fault *fault, const char *p,
		     size_t n, const struct limits *limits);

#endif
