/* tests/unit/webrtc/test_web_replay.c - what a session keeps for a browser that comes back: events until they
 * are acknowledged, answers so that no request is carried out twice. */
#include "webrtc/session/replay.h"

#include <setjmp.h>
#include <cmocka.h>

enum { MAX_BYTES = 65536 };

static struct replay *r;
static uint64_t seen[64];
static size_t n_seen;

static int setup(void **state)
{
	n_seen = 0;
	return replay_alloc(&r, MAX_BYTES);
}

static int teardown(void **state)
{
	r = mem_deref(r);
	return 0;
}

static int event(const char *sdp)
{
	struct server_msg *m = server_msg_new(SERVER_OFFER);
	int err;

	snprintf(m->call, sizeof(m->call), "c1");
	if (sdp)
		assert_int_equal(body_alloc(&m->sdp, sdp, strlen(sdp)), 0);
	err = replay_event(r, m);
	mem_deref(m);
	return err;
}

static int see(struct server_msg *copy, void *arg)
{
	assert_string_equal(copy->call, "c1");
	seen[n_seen++] = copy->seq;
	mem_deref(copy);
	return arg && n_seen == *(size_t *)arg ? EIO : 0;
}

static void events_come_again_until_acknowledged(void **state)
{
	size_t two = 2;

	for (int i = 0; i < 5; i++)
		assert_int_equal(event("v=0\r\n"), 0);
	assert_int_equal(replay_each(r, see, NULL), 0);
	assert_int_equal(n_seen, 5);
	for (size_t i = 0; i < n_seen; i++)
		assert_int_equal(seen[i], i + 1);
	assert_int_equal(replay_ack(r, 3), 0);
	assert_int_equal(replay_ack(r, 1), 0); /* late: changes nothing */
	n_seen = 0;
	assert_int_equal(replay_each(r, see, NULL), 0);
	assert_int_equal(n_seen, 2);
	assert_int_equal(seen[0], 4);
	n_seen = 0;
	assert_int_equal(replay_each(r, see, &two), EIO);
	assert_int_equal(replay_ack(r, 6), ERANGE);
	assert_int_equal(replay_can(r, 6), ERANGE);
	assert_int_equal(replay_can(r, 5), 0);
	assert_int_equal(replay_can(r, 3), 0);
	assert_int_equal(replay_can(r, 2), ENOENT);
	assert_int_equal(replay_ack(r, 5), 0);
	assert_int_equal(replay_bytes(r), 0);
}

static void what_is_kept_is_a_copy(void **state)
{
	struct server_msg *m = server_msg_new(SERVER_INCOMING);
	char *identity[] = {(char *)"eyJ", (char *)"two", NULL};
	struct server_msg *copy;

	assert_int_equal(body_alloc(&m->sdp, "v=0\r\n", 5), 0);
	m->identityv = identity;
	m->person = mem_zalloc(sizeof(*m->person), NULL);
	snprintf(m->person->name, sizeof(m->person->name), "ann@idp.example");
	copy = server_msg_copy(m);
	assert_ptr_not_equal(copy->sdp, m->sdp);
	assert_memory_equal(copy->sdp->data, "v=0\r\n", 6);
	assert_ptr_not_equal(copy->identityv, m->identityv);
	assert_string_equal(copy->identityv[1], "two");
	assert_null(copy->identityv[2]);
	assert_ptr_not_equal(copy->person, m->person);
	assert_string_equal(copy->person->name, "ann@idp.example");
	assert_int_equal(server_msg_bytes(copy), server_msg_bytes(m));
	assert_true(server_msg_bytes(m) > sizeof(*m) + 5 + 6);
	m->identityv = NULL;
	mem_deref(m);
	mem_deref(copy);
}

static void events_are_bounded_by_bytes(void **state)
{
	static char sdp[20000];
	unsigned n = 0;

	memset(sdp, 'v', sizeof(sdp) - 1);
	while (!event(sdp))
		n++;
	assert_int_equal(n, 3);
	assert_true(replay_bytes(r) <= MAX_BYTES);
	assert_int_equal(event(sdp), ENOSPC);
	assert_int_equal(replay_ack(r, 2), 0);
	assert_int_equal(event(sdp), 0);
}

static struct server_msg *answer(uint32_t id, const char *error)
{
	struct server_msg *m = server_msg_new(error ? SERVER_ERROR : SERVER_OK);

	m->id = id;
	if (error) {
		m->error.code = ERROR_GONE;
		m->error.retry_s = 3;
		snprintf(m->error.text, sizeof(m->error.text), "%s", error);
	}
	return m;
}

static void give(uint32_t id, const char *error)
{
	struct server_msg *m = answer(id, error), *none = NULL;

	assert_int_equal(replay_request(r, id, &none), REPLAY_FRESH);
	assert_null(none);
	assert_int_equal(replay_answer(r, m), 0);
	mem_deref(m);
}

static void a_request_is_carried_out_once(void **state)
{
	struct server_msg *again = NULL;

	give(2, NULL);
	give(5, "the call is over");
	assert_int_equal(replay_request(r, 2, &again), REPLAY_ANSWERED);
	assert_int_equal(again->kind, SERVER_OK);
	assert_int_equal(again->id, 2);
	mem_deref(again);
	assert_int_equal(replay_request(r, 5, &again), REPLAY_ANSWERED);
	assert_int_equal(again->kind, SERVER_ERROR);
	assert_int_equal(again->id, 5);
	assert_int_equal(again->error.code, ERROR_GONE);
	assert_int_equal(again->error.retry_s, 3);
	assert_string_equal(again->error.text, "the call is over");
	mem_deref(again);
	/* refused by the web thread, which used its id up: never seen here, and too late now */
	assert_int_equal(replay_request(r, 4, &again), REPLAY_FORGOTTEN);
	give(6, NULL);
}

static void so_many_answers_are_known(void **state)
{
	struct server_msg *again = NULL;

	for (uint32_t id = 1; id <= 3 * REPLAY_ANSWERS; id++)
		give(id, id % 2 ? "odd" : NULL);
	for (uint32_t id = 1; id <= 3 * REPLAY_ANSWERS; id++) {
		enum replay_request what = replay_request(r, id, &again);

		assert_int_equal(what, id <= 2 * REPLAY_ANSWERS ? REPLAY_FORGOTTEN
								: REPLAY_ANSWERED);
		if (what == REPLAY_ANSWERED) {
			assert_int_equal(again->kind == SERVER_ERROR, id % 2);
			mem_deref(again);
		}
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(events_come_again_until_acknowledged),
		TEST(what_is_kept_is_a_copy),
		TEST(events_are_bounded_by_bytes),
		TEST(a_request_is_carried_out_once),
		TEST(so_many_answers_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
