/* tests/unit/webrtc/test_web_gate.c - rate, order and error count of one connection, on a clock of our own. */
#include "webrtc/session/gate.h"

#include <setjmp.h>
#include <cmocka.h>

enum { S = 1000000 };

static const struct limits limits = {
	.ws_rate = 50, .sdp_bytes = 4096, .ws_json_depth = 16};

/* Takes a ping with this id; gives the error code, or -1 when it passed. */
static int ping(struct gate *g, unsigned id, uint64_t now_us)
{
	struct client_msg *m = NULL;
	struct parse_fault fault;
	char text[64];
	int err;

	snprintf(text, sizeof(text), "{\"type\":\"ping\",\"id\":%u}", id);
	err = gate_take(g, &m, &fault, text, strlen(text), now_us);
	assert_true(!err == (m != NULL));
	if (err)
		assert_true(fault.id == id && fault.text[0]);
	mem_deref(m);
	return err ? (int)fault.code : -1;
}

static void ids_must_rise(void **state)
{
	struct gate g;

	gate_init(&g, &limits, 0);
	assert_int_equal(ping(&g, 1, 0), -1);
	assert_int_equal(ping(&g, 1, 0), ERROR_REPLAYED);
	assert_int_equal(ping(&g, 5, 0), -1);
	assert_int_equal(ping(&g, 4, 0), ERROR_REPLAYED);
	assert_int_equal(ping(&g, 2147483647, 0), -1);
	assert_int_equal(ping(&g, 2147483647, 0), ERROR_REPLAYED);
}

static void a_bad_message_uses_up_its_id(void **state)
{
	static const char bad[] = "{\"type\":\"nonsense\",\"id\":9}";
	struct client_msg *m = NULL;
	struct parse_fault fault;
	struct gate g;

	gate_init(&g, &limits, 0);
	assert_int_equal(gate_take(&g, &m, &fault, bad, strlen(bad), 0), EBADMSG);
	assert_int_equal(fault.code, ERROR_UNKNOWN_TYPE);
	assert_int_equal(ping(&g, 9, 0), ERROR_REPLAYED);
	assert_int_equal(ping(&g, 10, 0), -1);
}

static void rate(void **state)
{
	unsigned id = 1, n = 0;
	struct gate g;

	gate_init(&g, &limits, 7 * S);
	while (ping(&g, id++, 7 * S) == -1)
		n++;
	assert_int_equal(n, 200); /* four seconds' worth at once */
	assert_int_equal(ping(&g, id++, 7 * S), ERROR_RATE);
	assert_int_equal(ping(&g, id++, 7 * S + S / 50), -1); /* then one each 20 ms */
	assert_int_equal(ping(&g, id++, 7 * S + S / 50), ERROR_RATE);
	for (n = 0; ping(&g, id++, 8 * S + S / 50) == -1; n++)
		;
	assert_int_equal(n, 50);
	for (n = 0; ping(&g, id++, 1000ull * S) == -1; n++)
		;
	assert_int_equal(n, 200); /* never more than that in store */
}

static void twenty_errors_a_minute(void **state)
{
	struct gate g;

	gate_init(&g, &limits, 0);
	for (unsigned i = 1; i < 20; i++)
		assert_false(gate_error(&g, i));
	assert_true(gate_error(&g, 59ull * S));

	gate_init(&g, &limits, 0);
	for (unsigned i = 1; i < 20; i++)
		assert_false(gate_error(&g, i));
	assert_false(gate_error(&g, 60ull * S)); /* a new minute */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_must_rise),
		cmocka_unit_test(a_bad_message_uses_up_its_id),
		cmocka_unit_test(rate),
		cmocka_unit_test(twenty_errors_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
