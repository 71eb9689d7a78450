/* tests/unit/webrtc/test_media_dtls.c - DTLS in both roles, against itself: lost, repeated and foreign datagrams.
 *
 *   client (towards a passive legacy peer) ◄── queues of datagrams, time by hand ──► server */
#include "webrtc/media/dtls.h"

#include <unistd.h>

#include "lib/secret.h"

#include <setjmp.h>
#include <cmocka.h>

enum { QUEUE = 64, SERVER = 0, CLIENT = 1 };

struct end {
	struct dtls_identity *identity;
	struct dtls_context *context;
	struct dtls *dtls;
	struct media_remote other; /**< what it knows of the other end */
	struct dtls_keys keys;
	enum dtls_state state;
	uint8_t in[QUEUE][1500]; /**< on their way to it */
	size_t nv[QUEUE], n_in;
	unsigned n_sent, lose; /**< lose: the first so many that it sends */
};

static struct end ends[2];
static uint64_t now_ms;

static void on_send(const uint8_t *p, size_t n, void *arg)
{
	struct end *from = arg, *to = &ends[from == &ends[SERVER] ? CLIENT : SERVER];

	assert_true(n <= 1200);
	if (from->n_sent++ < from->lose)
		return;
	assert_true(to->n_in < QUEUE);
	memcpy(to->in[to->n_in], p, n);
	to->nv[to->n_in++] = n;
}

static int setup(void **state)
{
	memset(ends, 0, sizeof(ends));
	now_ms = 1000;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(dtls_identity_alloc(&ends[i].identity), 0);
		assert_int_equal(dtls_context_alloc(&ends[i].context, ends[i].identity),
				 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		ends[i].other.n_fingerprints = 1;
		ends[i].other.fingerprintv[0] =
			*dtls_identity_fingerprint(ends[!i].identity);
		assert_int_equal(dtls_alloc(&ends[i].dtls, ends[i].context, i == CLIENT,
					    &ends[i].other, on_send, &ends[i]),
				 0);
	}
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		mem_deref(ends[i].dtls);
		mem_deref(ends[i].context);
		mem_deref(ends[i].identity);
		secret_wipe(&ends[i].keys, sizeof(ends[i].keys));
	}
	return 0;
}

static void deliver(struct end *e)
{
	for (size_t i = 0; i < e->n_in; i++)
		e->state = dtls_take(e->dtls, e->in[i], e->nv[i], now_ms);
	e->n_in = 0;
}

/** Until both are done or `ms` are over; the clock jumps from tick to tick. */
static void run(uint64_t ms)
{
	uint64_t end = now_ms + ms;

	ends[CLIENT].state = dtls_tick(ends[CLIENT].dtls, now_ms);
	while (now_ms < end &&
	       (ends[0].state == DTLS_SHAKING || ends[1].state == DTLS_SHAKING)) {
		if (ends[0].n_in || ends[1].n_in) {
			deliver(&ends[0]);
			deliver(&ends[1]);
			continue;
		}
		now_ms += 10;
		/* OpenSSL's timers read the wall clock: what is to be repeated is repeated when that says so */
		usleep(10000);
		for (unsigned i = 0; i < 2; i++)
			ends[i].state = dtls_tick(ends[i].dtls, now_ms);
	}
}

static void same_keys(void)
{
	struct dtls_keys *s = &ends[SERVER].keys, *c = &ends[CLIENT].keys;

	assert_int_equal(ends[SERVER].state, DTLS_DONE);
	assert_int_equal(ends[CLIENT].state, DTLS_DONE);
	assert_int_equal(dtls_keys_take(s, ends[SERVER].dtls), 0);
	assert_int_equal(dtls_keys_take(c, ends[CLIENT].dtls), 0);
	assert_int_equal(s->suite, SRTP_SUITE_AES_128_GCM);
	assert_int_equal(c->suite, s->suite);
	assert_memory_equal(s->key_in, c->key_out, 16);
	assert_memory_equal(s->key_out, c->key_in, 16);
	assert_memory_equal(s->salt_in, c->salt_out, 12);
	assert_memory_equal(s->salt_out, c->salt_in, 12);
	assert_memory_not_equal(s->key_in, s->key_out, 16);
}

static void both_roles(void **state)
{
	run(1000);
	same_keys();
	assert_int_equal(dtls_next_ms(ends[CLIENT].dtls), UINT64_MAX);
}

/* the first hello, and half of what is answered: repeated after 100 ms, not after the second of RFC 6347 */
static void lost_datagrams(void **state)
{
	ends[CLIENT].lose = 2;
	ends[SERVER].lose = 2;
	run(5000);
	same_keys();
	assert_true(now_ms < 3000);
}

static void what_is_no_dtls_is_dropped(void **state)
{
	uint8_t junk[600];

	ends[CLIENT].state = dtls_tick(ends[CLIENT].dtls, now_ms);
	for (unsigned i = 0; i < 50; i++) {
		secret_random(junk, sizeof(junk));
		junk[0] = (uint8_t)(20 + i % 4);
		junk[1] = 0xfe;
		junk[2] = 0xfd;
		dtls_take(ends[CLIENT].dtls, junk, i * 10, now_ms);
	}
	run(5000);
	same_keys();
}

static void another_certificate_than_described(void **state)
{
	ends[CLIENT].other.fingerprintv[0].v[7] ^= 1;
	run(300);
	assert_int_equal(ends[CLIENT].state, DTLS_FOREIGN);
	assert_int_equal(dtls_keys_take(&ends[CLIENT].keys, ends[CLIENT].dtls), ENOENT);
	assert_int_equal(dtls_keys_take(&ends[SERVER].keys, ends[SERVER].dtls), ENOENT);
}

/* the client was the other's choice: the server judges as it always does */
static void a_client_with_another_certificate(void **state)
{
	ends[SERVER].other.fingerprintv[0].v[7] ^= 1;
	run(300);
	assert_int_equal(ends[SERVER].state, DTLS_FOREIGN);
	assert_int_equal(dtls_keys_take(&ends[SERVER].keys, ends[SERVER].dtls), ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_roles, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_datagrams, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_dtls_is_dropped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_certificate_than_described, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_client_with_another_certificate, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
