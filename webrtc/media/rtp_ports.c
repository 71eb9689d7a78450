/* webrtc/media/rtp_ports.c - which ports of rtp-ports are in use, and binding the next.
 *
 * Signalling thread. Called by media.c; calls port.c to bind. Where an address family is missing on this machine
 * its unspecified address is left out, as on the shared port. RFC 3550 §11 (even and odd). */
#include "webrtc/media/rtp_ports.h"

#include <unistd.h>

#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/media/port.h"

/* Others may use some ports of the range: so many are tried before we say that there is none. */
enum { TRIES = 256 };

struct rtp_ports {
	const struct media_config *mc;
	uint32_t next; /**< where the search goes on, 0 at the range's first */
	uint32_t n_used;
	uint64_t n_refused;
	uint8_t used[(UINT16_MAX + 1) / 8];
};

int rtp_ports_alloc(struct rtp_ports **rp, const struct media_config *mc)
{
	struct rtp_ports *r = mem_zalloc(sizeof(*r), NULL);

	if (!r)
		return ENOMEM;
	r->mc = mc;
	/* two daemons of one machine do not walk in step */
	r->next = (uint32_t)(secret_u64() % (mc->rtp_last - mc->rtp_first + 1u));
	*rp = r;
	return 0;
}

static bool is_used(const struct rtp_ports *r, uint32_t number)
{
	return r->used[number / 8] >> (number % 8) & 1;
}

static void mark(struct rtp_ports *r, uint32_t number, bool used)
{
	uint8_t bit = (uint8_t)(1u << (number % 8));

	if (used)
		r->used[number / 8] |= bit;
	else
		r->used[number / 8] &= (uint8_t)~bit;
}

void rtp_port_close(struct rtp_port *port)
{
	for (size_t i = 0; i < port->n_fds; i++)
		if (port->fdv[i] >= 0)
			close(port->fdv[i]);
	port->n_fds = 0;
}

static bool may_lack(const struct sa *listen, int err)
{
	return (err == EAFNOSUPPORT || err == EADDRNOTAVAIL) &&
	       sa_af(listen) == AF_INET6 && sa_is_any(listen);
}

/** All addresses, all ports; or none. */
static int bind_all(const struct rtp_ports *r, struct rtp_port *port)
{
	int err = 0;

	port->n_fds = 0;
	for (unsigned k = 0; k < port->n_ports; k++) {
		for (size_t i = 0; i < r->mc->n_listen; i++) {
			const struct sa *listen = &r->mc->listenv[i];
			uint16_t number = (uint16_t)(port->number + k);

			err = port_socket_bind(&port->fdv[port->n_fds], listen, number,
					       false);
			if (!err)
				port->n_fds++;
			else if (!may_lack(listen, err))
				goto out;
		}
	}
	err = port->n_fds ? 0 : EAFNOSUPPORT;
out:
	if (err)
		rtp_port_close(port);
	return err;
}

/** The next number that begins `n_ports` free ones; 0: none. */
static uint32_t next_free(struct rtp_ports *r, uint8_t n_ports)
{
	uint32_t size = r->mc->rtp_last - r->mc->rtp_first + 1u;

	for (uint32_t i = 0; i < size; i++) {
		uint32_t number = r->mc->rtp_first + r->next;

		r->next = (r->next + 1) % size;
		if (is_used(r, number))
			continue;
		if (n_ports == 1)
			return number;
		if (number % 2 == 0 && number < r->mc->rtp_last &&
		    !is_used(r, number + 1))
			return number;
	}
	return 0;
}

int rtp_ports_take(struct rtp_ports *r, struct rtp_port *port, uint8_t n_ports)
{
	int err = EADDRNOTAVAIL;

	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t number = next_free(r, n_ports);

		if (!number)
			break;
		port->number = (uint16_t)number;
		port->n_ports = n_ports;
		err = bind_all(r, port);
		if (err == EADDRINUSE)
			continue;
		break;
	}
	if (err) {
		err = err == EADDRINUSE ? EADDRNOTAVAIL : err;
		r->n_refused++;
		if ((r->n_refused & (r->n_refused - 1)) == 0)
			log_err(NULL, "media.ports",
				"used=%u refused=%llu range=%u-%u why=%s", r->n_used,
				(unsigned long long)r->n_refused, r->mc->rtp_first,
				r->mc->rtp_last, LQ(strerror(err)));
		port->number = 0;
		return err;
	}
	for (unsigned k = 0; k < n_ports; k++)
		mark(r, port->number + k, true);
	r->n_used += n_ports;
	return 0;
}

void rtp_ports_give(struct rtp_ports *r, const struct rtp_port *port)
{
	if (!port->number)
		return;
	for (unsigned k = 0; k < port->n_ports; k++)
		mark(r, (uint32_t)port->number + k, false);
	r->n_used -= port->n_ports;
}

uint32_t rtp_ports_used(const struct rtp_ports *r)
{
	return r->n_used;
}

uint64_t rtp_ports_refused(const struct rtp_ports *r)
{
	return r->n_refused;
}
