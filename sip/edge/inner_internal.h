/* sip/edge/inner_internal.h - what inner.c (all of the joint) and inner_conn.c (one
 * connection of it) share; nobody else includes this. */
#ifndef SLUSS_SIP_EDGE_INNER_INTERNAL_H
#define SLUSS_SIP_EDGE_INNER_INTERNAL_H

#include "sip/edge/inner.h"

enum {
	INNER_READ_BYTES = 65536,
	INNER_CONNS_MAX = 64,
	INNER_PROVE_MS = 10000, /* for a connection to show whose it is */
	INNER_QUIET_MS = 60000, /* one that brought responses only */
	INNER_STUCK_MS = 5000,  /* nothing that waits is read: Sofia has given it up */
	INNER_END_MS = 5000,    /* for Sofia to read the rest of one it has half-closed */
	INNER_SWITCH_MS = 1000, /* not more than one new one in that time */
	INNER_HIGH_BYTES = 4 << 20,
	INNER_LOW_BYTES = 1 << 20,
	INNER_MAX_BYTES = 64 << 20,
};

struct inner_conn {
	struct le le;
	struct inner *in;
	uv_tcp_t tcp;
	uint64_t serial;
	bool dialled, proved, asked; /* asked: brought a request */
	bool closing;
	bool mute;   /* Sofia will send no more on it */
	bool ending; /* nor shall we */
	uint32_t bad_conn, bad_gen;
	struct mbuf *out;
	struct frame frame;
	struct timer timer;
};

struct inner {
	uv_loop_t *loop;
	struct timers *timers;
	struct inner_ops ops;
	void *arg;
	uv_tcp_t listener;
	bool listening, stopped, congested;
	uint16_t port, sofia_port;
	size_t max_bytes;
	struct list conns;
	unsigned n_conns;
	struct inner_conn *main; /* ours; borrowed from the list */
	uint64_t switched_us;    /* when we last moved on from a mute one */
	uint64_t serial;
	struct inner_stats st;
	struct message room;
	char read[INNER_READ_BYTES];
};

/* inner_conn.c */
struct inner_conn *inner_conn_alloc(struct inner *in, bool dialled);
void inner_conn_send(struct inner_conn *ic, const void *p, size_t n);
void inner_conn_flush(struct inner_conn *ic);
size_t inner_conn_waiting(const struct inner_conn *ic);
int inner_conn_listen(struct inner_conn *ic); /* reads from now on */
void inner_conn_prove(struct inner_conn *ic); /* it has a while to show whose it is */
void inner_conn_finish(
	struct inner_conn *ic); /* nothing more to say: writes the rest, then ends */
void inner_conn_close(struct inner_conn *ic, bool reset);

/* inner.c */
void inner_congestion(struct inner *in);

#endif
