/* webrtc/session/origin.h - which page may use which sign-in. Pure. */
#ifndef SLUSS_WEBRTC_SESSION_ORIGIN_H
#define SLUSS_WEBRTC_SESSION_ORIGIN_H

#include "gateway/store.h"

/** Where a request or a WebSocket comes from, as its Origin header says. */
struct web_origin {
	char text[STORE_ORIGIN_MAX +
		  1]; /**< empty: none was sent, or none that could be one */
	bool foreign; /**< one was sent, and it is neither the site's own nor a listed one */
};

/** A web origin byte for byte as browsers send it, that a sign-in can be bound to: https, or http on this
 *  machine. */
bool web_origin_is_one(const char *text);
/** @param bound  what the sign-in is bound to; empty: nothing. Then no foreign page may use it; else no
 *                other page, and no program, may. */
bool web_origin_fits(const struct web_origin *from, const char *bound);

#endif
