/* webrtc/session/idp_parse.c - bodies of requests to an identity provider by the tables below; docs/idp.md says the same.
 * Pure; runs on the web thread; called by webrtc/http/idp.c. What the texts mean is judged where they are used. */
#include "webrtc/session/idp_parse.h"

#include "webrtc/session/field.h"

enum {
	TEXT_CHARS = 4096,
	NAME_CHARS = 318,
	PASSWORD_BYTES = 256,
	CODE_CHARS = 64,
	VERIFIER_CHARS = 128,
	PERSON_CHARS = 63,
};

#define OFF(member) offsetof(struct provider_request, member)

static const struct field_word contexts[] = {{"frame", 0}, {"native", 1}, {NULL, 0}};
static const struct field assert_fields[] = {
	{"contents", FIELD_TEXT, true, TEXT_CHARS, OFF(contents), NULL},
	{"origin", FIELD_TEXT, true, STORE_ORIGIN_MAX, OFF(origin), NULL},
	{"ctx", FIELD_WORD, true, 0, OFF(native), contexts},
};
static const struct field check_fields[] = {
	{"assertion", FIELD_TEXT, true, TEXT_CHARS, OFF(assertion), NULL},
};
static const struct field sign_in_fields[] = {
	{"user", FIELD_TEXT, true, NAME_CHARS, OFF(user), NULL},
	{"password", FIELD_SECRET, true, PASSWORD_BYTES, OFF(password), NULL},
};
static const struct field profile_fields[] = {
	{"name", FIELD_TEXT, false, PERSON_CHARS, OFF(name), NULL},
};
static const struct field password_fields[] = {
	{"password", FIELD_SECRET, true, PASSWORD_BYTES, OFF(password), NULL},
};
static const struct field openid_fields[] = {
	{"name", FIELD_TEXT, true, NAME_CHARS, OFF(name), NULL},
};
static const struct field consent_fields[] = {
	{"origin", FIELD_TEXT, true, STORE_ORIGIN_MAX, OFF(origin), NULL},
	{"frames", FIELD_BOOL, true, 0, OFF(frames), NULL},
};
static const struct field origin_fields[] = {
	{"origin", FIELD_TEXT, true, STORE_ORIGIN_MAX, OFF(origin), NULL},
};
static const struct field code_fields[] = {
	{"origin", FIELD_TEXT, true, STORE_ORIGIN_MAX, OFF(origin), NULL},
	{"challenge", FIELD_TEXT, true, STORE_CHALLENGE_LEN, OFF(challenge), NULL},
};
static const struct field redeem_fields[] = {
	{"code", FIELD_TEXT, true, CODE_CHARS, OFF(code), NULL},
	{"verifier", FIELD_TEXT, true, VERIFIER_CHARS, OFF(verifier), NULL},
	{"origin", FIELD_TEXT, true, STORE_ORIGIN_MAX, OFF(origin), NULL},
};

static const struct body_row {
	const struct field *fields;
	size_t n;
	const char *known[3]; /* read here, by hand */
} bodies[PROVIDER_OP_N] = {
#define BODY(fields_, ...)                                                               \
	{                                                                                \
		.fields = (fields_), .n = N_ELEMS(fields_), .known = { __VA_ARGS__ }     \
	}
	[PROVIDER_ASSERT] = BODY(assert_fields, "peer", "usernameHint", NULL),
	[PROVIDER_CHECK] = BODY(check_fields, "peer", NULL),
	[PROVIDER_SIGN_IN] = BODY(sign_in_fields, NULL),
	[PROVIDER_PROFILE_SET] = BODY(profile_fields, NULL),
	[PROVIDER_PASSWORD_SET] = BODY(password_fields, NULL),
	[PROVIDER_OPENID_END] = BODY(openid_fields, NULL),
	[PROVIDER_CONSENT_SET] = BODY(consent_fields, "claims", NULL),
	[PROVIDER_CONSENT_END] = BODY(origin_fields, NULL),
	[PROVIDER_CODE] = BODY(code_fields, NULL),
	[PROVIDER_REDEEM] = BODY(redeem_fields, NULL),
#undef BODY
};

bool idp_request_has_body(enum provider_op op)
{
	return op == PROVIDER_RULES_SET || bodies[op].n > 0;
}

static int refuse(struct api_fault *fault, const char *text)
{
	fault->error = "bad-message";
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return EBADMSG;
}

/* A text that may be empty, null or not there, all the same. */
static int read_optional(char **sp, const json_t *obj, const char *name,
			 struct api_fault *fault)
{
	const json_t *v = json_object_get(obj, name);
	char why[64];

	if (!v || json_is_null(v) || (json_is_string(v) && !json_string_length(v)))
		return 0;
	if (!json_is_string(v) || json_string_length(v) > NAME_CHARS ||
	    strlen(json_string_value(v)) != json_string_length(v)) {
		snprintf(why, sizeof(why), "`%s` must be a string of up to %d bytes",
			 name, NAME_CHARS);
		return refuse(fault, why);
	}
	*sp = base_dup(json_string_value(v), json_string_length(v));
	return *sp ? 0 : ENOMEM;
}

static int read_claims(char claims[STORE_CLAIMS_MAX + 1], const json_t *v,
		       struct api_fault *fault)
{
	static const char *const words[] = {"name", "picture", "email"};
	unsigned has = 0;
	size_t n = 0;

	claims[0] = '\0';
	if (!json_is_array(v))
		return refuse(fault, "`claims` must be a list");
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *s = json_string_value(json_array_get(v, i));
		size_t k = 0;

		while (s && k < N_ELEMS(words) && strcmp(s, words[k]) != 0)
			k++;
		if (!s || k == N_ELEMS(words))
			return refuse(fault, "`claims` are \"name\", \"picture\" and "
					     "\"email\"");
		has |= 1u << k;
	}
	for (size_t k = 0; k < N_ELEMS(words); k++)
		if (has & 1u << k)
			n += (size_t)snprintf(claims + n, STORE_CLAIMS_MAX + 1 - n,
					      "%s%s", n ? " " : "", words[k]);
	return 0;
}

static int read_rule(struct store_rule *rule, const json_t *o, struct api_fault *fault)
{
	const char *whom = json_string_value(json_object_get(o, "for"));
	const char *reveal = json_string_value(json_object_get(o, "reveal"));
	const json_t *claims = json_object_get(o, "claims");

	if (!whom || !reveal || json_object_size(o) != (claims ? 3u : 2u))
		return refuse(fault, "a rule has `for`, `reveal` and perhaps `claims`");
	if (strlen(whom) > STORE_WHOM_MAX)
		return refuse(fault, "`for` is too long");
	if (strcmp(reveal, "full") != 0 && strcmp(reveal, "pseudonym") != 0 &&
	    strcmp(reveal, "none") != 0)
		return refuse(fault, "`reveal` is \"full\", \"pseudonym\" or \"none\"");
	snprintf(rule->whom, sizeof(rule->whom), "%s", whom);
	snprintf(rule->reveal, sizeof(rule->reveal), "%s", reveal);
	return claims ? read_claims(rule->claims, claims, fault) : 0;
}

static int read_rules(struct provider_request *r, const json_t *list,
		      struct api_fault *fault)
{
	int err = 0;

	if (!json_is_array(list) || json_array_size(list) > STORE_RULES_MAX)
		return refuse(fault, "the body must be a list of up to 64 rules");
	r->n_rules = json_array_size(list);
	r->rulev = mem_zalloc((r->n_rules + 1) * sizeof(*r->rulev), NULL);
	if (!r->rulev)
		return ENOMEM;
	for (size_t i = 0; i < r->n_rules && !err; i++)
		err = read_rule(&r->rulev[i], json_array_get(list, i), fault);
	return err;
}

static int read_object(struct provider_request *r, const json_t *obj,
		       struct api_fault *fault)
{
	const struct body_row *row = &bodies[r->op];
	const json_t *claims = json_object_get(obj, "claims");
	struct field_fault why = {0};
	int err;

	if (!json_is_object(obj))
		return refuse(fault, "the body must be a JSON object");
	err = field_read(r, &why, obj, row->fields, row->n, row->known,
			 provider_op_name(r->op), 0);
	if (err)
		return err == EBADMSG ? refuse(fault, why.text) : err;
	if (r->op == PROVIDER_ASSERT || r->op == PROVIDER_CHECK)
		err = read_optional(&r->peer, obj, "peer", fault);
	if (!err && r->op == PROVIDER_ASSERT)
		err = read_optional(&r->user, obj, "usernameHint", fault);
	if (!err && r->op == PROVIDER_CONSENT_SET && claims) {
		r->has_claims = true;
		err = read_claims(r->claims, claims, fault);
	}
	return err;
}

static int read_body(struct provider_request **rp, struct api_fault *fault,
		     enum provider_op op, const json_t *body)
{
	struct provider_request *r = provider_request_new(op);
	int err;

	if (!r)
		return ENOMEM;
	err = op == PROVIDER_RULES_SET ? read_rules(r, body, fault)
				       : read_object(r, body, fault);
	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}

int idp_request_parse(struct provider_request **rp, struct api_fault *fault,
		      enum provider_op op, const char *p, size_t n, uint32_t depth)
{
	json_t *body;
	int err;

	if (field_depth(p, n) > depth) {
		fault->error = "too-deep";
		snprintf(fault->text, sizeof(fault->text), "%s",
			 "the body is nested too deep");
		return EBADMSG;
	}
	body = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	if (!body) {
		fault->error = "bad-json";
		snprintf(fault->text, sizeof(fault->text), "%s", "the body is not JSON");
		return EBADMSG;
	}
	err = read_body(rp, fault, op, body);
	if (err == ENOMEM) {
		fault->error = "internal";
		snprintf(fault->text, sizeof(fault->text), "%s", "out of memory");
	}
	json_decref(body);
	return err;
}
