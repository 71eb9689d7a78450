/* tests/unit/webrtc/web_peer.h - the web thread for real, on a loopback port, and a raw client before it; the
 * test itself stands where the signalling thread would.
 *
 *   raw socket or TLS ──► web thread ── struct web_up ──► web_expect()
 *                                    ◄── web_post() ──                                                */
#ifndef SLUSS_TESTS_UNIT_WEBRTC_WEB_PEER_H
#define SLUSS_TESTS_UNIT_WEBRTC_WEB_PEER_H

#include "webrtc/http/server.h"
#include "webrtc/session/web_msg.h"

#include <openssl/ssl.h>

enum { WEB_REPLY_BYTES = 1 << 20 };

struct web {
	struct config config;        /**< defaults; change before web_open() */
	struct site_config sitev[2]; /**< alpha.localhost, beta.localhost */
	struct listen_config listen;
	char dir[64]; /**< web_root, with a phone/ and an sdk/ */
	unsigned port;
	const char *host; /**< that clients ask for */
	struct mailbox *up;
	struct server *server;
	struct web_up
		last; /**< the message that web_expect() gave; cleared by the next one */
};

/** Called every few milliseconds while a client waits: turns the loop of a test that has one. */
extern void (*web_idle_h)(void);

/** Fills the configuration: one listener, plain or TLS with fresh certificates. */
void web_init(struct web *w, bool tls);
void web_open(struct web *w);
/** Stops it properly; fails when WEB_STOPPED does not come. */
void web_close(struct web *w);
/** Removes the folder; web_close() does it, too. */
void web_remove(struct web *w);
/** Writes dir/NAME. */
void web_file(const struct web *w, const char *name, const void *p, size_t n);
/** Makes dir/DOMAIN.pem and .key anew. */
void web_certificate(const struct web *w, const char *domain);
void web_post(struct web *w, struct web_down *down);
/** Waits for the next message, 10 s at most, and fails when it is of another kind. */
const struct web_up *web_expect(struct web *w, enum web_up_kind kind);
const struct web_up *web_expect_any(struct web *w);
/** Is there none now? */
bool web_quiet(struct web *w);

/** A client. Its calls fail the test when nothing comes in 10 s. */
struct client {
	int fd;
	SSL *ssl;
	char in[WEB_REPLY_BYTES]; /**< what came and was not looked at yet; NUL ended */
	size_t n;
	size_t kept; /**< of it, the response or frame that was given last */
};
struct client *client_open(const struct web *w);
/** By TLS, with this name in the handshake (NULL: none). NULL when the handshake fails, *alertp says how. */
struct client *client_open_tls(const struct web *w, const char *sni, int *alertp);
void client_send(struct client *c, const void *p, size_t n);
void client_say(struct client *c, const char *text);
/** Reads one HTTP response (by Content-Length) and gives its status; head and body stay in c->in up to the
 *  next call. */
int client_status(struct client *c, bool has_body);
/** The same, -1 when it is closed before that. */
int client_try_status(struct client *c, bool has_body);
/** Is this line in the response read last? */
bool client_has(const struct client *c, const char *text);
const char *client_body(const struct client *c);
/** Waits until the other side has closed; gives how many bytes came before. */
size_t client_closed(struct client *c);
void client_free(struct client *c);

/** GET with the Host and more header lines (each with CRLF). */
void client_get(struct client *c, const struct web *w, const char *path,
		const char *lines);
void client_post(struct client *c, const struct web *w, const char *path,
		 const char *lines, const char *body);

/** Upgrades; fails when that is refused. */
void client_ws(struct client *c, struct web *w, const char *lines);
/** One masked frame; `head` is FIN and opcode: 0x81 a whole text. */
void client_frame(struct client *c, uint8_t head, const void *p, size_t n);
void client_text(struct client *c, const char *text);
/** The next frame: gives its opcode, *p and *n its payload, which stays until the next call. */
int client_hear(struct client *c, const char **p, size_t *n);
/** The next frame that is no ping must be a close with this code. */
void client_hear_close(struct client *c, unsigned code);

#endif
