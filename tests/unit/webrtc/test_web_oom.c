/* tests/unit/webrtc/test_web_oom.c - the n-th allocation fails, for every n, while two browsers talk, one is lost and
 * comes back, and the call moves: nothing crashes, nothing leaks (run under AddressSanitizer), and no browser that is
 * left connected lacks an event.  browsers.h draws who talks to whom; alice's second device is connection 4.
 *
 * The linker puts the two __wrap functions below between the code and the allocators. */
#include "tests/unit/webrtc/browsers.h"

#include <setjmp.h>
#include <cmocka.h>

void *__real_mem_alloc(size_t size, mem_destroy_h *dh);
void *__real_mem_zalloc(size_t size, mem_destroy_h *dh);
void *__wrap_mem_alloc(size_t size, mem_destroy_h *dh);
void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh);

static bool armed;
static unsigned n_allocs, fail_at, n_failed;

static bool fails(void)
{
	if (!armed || ++n_allocs != fail_at)
		return false;
	n_failed++;
	return true;
}

void *__wrap_mem_alloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_alloc(size, dh);
}

void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_zalloc(size, dh);
}

static const char open_sdp[] =
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n"
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
	"a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=fingerprint:sha-256 "
	"6B:8B:F0:65:5F:78:E2:51:6B:8B:F0:65:5F:78:E2:51:6B:8B:F0:65:5F:78:E2:51:"
	"6B:8B:F0:65:5F:78:E2:51\r\n";

/* ---- saying, with allocations failing on the site's side ---- */

static void event(struct web_up *msg)
{
	armed = true;
	sessions_take(all, msg);
	fake_loop_settle(fc.loop);
	armed = false;
}

static void tell(uint64_t conn, struct client_msg *m)
{
	struct web_up msg = {.kind = WEB_CLIENT, .conn = conn, .client = m};

	event(&msg);
}

static void request(uint64_t conn, enum client_kind kind, const char *call)
{
	struct client_msg *m = make(kind, call);

	if (kind == CLIENT_OFFER || kind == CLIENT_ANSWER || kind == CLIENT_CALL) {
		m->sdp = fake_body(open_sdp);
		m->sdp->trickle = m->trickle = true;
	}
	if (kind == CLIENT_CANDIDATES) {
		static const char line[] = "candidate:1 1 udp 1 192.0.2.1 9 typ host";

		assert_int_equal(candidates_alloc(&m->candidates, "F7gI", 4), 0);
		assert_int_equal(
			candidates_add(m->candidates, "0", 1, 0, line, sizeof(line) - 1),
			0);
	}
	tell(conn, m);
}

static void call_bob(uint64_t conn, const char *call, const char *replaces)
{
	struct client_msg *m = make(CLIENT_CALL, call);

	m->sdp = fake_body(open_sdp);
	m->sdp->trickle = m->trickle = true;
	m->to = base_dup("bob@alpha.example", 17);
	snprintf(m->replaces, sizeof(m->replaces), "%s", replaces);
	tell(conn, m);
}

static void come(uint64_t conn, const char *with_token, const char *session, uint64_t seq)
{
	struct web_up opened = {.kind = WEB_OPENED, .conn = conn};
	struct client_msg *m = make(CLIENT_HELLO, "");

	opened.opened.site = &fc.sitev[0];
	sa_set_str(&opened.opened.from, "192.0.2.7", 4711);
	event(&opened);
	m->token = base_dup(with_token, strlen(with_token));
	m->elsewhere = m->resumable = true;
	m->seq = seq;
	snprintf(m->session, sizeof(m->session), "%s", session);
	tell(conn, m);
}

/* ---- what was said ---- */

static const struct server_msg *last(uint64_t conn, enum server_kind kind)
{
	for (size_t i = n_said; i--;)
		if (said[i].conn == conn && said[i].m && said[i].m->kind == kind)
			return said[i].m;
	return NULL;
}

static bool closed(uint64_t conn)
{
	for (size_t i = 0; i < n_said; i++)
		if (said[i].conn == conn && !said[i].m)
			return true;
	return false;
}

static uint64_t seq_of(uint64_t conn)
{
	uint64_t seq = 0;

	for (size_t i = 0; i < n_said; i++)
		if (said[i].conn == conn && said[i].m && said[i].m->seq)
			seq = said[i].m->seq;
	return seq;
}

/* Each event once, in order, from the one after `seq` on, as long as it is connected. */
static void no_gap(uint64_t conn, uint64_t seq)
{
	for (size_t i = 0; i < n_said; i++) {
		if (said[i].conn != conn)
			continue;
		if (!said[i].m)
			return;
		if (said[i].m->seq && said[i].m->seq != ++seq)
			fail_msg("fail_at=%u: %s to %u has seq %u, should be %u", fail_at,
				 server_kind_name(said[i].m->kind), (unsigned)conn,
				 (unsigned)said[i].m->seq, (unsigned)seq);
	}
}

static const char *incoming_of(uint64_t conn)
{
	const struct server_msg *m = last(conn, SERVER_INCOMING);

	return m ? m->call : "none";
}

static void story(const char *alice, const char *bob)
{
	char name[WEB_CALL_MAX + 1], session[WEB_SESSION_HEX + 1] = "", id[20] = "none";
	const struct server_msg *m;
	struct web_up lost = {.kind = WEB_CLOSED, .conn = 1};
	uint64_t seq;

	come(1, alice, "", 0);
	m = last(1, SERVER_WELCOME);
	if (m)
		snprintf(session, sizeof(session), "%s", m->welcome.session);
	come(2, bob, "", 0);
	call_bob(1, "c1", "");
	request(1, CLIENT_CANDIDATES, "c1");
	snprintf(name, sizeof(name), "%s", incoming_of(2));
	request(2, CLIENT_RINGING, name);
	request(2, CLIENT_ACCEPT, name);
	request(2, CLIENT_ANSWER, name);
	request(2, CLIENT_CANDIDATES, name);
	event(&lost);
	seq = seq_of(1);
	request(2, CLIENT_OFFER, name);
	request(2, CLIENT_CANDIDATES, name);
	come(3, alice, session, seq);
	no_gap(1, 0);
	m = last(3, SERVER_WELCOME);
	no_gap(3, m && m->welcome.resumed ? seq : 0);
	/* resumed, and still connected: nothing may be left out at the end either */
	if (m && m->welcome.resumed && !closed(3) && last(2, SERVER_ESTABLISHED) &&
	    !closed(2) && fc.core.n_calls)
		assert_true(seq_of(3) > seq);
	request(3, CLIENT_ANSWER, "c1");
	come(4, alice, "", 0);
	m = last(4, SERVER_ELSEWHERE);
	if (m && m->ongoings->n)
		snprintf(id, sizeof(id), "%s", m->ongoings->v[0].id);
	call_bob(4, "c4", id);
	request(2, CLIENT_ACCEPT, incoming_of(2));
	request(2, CLIENT_ANSWER, incoming_of(2));
	request(2, CLIENT_HANGUP, name);
	request(4, CLIENT_HANGUP, "c4");
	request(3, CLIENT_HANGUP, "c1");
	no_gap(2, 0);
	no_gap(4, 0);
	assert_int_equal(fc.core.n_calls,
			 0); /* what could not be said has ended them, too */
}

static void every_allocation(void **state)
{
	char alice[STORE_TOKEN_HEX + 1], bob[STORE_TOKEN_HEX + 1];

	(void)state;
	fail_at = 0;
	do {
		fail_at++;
		n_allocs = n_failed = 0;
		assert_int_equal(room_setup(NULL), 0);
		sign_in("alice", "wonderland");
		memcpy(alice, token, sizeof(alice));
		sign_in("bob", "builder99");
		memcpy(bob, token, sizeof(bob));
		story(alice, bob);
		room_teardown(NULL);
	} while (n_failed);
	assert_true(fail_at > 100); /* it was a long story */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
