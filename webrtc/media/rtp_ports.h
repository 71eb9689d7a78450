/* webrtc/media/rtp_ports.h - the ports of media { rtp-ports }: one side's own, one after the other through the
 * range, so that a port rests as long as can be before somebody else has it. Signalling thread. */
#ifndef SLUSS_WEBRTC_MEDIA_RTP_PORTS_H
#define SLUSS_WEBRTC_MEDIA_RTP_PORTS_H

#include "gateway/config.h"

enum { RTP_PORT_FDS = 2 * MEDIA_CONFIG_ADDRS };

/** A port, or a pair for RTP and RTCP: bound on every address of media { listen }. */
struct rtp_port {
	uint16_t number; /**< 0: none */
	uint8_t n_ports; /**< 1, 2 */
	size_t n_fds;
	/** Of number, then of number + 1. The taker's to close; -1: it is somebody else's now. */
	int fdv[RTP_PORT_FDS];
};

struct rtp_ports;
/** Errors: ENOMEM; `mc` lives as long. */
int rtp_ports_alloc(struct rtp_ports **rp, const struct media_config *mc);
/** `n_ports` 2: the first is even (RFC 3550 §11). Nothing is in use twice, whoever uses it.
 *  Errors: EADDRNOTAVAIL: none is free; EMFILE and other errno of socket(). */
int rtp_ports_take(struct rtp_ports *r, struct rtp_port *port, uint8_t n_ports);
/** Its numbers are free again. Sockets are closed by whoever has them. */
void rtp_ports_give(struct rtp_ports *r, const struct rtp_port *port);
void rtp_port_close(struct rtp_port *port);
/** Ports in use, and how often there was none. */
uint32_t rtp_ports_used(const struct rtp_ports *r);
uint64_t rtp_ports_refused(const struct rtp_ports *r);

#endif
