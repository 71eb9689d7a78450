/* webrtc/session/utf8.h - is this text UTF-8 (RFC 3629), and how many characters is it? Pure. */
#ifndef SLUSS_WEBRTC_SESSION_UTF8_H
#define SLUSS_WEBRTC_SESSION_UTF8_H

#include "lib/base.h"

/** Shortest forms only, no surrogates, nothing over U+10FFFF. The empty text is. */
bool utf8_valid(const char *p, size_t n);
/** Code points of a valid text. */
size_t utf8_count(const char *p, size_t n);

#endif
