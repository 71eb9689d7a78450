/* gateway/leg_media.h - what the party of a leg speaks in media. */
#ifndef SLUSS_GATEWAY_LEG_MEDIA_H
#define SLUSS_GATEWAY_LEG_MEDIA_H

/** A call with a leg that is not LEG_WEBRTC has its media anchored here. */
enum leg_media {
	LEG_WEBRTC, /**< ICE and DTLS-SRTP, BUNDLE: browsers, other sites */
	LEG_RTP,    /**< RTP/AVP in the clear */
	LEG_SDES,   /**< RTP/SAVP, keys in the description (RFC 4568) */
	LEG_DTLS,   /**< UDP/TLS/RTP/SAVPF without ICE or with it */
};
const char *leg_media_name(enum leg_media media);

#endif
