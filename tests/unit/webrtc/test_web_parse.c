/* tests/unit/webrtc/test_web_parse.c - what a browser may say, held to the schema (abuse cases 45 to 47).
 *
 *   sluss.v1.schema.json ──► example, broken in every way ──► client_msg_parse() ──► the same verdict */
#include "gateway/config.h"
#include "tests/unit/webrtc/schema.h"
#include "webrtc/session/parse.h"
#include "webrtc/session/utf8.h"

#include <setjmp.h>
#include <cmocka.h>

static const struct limits limits = {
	.sdp_bytes = 4096, .ws_json_depth = 16, .ws_message_bytes = 131072};
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

static int parse(struct client_msg **mp, struct parse_fault *fault, const char *text,
		 size_t n)
{
	char *copy = malloc(n ? n : 1); /* of its own size, for the sanitizer */
	int err;

	memcpy(copy, text, n);
	memset(fault, 0x5a, sizeof(*fault));
	err = client_msg_parse(mp, fault, copy, n, &limits);
	free(copy);
	return err;
}

/* The parser and the schema say the same about `v`; gives what they say. */
static bool agree(const json_t *v, const char *what)
{
	char why[200], *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	bool fits = schema_fits(doc, schema_def(doc, "client"), v, why);
	struct client_msg *m = NULL;
	struct parse_fault fault;
	int err = parse(&m, &fault, text, strlen(text));

	if (fits != !err)
		fail_msg("%s: schema says %s, parser says %d (%s): %s", what,
			 fits ? "yes" : why, err, err ? fault.text : "", text);
	if (err) {
		assert_int_equal(err, EBADMSG);
		assert_null(m);
		assert_true(fault.code < ERROR_N && fault.text[0]);
		assert_true(utf8_valid(fault.text, strlen(fault.text)));
	}
	free(text);
	mem_deref(m);
	return fits;
}

static const char *const kinds[] = {
	"client-hello",  "client-call",       "client-ringing", "client-accept",
	"client-reject", "client-answer",     "client-offer",   "client-refuse",
	"client-hangup", "client-candidates", "client-keys",    "client-ping"};

static void examples_pass(void **state)
{
	assert_int_equal(N_ELEMS(kinds), CLIENT_KIND_N);
	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		for (int all = 0; all < 2; all++) {
			json_t *v = schema_example(doc, schema_def(doc, kinds[i]), all);

			assert_true(agree(v, kinds[i]));
			json_decref(v);
		}
}

/* Case 46: every wrong type for every field of every message, and each field left out. */
static void wrong_types_are_refused(void **state)
{
	static const char *const values[] = {
		"null",   "true",      "false",      "0",
		"-1",     "1",         "2147483648", "1.5",
		"\"\"",   "\"x\"",     "[]",         "[\"x\"]",
		"{}",     "{\"x\":1}", "-0",         "9007199254740993",
		"\"\\n\""};
	unsigned n_refused = 0;

	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		json_t *v = schema_example(doc, schema_def(doc, kinds[i]), true), *copy;
		const char *key;
		json_t *value;

		json_object_foreach(v, key, value)
		{
			char what[64];

			snprintf(what, sizeof(what), "%s.%s", kinds[i], key);
			for (size_t k = 0; k < N_ELEMS(values); k++) {
				copy = json_deep_copy(v);
				json_object_set_new(
					copy, key,
					json_loads(values[k], JSON_DECODE_ANY, NULL));
				n_refused += !agree(copy, what);
				json_decref(copy);
			}
			copy = json_deep_copy(v);
			json_object_del(copy, key);
			n_refused += !agree(copy, what);
			json_decref(copy);
		}
		copy = json_deep_copy(v);
		json_object_set_new(copy, "colour", json_string("red"));
		assert_false(agree(copy, "an unknown key"));
		json_decref(copy);
		json_decref(v);
	}
	assert_true(n_refused > 400);
}

static void lengths_are_as_in_the_schema(void **state)
{
	static const struct {
		const char *def, *key;
		size_t at_most;
	} rows[] = {{"client-hello", "device", 100}, {"client-call", "name", 100},
		    {"client-call", "to", 400},      {"client-call", "call", 64},
		    {"client-hello", "token", 64},   {"client-hangup", "call", 64}};
	char text[512];

	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (int over = 0; over < 2; over++) {
			json_t *v =
				schema_example(doc, schema_def(doc, rows[i].def), true);

			json_object_set_new(v, rows[i].key,
					    json_stringn(text, rows[i].at_most + over));
			assert_true(agree(v, rows[i].key) == !over);
			json_decref(v);
		}
}

static void characters_count_not_bytes(void **state)
{
	json_t *v = schema_example(doc, schema_def(doc, "client-call"), true);
	char text[401];

	for (size_t i = 0; i < 100; i++)
		memcpy(text + 4 * i, "\xf0\x9f\x93\x9e", 4);
	json_object_set_new(v, "name", json_stringn(text, 400));
	assert_true(agree(v, "100 telephones"));
	json_decref(v);
}

/* What is in a list of candidates is held to the schema, too. */
static void candidates_one_by_one(void **state)
{
	static const struct {
		const char *item;
		bool good;
	} rows[] = {
		{"{\"mid\":\"0\",\"candidate\":\"candidate:1 1 udp 1 192.0.2.1 9 typ host\"}",
		 true},
		{"{\"mid\":\"a-_.~\",\"mline\":63,\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}",
		 true},
		{"{\"mid\":\"0\",\"mline\":64,\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}",
		 false},
		{"{\"mid\":\"0\",\"mline\":-1,\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}",
		 false},
		{"{\"mid\":\"0\",\"mline\":null,\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}",
		 false},
		{"{\"mid\":\"0 1\",\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}",
		 false},
		{"{\"mid\":\"\",\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}", false},
		{"{\"mid\":0,\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}", false},
		{"{\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\"}", false},
		{"{\"mid\":\"0\"}", false},
		{"{\"mid\":\"0\",\"candidate\":\"\"}", false},
		{"{\"mid\":\"0\",\"candidate\":\"a=candidate:1 1 udp 1 h 9 typ x\"}",
		 false},
		{"{\"mid\":\"0\",\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\\r\\na=x\"}",
		 false},
		{"{\"mid\":\"0\",\"candidate\":\"candidate:1 1 udp 1 h 9 typ x \\u00e4\"}",
		 false},
		{"{\"mid\":\"0\",\"candidate\":\"candidate:1 1 udp 1 h 9 typ x\",\"ufrag\":\"F7gI\"}",
		 false},
		{"null", false},
		{"\"candidate:1 1 udp 1 h 9 typ x\"", false},
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		json_t *v =
			schema_example(doc, schema_def(doc, "client-candidates"), false);
		char what[32];

		snprintf(what, sizeof(what), "row %zu", i);
		json_array_append_new(json_object_get(v, "candidates"),
				      json_loads(rows[i].item, JSON_DECODE_ANY, NULL));
		assert_true(agree(v, what) == rows[i].good);
		json_decref(v);
	}
}

static void candidates_arrive(void **state)
{
	static const char text[] =
		"{\"type\":\"candidates\",\"id\":7,\"call\":\"c1\",\"ufrag\":\"F7gI\",\"end\":true,"
		"\"candidates\":[{\"mid\":\"0\",\"mline\":1,\"candidate\":\"candidate:1 1 udp 1 192.0.2.1 9 typ host\"},"
		"{\"mid\":\"b\",\"candidate\":\"candidate:2 1 udp 1 192.0.2.1 9 typ host\"}]}";
	char *big = malloc(40000), *p = big;
	struct client_msg *m = NULL;
	struct parse_fault fault;

	assert_int_equal(parse(&m, &fault, text, strlen(text)), 0);
	assert_int_equal(m->kind, CLIENT_CANDIDATES);
	assert_int_equal(m->candidates->n, 2);
	assert_string_equal(m->candidates->ufrag, "F7gI");
	assert_true(m->candidates->end);
	assert_string_equal(m->candidates->v[1].mid, "b");
	assert_int_equal(m->candidates->v[0].mline, 1);
	assert_int_equal(m->candidates->v[1].mline, -1);
	m = mem_deref(m);
	p += sprintf(
		p, "{\"type\":\"candidates\",\"id\":8,\"call\":\"c1\",\"candidates\":[");
	for (unsigned i = 0; i <= CANDIDATES_MAX; i++)
		p += sprintf(
			p,
			"%s{\"mid\":\"0\",\"candidate\":\"candidate:%u 1 udp 1 192.0.2.1 9 typ host\"}",
			i ? "," : "", i);
	p += sprintf(p, "]}");
	assert_int_equal(parse(&m, &fault, big, (size_t)(p - big)), EBADMSG);
	assert_int_equal(fault.code, ERROR_LIMIT);
	free(big);
}

static void fields_arrive(void **state)
{
	static const char call[] =
		"{\"type\":\"call\",\"id\":7,\"call\":\"c_1-X\",\"to\":\"per@beta.example\","
		"\"sdp\":\"v=0\\r\\n\",\"name\":\"Al\"}";
	static const char hello[] =
		"{\"type\":\"hello\",\"id\":1,\"version\":1,\"device\":\"Firefox\"}";
	static const char hangup[] =
		"{\"type\":\"hangup\",\"id\":2147483647,\"call\":\"c\",\"reason\":\"mismatch\"}";
	static const char able[] =
		"{\"type\":\"hello\",\"id\":1,\"version\":1,\"resume\":{}}";
	static const char back[] =
		"{\"type\":\"hello\",\"id\":1,\"version\":1,\"resume\":{\"session\":"
		"\"00112233445566778899aabbccddeeff\",\"seq\":9007199254740991}}";
	static const char held[] =
		"{\"type\":\"hello\",\"id\":1,\"version\":1,\"calls\":[{\"call\":\"c1\","
		"\"rejoin\":\"0123456789abcdef\"},{\"call\":\"c2\",\"rejoin\":\"x\"}]}";
	static const char ping[] = "{\"type\":\"ping\",\"id\":2,\"ack\":12}";
	struct parse_fault fault;
	struct client_msg *m;

	assert_int_equal(parse(&m, &fault, call, strlen(call)), 0);
	assert_int_equal(m->kind, CLIENT_CALL);
	assert_int_equal(m->id, 7);
	assert_string_equal(m->call, "c_1-X");
	assert_string_equal(m->to, "per@beta.example");
	assert_string_equal(m->name, "Al");
	assert_int_equal(m->sdp->len, 5);
	assert_memory_equal(m->sdp->data, "v=0\r\n", 6);
	mem_deref(m);

	assert_int_equal(parse(&m, &fault, hello, strlen(hello)), 0);
	assert_int_equal(m->kind, CLIENT_HELLO);
	assert_string_equal(m->name, "Firefox");
	assert_null(m->token);
	assert_false(m->resumable);
	mem_deref(m);

	assert_int_equal(parse(&m, &fault, able, strlen(able)), 0);
	assert_true(m->resumable);
	assert_string_equal(m->session, "");
	mem_deref(m);

	assert_int_equal(parse(&m, &fault, back, strlen(back)), 0);
	assert_true(m->resumable);
	assert_string_equal(m->session, "00112233445566778899aabbccddeeff");
	assert_int_equal(m->seq, 9007199254740991);
	mem_deref(m);

	assert_int_equal(parse(&m, &fault, held, strlen(held)), 0);
	assert_int_equal(m->held->n, 2);
	assert_string_equal(m->held->v[0].call, "c1");
	assert_string_equal(m->held->v[0].id, "0123456789abcdef");
	assert_string_equal(m->held->v[1].call, "c2");
	mem_deref(m);

	assert_int_equal(parse(&m, &fault, ping, strlen(ping)), 0);
	assert_int_equal(m->ack, 12);
	mem_deref(m);

	assert_int_equal(parse(&m, &fault, hangup, strlen(hangup)), 0);
	assert_int_equal(m->id, 2147483647);
	assert_int_equal(m->reason, REASON_MISMATCH);
	mem_deref(m);
}

static void refuse(const char *text, size_t n, enum web_error code, uint32_t id,
		   const char *words)
{
	struct client_msg *m = NULL;
	struct parse_fault fault;

	assert_int_equal(parse(&m, &fault, text, n), EBADMSG);
	if (fault.code != code || fault.id != id || (words && strcmp(fault.text, words)))
		fail_msg("%.60s: %s id=%u \"%s\"", text, web_error_name(fault.code),
			 (unsigned)fault.id, fault.text);
}

#define REFUSE(text, code, id, words) refuse(text, sizeof(text) - 1, code, id, words)

/* Case 45: what is no good JSON, or none of our messages: one error, the right one, naming the field. */
static void bad_json(void **state)
{
	REFUSE("", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{\"type\":\"ping\",\"id\":1}x", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{\"type\":\"ping\",\"id\":1}{}", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{\"type\":\"ping\",\"id\":1}\0", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{\"type\":\"ping\",\"id\":1,\"id\":2}", ERROR_BAD_JSON, 0,
	       "a key occurs twice");
	REFUSE("{\"type\":\"ping\",\"id\":1e999}", ERROR_BAD_JSON, 0,
	       "a number is too big");
	REFUSE("{\"type\":\"ping\",\"id\":9223372036854775808}", ERROR_BAD_JSON, 0,
	       "a number is too big");
	REFUSE("{\"type\":\"ping\",\"id\":NaN}", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{\"type\":\"p\\u0000ing\",\"id\":1}", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{\"type\":\"p\\ud800\",\"id\":1}", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{\"type\":\"p\xff\",\"id\":1}", ERROR_BAD_JSON, 0, NULL);
	REFUSE("[]", ERROR_BAD_MESSAGE, 0, "a message is a JSON object");
	REFUSE("null", ERROR_BAD_JSON, 0, NULL);
	REFUSE("7", ERROR_BAD_JSON, 0, NULL);
	REFUSE("{}", ERROR_BAD_MESSAGE, 0, "`id` is missing");
	REFUSE("{\"id\":1}", ERROR_BAD_MESSAGE, 1, "`type` is missing");
	REFUSE("{\"type\":\"ping\"}", ERROR_BAD_MESSAGE, 0, "`id` is missing");
	REFUSE("{\"type\":\"ping\",\"id\":-0}", ERROR_BAD_MESSAGE, 0,
	       "`id` must be an integer from 1 to 2147483647");
	REFUSE("{\"type\":\"ping\",\"id\":9223372036854775807}", ERROR_BAD_MESSAGE, 0,
	       NULL);
	REFUSE("{\"type\":\"PING\",\"id\":3}", ERROR_UNKNOWN_TYPE, 3, NULL);
	REFUSE("{\"type\":\"welcome\",\"id\":3}", ERROR_UNKNOWN_TYPE, 3, NULL);
	REFUSE("{\"type\":\"ringing\",\"id\":4}", ERROR_BAD_MESSAGE, 4,
	       "`call` is missing");
	REFUSE("{\"type\":\"ringing\",\"id\":4,\"call\":\"a b\"}", ERROR_BAD_MESSAGE, 4,
	       "`call` may have only A-Z a-z 0-9 _ and -");
	REFUSE("{\"type\":\"ringing\",\"id\":4,\"call\":\"a\",\"x\\n<b>\":1}",
	       ERROR_BAD_MESSAGE, 4, "`x<b>` is not a field of `ringing`");
	REFUSE("{\"type\":\"reject\",\"id\":5,\"call\":\"a\",\"reason\":\"later\"}",
	       ERROR_BAD_MESSAGE, 5, "`reason` must be one of \"busy\", \"decline\"");
	REFUSE("{\"type\":\"hello\",\"id\":5,\"version\":1,\"resume\":[]}",
	       ERROR_BAD_MESSAGE, 5, "`resume` must be an object");
	REFUSE("{\"type\":\"hello\",\"id\":5,\"version\":1,\"resume\":{\"seq\":1}}",
	       ERROR_BAD_MESSAGE, 5, "`resume` has both `session` and `seq`, or neither");
	REFUSE("{\"type\":\"hello\",\"id\":5,\"version\":1,\"calls\":{}}",
	       ERROR_BAD_MESSAGE, 5, "`calls` must be an array of at most 8");
	REFUSE("{\"type\":\"hello\",\"id\":5,\"version\":1,\"calls\":[1]}",
	       ERROR_BAD_MESSAGE, 5, "one of `calls` is an object");
	REFUSE("{\"type\":\"hello\",\"id\":5,\"version\":1,\"calls\":[{\"call\":\"a\"}]}",
	       ERROR_BAD_MESSAGE, 5, "`rejoin` is missing");
	REFUSE("{\"type\":\"hello\",\"id\":5,\"version\":1,\"ack\":1}", ERROR_BAD_MESSAGE,
	       5, "`ack` is not a field of `hello`");
	REFUSE("{\"type\":\"ping\",\"id\":5,\"ack\":-1}", ERROR_BAD_MESSAGE, 5,
	       "`ack` must be an integer from 0 to 2^53-1");
	REFUSE("{\"type\":\"hello\",\"id\":5,\"version\":2}", ERROR_BAD_MESSAGE, 5,
	       "`version` must be 1");
}

static void depth_is_bounded(void **state)
{
	enum { N = 100000 };
	char *text = malloc(2 * N);

	memset(text, '[', N);
	memset(text + N, ']', N);
	refuse(text, 2 * N, ERROR_TOO_DEEP, 0, "nested deeper than 16");
	memset(text, '{', N);
	refuse(text, N, ERROR_TOO_DEEP, 0, "nested deeper than 16");
	free(text);
	/* brackets inside a string are no depth */
	REFUSE("{\"type\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[\",\"id\":1}",
	       ERROR_UNKNOWN_TYPE, 1, NULL);
}

static void much_of_everything(void **state)
{
	enum { KEYS = 100000, LONG = 1 << 20 };
	struct client_msg *m = NULL;
	struct parse_fault fault;
	char *text = malloc(24 * KEYS + LONG), *p = text;

	p += snprintf(p, 64, "{\"type\":\"ping\",\"id\":1");
	for (unsigned i = 0; i < KEYS; i++)
		p += snprintf(p, 24, ",\"k%u\":%u", i, i);
	*p++ = '}';
	refuse(text, (size_t)(p - text), ERROR_BAD_MESSAGE, 1,
	       "`k0` is not a field of `ping`");

	p = text +
	    snprintf(text, 64, "{\"type\":\"offer\",\"id\":2,\"call\":\"c\",\"sdp\":\"");
	memset(p, 'v', LONG);
	p += LONG;
	p += snprintf(p, 4, "\"}");
	assert_int_equal(parse(&m, &fault, text, (size_t)(p - text)), EBADMSG);
	assert_int_equal(fault.code, ERROR_LIMIT);
	assert_int_equal(fault.id, 2);
	free(text);
}

static void utf8(void **state)
{
	static const char *const good[] = {"",
					   "a",
					   "\xc2\x80",
					   "\xdf\xbf",
					   "\xe0\xa0\x80",
					   "\xed\x9f\xbf",
					   "\xee\x80\x80",
					   "\xef\xbf\xbf",
					   "\xf0\x90\x80\x80",
					   "\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80",
					  "\xc0\x80",
					  "\xc1\xbf",
					  "\xc2",
					  "\xc2"
					  "a",
					  "\xe0\x9f\xbf",
					  "\xed\xa0\x80",
					  "\xed\xbf\xbf",
					  "\xe2\x82",
					  "\xf0\x8f\xbf\xbf",
					  "\xf4\x90\x80\x80",
					  "\xf5\x80\x80\x80",
					  "\xff",
					  "a\xfe"
					  "b"};

	for (size_t i = 0; i < N_ELEMS(good); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_int_equal(utf8_count("a\xc3\xa9\xf0\x9f\x93\x9e", 7), 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_pass),
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(lengths_are_as_in_the_schema),
		cmocka_unit_test(characters_count_not_bytes),
		cmocka_unit_test(candidates_one_by_one),
		cmocka_unit_test(candidates_arrive),
		cmocka_unit_test(fields_arrive),
		cmocka_unit_test(bad_json),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(much_of_everything),
		cmocka_unit_test(utf8),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
