/* webrtc/webrtc.h - the door of the browser room: HTTPS and WSS (web thread), sessions and the browser
 * leg (signalling thread). */
#ifndef SLUSS_WEBRTC_WEBRTC_H
#define SLUSS_WEBRTC_WEBRTC_H

#include "gateway/core.h"

struct webrtc;
/** Binds every http listener, loads the certificates, starts the web thread.
 *  Errors: one clear line in *whyp (port in use, libuv plug-in missing, key unreadable, …). */
int webrtc_alloc(struct webrtc **wp, char **whyp, struct core *core);
/** Shows a certificate chain at IDENTITY_CHAIN_PATH/NAME.pem of that site (gateway/identity.h), from now on and until
 *  limits.identity_keep_s after the site's next one. */
void webrtc_publish(struct webrtc *w, const char *site, const char *name,
		    const char *text);
/** Tells every device DEVICE_SHUTDOWN (close 1001) and stops the web thread; `h` runs on the signalling
 *  thread when it has ended (at the latest after limits.stop_s). mem_deref(webrtc) after that. */
void webrtc_stop(struct webrtc *w, void (*h)(void *arg), void *arg);

#endif
