/* sip/edge/conn_internal.h - what conn.c, conn_tls.c and conns.c share; nobody else
 * includes this. */
#ifndef SLUSS_SIP_EDGE_CONN_INTERNAL_H
#define SLUSS_SIP_EDGE_CONN_INTERNAL_H

#include "sip/edge/conn.h"
#include "sip/edge/conn_fsm.h"
#include "sip/edge/crowd.h"

enum {
	CONN_READ_BYTES = 65536,
	CONN_LINGER_MS = 2000,   /* for the peer's FIN after ours */
	CONN_PING_MS = 30000,    /* RFC 5626 §4.4.1: 24 to 30 s over a stream */
	CONN_PARTIAL_MS = 30000, /* for the rest of a message that has begun */
	CONN_WRITE_MS = 20000, /* TCP_USER_TIMEOUT: unacknowledged for so long is dead */
	CONN_HALF_MAX = 1024,  /* handshakes under way; one more ends the oldest */
};

struct conn {
	struct conns *cs;
	uv_tcp_t tcp;
	uint32_t id, gen;
	enum conn_state state;
	bool dialled, tls;
	bool counted;      /* in the crowd of its address */
	bool peer_ended;   /* its FIN or close_notify has come */
	unsigned n_excess; /* requests beyond what it may send */
	struct sa peer;
	char addr[64];
	char *domain, *host; /* dialled: what it must prove */
	const char *proved;  /* dialled and open: which of the two it did */
	char *names, *note;
	struct tls_peer side;
	SSL *ssl;          /* made when the first bytes come, or at connect */
	const uint8_t *in; /* what the BIO reads from, during a read only */
	size_t in_n;
	struct mbuf
		*out; /* what the BIO and plain sends have written since the last flush */
	struct frame frame;
	char why[TLS_WHY];
	uint64_t message_us; /* the last message, either way */
	uint64_t traffic_us; /* the last bytes we sent */
	uint64_t partial_us; /* when the message that is not yet whole began; 0: none */
	struct timer timer;
	struct list waiters, pending;
	struct le le_all, le_dirty, le_addr, le_dest, le_half, le_paused;
};

struct conns {
	uv_loop_t *loop;
	struct timers *timers;
	struct tls *tls;
	const struct config *config;
	const char *first_site;
	struct conn_ops ops;
	void *arg;
	BIO_METHOD *bio;
	struct conn **slotv; /* by id - 1 */
	uint32_t *genv;
	uint32_t n_slots, *freev, n_free;
	struct list all, dirty, paused;
	struct list half; /* accepted, TLS not yet up, oldest first */
	struct hash *by_addr, *by_dest;
	struct crowd *crowd;
	uint32_t n_half;
	bool stopping, pausing;
	struct mbuf *spare; /* an empty output buffer to use again */
	struct conns_stats st;
	struct message room;
	char read[CONN_READ_BYTES], plain[CONN_READ_BYTES];
};

/* conn.c */
void conn_event(struct conn *c, enum conn_event event, const char *why);
void conn_dirty(struct conn *c);
void conn_flush(struct conn *c);
void conn_begin(struct conn *c,
		uint64_t limit_ms); /* the socket is connected or connecting */
void conn_started(struct conn *c);  /* TCP is up */
int conn_take(struct conn *c, const char *p,
	      size_t n); /* plain bytes of the peer, to the framing */
struct mbuf *conn_out(struct conn *c);
void conn_resume(struct conn *c); /* reads on */

/* conn_tls.c */
BIO_METHOD *conn_bio_alloc(void);
int conn_tls_start(struct conn *c);
void conn_tls_read(struct conn *c, const char *p, size_t n);
int conn_tls_send(struct conn *c, const void *p, size_t n);
void conn_tls_shut(struct conn *c);

/* conns.c */
void conns_opened(struct conn *c);
void conns_not_usable(struct conn *c); /* no more found by destination or address */
void conns_released(struct conn *c);   /* its handle is closed */

#endif
