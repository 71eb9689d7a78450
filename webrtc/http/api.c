/* webrtc/http/api.c - HTTP requests: which path takes which method, bodies collected and parsed, the rest
 * asked from the signalling thread.
 *
 * Web thread. Called by callback.c; answers at once what needs no account, posts WEB_API for the rest;
 * server.c brings the WEB_REPLY. What changes something must come from a page of the site, or show a
 * bearer token; webrtc/openapi.json describes the faces. */
#include "gateway/identity.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/http/own.h"
#include "webrtc/session/api_parse.h"
#include "webrtc/session/print.h"

#include <jansson.h>

#define API_N_METHODS (HTTP_DELETE + 1)

static const struct route {
	const char *path;
	const char *allow; /* for 405 */
	signed char kind
		[API_N_METHODS]; /* by http_method GET HEAD POST DELETE: api_kind; -1: not taken */
} routes[] = {
	{"/api/v1/session",
	 "Allow: GET, HEAD, POST, DELETE\r\n",
	 {API_WHOAMI, API_WHOAMI, API_LOGIN, API_LOGOUT}},
	{"/api/v1/account", "Allow: POST\r\n", {-1, -1, API_REGISTER, -1}},
	{"/api/v1/account/password", "Allow: POST\r\n", {-1, -1, API_PASSWD, -1}},
	{"/api/v1/account/delete", "Allow: POST\r\n", {-1, -1, API_DELETE, -1}},
	{"/api/v1/account/devices",
	 "Allow: GET, HEAD, DELETE\r\n",
	 {API_DEVICES, API_DEVICES, -1, API_OTHERS_END}},
	{"/api/v1/account/devices/", /* and the name of one */
	 "Allow: DELETE\r\n",
	 {-1, -1, -1, API_DEVICE_END}},
	{"/api/v1/account/rules",
	 "Allow: GET, HEAD, POST\r\n",
	 {API_RULES, API_RULES, API_RULES_SET, -1}},
	{"/api/v1/connect", "Allow: POST\r\n", {-1, -1, API_CONNECT, -1}},
	{"/api/v1/idp-code", "Allow: POST\r\n", {-1, -1, API_IDP_CODE, -1}},
	{"/api/v1/ice", "Allow: GET, HEAD\r\n", {API_ICE, API_ICE, -1, -1}},
};

/* What may be asked of each. */
static const struct {
	bool reads;   /* changes nothing, so it matters not which page asks */
	bool private; /* only for whoever is signed in */
	bool calls;   /* also for a page elsewhere, by a token that was given to it */
	bool own;     /* only for pages of the site itself */
} api_rules[API_KIND_N] = {
	[API_WHOAMI] = {.reads = true, .private = true, .calls = true},
	[API_LOGOUT] = {.private = true, .calls = true},
	[API_PASSWD] = {.private = true},
	[API_ICE] = {.reads = true, .private = true, .calls = true},
	[API_DEVICES] = {.reads = true, .private = true},
	[API_DEVICE_END] = {.private = true},
	[API_OTHERS_END] = {.private = true},
	[API_DELETE] = {.private = true},
	[API_CONNECT] = {.private = true, .own = true},
	[API_RULES] = {.reads = true, .private = true},
	[API_RULES_SET] = {.private = true},
	[API_IDP_CODE] = {.private = true, .own = true},
};

static bool has_prefix(const char *path, const char *prefix)
{
	return !strncmp(path, prefix, strlen(prefix));
}

/* ---- what needs nobody's leave ---- */

static int text_reply(struct conn *c, const char *type, const char *text)
{
	struct mbuf *mb = mbuf_alloc(strlen(text) + 1);
	int err;

	if (!mb)
		return -1;
	mbuf_write_str(mb, text);
	err = web_reply_start(c, 200, type, mb, NULL);
	mem_deref(mb);
	return err;
}

static bool is_reading(const struct conn *c)
{
	return c->request.method == HTTP_GET || c->request.method == HTTP_HEAD;
}

int web_api_refuse_method(struct conn *c)
{
	return web_reply_error(c, 405, "method", "Only GET and HEAD here.",
			       "Allow: GET, HEAD\r\n");
}

static int health(struct conn *c)
{
	return is_reading(c) ? text_reply(c, "text/plain; charset=utf-8", "ok\n")
			     : web_api_refuse_method(c);
}

static int site(struct conn *c)
{
	const struct site_config *s = c->request.site;
	char text[ADDR_HOST_MAX + 80]; /* a domain needs no escaping */

	if (!is_reading(c))
		return web_api_refuse_method(c);
	snprintf(text, sizeof(text),
		 "{\"site\":\"%s\",\"registration\":%s,\"identity\":%s}", s->domain,
		 s->open_registration ? "true" : "false", s->idp ? "true" : "false");
	c->request.shared = true; /* everybody may know */
	return text_reply(c, "application/json", text);
}

/* ---- accounts ---- */

int web_api_ask(struct conn *c, struct web_up *up)
{
	if (mailbox_post_or_clear(c->server->up, up))
		return web_reply_error(c, 503, "busy",
				       "The site is busy. Please try again.",
				       "Retry-After: 2\r\n");
	c->asked = true;
	if (!web_conn_step(c, CONN_ASK))
		return -1;
	/* lws must not read on meanwhile: it would take a next request for the rest of this one */
	lws_rx_flow_control(c->wsi, 0);
	return 0;
}

/* Cross-site request forgery: a cookie proves who, not which page. Without an Origin only those may change
 * something who show what no foreign page has. */
static bool may_change(const struct conn *c, const struct api_request *r)
{
	if (api_rules[r->kind].own)
		return c->request.origin_own;
	if (api_rules[r->kind].calls && c->request.bearer)
		return true; /* whether the token is this page's is seen where it is known */
	if (c->request.has_origin)
		return c->request.origin_allowed;
	return c->request.bearer || r->bearer;
}

static int ask(struct conn *c, struct api_request *r)
{
	struct web_up up = {.kind = WEB_API, .conn = c->id, .api = r};

	r->site = c->request.site;
	r->from = c->from;
	r->place = (struct web_place){c->tls, c->request.port};
	memcpy(r->token, c->request.token, sizeof(r->token));
	r->origin = c->request.origin;
	memcpy(r->agent, c->request.agent, sizeof(r->agent));
	if (!api_rules[r->kind].reads && !may_change(c, r)) {
		mem_deref(r);
		return web_reply_error(c, 403, "origin",
				       "This may be asked by pages of the site only.",
				       NULL);
	}
	if (api_rules[r->kind].private && !r->token[0]) {
		mem_deref(r);
		return web_reply_error(c, 401, "not-signed-in", "Please sign in.", NULL);
	}
	return web_api_ask(c, &up);
}

/* A path that ends in a slash takes the name of a sign-in, which then begins at *namep. */
static const struct route *route_find(const char *path, const char **namep)
{
	for (size_t i = 0; i < N_ELEMS(routes); i++) {
		size_t n = strlen(routes[i].path);

		*namep = path + n;
		if (routes[i].path[n - 1] == '/'
			    ? !strncmp(routes[i].path, path, n) &&
				      strlen(*namep) == STORE_SESSION_HEX &&
				      strspn(*namep, "0123456789abcdef") ==
					      STORE_SESSION_HEX
			    : !strcmp(routes[i].path, path))
			return &routes[i];
	}
	return NULL;
}

static bool route_is_for_calls(const struct route *route)
{
	for (size_t i = 0; i < API_N_METHODS; i++)
		if (route->kind[i] >= 0 && api_rules[route->kind[i]].calls)
			return true;
	return false;
}

/* A browser asks whether a page elsewhere may ask. Only with a token that the page shows: cookies never go. */
static int preflight(struct conn *c)
{
	return web_reply_start(c, 204, NULL, NULL,
			       "Access-Control-Allow-Methods: GET, DELETE\r\n"
			       "Access-Control-Allow-Headers: Authorization\r\n"
			       "Access-Control-Max-Age: 600\r\n");
}

static int account(struct conn *c)
{
	const char *name = NULL;
	const struct route *route = route_find(c->request.path, &name);
	struct api_fault fault;
	struct api_request *r;
	int kind;

	if (!route)
		return web_reply_error(c, 404, "not-found", "There is nothing here.",
				       NULL);
	c->request.shared = c->request.has_origin && route_is_for_calls(route) &&
			    (c->request.bearer || c->request.method == HTTP_OPTIONS);
	if (c->request.method == HTTP_OPTIONS && c->request.shared)
		return preflight(c);
	kind = c->request.method < API_N_METHODS ? route->kind[c->request.method] : -1;
	if (kind < 0)
		return web_reply_error(c, 405, "method", "That method is not taken here.",
				       route->allow);
	if (c->request.method == HTTP_POST) {
		if (api_request_parse(&r, &fault, (enum api_kind)kind,
				      c->body ? (const char *)c->body->buf : "",
				      c->body ? c->body->end : 0,
				      c->server->config->limits.ws_json_depth))
			return web_reply_error(c, 400, fault.error, fault.text, NULL);
	} else {
		r = api_request_new((enum api_kind)kind);
		if (!r)
			return -1;
		if (kind == API_DEVICE_END)
			memcpy(r->session, name, sizeof(r->session));
	}
	return ask(c, r);
}

/* ---- a request, step by step ---- */

static int dispatch(struct conn *c)
{
	const char *path = c->request.path;

	if (!strcmp(path, "/healthz"))
		return health(c);
	if (!c->request.site)
		return web_reply_error(c, 421, "not-found",
				       "No site of that name is served here.", NULL);
	if (c->request.idp)
		return web_idp(c);
	if (!strcmp(path, "/ws"))
		return web_reply_error(
			c, 426, "upgrade",
			"This is a WebSocket; the subprotocol is sluss.v1.",
			"Upgrade: websocket\r\n");
	if (!strcmp(path, "/api/v1/site"))
		return site(c);
	if (!strcmp(path, "/api/v1/openapi.json"))
		return web_files_reply(c->server->files, c);
	if (has_prefix(path, "/api/"))
		return account(c);
	if (has_prefix(path, IDENTITY_CHAIN_PATH))
		return is_reading(c) ? web_chain_reply(c) : web_api_refuse_method(c);
	if (!strcmp(path, IDP_PROXY_PATH))
		return web_idp_redirect(c, IDP_PROXY_PATH);
	if (!strcmp(path, "/identity")) /* for people */
		return web_idp_redirect(c, "/idp/identity.html");
	if (!strcmp(path, IDP_KEYS_PATH))
		return web_idp_keys(c);
	if (has_prefix(path, "/.well-known/"))
		return web_reply_error(c, 404, "not-found", "There is nothing here.",
				       NULL);
	return web_files_reply(c->server->files, c);
}

int web_api_begin(struct conn *c)
{
	const char *why = "";
	unsigned status =
		http_request_read(&c->request, &why, c->wsi, c->server->config, c->tls);
	bool body = !status && c->request.length;

	c->n_body_ends = 0;
	/* lws waits for a body where we know none */
	c->reply.close = c->request.method >= HTTP_OPTIONS ||
			 (c->request.method == HTTP_PUT && !c->request.length);
	log_trace(NULL, "web.request", "conn=%llu method=%d path=%s",
		  (unsigned long long)c->id, (int)c->request.method, LQ(c->request.path));
	if (!status && c->request.length > c->server->config->limits.http_body_bytes) {
		status = 413;
		why = "the body is too long";
		body = false;
	}
	if (!web_conn_step(c, body ? CONN_REQUEST_BODY : CONN_REQUEST))
		return -1;
	if (status) {
		c->reply.close = true;
		return web_reply_error(c, status, "bad-request", why, NULL);
	}
	return body ? 0 : dispatch(c);
}

int web_api_body(struct conn *c, const void *p, size_t n)
{
	if (!c->request.length)
		return 0; /* lws reports an empty one, too */
	if (c->phase != CONN_BODY)
		return c->phase == CONN_SENDING ? 0 : -1;
	if (!c->body)
		c->body = mbuf_alloc((size_t)c->request.length + 1);
	if (!c->body || c->body->end + n > c->request.length)
		return -1;
	return mbuf_write_mem(c->body, p, n) ? -1 : 0;
}

int web_api_body_end(struct conn *c)
{
	int err;

	/* lws reports the end of an empty body, too. It also reports one again and again, for ever, when
	 * more follows a body whose length it read otherwise than we did. */
	if (!c->request.length)
		return c->n_body_ends++ ? -1 : 0;
	if (!web_conn_step(c, CONN_BODY_END))
		return -1;
	err = dispatch(c);
	if (c->body)
		secret_wipe(c->body->buf, c->body->size);
	c->body = mem_deref(c->body);
	return err;
}

/* ---- the answer of the signalling thread ---- */

static void cookie(char *buf, size_t size, const struct conn *c,
		   const struct api_reply *r, uint32_t days)
{
	const char *name = c->tls ? "__Host-sluss" : "sluss",
		   *secure = c->tls ? "; Secure" : "";
	size_t n = strlen(buf);

	if (r->token[0] && !r->bearer)
		snprintf(
			buf + n, size - n,
			"Set-Cookie: %s=%s; Path=/; Max-Age=%lu; HttpOnly; SameSite=Strict%s\r\n",
			name, r->token, (unsigned long)days * 86400, secure);
	else if (r->cookie_clear && !c->request.bearer)
		snprintf(
			buf + n, size - n,
			"Set-Cookie: %s=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict%s\r\n",
			name, secure);
}

/* Writes the answer at once and only then lets lws read again: with a next request already there, it would
 * not wait for the socket to be writable, and take that request for the rest of this one. */
void web_api_finish(struct conn *c, int err)
{
	if (!err)
		err = web_reply_write(c);
	if (!err)
		err = lws_rx_flow_control(c->wsi, 1);
	if (err) {
		web_conn_step(c, CONN_CLOSE);
		web_conn_kill(c);
	}
}

void web_api_late(struct conn *c)
{
	c->reply.close =
		true; /* the answer may still come, and must not meet another question */
	web_api_finish(c, web_reply_error(c, 503, "internal",
					  "The site did not answer in time.",
					  "Retry-After: 2\r\n"));
}

void web_api_answer(struct conn *c, const struct api_reply *r)
{
	struct mbuf *mb = mbuf_alloc(512);
	char extra[384] = "";
	int err = -1;

	if (c->phase != CONN_ASKED) {
		mem_deref(mb);
		return;
	}
	c->asked = false;
	if (r->retry_s)
		snprintf(extra, sizeof(extra), "Retry-After: %u\r\n",
			 (unsigned)r->retry_s);
	cookie(extra, sizeof(extra), c, r, c->server->config->limits.session_days);
	if (r->status == 401 && !r->token[0])
		snprintf(extra + strlen(extra), sizeof(extra) - strlen(extra),
			 "WWW-Authenticate: Bearer\r\n");
	if (mb && r->status == 204)
		err = web_reply_start(c, 204, NULL, NULL, extra);
	else if (mb && !api_reply_print(mb, r))
		err = web_reply_start(c, r->status, "application/json", mb, extra);
	secret_wipe(extra, sizeof(extra));
	mem_deref(mb);
	web_api_finish(c, err);
}
