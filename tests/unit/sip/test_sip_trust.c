/* test_sip_trust.c - requests outside of dialogs: who may, and which refusal is due, from a table.
 *   peer ══ request ══► agent ──► trust */
#include "tests/unit/sip/sip_peer.h"

struct row {
	const char *what, *line; /* what is said of it, and the answer's start */
	const char *method, *uri, *from, *to, *names, *extra, *body;
	const char
		*header; /* "Name: value" that the answer must have; NULL: none asked */
};

#define SDP   peer_sdp_b
#define BOB   "<sip:bob@peer.example>;tag=1"
#define ALICE "<sip:alice@alpha.example>"
#define URI   "sip:alice@alpha.example"
#define NAMES "peer.example"

static const struct row rows[] = {
	/* the good ones */
	{"plain", "SIP/2.0 100 ", "INVITE", URI, BOB, ALICE, NAMES, "", SDP, NULL},
	{"one of several names", "SIP/2.0 100 ", "INVITE", URI, BOB, ALICE,
	 "a.example/peer.example/b.example", "", SDP, NULL},
	{"any case", "SIP/2.0 100 ", "INVITE",
	 "sip:ALICE@Alpha.Example:5061;transport=tls", "<sip:bob@PEER.example>;tag=1",
	 ALICE, NAMES, "", SDP, NULL},
	{"escapes", "SIP/2.0 100 ", "INVITE", "sip:%61lice@alpha.example", BOB, ALICE,
	 NAMES, "", SDP, NULL},
	{"To is somebody else", "SIP/2.0 100 ", "INVITE", URI, BOB,
	 "<sip:x@elsewhere.example>", NAMES, "", SDP, NULL},
	{"options", "SIP/2.0 200 ", "OPTIONS", URI, BOB, ALICE, NAMES, "", NULL,
	 "Accept: application/sdp"},
	{"known extensions", "SIP/2.0 100 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Require: timer, 100rel\n", SDP, NULL},
	{"accepts anything", "SIP/2.0 100 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Accept: text/html, application/*\n", SDP, NULL},
	/* who is calling */
	{"no certificate", "SIP/2.0 403 ", "INVITE", URI, BOB, ALICE, "", "", SDP, NULL},
	{"another domain's certificate", "SIP/2.0 403 ", "INVITE", URI, BOB, ALICE,
	 "other.example", "", SDP, NULL},
	{"From of another domain", "SIP/2.0 403 ", "INVITE", URI,
	 "<sip:bob@victim.example>;tag=1", ALICE, NAMES, "", SDP, NULL},
	{"From of our own domain", "SIP/2.0 403 ", "INVITE", URI,
	 "<sip:alice@alpha.example>;tag=1", ALICE, NAMES, "", SDP, NULL},
	{"subdomain", "SIP/2.0 403 ", "INVITE", URI, "<sip:bob@sub.peer.example>;tag=1",
	 ALICE, NAMES, "", SDP, NULL},
	{"two at signs", "SIP/2.0 40", "INVITE", URI,
	 "<sip:bob@peer.example@evil.example>;tag=1", ALICE, NAMES, "", SDP, NULL},
	{"NUL in the host", "SIP/2.0 40", "INVITE", URI,
	 "<sip:bob@peer.example%00.evil.example>;tag=1", ALICE, NAMES, "", SDP, NULL},
	{"address as host", "SIP/2.0 403 ", "INVITE", URI, "<sip:bob@192.0.2.7>;tag=1",
	 ALICE, NAMES, "", SDP, NULL},
	{"anonymous", "SIP/2.0 403 ", "INVITE", URI,
	 "<sip:anonymous@anonymous.invalid>;tag=1", ALICE, NAMES, "", SDP, NULL},
	{"tel", "SIP/2.0 403 ", "INVITE", URI, "<tel:+15551234>;tag=1", ALICE, NAMES, "",
	 SDP, NULL},
	{"asserted identity counts for nothing", "SIP/2.0 403 ", "INVITE", URI,
	 "<sip:x@victim.example>;tag=1", ALICE, NAMES,
	 "P-Asserted-Identity: <sip:bob@peer.example>\n", SDP, NULL},
	{"blocked", "SIP/2.0 403 ", "INVITE", URI, "<sip:bob@blocked.example>;tag=1",
	 ALICE, "blocked.example", "", SDP, NULL},
	{"identity wanted", "SIP/2.0 403 ", "INVITE", URI,
	 "<sip:bob@strict.example>;tag=1", ALICE, "strict.example", "", SDP, NULL},
	/* whom */
	{"relay", "SIP/2.0 403 ", "INVITE", "sip:carol@other.example", BOB, ALICE, NAMES,
	 "", SDP, NULL},
	{"relay by Route", "SIP/2.0 403 ", "INVITE", "sip:carol@other.example", BOB,
	 ALICE, NAMES, "Route: <sip:alpha.example;lr>\n", SDP, NULL},
	{"no user", "SIP/2.0 404 ", "INVITE", "sip:alpha.example", BOB, ALICE, NAMES, "",
	 SDP, NULL},
	{"address as host", "SIP/2.0 404 ", "INVITE", "sip:alice@127.0.0.1", BOB, ALICE,
	 NAMES, "", SDP, NULL},
	{"tel", "SIP/2.0 416 ", "INVITE", "tel:+15551234", BOB, ALICE, NAMES, "", SDP,
	 NULL},
	{"strange scheme", "SIP/2.0 416 ", "OPTIONS",
	 "nobodyKnowsThisScheme:totallyopaquecontent", BOB, ALICE, NAMES, "", NULL, NULL},
	{"headers in the URI", "SIP/2.0 400 ", "INVITE",
	 "sip:alice@alpha.example?Route=%3Csip:x.example%3E", BOB, ALICE, NAMES, "", SDP,
	 NULL},
	{"port too high", "SIP/2.0 400 ", "INVITE", "sip:alice@alpha.example:99999", BOB,
	 ALICE, NAMES, "", SDP, NULL},
	/* the shape */
	{"no hops left", "SIP/2.0 483 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Max-Forwards: 0\n", SDP, NULL},
	{"no hops left, but for us", "SIP/2.0 200 ", "OPTIONS", URI, BOB, ALICE, NAMES,
	 "Max-Forwards: 0\n", NULL, NULL},
	{"loop", "SIP/2.0 482 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Via: SIP/2.0/TLS alpha.example;branch=z9hG4bKq\n", SDP, NULL},
	{"unknown extension", "SIP/2.0 420 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Require: nothingSupportsThis, timer\n", SDP,
	 "Unsupported: nothingSupportsThis"},
	{"a required one unknown", "SIP/2.0 420 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Require: replaces, join\n", SDP, "Unsupported: join"},
	{"replaces", "SIP/2.0 481 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Replaces: a@b;to-tag=1;from-tag=2\n", SDP, NULL},
	{"unknown body", "SIP/2.0 415 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Content-Type: application/x-unknownformat\n", "<audio/>",
	 "Accept: application/sdp"},
	{"multipart", "SIP/2.0 415 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Content-Type: multipart/mixed;boundary=b\n",
	 "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--",
	 "Accept: application/sdp"},
	{"SDP not accepted", "SIP/2.0 406 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Accept: text/nobodyKnowsThis\n", SDP, NULL},
	{"late offer", "SIP/2.0 488 ", "INVITE", URI, BOB, ALICE, NAMES, "", NULL,
	 "Warning: 399 alpha.example \"Late offers are not taken\""},
	{"session too short", "SIP/2.0 422 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Supported: timer\nSession-Expires: 89\n", SDP, "Min-SE: 90"},
	{"bad Session-Expires", "SIP/2.0 400 ", "INVITE", URI, BOB, ALICE, NAMES,
	 "Session-Expires: soon\n", SDP, NULL},
	{"dialog unknown", "SIP/2.0 481 ", "INVITE", URI, BOB, ALICE ";tag=unknown",
	 NAMES, "", SDP, NULL},
	{"BYE", "SIP/2.0 481 ", "BYE", URI, BOB, ALICE ";tag=unknown", NAMES, "", NULL,
	 NULL},
	{"CANCEL", "SIP/2.0 481 ", "CANCEL", URI, BOB, ALICE, NAMES, "", NULL, NULL},
	{"PRACK", "SIP/2.0 481 ", "PRACK", URI, BOB, ALICE ";tag=unknown", NAMES,
	 "RAck: 1 1 INVITE\n", NULL, NULL},
	{"UPDATE", "SIP/2.0 481 ", "UPDATE", URI, BOB, ALICE, NAMES, "", NULL, NULL},
	/* methods */
	{"REGISTER", "SIP/2.0 405 ", "REGISTER", "sip:alpha.example", BOB, ALICE, NAMES,
	 "", NULL, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO"},
	{"MESSAGE", "SIP/2.0 405 ", "MESSAGE", URI, BOB, ALICE, NAMES, "", NULL, NULL},
	{"SUBSCRIBE", "SIP/2.0 405 ", "SUBSCRIBE", URI, BOB, ALICE, NAMES,
	 "Event: presence\n", NULL, NULL},
	{"NOTIFY", "SIP/2.0 405 ", "NOTIFY", URI, BOB, ALICE, NAMES,
	 "Event: presence\nSubscription-State: active\n", NULL, NULL},
	{"PUBLISH", "SIP/2.0 405 ", "PUBLISH", URI, BOB, ALICE, NAMES,
	 "Event: presence\n", NULL, NULL},
	{"REFER", "SIP/2.0 405 ", "REFER", URI, BOB, ALICE, NAMES,
	 "Refer-To: <sip:x@y.example>\n", NULL, NULL},
	{"FROB", "SIP/2.0 501 ", "FROB", URI, BOB, ALICE, NAMES, "", NULL, NULL},
};

static void send_row(const struct row *r, unsigned i)
{
	char text[6000];
	const char *type = r->body && !strstr(r->extra, "Content-Type")
				   ? "Content-Type: application/sdp\n"
				   : "";

	snprintf(
		text, sizeof(text),
		"%s %s SIP/2.0\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKe%u\n"
		"Via: SIP/2.0/TLS 192.0.2.7:5061;branch=z9hG4bKp%u\n%sFrom: %s\nTo: %s\nCall-ID: row%u\n"
		"CSeq: 1 %s\nContact: <sip:bob@192.0.2.7>\n%s\n%s%sContent-Length: %zu\n\n%s",
		r->method, r->uri, i, i,
		strstr(r->extra, "Max-Forwards") ? "" : "Max-Forwards: 70\n", r->from,
		r->to, i, r->method, peer_joint(r->names), r->extra, type,
		r->body ? strlen(r->body) : 0, r->body ? r->body : "");
	peer_send_raw(text);
}

static void table(void **state)
{
	struct message m;

	(void)state;
	snprintf(peer->peerv[0].domain, sizeof(peer->peerv[0].domain), "blocked.example");
	peer->peerv[0].block = true;
	snprintf(peer->peerv[1].domain, sizeof(peer->peerv[1].domain), "strict.example");
	peer->peerv[1].require = REQUIRE_BOTH;
	peer->config.n_peers = 2;
	for (unsigned i = 0; i < N_ELEMS(rows); i++) {
		unsigned calls = (unsigned)peer->n_calls;
		bool good = !strcmp(rows[i].line, "SIP/2.0 100 ");

		send_row(&rows[i], i);
		peer_expect(&m, good ? "SIP/2.0 100 " : "SIP/2.0 ");
		if (strncmp(m.text, rows[i].line, strlen(rows[i].line)))
			fail_msg("%s: wanted %s, got\n%s", rows[i].what, rows[i].line,
				 m.text);
		if (rows[i].header && !message_has(&m, rows[i].header))
			fail_msg("%s: wanted %s in\n%s", rows[i].what, rows[i].header,
				 m.text);
		assert_int_equal(peer->n_calls, calls + good);
		if (good) {
			assert_string_equal(peer_call_last()->invite->to.user, "alice");
			assert_string_equal(peer_call_last()->invite->from.addr.host,
					    PEER_DOMAIN);
			peer_end(peer_call_last()->leg, CAUSE_BUSY);
			peer_expect(&m, "SIP/2.0 486 ");
		}
		assert_int_equal(strncmp(HEADER(&m, JOINT_HEADER), peer->sip->secret,
					 JOINT_SECRET_HEX),
				 0);
	}
	peer_settle();
	assert_int_equal(list_count(&peer->sip->legs), 0);
}

/* More Via lines than a message can have passed hops. */
static void many_vias(void **state)
{
	static char extra[20000];
	const struct row *r = &rows[0];
	struct row loop = *r;
	struct message m;
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < SIP_VIA_MAX + 1; i++)
		n += (size_t)snprintf(extra + n, sizeof(extra) - n,
				      "v: SIP/2.0/UDP h%u.example;branch=z9hG4bK%u\n", i,
				      i);
	assert_true(n < 5000);
	loop.extra = extra;
	send_row(&loop, 900);
	peer_expect(&m, "SIP/2.0 482 ");
}

/* Two private headers: one of them is a stranger's. */
static void two_joints(void **state)
{
	struct row r = rows[0];

	(void)state;
	r.extra = "X-Sluss-Edge: 0123456789abcdef0123456789abcdef;names=victim.example\n";
	send_row(&r, 901);
	assert_true(peer_quiet());
	assert_int_equal(peer->n_calls, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(table), T(many_vias), T(two_joints)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
