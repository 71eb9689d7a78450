/* test_nta_traps.c - the traps of Sofia's NTA that were found by trying: each once, so that neither a
 * change of ours nor another Sofia brings one back.   NTA ══ TCP ══ stand-in edge, this thread */
#include <poll.h>
#include <unistd.h>

#include "tests/unit/sip/sip_peer.h"

#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"

/* An ACK whose INVITE transaction is long gone: `assert(!"INVITE found for ACK")` is live in the
 * packaged library and ends the process, unless the ACK brings its branch. */
static void late_ack(void **state)
{
	struct message m, r;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	peer_advance_ms(44000);
	peer_end(peer_call_last()->leg, CAUSE_CANCELLED);
	peer_expect(&r, "CANCEL ");
	message_answer(&r, 200, "OK", "A", "", NULL);
	peer_advance_ms(35000); /* NTA has forgotten it, our try has not */
	message_answer(&m, 200, "OK", "A", CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	peer_expect(&r, "BYE ");
	assert_true(peer_quiet());
}

/* Two 200s with different tags and no 18x before: NTA, left to itself, acknowledges and ends the second
 * with requests that lack the private header, or dials its Contact. */
static void two_200s_without_18x(void **state)
{
	struct message m, r;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", "A", CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=A"));
	message_answer(&m, 200, "OK", "B",
		       "Contact: <sip:bob@evil.example:5999;transport=tcp>\n",
		       peer_sdp_c);
	peer_expect(&r, "ACK sip:bob@evil.example:5999;transport=tcp ");
	assert_non_null(strstr(HEADER(&r, "To"), ";tag=B"));
	assert_true(*HEADER(&r, JOINT_HEADER));
	peer_expect(&r, "BYE sip:bob@evil.example:5999;transport=tcp ");
	assert_true(*HEADER(&r, JOINT_HEADER));
	assert_true(strtoul(HEADER(&r, "CSeq"), NULL, 10) < 0x7fffffff);
	assert_string_equal(HEADER(&r, "Max-Forwards"), "70");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	message_answer(&m, 200, "OK", "B", CONTACT,
		       peer_sdp_c); /* repeated: acknowledged, no second BYE */
	peer_expect(&r, "ACK ");
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "answer ");
	assert_int_equal(peer_n_accepted(), 1);
}

/* The same INVITE by another way (other branch, no To tag): 482, and not a re-INVITE. */
static void merged_invite(void **state)
{
	struct dialog d, merged;
	struct message m;
	struct leg *leg = peer_call_in(&d);

	(void)state;
	dialog_init(&merged, d.call_id);
	dialog_send(&merged, "INVITE", 1, "other", PEER_DOMAIN, "", peer_sdp_b);
	peer_expect(&m, "SIP/2.0 482 ");
	leg->ops->ringing(leg); /* now there is a dialog with a tag */
	peer_expect(&m, "SIP/2.0 180 ");
	dialog_send(&merged, "INVITE", 1, "other2", PEER_DOMAIN, "", peer_sdp_b);
	peer_expect(&m, "SIP/2.0 482 ");
	assert_string_equal(peer_call_last()->trace, "");
	assert_int_equal(peer->n_calls, 1);
	peer_end(leg,
		 CAUSE_BUSY); /* and when there is no dialog any more: not rung again */
	peer_expect(&m, "SIP/2.0 486 ");
	dialog_send(&merged, "INVITE", 1, "other3", PEER_DOMAIN, "", peer_sdp_b);
	peer_expect(&m, "SIP/2.0 482 ");
	assert_int_equal(peer->n_calls, 1);
}

/* … and an INVITE without a To tag but with a later CSeq: it must not reach the dialog either. */
static void untagged_invite(void **state)
{
	struct dialog d, untagged;
	struct message m;

	(void)state;
	peer_call_in_talking(&d);
	dialog_init(&untagged, d.call_id);
	dialog_send(&untagged, "INVITE", 5, "u", PEER_DOMAIN, "", peer_sdp_c);
	peer_expect(&m, "SIP/2.0 482 ");
	assert_string_equal(peer_call_last()->trace, "");
}

/* The edge gives a joint connection up by RST: an INVITE that waits fails at once. */
static void rst_with_invite_pending(void **state)
{
	struct message m;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	peer_outer_close(true);
	peer_settle();
	assert_string_equal(peer_call_last()->trace, "ended(unreachable) ");
	peer_call_out(); /* the next one dials anew */
	peer_expect(&m, "INVITE ");
	assert_int_equal(peer_n_accepted(), 2);
}

static void rst_after_180(void **state)
{
	struct message m;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	peer_settle();
	peer_outer_close(true);
	peer_settle();
	assert_string_equal(peer_call_last()->trace, "ringing ended(unreachable) ");
}

/* A FIN tells NTA nothing: our own timers bound it. */
static void fin_with_invite_pending(void **state)
{
	struct message m;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	peer_outer_close(false);
	peer_settle();
	assert_string_equal(peer_call_last()->trace, "");
	peer_advance_ms(peer->config.limits.sip_answer_s * 1000 + 100);
	assert_int_equal(strncmp(peer_call_last()->trace, "ended(", 6), 0);
}

static void fin_after_180(void **state)
{
	struct message m;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	peer_settle();
	peer_outer_close(false);
	peer_advance_ms((peer->config.limits.ring_s + peer->config.limits.accept_s + 61) *
			1000);
	assert_string_equal(peer_call_last()->trace, "ringing ended(timeout) ");
}

/* The connection an INVITE came on is gone before its 200: the answer goes to the edge's own port,
 * never to the ephemeral port it came from, where anybody may listen by now. */
static void inner_connection_lost_before_the_200(void **state)
{
	struct dialog d;
	struct message m;
	struct leg *leg = peer_call_in(&d);
	struct body *b = peer_body(peer_sdp_a);
	unsigned before = peer_n_accepted();

	(void)state;
	peer_inner_close(true);
	peer_settle();
	peer_inner_open();
	assert_int_equal(leg->ops->answer(leg, b), 0);
	mem_deref(b);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_true(peer_n_accepted() > before);
	assert_string_equal(message_body(&m), peer_sdp_a);
	dialog_learn(&d, &m);
	dialog_send(&d, "ACK", 1, "ack", PEER_DOMAIN, "", NULL);
	assert_true(peer_quiet());
}

/* A malformed header from one peer must not end the connection that all peers share: NTA's own 400
 * would half-close it. */
static void bad_header_keeps_the_joint(void **state)
{
	struct dialog d;
	struct message m;

	(void)state;
	dialog_init(&d, "bad");
	dialog_send(&d, "INVITE", 1, "bad", PEER_DOMAIN,
		    "Expires: \xff\xff\nSession-Expires: frob\nRequire: ;;\n",
		    peer_sdp_b);
	peer_expect(&m, "SIP/2.0 400 ");
	assert_true(*HEADER(&m, JOINT_HEADER));
	dialog_send(&d, "ACK", 1, "bad", PEER_DOMAIN, "", NULL);
	dialog_init(&d, "good");
	dialog_send(&d, "OPTIONS", 1, "good", PEER_DOMAIN, "", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_int_equal(peer_n_accepted(), 0); /* all on the one inner connection */
}

/* Responses are matched by branch alone: without the secret they mean nothing to us. */
static void response_without_secret(void **state)
{
	struct message m;
	char text[4000];

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	snprintf(
		text, sizeof(text),
		"SIP/2.0 200 OK\nVia: %s\nFrom: %s\nTo: %s;tag=x\nCall-ID: %s\nCSeq: %s\n" CONTACT
		"Content-Type: application/sdp\nContent-Length: %zu\n\n%s",
		HEADER(&m, "Via"), HEADER(&m, "From"), HEADER(&m, "To"),
		HEADER(&m, "Call-ID"), HEADER(&m, "CSeq"), strlen(peer_sdp_b),
		peer_sdp_b);
	peer_send_raw(text);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "");
	peer_call_out(); /* the same for a fork that is known */
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "x", CONTACT, NULL);
	peer_settle();
	snprintf(
		text, sizeof(text),
		"SIP/2.0 200 OK\nVia: %s\nFrom: %s\nTo: %s;tag=x\nCall-ID: %s\nCSeq: %s\n" CONTACT
		"Content-Type: application/sdp\nContent-Length: %zu\n\n%s",
		HEADER(&m, "Via"), HEADER(&m, "From"), HEADER(&m, "To"),
		HEADER(&m, "Call-ID"), HEADER(&m, "CSeq"), strlen(peer_sdp_b),
		peer_sdp_b);
	peer_send_raw(text);
	assert_true(peer_quiet());
	assert_string_equal(peer_call_last()->trace, "ringing ");
}

/* A local process that dials Sofia's port gets nothing: no answer, no call. */
static void stranger_on_the_port(void **state)
{
	static const char *const methods[] = {"INVITE",   "OPTIONS", "BYE",
					      "REGISTER", "ACK",     "CANCEL"};
	int fd = peer_dial_sofia();
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	(void)state;
	for (unsigned i = 0; i < N_ELEMS(methods); i++) {
		char text[1000];
		int n = snprintf(
			text, sizeof(text),
			"%s sip:alice@alpha.example SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKs%u\r\n"
			"From: <sip:bob@peer.example>;tag=a\r\nTo: <sip:alice@alpha.example>\r\n"
			"Call-ID: s%u\r\nCSeq: 1 %s\r\nContact: <sip:bob@127.0.0.1:9>\r\nMax-Forwards: 70\r\n"
			"X-Sluss-Edge: 00000000000000000000000000000000;names=peer.example\r\n"
			"Content-Length: 0\r\n\r\n",
			methods[i], i, i, methods[i]);

		assert_int_equal(write(fd, text, (size_t)n), n);
	}
	peer_settle();
	peer_advance_ms(10000);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	assert_int_equal(peer->n_calls, 0);
	close(fd);
}

/* The wall clock jumps: no timer of NTA's moves (one of its asserts does not survive it). */
static void own_clock(void **state)
{
	su_time_t before, after;
	struct message m;

	(void)state;
	peer_call_out();
	peer_expect(&m, "INVITE ");
	before = su_now();
	peer_advance_ms(10000);
	after = su_now();
	assert_in_range(su_duration(after, before), 9999, 10001);
}

/* Every branch is ours and random: NTA's can be reckoned from one another. */
static void branches(void **state)
{
	struct message a, b;

	(void)state;
	peer_call_out();
	peer_expect(&a, "INVITE ");
	peer_call_out();
	peer_expect(&b, "INVITE ");
	assert_non_null(strstr(HEADER(&a, "Via"), ";branch=z9hG4bK"));
	assert_int_equal(strspn(strstr(HEADER(&a, "Via"), ";branch=z9hG4bK") + 15,
				"0123456789abcdef"),
			 32);
	assert_string_not_equal(strstr(HEADER(&a, "Via"), ";branch="),
				strstr(HEADER(&b, "Via"), ";branch="));
}

#define T(f) cmocka_unit_test_setup_teardown(f, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(late_ack),
		T(two_200s_without_18x),
		T(merged_invite),
		T(untagged_invite),
		T(rst_with_invite_pending),
		T(rst_after_180),
		T(fin_with_invite_pending),
		T(fin_after_180),
		T(inner_connection_lost_before_the_200),
		T(bad_header_keeps_the_joint),
		T(response_without_secret),
		T(stranger_on_the_port),
		T(own_clock),
		T(branches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
