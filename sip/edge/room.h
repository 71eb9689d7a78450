/* sip/edge/room.h - the edge's own insides: the struct that ties its parts together, and
 * its two directions. Only edge.c, reports.c, inward.c and outward.c include this. Edge
 * thread but for what says otherwise. */
#ifndef SLUSS_SIP_EDGE_ROOM_H
#define SLUSS_SIP_EDGE_ROOM_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "sip/edge/allowance.h"
#include "sip/edge/census.h"
#include "sip/edge/conn.h"
#include "sip/edge/dial.h"
#include "sip/edge/edge.h"
#include "sip/edge/inner.h"
#include "sip/edge/mark.h"
#include "sip/edge/txn.h"

/* edge_stats(), from any thread. */
struct edge_atomics {
	_Atomic uint64_t n_accepted, n_dialled, n_handshake_failed, n_in, n_out,
		n_dropped_secret, n_framing, n_stale, n_excess;
	_Atomic uint32_t n_conns, n_pending;
};

struct edge_listener {
	uv_tcp_t tcp;
	struct edge *edge;
	bool open, tls;
	bool owed; /* a connection waits that could not be taken for want of memory */
	uint16_t port;
};

struct edge {
	const struct config *config;
	char secret[JOINT_SECRET_HEX + 1];
	struct mailbox *to_sig, *orders;
	uv_loop_t loop;
	bool loop_up;
	uv_async_t wake;
	uv_prepare_t before_sleep;
	uv_timer_t alarm; /* drives `timers` */
	struct timers *timers;
	struct timer poll; /* certificates */
	struct timer last; /* the end comes, whatever is left */
	struct tls *tls;
	struct conns *conns;
	struct dns *dns;
	struct resolver *resolver;
	struct list askings; /* trunk.c */
	struct dialler *dialler;
	struct inner *inner;
	struct txns *txns;
	struct mark *mark;
	struct census *census;
	struct allowance *strangers, *their_acks; /* of connections that prove nobody */
	struct edge_listener *listenv;            /* of config->sipv[i] */
	struct mbuf *room;                        /* the message being written */
	uint64_t n_in, n_out, n_stale, n_excess;
	bool stopping;
	uint32_t stop_ms; /* since then */
	pthread_t thread;
	bool started;
	struct edge_atomics stats;
};

/* reports.c */
extern const struct conn_ops edge_conn_ops;
extern const struct inner_ops edge_inner_ops;
void edge_tell(struct edge *e, const struct edge_event *event);
void edge_on_census(const char *domain, bool up, const char *why, unsigned n_conns,
		    void *arg);
void edge_on_cert(const char *domain, int64_t until_s, const char *why, void *arg);

/* edge.c */
uint16_t edge_port_of(const struct edge *e,
		      bool tls); /* of the first listener of that kind; 0: none */

/* trunk.c */
/** An EDGE_RESOLVE. */
void trunk_resolve(struct edge *e, const struct edge_order *order);
/** The trunk that a connection is from, by its address, or that it was dialled for; empty: none. */
const char *trunk_of_conn(const struct edge *e, const struct conn *c);

/* inward.c: from the peers to Sofia */
int inward_open(struct edge *e, struct conn *c);
void inward_message(struct edge *e, struct conn *c, const struct message *m);
void inward_broken(struct edge *e, struct conn *c, const struct message *m, int why);

/* outward.c: from Sofia to the peers */
bool outward_message(struct edge *e, struct inner_conn *ic, const struct message *m);
void outward_lost(struct edge *e, struct conn *c);
void outward_txn_timeout(struct txn *t, unsigned actions, void *arg);
/* A response of the peer moves its transaction. Gives it, with a reference, when the
 * response is to be passed on: `via` and `inner` say what Sofia put there and where it
 * waits. Else NULL. */
struct txn *outward_on_response(struct edge *e, struct conn *c, const struct via *top,
				const struct message *m);

#endif
