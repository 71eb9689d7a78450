/* webrtc/http/server.h - the web thread: HTTPS and WSS on libwebsockets over libuv. */
#ifndef SLUSS_WEBRTC_HTTP_SERVER_H
#define SLUSS_WEBRTC_HTTP_SERVER_H

#include "gateway/config.h"
#include "lib/mailbox.h"

struct server;

/** Binds every http listener, loads the certificates, starts the thread. Posts struct web_up to `up` from
 *  then on, WEB_STOPPED last. Errors: one line in *whyp (mem_deref). */
int web_server_alloc(struct server **sp, char **whyp, const struct config *config,
		     struct mailbox *up);
/** struct web_down go here; post WEB_STOP, wait for WEB_STOPPED, then mem_deref joins the thread. */
struct mailbox *web_server_mailbox(struct server *s);

#endif
