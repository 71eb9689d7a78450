/* webrtc/http/idp.c - the identity provider's host: the proxy that browsers load (RFC 8827 §7.5), the pages behind it, its
 * API (docs/idp.md), which is answered by gateway/provider.h.
 *
 * Web thread; called by api.c for requests with that Host, and for the site's own addresses of proxy and keys. The host is an
 * origin of its own, so that no page of the site can read what the provider's pages keep; nothing of the site is served
 * here and nothing of the provider there. Fetch Metadata (W3C) tells a script's load from a frame's. */
#include "gateway/provider.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/http/own.h"
#include "webrtc/session/idp_parse.h"

enum { QUERY_MAX = 4096 };
#define IDP_N_METHODS (HTTP_PUT + 1)

static const struct route {
	const char *path;
	const char *allow; /* for 405 */
	signed char op
		[IDP_N_METHODS]; /* by http_method GET HEAD POST DELETE PUT; -1: not taken */
} routes[] = {
	{IDP_KEYS_PATH,
	 "Allow: GET, HEAD\r\n",
	 {PROVIDER_KEYS, PROVIDER_KEYS, -1, -1, -1}},
	{"/idp/v1/assert", "Allow: POST\r\n", {-1, -1, PROVIDER_ASSERT, -1, -1}},
	{"/idp/v1/check", "Allow: POST\r\n", {-1, -1, PROVIDER_CHECK, -1, -1}},
	{"/idp/v1/session",
	 "Allow: GET, HEAD, POST, DELETE\r\n",
	 {PROVIDER_WHO, PROVIDER_WHO, PROVIDER_SIGN_IN, PROVIDER_SIGN_OUT, -1}},
	{"/idp/v1/profile", "Allow: PUT\r\n", {-1, -1, -1, -1, PROVIDER_PROFILE_SET}},
	{"/idp/v1/password", "Allow: PUT\r\n", {-1, -1, -1, -1, PROVIDER_PASSWORD_SET}},
	{"/idp/v1/providers",
	 "Allow: GET, HEAD, DELETE\r\n",
	 {PROVIDER_OPENID_LIST, PROVIDER_OPENID_LIST, -1, PROVIDER_OPENID_END, -1}},
	{"/idp/v1/consents",
	 "Allow: GET, HEAD, POST, DELETE\r\n",
	 {PROVIDER_CONSENTS, PROVIDER_CONSENTS, PROVIDER_CONSENT_SET,
	  PROVIDER_CONSENT_END, -1}},
	{"/idp/v1/rules",
	 "Allow: GET, HEAD, PUT\r\n",
	 {PROVIDER_RULES, PROVIDER_RULES, -1, -1, PROVIDER_RULES_SET}},
	{"/idp/v1/codes", "Allow: POST\r\n", {-1, -1, PROVIDER_CODE, -1, -1}},
	{"/idp/v1/redeem", "Allow: POST\r\n", {-1, -1, PROVIDER_REDEEM, -1, -1}},
};
/* Behind "/idp/v1/oidc/NAME" */
static const char elsewhere[] = "/idp/v1/oidc/";
static const struct route elsewhere_routes[] = {
	{"/start", "Allow: GET\r\n", {PROVIDER_OPENID_START, -1, -1, -1, -1}},
	{"/callback", "Allow: GET\r\n", {PROVIDER_OPENID_BACK, -1, -1, -1, -1}},
};

static bool is_reading(const struct conn *c)
{
	return c->request.method == HTTP_GET || c->request.method == HTTP_HEAD;
}

int web_idp_redirect(struct conn *c, const char *there)
{
	const struct site_config *site = c->request.site;
	char own[RULES_ORIGIN_MAX + 1], extra[512];

	if (!is_reading(c))
		return web_api_refuse_method(c);
	if (!site->idp)
		return web_reply_error(c, 404, "not-found",
				       "This site has no identity provider.", NULL);
	rules_origin(own, c->tls, site->idp_host, c->request.port);
	snprintf(extra, sizeof(extra), "Location: %s%s\r\nCache-Control: max-age=300\r\n",
		 own, there);
	return web_reply_start(c, 302, NULL, NULL, extra);
}

/* The script for a browser's own identity code, or for whoever asks without saying what for; the page for frames. */
static int proxy(struct conn *c)
{
	char script[] = "idp/proxy.js", page[] = "idp/shim.html";

	return web_files_send(
		c->server->files, c, c->request.framed ? page : script,
		"Cache-Control: max-age=300\r\nVary: Sec-Fetch-Dest, Accept\r\n");
}

/* ---- the API ---- */

static const struct route *route_find(const char *path)
{
	const char *name = path + sizeof(elsewhere) - 1;

	for (size_t i = 0; i < N_ELEMS(routes); i++)
		if (!strcmp(routes[i].path, path))
			return &routes[i];
	if (strncmp(path, elsewhere, sizeof(elsewhere) - 1) != 0 || *name == '/')
		return NULL;
	for (size_t i = 0; i < N_ELEMS(elsewhere_routes); i++)
		if (!strcmp(name + strcspn(name, "/"), elsewhere_routes[i].path))
			return &elsewhere_routes[i];
	return NULL;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || strchr("-._~=", c);
}

/* The query as it came: lws has taken it apart and decoded it. NULL: none, or too long. */
static char *query_of(struct conn *c)
{
	char part[2048], *text = mem_alloc(QUERY_MAX, NULL);
	size_t n = 0;
	int len;

	for (int i = 0; text && n + 4 < QUERY_MAX; i++) {
		len = lws_hdr_copy_fragment(c->wsi, part, sizeof(part),
					    WSI_TOKEN_HTTP_URI_ARGS, i);
		if (len < 0)
			break;
		if (i)
			text[n++] = '&';
		for (int k = 0; k < len && n + 4 < QUERY_MAX; k++) {
			if (part[k] && is_plain(part[k]))
				text[n++] = part[k];
			else
				n += (size_t)snprintf(text + n, QUERY_MAX - n, "%%%02X",
						      (uint8_t)part[k]);
		}
	}
	if (text)
		text[n] = '\0';
	return n ? text : mem_deref(text);
}

static int ask(struct conn *c, struct provider_request *r)
{
	struct web_up up = {.kind = WEB_IDP, .conn = c->id, .idp = r};

	if (c->request.idp && r->op != PROVIDER_KEYS &&
	    !rate_take(c->server->idp_rate, &c->from, clock_us() / 1000)) {
		mem_deref(r);
		return web_reply_error(c, 429, "too-soon",
				       "Too many requests from your address.",
				       "Retry-After: 1\r\n");
	}
	r->site = c->request.site;
	r->from = c->from;
	r->tls = c->tls;
	r->port = c->request.port;
	if (c->request.idp) /* a sign-in of the site's is none here */
		memcpy(c->request.bearer ? r->grant : r->session, c->request.token,
		       sizeof(r->session));
	memcpy(r->flow, c->request.flow, sizeof(r->flow));
	return web_api_ask(c, &up);
}

/* A cookie proves who, not which page. A page elsewhere can neither send that header without leave, which it is not
 * given, nor hide where it is. */
static bool may_change(const struct conn *c)
{
	return c->request.idp_says && (!c->request.has_origin || c->request.origin_own);
}

static int api(struct conn *c, const struct route *route)
{
	enum http_method method = c->request.method;
	int op = method < IDP_N_METHODS ? route->op[method] : -1;
	struct provider_request *r = NULL;
	struct api_fault fault;

	if (op < 0)
		return web_reply_error(c, 405, "method", "That method is not taken here.",
				       route->allow);
	if (!is_reading(c) && !may_change(c))
		return web_reply_error(
			c, 403, "origin",
			"This may be asked by pages of the identity provider only, with "
			"X-Sluss-IdP: 1.",
			NULL);
	if (idp_request_has_body((enum provider_op)op)) {
		if (idp_request_parse(&r, &fault, (enum provider_op)op,
				      c->body ? (const char *)c->body->buf : "",
				      c->body ? c->body->end : 0,
				      c->server->config->limits.ws_json_depth))
			return web_reply_error(c, 400, fault.error, fault.text, NULL);
		return ask(c, r);
	}
	r = provider_request_new((enum provider_op)op);
	if (!r)
		return -1;
	if (op == PROVIDER_OPENID_START || op == PROVIDER_OPENID_BACK) {
		const char *name = c->request.path + sizeof(elsewhere) - 1;

		r->query = query_of(c);
		r->name = base_dup(name, strcspn(name, "/"));
	}
	return ask(c, r);
}

int web_idp_keys(struct conn *c)
{
	struct provider_request *r;

	if (!is_reading(c))
		return web_api_refuse_method(c);
	if (!c->request.site->idp)
		return web_reply_error(c, 404, "not-found",
				       "This site has no identity provider.", NULL);
	r = provider_request_new(PROVIDER_KEYS);
	return r ? ask(c, r) : -1;
}

/* ---- the answer ---- */

/* Lax: a browser's own identity code asks from the pages of other sites, and is shown it all the same. */
static void put_cookie(char *buf, size_t size, const struct conn *c, const char *name,
		       const char *value, unsigned long age_s)
{
	size_t n = strlen(buf);

	snprintf(buf + n, size - n,
		 "Set-Cookie: %s%s=%s; Path=/; Max-Age=%lu; HttpOnly; SameSite=Lax%s\r\n",
		 c->tls ? "__Host-" : "", name, value, age_s, c->tls ? "; Secure" : "");
}

static void put_cookies(char *buf, size_t size, const struct conn *c,
			const struct provider_answer *a)
{
	unsigned long days = c->server->config->limits.idp_session_days;

	if (a->session[0] || a->session_over)
		put_cookie(buf, size, c, "sluss-idp", a->session,
			   a->session[0] ? days * 86400 : 0);
	if (a->flow[0])
		put_cookie(buf, size, c, "sluss-openid", a->flow, PROVIDER_FLOW_S);
}

/* Gives false for what would not be one header line. */
static bool put_location(char *buf, size_t size, const char *url)
{
	size_t n = strlen(buf);

	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return (size_t)snprintf(buf + n, size - n, "Location: %s\r\n", url) < size - n;
}

void web_idp_answer(struct conn *c, struct provider_answer *a)
{
	size_t n = a->json ? strlen(a->json) : 0;
	char extra[5120] = "";
	struct mbuf *mb = n ? mbuf_alloc(n) : NULL;
	int err = n && (!mb || mbuf_write_mem(mb, (const uint8_t *)a->json, n)) ? -1 : 0;

	if (c->phase != CONN_ASKED) {
		mem_deref(mb);
		return;
	}
	c->asked = false;
	c->request.shared = a->shared;
	if (a->retry_s)
		snprintf(extra, sizeof(extra), "Retry-After: %u\r\n",
			 (unsigned)a->retry_s);
	if (a->shared)
		strncat(extra, "Cache-Control: max-age=300\r\n",
			sizeof(extra) - strlen(extra) - 1);
	put_cookies(extra, sizeof(extra), c, a);
	if (a->location && !put_location(extra, sizeof(extra), a->location))
		err = -1;
	if (!err)
		err = web_reply_start(c, a->status, mb ? "application/json" : NULL, mb,
				      extra);
	secret_wipe(extra, sizeof(extra));
	mem_deref(mb);
	web_api_finish(c, err);
}

int web_idp(struct conn *c)
{
	const struct route *route = route_find(c->request.path);
	char name[HTTP_PATH_MAX + 1];
	const char *path = c->request.path;
	bool file =
		!strncmp(path, "/idp/", 5) && path[5] && rules_path(path, strlen(path));

	/* A browser whose network changes asks on over a connection that it has kept, and waits for it though it is
	 * dead: here, where it asks once in minutes, it keeps none. */
	c->reply.close = true;
	if (route)
		return api(c, route);
	if (!is_reading(c))
		return web_api_refuse_method(c);
	if (!strcmp(path, IDP_PROXY_PATH))
		return proxy(c);
	snprintf(name, sizeof(name), "%s", path + 1);
	return web_files_send(c->server->files, c, file ? name : NULL,
			      "Cache-Control: no-cache\r\n");
}
