/* tests/unit/sip/sip_peer.c - see sip_peer.h. */
#include "tests/unit/sip/sip_peer.h"

#include <strings.h>
#include <unistd.h>

#include "gateway/call.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "sip/sip.h"
#include "tests/unit/sip/sip_standin.h"

#define SDP(version, setup)                                                                           \
	"v=0\r\no=- 4611731400430051336 " version                                                     \
	" IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"                                                       \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:F7gI\r\n"      \
	"a=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=fingerprint:sha-256 6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:" \
	"F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\na=setup:" setup            \
	"\r\n"                                                                                        \
	"a=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"

const char peer_sdp_a[] = SDP("1", "actpass"), peer_sdp_b[] = SDP("2", "active"),
	   peer_sdp_c[] = SDP("3", "actpass");

enum { WAIT_US = 5000000 };

struct peer *peer;
void (*peer_tune)(struct config *config);

/* ---- the core's call, as far as a leg sees it ---- */

int call_alloc(struct call **callp, struct core *core, struct leg *a,
	       struct invite *invite, const struct addr *account, const char *domain)
{
	struct call *call;

	assert_ptr_equal(core, &peer->core);
	assert_null(account);
	if (peer->call_err)
		return peer->call_err;
	assert_true(peer->n_calls < PEER_CALLS_MAX);
	call = &peer->callv[peer->n_calls++];
	call->leg = mem_ref(a);
	call->invite = mem_ref(invite);
	snprintf(call->peer, sizeof(call->peer), "%s", domain);
	snprintf(invite->call_id, sizeof(invite->call_id), "%016u",
		 (unsigned)peer->n_calls);
	a->call = call;
	*callp = call;
	return 0;
}

bool call_is_emergency(const struct call *call)
{
	return call->emergency;
}

struct kept_call *call_rejoin_find_dialog(const struct core *core, const char *dialog,
					  const struct addr *user, const struct addr *to)
{
	assert_ptr_equal(core, &peer->core);
	snprintf(peer->kept_asked, sizeof(peer->kept_asked), "%s %s %s", dialog, AT(user),
		 AT(to));
	return peer->kept;
}

static void trace(struct call *call, const char *word, const char *detail)
{
	size_t n = strlen(call->trace);

	snprintf(call->trace + n, sizeof(call->trace) - n, detail ? "%s(%s) " : "%s ",
		 word, detail);
}

void call_leg_event(struct leg *leg, const struct leg_event *ev)
{
	static const char *const names[LEG_EVENT_N] = {
		[LEG_RINGING] = "ringing",
		[LEG_ACCEPTED] = "accepted",
		[LEG_ANSWER] = "answer",
		[LEG_OFFER] = "offer",
		[LEG_OFFER_REFUSED] = "refused",
		[LEG_CANDIDATES] = "candidates",
		[LEG_ENDED] = "ended",
		[LEG_OFFER_WITHDRAWN] = "withdrawn",
		[LEG_AWAY] = "away",
		[LEG_EARLY] = "early",
		[LEG_LATE] = "late",
	};
	struct call *call = leg->call;

	if (!call)
		return;
	assert_false(call->over);
	assert_ptr_equal(call->leg, leg);
	trace(call, ev->type == LEG_AWAY && !ev->away ? "back" : names[ev->type],
	      ev->cause ? cause_reason_name(ev->cause->reason) : NULL);
	if (ev->cause)
		call->cause = *ev->cause;
	for (size_t i = 0; ev->candidates && i < ev->candidates->n; i++) {
		size_t n = strlen(call->candidates);

		snprintf(call->candidates + n, sizeof(call->candidates) - n, "%s %s %s\n",
			 ev->candidates->ufrag, ev->candidates->v[i].mid,
			 ev->candidates->v[i].line);
	}
	if (ev->candidates)
		call->end = ev->candidates->end;
	if (ev->body)
		call->trickle = ev->body->trickle;
	if (ev->body)
		snprintf(call->body, sizeof(call->body), "%s", ev->body->data);
	if (ev->type == LEG_ENDED) {
		assert_non_null(ev->cause);
		call->over = true;
		leg->call = NULL;
		call->leg = mem_deref(call->leg);
	}
}

struct call *peer_call_of(const struct leg *leg)
{
	for (size_t i = 0; i < peer->n_calls; i++)
		if (peer->callv[i].leg == leg)
			return &peer->callv[i];
	fail_msg("no call has this leg");
	return NULL;
}

struct call *peer_call_last(void)
{
	assert_true(peer->n_calls > 0);
	return &peer->callv[peer->n_calls - 1];
}

void peer_end(struct leg *leg, enum cause_reason reason)
{
	struct call *call = peer_call_of(leg);
	struct cause c;

	leg->ops->end(leg, cause_set(&c, reason, NULL));
	leg->call = NULL;
	call->over = true;
	call->leg = mem_deref(call->leg);
}

struct body *peer_body(const char *text)
{
	struct body *b = NULL;

	assert_int_equal(body_alloc(&b, text, strlen(text)), 0);
	return b;
}

/* ---- the world ---- */

static uint64_t test_now(void *arg)
{
	return ((struct peer *)arg)->now_us;
}

static void stopped(void *arg)
{
	((struct peer *)arg)->stopped = true;
}

void standin_pump(void)
{
	sip_loop_step(peer->loop, 1);
}

int peer_setup(void **state)
{
	char *why = NULL;

	(void)state;
	peer = calloc(1, sizeof(*peer));
	assert_non_null(peer);
	log_level_set(getenv("SIP_TEST_LOG") ? LOG_TRACE : LOG_ERR);
	peer->now_us = 1000000000;
	for (size_t i = 0; i < config_limits_n; i++)
		*(uint32_t *)(void *)((char *)&peer->config.limits +
				      config_limits[i].offset) = config_limits[i].def;
	snprintf(peer->sitev[0].domain, sizeof(peer->sitev[0].domain), "%s", PEER_SITE);
	peer->config.sitev = peer->sitev;
	peer->config.n_sites = 1;
	peer->sipv[0].transport = TRANSPORT_TLS;
	sa_set_str(&peer->sipv[0].sa, "127.0.0.1", 5061);
	peer->config.sipv = peer->sipv;
	peer->config.n_sip = 1;
	peer->config.peerv = peer->peerv;
	if (peer_tune)
		peer_tune(&peer->config);
	assert_int_equal(sip_loop_alloc_clock(&peer->loop, test_now, peer), 0);
	assert_int_equal(core_init(&peer->core, &peer->config, peer->loop), 0);
	if (sip_alloc(&peer->sip, &why, &peer->core))
		fail_msg("sip_alloc: %s", why);
	assert_non_null(peer->core.federation);
	return 0;
}

int peer_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < peer->n_calls; i++) {
		if (peer->callv[i].leg)
			peer_end(peer->callv[i].leg, CAUSE_HANGUP);
		mem_deref(peer->callv[i].invite);
	}
	if (!peer->sip->stopping)
		sip_stop(peer->sip, stopped, peer);
	for (unsigned i = 0; i < 20 && !peer->stopped; i++)
		peer_advance_ms(1000);
	assert_true(peer->stopped);
	peer->sip = mem_deref(peer->sip);
	core_close(&peer->core);
	peer->loop = mem_deref(peer->loop);
	free(peer);
	peer = NULL;
	return 0;
}

void peer_settle(void)
{
	/* Loopback TCP delivers at once; a message makes a handful of turns at most. */
	for (unsigned i = 0; i < 40; i++)
		sip_loop_step(peer->loop, i % 10 == 9 ? 1 : 0);
}

void peer_advance_ms(uint64_t ms)
{
	while (ms) {
		uint64_t step = ms > 50 ? 50 : ms;

		peer->now_us += step * 1000;
		ms -= step;
		sip_loop_step(peer->loop, 0);
		sip_loop_step(peer->loop, 0);
	}
	peer_settle();
}

/* ---- the wire ---- */

static bool next_message(struct message *m)
{
	uint64_t end = clock_us() + WAIT_US;

	do {
		if (standin_read(m->text, sizeof(m->text), &m->n))
			return true;
		sip_loop_step(peer->loop, 1);
	} while (clock_us() < end);
	return false;
}

void peer_expect(struct message *m, const char *start)
{
	bool come;

	if (!strncmp(start, "SIP/2.0 100",
		     11)) { /* said when nothing else was for a while */
		peer_settle();
		peer_advance_ms(200);
	}
	come = next_message(m);
	if (!come)
		fail_msg("waited for \"%s\", nothing came", start);
	if (strncmp(m->text, start, strlen(start)))
		fail_msg("waited for \"%s\", got:\n%s", start, m->text);
}

bool peer_next(struct message *m)
{
	return standin_read(m->text, sizeof(m->text), &m->n);
}

bool peer_quiet(void)
{
	static struct message m;

	peer_settle();
	if (!standin_read(m.text, sizeof(m.text), &m.n))
		return true;
	print_message("not quiet: %s\n", m.text);
	return false;
}

const char *message_header(const struct message *m, const char *name, unsigned n,
			   char *buf, size_t size)
{
	size_t len = strlen(name);
	const char *p = strstr(m->text, "\r\n");

	buf[0] = '\0';
	for (; p && strncmp(p, "\r\n\r\n", 4); p = strstr(p + 2, "\r\n")) {
		const char *value = p + 2 + len;

		if (strncasecmp(p + 2, name, len) || *value != ':')
			continue;
		if (n--)
			continue;
		value += 1 + strspn(value + 1, " ");
		snprintf(buf, size, "%.*s", (int)strcspn(value, "\r"), value);
		break;
	}
	return buf;
}

const char *message_body(const struct message *m)
{
	const char *p = strstr(m->text, "\r\n\r\n");

	return p ? p + 4 : "";
}

bool message_has(const struct message *m, const char *text)
{
	return strstr(m->text, text) != NULL;
}

void peer_send_raw(const char *text)
{
	size_t n = 0, len = strlen(text);
	char *wire = malloc(2 * len + 1);
	const char *head_end = strstr(text, "\n\n");

	assert_non_null(wire);
	for (const char *p = text; *p; p++) {
		if (*p == '\n' && (p == text || p[-1] != '\r') &&
		    (!head_end || p <= head_end + 1))
			wire[n++] = '\r';
		wire[n++] = *p;
	}
	standin_write(wire, n);
	free(wire);
}

const char *peer_joint(const char *names)
{
	static char line[JOINT_VALUE_MAX + 32];
	struct joint j = {.tls = true};
	int n = snprintf(line, sizeof(line), "%s: ", JOINT_HEADER);

	snprintf(j.site, sizeof(j.site), "%s", PEER_SITE);
	if (names) {
		j.conn = 7;
		j.gen = 1;
		snprintf(j.addr, sizeof(j.addr), "192.0.2.7:5061");
	} else {
		names = "";
	}
	snprintf(j.names, sizeof(j.names), "%s", names);
	assert_int_equal(
		joint_print(line + n, sizeof(line) - (size_t)n, standin_secret(), &j), 0);
	return line;
}

void peer_inner_close(bool reset)
{
	standin_inner_close(reset);
}

void peer_inner_open(void)
{
	standin_inner_open();
}

void peer_outer_close(bool reset)
{
	standin_outer_close(reset);
}

unsigned peer_n_accepted(void)
{
	return standin_n_accepted();
}

int peer_dial_sofia(void)
{
	return standin_dial_sofia();
}

void peer_event(enum edge_event_kind kind, uint64_t token, const char *target,
		const char *why)
{
	struct edge_event ev = {.kind = kind, .token = token};

	snprintf(ev.domain, sizeof(ev.domain), "%s", PEER_DOMAIN);
	snprintf(ev.target, sizeof(ev.target), "%s", target ? target : "");
	snprintf(ev.why, sizeof(ev.why), "%s", why ? why : "");
	standin_post(&ev);
	peer_settle();
}

/* ---- dialogs ---- */

void dialog_init(struct dialog *d, const char *call_id)
{
	memset(d, 0, sizeof(*d));
	snprintf(d->call_id, sizeof(d->call_id), "%s", call_id);
	snprintf(d->remote, sizeof(d->remote), "\"Bob B.\" <sip:bob@%s>;tag=bobs",
		 PEER_DOMAIN);
	snprintf(d->local, sizeof(d->local), "<sip:alice@%s>", PEER_SITE);
	snprintf(d->target, sizeof(d->target), "sip:alice@%s", PEER_SITE);
	d->cseq = 1;
}

void dialog_send(struct dialog *d, const char *method, unsigned cseq, const char *branch,
		 const char *names, const char *extra, const char *sdp)
{
	static char text[80000];
	int n;

	n = snprintf(
		text, sizeof(text),
		"%s %s SIP/2.0\nVia: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bKedge%s\n"
		"Via: SIP/2.0/TLS %s:5061;branch=z9hG4bK%s\nMax-Forwards: 70\nFrom: %s\nTo: %s\n"
		"Call-ID: %s\nCSeq: %u %s\nContact: <sip:bob@192.0.2.7:5061;transport=tls>\n%s\n%s"
		"%sContent-Length: %zu\n\n%s",
		method, d->target, (unsigned)standin_port(), branch, PEER_DOMAIN, branch,
		d->remote, d->local, d->call_id, cseq, method, peer_joint(names), extra,
		sdp && !strcasestr(extra, "Content-Type:")
			? "Content-Type: application/sdp\n"
			: "",
		sdp ? strlen(sdp) : 0, sdp ? sdp : "");
	assert_true(n > 0 && (size_t)n < sizeof(text));
	peer_send_raw(text);
}

static void uri_of(char *buf, size_t size, const char *name_addr)
{
	const char *p = strchr(name_addr, '<');

	assert_non_null(p);
	snprintf(buf, size, "%.*s", (int)strcspn(p + 1, ">"), p + 1);
}

void dialog_learn(struct dialog *d, const struct message *response)
{
	const char *contact = HEADER(response, "Contact");

	snprintf(d->local, sizeof(d->local), "%s", HEADER(response, "To"));
	if (*contact)
		uri_of(d->target, sizeof(d->target), contact);
}

void message_answer(const struct message *request, unsigned status, const char *phrase,
		    const char *tag, const char *extra, const char *sdp)
{
	static char text[80000];
	const char *to = HEADER(request, "To");
	char via[600];
	size_t n =
		(size_t)snprintf(text, sizeof(text), "SIP/2.0 %u %s\n", status, phrase);

	for (unsigned i = 0; *message_header(request, "Via", i, via, sizeof(via)); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "Via: %s\n", via);
	n += (size_t)snprintf(
		text + n, sizeof(text) - n,
		"From: %s\nTo: %s%s%s\nCall-ID: %s\nCSeq: %s\n%s\n%s%sContent-Length: %zu\n\n%s",
		HEADER(request, "From"), to, tag && !strstr(to, ";tag=") ? ";tag=" : "",
		tag && !strstr(to, ";tag=") ? tag : "", HEADER(request, "Call-ID"),
		HEADER(request, "CSeq"),
		peer_joint(strstr(extra, "Reason: X-EDGE") ? NULL : PEER_DOMAIN), extra,
		sdp && !strcasestr(extra, "Content-Type:")
			? "Content-Type: application/sdp\n"
			: "",
		sdp ? strlen(sdp) : 0, sdp ? sdp : "");
	assert_true(n < sizeof(text));
	peer_send_raw(text);
}

void dialog_of_invite(struct dialog *d, const struct message *invite, const char *tag)
{
	memset(d, 0, sizeof(*d));
	snprintf(d->call_id, sizeof(d->call_id), "%s", HEADER(invite, "Call-ID"));
	snprintf(d->local, sizeof(d->local), "%s", HEADER(invite, "From"));
	snprintf(d->remote, sizeof(d->remote), "%s;tag=%s", HEADER(invite, "To"), tag);
	uri_of(d->target, sizeof(d->target), HEADER(invite, "Contact"));
	d->cseq = 100;
}

uint64_t message_token(const struct message *m)
{
	const char *value = HEADER(m, JOINT_HEADER);
	struct joint j;

	assert_int_equal(joint_parse(&j, standin_secret(), value, strlen(value)), 0);
	return j.token;
}

/* ---- legs ---- */

struct leg *peer_call_out(void)
{
	return peer_call_out_with(peer_sdp_a, false);
}

struct leg *peer_call_out_with(const char *text, bool trickle)
{
	struct party from = {.name = "Alice \"A\" Ä"};
	struct invite *invite = NULL;
	struct body *sdp = peer_body(text);
	struct addr to;
	struct call *call;
	struct leg *leg = NULL;

	sdp->trickle = trickle;
	assert_true(peer->n_calls < PEER_CALLS_MAX);
	call = &peer->callv[peer->n_calls++];
	assert_int_equal(
		addr_parse(&from.addr, "alice@" PEER_SITE, strlen("alice@" PEER_SITE)),
		0);
	assert_int_equal(addr_parse(&to, "bob@" PEER_DOMAIN, strlen("bob@" PEER_DOMAIN)),
			 0);
	assert_int_equal(invite_alloc(&invite, &from, &to, sdp, 69), 0);
	mem_deref(sdp);
	assert_int_equal(peer->core.federation->leg_alloc(
				 &leg, peer->core.federation_arg, call,
				 core_site_find(&peer->core, PEER_SITE), PEER_DOMAIN),
			 0);
	call->leg = leg;
	call->invite = invite;
	assert_ptr_equal(leg->call, call);
	assert_int_equal(leg->ops->invite(leg, invite), 0);
	return leg;
}

struct leg *peer_call_in(struct dialog *d)
{
	struct message m;

	dialog_init(d, "in-1@peer.example");
	dialog_send(
		d, "INVITE", d->cseq, "in1", PEER_DOMAIN,
		"Require: 100rel\nSupported: timer\nAllow: INVITE, ACK, CANCEL, BYE, UPDATE\n",
		peer_sdp_b);
	peer_expect(&m, "SIP/2.0 100 ");
	return peer_call_last()->leg;
}

struct leg *peer_call_in_talking(struct dialog *d)
{
	struct leg *leg = peer_call_in(d);
	struct body *answer = peer_body(peer_sdp_a);
	struct message m;

	assert_int_equal(leg->ops->answer(leg, answer), 0);
	mem_deref(answer);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_string_equal(message_body(&m), peer_sdp_a);
	dialog_learn(d, &m);
	dialog_send(d, "ACK", d->cseq, "in1ack", PEER_DOMAIN, "", NULL);
	peer_settle();
	return leg;
}

struct leg *peer_call_out_talking(struct dialog *d)
{
	struct leg *leg = peer_call_out();
	struct message m, ack;

	peer_expect(&m, "INVITE sip:bob@" PEER_DOMAIN " ");
	message_answer(&m, 200, "OK", "bobs",
		       "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"
		       "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\n",
		       peer_sdp_b);
	peer_expect(&ack, "ACK sip:bob@192.0.2.7:5061;transport=tls ");
	assert_string_equal(peer_call_of(leg)->trace, "answer ");
	dialog_of_invite(d, &m, "bobs");
	return leg;
}
