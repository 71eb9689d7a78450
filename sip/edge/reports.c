/* sip/edge/reports.c - what the parts report and who gets to know it: connections that
 * open, fail and end, messages of either side, a joint that cannot keep up. Edge thread.
 * Wired by edge.c; calls the two directions, the dialler, the census and the mailbox of
 * the signalling thread. */
#include <inttypes.h>

#include "lib/log.h"
#include "sip/edge/room.h"

/* ---- telling the signalling thread ---- */

void edge_tell(struct edge *e, const struct edge_event *event)
{
	static struct log_gate gate;

	if (mailbox_post(e->to_sig, event) && log_gate_open(&gate, 1))
		log_err(NULL, "edge.mailbox_full", "kind=%d", (int)event->kind);
}

void edge_on_census(const char *domain, bool up, const char *why, unsigned n_conns,
		    void *arg)
{
	struct edge_event ev = {.kind = EDGE_PEER, .up = up, .n_conns = n_conns};

	snprintf(ev.domain, sizeof(ev.domain), "%s", domain);
	snprintf(ev.why, sizeof(ev.why), "%s", why);
	edge_tell(arg, &ev);
}

void edge_on_cert(const char *domain, int64_t until_s, const char *why, void *arg)
{
	struct edge_event ev = {.kind = EDGE_CERT, .until_s = until_s};

	snprintf(ev.domain, sizeof(ev.domain), "%s", domain);
	snprintf(ev.why, sizeof(ev.why), "%s", why ? why : "");
	edge_tell(arg, &ev);
}

/* ---- what the connections report ---- */

/* Of a trunk none: it is no peer domain. */
static const char *edge_peer_names(const struct edge *e, const struct conn *c)
{
	if (*trunk_of_conn(e, c))
		return "";
	return conn_is_dialled(c) ? conn_domain(c) : conn_names(c);
}

static void edge_on_open(struct conn *c, void *arg)
{
	struct edge *e = arg;

	log_info(NULL, "edge.open",
		 "conn=%" PRIu32 ".%" PRIu32 " addr=%s dir=%s tls=%d site=%s names=%s",
		 conn_id(c), conn_gen(c), conn_addr(c), conn_is_dialled(c) ? "out" : "in",
		 conn_is_tls(c), conn_site(c), LQ(conn_names(c)));
	if (inward_open(e, c)) {
		conn_close(c, "out of memory");
		return;
	}
	census_enter(e->census, edge_peer_names(e, c));
	dialler_on_open(e->dialler, c);
}

static void edge_on_fail(struct conn *c, void *arg)
{
	static struct log_gate gate;
	struct edge *e = arg;

	if (conn_is_dialled(c)) {
		log_info(NULL, "edge.unreachable", "addr=%s site=%s domain=%s why=%s",
			 conn_addr(c), conn_site(c), conn_domain(c), LQ(conn_why(c)));
		if (!*trunk_of_conn(e, c))
			census_failed(e->census, conn_domain(c), conn_why(c));
		dialler_on_fail(e->dialler, c);
	} else if (log_gate_open(&gate, 5)) {
		log_warn(NULL, "edge.handshake_failed", "addr=%s why=%s", conn_addr(c),
			 LQ(conn_why(c)));
	}
}

static void edge_on_lost(struct conn *c, void *arg)
{
	struct edge *e = arg;

	log_info(NULL, "edge.closed", "conn=%" PRIu32 ".%" PRIu32 " addr=%s why=%s",
		 conn_id(c), conn_gen(c), conn_addr(c), LQ(conn_why(c)));
	if (conn_note(c))
		census_leave(e->census, edge_peer_names(e, c), conn_why(c));
	outward_lost(e, c);
}

static void edge_on_message(struct conn *c, const struct message *m, void *arg)
{
	inward_message(arg, c, m);
}

static void edge_on_broken(struct conn *c, const struct message *m, int why, void *arg)
{
	inward_broken(arg, c, m, why);
}

const struct conn_ops edge_conn_ops = {
	.open = edge_on_open,
	.fail = edge_on_fail,
	.lost = edge_on_lost,
	.message = edge_on_message,
	.broken = edge_on_broken,
};

/* ---- what the joint reports ---- */

static bool edge_on_inner(struct inner_conn *ic, const struct message *m, void *arg)
{
	return outward_message(arg, ic, m);
}

static void edge_on_congested(bool yes, void *arg)
{
	struct edge *e = arg;

	conns_pause(e->conns, yes);
}

/* As Sofia would have done if it had the connection itself. */
static void edge_on_offended(uint32_t conn, uint32_t gen, void *arg)
{
	struct edge *e = arg;
	struct conn *c = conns_find(e->conns, conn, gen);

	if (c)
		conn_close(c, "its message was no proper SIP");
}

const struct inner_ops edge_inner_ops = {
	.message = edge_on_inner,
	.congested = edge_on_congested,
	.offended = edge_on_offended,
};
