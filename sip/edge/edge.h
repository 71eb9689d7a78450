/* sip/edge/edge.h - the SIP edge: every SIP stream connection to the outside world, on
 * its own thread.
 *
 *   peer ══ TLS ══► edge ──── loopback TCP, the joint ────► Sofia (NTA, signalling thread)
 *   peer ◄═ TLS ═══ edge ◄─── loopback TCP, the joint ───── Sofia
 *
 * Inwards: one shared inner connection edge -> Sofia's port carries all requests and
 * responses; the edge pushes one Via of its own on requests (branch: keyed hash; it names
 * connection and generation) and pops it off the responses. Outwards: Sofia sends every
 * request to the edge's inner port. Each message across the joint carries one private
 * header, see sip/joint.h.
 *
 * Start: edge_alloc() binds; the agent is made with the edge's port as default proxy;
 * edge_start() learns the agent's port and starts the thread. */
#ifndef SLUSS_SIP_EDGE_EDGE_H
#define SLUSS_SIP_EDGE_EDGE_H

#include "gateway/config.h"
#include "lib/base.h"
#include "lib/mailbox.h"
#include "sip/joint.h"

struct edge;

/* ---- edge -> signalling ---- */
enum edge_event_kind {
	/** token, domain, target ("192.0.2.7:5061"), spent_ms: this request was written to
	 *  it, after so long a wait for its connection */
	EDGE_SENT,
	/** token, domain, target, why: a target could not be used, or (target empty) there
	 *  is no way to any. The edge goes on to the next one; when none is left Sofia gets
	 *  a 503 with the last reason by itself */
	EDGE_FAILED,
	/** domain, up, why, n_conns: for slussctl peers and the log */
	EDGE_PEER,
	/** domain, until_s, why: a site's certificate has been read; see gateway/certs.h */
	EDGE_CERT,
	/** EDGE_RELOAD has been carried out; why: the trust file could not be used, empty: it could */
	EDGE_RELOADED,
	/** token, domain, target or why: what EDGE_RESOLVE asked for */
	EDGE_RESOLVED,
	/** the thread's loop has ended */
	EDGE_STOPPED,
	EDGE_EVENT_N
};
struct edge_event {
	enum edge_event_kind kind;
	uint64_t token; /* the leg's, from the private header */
	char domain[ADDR_HOST_MAX + 1];
	char target[64];
	char why[160];
	bool up;
	unsigned n_conns;
	int64_t until_s;
	uint32_t spent_ms; /* of the time that one target has (limits.sip_target_s) */
};

/* ---- signalling -> edge ---- */
enum edge_order_kind {
	EDGE_STOP, /* close listeners, give connections a last flush, end, EDGE_STOPPED */
	EDGE_RELOAD, /* read certificates and the trust file now; EDGE_CERT…, EDGE_RELOADED */
	EDGE_RESOLVE, /* token, domain, port: an address of it, please; EDGE_RESOLVED */
	EDGE_ORDER_N
};
struct edge_order {
	enum edge_order_kind kind;
	uint64_t token;
	char domain[ADDR_HOST_MAX + 1];
	uint16_t port;
};

/** Binds listeners and the inner port, loads certificates and the trust file.
 *  @param to_sig  mailbox of struct edge_event, posted to by the edge thread
 *  Errors: one clear line in *whyp. */
int edge_alloc(struct edge **ep, char **whyp, const struct config *config,
	       const char *secret, struct mailbox *to_sig);
uint16_t edge_inner_port(const struct edge *e); /**< on 127.0.0.1 */
uint16_t edge_outer_port(const struct edge *e,
			 size_t i); /**< of config->sipv[i], useful with port 0 */
int edge_start(struct edge *e, uint16_t sofia_port);
/** Thread: any. */
int edge_post(struct edge *e, const struct edge_order *order);
/** After EDGE_STOPPED (or when never started): joins the thread and frees. */
void edge_free(struct edge **ep);

struct edge_stats {
	uint64_t n_accepted, n_dialled, n_handshake_failed, n_in, n_out, n_dropped_secret,
		n_framing;
	/** Responses whose connection or transaction was gone, and what else led nowhere. */
	uint64_t n_stale;
	/** Requests of those who prove nobody that were more than limits.sip_unproved_rate. */
	uint64_t n_excess;
	uint32_t n_conns,
		n_pending; /**< open connections; outgoing transactions remembered */
};
/** Thread: any (atomics). */
void edge_stats(const struct edge *e, struct edge_stats *stats);

#endif
