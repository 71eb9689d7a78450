/* test_sip_growth.c - hundreds of calls of every kind leave no memory behind, in us or in Sofia's homes. */
#include <malloc.h>

#include "tests/unit/sip/sip_peer.h"

#define CONTACT "Contact: <sip:bob@192.0.2.7:5061;transport=tls>\n"

enum { ROUNDS = 20, SLACK_BYTES = 24576 };

static void forget_calls(void)
{
	for (size_t i = 0; i < peer->n_calls; i++) {
		assert_null(peer->callv[i].leg);
		mem_deref(peer->callv[i].invite);
	}
	memset(peer->callv, 0, sizeof(peer->callv));
	peer->n_calls = 0;
}

static void drain(void)
{
	static struct message m;

	peer_settle();
	while (peer_next(&m)) {
		if (!strncmp(m.text, "BYE ", 4) || !strncmp(m.text, "CANCEL ", 7) ||
		    !strncmp(m.text, "PRACK ", 6))
			message_answer(&m, 200, "OK", "x", "", NULL);
		peer_settle();
	}
}

/* Out: forks and a late 200, a refusal, a CANCEL, a change of the call. In: talk and BYE, a CANCEL, a refusal. */
static void round_of_calls(unsigned n)
{
	static struct message m, r;
	struct body *b = peer_body(peer_sdp_c);
	struct dialog d;
	struct leg *leg = peer_call_out();
	char id[32];

	peer_expect(&m, "INVITE ");
	message_answer(&m, 183, "Progress", "A", CONTACT "Require: 100rel\nRSeq: 9\n",
		       peer_sdp_b);
	message_answer(&m, 200, "OK", "B", CONTACT, peer_sdp_b);
	message_answer(&m, 200, "OK", "A", CONTACT, peer_sdp_b);
	drain();
	assert_int_equal(leg->ops->offer(leg, b), 0);
	peer_expect(&r, "INVITE ");
	message_answer(&r, 200, "OK", NULL, CONTACT, peer_sdp_b);
	drain();
	peer_end(leg, CAUSE_HANGUP);
	drain();

	peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 486, "Busy", "x", "", NULL);
	drain();
	leg = peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "x", CONTACT, NULL);
	peer_settle();
	peer_end(leg, CAUSE_CANCELLED);
	drain();
	message_answer(&m, 487, "Terminated", "x", "", NULL);
	drain();

	for (unsigned kind = 0; kind < 3; kind++) {
		snprintf(id, sizeof(id), "g%u-%u", n, kind);
		dialog_init(&d, id);
		dialog_send(&d, "INVITE", 1, id, PEER_DOMAIN, "Supported: 100rel\n",
			    peer_sdp_b);
		peer_expect(&m, "SIP/2.0 100 ");
		leg = peer_call_last()->leg;
		if (kind == 0) {
			leg->ops->ringing(leg);
			assert_int_equal(leg->ops->answer(leg, b), 0);
			peer_expect(&m, "SIP/2.0 180 ");
			peer_expect(&m, "SIP/2.0 200 ");
			dialog_learn(&d, &m);
			dialog_send(&d, "ACK", 1, "ga", PEER_DOMAIN, "", NULL);
			dialog_send(&d, "BYE", 2, "gb", PEER_DOMAIN, "", NULL);
		} else if (kind == 1) {
			dialog_send(&d, "CANCEL", 1, id, PEER_DOMAIN, "", NULL);
		} else {
			peer_end(leg, CAUSE_BUSY);
		}
		drain();
		if (kind)
			dialog_send(&d, "ACK", 1, id, PEER_DOMAIN, "", NULL);
		drain();
	}
	mem_deref(b);
	forget_calls();
}

static size_t in_use(void)
{
	peer_advance_ms(80000); /* everything that NTA or we keep for a while has gone */
	drain();
	assert_int_equal(list_count(&peer->sip->legs), 0);
	assert_int_equal(list_count(&peer->sip->tries), 0);
	return mallinfo2().uordblks;
}

static void flat(void **state)
{
	size_t before, after;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of_calls(i);
	before = in_use();
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of_calls(ROUNDS + i);
	after = in_use();
	print_message("in use: %zu bytes, then %zu\n", before, after);
#ifndef SLUSS_SANITIZED /* its allocator does not count so; leaks it sees by itself */
	assert_true(after < before + SLACK_BYTES);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(flat, peer_setup, peer_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
