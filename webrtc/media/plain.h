/* webrtc/media/plain.h - a side without ICE: a socket pair an m= section, where its party really sends from (latch.c),
 * keys of a=crypto lines. Private to the media thread's session files. */
#ifndef SLUSS_WEBRTC_MEDIA_PLAIN_H
#define SLUSS_WEBRTC_MEDIA_PLAIN_H

#include "webrtc/media/session.h"

struct side;
struct plain;

/** Made with its side, for PLAIN ones and for FULL ones whose party may know no ICE. Errors: ENOMEM. */
int plain_open(struct plain **pp, struct side *sd, const struct media_sdes *ownv);
/** What its party has described: addresses, keys; a side that need not shake hands is up then.
 *  Errors: ENOMEM, EINVAL (a suite that we do not have), EIO. */
int plain_remote(struct side *sd, const struct media_remote *r);
/** Is this side reached without ICE? */
bool plain_is(const struct side *sd);
/** Any datagram that came by a socket of the side's. `now_us`: the loop's. */
void plain_take(struct side *sd, enum packet_kind kind, const struct port_path *path,
		uint8_t *p, size_t n);
/** Towards its party, of section `row`; `p` stays as it is until the flush. Nowhere known: dropped. */
void plain_send(struct side *sd, unsigned row, bool rtcp, const uint8_t *p, size_t n);
/** What protects what we send in that section; NULL: nothing does (CLEAR), or there are no keys yet. */
struct srtp *plain_out(const struct side *sd, unsigned row);
/** Is it time to say that nothing comes any more? Milliseconds to the next look; 0: yes. UINT64_MAX: never
 *  (on hold, or not asked for). */
uint64_t plain_patience_ms(const struct side *sd, uint64_t now_ms);

#endif
