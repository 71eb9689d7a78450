/* gateway/media.h - what the core needs of a media plane: sessions whose packets pass here. Declared by the
 * core, implemented by webrtc/media/ and tests. Thread: signalling.
 *
 *     party A ◄──► side 0 ── work: echo, relay, anchor ── side 1 ◄──► party B
 *     alloc(sides) ──► what we say of each side is there at once (local)
 *     remote(side, what its party has described), candidates(side, …) ──►
 *     ◄── media_event_h ── up; lost; foreign; capped                         (later, from the loop)
 *
 * A side is one transport (one BUNDLE group, or the m= sections of a peer that does not bundle). A session
 * lives on one media thread from its first to its last packet; what crosses to that thread is copied. */
#ifndef SLUSS_GATEWAY_MEDIA_H
#define SLUSS_GATEWAY_MEDIA_H

#include "gateway/candidates.h"
#include "lib/base.h"

enum {
	MEDIA_SIDES = 2,
	MEDIA_UFRAG = 8, /**< characters of ours: 48 bits (RFC 8445 §5.3 wants 24) */
	MEDIA_PWD = 24,  /**< 144 bits (128) */
	MEDIA_PWD_MAX = 256,
	MEDIA_ADDRS_MAX = 8,
	MEDIA_FINGERPRINTS_MAX = 4,
	MEDIA_STREAMS_MAX = 8,
	MEDIA_PLAIN_MAX = 2,
	MEDIA_TYPES_MAX = 16,
	MEDIA_PT_NONE = 0xff,
	MEDIA_KEY_MAX = 32,
	MEDIA_SALT_MAX = 14,
};

/** What becomes of the packets. */
enum media_work {
	MEDIA_WORK_ECHO,  /**< one side, which hears itself */
	MEDIA_WORK_RELAY, /**< DTLS and SRTP go through unread */
	MEDIA_WORK_ANCHOR /**< read here, and written anew for the other side */
};
/** How a side reaches its party. */
enum media_reach {
	MEDIA_LITE, /**< ICE-lite on the thread's shared port: browsers */
	MEDIA_FULL, /**< a port of its own (rtp-ports), full ICE: other gateways, lite peers, anybody */
	MEDIA_PLAIN /**< ports of its own (RTP, and RTCP at +1), no ICE: the description's address */
};
/** Who reads its packets. */
enum media_crypt {
	MEDIA_UNREAD, /**< nobody here: relay */
	MEDIA_DTLS,
	MEDIA_SDES,
	MEDIA_CLEAR
};
struct media_side_setup {
	enum media_reach reach;
	enum media_crypt crypt;
	bool controlling; /**< FULL: our description is the offer (RFC 8445 §6.1.1) */
	bool dtls_client; /**< DTLS: a=setup:active is ours, unless media_remote says otherwise */
	uint8_t n_plain; /**< PLAIN: port pairs, 1 to MEDIA_PLAIN_MAX */
	struct sa
		seen; /**< the address by which its party sees us, without port; only the family set: the best of ours in that family; AF_UNSPEC: the best */
};
/** What a relay lets through. 0: as much as comes. */
struct media_caps {
	uint32_t kbps,
		packets; /**< in one direction; packets a second; a second's worth at once */
	uint32_t time_s; /**< then MEDIA_CAPPED */
};

/** Of a certificate: sha-256, -384 or -512, told by its length. */
struct media_fingerprint {
	uint8_t n_bytes; /**< 32, 48, 64 */
	uint8_t v[64];
};

/** Keys of RFC 4568. Secret. */
struct media_sdes {
	uint16_t suite; /**< numbers of webrtc/media/srtp.h; 0: none */
	uint8_t key[MEDIA_KEY_MAX], salt[MEDIA_SALT_MAX];
};
/** One m= section of a party that does not bundle. */
struct media_plain {
	struct sa rtp,
		rtcp; /**< rtp unset: none yet (late offer, hold); rtcp unset: port + 1 */
	bool rtcp_mux;
	struct media_sdes sdes;
};

enum media_codec {
	MEDIA_CODEC_PLAYS,
	MEDIA_CODEC_EVENT, /**< telephone-event (RFC 4733) */
	MEDIA_CODEC_NOISE  /**< CN (RFC 3389) */
};
struct media_type {
	uint8_t pt; /**< MEDIA_PT_NONE: this side has it not, its packets are dropped */
	uint8_t codec;
	uint32_t clock_rate; /**< Hz */
};

/** One m= section that carries RTP. */
struct media_stream {
	uint32_t ssrc;   /**< ours */
	bool sends;      /**< we may send: its party receives, and is not on hold */
	uint8_t mid_ext; /**< id of the header extension that names the section; 0: none */
	char mid[17];    /**< empty: not to be told by it (none, or a longer one) */
	uint8_t ptv[16];     /**< echo: payload types: bit pt%8 of [pt/8] */
	uint32_t clock_rate; /**< of its first payload type, Hz: for jitter */
	/* anchor: row i of side 0's stream k is row i of side 1's stream k */
	uint8_t plain; /**< row of plainv, PLAIN sides */
	bool feedback; /**< its profile has AVPF: NACK, PLI, FIR and REMB may be sent to it */
	size_t n_types;
	struct media_type typev[MEDIA_TYPES_MAX];
};

/** What a party's description says of its transport. Copied. */
struct media_remote {
	char ufrag[ICE_UFRAG_MAX + 1];
	char pwd[MEDIA_PWD_MAX + 1]; /**< FULL */
	bool lite;        /**< a=ice-lite: we are controlling, whatever was said */
	bool dtls_server; /**< a=setup:passive: we are the client, whatever was said */
	size_t n_fingerprints;
	struct media_fingerprint fingerprintv[MEDIA_FINGERPRINTS_MAX];
	size_t n_plain;
	/** PLAIN; FULL without ufrag: row 0, a party that knows no ICE. sdes: what it sends with. */
	struct media_plain plainv[MEDIA_PLAIN_MAX];
	size_t n_streams;
	struct media_stream streamv[MEDIA_STREAMS_MAX];
};

/** What we say of a side; lives as long as its session. */
struct media_local {
	char ufrag[MEDIA_UFRAG + 1], pwd[MEDIA_PWD + 1]; /**< LITE, FULL */
	struct media_fingerprint fingerprint;            /**< sha-256; DTLS */
	size_t n_addrs;
	/** With the port: the shared one, or the side's own (PLAIN: of row 0); the best first. */
	struct sa addrv[MEDIA_ADDRS_MAX];
	size_t n_plain;
	/** PLAIN: ports of row i, with the address addrv[0]. sdes: a key and salt for the suite that is
	 *  agreed on, which takes their first bytes; suite 0. */
	struct media_plain plainv[MEDIA_PLAIN_MAX];
};

enum media_event {
	MEDIA_UP, /**< that side has keys with the party of the description; UNREAD: an address of it */
	MEDIA_NEVER, /**< it did not come that far in time. Last event of that side */
	MEDIA_LOST,  /**< its consent has run out (RFC 7675). Last event of that side */
	MEDIA_FOREIGN, /**< somebody with another certificate than the description's. Last event */
	MEDIA_FAILED, /**< our fault. Last event */
	MEDIA_CAPPED, /**< media_caps.time_s is over; nothing passes any more. Last event */
	MEDIA_EVENT_N
};
const char *media_event_name(enum media_event event);

/** Is a party of whom `before` was known still who it was (RFC 8842 §5)? All that it says now it has said before; a key that
 *  comes beside a known one would be the only one a description later. False: also where it says none. */
bool media_fingerprints_within(const struct media_fingerprint *v, size_t n,
			       const struct media_fingerprint *before, size_t n_before);
typedef void(media_event_h)(enum media_event event, unsigned side, void *arg);

struct media_session;
struct media_session_setup {
	enum media_work work;
	size_t n_sides; /**< echo 1, else 2 */
	struct media_side_setup sidev[MEDIA_SIDES];
	struct media_caps caps;
	const char *call_id; /**< for logs; copied */
};
struct media_ops {
	/** mem_deref() ends it, and no event comes after that. All of media_local is there. What the sides'
	 *  parties have described comes by remote(); the time limits-media-setup-time runs from when all
	 *  have. Errors: ENOMEM; EINVAL: that work with these sides; ENOSPC: too many, or its thread is
	 *  behind; EADDRNOTAVAIL: no port of rtp-ports is free. */
	int (*alloc)(struct media_session **sp, void *arg,
		     const struct media_session_setup *setup, media_event_h *h,
		     void *harg);
	/** What the party of `side` has described: first, and at every later offer or answer. Another ufrag
	 *  than before: ICE restarts on that side; the old pair serves until a new one is chosen (RFC 8445
	 *  §9). `fresh`: with credentials of ours made anew (media_local changes), since it is an offer
	 *  that we answer; or, with the ufrag of before, an offer of ours that restarts.
	 *  Errors: ENOMEM, ENOSPC: nothing has changed. */
	int (*remote)(struct media_session *s, unsigned side,
		      const struct media_remote *r, bool fresh);
	/** FULL: its candidates, the description's and later ones, of one generation each. LITE and PLAIN take
	 *  none. Errors: ENOMEM, ENOSPC. */
	int (*candidates)(struct media_session *s, unsigned side,
			  const struct candidates *c);
	const struct media_local *(*local)(const struct media_session *s, unsigned side);
};

#endif
