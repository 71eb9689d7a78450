/* webrtc/session/api_parse.c - bodies of the HTTP API by the tables below; webrtc/openapi.json says the
 * same. Pure; runs on the web thread; called by webrtc/http/api.c. */
#include "webrtc/session/api_parse.h"
#include "webrtc/session/field.h"

enum { NAME_CHARS = 318, PASSWORD_BYTES = 256, DEVICE_CHARS = 100 };

#define OFF(member) offsetof(struct api_request, member)

static const struct field sign_in_fields[] = {
	{"user", FIELD_TEXT, true, NAME_CHARS, OFF(user), NULL},
	{"password", FIELD_SECRET, true, PASSWORD_BYTES, OFF(password), NULL},
	{"bearer", FIELD_BOOL, false, 0, OFF(bearer), NULL},
	{"device", FIELD_TEXT, false, DEVICE_CHARS, OFF(device), NULL},
};
static const struct field delete_fields[] = {
	{"password", FIELD_SECRET, true, PASSWORD_BYTES, OFF(password), NULL},
};
static const struct field connect_fields[] = {
	{"origin", FIELD_TEXT, true, STORE_ORIGIN_MAX, OFF(page), NULL},
};
static const struct field rules_fields[] = {
	{"ring", FIELD_TEXT, false, STORE_RING_MAX, OFF(ring), NULL},
	{"relay", FIELD_TEXT, false, STORE_RING_MAX, OFF(relay), NULL},
};
static const struct field idp_code_fields[] = {
	{"challenge", FIELD_TEXT, true, STORE_CHALLENGE_LEN, OFF(challenge), NULL},
};
static const struct field passwd_fields[] = {
	{"old", FIELD_SECRET, true, PASSWORD_BYTES, OFF(password), NULL},
	{"new", FIELD_SECRET, true, PASSWORD_BYTES, OFF(new_password), NULL},
};

static const struct field *fields_of(enum api_kind kind, size_t *n)
{
	switch (kind) {
	case API_LOGIN:
	case API_REGISTER:
		*n = N_ELEMS(sign_in_fields);
		return sign_in_fields;
	case API_PASSWD:
		*n = N_ELEMS(passwd_fields);
		return passwd_fields;
	case API_DELETE:
		*n = N_ELEMS(delete_fields);
		return delete_fields;
	case API_CONNECT:
		*n = N_ELEMS(connect_fields);
		return connect_fields;
	case API_RULES_SET:
		*n = N_ELEMS(rules_fields);
		return rules_fields;
	case API_IDP_CODE:
		*n = N_ELEMS(idp_code_fields);
		return idp_code_fields;
	case API_WHOAMI:
	case API_RULES:
	case API_LOGOUT:
	case API_ICE:
	case API_DEVICES:
	case API_DEVICE_END:
	case API_OTHERS_END:
	case API_KIND_N:
		break;
	}
	*n = 0;
	return NULL;
}

static int refuse(struct api_fault *fault, const char *error, const char *text)
{
	fault->error = error;
	snprintf(fault->text, sizeof(fault->text), "%s", text);
	return EBADMSG;
}

static int read_object(struct api_request **rp, struct api_fault *fault,
		       enum api_kind kind, const json_t *obj)
{
	static const char *const known[] = {NULL};
	struct field_fault why;
	const struct field *fields;
	struct api_request *r;
	size_t n_fields;
	int err;

	if (!json_is_object(obj))
		return refuse(fault, "bad-message", "the body must be a JSON object");
	fields = fields_of(kind, &n_fields);
	r = api_request_new(kind);
	if (!r)
		return ENOMEM;
	err = field_read(r, &why, obj, fields, n_fields, known, api_kind_name(kind), 0);
	if (err) {
		mem_deref(r);
		return err == EBADMSG ? refuse(fault, "bad-message", why.text) : err;
	}
	*rp = r;
	return 0;
}

int api_request_parse(struct api_request **rp, struct api_fault *fault,
		      enum api_kind kind, const char *p, size_t n, uint32_t depth)
{
	json_error_t why;
	json_t *obj;
	int err;

	if (field_depth(p, n) > depth)
		return refuse(fault, "too-deep", "the body is nested too deep");
	obj = json_loadb(p, n, JSON_REJECT_DUPLICATES, &why);
	if (!obj)
		return refuse(fault, "bad-json", "the body is not JSON");
	err = read_object(rp, fault, kind, obj);
	if (err == ENOMEM)
		refuse(fault, "internal", "out of memory");
	json_decref(obj);
	return err;
}
