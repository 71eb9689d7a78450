/* sip/edge/outward.c - from Sofia to the peers: requests get the site's Via and go to
 * their next hop, responses go back by the sealed Via. Edge thread. Called by the joint
 * and the connections; calls the dialler, the table, where.h.
 *
 *   INVITE sip:per@beta.example SIP/2.0
 *   Via: SIP/2.0/TCP 127.0.0.1:4712;branch=B;rport
 *   X-Sluss-Edge: SECRET;site=alpha.example;domain=beta.example;token=17
 * becomes
 *   INVITE sip:per@beta.example SIP/2.0
 *   Via: SIP/2.0/TLS alpha.example:5061;branch=H
 * RFC 3261 §9.1, §16.6-16.11, §17.1, §18.1.1. */
#include "sip/edge/address.h"
#include "sip/edge/reply.h"
#include "sip/edge/room.h"
#include "sip/edge/where.h"

#include <inttypes.h>
#include <strings.h>

#include "lib/log.h"

/* A request on its way to a target; a transaction too, unless it is an ACK. */
struct errand {
	struct edge *edge;
	struct txn *txn; /* NULL: an ACK; else with a reference */
	uint64_t token;
	char domain[ADDR_HOST_MAX + 1];
};

static bool is_method(const struct message *m, const char *method)
{
	return !pl_strcmp(&m->method, method);
}

/* ---- events for the leg ---- */

static void outward_tell(struct edge *e, struct edge_event *ev, const char *domain,
			 const char *target, const char *why)
{
	if (!ev->token)
		return;
	snprintf(ev->domain, sizeof(ev->domain), "%s", domain);
	snprintf(ev->target, sizeof(ev->target), "%s", target);
	snprintf(ev->why, sizeof(ev->why), "%s", why);
	edge_tell(e, ev);
}

static void outward_tell_failed(struct edge *e, uint64_t token, const char *domain,
				const char *target, const char *why)
{
	struct edge_event ev = {.kind = EDGE_FAILED, .token = token};

	outward_tell(e, &ev, domain, target, why);
}

/* ---- answers of our own to Sofia ---- */

static void outward_synth(struct edge *e, const struct txn *t, unsigned status,
			  const char *why)
{
	char extra[REPLY_REASON_MAX + sizeof(JOINT_HEADER) + JOINT_SECRET_HEX +
		   ADDR_HOST_MAX + 64];
	char sentence[ADDR_HOST_MAX + TLS_WHY + 40], reason[REPLY_REASON_MAX] = "";
	struct pl lines = {t->lines, t->lines_n};

	if (!t->lines)
		return;
	if (why) {
		const char *whom = t->domain && *t->domain ? t->domain : "the other side";

		/* of a trunk the name alone */
		snprintf(sentence, sizeof(sentence), "%.*s could not be reached: %s",
			 (int)strcspn(whom, "/"), whom, why);
		reply_reason(reason, status, sentence);
	}
	snprintf(extra, sizeof(extra), "%s: %s%s%s\r\n%s", JOINT_HEADER, e->secret,
		 t->site ? ";site=" : "", t->site ? t->site : "", reason);
	mbuf_rewind(e->room);
	if (!reply_write(e->room, status, &lines, extra))
		inner_reply(e->inner, t->inner, e->room->buf, e->room->end);
}

/* Does what a step of the transaction asks for, but for TXN_DO_PASS and TXN_DO_ROUTE. */
static void outward_do(struct edge *e, struct txn *t, unsigned actions, const char *why)
{
	if (actions & TXN_DO_NO_DIAL && t->trip) {
		trip_cancel(t->trip);
		t->trip = NULL;
	}
	if (actions & TXN_DO_SYNTH_503)
		outward_synth(e, t, 503, why);
	if (actions & TXN_DO_SYNTH_487)
		outward_synth(e, t, 487, NULL);
}

void outward_txn_timeout(struct txn *t, unsigned actions, void *arg)
{
	outward_do(arg, t, actions, "it could not be connected to in time");
}

void outward_lost(struct edge *e, struct conn *c)
{
	struct le *le;

	while ((le = list_head(conn_pending(c)))) {
		struct txn *t = mem_ref(le->data);

		list_unlink(le);
		outward_do(e, t, txn_step(t, TXN_LOST), conn_why(c));
		mem_deref(t);
	}
}

/* ---- writing ---- */

/* The message as it goes out. Errors: ENOMEM, E2BIG. */
static int outward_write(struct mbuf *mb, struct edge *e, const struct message *m,
			 const struct via *top, const char *branch, const char *site,
			 bool tls)
{
	char text[ADDR_HOST_MAX + MARK_BRANCH + 64], port[8] = "";
	struct edits ed = {.n = 0};
	struct pl via = {text, 0};

	if (edge_port_of(e, tls))
		snprintf(port, sizeof(port), ":%u", edge_port_of(e, tls));
	via.l = (size_t)snprintf(text, sizeof(text), "SIP/2.0/%s %s%s;branch=%s",
				 tls ? "TLS" : "TCP", site, port, branch);
	edits_drop_all(&ed, m, HEADER_JOINT);
	edits_replace(&ed, m, &top->all, &via);
	return message_write(mb, m, &ed, NULL, NULL);
}

/* On a connection that has the transaction already: CANCEL and the ACK to a refusal go
 * where the INVITE went. */
static bool outward_along(struct edge *e, const struct txn *t, const struct message *m,
			  const struct via *top)
{
	struct conn *c = conns_find(e->conns, t->conn, t->gen);

	if (!c)
		return false;
	mbuf_rewind(e->room);
	if (outward_write(e->room, e, m, top, t->branch, t->site, conn_is_tls(c)) ||
	    conn_send(c, e->room->buf, e->room->end))
		return false;
	e->n_out++;
	return true;
}

/* ---- trips ---- */

static void errand_destroy(void *p)
{
	struct errand *er = p;

	mem_deref(er->txn);
}

static void outward_sent(struct conn *c, uint32_t spent_ms, void *arg)
{
	struct errand *er = arg;
	struct edge_event ev = {
		.kind = EDGE_SENT, .token = er->token, .spent_ms = spent_ms};
	struct txn *t = er->txn;

	er->edge->n_out++;
	outward_tell(er->edge, &ev, er->domain, conn_addr(c), "");
	if (t) {
		t->trip = NULL;
		t->conn = conn_id(c);
		t->gen = conn_gen(c);
		(void)txn_step(t, TXN_WRITTEN);
		if (t->state == TXN_SENT)
			list_append(conn_pending(c), &t->pending, t);
	}
}

static void outward_failed(const char *why, void *arg)
{
	struct errand *er = arg;
	struct txn *t = er->txn;

	log_debug(NULL, "edge.unreachable", "domain=%s why=%s", er->domain, LQ(why));
	if (t) {
		t->trip = NULL;
		outward_do(er->edge, t, txn_step(t, TXN_LOST), why);
	}
}

static void outward_target_failed(const char *target, const char *why, void *arg)
{
	struct errand *er = arg;

	outward_tell_failed(er->edge, er->token, er->domain, target, why);
}

static const struct trip_ops outward_trip_ops = {outward_sent, outward_failed,
						 outward_target_failed};

static bool outward_peer_uses(const struct sa *sa, const char *domain, void *arg)
{
	struct edge *e = arg;

	return conns_has_peer(e->conns, sa, domain);
}

/* Sets a request out; `t` NULL: an ACK to a 2xx. Errors: ENOMEM; ENETUNREACH there is no
 * way, *why says it. */
static int outward_go(struct edge *e, struct txn *t, const struct message *m,
		      const struct via *top, const char *branch,
		      const struct site_config *site, const struct joint *j,
		      const char **why)
{
	struct trip_want want = {.site = site->domain, .skip = *j->skip ? j->skip : NULL};
	struct trip *trip = NULL, **tripp = t ? &t->trip : &trip;
	struct errand *er;
	struct mbuf *mb;
	struct where w;
	int err;

	*why = where_to(&w, e->config, m, j, outward_peer_uses, e);
	if (*why)
		return ENETUNREACH;
	*why = "out of memory here";
	er = mem_zalloc(sizeof(*er), errand_destroy);
	mb = mbuf_alloc(m->n + 512);
	err = er && mb ? outward_write(mb, e, m, top, branch, site->domain, w.tls)
		       : ENOMEM;
	if (err)
		goto out;
	er->edge = e;
	er->txn = mem_ref(t);
	er->token = j->token;
	snprintf(er->domain, sizeof(er->domain), "%s", w.domain);
	want.domain = w.domain;
	want.host = *w.host ? w.host : NULL;
	want.name = *w.name ? w.name : NULL;
	want.port = w.port;
	want.fixed = w.fixed;
	want.tls = w.tls;
	err = trip_start(tripp, e->dialler, &want, mb, &outward_trip_ops, er);
out:
	if (err) {
		mem_deref(er);
		mem_deref(mb);
	}
	return err;
}

/* ---- requests of Sofia's ---- */

static int outward_txn(struct txn **tp, struct edge *e, const struct inner_conn *ic,
		       const struct message *m, const struct via *top, const char *branch,
		       bool cancel)
{
	struct mbuf *lines = mbuf_alloc(1024);
	struct txn *t = NULL;
	int err = lines ? reply_lines(lines, m) : ENOMEM;

	if (!err)
		err = txn_alloc(&t, e->txns, branch, is_method(m, "INVITE"), cancel);
	if (err)
		goto out;
	t->inner = inner_conn_serial(ic);
	t->lines_n = lines->end;
	t->lines = base_dup(lines->buf, lines->end);
	t->via = base_dup(top->all.p, top->all.l);
	if (!t->lines || !t->via) {
		(void)txn_step(t, TXN_TIMEOUT);
		err = ENOMEM;
	}
out:
	mem_deref(lines);
	if (!err)
		*tp = t;
	return err;
}

/* A request that begins a transaction. */
static void outward_request(struct edge *e, const struct inner_conn *ic,
			    const struct message *m, const struct via *top,
			    const char *branch, const struct joint *j)
{
	const struct site_config *site = config_site_find(e->config, j->site);
	const char *why = "this site is not served here";
	struct txn *t;
	int err;

	err = outward_txn(&t, e, ic, m, top, branch, false);
	if (err) {
		/* A repetition goes where the first one went; without memory Sofia's own
		 * timer ends it. */
		if (err != EALREADY)
			log_err(NULL, "edge.no_memory", "what=%s",
				LQN(m->method.p, m->method.l));
		return;
	}
	mem_ref(t);
	t->site = site ? site->domain : NULL;
	t->domain = *j->trunk ? base_dup(j->trunk, strlen(j->trunk))
			      : base_dup(j->domain, strlen(j->domain));
	t->token = j->token;
	if (!site || outward_go(e, t, m, top, branch, site, j, &why)) {
		outward_tell_failed(e, j->token, j->domain, "", why);
		outward_do(e, t, txn_step(t, TXN_LOST), why);
	}
	mem_deref(t);
}

/* The ACK to a 2xx is a transaction of its own and gets no answer. Its branch is made
 * from Sofia's and the fork's tag, since NTA gives it the INVITE's. */
static void outward_ack(struct edge *e, const struct message *m, const struct via *top,
			const struct joint *j)
{
	const struct site_config *site = config_site_find(e->config, j->site);
	char branch[MARK_BRANCH];
	struct pl to = PL_INIT;
	const char *why = "this site is not served here";

	(void)message_value(m, HEADER_TO, &to);
	if (mark_outward(branch, e->mark, &top->branch, &to))
		return;
	if (!site || outward_go(e, NULL, m, top, branch, site, j, &why))
		log_info(NULL, "edge.ack_lost", "domain=%s why=%s", j->domain, LQ(why));
}

/* An ACK without the private header: NTA's own, to a refusal (or to our 503). */
static bool outward_hop_ack(struct edge *e, struct txn *t, const struct message *m,
			    const struct via *top)
{
	struct joint j = {.conn = 0};
	unsigned actions;

	if (!t)
		return false;
	mem_ref(t);
	actions = txn_step(t, TXN_ACK);
	if (actions & TXN_DO_PASS) {
		(void)outward_along(e, t, m, top);
	} else if (actions & TXN_DO_ROUTE) {
		snprintf(j.site, sizeof(j.site), "%s", t->site ? t->site : "");
		if (t->domain && strchr(t->domain, '/'))
			snprintf(j.trunk, sizeof(j.trunk), "%s", t->domain);
		else
			snprintf(j.domain, sizeof(j.domain), "%s",
				 t->domain ? t->domain : "");
		outward_ack(e, m, top, &j);
	}
	mem_deref(t);
	return true;
}

/* Answers a CANCEL here. */
static void outward_cancel_done(struct edge *e, const struct inner_conn *ic,
				const struct message *m, unsigned status)
{
	struct mbuf *lines = mbuf_alloc(1024);
	struct txn t = {.inner = inner_conn_serial(ic)};

	if (lines && !reply_lines(lines, m)) {
		t.lines = (char *)lines->buf;
		t.lines_n = lines->end;
		outward_synth(e, &t, status, NULL);
	}
	mem_deref(lines);
}

static void outward_cancel(struct edge *e, const struct inner_conn *ic,
			   struct txn *invite, const struct message *m,
			   const struct via *top)
{
	struct txn *t = NULL;
	struct conn *c;
	unsigned actions;

	if (!invite) {
		outward_cancel_done(e, ic, m, 481);
		return;
	}
	mem_ref(invite);
	actions = txn_step(invite, TXN_CANCEL);
	if (actions & TXN_DO_PASS) {
		c = conns_find(e->conns, invite->conn, invite->gen);
		if (c && !outward_txn(&t, e, ic, m, top, invite->branch, true)) {
			mem_ref(t);
			t->site = invite->site;
			t->domain = mem_ref(invite->domain);
			t->conn = invite->conn;
			t->gen = invite->gen;
			(void)txn_step(t, TXN_WRITTEN);
			list_append(conn_pending(c), &t->pending, t);
			if (!outward_along(e, t, m, top) && conn_is_open(c))
				outward_do(e, t, txn_step(t, TXN_LOST),
					   "the connection broke");
			mem_deref(t);
		} else if (!c) {
			outward_cancel_done(e, ic, m, 481);
		}
	}
	if (actions & (TXN_DO_CANCEL_OK | TXN_DO_CANCEL_481))
		outward_cancel_done(e, ic, m, actions & TXN_DO_CANCEL_OK ? 200 : 481);
	outward_do(e, invite, actions, NULL);
	mem_deref(invite);
}

static bool outward_from_sofia(struct edge *e, struct inner_conn *ic,
			       const struct message *m, bool secret,
			       const struct joint *j)
{
	static const struct pl no_label = PL("");
	char branch[MARK_BRANCH];
	struct pl key = {branch, MARK_BRANCH - 1};
	struct txn *t;
	struct via top;

	if (via_top(&top, m) || !top.branch.l ||
	    mark_outward(branch, e->mark, &top.branch, &no_label))
		return secret;
	t = txn_find(e->txns, &key, false);
	if (is_method(m, "CANCEL")) {
		if (!secret && (!t || !inner_conn_proved(ic)))
			return false;
		outward_cancel(e, ic, t, m, &top);
	} else if (is_method(m, "ACK")) {
		if (!secret)
			return inner_conn_proved(ic) && outward_hop_ack(e, t, m, &top);
		outward_ack(e, m, &top, j);
	} else if (secret) {
		outward_request(e, ic, m, &top, branch, j);
	}
	return secret || is_method(m, "CANCEL");
}

/* ---- responses of Sofia's ---- */

static bool outward_response(struct edge *e, struct inner_conn *ic,
			     const struct message *m)
{
	struct edits ed = {.n = 0};
	uint32_t conn, gen;
	struct conn *c;
	struct via top;
	bool closes;

	if (via_top(&top, m) ||
	    mark_via_check(e->mark, &top, inner_port(e->inner), &conn, &gen))
		return false;
	closes = m->status == 400 || m->status == 413 || m->status == 505;
	inner_conn_note_bad(ic, closes ? conn : 0, gen);
	c = conns_find(e->conns, conn, gen);
	if (!c) {
		e->n_stale++;
		log_debug(NULL, "edge.stale", "conn=%" PRIu32 ".%" PRIu32 " status=%u",
			  conn, gen, m->status);
		return true;
	}
	via_pop(&ed, m);
	edits_drop_all(&ed, m, HEADER_JOINT);
	mbuf_rewind(e->room);
	if (!message_write(e->room, m, &ed, NULL, NULL) &&
	    !conn_send(c, e->room->buf, e->room->end))
		e->n_out++;
	return true;
}

bool outward_message(struct edge *e, struct inner_conn *ic, const struct message *m)
{
	bool secret = false, ours = false;
	struct pl value;
	struct joint j;
	int err = message_value(m, HEADER_JOINT, &value);

	if (!err) {
		err = joint_parse(&j, e->secret, value.p, value.l);
		secret = !err;
	}
	/* A header that is there must be right, for responses too. */
	if (!err || err == ENOENT) {
		if (m->kind == MESSAGE_REQUEST)
			ours = outward_from_sofia(e, ic, m, secret, &j);
		else if (m->kind == MESSAGE_RESPONSE)
			ours = outward_response(e, ic, m);
	}
	return ours;
}

struct txn *outward_on_response(struct edge *e, struct conn *c, const struct via *top,
				const struct message *m)
{
	struct pl method;
	uint32_t cseq;
	unsigned actions;
	struct txn *t;

	if (message_cseq(m, &cseq, &method))
		return NULL;
	t = txn_find(e->txns, &top->branch, !pl_strcmp(&method, "CANCEL"));
	if (!t || !t->site || strcasecmp(conn_site(c), t->site) != 0)
		return NULL;
	/* By the way it went out, or by another connection of the same peer (RFC 3261
	 * §18.2.2). */
	if ((t->conn != conn_id(c) || t->gen != conn_gen(c)) &&
	    (!t->domain || !conn_proves(c, t->domain)))
		return NULL;
	mem_ref(t);
	actions = txn_step(t, m->status < 200   ? TXN_PROVISIONAL
			      : m->status < 300 ? TXN_SUCCESS
						: TXN_REFUSAL);
	return actions & TXN_DO_PASS ? t : mem_deref(t);
}
