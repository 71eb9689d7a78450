/* webrtc/media/echo.h - sends a party's own packets back to it, as a sender of its own would. Pure: bytes in,
 * bytes out; the thread of its session.
 *
 *   party's stream  SSRC x, seq, ts ──► SSRC of ours, seq and ts that never jump back, the same payload
 *   its SR about x ──► SR of ours with its clock, and a report on how x arrived
 *   its NACK, PLI, FIR, REMB about ours ──► the same about x: it is the only sender there is          */
#ifndef SLUSS_WEBRTC_MEDIA_ECHO_H
#define SLUSS_WEBRTC_MEDIA_ECHO_H

#include "gateway/media.h"

struct echo;
/** Errors: ENOMEM. */
int echo_alloc(struct echo **ep, const char *cname);
/** Takes over what an offer has changed; streams that are still there (by their ssrc) go on. Errors: none. */
void echo_remote(struct echo *e, const struct media_remote *remote);
/** Rewrites an unprotected RTP packet in place. False: it is not to be sent back. */
bool echo_rtp(struct echo *e, uint8_t *p, size_t n, uint64_t now_us);
/** Reads an unprotected compound and writes what is to be sent to `out` (`size` at least ECHO_RTCP_MAX).
 *  Gives its length; 0: nothing. */
enum { ECHO_RTCP_MAX = 1400 };
size_t echo_rtcp(struct echo *e, uint8_t *out, size_t size, const uint8_t *p, size_t n,
		 uint64_t now_us);

#endif
