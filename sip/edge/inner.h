/* sip/edge/inner.h - the edge's side of the joint: one connection to Sofia, and those
 * that Sofia dials.
 *
 * Ours is shared by all peers and opened when there is something to say. Sofia
 * half-closes it after it has answered a bad message with 400: what was written before is
 * still read, later messages go over a new one. A connection to our port that has not
 * shown the secret or a sealed Via is a stranger's: its first foreign message, or some
 * seconds of silence, ends it. We end connections by RST: after a FIN, Sofia would wait
 * 32 s. Edge thread. docs/decisions/0001-one-inner-connection.md. */
#ifndef SLUSS_SIP_EDGE_INNER_H
#define SLUSS_SIP_EDGE_INNER_H

#include <uv.h>

#include "lib/timer.h"
#include "sip/edge/frame.h"

struct inner;
struct inner_conn;

struct inner_ops {
	/** True: it was Sofia's (the secret, a seal, a branch that we know on a
	 *  connection proved before). */
	bool (*message)(struct inner_conn *ic, const struct message *m, void *arg);
	/** Sofia does not keep up: stop reading from the peers, or go on. */
	void (*congested)(bool yes, void *arg);
	/** Sofia half-closed after a response to that connection's request. */
	void (*offended)(uint32_t conn, uint32_t gen, void *arg);
};
struct inner_stats {
	uint64_t n_foreign, n_dropped, n_opened;
};

/** Binds 127.0.0.1, any port. Errors: errno. */
int inner_alloc(struct inner **ip, uv_loop_t *loop, struct timers *timers,
		size_t max_bytes, const struct inner_ops *ops, void *arg);
uint16_t inner_port(const struct inner *in);
void inner_set_sofia(struct inner *in, uint16_t port);
/** To Sofia over our connection. Bounded: dropped and counted when Sofia is stuck. */
void inner_send(struct inner *in, const void *p, size_t n);
/** To Sofia over the connection `serial` if that is open, else over ours. */
void inner_reply(struct inner *in, uint64_t serial, const void *p, size_t n);
/** Writes out what was sent: call before the loop sleeps. */
void inner_flush(struct inner *in);
/** Closes everything (RST); mem_deref when the loop has ended. */
void inner_stop(struct inner *in);
void inner_stats(const struct inner *in, struct inner_stats *st);

uint64_t inner_conn_serial(const struct inner_conn *ic);
bool inner_conn_proved(const struct inner_conn *ic);
/** A response of Sofia that closes the connection behind it (400, 413, 505) came for that
 *  peer's connection. */
void inner_conn_note_bad(struct inner_conn *ic, uint32_t conn, uint32_t gen);

#endif
