/* webrtc/http/own.h - private to webrtc/http/: the web thread's state and its connections. Everything here
 * is touched by the web thread alone, but for web_server_alloc() before it runs and after it has ended. */
#ifndef SLUSS_WEBRTC_HTTP_OWN_H
#define SLUSS_WEBRTC_HTTP_OWN_H

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <uv.h>

#include "lib/cert.h"
#include "lib/mailbox.h"
#include "lib/rate.h"
#include "lib/timer.h"
#include "webrtc/http/conn_fsm.h"
#include "webrtc/http/request.h"
#include "webrtc/http/server.h"
#include "webrtc/session/gate.h"
#include "webrtc/session/web_msg.h"

struct files;
struct listener;
struct tls;

struct server {
	const struct config *config;
	struct mailbox *up;   /**< to the signalling thread; not ours */
	struct mailbox *down; /**< from it; wakes by `wake_fd` */
	int wake_fd;
	pthread_t thread;
	bool loop_made, started;
	bool running; /**< its timers drive the loop */

	uv_loop_t loop;
	uv_poll_t wake;
	uv_timer_t tick; /**< drives `timers` */
	struct timers *timers;
	struct lws_context *context;
	struct lws_vhost *plain, *secure;
	struct list listeners;
	struct tls *tls;
	struct files *files;
	struct rate *idp_rate; /**< of requests to identity providers */
	struct list chains;    /**< struct chain, chain.c */
	struct timer cert_timer, stop_timer, accept_timer;

	struct hash *conns;    /**< by id */
	struct list conn_list; /**< all, oldest first */
	struct hash *addrs;    /**< struct addr_count, by address */
	uint64_t last_id;
	uint32_t n_conns;
	struct conn *adopting; /**< while lws makes its wsi */
	struct list
		undelivered; /**< conns whose end the signalling thread has not been told yet */
	struct timer undelivered_timer;
	struct list unsent; /**< conns that have something for ws_flush() */
	bool stopping;
	bool wants_lws_turn; /**< server.c:turn_lws() */
};

/** What goes out as answer to one HTTP request. */
struct reply {
	struct mbuf *
		head; /**< from LWS_PRE on: status line to empty line, and a short body behind it */
	struct mbuf *body; /**< shared with the file cache; may be NULL */
	size_t body_at;    /**< next byte of it */
	bool head_sent;
	bool close;         /**< not kept alive afterwards */
	uint64_t waited_ms; /**< since the socket took something last */
};

/** Messages on their way to a browser, each a whole frame: one write, one TLS record. */
struct out {
	struct le le;
	struct mbuf *mb; /**< from LWS_PRE on */
};

/** The WebSocket part of a connection. */
struct socket {
	struct gate gate;
	struct mbuf *in;   /**< the message that is coming in; NULL between messages */
	uint32_t n_frames; /**< of it */
	struct list queue; /**< struct out */
	size_t queue_bytes;
	struct timer ping;
	bool want_ping, heard; /**< since the last ping */
	bool told_open;        /**< the signalling thread knows it */
	uint16_t close_code;   /**< 0: not closing */
	const char *close_why;
	bool close_sent; /**< by us or, as answer to the other side's, by lws: nothing follows */
	enum web_left
		left; /**< what the close code of the browser says (1000, 1001, 4002) */
};

struct conn {
	struct le le_id, le_all, le_undelivered, le_unsent;
	struct server *server;
	uint64_t id;
	struct lws *wsi; /**< NULL once lws has closed it */
	int fd;
	bool tls;
	bool over; /**< lws is through with it: web_conn_gone() has run */
	struct sa from;
	struct addr_count *count;
	enum conn_phase phase;
	struct timer timer;
	struct http_request request;
	bool asked; /**< the signalling thread owes an answer */
	struct mbuf *body;
	unsigned n_body_ends; /**< that lws has reported for an empty body */
	struct reply reply;
	struct socket *socket; /**< NULL until upgraded */
};

/* conn.c */
/** Takes one more connection into account. Errors: ENOMEM; ENOSPC (in all); EUSERS (of that address). */
int web_conn_alloc(struct conn **cp, struct server *s, const struct sa *from, int fd,
		   bool tls);
struct conn *web_conn_find(const struct server *s, uint64_t id);
struct conn *web_conn_of(struct lws *wsi);
/** The one place where the phase changes; starts that phase's timer. Gives whether it could be. */
bool web_conn_step(struct conn *c, enum conn_event event);
/** Closes it soon, from outside of its own callbacks. */
void web_conn_kill(struct conn *c);
/** lws has closed it: tells the signalling thread what it must know. Twice is harmless. */
void web_conn_gone(struct conn *c);
/** The reply moves on: the phase's time begins anew. */
void web_conn_alive(struct conn *c);

/* callback.c */
extern const struct lws_protocols web_server_protocols[];

/* tls.c */
/** Loads the certificates of all sites that have one. Errors: one line in *whyp. */
int web_tls_alloc(struct tls **tp, char **whyp, const struct config *config);
/** Makes the handshake of `ctx` ours: certificates by SNI, versions, ciphers. */
int web_tls_install(struct tls *t, SSL_CTX *ctx);
unsigned web_tls_poll(struct tls *t);
/** Reads all of them now. */
void web_tls_reload(struct tls *t);
/** See cert_store_listen(). */
void web_tls_listen(struct tls *t, cert_news_h *h, void *arg);

/* accept.c */
/** Binds one address. Errors: one line in *whyp. */
int web_listener_alloc(struct server *s, char **whyp, const struct listen_config *config);
/** Starts to accept; on the web thread. */
void web_listeners_start(struct server *s);
void web_listeners_stop(struct server *s);
/** Gives their handles back to the loop, before that ends. */
void web_listeners_close(struct server *s);

/* reply.c */
/** Makes and starts the answer to the current request. `type` NULL: no body. Owns: takes a reference of
 *  `body`. `extra`: header lines of its own, each with CRLF, or NULL. */
int web_reply_start(struct conn *c, unsigned status, const char *type, struct mbuf *body,
		    const char *extra);
/** {"error":…,"text":…} */
int web_reply_error(struct conn *c, unsigned status, const char *error, const char *text,
		    const char *extra);
/** Writes what the socket takes. Errors: -1: close it now. */
int web_reply_write(struct conn *c);
void web_reply_reset(struct reply *r);

/* static.c */
/** idp_root: NULL where no identity provider is served. */
int web_files_alloc(struct files **fp, const char *root, const char *idp_root);
/** Answers a GET or HEAD for a file of the site. */
int web_files_reply(struct files *f, struct conn *c);
/** The same for a file by its name below the roots ("idp/proxy.js"; NULL: there is none), with these header lines. */
int web_files_send(struct files *f, struct conn *c, char *name, const char *lines);

/* idp.c */
/** RFC 8827 §7.5, with our protocol's name. */
/** The keys that assertions are signed with. */
#define IDP_KEYS_PATH  "/.well-known/sluss/jwks.json"
#define IDP_PROXY_PATH "/.well-known/idp-proxy/sluss"
/** Answers a request whose Host is an identity provider's. */
int web_idp(struct conn *c);
/** The site's own address of its provider's keys, too. */
int web_idp_keys(struct conn *c);
void web_idp_answer(struct conn *c, struct provider_answer *a);
/** The site's own address of something at its provider: shows the way `there`, a path. */
int web_idp_redirect(struct conn *c, const char *there);

/* chain.c */
/** Takes what it needs out of *chain; the rest stays the caller's. */
void web_chain_add(struct server *s, struct web_chain *chain);
/** Answers a GET or HEAD below IDENTITY_CHAIN_PATH. */
int web_chain_reply(struct conn *c);

/* api.c */
/** A request's headers are complete (callback.c). Gives 0, or -1: close. */
int web_api_begin(struct conn *c);
int web_api_body(struct conn *c, const void *p, size_t n);
int web_api_body_end(struct conn *c);
/** Writes an answer that was waited for, and lets lws read on; `err`: it could not be made. */
void web_api_finish(struct conn *c, int err);
/** Asks the signalling thread; takes what `up` owns. */
int web_api_ask(struct conn *c, struct web_up *up);
/** 405 for all but GET and HEAD. */
int web_api_refuse_method(struct conn *c);
/** The signalling thread has not answered in time. */
void web_api_late(struct conn *c);
void web_api_answer(struct conn *c, const struct api_reply *r);

/* ws.c */
/** May this request become a WebSocket? 0: yes. Else an answer has been written, close. */
int ws_confirm(struct conn *c);
int ws_established(struct conn *c);
int ws_receive(struct conn *c, const void *p, size_t n);
int ws_writable(struct conn *c);
void ws_heard(struct conn *c);
/** The other side's close frame has come. Gives what lws wants to know: 0 answer it, -1 it was the answer to ours. */
int ws_peer_closes(struct conn *c, const unsigned char *p, size_t n);
/** Queues a message; what does not fit closes the connection (1013). */
void ws_send(struct conn *c, const struct server_msg *m);
/** Writes what was queued, as far as the socket takes it. To be called in the turn that queued it. */
void ws_flush(struct server *s);
/** Closes it after what was sent before. */
void ws_close(struct conn *c, uint16_t code, const char *why);
void web_socket_free(struct conn *c);

#endif
