/* tests/unit/webrtc/anchored.h - two parties at an anchor, for its tests.
 *
 *   browser ─ Opus 111, PCMU 0, CN 13, events 110 (48000) and 126 (8000) ─► anchor ─► peer: 107, 0, -, 101 (8000) */
#ifndef SLUSS_TESTS_UNIT_WEBRTC_ANCHORED_H
#define SLUSS_TESTS_UNIT_WEBRTC_ANCHORED_H

#include "webrtc/media/anchor.h"
#include "webrtc/media/packet.h"

enum { BROWSER, PEER, OURS_B = 1000, OURS_P = 2000, HERS = 7, THEIRS = 9 };
enum { OPUS = 111, EVENT_48 = 110, EVENT_8 = 126, CN = 13, P_OPUS = 107, P_EVENT = 101 };

#define FRAME_US 20000u

extern uint64_t anchored_now_us;
extern const struct media_stream anchored_browser, anchored_peer;

struct packet {
	uint8_t p[256];
	size_t n;
	struct rtp_header h;
};

/** A fresh anchor between the two. */
struct anchor *anchored(void);
/** 160 bytes of payload. */
void packet(struct packet *k, uint8_t pt, uint16_t seq, uint32_t ts, uint32_t ssrc);
/** Through the anchor; time goes on by a frame. */
bool pass(struct anchor *a, unsigned side, struct packet *k);
bool play(struct anchor *a, unsigned side, struct packet *k, uint8_t pt, uint16_t seq,
	  uint32_t ts);

#endif
