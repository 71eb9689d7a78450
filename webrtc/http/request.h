/* webrtc/http/request.h - the head of one HTTP request, read out of libwebsockets and judged. */
#ifndef SLUSS_WEBRTC_HTTP_REQUEST_H
#define SLUSS_WEBRTC_HTTP_REQUEST_H

#include "gateway/config.h"
#include "gateway/store.h"
#include "webrtc/http/rules.h"
#include "webrtc/session/origin.h"

struct lws;

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_DELETE,
	HTTP_PUT,
	HTTP_OPTIONS,
	HTTP_OTHER
};

enum { HTTP_PATH_MAX = 255, HTTP_ETAG_MAX = 255 };

struct http_request {
	enum http_method method;
	char path[HTTP_PATH_MAX + 1];
	const struct site_config *site; /**< NULL: the Host is none of ours */
	bool idp;                       /**< the Host is that of its identity provider */
	uint16_t port;                  /**< in the Host; 0: the scheme's own */
	bool framed; /**< Sec-Fetch-Dest, else Accept: it is to be a page, in a frame or by itself */
	bool idp_says; /**< X-Sluss-IdP: 1, and no Sec-Fetch-Site but same-origin */
	char own[RULES_ORIGIN_MAX +
		 1]; /**< the site's own origin, as this client sees it */
	bool has_origin;
	bool origin_allowed;
	bool origin_own; /**< it is the site's own */
	struct web_origin origin;
	char agent[STORE_AGENT_MAX + 1]; /**< User-Agent, cleaned */
	bool bearer; /**< `token` came in Authorization, else in the cookie */
	char token[STORE_TOKEN_HEX + 1]; /**< empty: none */
	char flow[STORE_TOKEN_HEX + 1];  /**< at the provider: of a sign-in elsewhere */
	bool shared;     /**< pages of other origins may read the answer */
	uint64_t length; /**< of the body */
	char if_none_match[HTTP_ETAG_MAX + 1];
};

/** Fills `r`. Gives 0, or the status to refuse the request with and words for it; `r` is usable for that
 *  answer. Only a Host that is none of ours is left to the caller (site NULL), because /healthz is not
 *  about a site. */
unsigned http_request_read(struct http_request *r, const char **whyp, struct lws *wsi,
			   const struct config *config, bool tls);

#endif
