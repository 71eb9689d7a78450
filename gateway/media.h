/* gateway/media.h - what the core needs of a media plane: sessions that end ICE, DTLS and SRTP of a party
 * here. Declared by the core, implemented by webrtc/media/ and tests/fake/. Thread: signalling.
 *
 *     leg ── session_alloc(setup) ──► session: its half of a description is there at once (media_local)
 *     leg ◄── media_event_h ───────── up; lost; foreign                      (later, from the loop)
 *
 * A session is one transport (one BUNDLE group) and lives on one media thread from its first to its last
 * packet; what crosses to that thread is copied. */
#ifndef SLUSS_GATEWAY_MEDIA_H
#define SLUSS_GATEWAY_MEDIA_H

#include "gateway/candidates.h"
#include "lib/base.h"

enum {
	MEDIA_UFRAG = 8, /**< characters of ours: 48 bits (RFC 8445 §5.3 wants 24) */
	MEDIA_PWD = 24,  /**< 144 bits (128) */
	MEDIA_ADDRS_MAX = 8,
	MEDIA_FINGERPRINTS_MAX = 4,
	MEDIA_STREAMS_MAX = 8,
};

/** Of a certificate: sha-256, -384 or -512, told by its length. */
struct media_fingerprint {
	uint8_t n_bytes; /**< 32, 48, 64 */
	uint8_t v[64];
};

/** What a party's description says of its transport. */
struct media_peer {
	char ufrag[ICE_UFRAG_MAX + 1];
	size_t n_fingerprints;
	struct media_fingerprint fingerprintv[MEDIA_FINGERPRINTS_MAX];
};

/** One m= section that carries RTP. */
struct media_stream {
	uint32_t ssrc;   /**< ours */
	bool sends;      /**< we may send: its party receives, and is not on hold */
	uint8_t mid_ext; /**< id of the header extension that names the section; 0: none */
	char mid[17];    /**< empty: not to be told by it (none, or a longer one) */
	uint8_t ptv[16];     /**< payload types: bit pt%8 of [pt/8] */
	uint32_t clock_rate; /**< of its first payload type, Hz: for jitter */
};

/** All that a media thread needs to know. Copied. */
struct media_setup {
	struct media_peer peer;
	size_t n_streams;
	struct media_stream streamv[MEDIA_STREAMS_MAX];
};

/** What we say of our transport; lives as long as its session. */
struct media_local {
	char ufrag[MEDIA_UFRAG + 1], pwd[MEDIA_PWD + 1];
	struct media_fingerprint fingerprint; /**< sha-256 */
	size_t n_addrs;
	struct sa addrv[MEDIA_ADDRS_MAX]; /**< with the port; the best first */
};

enum media_event {
	MEDIA_UP, /**< keys are agreed with the party of the description: packets flow */
	MEDIA_NEVER, /**< it did not come that far in time. Last event */
	MEDIA_LOST,  /**< its consent has run out (RFC 7675). Last event */
	MEDIA_FOREIGN, /**< somebody with another certificate than the description's. Last event */
	MEDIA_FAILED, /**< our fault. Last event */
	MEDIA_EVENT_N
};
const char *media_event_name(enum media_event event);
typedef void(media_event_h)(enum media_event event, void *arg);

struct media_session;
struct media_ops {
	/** A session whose party hears itself; mem_deref() ends it, and no event comes after that.
	 *  `call_id`: for logs, copied. Errors: ENOMEM; ENOSPC: too many, or its thread is behind. */
	int (*echo_alloc)(struct media_session **sp, void *arg,
			  const struct media_setup *setup, const char *call_id,
			  media_event_h *h, void *harg);
	/** A new offer was taken. With another ufrag of the peer ICE restarts: media_local changes, and the
	 *  old pair serves until a new one is chosen (RFC 8445 §9). Errors: ENOSPC: nothing has changed. */
	int (*change)(struct media_session *s, const struct media_setup *setup);
	const struct media_local *(*local)(const struct media_session *s);
};

#endif
