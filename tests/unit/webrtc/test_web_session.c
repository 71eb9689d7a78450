/* tests/unit/webrtc/test_web_session.c - browsers on the signalling thread, with the real call between them
 * and no web thread: what they say goes in as messages, what they are told is read from a list.
 *
 *   client_msg ──► sessions ──► browser leg ──► call ──► browser leg ──► server_msg
 *   alice (1 or 2 connections) and bob at alpha.example; accounts in memory                            */
#include "tests/fake/fake.h"
#include "webrtc/session/session.h"

#include <setjmp.h>
#include <cmocka.h>

enum { SAID_MAX = 256 };

static struct fake_core fc;
static struct sessions *all;
static struct {
	uint64_t conn;
	struct server_msg *m; /* NULL: a close */
	uint16_t code;
} said[SAID_MAX];
static size_t n_said, n_read;
static uint64_t full_conn; /* for this one there is no room */
static uint32_t next_id;

static int post(struct web_down *msg, void *arg)
{
	if (msg->conn == full_conn) {
		web_down_clear(msg);
		return ENOSPC;
	}
	if (n_said == SAID_MAX)
		abort();
	said[n_said].conn = msg->conn;
	said[n_said].m = msg->kind == WEB_SEND ? msg->send : NULL;
	said[n_said++].code = msg->kind == WEB_CLOSE ? msg->close.code : 0;
	return 0;
}

static void forget(void)
{
	while (n_said)
		mem_deref(said[--n_said].m);
	n_read = 0;
}

static int setup(void **state)
{
	fake_core_open(&fc);
	fake_account_add(fc.core.accounts, "alice@alpha.example", "wonderland");
	fake_account_add(fc.core.accounts, "bob@alpha.example", "builder99");
	next_id = 0;
	full_conn = 0;
	return sessions_alloc(&all, &fc.core, post, NULL);
}

static int teardown(void **state)
{
	core_close(&fc.core);
	all = mem_deref(all);
	forget();
	fc.core.accounts = mem_deref(fc.core.accounts);
	mem_deref(fc.loop);
	return 0;
}

/* ---- speaking ---- */

static void up(uint64_t conn, enum web_up_kind kind)
{
	struct web_up msg = {.kind = kind, .conn = conn};

	if (kind == WEB_OPENED) {
		msg.opened.site = &fc.sitev[0];
		sa_set_str(&msg.opened.from, "192.0.2.7", 4711);
	}
	sessions_take(all, &msg);
}

static struct client_msg *make(enum client_kind kind, const char *call)
{
	struct client_msg *m = client_msg_new(kind);

	m->id = ++next_id;
	snprintf(m->call, sizeof(m->call), "%s", call);
	return m;
}

static void give(uint64_t conn, struct client_msg *m)
{
	struct web_up msg = {.kind = WEB_CLIENT, .conn = conn, .client = m};

	sessions_take(all, &msg);
	fake_loop_settle(fc.loop);
}

static void say(uint64_t conn, enum client_kind kind, const char *call)
{
	give(conn, make(kind, call));
}

static void say_reason(uint64_t conn, enum client_kind kind, const char *call,
		       enum client_reason reason)
{
	struct client_msg *m = make(kind, call);

	m->reason = reason;
	give(conn, m);
}

static void say_text(uint64_t conn, enum client_kind kind, const char *call,
		     const char *sdp)
{
	struct client_msg *m = make(kind, call);

	m->sdp = fake_body(sdp);
	give(conn, m);
}

static void say_sdp(uint64_t conn, enum client_kind kind, const char *call)
{
	say_text(conn, kind, call,
		 kind == CLIENT_ANSWER ? fake_sdp_answer : fake_sdp_offer);
}

static void dial(uint64_t conn, const char *call, const char *to, const char *name)
{
	struct client_msg *m = make(CLIENT_CALL, call);

	m->sdp = fake_body(fake_sdp_offer);
	m->to = base_dup(to, strlen(to));
	m->name = name ? base_dup(name, strlen(name)) : NULL;
	give(conn, m);
}

/* ---- hearing ---- */

/* The next thing said to anybody. */
static const struct server_msg *hear(uint64_t conn, enum server_kind kind)
{
	const struct server_msg *m;

	if (n_read == n_said)
		fail_msg("nothing said; %s to %u expected", server_kind_name(kind),
			 (unsigned)conn);
	m = said[n_read].m;
	if (!m || said[n_read].conn != conn || m->kind != kind)
		fail_msg("%s to %u instead of %s (%d) to %u%s%s",
			 m ? server_kind_name(m->kind) : "close",
			 (unsigned)said[n_read].conn, server_kind_name(kind), kind,
			 (unsigned)conn, m && m->kind == SERVER_ERROR ? ": " : "",
			 m && m->kind == SERVER_ERROR ? m->error.text : "");
	n_read++;
	return m;
}

static void hear_ok(uint64_t conn)
{
	assert_int_equal(hear(conn, SERVER_OK)->id, next_id);
}

static void hear_error(uint64_t conn, enum web_error code)
{
	const struct server_msg *m = hear(conn, SERVER_ERROR);

	assert_int_equal(m->id, next_id);
	assert_string_equal(web_error_name(m->error.code), web_error_name(code));
	assert_true(m->error.text[0]);
}

static void hear_ended(uint64_t conn, const char *call, enum cause_reason reason)
{
	const struct server_msg *m = hear(conn, SERVER_ENDED);

	assert_string_equal(m->call, call);
	assert_string_equal(cause_reason_name(m->cause.reason),
			    cause_reason_name(reason));
}

static void hear_close(uint64_t conn, uint16_t code)
{
	assert_true(n_read < n_said);
	assert_null(said[n_read].m);
	assert_int_equal(said[n_read].conn, conn);
	assert_int_equal(said[n_read++].code, code);
}

static void silence(void)
{
	if (n_read != n_said)
		fail_msg("%s to %u is one too many",
			 said[n_read].m ? server_kind_name(said[n_read].m->kind)
					: "close",
			 (unsigned)said[n_read].conn);
}

/* ---- getting in ---- */

static char token[STORE_TOKEN_HEX + 1];

static void on_login(const struct account_answer *answer, void *arg)
{
	assert_int_equal(answer->err, 0);
	memcpy(token, answer->token, sizeof(token));
}

static void sign_in(const char *user, const char *password)
{
	struct account_request *r;

	account_login(&r, fc.core.accounts, core_site_find(&fc.core, "alpha.example"),
		      user, password, strlen(password), NULL, on_login, NULL);
	fake_loop_settle(fc.loop);
	mem_deref(r);
}

static void hello(uint64_t conn, const char *with_token)
{
	struct client_msg *m = make(CLIENT_HELLO, "");

	m->token = with_token ? base_dup(with_token, strlen(with_token)) : NULL;
	m->name = base_dup("Fire\xe2\x80\xae"
			   "fox\n",
			   11);
	give(conn, m);
}

static void enter(uint64_t conn, const char *user, const char *password)
{
	sign_in(user, password);
	up(conn, WEB_OPENED);
	hello(conn, token);
	assert_int_equal(hear(conn, SERVER_WELCOME)->id, next_id);
}

static void both_online(void)
{
	enter(1, "alice", "wonderland");
	enter(2, "bob", "builder99");
}

/* The name that the call of connection 2 has there. */
static char incoming[WEB_CALL_MAX + 1];

static void hear_incoming(uint64_t conn)
{
	snprintf(incoming, sizeof(incoming), "%s", hear(conn, SERVER_INCOMING)->call);
}

/* alice calls bob as "c1"; his device has it as `incoming`. */
static void alice_rings_bob(void)
{
	both_online();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say(2, CLIENT_RINGING, incoming);
	hear_ok(2);
	assert_string_equal(hear(1, SERVER_PROGRESS)->state, "ringing");
}

static void they_talk(void)
{
	alice_rings_bob();
	say(2, CLIENT_ACCEPT, incoming);
	assert_string_equal(hear(1, SERVER_PROGRESS)->state, "accepted");
	hear_ok(2);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	hear(1, SERVER_ANSWERED);
	hear(2, SERVER_ESTABLISHED);
	silence();
}

/* ---- signing in ---- */

static void hello_and_welcome(void **state)
{
	const struct server_msg *m;
	struct device *d;

	sign_in("alice", "wonderland");
	up(1, WEB_OPENED);
	assert_int_equal(registry_count(fc.core.registry), 0);
	hello(1, token);
	m = hear(1, SERVER_WELCOME);
	assert_int_equal(m->id, 1);
	assert_string_equal(m->welcome.user, "alice@alpha.example");
	assert_string_equal(m->welcome.site, "alpha.example");
	assert_int_equal(m->welcome.sdp_bytes, fc.config.limits.sdp_bytes);
	d = registry_device(fc.core.registry, m->welcome.device);
	assert_non_null(d);
	assert_string_equal(d->name, "Firefox");
	assert_string_equal(d->address, "192.0.2.x");
	say(1, CLIENT_PING, "");
	hear_ok(1);
	hello(1, token);
	hear_error(1, ERROR_BAD_STATE);
	up(1, WEB_CLOSED);
	assert_int_equal(registry_count(fc.core.registry), 0);
	assert_int_equal(sessions_count(all), 0);
	silence();
}

static void nothing_without_hello(void **state)
{
	up(1, WEB_OPENED);
	say(1, CLIENT_PING, "");
	hear_error(1, ERROR_NOT_SIGNED_IN);
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_error(1, ERROR_NOT_SIGNED_IN);
	hello(1, NULL);
	hear_error(1, ERROR_NOT_SIGNED_IN);
	hello(1, "00000000000000000000000000000000000000000000000000000000000000ff");
	hear_error(1, ERROR_BAD_LOGIN);
	hello(1, "short");
	hear_error(1, ERROR_BAD_LOGIN);
	fake_loop_advance_ms(fc.loop, (uint64_t)fc.config.limits.ws_auth_s * 1000 - 10);
	silence();
	fake_loop_advance_ms(fc.loop, 20);
	hear_close(1, 1008);
	silence();
	assert_int_equal(sessions_count(all), 0);
}

static void a_slow_store_is_no_excuse(void **state)
{
	sign_in("alice", "wonderland");
	fake_account_hold(fc.core.accounts, true);
	up(1, WEB_OPENED);
	hello(1, token);
	hello(1, token);
	hear_error(1, ERROR_BAD_STATE);
	fake_loop_advance_ms(fc.loop, (uint64_t)fc.config.limits.ws_auth_s * 1000 + 10);
	hear_close(1, 1008);
	fake_account_hold(fc.core.accounts, false);
	fake_loop_settle(fc.loop); /* the answer finds nobody */
	silence();
}

static void a_site_in_trouble_says_so(void **state)
{
	sign_in("alice", "wonderland");
	up(1, WEB_OPENED);
	fake_account_err(fc.core.accounts, ENOSPC);
	hello(1, token);
	hear_error(1, ERROR_TOO_SOON);
	fake_account_err(fc.core.accounts, EIO);
	hello(1, token);
	hear_error(1, ERROR_INTERNAL);
	fake_account_err(fc.core.accounts, 0);
	hello(1, token);
	hear(1, SERVER_WELCOME);
}

static void too_many_devices(void **state)
{
	mem_deref(fc.core.registry);
	assert_int_equal(registry_alloc(&fc.core.registry, 1), 0);
	enter(1, "alice", "wonderland");
	up(2, WEB_OPENED);
	hello(2, token);
	hear_error(2, ERROR_LIMIT);
	assert_string_equal(hear(2, SERVER_BYE)->bye.reason, "too-many");
	hear_close(2, 1008);
	say(1, CLIENT_PING, "");
	hear_ok(1);
}

static void signing_out_ends_its_devices(void **state)
{
	struct account_request *r;

	both_online();
	sign_in("alice", "wonderland"); /* another sign-in of hers stays */
	up(3, WEB_OPENED);
	hello(3, token);
	hear(3, SERVER_WELCOME);
	account_logout(&r, fc.core.accounts, core_site_find(&fc.core, "alpha.example"),
		       token, NULL, NULL);
	fake_loop_settle(fc.loop);
	mem_deref(r);
	assert_string_equal(hear(3, SERVER_BYE)->bye.reason, "signed-out");
	hear_close(3, 1000);
	silence();
	assert_int_equal(registry_count(fc.core.registry), 2);
	say(3, CLIENT_PING, ""); /* was on its way: nobody is there */
	up(3, WEB_CLOSED);
	silence();
}

static void stopping(void **state)
{
	they_talk();
	up(7, WEB_OPENED);
	sessions_stop(all);
	fake_loop_settle(fc.loop);
	for (unsigned i = 0, n_bye = 0, n_close = 0; n_read < n_said; i++, n_read++) {
		n_bye += said[n_read].m && said[n_read].m->kind == SERVER_BYE;
		n_close += !said[n_read].m && said[n_read].code == 1001;
		if (n_read + 1 == n_said) {
			assert_int_equal(n_bye, 3);
			assert_int_equal(n_close, 3);
		}
	}
	assert_int_equal(sessions_count(all), 0);
	assert_int_equal(registry_count(fc.core.registry), 0);
	up(8, WEB_OPENED);
	fake_loop_settle(fc.loop);
	hear(8, SERVER_BYE);
	hear_close(8, 1001);
}

/* ---- a call ---- */

static void a_call_and_what_each_is_told(void **state)
{
	const struct server_msg *m;

	both_online();
	dial(1, "c1", "BOB@Alpha.Example", "Alice \xe2\x80\xae<b>\r\nEvil: x");
	hear_ok(1);
	m = hear(2, SERVER_INCOMING);
	snprintf(incoming, sizeof(incoming), "%s", m->call);
	assert_string_equal(m->who.party.address, "alice@alpha.example");
	assert_string_equal(m->who.party.name, "Alice <b>Evil: x");
	assert_string_equal(m->who.party.domain, "alpha.example");
	assert_true(m->who.party.verified);
	assert_string_equal(m->who.to, "bob@alpha.example");
	assert_string_equal(m->media, "direct");
	assert_string_equal(m->encryption, "claimed");
	assert_non_null(m->identityv);
	assert_string_equal(m->sdp->data, fake_sdp_offer);
	assert_int_equal(m->seq, 1);
	say(2, CLIENT_RINGING, incoming);
	hear_ok(2);
	m = hear(1, SERVER_PROGRESS);
	assert_string_equal(m->call, "c1");
	assert_int_equal(m->seq, 1);
	say(2, CLIENT_ACCEPT, incoming);
	assert_string_equal(hear(1, SERVER_PROGRESS)->state, "accepted");
	hear_ok(2);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	m = hear(1, SERVER_ANSWERED);
	assert_int_equal(m->seq, 3);
	assert_string_equal(m->sdp->data, fake_sdp_answer);
	assert_string_equal(m->who.party.address, "bob@alpha.example");
	assert_true(m->who.party.verified);
	m = hear(2, SERVER_ESTABLISHED);
	assert_int_equal(m->seq, 2);
	assert_string_equal(m->media, "direct");
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_HANGUP);
	hear_ended(2, incoming, CAUSE_HANGUP);
	silence();
}

static void an_answer_without_ringing(void **state)
{
	both_online();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say(2, CLIENT_ACCEPT, incoming);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
}

static void busy_and_decline(void **state)
{
	alice_rings_bob();
	say_reason(2, CLIENT_REJECT, incoming, REASON_BUSY);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_BUSY);
	hear_ended(1, "c1", CAUSE_BUSY);
	dial(1, "c2", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say_reason(2, CLIENT_REJECT, incoming, REASON_DECLINE);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_DECLINED);
	hear_ended(1, "c2", CAUSE_DECLINED);
	silence();
}

static void the_caller_gives_up(void **state)
{
	alice_rings_bob();
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_CANCELLED);
	hear_ended(2, incoming, CAUSE_CANCELLED);
	say(2, CLIENT_ACCEPT, incoming); /* crossed it */
	hear_error(2, ERROR_GONE);
	silence();
}

static void two_devices_the_first_wins(void **state)
{
	char second[WEB_CALL_MAX + 1];

	both_online();
	up(3, WEB_OPENED);
	hello(3, token);
	hear(3, SERVER_WELCOME);
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	snprintf(second, sizeof(second), "%s", incoming);
	hear_incoming(3);
	say(2, CLIENT_ACCEPT, second);
	hear_ended(3, incoming, CAUSE_ELSEWHERE);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
	say(3, CLIENT_ACCEPT, incoming);
	hear_error(3, ERROR_ELSEWHERE);
	say(3, CLIENT_RINGING, incoming);
	hear_error(3, ERROR_ELSEWHERE);
	say_sdp(3, CLIENT_ANSWER, incoming);
	hear_error(3, ERROR_ELSEWHERE);
	silence();
}

static void a_device_that_comes_late_rings_too(void **state)
{
	both_online();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	up(3, WEB_OPENED);
	hello(3, token);
	hear(3, SERVER_WELCOME);
	hear_incoming(3);
	say(3, CLIENT_ACCEPT, incoming);
	hear(2, SERVER_ENDED);
	hear(1, SERVER_PROGRESS);
	hear_ok(3);
}

static void who_vanishes_is_lost(void **state)
{
	they_talk();
	up(2, WEB_CLOSED);
	fake_loop_settle(fc.loop);
	hear_ended(1, "c1", CAUSE_LOST);
	silence();
	assert_int_equal(registry_count(fc.core.registry), 1);
	dial(1, "c2", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_ended(1, "c2", CAUSE_OFFLINE);
}

static void a_lost_caller_ends_the_ringing(void **state)
{
	alice_rings_bob();
	up(1, WEB_CLOSED);
	fake_loop_settle(fc.loop);
	hear(2, SERVER_ENDED);
	silence();
}

static void reasons_of_hangup(void **state)
{
	they_talk();
	say_reason(2, CLIENT_HANGUP, incoming, REASON_MISMATCH);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_FORBIDDEN);
	hear(1, SERVER_ENDED);
	dial(1, "c2", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say(2, CLIENT_ACCEPT, incoming);
	hear(1, SERVER_PROGRESS);
	hear_ok(2);
	say_reason(2, CLIENT_HANGUP, incoming, REASON_MEDIA);
	hear_ok(2);
	hear_ended(2, incoming, CAUSE_MEDIA);
	hear_ended(1, "c2", CAUSE_MEDIA);
}

/* ---- new offers ---- */

static void an_offer_and_its_answer(void **state)
{
	they_talk();
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_ok(1);
	assert_string_equal(hear(2, SERVER_OFFER)->call, incoming);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	assert_string_equal(hear(1, SERVER_ANSWER)->sdp->data, fake_sdp_answer);
	say_sdp(2, CLIENT_OFFER, incoming);
	hear_ok(2);
	hear(1, SERVER_OFFER);
	say_reason(1, CLIENT_REFUSE, "c1", REASON_MEDIA);
	hear_ok(1);
	assert_int_equal(hear(2, SERVER_REFUSED)->cause.reason, CAUSE_MEDIA);
	silence();
}

static void offers_that_cross(void **state)
{
	they_talk();
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_ok(1);
	hear(2, SERVER_OFFER);
	say_sdp(2, CLIENT_OFFER, incoming); /* was on its way */
	hear_ok(2);
	assert_int_equal(hear(2, SERVER_REFUSED)->cause.reason, CAUSE_GLARE);
	say_sdp(1, CLIENT_OFFER, "c1"); /* a second one of one's own is a mistake */
	hear_error(1, ERROR_BAD_STATE);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_ok(2);
	hear(1, SERVER_ANSWER);
	silence();
}

static void an_offer_nobody_answers(void **state)
{
	they_talk();
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_ok(1);
	hear(2, SERVER_OFFER);
	fake_loop_advance_ms(fc.loop, (uint64_t)fc.config.limits.offer_s * 1000 + 10);
	assert_int_equal(hear(1, SERVER_REFUSED)->cause.reason, CAUSE_TIMEOUT);
	silence();
}

/* ---- what is refused (abuse case 48) ---- */

static void in_the_wrong_order(void **state)
{
	they_talk();
	say(2, CLIENT_RINGING, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say(2, CLIENT_ACCEPT, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_reason(2, CLIENT_REJECT, incoming, REASON_BUSY);
	hear_error(2, ERROR_BAD_STATE);
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_reason(1, CLIENT_REFUSE, "c1", REASON_MEDIA);
	hear_error(1, ERROR_BAD_STATE);
	say(1, CLIENT_ACCEPT, "c1");
	hear_error(1, ERROR_BAD_STATE);
	silence(); /* and nothing came of it */
	say(1, CLIENT_HANGUP, "c1");
	hear_ok(1);
	hear(1, SERVER_ENDED);
	hear(2, SERVER_ENDED);
}

static void before_its_time(void **state)
{
	alice_rings_bob();
	say_sdp(2, CLIENT_ANSWER, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_sdp(2, CLIENT_OFFER, incoming);
	hear_error(2, ERROR_BAD_STATE);
	say_sdp(1, CLIENT_OFFER, "c1");
	hear_error(1, ERROR_BAD_STATE);
	say_sdp(1, CLIENT_ANSWER, "c1");
	hear_error(1, ERROR_BAD_STATE);
	silence();
}

static void other_peoples_calls(void **state)
{
	they_talk();
	enter(3, "bob", "builder99");
	say(3, CLIENT_HANGUP, incoming);
	hear_error(3, ERROR_NO_CALL);
	say(3, CLIENT_HANGUP, "c1");
	hear_error(3, ERROR_NO_CALL);
	say_sdp(3, CLIENT_OFFER, "c1");
	hear_error(3, ERROR_NO_CALL);
	say(1, CLIENT_HANGUP, incoming);
	hear_error(1, ERROR_NO_CALL);
	silence();
}

static void calls_that_cannot_be(void **state)
{
	static const char *const bad_to[] = {"bob",
					     "bob@",
					     "@alpha.example",
					     "bob@alpha.example@evil.example",
					     "bob@alpha.example;x=y",
					     "tel:+49",
					     "bob@192.0.2.1",
					     "b\xc3\xb6@a.b"};

	both_online();
	for (size_t i = 0; i < N_ELEMS(bad_to); i++) {
		dial(1, "c1", bad_to[i], NULL);
		hear_error(1, ERROR_BAD_ADDRESS);
	}
	dial(1, "c1", "nobody@alpha.example", NULL);
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_NOT_FOUND);
	dial(1, "c1", "alice@alpha.example", NULL);
	hear_ok(1);
	hear_ended(1, "c1", CAUSE_OFFLINE);
	dial(1, "c1", "bob@alpha.example", NULL); /* a name may be used again */
	hear_ok(1);
	hear_incoming(2);
	dial(1, "c1", "bob@alpha.example", NULL); /* but not twice at once */
	hear_error(1, ERROR_CALL_EXISTS);
	silence();
}

static void descriptions_that_are_none(void **state)
{
	struct client_msg *m;

	they_talk();
	say_text(1, CLIENT_OFFER, "c1", "v=0\r\n");
	hear_error(1, ERROR_BAD_SDP);
	say_text(
		1, CLIENT_OFFER, "c1",
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n");
	hear_error(1, ERROR_BAD_SDP);
	m = make(CLIENT_CALL, "c2");
	m->to = base_dup("bob@alpha.example", 17);
	m->sdp = fake_body("hello");
	give(1, m);
	hear_error(1, ERROR_BAD_SDP);
	silence();
	say_sdp(1, CLIENT_OFFER, "c1"); /* the call is as it was */
	hear_ok(1);
	hear(2, SERVER_OFFER);
}

static void floods_of_calls(void **state)
{
	unsigned n = 0;

	both_online();
	for (unsigned i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%u", i);
		dial(1, name, "bob@alpha.example", NULL);
		while (n_read < n_said) {
			const struct server_msg *m = said[n_read++].m;

			n += m->kind == SERVER_INCOMING;
			if (m->kind == SERVER_ERROR)
				assert_true(m->error.code == ERROR_LIMIT ||
					    m->error.code == ERROR_RATE);
		}
		forget();
	}
	assert_int_equal(n, fc.config.limits.calls_per_user);
}

/* ---- trouble ---- */

static void a_full_mailbox_ends_that_browser_alone(void **state)
{
	they_talk();
	full_conn = 2;
	say(2, CLIENT_PING, "");
	hear_ended(1, "c1", CAUSE_LOST);
	fake_loop_advance_ms(fc.loop, 350); /* the close is tried again and again */
	silence();
	assert_int_equal(sessions_count(all), 2);
	full_conn = 0;
	fake_loop_advance_ms(fc.loop, 150);
	hear_close(2, 1013);
	silence();
	assert_int_equal(sessions_count(all), 1);
	assert_int_equal(fc.core.n_calls, 0);
	say(1, CLIENT_PING, "");
	hear_ok(1);
}

static void strangers(void **state)
{
	say(99, CLIENT_PING, "");
	up(99, WEB_CLOSED);
	silence();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(hello_and_welcome),
		TEST(nothing_without_hello),
		TEST(a_slow_store_is_no_excuse),
		TEST(a_site_in_trouble_says_so),
		TEST(too_many_devices),
		TEST(signing_out_ends_its_devices),
		TEST(stopping),
		TEST(a_call_and_what_each_is_told),
		TEST(an_answer_without_ringing),
		TEST(busy_and_decline),
		TEST(the_caller_gives_up),
		TEST(two_devices_the_first_wins),
		TEST(a_device_that_comes_late_rings_too),
		TEST(who_vanishes_is_lost),
		TEST(a_lost_caller_ends_the_ringing),
		TEST(reasons_of_hangup),
		TEST(an_offer_and_its_answer),
		TEST(offers_that_cross),
		TEST(an_offer_nobody_answers),
		TEST(in_the_wrong_order),
		TEST(before_its_time),
		TEST(other_peoples_calls),
		TEST(calls_that_cannot_be),
		TEST(descriptions_that_are_none),
		TEST(floods_of_calls),
		TEST(a_full_mailbox_ends_that_browser_alone),
		TEST(strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
