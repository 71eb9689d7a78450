/* webrtc/session/web_msg.c - making, naming and freeing the messages between the web thread and the
 * signalling thread. Pure; both threads use it. Together with the two receivers' dispatch (server.c,
 * session.c) these are the only places that know every kind. */
#include "webrtc/session/web_msg.h"
#include "lib/secret.h"

static void client_msg_destructor(void *p)
{
	struct client_msg *m = p;

	mem_deref(m->name);
	mem_deref(m->token);
	mem_deref(m->to);
	mem_deref(m->sdp);
	mem_deref(m->candidates);
	mem_deref(m->ufrag);
	mem_deref(m->keys);
	mem_deref(m->held);
}

struct client_msg *client_msg_new(enum client_kind kind)
{
	struct client_msg *m = mem_zalloc(sizeof(*m), client_msg_destructor);

	if (m)
		m->kind = kind;
	return m;
}

const char *client_kind_name(enum client_kind kind)
{
	switch (kind) {
	case CLIENT_HELLO:
		return "hello";
	case CLIENT_CALL:
		return "call";
	case CLIENT_RINGING:
		return "ringing";
	case CLIENT_ACCEPT:
		return "accept";
	case CLIENT_REJECT:
		return "reject";
	case CLIENT_ANSWER:
		return "answer";
	case CLIENT_OFFER:
		return "offer";
	case CLIENT_REFUSE:
		return "refuse";
	case CLIENT_HANGUP:
		return "hangup";
	case CLIENT_CANDIDATES:
		return "candidates";
	case CLIENT_KEYS:
		return "keys";
	case CLIENT_PING:
		return "ping";
	case CLIENT_KIND_N:
		break;
	}
	return "?";
}

const char *web_error_name(enum web_error error)
{
	static const char *const names[ERROR_N] = {
		[ERROR_BAD_JSON] = "bad-json",
		[ERROR_TOO_DEEP] = "too-deep",
		[ERROR_BAD_MESSAGE] = "bad-message",
		[ERROR_UNKNOWN_TYPE] = "unknown-type",
		[ERROR_REPLAYED] = "replayed",
		[ERROR_NOT_SIGNED_IN] = "not-signed-in",
		[ERROR_BAD_LOGIN] = "bad-login",
		[ERROR_TOO_SOON] = "too-soon",
		[ERROR_NO_CALL] = "no-call",
		[ERROR_BAD_STATE] = "bad-state",
		[ERROR_CALL_EXISTS] = "call-exists",
		[ERROR_ELSEWHERE] = "elsewhere",
		[ERROR_GONE] = "gone",
		[ERROR_BAD_ADDRESS] = "bad-address",
		[ERROR_BAD_SDP] = "bad-sdp",
		[ERROR_LIMIT] = "limit",
		[ERROR_RATE] = "rate",
		[ERROR_STOPPING] = "stopping",
		[ERROR_INTERNAL] = "internal",
	};

	return (unsigned)error < ERROR_N ? names[error] : "internal";
}

static void server_msg_destructor(void *p)
{
	struct server_msg *m = p;

	mem_deref(m->sdp);
	mem_deref(m->candidates);
	mem_deref(m->ongoings);
	mem_deref(m->identityv);
	mem_deref(m->person);
}

struct server_msg *server_msg_new(enum server_kind kind)
{
	struct server_msg *m = mem_zalloc(sizeof(*m), server_msg_destructor);

	if (m)
		m->kind = kind;
	return m;
}

/* A NULL ended list of strings, each a mem object, in an object that frees them. */
static void strings_destructor(void *p)
{
	for (char **v = p; *v; v++)
		mem_deref(*v);
}

static char **strings_copy(char *const *from)
{
	size_t n = 0;
	char **v;

	while (from[n])
		n++;
	v = mem_zalloc((n + 1) * sizeof(*v), strings_destructor);
	for (size_t i = 0; v && i < n; i++) {
		v[i] = base_dup(from[i], strlen(from[i]));
		if (!v[i])
			return mem_deref(v);
	}
	return v;
}

struct server_msg *server_msg_copy(const struct server_msg *m)
{
	struct server_msg *copy = server_msg_new(m->kind);

	if (!copy)
		return NULL;
	*copy = *m;
	copy->sdp = NULL;
	copy->candidates = NULL;
	copy->ongoings = NULL;
	copy->identityv = NULL;
	copy->person = NULL;
	if (m->sdp && body_alloc(&copy->sdp, m->sdp->data, m->sdp->len))
		return mem_deref(copy);
	if (copy->sdp)
		copy->sdp->trickle = m->sdp->trickle;
	if (m->candidates && candidates_dup(&copy->candidates, m->candidates))
		return mem_deref(copy);
	if (m->ongoings) {
		copy->ongoings = mem_alloc(sizeof(*copy->ongoings), NULL);
		if (!copy->ongoings)
			return mem_deref(copy);
		*copy->ongoings = *m->ongoings;
	}
	if (m->person && !(copy->person = identity_person_copy(m->person)))
		return mem_deref(copy);
	if (m->identityv && !(copy->identityv = strings_copy(m->identityv)))
		return mem_deref(copy);
	return copy;
}

size_t server_msg_bytes(const struct server_msg *m)
{
	size_t n = sizeof(*m) + (m->sdp ? m->sdp->len : 0) +
		   (m->ongoings ? sizeof(*m->ongoings) : 0);

	n += m->person ? sizeof(*m->person) : 0;
	for (char **v = m->identityv; v && *v; v++)
		n += strlen(*v) + sizeof(*v);
	for (size_t i = 0; m->candidates && i < m->candidates->n; i++)
		n += sizeof(struct candidate) + strlen(m->candidates->v[i].line);
	return n;
}

bool server_msg_is_event(const struct server_msg *m)
{
	return m->kind != SERVER_OK && m->kind != SERVER_WELCOME &&
	       m->kind != SERVER_ERROR;
}

const char *server_kind_name(enum server_kind kind)
{
	switch (kind) {
	case SERVER_OK:
	case SERVER_WELCOME:
		return "ok";
	case SERVER_ERROR:
		return "error";
	case SERVER_INCOMING:
		return "incoming";
	case SERVER_EARLY:
		return "early";
	case SERVER_PROGRESS:
		return "progress";
	case SERVER_ANSWERED:
		return "answered";
	case SERVER_ESTABLISHED:
		return "established";
	case SERVER_OFFER:
		return "offer";
	case SERVER_ANSWER:
		return "answer";
	case SERVER_REFUSED:
		return "refused";
	case SERVER_WITHDRAWN:
		return "withdrawn";
	case SERVER_CANDIDATES:
		return "candidates";
	case SERVER_ENDED:
		return "ended";
	case SERVER_AWAY:
		return "away";
	case SERVER_ELSEWHERE:
		return "elsewhere";
	case SERVER_KEYS:
		return "keys";
	case SERVER_BYE:
		return "bye";
	case SERVER_KIND_N:
		break;
	}
	return "?";
}

static void api_request_destructor(void *p)
{
	struct api_request *r = p;

	mem_deref(r->user);
	mem_deref(r->password);
	mem_deref(r->new_password);
	mem_deref(r->device);
	mem_deref(r->page);
	mem_deref(r->ring);
	mem_deref(r->relay);
	mem_deref(r->challenge);
	secret_wipe(r->token, sizeof(r->token));
}

struct api_request *api_request_new(enum api_kind kind)
{
	struct api_request *r = mem_zalloc(sizeof(*r), api_request_destructor);

	if (r)
		r->kind = kind;
	return r;
}

const char *api_kind_name(enum api_kind kind)
{
	switch (kind) {
	case API_WHOAMI:
		return "whoami";
	case API_LOGIN:
		return "login";
	case API_LOGOUT:
		return "logout";
	case API_PASSWD:
		return "passwd";
	case API_REGISTER:
		return "register";
	case API_ICE:
		return "ice";
	case API_DEVICES:
		return "devices";
	case API_DEVICE_END:
		return "device-end";
	case API_OTHERS_END:
		return "others-end";
	case API_DELETE:
		return "delete";
	case API_RULES:
		return "rules";
	case API_RULES_SET:
		return "rules-set";
	case API_CONNECT:
		return "connect";
	case API_IDP_CODE:
		return "idp-code";
	case API_KIND_N:
		break;
	}
	return "?";
}

static void api_reply_destructor(void *p)
{
	struct api_reply *r = p;

	mem_deref(r->ice);
	mem_deref(r->devices);
	secret_wipe(r->token, sizeof(r->token));
	secret_wipe(r->code, sizeof(r->code));
}

struct api_reply *api_reply_new(unsigned status)
{
	struct api_reply *r = mem_zalloc(sizeof(*r), api_reply_destructor);

	if (r)
		r->status = status;
	return r;
}

const char *web_up_name(enum web_up_kind kind)
{
	switch (kind) {
	case WEB_OPENED:
		return "opened";
	case WEB_CLIENT:
		return "client";
	case WEB_CLOSED:
		return "closed";
	case WEB_API:
		return "api";
	case WEB_IDP:
		return "idp";
	case WEB_API_GONE:
		return "api-gone";
	case WEB_CERT:
		return "cert";
	case WEB_RELOADED:
		return "reloaded";
	case WEB_STOPPED:
		return "stopped";
	case WEB_UP_N:
		break;
	}
	return "?";
}

void web_up_clear(void *msg)
{
	struct web_up *m = msg;

	switch (m->kind) {
	case WEB_OPENED:
		secret_wipe(m->opened.token, sizeof(m->opened.token));
		break;
	case WEB_CLIENT:
		m->client = mem_deref(m->client);
		break;
	case WEB_API:
		m->api = mem_deref(m->api);
		break;
	case WEB_IDP:
		m->idp = mem_deref(m->idp);
		break;
	case WEB_CERT:
		m->cert.why = mem_deref(m->cert.why);
		break;
	case WEB_CLOSED:
	case WEB_API_GONE:
	case WEB_RELOADED:
	case WEB_STOPPED:
	case WEB_UP_N:
		break;
	}
}

const char *web_down_name(enum web_down_kind kind)
{
	switch (kind) {
	case WEB_SEND:
		return "send";
	case WEB_CLOSE:
		return "close";
	case WEB_REPLY:
		return "reply";
	case WEB_IDP_REPLY:
		return "idp-reply";
	case WEB_RELOAD:
		return "reload";
	case WEB_CHAIN:
		return "chain";
	case WEB_STOP:
		return "stop";
	case WEB_DOWN_N:
		break;
	}
	return "?";
}

void web_down_clear(void *msg)
{
	struct web_down *m = msg;

	switch (m->kind) {
	case WEB_SEND:
		m->send = mem_deref(m->send);
		break;
	case WEB_REPLY:
		m->reply = mem_deref(m->reply);
		break;
	case WEB_IDP_REPLY:
		m->idp = mem_deref(m->idp);
		break;
	case WEB_CHAIN:
		m->chain.site = mem_deref(m->chain.site);
		m->chain.name = mem_deref(m->chain.name);
		m->chain.text = mem_deref(m->chain.text);
		break;
	case WEB_CLOSE:
	case WEB_RELOAD:
	case WEB_STOP:
	case WEB_DOWN_N:
		break;
	}
}
