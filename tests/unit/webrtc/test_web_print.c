/* tests/unit/webrtc/test_web_print.c - every message of the site is what the schema says, whatever texts are
 * in it (abuse case 47). */
#include "tests/unit/webrtc/schema.h"
#include "webrtc/session/print.h"

#include <setjmp.h>
#include <cmocka.h>

static json_t *doc;

static int setup(void **state)
{
	doc = schema_load("webrtc/session/sluss.v1.schema.json");
	return 0;
}

static int teardown(void **state)
{
	json_decref(doc);
	return 0;
}

static json_t *print(const struct server_msg *m)
{
	struct mbuf *mb = mbuf_alloc(16);
	json_error_t why;
	json_t *v;

	mb->pos = mb->end = 7; /* room in front is left alone */
	assert_int_equal(server_msg_print(mb, m), 0);
	v = json_loadb((const char *)mb->buf + 7, mb->end - 7, JSON_REJECT_DUPLICATES,
		       &why);
	if (!v)
		fail_msg("%s: %.*s", why.text, (int)(mb->end - 7), mb->buf + 7);
	mem_deref(mb);
	return v;
}

static void fits(const struct server_msg *m, const char *def)
{
	json_t *v = print(m);
	char why[200];

	if (!schema_fits(doc, schema_def(doc, def), v, why))
		fail_msg("%s: %s", def, why);
	if (!schema_fits(doc, doc, v, why)) /* of all messages it is exactly that one */
		fail_msg("%s among all: %s", def, why);
	json_decref(v);
}

static struct server_msg *message(enum server_kind kind, bool event)
{
	struct server_msg *m = server_msg_new(kind);

	if (event) {
		m->seq = 3;
		if (kind != SERVER_BYE)
			snprintf(m->call, sizeof(m->call), "in-1");
	} else {
		m->id = 12;
	}
	return m;
}

static void with_sdp(struct server_msg *m, const char *text)
{
	assert_int_equal(body_alloc(&m->sdp, text, strlen(text)), 0);
}

static void with_media(struct server_msg *m)
{
	m->media = "direct";
	m->encryption = "claimed";
}

static void with_party(struct server_msg *m, const char *name)
{
	snprintf(m->who.party.address, sizeof(m->who.party.address), "per@beta.example");
	snprintf(m->who.party.domain, sizeof(m->who.party.domain), "beta.example");
	snprintf(m->who.party.name, sizeof(m->who.party.name), "%s", name);
	m->who.party.verified = true;
	snprintf(m->who.to, sizeof(m->who.to), "alice@alpha.example");
}

static void done(struct server_msg *m, const char *def)
{
	fits(m, def);
	mem_deref(m);
}

static void answers(void **state)
{
	struct server_msg *m = message(SERVER_OK, false);

	done(m, "server-ok");
	m = message(SERVER_WELCOME, false);
	snprintf(m->welcome.user, sizeof(m->welcome.user), "alice@alpha.example");
	snprintf(m->welcome.site, sizeof(m->welcome.site), "alpha.example");
	snprintf(m->welcome.device, sizeof(m->welcome.device), "d-0123456789abcdef");
	m->welcome.ping_s = 25;
	m->welcome.sdp_bytes = 65536;
	m->welcome.message_bytes = 131072;
	done(m, "server-welcome");
	for (unsigned resumed = 0; resumed < 2; resumed++) {
		m = message(SERVER_WELCOME, false);
		snprintf(m->welcome.user, sizeof(m->welcome.user), "alice@alpha.example");
		snprintf(m->welcome.site, sizeof(m->welcome.site), "alpha.example");
		snprintf(m->welcome.device, sizeof(m->welcome.device),
			 "d-0123456789abcdef");
		m->welcome.ping_s = 25;
		m->welcome.sdp_bytes = 65536;
		m->welcome.message_bytes = 131072;
		snprintf(m->welcome.session, sizeof(m->welcome.session),
			 "00112233445566778899aabbccddeeff");
		m->welcome.linger_s = 30;
		m->welcome.resumed = resumed;
		m->welcome.forgotten = resumed ? NULL : "expired";
		done(m, "server-welcome");
	}
	for (enum web_error e = 0; e < ERROR_N; e++)
		for (uint32_t retry = 0; retry < 2; retry++) {
			m = message(SERVER_ERROR, false);
			m->id = retry ? 12 : 0;
			m->error.code = e;
			m->error.retry_s = retry;
			snprintf(m->error.text, sizeof(m->error.text), "words");
			done(m, "server-error");
		}
}

static void events(void **state)
{
	static const char *const states[] = {"ringing", "accepted"};
	struct server_msg *m = message(SERVER_INCOMING, true);

	with_sdp(m, "v=0\r\n");
	with_media(m);
	with_party(m, "Per");
	done(m, "server-incoming");
	for (size_t i = 0; i < N_ELEMS(states); i++) {
		m = message(SERVER_PROGRESS, true);
		m->state = states[i];
		done(m, "server-progress");
	}
	m = message(SERVER_EARLY, true);
	with_sdp(m, "v=0\r\n");
	with_media(m);
	done(m, "server-early");
	m = message(SERVER_ANSWERED, true);
	with_sdp(m, "v=0\r\n");
	with_media(m);
	with_party(m, "");
	done(m, "server-answered");
	m = message(SERVER_ANSWERED, true);
	with_sdp(m, "v=0\r\n");
	with_media(m);
	with_party(m, "");
	snprintf(m->rejoin, sizeof(m->rejoin), "0123456789abcdef");
	done(m, "server-answered");
	m = message(SERVER_ESTABLISHED, true);
	with_media(m);
	snprintf(m->rejoin, sizeof(m->rejoin), "0123456789abcdef");
	done(m, "server-established");
	for (unsigned away = 0; away < 2; away++) {
		m = message(SERVER_AWAY, true);
		m->away = away;
		done(m, "server-away");
	}
	m = message(SERVER_KEYS, true);
	snprintf(m->keys, sizeof(m->keys), "0123456789ABCD*#");
	done(m, "server-keys");
	m = message(SERVER_OFFER, true);
	with_sdp(m, "v=0\r\n");
	done(m, "server-offer");
	m = message(SERVER_ANSWER, true);
	with_sdp(m, "v=0\r\n");
	done(m, "server-answer");
	done(message(SERVER_WITHDRAWN, true), "server-withdrawn");
}

static void who_calls(void **state)
{
	static const char *const words[] = {"none", "verified", "unverified", "failed"};

	for (unsigned status = 0; status < N_ELEMS(words); status++)
		for (unsigned said = 0; said < 2; said++) {
			struct server_msg *m = message(SERVER_INCOMING, true);
			struct identity_person *p = mem_zalloc(sizeof(*p), NULL);
			const json_t *who;
			json_t *v;

			with_sdp(m, "v=0\r\n");
			with_media(m);
			with_party(m, "Per");
			m->person = p;
			p->status = (enum identity_status)status;
			if (said) {
				snprintf(p->idp, sizeof(p->idp), "idp.example:8443");
				snprintf(p->why, sizeof(p->why), "words");
				snprintf(p->name, sizeof(p->name), "a%%40b@idp.example");
				snprintf(p->origin, sizeof(p->origin),
					 "https://x.example");
				p->ctx = "frame";
				snprintf(p->display, sizeof(p->display), "\"Ann\"");
				snprintf(p->picture, sizeof(p->picture),
					 "https://x/y.png");
				snprintf(p->email, sizeof(p->email), "ann@mail.example");
			}
			v = print(m);
			who = json_object_get(json_object_get(v, "from"), "identity");
			assert_string_equal(
				json_string_value(json_object_get(who, "status")),
				words[status]);
			assert_int_equal(json_object_size(who),
					 1 + 5 * said + (p->status == IDENTITY_VERIFIED));
			json_decref(v);
			done(m, "server-incoming");
		}
}

static void candidates(void **state)
{
	struct server_msg *m = message(SERVER_CANDIDATES, true);
	static const char line[] = "candidate:1 1 udp 1 192.0.2.1 9 typ host";
	json_t *v;

	assert_int_equal(candidates_alloc(&m->candidates, NULL, 0), 0);
	fits(m, "server-candidates");
	m->candidates = mem_deref(m->candidates);
	assert_int_equal(candidates_alloc(&m->candidates, "F7gI", 4), 0);
	m->candidates->end = true;
	assert_int_equal(candidates_add(m->candidates, "0", 1, 0, line, strlen(line)), 0);
	assert_int_equal(candidates_add(m->candidates, "1", 1, -1, line, strlen(line)),
			 0);
	fits(m, "server-candidates");
	v = print(m);
	assert_true(json_is_true(json_object_get(v, "end")));
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(v, "candidates"), 1),
				    "candidate")),
			    line);
	json_decref(v);
	mem_deref(m);
	m = message(SERVER_OFFER, true);
	with_sdp(m, "v=0");
	m->sdp->trickle = true;
	fits(m, "server-offer");
	v = print(m);
	assert_true(json_is_true(json_object_get(v, "trickle")));
	json_decref(v);
	mem_deref(m);
}

static void causes(void **state)
{
	for (enum cause_reason r = CAUSE_NONE + 1; r < CAUSE_N; r++) {
		struct server_msg *m = message(SERVER_ENDED, true);

		cause_set(&m->cause, r, NULL);
		done(m, "server-ended");
		m = message(SERVER_REFUSED, true);
		cause_set(&m->cause, r, NULL);
		done(m, "server-refused");
	}
}

static void goodbyes(void **state)
{
	static const char *const reasons[] = {"signed-out", "removed", "password",
					      "shutdown", "too-many"};

	for (size_t i = 0; i < N_ELEMS(reasons); i++) {
		struct server_msg *m = message(SERVER_BYE, true);

		m->bye.reason = reasons[i];
		snprintf(m->bye.text, sizeof(m->bye.text), "words");
		done(m, "server-bye");
	}
}

/* What was in a text is in it again when it is read, byte for byte, and nothing of it leaks out. */
static void texts_stay_texts(void **state)
{
	static const char *const texts[] = {"\"},{\"type\":\"ok\",\"id\":1,\"x\":\"",
					    "</script><b>&amp;",
					    "\\u0022\\",
					    "a\tb\x01\x1f",
					    "\xe2\x80\xae\xe2\x80\xa8",
					    "\xf0\x9f\x93\x9e"};

	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		struct server_msg *m = message(SERVER_INCOMING, true);
		json_t *v;

		with_sdp(m, texts[i]);
		with_media(m);
		with_party(m, texts[i]);
		v = print(m);
		assert_string_equal(json_string_value(json_object_get(v, "sdp")),
				    texts[i]);
		assert_string_equal(json_string_value(json_object_get(
					    json_object_get(v, "from"), "name")),
				    texts[i]);
		assert_int_equal(json_object_size(v), 9);
		json_decref(v);
		mem_deref(m);
	}
}

static void what_json_cannot_carry_is_an_error(void **state)
{
	struct server_msg *m = message(SERVER_OFFER, true);
	struct mbuf *mb = mbuf_alloc(16);

	with_sdp(m, "v=0\r\ns=\xff\r\n");
	assert_int_equal(server_msg_print(mb, m), EILSEQ);
	mem_deref(m);
	mem_deref(mb);
}

static void api(void **state)
{
	struct api_reply *r = api_reply_new(200);
	struct mbuf *mb = mbuf_alloc(16);

	snprintf(r->user, sizeof(r->user), "alice@alpha.example");
	r->expires_s = 1767225600;
	snprintf(r->token, sizeof(r->token), "secret");
	assert_int_equal(api_reply_print(mb, r), 0);
	assert_int_equal(
		mb->end,
		strlen("{\"user\":\"alice@alpha.example\",\"expires\":1767225600}"));
	assert_memory_equal(mb->buf,
			    "{\"user\":\"alice@alpha.example\",\"expires\":1767225600}",
			    mb->end);
	mem_deref(mb);
	mb = mbuf_alloc(16);
	r->bearer = true;
	assert_int_equal(api_reply_print(mb, r), 0);
	assert_non_null(memmem(mb->buf, mb->end, "\"token\":\"secret\"", 16));
	mem_deref(mb);
	mem_deref(r);
}

static void ice(void **state)
{
	static char stun[] = "stun:s.example", uri[] = "turn:t.example";
	static char *stunv[] = {stun, NULL}, *uriv[] = {uri, NULL};
	static const char all[] =
		"{\"iceServers\":[{\"urls\":[\"stun:s.example\"]},{\"urls\":[\"turn:"
		"t.example\"],\"username\":\"1600:abc\",\"credential\":\"sig=\"}],\"ttl_s\":600}";
	static const char none[] = "{\"iceServers\":[],\"ttl_s\":600}";
	struct api_reply *r = api_reply_new(200);
	struct mbuf *mb = mbuf_alloc(16);

	r->ice = mem_zalloc(sizeof(*r->ice), NULL);
	r->ice->stunv = stunv;
	r->ice->uriv = uriv;
	snprintf(r->ice->username, sizeof(r->ice->username), "1600:abc");
	snprintf(r->ice->credential, sizeof(r->ice->credential), "sig=");
	r->ice->ttl_s = 600;
	assert_int_equal(api_reply_print(mb, r), 0);
	assert_int_equal(mb->end, strlen(all));
	assert_memory_equal(mb->buf, all, mb->end);
	mbuf_rewind(mb);
	r->ice->stunv = r->ice->uriv = NULL;
	assert_int_equal(api_reply_print(mb, r), 0);
	assert_int_equal(mb->end, strlen(none));
	assert_memory_equal(mb->buf, none, mb->end);
	mem_deref(mb);
	mem_deref(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(events),
		cmocka_unit_test(who_calls),
		cmocka_unit_test(candidates),
		cmocka_unit_test(causes),
		cmocka_unit_test(goodbyes),
		cmocka_unit_test(texts_stay_texts),
		cmocka_unit_test(what_json_cannot_carry_is_an_error),
		cmocka_unit_test(api),
		cmocka_unit_test(ice),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
