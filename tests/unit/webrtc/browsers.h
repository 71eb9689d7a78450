/* tests/unit/webrtc/browsers.h - browsers on the signalling thread, with the real call between them and no web
 * thread: what they say goes in as messages, what they are told is read from a list, in order.
 *
 *   client_msg ──► sessions ──► browser leg ──► call ──► browser leg ──► server_msg
 *   alice and bob at alpha.example, accounts in memory; connections are 1, 2, 3 …                    */
#ifndef SLUSS_TESTS_UNIT_WEBRTC_BROWSERS_H
#define SLUSS_TESTS_UNIT_WEBRTC_BROWSERS_H

#include "tests/fake/fake.h"
#include "webrtc/session/session.h"

enum { SAID_MAX = 256 };
struct said {
	uint64_t conn;
	struct server_msg *m; /**< NULL: a close */
	uint16_t code;
};

extern struct fake_core fc;
extern struct sessions *all;
extern struct said
	said[SAID_MAX]; /**< all that was said; the first n_read have been looked at */
extern size_t n_said, n_read;
extern uint64_t full_conn; /**< for this one there is no room in the mailbox */
extern uint32_t next_id;
extern char token[STORE_TOKEN_HEX + 1]; /**< of the last sign-in */
extern char incoming[WEB_CALL_MAX + 1]; /**< the name of the last incoming call */

int room_setup(void **state);
int room_teardown(void **state);

void up(uint64_t conn, enum web_up_kind kind);
struct client_msg *make(enum client_kind kind, const char *call);
void give(uint64_t conn, struct client_msg *m);
void say(uint64_t conn, enum client_kind kind, const char *call);
void say_reason(uint64_t conn, enum client_kind kind, const char *call,
		enum client_reason reason);
void say_text(uint64_t conn, enum client_kind kind, const char *call, const char *sdp);
/** With a good offer or answer. */
void say_sdp(uint64_t conn, enum client_kind kind, const char *call);
void dial(uint64_t conn, const char *call, const char *to, const char *name);

/** Each takes the next thing said to anybody, and fails when it is another one. */
const struct server_msg *hear(uint64_t conn, enum server_kind kind);
void hear_ok(uint64_t conn);
void hear_error(uint64_t conn, enum web_error code);
void hear_ended(uint64_t conn, const char *call, enum cause_reason reason);
void hear_close(uint64_t conn, uint16_t code);
void hear_incoming(uint64_t conn);
/** Nothing more was said. */
void silence(void);
void forget(void);

void sign_in(const char *user, const char *password);
void hello(uint64_t conn, const char *with_token);
void enter(uint64_t conn, const char *user, const char *password);
/** alice is 1, bob is 2. */
void both_online(void);
/** alice calls bob as "c1"; he has it as `incoming`, and his device rings. */
void alice_rings_bob(void);
void they_talk(void);

#endif
