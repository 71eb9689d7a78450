/* webrtc/session/parse.c - the browser's side of docs/protocol.md: JSON text to struct client_msg.
 *
 * Pure; runs on the web thread so that hostile JSON costs nobody else anything; called by gate.c; fuzzed.
 * What a message may hold is in the tables below, and nowhere else; sluss.v1.schema.json says the same,
 * and a test holds the two together. */
#include "webrtc/session/parse.h"
#include "webrtc/session/field.h"

enum { ID_MAX = 2147483647, TO_MAX = 400, NAME_MAX_CHARS = 100 };

static const struct field_word reject_words[] = {
	{"busy", REASON_BUSY}, {"decline", REASON_DECLINE}, {NULL, 0}};
static const struct field_word refuse_words[] = {
	{"media", REASON_MEDIA}, {"glare", REASON_GLARE}, {NULL, 0}};
static const struct field_word hangup_words[] = {{"hangup", REASON_HANGUP},
						 {"media", REASON_MEDIA},
						 {"mismatch", REASON_MISMATCH},
						 {"moved", REASON_MOVED},
						 {NULL, 0}};

#define OFF(member) offsetof(struct client_msg, member)
#define CALL_FIELD                                                                       \
	{                                                                                \
		"call", FIELD_CALL, true, WEB_CALL_MAX, OFF(call), NULL                  \
	}
#define SDP_FIELD                                                                        \
	{                                                                                \
		"sdp", FIELD_SDP, true, 0, OFF(sdp), NULL                                \
	}
#define TRICKLE_FIELD                                                                    \
	{                                                                                \
		"trickle", FIELD_BOOL, false, 0, OFF(trickle), NULL                      \
	}

static const struct field hello_fields[] = {
	{"version", FIELD_ONE, true, 1, 0, NULL},
	{"device", FIELD_TEXT, false, NAME_MAX_CHARS, OFF(name), NULL},
	{"elsewhere", FIELD_BOOL, false, 0, OFF(elsewhere), NULL},
	{"token", FIELD_SECRET, false, STORE_TOKEN_HEX, OFF(token), NULL},
};
static const struct field call_fields[] = {
	CALL_FIELD,
	SDP_FIELD,
	TRICKLE_FIELD,
	{"to", FIELD_TEXT, true, TO_MAX, OFF(to), NULL},
	{"name", FIELD_TEXT, false, NAME_MAX_CHARS, OFF(name), NULL},
	{"replaces", FIELD_CALL, false, WEB_CALL_MAX, OFF(replaces), NULL},
	{"rejoin", FIELD_CALL, false, WEB_ONGOING_HEX, OFF(rejoin), NULL},
};
static const struct field plain_fields[] = {CALL_FIELD};
static const struct field sdp_fields[] = {CALL_FIELD, SDP_FIELD, TRICKLE_FIELD};
static const struct field reject_fields[] = {
	CALL_FIELD,
	{"reason", FIELD_WORD, true, 0, OFF(reason), reject_words},
};
static const struct field refuse_fields[] = {
	CALL_FIELD,
	{"reason", FIELD_WORD, true, 0, OFF(reason), refuse_words},
};
static const struct field hangup_fields[] = {
	CALL_FIELD,
	{"reason", FIELD_WORD, false, 0, OFF(reason), hangup_words},
};
static const struct field candidates_fields[] = {
	CALL_FIELD,
	{"candidates", FIELD_CANDIDATES, true, 0, OFF(candidates), NULL},
	{"ufrag", FIELD_TEXT, false, ICE_UFRAG_MAX, OFF(ufrag), NULL},
	{"end", FIELD_BOOL, false, 0, OFF(end), NULL},
};
static const struct field keys_fields[] = {
	CALL_FIELD,
	{"keys", FIELD_TEXT, true, WEB_KEYS_MAX, OFF(keys), NULL},
};

/* hello's `resume` */
static const struct field resume_fields[] = {
	{"session", FIELD_CALL, false, WEB_SESSION_HEX, OFF(session), NULL},
	{"seq", FIELD_SEQ, false, 0, OFF(seq), NULL},
};
/* one of hello's `calls` */
static const struct field held_fields[] = {
	{"call", FIELD_CALL, true, WEB_CALL_MAX, offsetof(struct web_held, call), NULL},
	{"rejoin", FIELD_CALL, true, WEB_ONGOING_HEX, offsetof(struct web_held, id),
	 NULL},
};
/* of every other message */
static const struct field ack_field = {"ack", FIELD_SEQ, false, 0, OFF(ack), NULL};

static const struct message {
	const struct field *fields;
	size_t n_fields;
} messages[CLIENT_KIND_N] = {
	[CLIENT_HELLO] = {hello_fields, N_ELEMS(hello_fields)},
	[CLIENT_CALL] = {call_fields, N_ELEMS(call_fields)},
	[CLIENT_RINGING] = {plain_fields, N_ELEMS(plain_fields)},
	[CLIENT_ACCEPT] = {plain_fields, N_ELEMS(plain_fields)},
	[CLIENT_REJECT] = {reject_fields, N_ELEMS(reject_fields)},
	[CLIENT_ANSWER] = {sdp_fields, N_ELEMS(sdp_fields)},
	[CLIENT_OFFER] = {sdp_fields, N_ELEMS(sdp_fields)},
	[CLIENT_REFUSE] = {refuse_fields, N_ELEMS(refuse_fields)},
	[CLIENT_HANGUP] = {hangup_fields, N_ELEMS(hangup_fields)},
	[CLIENT_CANDIDATES] = {candidates_fields, N_ELEMS(candidates_fields)},
	[CLIENT_KEYS] = {keys_fields, N_ELEMS(keys_fields)},
	[CLIENT_PING] = {NULL, 0},
};

static int PRINTF_LIKE(3, 4)
	refuse(struct parse_fault *fault, enum web_error code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fault->text, sizeof(fault->text), fmt, ap);
	va_end(ap);
	fault->code = code;
	return EBADMSG;
}

static int read_kind(enum client_kind *kind, struct parse_fault *fault, const json_t *obj)
{
	const json_t *type = json_object_get(obj, "type");

	if (!type)
		return refuse(fault, ERROR_BAD_MESSAGE, "`type` is missing");
	if (!json_is_string(type))
		return refuse(fault, ERROR_BAD_MESSAGE, "`type` must be a string");
	for (enum client_kind k = 0; k < CLIENT_KIND_N; k++)
		if (!strcmp(json_string_value(type), client_kind_name(k))) {
			*kind = k;
			return 0;
		}
	return refuse(fault, ERROR_UNKNOWN_TYPE, "there is no such `type` of message");
}

static int read_id(struct parse_fault *fault, const json_t *obj)
{
	const json_t *id = json_object_get(obj, "id");

	if (!id)
		return refuse(fault, ERROR_BAD_MESSAGE, "`id` is missing");
	if (!json_is_integer(id) || json_integer_value(id) < 1 ||
	    json_integer_value(id) > ID_MAX)
		return refuse(fault, ERROR_BAD_MESSAGE,
			      "`id` must be an integer from 1 to %d", ID_MAX);
	fault->id = (uint32_t)json_integer_value(id);
	return 0;
}

/** What a table of fields cannot say. */
static int join_fields(struct client_msg *m, struct field_fault *why)
{
	struct candidates *c = m->candidates;

	if (m->sdp)
		m->sdp->trickle = m->trickle;
	if (m->kind == CLIENT_KEYS &&
	    (!*m->keys || m->keys[strspn(m->keys, "0123456789ABCD*#")]))
		return field_bad(why, "`keys` must be 1 to %d of 0-9, A-D, * and #",
				 WEB_KEYS_MAX);
	if (m->kind != CLIENT_CANDIDATES)
		return 0;
	if (m->ufrag) {
		size_t n = strlen(m->ufrag);

		if (!ice_chars_ok(m->ufrag, n, 4, ICE_UFRAG_MAX))
			return field_bad(why, "`ufrag` must be 4 to %d ICE characters",
					 ICE_UFRAG_MAX);
		memcpy(c->ufrag, m->ufrag, n + 1);
	}
	c->end = m->end;
	return 0;
}

/* `resume` of a hello: empty for a client that would come back, or both of its fields. */
static int read_resume(struct client_msg *m, struct field_fault *why, const json_t *obj)
{
	static const char *const none[] = {NULL};
	const json_t *resume = json_object_get(obj, "resume");
	int err;

	if (!resume)
		return 0;
	if (!json_is_object(resume))
		return field_bad(why, "`resume` must be an object");
	m->resumable = true;
	err = field_read(m, why, resume, resume_fields, N_ELEMS(resume_fields), none,
			 "resume", 0);
	if (!err &&
	    !json_object_get(resume, "session") != !json_object_get(resume, "seq"))
		err = field_bad(why, "`resume` has both `session` and `seq`, or neither");
	return err;
}

/* `calls` of a hello: what its client still has. */
static int read_held(struct client_msg *m, struct field_fault *why, const json_t *obj)
{
	static const char *const none[] = {NULL};
	const json_t *calls = json_object_get(obj, "calls");
	int err = 0;

	if (!calls)
		return 0;
	if (!json_is_array(calls) || json_array_size(calls) > WEB_HELD_MAX)
		return field_bad(why, "`calls` must be an array of at most %d",
				 WEB_HELD_MAX);
	m->held = mem_zalloc(sizeof(*m->held), NULL);
	if (!m->held)
		return ENOMEM;
	for (size_t i = 0; !err && i < json_array_size(calls); i++) {
		const json_t *one = json_array_get(calls, i);

		if (!json_is_object(one))
			return field_bad(why, "one of `calls` is an object");
		err = field_read(&m->held->v[i], why, one, held_fields,
				 N_ELEMS(held_fields), none, "calls", 0);
		m->held->n = i + 1;
	}
	return err;
}

static int read_ack(struct client_msg *m, struct field_fault *why, const json_t *obj)
{
	const json_t *ack = json_object_get(obj, "ack");

	return ack ? field_value(m, ack, &ack_field, why, 0) : 0;
}

static int read_object(struct client_msg **mp, struct parse_fault *fault,
		       const json_t *obj, const struct limits *limits)
{
	static const char *const known_hello[] = {"type", "id", "resume", "calls", NULL};
	static const char *const known[] = {"type", "id", "ack", NULL};
	enum client_kind kind = CLIENT_PING;
	struct field_fault why;
	struct client_msg *m;
	int err;

	if (!json_is_object(obj))
		return refuse(fault, ERROR_BAD_MESSAGE, "a message is a JSON object");
	err = read_id(fault, obj);
	if (!err)
		err = read_kind(&kind, fault, obj);
	if (err)
		return err;
	m = client_msg_new(kind);
	if (!m)
		return ENOMEM;
	m->id = fault->id;
	err = field_read(m, &why, obj, messages[kind].fields, messages[kind].n_fields,
			 kind == CLIENT_HELLO ? known_hello : known,
			 client_kind_name(kind), limits->sdp_bytes);
	if (!err)
		err = join_fields(m, &why);
	if (!err)
		err = kind == CLIENT_HELLO ? read_resume(m, &why, obj)
					   : read_ack(m, &why, obj);
	if (!err && kind == CLIENT_HELLO)
		err = read_held(m, &why, obj);
	if (err) {
		mem_deref(m);
		if (err == EBADMSG)
			refuse(fault,
			       why.kind == FIELD_TOO_LONG ? ERROR_LIMIT
							  : ERROR_BAD_MESSAGE,
			       "%s", why.text);
		return err;
	}
	*mp = m;
	return 0;
}

int client_msg_parse(struct client_msg **mp, struct parse_fault *fault, const char *p,
		     size_t n, const struct limits *limits)
{
	json_error_t why;
	json_t *obj;
	int err;

	fault->id = 0;
	if (field_depth(p, n) > limits->ws_json_depth)
		return refuse(fault, ERROR_TOO_DEEP, "nested deeper than %u",
			      (unsigned)limits->ws_json_depth);
	obj = json_loadb(p, n, JSON_REJECT_DUPLICATES, &why);
	if (!obj) {
		switch (json_error_code(&why)) {
		case json_error_out_of_memory:
			refuse(fault, ERROR_INTERNAL, "out of memory");
			return ENOMEM;
		case json_error_duplicate_key:
			return refuse(fault, ERROR_BAD_JSON, "a key occurs twice");
		case json_error_numeric_overflow:
			return refuse(fault, ERROR_BAD_JSON, "a number is too big");
		default:
			return refuse(fault, ERROR_BAD_JSON, "not JSON at byte %d",
				      why.position);
		}
	}
	err = read_object(mp, fault, obj, limits);
	if (err == ENOMEM)
		refuse(fault, ERROR_INTERNAL, "out of memory");
	json_decref(obj);
	return err;
}
