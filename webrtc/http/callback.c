/* webrtc/http/callback.c - what libwebsockets tells us, passed on to whom it concerns.
 *
 * Web thread. Called by lws; calls api.c, reply.c, ws.c, conn.c. The one place that knows lws's callback
 * reasons, and the faults of 4.1.6 that are worked around (docs/decisions/0008-libwebsockets.md). */
#include "webrtc/http/own.h"

#include <strings.h>

/* lws calls with `up` after it may have let go of the headers it points into (CVE-2025-11677): with no
 * Upgrade header left there must be nothing more than to close. h2c and the rest it would take, too. */
static int confirm_upgrade(struct conn *c)
{
	char up[16];

	if (lws_hdr_total_length(c->wsi, WSI_TOKEN_UPGRADE) <= 0)
		return -1;
	if (lws_hdr_copy(c->wsi, up, sizeof(up), WSI_TOKEN_UPGRADE) <= 0 ||
	    strcasecmp(up, "websocket") != 0)
		return -1;
	if (c->phase != CONN_OPENING && c->phase != CONN_IDLE)
		return -1;
	return ws_confirm(c);
}

/* Everything before a WebSocket, and all of plain HTTP. Its name cannot be asked for as a subprotocol. */
static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user,
		   void *in, size_t len)
{
	struct server *s = lws_context_user(lws_get_context(wsi));
	struct conn *c;

	if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS)
		return web_tls_install(s->tls, user) ? -1 : 0;
	if (reason == LWS_CALLBACK_WSI_CREATE && s->adopting)
		s->adopting->wsi = wsi;
	if (reason == LWS_CALLBACK_WSI_CREATE || reason == LWS_CALLBACK_PROTOCOL_INIT ||
	    reason == LWS_CALLBACK_PROTOCOL_DESTROY ||
	    reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED ||
	    reason == LWS_CALLBACK_GET_THREAD_ID)
		return 0;
	c = web_conn_of(wsi);
	if (!c)
		return 0; /* lws's own: the wake pipe */
	if (!c->over)
		c->wsi = wsi;

	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return web_api_begin(c);
	case LWS_CALLBACK_HTTP_BODY:
		return web_api_body(c, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return web_api_body_end(c);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return web_reply_write(c);
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return confirm_upgrade(c);
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RAW_ADOPT: /* CONNECT */
	case LWS_CALLBACK_RAW_RX:
		return -1;
	case LWS_CALLBACK_CLOSED_HTTP:
		web_conn_gone(c);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY: /* the last word about every connection */
		lws_set_opaque_user_data(wsi, NULL);
		web_conn_gone(c);
		mem_deref(c);
		return 0;
	default:
		return 0;
	}
}

static int on_ws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		 size_t len)
{
	struct conn *c = web_conn_of(wsi);

	if (!c || c->over)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED:
		return ws_established(c);
	case LWS_CALLBACK_RECEIVE:
		return c->socket ? ws_receive(c, in, len) : -1;
	case LWS_CALLBACK_RECEIVE_PONG:
		ws_heard(c);
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return c->socket ? ws_writable(c) : -1;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return ws_peer_closes(c, in, len);
	case LWS_CALLBACK_CLOSED:
		web_conn_gone(c);
		return 0;
	default:
		return 0;
	}
}

const struct lws_protocols web_server_protocols[] = {
	{.name = "no subprotocol", .callback = on_http, .tx_packet_size = 65536},
	{.name = "sluss.v1",
	 .callback = on_ws,
	 .rx_buffer_size = 2048,
	 .id = 1,
	 .tx_packet_size = 1 << 20},
	{.name = NULL},
};
