/* gateway/sdp_desc.h - what one party's description says of its media, told apart from the dialect that it is
 * written in: the neutral form between WebRTC and RTP/AVP, RTP/SAVP, UDP/TLS/RTP/SAVPF. Pure.
 *
 * Of an attribute that it does not know it says nothing: in an anchored call our own description goes to the other
 * side, and holds only what both sides were understood to say. */
#ifndef SLUSS_GATEWAY_SDP_DESC_H
#define SLUSS_GATEWAY_SDP_DESC_H

#include "gateway/sdes.h"
#include "gateway/sdp_answer.h"

enum {
	SDP_DESC_MEDIA_MAX = 16, /**< m= lines */
	SDP_DESC_CODECS_MAX =
		24, /**< of one of them, that are known here; more are passed over */
	SDP_DESC_CRYPTOS_MAX = 4, /**< the same, of a=crypto */
	SDP_WORD_MAX = 32,        /**< bytes of a word of m= */
	SDP_FMTP_MAX =
		512, /**< bytes of one a=fmtp; a codec with a longer one is passed over */
	SDP_PTIME_MIN_MS = 10,
	SDP_PTIME_MAX_MS = 120,
};

enum sdp_kind { SDP_OTHER, SDP_AUDIO, SDP_VIDEO };
enum sdp_profile {
	SDP_PROFILE_OTHER,
	SDP_AVP,        /**< RTP/AVP, RTP/AVPF */
	SDP_SAVP,       /**< RTP/SAVP, RTP/SAVPF */
	SDP_DTLS_SAVPF, /**< UDP/TLS/RTP/SAVPF, UDP/TLS/RTP/SAVP */
};
enum sdp_setup { SDP_SETUP_NONE, SDP_ACTPASS, SDP_ACTIVE, SDP_PASSIVE };

enum sdp_codec_id {
	SDP_OPUS,
	SDP_G722,
	SDP_PCMU,
	SDP_PCMA,
	SDP_VP8,
	SDP_H264,
	SDP_CN,         /**< comfort noise, 8000 Hz (RFC 3389) */
	SDP_EVENT_8000, /**< telephone-event (RFC 4733) */
	SDP_EVENT_48000,
	SDP_CODEC_N
};
struct sdp_codec_kind {
	enum sdp_kind kind;
	const char *name;
	uint32_t clock_rate;
	unsigned channels; /**< 0: not said */
	int fixed;         /**< payload type where none is mapped (RFC 3551 §6), or -1 */
	bool extra;        /**< goes beside a codec, never alone */
};
const struct sdp_codec_kind *sdp_codec_kind(enum sdp_codec_id id);

struct sdp_codec {
	enum sdp_codec_id id;
	uint8_t pt;
	uint8_t mode;     /**< H264: packetization-mode (RFC 6184 §8.1) */
	uint16_t profile; /**< H264: profile_idc and its constraints */
	struct sdp_text fmtp;
	bool nack, pli, fir, remb; /**< a=rtcp-fb */
};

/** One a=crypto (RFC 4568). */
struct sdp_crypto {
	uint32_t tag;
	struct media_sdes sdes; /**< what its sender encrypts with */
};

/** One m= section. Texts point into the description's body. */
struct sdp_section {
	enum sdp_kind kind;
	enum sdp_profile profile;
	struct sdp_text kind_text, proto_text, format, mid; /**< format: the first one */
	enum sdp_direction direction;
	enum sdp_setup setup;
	bool refused;  /**< port 0, and not bundle-only */
	bool bundled;  /**< its mid is in the BUNDLE group */
	bool held;     /**< c=0.0.0.0: nothing is to be sent there (RFC 3264 §8.4) */
	bool ended;    /**< no more candidates follow */
	bool feedback; /**< its profile is …AVPF (RFC 4585) */
	bool rtcp_mux;
	bool weak_fingerprint; /**< one that nobody should trust */
	uint8_t mid_ext;       /**< as in sdp_answer.h */

	struct sa rtp, rtcp;        /**< unset: none, or a name */
	uint16_t port;              /**< of m= */
	uint16_t rtcp_port;         /**< of a=rtcp; 0: none */
	uint32_t ptime, maxptime;   /**< ms, within SDP_PTIME_*; 0: not said */
	uint32_t b_as, b_tias;      /**< kbit/s and bit/s (RFC 8866 §5.8); 0: not said */
	struct sdp_text ufrag, pwd; /**< its own, its bundle's or the session's */
	size_t n_fingerprints;
	struct media_fingerprint fingerprintv[MEDIA_FINGERPRINTS_MAX];
	size_t n_cryptos;
	struct sdp_crypto cryptov[SDP_DESC_CRYPTOS_MAX]; /**< usable ones */
	size_t n_codecs;
	struct sdp_codec codecv[SDP_DESC_CODECS_MAX]; /**< in its order */
};

struct sdp_desc {
	struct body *body; /**< owned */
	bool ice_lite, bundles;
	unsigned n_media;
	struct sdp_section mediav[SDP_DESC_MEDIA_MAX];
};
/** Checks it (sdp_check()) and reads it. mem_deref() wipes its keys.
 *  Errors: EBADMSG with a sentence in *whyp; ENOMEM. */
int sdp_desc_read(struct sdp_desc **dp, const char **whyp, struct body *body);

#endif
