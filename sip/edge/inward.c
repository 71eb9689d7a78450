/* sip/edge/inward.c - from the peers to Sofia: requests get a Via of ours on top,
 * responses get Sofia's Via back, both get the private header. Edge thread. Called by the
 * connections through edge.c; calls inner.h and outward.c.
 *
 *   INVITE sip:per@beta.example SIP/2.0
 *   Via: SIP/2.0/TLS alpha.example;branch=A
 * becomes
 *   INVITE sip:per@beta.example SIP/2.0
 *   Via: SIP/2.0/TCP 127.0.0.1:4711;branch=H;c=3.1;m=S
 *   X-Sluss-Edge: SECRET;conn=3.1;site=beta.example;addr=…;via=tls;names=alpha.example
 *   Via: SIP/2.0/TLS alpha.example;branch=A;received=192.0.2.7
 * RFC 3261 §16.6, §18.2.1; RFC 3581. */
#include <inttypes.h>

#include "lib/log.h"
#include "sip/edge/check.h"
#include "sip/edge/reply.h"
#include "sip/edge/room.h"

enum { INWARD_EXCESS_MAX = 100 }; /* requests too many; then the connection is closed */

int inward_open(struct edge *e, struct conn *c)
{
	char line[sizeof(JOINT_HEADER) + JOINT_VALUE_MAX + 8];
	struct joint j = {.conn = conn_id(c), .gen = conn_gen(c), .tls = conn_is_tls(c)};
	int n, err;
	char *note;

	snprintf(j.site, sizeof(j.site), "%s", conn_site(c));
	snprintf(j.addr, sizeof(j.addr), "%s", conn_addr(c));
	snprintf(j.trunk, sizeof(j.trunk), "%s", trunk_of_conn(e, c));
	snprintf(j.names, sizeof(j.names), "%s", *j.trunk ? "" : conn_names(c));
	n = snprintf(line, sizeof(line), "%s: ", JOINT_HEADER);
	err = joint_print(line + n, JOINT_VALUE_MAX, e->secret, &j);
	if (err)
		return err;
	n = (int)strlen(line);
	memcpy(line + n, "\r\n", 2); /* room for it was left above */
	note = base_dup(line, (size_t)n + 2);
	if (!note)
		return ENOMEM;
	/* It is the same for every message of this connection. */
	conn_set_note(c, note);
	return 0;
}

static int inward_write(struct edge *e, const struct message *m, struct edits *ed,
			const struct pl *top)
{
	char length[40];
	struct pl bottom = {length, 0};

	edits_drop_all(ed, m, HEADER_JOINT);
	/* Written anew: Sofia must read exactly the length that the framing went by. */
	edits_drop_all(ed, m, HEADER_CONTENT_LENGTH);
	bottom.l = (size_t)snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
				    m->n - m->head_n);
	mbuf_rewind(e->room);
	return message_write(e->room, m, ed, top, &bottom);
}

static void inward_answer(struct edge *e, struct conn *c, const struct message *m,
			  unsigned status, const char *extra)
{
	struct mbuf *lines = mbuf_alloc(1024);
	struct pl text;

	mbuf_rewind(e->room);
	if (lines && !reply_lines(lines, m)) {
		text = (struct pl){(const char *)lines->buf, lines->end};
		if (!reply_write(e->room, status, &text, extra))
			(void)conn_send(c, e->room->buf, e->room->end);
	}
	mem_deref(lines);
}

static void inward_drop(struct edge *e, struct conn *c, const char *what,
			const struct message *m)
{
	static struct log_gate gate;

	e->n_stale++;
	if (log_gate_open(&gate, 5))
		log_warn(NULL, "edge.dropped",
			 "conn=%" PRIu32 ".%" PRIu32 " addr=%s what=%s first=%s",
			 conn_id(c), conn_gen(c), conn_addr(c), LQ(what),
			 LQN(m->p, m->n_lines ? (size_t)(m->linev[0].line.p - m->p) : 0));
}

/* ---- requests ---- */

/* Who proves nobody is refused by Sofia anyway, but each refusal costs her a transaction: a few may have
 * that, the rest hears it from here. Gives whether this one may pass. */
static bool inward_allowed(struct edge *e, struct conn *c, const struct message *m)
{
	static struct log_gate gate;
	bool ack = !pl_strcmp(&m->method, "ACK");

	if (conn_proves_any(c) || *trunk_of_conn(e, c) ||
	    allowance_take(ack ? e->their_acks : e->strangers, conn_peer(c)))
		return true;
	e->n_excess++;
	if (log_gate_open(&gate, 1))
		log_warn(NULL, "edge.excess",
			 "conn=%" PRIu32 ".%" PRIu32 " addr=%s rate=%" PRIu32, conn_id(c),
			 conn_gen(c), conn_addr(c), e->config->limits.sip_unproved_rate);
	if (!ack)
		inward_answer(e, c, m, 503, "Retry-After: 4\r\n");
	if (conn_note_excess(c) >= INWARD_EXCESS_MAX)
		conn_close(c, "it proves no domain and sends too many requests");
	return false;
}

static void inward_request(struct edge *e, struct conn *c, const struct message *m)
{
	char top_text[MARK_VIA_MAX + sizeof(JOINT_HEADER) + JOINT_VALUE_MAX + 8],
		received[VIA_RECEIVED_MAX];
	char branch[MARK_BRANCH];
	struct pl call_id = PL_INIT, method, top_pl = {top_text, 0};
	struct edits ed = {.n = 0};
	unsigned status;
	struct via top;
	uint32_t cseq;
	size_t n;
	int err;

	status = check_request(m, &top);
	if (status && pl_strcmp(&m->method, "ACK")) {
		inward_answer(e, c, m, status, NULL);
		return;
	}
	if (status || message_value(m, HEADER_CALL_ID, &call_id) ||
	    message_cseq(m, &cseq, &method)) {
		inward_drop(e, c, "faulty request", m);
		return;
	}
	if (!inward_allowed(e, c, m))
		return;
	err = mark_inward(branch, e->mark, &top, &call_id, cseq, conn_id(c), conn_gen(c));
	if (err)
		return;
	n = mark_via_print(top_text, e->mark, inner_port(e->inner), branch, conn_id(c),
			   conn_gen(c));
	memcpy(top_text + n, conn_note(c), strlen(conn_note(c)));
	top_pl.l = n + strlen(conn_note(c));
	via_received(&ed, m, &top, conn_peer(c), received);
	err = inward_write(e, m, &ed, &top_pl);
	if (err == E2BIG)
		inward_answer(e, c, m, 400, NULL);
	if (err)
		return;
	e->n_in++;
	inner_send(e->inner, e->room->buf, e->room->end);
}

/* ---- responses ---- */

static void inward_response(struct edge *e, struct conn *c, const struct message *m)
{
	struct edits ed = {.n = 0};
	struct pl via, note = {conn_note(c), strlen(conn_note(c))};
	struct via top;
	struct txn *t;

	if (!check_response(m, &top)) {
		inward_drop(e, c, "faulty response", m);
		return;
	}
	t = outward_on_response(e, c, &top, m);
	if (!t) {
		inward_drop(e, c, "response to nothing", m);
		return;
	}
	pl_set_str(&via, t->via);
	edits_replace(&ed, m, &top.all, &via);
	if (!inward_write(e, m, &ed, &note)) {
		e->n_in++;
		inner_reply(e->inner, t->inner, e->room->buf, e->room->end);
	}
	mem_deref(t);
}

void inward_message(struct edge *e, struct conn *c, const struct message *m)
{
	switch (m->kind) {
	case MESSAGE_REQUEST:
		inward_request(e, c, m);
		break;
	case MESSAGE_RESPONSE:
		inward_response(e, c, m);
		break;
	case MESSAGE_GARBAGE:
		inward_drop(e, c, "no SIP", m);
		break;
	}
}

void inward_broken(struct edge *e, struct conn *c, const struct message *m, int why)
{
	if (m->kind == MESSAGE_REQUEST && m->n_of[HEADER_VIA] &&
	    pl_strcmp(&m->method, "ACK"))
		inward_answer(e, c, m, why == EMSGSIZE ? 513 : 400, NULL);
}
