/* webrtc/http/request.c - the head of a request: method, path, site, who speaks, how long the body is.
 *
 * Web thread. Called by callback.c and ws.c inside lws callbacks; rules.c judges, this file only fetches.
 * RFC 9110, RFC 9112 §6.3: a request whose length is not plain (two lengths, chunked) is refused. */
#include "webrtc/http/request.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>

#include "lib/secret.h"

enum { HEADER_MAX = 4096 };

static const struct {
	enum lws_token_indexes token;
	enum http_method method;
} methods[] = {
	{WSI_TOKEN_GET_URI, HTTP_GET},         {WSI_TOKEN_HEAD_URI, HTTP_HEAD},
	{WSI_TOKEN_POST_URI, HTTP_POST},       {WSI_TOKEN_DELETE_URI, HTTP_DELETE},
	{WSI_TOKEN_PUT_URI, HTTP_PUT},         {WSI_TOKEN_PATCH_URI, HTTP_OTHER},
	{WSI_TOKEN_OPTIONS_URI, HTTP_OPTIONS},
};

/* One header into buf; gives its length, 0 when it is not there, -1 when it is longer than buf. Values of
 * a header that comes twice stand there with a comma between. */
static int header(struct lws *wsi, enum lws_token_indexes token, char *buf, size_t size)
{
	if (lws_hdr_total_length(wsi, token) <= 0)
		return 0;
	return lws_hdr_copy(wsi, buf, (int)size, token);
}

static unsigned read_path(struct http_request *r, const char **whyp, struct lws *wsi)
{
	int n;

	r->method = HTTP_OTHER;
	for (size_t i = 0; i < N_ELEMS(methods); i++) {
		if (lws_hdr_total_length(wsi, methods[i].token) <= 0)
			continue;
		r->method = methods[i].method;
		n = header(wsi, methods[i].token, r->path, sizeof(r->path));
		if (n < 0) {
			*whyp = "the path is too long";
			return 414;
		}
		if (memchr(r->path, '\0', (size_t)n)) {
			*whyp = "the path is not usable";
			return 400;
		}
		return 0;
	}
	*whyp = "the request has no path";
	return 400;
}

/* The name that the client gave in the TLS handshake must be the Host's, or absent. */
static bool sni_agrees(struct lws *wsi, const char *host)
{
	const char *sni = SSL_get_servername(lws_get_ssl(wsi), TLSEXT_NAMETYPE_host_name);
	char name[ADDR_HOST_MAX + 1];

	return !sni || (!addr_host_parse(name, sni, strlen(sni)) && !strcmp(name, host));
}

static unsigned read_host(struct http_request *r, const char **whyp, struct lws *wsi,
			  const struct config *config, bool tls)
{
	char value[ADDR_HOST_MAX + 16], host[ADDR_HOST_MAX + 1];
	unsigned port;
	int n = header(wsi, WSI_TOKEN_HOST, value, sizeof(value));

	if (!n) {
		*whyp = "the Host header is missing";
		return 400;
	}
	if (n < 0 || rules_host(host, &port, value, (size_t)n))
		return 0; /* none of our sites can be called that */
	rules_origin(r->own, tls, host, port);
	r->port = (uint16_t)port;
	if (tls && !sni_agrees(wsi, host))
		return 0;
	r->site = config_site_find(config, host);
	if (!r->site) {
		r->site = config_idp_find(config, host);
		r->idp = r->site != NULL;
	}
	return 0;
}

/* A header that lws has no name for. Gives whether it is there and is not longer than buf; NUL behind it. */
static bool named(struct lws *wsi, const char *name, char *buf, size_t size)
{
	int n = lws_hdr_custom_length(wsi, name, (int)strlen(name));

	if (n <= 0 || (size_t)n >= size ||
	    lws_hdr_custom_copy(wsi, buf, (int)size, name, (int)strlen(name)) != n)
		return false;
	buf[n] = '\0';
	return !memchr(buf, '\0', (size_t)n);
}

static bool is_said(struct lws *wsi, const char *name)
{
	return lws_hdr_custom_length(wsi, name, (int)strlen(name)) > 0;
}

/* Browsers without Fetch Metadata say what they would like: a page, for a frame; anything, for a script. */
static bool wants_page(struct lws *wsi)
{
	char value[HEADER_MAX];

	return header(wsi, WSI_TOKEN_HTTP_ACCEPT, value, sizeof(value)) > 0 &&
	       strstr(value, "text/html");
}

/* What the identity provider judges by: Fetch Metadata, and the header that no page elsewhere can send without leave. */
static void read_idp(struct http_request *r, struct lws *wsi)
{
	char value[32];

	if (named(wsi, "sec-fetch-dest:", value, sizeof(value)))
		r->framed = !strcmp(value, "iframe") || !strcmp(value, "frame") ||
			    !strcmp(value, "document");
	else if (!is_said(wsi, "sec-fetch-dest:"))
		r->framed = wants_page(wsi);
	r->idp_says =
		named(wsi, "x-sluss-idp:", value, sizeof(value)) && !strcmp(value, "1");
	if (is_said(wsi, "sec-fetch-site:") &&
	    (!named(wsi, "sec-fetch-site:", value, sizeof(value)) ||
	     strcmp(value, "same-origin") != 0))
		r->idp_says = false;
}

static void read_who(struct http_request *r, struct lws *wsi, bool tls)
{
	const char *cookie = r->idp ? tls ? "__Host-sluss-idp" : "sluss-idp"
			     : tls  ? "__Host-sluss"
				    : "sluss";
	char value[HEADER_MAX];
	int n = header(wsi, WSI_TOKEN_ORIGIN, value, sizeof(value));

	r->has_origin = n != 0;
	if (r->site && n >= 0)
		r->origin_allowed = rules_origin_allowed(r->site, r->own,
							 n ? value : NULL, (size_t)n);
	if (n > 0 && (size_t)n < sizeof(r->origin.text) &&
	    !memchr(value, '\0', (size_t)n)) {
		memcpy(r->origin.text, value, (size_t)n);
		if (!web_origin_is_one(r->origin.text))
			r->origin.text[0] = '\0';
		r->origin_own = !strcmp(r->origin.text, r->own);
	}
	if (r->idp) /* `origins` are the site's friends, not the provider's */
		r->origin_allowed = r->origin_own;
	r->origin.foreign = r->has_origin && !r->origin_allowed;
	n = header(wsi, WSI_TOKEN_HTTP_USER_AGENT, value, sizeof(value));
	addr_name_clean(r->agent, sizeof(r->agent), value, n > 0 ? (size_t)n : 0);
	n = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, value, sizeof(value));
	r->bearer = n > 0 && rules_bearer(r->token, value, (size_t)n);
	if (n > 0) {
		secret_wipe(value, (size_t)n);
		return; /* whoever shows something wrong there is not asked for a cookie */
	}
	n = header(wsi, WSI_TOKEN_HTTP_COOKIE, value, sizeof(value));
	if (n > 0) {
		rules_cookie(r->token, cookie, value, (size_t)n);
		if (r->idp)
			rules_cookie(r->flow,
				     tls ? "__Host-sluss-openid" : "sluss-openid", value,
				     (size_t)n);
		secret_wipe(value, (size_t)n);
	}
}

static unsigned read_length(struct http_request *r, const char **whyp, struct lws *wsi)
{
	char value[64];
	int n;

	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
		*whyp = "say Content-Length; chunked requests are not taken";
		return 411;
	}
	n = header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, value, sizeof(value));
	if (n && (n < 0 || rules_length(&r->length, value, (size_t)n))) {
		*whyp = "Content-Length is not a number";
		return 400;
	}
	if (!n && (r->method == HTTP_POST || (r->idp && r->method == HTTP_PUT))) {
		*whyp = "Content-Length is missing";
		return 411;
	}
	if (r->length && r->method != HTTP_POST && r->method != HTTP_PUT &&
	    !(r->idp && r->method == HTTP_DELETE)) {
		*whyp = "this method has no body";
		return 400;
	}
	return 0;
}

unsigned http_request_read(struct http_request *r, const char **whyp, struct lws *wsi,
			   const struct config *config, bool tls)
{
	unsigned status;
	int n;

	memset(r, 0, sizeof(*r));
	status = read_path(r, whyp, wsi);
	if (!status)
		status = read_host(r, whyp, wsi, config, tls);
	if (status)
		return status;
	read_who(r, wsi, tls);
	if (r->idp)
		read_idp(r, wsi);
	n = header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, r->if_none_match,
		   sizeof(r->if_none_match));
	if (n < 0)
		r->if_none_match[0] = '\0';
	return read_length(r, whyp, wsi);
}
