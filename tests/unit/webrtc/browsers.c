/* tests/unit/webrtc/browsers.c - see browsers.h. */
#include "tests/unit/webrtc/browsers.h"

#include <setjmp.h>
#include <cmocka.h>

struct fake_core fc;
struct sessions *all;
struct said said[SAID_MAX];
size_t n_said, n_read;
uint64_t full_conn; /* for this one there is no room */
uint32_t next_id;

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

void forget(void)
{
	while (n_said)
		mem_deref(said[--n_said].m);
	n_read = 0;
}

int room_setup(void **state)
{
	fake_core_open(&fc);
	fake_account_add(fc.core.accounts, "alice@alpha.example", "wonderland");
	fake_account_add(fc.core.accounts, "bob@alpha.example", "builder99");
	fake_account_add(fc.core.accounts, "carol@alpha.example", "carols-own");
	next_id = 0;
	full_conn = 0;
	return sessions_alloc(&all, &fc.core, post, NULL);
}

int room_teardown(void **state)
{
	core_close(&fc.core);
	all = mem_deref(all);
	forget();
	fc.core.accounts = mem_deref(fc.core.accounts);
	mem_deref(fc.loop);
	return 0;
}

/* ---- speaking ---- */

void up(uint64_t conn, enum web_up_kind kind)
{
	struct web_up msg = {.kind = kind, .conn = conn};

	if (kind == WEB_OPENED) {
		msg.opened.site = &fc.sitev[0];
		sa_set_str(&msg.opened.from, "192.0.2.7", 4711);
	}
	sessions_take(all, &msg);
}

struct client_msg *make(enum client_kind kind, const char *call)
{
	struct client_msg *m = client_msg_new(kind);

	m->id = ++next_id;
	snprintf(m->call, sizeof(m->call), "%s", call);
	return m;
}

void give(uint64_t conn, struct client_msg *m)
{
	struct web_up msg = {.kind = WEB_CLIENT, .conn = conn, .client = m};

	sessions_take(all, &msg);
	fake_loop_settle(fc.loop);
}

void say(uint64_t conn, enum client_kind kind, const char *call)
{
	give(conn, make(kind, call));
}

void say_reason(uint64_t conn, enum client_kind kind, const char *call,
		enum client_reason reason)
{
	struct client_msg *m = make(kind, call);

	m->reason = reason;
	give(conn, m);
}

void say_text(uint64_t conn, enum client_kind kind, const char *call, const char *sdp)
{
	struct client_msg *m = make(kind, call);

	m->sdp = fake_body(sdp);
	give(conn, m);
}

void say_sdp(uint64_t conn, enum client_kind kind, const char *call)
{
	say_text(conn, kind, call,
		 kind == CLIENT_ANSWER ? fake_sdp_answer : fake_sdp_offer);
}

void dial(uint64_t conn, const char *call, const char *to, const char *name)
{
	struct client_msg *m = make(CLIENT_CALL, call);

	m->sdp = fake_body(fake_sdp_offer);
	m->to = base_dup(to, strlen(to));
	m->name = name ? base_dup(name, strlen(name)) : NULL;
	give(conn, m);
}

/* ---- hearing ---- */

/* The next thing said to anybody. */
const struct server_msg *hear(uint64_t conn, enum server_kind kind)
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

void hear_ok(uint64_t conn)
{
	assert_int_equal(hear(conn, SERVER_OK)->id, next_id);
}

void hear_error(uint64_t conn, enum web_error code)
{
	const struct server_msg *m = hear(conn, SERVER_ERROR);

	assert_int_equal(m->id, next_id);
	assert_string_equal(web_error_name(m->error.code), web_error_name(code));
	assert_true(m->error.text[0]);
}

void hear_ended(uint64_t conn, const char *call, enum cause_reason reason)
{
	const struct server_msg *m = hear(conn, SERVER_ENDED);

	assert_string_equal(m->call, call);
	assert_string_equal(cause_reason_name(m->cause.reason),
			    cause_reason_name(reason));
}

void hear_close(uint64_t conn, uint16_t code)
{
	assert_true(n_read < n_said);
	assert_null(said[n_read].m);
	assert_int_equal(said[n_read].conn, conn);
	assert_int_equal(said[n_read++].code, code);
}

void silence(void)
{
	if (n_read != n_said)
		fail_msg("%s to %u is one too many",
			 said[n_read].m ? server_kind_name(said[n_read].m->kind)
					: "close",
			 (unsigned)said[n_read].conn);
}

/* ---- getting in ---- */

char token[STORE_TOKEN_HEX + 1];

static void on_login(const struct account_answer *answer, void *arg)
{
	assert_int_equal(answer->err, 0);
	memcpy(token, answer->token, sizeof(token));
}

void sign_in(const char *user, const char *password)
{
	struct account_request *r;

	account_login(&r, fc.core.accounts, core_site_find(&fc.core, "alpha.example"),
		      user, password, strlen(password), NULL, on_login, NULL);
	fake_loop_settle(fc.loop);
	mem_deref(r);
}

void hello(uint64_t conn, const char *with_token)
{
	struct client_msg *m = make(CLIENT_HELLO, "");

	m->token = with_token ? base_dup(with_token, strlen(with_token)) : NULL;
	m->name = base_dup("Fire\xe2\x80\xae"
			   "fox\n",
			   11);
	give(conn, m);
}

void enter(uint64_t conn, const char *user, const char *password)
{
	sign_in(user, password);
	up(conn, WEB_OPENED);
	hello(conn, token);
	assert_int_equal(hear(conn, SERVER_WELCOME)->id, next_id);
}

void both_online(void)
{
	enter(1, "alice", "wonderland");
	enter(2, "bob", "builder99");
}

/* The name that the call of connection 2 has there. */
char incoming[WEB_CALL_MAX + 1];

void hear_incoming(uint64_t conn)
{
	snprintf(incoming, sizeof(incoming), "%s", hear(conn, SERVER_INCOMING)->call);
}

/* alice calls bob as "c1"; his device has it as `incoming`. */
void alice_rings_bob(void)
{
	both_online();
	dial(1, "c1", "bob@alpha.example", NULL);
	hear_ok(1);
	hear_incoming(2);
	say(2, CLIENT_RINGING, incoming);
	hear_ok(2);
	assert_string_equal(hear(1, SERVER_PROGRESS)->state, "ringing");
}

void they_talk(void)
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
