/* sip/edge/conn.h - the outer connections: accepting, dialling, TLS, framing, timeouts,
 * caps.
 *
 * A connection has an id and a generation; the id is used again, the pair never. What a
 * connection brings goes to the handlers given at the start; they may close it and dial
 * others. A message that a handler gets is borrowed. Edge thread. RFC 3261 §18, RFC 5626
 * §4.4.1 (keep-alive), RFC 5923. */
#ifndef SLUSS_SIP_EDGE_CONN_H
#define SLUSS_SIP_EDGE_CONN_H

#include <uv.h>

#include "lib/timer.h"
#include "sip/edge/frame.h"
#include "sip/edge/tls.h"

struct conn;
struct conns;

struct conn_ops {
	void (*open)(struct conn *c, void *arg); /**< messages may pass */
	void (*fail)(struct conn *c, void *arg); /**< it never opened: conn_why() */
	void (*lost)(struct conn *c, void *arg); /**< it was open, no more: conn_why() */
	void (*message)(struct conn *c, const struct message *m, void *arg);
	/** The head of a message behind which nothing can be read; `why` is EBADMSG,
	 *  EMSGSIZE, E2BIG. The connection is closed afterwards. */
	void (*broken)(struct conn *c, const struct message *m, int why, void *arg);
};

struct conns_stats {
	uint64_t n_accepted, n_dialled, n_handshake_failed, n_framing, n_refused;
	uint32_t n_conns;
};

/** Errors: ENOMEM. Owns: *csp by mem_deref, after conns_stop() and when none is left. */
int conns_alloc(struct conns **csp, uv_loop_t *loop, struct timers *timers,
		struct tls *tls, const struct config *config, const struct conn_ops *ops,
		void *arg);
/** Takes the next connection of a listening socket. A cap that is reached closes it at
 *  once.
 *  Errors: ENOMEM; libuv then waits for another call before it tells of the next one. */
int conns_accept(struct conns *cs, uv_stream_t *listener, bool tls);
/** Dials. The connection is new and reports open or fail later, never inside this call.
 *  @param domain  what the peer must prove
 *  @param host  what it may prove instead, or NULL
 *  @param limit_ms  for TCP and TLS together
 *  Errors: ENOMEM, ENFILE (cap). */
int conns_dial(struct conn **cp, struct conns *cs, const char *site, const struct sa *to,
	       bool tls, const char *domain, const char *host, uint64_t limit_ms);
/** One that is open or on its way to `to`, was dialled for `site`, and proves or will
 *  prove `domain` (or `host`, when not NULL). NULL when there is none. */
struct conn *conns_find_dialled(struct conns *cs, const char *site, const struct sa *to,
				bool tls, const char *domain, const char *host);
/** NULL when that connection is no more, or not open. */
struct conn *conns_find(struct conns *cs, uint32_t id, uint32_t gen);
/** Is there an open one from that address, any port, that proves `domain`? */
bool conns_has_peer(struct conns *cs, const struct sa *addr, const char *domain);
/** Writes out what was sent since: call before the loop sleeps. */
void conns_flush(struct conns *cs);
/** Stops reading from the peers, or goes on. */
void conns_pause(struct conns *cs, bool pause);
/** Closes all in order; `force`: at once. */
void conns_stop(struct conns *cs, bool force);
void conns_stats(const struct conns *cs, struct conns_stats *st);

/** Errors: ENOTCONN; ENOBUFS the peer does not read (the connection is closed then). */
int conn_send(struct conn *c, const void *p, size_t n);
/** Ends it in order: what was sent before is still written. `why` is for the log and
 *  conn_why(). */
void conn_close(struct conn *c, const char *why);
uint32_t conn_id(const struct conn *c);
uint32_t conn_gen(const struct conn *c);
bool conn_is_open(const struct conn *c);
bool conn_is_tls(const struct conn *c);
bool conn_is_dialled(const struct conn *c);
const struct sa *conn_peer(const struct conn *c);
const char *conn_addr(const struct conn *c); /**< "192.0.2.7:5061" */
const char *conn_site(const struct conn *c);
/** What the peer's certificate proves, '/'-separated. */
const char *conn_names(const struct conn *c);
/** Dialled: whom we looked for; else "". */
const char *conn_domain(const struct conn *c);
const char *conn_why(const struct conn *c);
/** Does it stand for `domain`: by its certificate, or dialled in plain TCP as the
 *  configuration says? */
bool conn_proves(const struct conn *c, const char *domain);
/** Does it stand for any domain at all? */
bool conn_proves_any(const struct conn *c);
/** One more request of it was too many; gives how many have been. */
unsigned conn_note_excess(struct conn *c);
/** Room for a connection's users: who waits for it to open, what is pending on it. */
struct list *conn_waiters(struct conn *c);
struct list *conn_pending(struct conn *c);
/** A text that the inward direction keeps with it (mem_deref'd with the connection). */
const char *conn_note(const struct conn *c);
void conn_set_note(struct conn *c, char *note);

/** "192.0.2.7:5061", "[2001:db8::7]:5061" into buf[64]; gives buf. */
const char *sa_text(char buf[64], const struct sa *sa);

#endif
