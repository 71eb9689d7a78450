/* webrtc/session/address.h - a client's address as logs show it: without its last part. Pure. */
#ifndef SLUSS_WEBRTC_SESSION_ADDRESS_H
#define SLUSS_WEBRTC_SESSION_ADDRESS_H

#include "lib/base.h"

enum { ADDRESS_SHORT_BYTES = 48 };
/** "192.0.2.x", "2001:db8:1:x" into buf[ADDRESS_SHORT_BYTES]; gives buf. */
const char *web_address_short(char *buf, const struct sa *sa);

#endif
