/* webrtc/session/print.h - what the site says becomes JSON text. Pure. */
#ifndef SLUSS_WEBRTC_SESSION_PRINT_H
#define SLUSS_WEBRTC_SESSION_PRINT_H

#include "webrtc/session/web_msg.h"

/** Appends `m` at mb->pos. Errors: ENOMEM; EILSEQ: a text in it is not UTF-8. mb may have grown. */
int server_msg_print(struct mbuf *mb, const struct server_msg *m);
/** The body of an answer of the HTTP API. Errors: likewise. */
int api_reply_print(struct mbuf *mb, const struct api_reply *r);

#endif
