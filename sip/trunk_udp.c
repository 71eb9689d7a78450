/* sip/trunk_udp.c - the joint for datagrams: trunks by UDP, with Sofia on loopback UDP behind it.
 *
 *   trunk ══ UDP ══ our listener (udp.c) ── this ── 127.0.0.1 UDP ── Sofia's UDP transport
 * Sofia repeats and gives up as RFC 3261 §17 has it for an unreliable transport, and never sees an outside address.
 *   inwards   request   Via of ours pushed: branch a keyed hash of the peer's, where the answer goes sealed in it
 *             response  the trunk's own (its number is in the branch); Sofia's Via put back
 *   outwards  request   from Sofia's port alone; to the trunk that the branch names; Via made ours
 *             response  by the sealed Via, which is popped
 * Thread: signalling. Called by udp.c with what came from a trunk's source, by the loop for Sofia's side; uses the edge's
 * pure parser (sip/edge/message.h). RFC 3261 §18; RFC 3581. decisions/0040. */
#include "sip/trunk.h"

#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "sip/edge/check.h"
#include "sip/edge/reply.h"
#include "sip/loop.h"
#include "sip/udp.h"

enum {
	DATAGRAM_MAX = 65536,
	DATAGRAMS_A_ROUND = 64,
	REQUESTS_A_SECOND = 1000, /* of one trunk: its source can be forged */
	SOURCES_MAX = 256,
	KEY_BYTES = 32,
	SIP_PORT = 5060,
	BRANCH_HEX = 32,
};

/* Where answers go. */
struct source {
	struct sa sa;
	struct sip_udp *by;
	uint32_t gen; /* 0: free */
	uint64_t used_us;
};

struct udp_joint {
	struct sip *sip;
	int fd;
	struct loop_watch *watch;
	uint16_t port;
	char url[64];
	uint8_t key[KEY_BYTES];
	uint32_t last_gen;
	uint64_t second;
	unsigned n_second;
	struct source sourcev[SOURCES_MAX];
	struct message m; /* scratch */
	struct mbuf *room;
};

static void joint_destructor(void *arg)
{
	struct udp_joint *j = arg;

	mem_deref(j->watch);
	if (j->fd >= 0)
		close(j->fd);
	mem_deref(j->room);
	secret_wipe(j->key, sizeof(j->key));
}

const char *udp_joint_url(const struct udp_joint *j)
{
	return j->url;
}

/* ---- parsing ---- */

/* One datagram, one message (RFC 3261 §18.3): what Content-Length leaves over is not looked at. */
static int parse(struct message *m, const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);
	size_t head_n, body_n;
	int err;

	if (!end)
		return EBADMSG;
	head_n = (size_t)(end - p) + 4;
	err = message_parse(m, p, head_n, n);
	if (err)
		return err;
	err = message_content_length(m, &body_n);
	if (err == ENOENT)
		return 0;
	if (err || body_n > n - head_n)
		return EBADMSG;
	m->n = head_n + body_n;
	return 0;
}

static int write_message(struct udp_joint *j, const struct message *m, struct edits *ed,
			 const struct pl *top)
{
	char length[40];
	struct pl bottom = {length, 0};

	edits_drop_all(ed, m, HEADER_JOINT);
	edits_drop_all(ed, m, HEADER_CONTENT_LENGTH);
	bottom.l = (size_t)snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
				    m->n - m->head_n);
	mbuf_rewind(j->room);
	return message_write(j->room, m, ed, top, &bottom);
}

static void to_sofia(const struct udp_joint *j)
{
	struct sa sofia;

	sa_set_in(&sofia, INADDR_LOOPBACK, sip_agent_udp_port(j->sip));
	if (sendto(j->fd, j->room->buf, j->room->end, MSG_DONTWAIT, &sofia.u.sa,
		   sofia.len) < 0)
		log_debug(NULL, "trunk.udp.send", "to=sofia errno=%d", errno);
}

/* ---- inwards ---- */

static struct source *source_get(struct udp_joint *j, struct sip_udp *by,
				 const struct sa *sa)
{
	struct source *s, *oldest = j->sourcev;

	for (s = j->sourcev; s < j->sourcev + SOURCES_MAX; s++) {
		if (s->gen && s->by == by && sa_cmp(&s->sa, sa, SA_ALL))
			break;
		if (s->used_us < oldest->used_us)
			oldest = s;
	}
	if (s == j->sourcev + SOURCES_MAX) {
		s = oldest;
		s->sa = *sa;
		s->by = by;
		s->gen = ++j->last_gen;
	}
	s->used_us = clock_us();
	return s;
}

static void seal(char hex[17], const struct udp_joint *j, const char *text, size_t n)
{
	uint8_t mac[SECRET_SHA256_BYTES] = {0};

	(void)secret_hmac_sha256(mac, j->key, sizeof(j->key), text, n);
	for (size_t i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
}

/* The same for a request, its CANCEL and its ACK; another for what only looks alike. */
static void branch_make(char branch[8 + BRANCH_HEX], const struct udp_joint *j,
			const struct message *m, const struct via *top, size_t slot,
			uint32_t gen)
{
	uint8_t mac[SECRET_SHA256_BYTES] = {0};
	struct pl call_id = PL_INIT, method;
	uint32_t cseq = 0;
	char text[1024];
	int n;

	(void)message_value(m, HEADER_CALL_ID, &call_id);
	(void)message_cseq(m, &cseq, &method);
	n = re_snprintf(text, sizeof(text), "%r|%r|%u|%zu.%u|%r", &top->branch,
			&top->sent_by, cseq, slot, gen, &call_id);
	(void)secret_hmac_sha256(mac, j->key, sizeof(j->key), text,
				 n < 0 ? strlen(text) : (size_t)n);
	snprintf(branch, 8, "z9hG4bK");
	for (size_t i = 0; i < BRANCH_HEX / 2; i++)
		snprintf(branch + 7 + 2 * i, 3, "%02x", mac[i]);
}

static int joint_text(char *buf, size_t size, const struct sip *sip,
		      const struct trunk *t, const struct sa *src)
{
	struct joint jh = {.tls = false};
	int n = snprintf(buf, size, "%s: ", JOINT_HEADER), err;

	snprintf(jh.site, sizeof(jh.site), "%s", t->config->site);
	snprintf(jh.trunk, sizeof(jh.trunk), "%s", t->config->name);
	re_snprintf(jh.addr, sizeof(jh.addr), "%J", src);
	err = joint_print(buf + n, size - (size_t)n - 2, sip->secret, &jh);
	n = (int)strlen(buf);
	if (!err)
		snprintf(buf + n, size - (size_t)n, "\r\n");
	return err;
}

static void answer(struct udp_joint *j, struct sip_udp *by, const struct message *m,
		   unsigned status, const struct sa *src)
{
	struct mbuf *lines = mbuf_alloc(1024);
	struct pl text;

	mbuf_rewind(j->room);
	if (lines && !reply_lines(lines, m)) {
		text = (struct pl){(const char *)lines->buf, lines->end};
		if (!reply_write(j->room, status, &text, NULL))
			sip_udp_send(by, src, j->room->buf, j->room->end);
	}
	mem_deref(lines);
}

static void in_request(struct udp_joint *j, struct trunk *t, struct sip_udp *by,
		       const struct message *m, const struct sa *src)
{
	char top_text[JOINT_VALUE_MAX + 512], received[VIA_RECEIVED_MAX],
		branch[8 + BRANCH_HEX], mark[96], hex[17];
	bool ack = !pl_strcmp(&m->method, "ACK");
	struct pl top_pl = {top_text, 0};
	struct edits ed = {.n = 0};
	struct sa back = *src;
	struct source *s;
	struct via top;
	unsigned status = check_request(m, &top);
	size_t slot;
	int n;

	if (status) {
		if (!ack)
			answer(j, by, m, status, src);
		return;
	}
	if (!top.has_rport)
		sa_set_port(&back, top.port ? top.port : SIP_PORT);
	s = source_get(j, by, &back);
	slot = (size_t)(s - j->sourcev);
	branch_make(branch, j, m, &top, slot, s->gen);
	snprintf(mark, sizeof(mark), "%s;c=%zu.%u", branch, slot, (unsigned)s->gen);
	seal(hex, j, mark, strlen(mark));
	n = snprintf(top_text, sizeof(top_text),
		     "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=%s;m=%s\r\n", j->port, mark,
		     hex);
	if (joint_text(top_text + n, sizeof(top_text) - (size_t)n, j->sip, t, src))
		return;
	top_pl.l = strlen(top_text);
	via_received(&ed, m, &top, src, received);
	if (!write_message(j, m, &ed, &top_pl))
		to_sofia(j);
	else if (!ack)
		answer(j, by, m, 400, src);
}

/* Which trunk, and which address of it, a branch of ours names (sip_branch_make()). */
static struct trunk *branch_trunk(const struct sip *sip, const struct pl *branch,
				  unsigned *at)
{
	struct trunk *t = NULL;
	unsigned index = 0;

	if (branch->l != 7 + BRANCH_HEX || memcmp(branch->p, "z9hG4bK", 7) != 0)
		return NULL;
	if (sscanf(branch->p + 7 + BRANCH_HEX - 4, "%3x%1x", &index, at) != 2 ||
	    index >= sip->core->config->n_trunks)
		return NULL;
	t = trunk_named(sip, sip->core->config->trunkv[index].name);
	return t && *at < trunk_addresses(t) ? t : NULL;
}

static void in_response(struct udp_joint *j, struct trunk *t, const struct message *m,
			const struct sa *src)
{
	char via_text[128], note[JOINT_VALUE_MAX + 64];
	struct pl via = {via_text, 0}, note_pl = {note, 0};
	struct edits ed = {.n = 0};
	struct via top;
	unsigned at;

	struct trunk *asker =
		NULL; /* several sections may name one address: the branch says which asked */

	if (check_response(m, &top))
		asker = branch_trunk(j->sip, &top.branch, &at);
	if (!asker || !trunk_is_source(asker, src)) {
		log_debug(NULL, "trunk.udp.dropped", "trunk=%s what=response",
			  t->config->name);
		return;
	}
	via.l = (size_t)re_snprintf(via_text, sizeof(via_text),
				    "SIP/2.0/UDP 127.0.0.1:%u;branch=%r",
				    sip_agent_udp_port(j->sip), &top.branch);
	if (joint_text(note, sizeof(note), j->sip, asker, src))
		return;
	note_pl.l = strlen(note);
	edits_replace(&ed, m, &top.all, &via);
	if (!write_message(j, m, &ed, &note_pl))
		to_sofia(j);
}

static bool may_pass(struct udp_joint *j)
{
	uint64_t now = clock_us() / 1000000;

	if (now != j->second) {
		j->second = now;
		j->n_second = 0;
	}
	return j->n_second++ < REQUESTS_A_SECOND;
}

bool udp_joint_datagram(struct sip *sip, struct sip_udp *by, const char *p, size_t n,
			const struct sa *src)
{
	struct udp_joint *j = sip->udp_joint;
	struct trunk *t = j ? trunk_of_source(sip, src) : NULL;

	if (!t)
		return false;
	if (parse(&j->m, p, n)) /* keep-alives and noise */
		return true;
	trunk_line_heard(t);
	if (j->m.kind == MESSAGE_RESPONSE)
		in_response(j, t, &j->m, src);
	else if (j->m.kind == MESSAGE_REQUEST && may_pass(j))
		in_request(j, t, by, &j->m, src);
	return true;
}

/* ---- outwards ---- */

/* The private header must be right where there is one; CANCEL and NTA's own ACK may lack it. */
static bool is_sofias(const struct udp_joint *j, const struct message *m)
{
	struct joint jh;
	struct pl value;
	int err = message_value(m, HEADER_JOINT, &value);

	if (!err)
		return !joint_parse(&jh, j->sip->secret, value.p, value.l);
	return err == ENOENT && m->kind == MESSAGE_REQUEST &&
	       (!pl_strcmp(&m->method, "ACK") || !pl_strcmp(&m->method, "CANCEL"));
}

static void out_request(struct udp_joint *j, const struct message *m)
{
	char text[ADDR_HOST_MAX + 128], sent_by[ADDR_HOST_MAX + 16];
	struct pl via = {text, 0};
	struct edits ed = {.n = 0};
	struct sip_udp *by;
	struct trunk *t;
	struct via top;
	unsigned at;

	if (via_top(&top, m))
		return;
	t = branch_trunk(j->sip, &top.branch, &at);
	if (!t || !sa_isset(&t->targetv[at], SA_ALL))
		return;
	by = sip_udp_for(j->sip, &t->targetv[at]);
	if (!by)
		return;
	trunk_here(sent_by, sizeof(sent_by), t, at);
	via.l = (size_t)re_snprintf(text, sizeof(text), "SIP/2.0/UDP %s;branch=%r;rport",
				    sent_by, &top.branch);
	edits_replace(&ed, m, &top.all, &via);
	if (!write_message(j, m, &ed, NULL))
		sip_udp_send(by, &t->targetv[at], j->room->buf, j->room->end);
}

static void out_response(struct udp_joint *j, const struct message *m)
{
	struct edits ed = {.n = 0};
	struct pl mark, hex;
	char want[17], text[128];
	unsigned slot, gen;
	const struct source *s;
	struct via top;

	if (via_top(&top, m) || !message_param(&top.params, "c", &mark) ||
	    !message_param(&top.params, "m", &hex) || hex.l != 16)
		return;
	re_snprintf(text, sizeof(text), "%r;c=%r", &top.branch, &mark);
	seal(want, j, text, strlen(text));
	if (!secret_equal(want, hex.p, 16) ||
	    re_snprintf(text, sizeof(text), "%r", &mark) < 0 ||
	    sscanf(text, "%u.%u", &slot, &gen) != 2 || slot >= SOURCES_MAX)
		return;
	s = &j->sourcev[slot];
	if (s->gen != gen)
		return;
	via_pop(&ed, m);
	if (!write_message(j, m, &ed, NULL))
		sip_udp_send(s->by, &s->sa, j->room->buf, j->room->end);
}

static void readable(unsigned events, void *arg)
{
	static char buf[DATAGRAM_MAX];
	struct udp_joint *j = arg;

	(void)events;
	for (unsigned i = 0; i < DATAGRAMS_A_ROUND; i++) {
		struct sa src, sofia;
		ssize_t n;

		src.len = sizeof(src.u);
		n = recvfrom(j->fd, buf, sizeof(buf), MSG_DONTWAIT, &src.u.sa, &src.len);
		if (n < 0)
			return;
		sa_set_in(&sofia, INADDR_LOOPBACK, sip_agent_udp_port(j->sip));
		if (!sa_cmp(&src, &sofia, SA_ALL) || parse(&j->m, buf, (size_t)n) ||
		    !is_sofias(j, &j->m))
			continue;
		if (j->m.kind == MESSAGE_REQUEST)
			out_request(j, &j->m);
		else if (j->m.kind == MESSAGE_RESPONSE)
			out_response(j, &j->m);
	}
}

int udp_joint_alloc(struct udp_joint **jp, struct sip *sip, char **whyp)
{
	struct udp_joint *j = mem_zalloc(sizeof(*j), joint_destructor);
	struct sa sa;
	int err = 0;

	if (!j)
		return ENOMEM;
	j->sip = sip;
	j->room = mbuf_alloc(8192);
	secret_random(j->key, sizeof(j->key));
	sa_set_in(&sa, INADDR_LOOPBACK, 0);
	j->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (j->fd < 0 || bind(j->fd, &sa.u.sa, sa.len) ||
	    getsockname(j->fd, &sa.u.sa, &sa.len))
		err = errno;
	if (!err && !j->room)
		err = ENOMEM;
	if (!err) {
		j->port = sa_port(&sa);
		snprintf(j->url, sizeof(j->url), "sip:127.0.0.1:%u;transport=udp;lr",
			 j->port);
		err = sip->core->loop->ops->watch(&j->watch, sip->core->loop, j->fd,
						  LOOP_READ, readable, j);
	}
	if (!err)
		err = sip_agent_udp_start(sip);
	if (err) {
		re_sdprintf(whyp, "sip: the joint for trunks by UDP cannot be opened: %s",
			    strerror(err));
		mem_deref(j);
		return err;
	}
	*jp = j;
	return 0;
}
