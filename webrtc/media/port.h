/* webrtc/media/port.h - the UDP port of a media thread, which all its sessions share, and the sockets that
 * single sides have of their own: many packets a system call.
 *
 *   recvmmsg ──► h(path, packet) … h(path, packet) ──► sendmmsg        what is sent waits for the batch's end
 *
 * Bound by the signalling thread before privileges are dropped; then one media thread's. A reply leaves from
 * the address that was asked (IP_PKTINFO), as a peer behind a NAT expects. */
#ifndef SLUSS_WEBRTC_MEDIA_PORT_H
#define SLUSS_WEBRTC_MEDIA_PORT_H

#include "lib/base.h"

enum {
	PORT_PACKET = 1600, /**< bytes of a datagram at most; longer ones are dropped */
	PORT_ROOM = 64,     /**< free bytes behind a received one, for a tag */
	PORT_BATCH = 32,
	PORT_SOCKETS_MAX = 8
};

/** From where to where: what a reply needs. */
struct port_path {
	struct sa peer;
	struct sa local;            /**< address only */
	uint32_t scope;             /**< interface, for link-local addresses */
	int fd;                     /**< the socket it came in by, and replies leave by */
	const struct port_own *own; /**< NULL: the shared port */
};

/** A socket of one side's own. */
struct port_own {
	int fd;
	int af;
	void *owner; /**< whose it is: session.c's word */
	uint8_t row; /**< of plainv */
	bool rtcp;   /**< the second of a pair */
};

struct port;
typedef void(port_h)(const struct port_path *path, uint8_t *p, size_t n, void *arg);

/** Binds every address of `listenv` to the same port number; 0: one that is free.
 *  Errors: one line in *whyp (mem_deref). */
int port_alloc(struct port **pp, char **whyp, const struct sa *listenv, size_t n,
	       uint16_t number);
uint16_t port_number(const struct port *p);
/** Its sockets, in the order of listenv, to be waited for. */
int port_fd(const struct port *p, size_t i);
size_t port_sockets(const struct port *p);

/** Takes up to PORT_BATCH datagrams from socket `i`, hands each to `h`, sends what was given to port_send()
 *  meanwhile. Gives how many came. */
size_t port_take(struct port *p, size_t i, port_h *h, void *arg);
/** `data` stays as it is until the flush at the batch's end. */
void port_send(struct port *p, const struct port_path *path, const uint8_t *data,
	       size_t n);
/** PORT_PACKET bytes to write a packet into, good until the next flush. Sixty in a row do not overlap. */
uint8_t *port_scratch(struct port *p);
void port_flush(struct port *p);

/** A socket as the port has them: not blocking, tells where a datagram was sent to. `shared`: with the buffers
 *  of a thread's port. Errors: errno of socket() and bind(). Signalling thread. */
int port_socket_bind(int *fdp, const struct sa *listen, uint16_t number, bool shared);
/** To be waited for beside port_fd(): readable when a joined socket is. */
int port_own_fd(const struct port *p);
/** `o->fd` is the port's from here on, and closed by port_own_leave(). `o` stays where it is meanwhile.
 *  Errors: ENOMEM, ENOSPC: the kernel's; the socket is not joined. */
int port_own_join(struct port *p, struct port_own *o);
/** Not from within a port_h. */
void port_own_leave(struct port *p, struct port_own *o);
/** As port_take(), from sockets that have something. */
size_t port_take_own(struct port *p, port_h *h, void *arg);

struct port_counters {
	uint64_t n_in, n_out, n_unsent, n_long;
};
const struct port_counters *port_counters(const struct port *p);

#endif
