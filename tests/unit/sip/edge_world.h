/* edge_world.h - a real edge between real TLS peers and a fake Sofia, all on loopback,
 * for the edge's live tests.
 *
 *   peer (OpenSSL, this thread) ══ TLS ══► edge (own thread) ──► fake Sofia (a socket of this thread)
 *
 * Certificates come from two authorities made on the spot: one that everybody trusts, one
 * that nobody does. All sockets of the test have a time-out; what hangs fails. */
#ifndef SLUSS_TESTS_EDGE_WORLD_H
#define SLUSS_TESTS_EDGE_WORLD_H

#include "lib/base.h"

#include <setjmp.h>
#include <cmocka.h>
#include <openssl/ssl.h>

#include "sip/edge/edge.h"

#define WORLD_SECRET "00112233445566778899aabbccddeeff"
enum { WORLD_TEXT = 16384 };

struct edge_world {
	char dir[64];
	EVP_PKEY *ca_key, *other_key, *inter_key;
	X509 *ca, *other, *inter;
	struct site_config sitev[2];  /* alpha.test, gamma.test */
	struct listen_config sipv[2]; /* tls, tcp */
	struct peer_config peerv[8];
	struct config config;
	struct mailbox *events;
	struct edge *edge;
	int sofia_fd; /* where Sofia listens */
	char *log;
};

/** A stream of SIP messages, with TLS or without. */
struct stream {
	int fd;
	SSL *ssl;
	char buf[65536];
	size_t n;
};

struct world_cert {
	const char *names;      /* "dns:a.test sip:b.test"; NULL: none */
	int from_days, to_days; /* 0, 0: valid */
	const char *eku;        /* NULL: none */
	enum { WORLD_TRUSTED, WORLD_FOREIGN, WORLD_INTERMEDIATE } by;
};

/** Authorities, certificates of the sites, a configuration; the edge does not run yet. */
void world_make(struct edge_world *w);
/** Adds a peer with a fixed address. */
void world_peer(struct edge_world *w, const char *domain, enum transport transport,
		uint16_t port);
void world_start(struct edge_world *w);
/** Stops the edge (it must say so) and removes everything. */
void world_end(struct edge_world *w);
/** DIR/NAME.pem and DIR/NAME.key. */
void world_cert(struct edge_world *w, const char *name, const struct world_cert *spec);
const char *world_path(char buf[128], const struct edge_world *w, const char *name,
		       const char *end);
uint16_t world_port(const struct edge_world *w, size_t listener);
/** The next event of that kind; others are passed over. */
void world_event(struct edge_world *w, enum edge_event_kind kind, struct edge_event *ev);
struct edge_stats world_stats(const struct edge_world *w);
/** Waits until *field is at least n. */
#define WORLD_AWAIT(w, field, n_least)                                                   \
	for (unsigned tries_ = 0; world_stats(w).field < (n_least); tries_++) {          \
		if (tries_ > 1000)                                                       \
			fail_msg("%s is %lu", #field,                                    \
				 (unsigned long)world_stats(w).field);                   \
		usleep(5000);                                                            \
	}

/** Connects to 127.0.0.1:port. */
void stream_dial(struct stream *s, uint16_t port);
/** Listens on 127.0.0.1; gives the socket and the port. */
int stream_listen(uint16_t *port);
void stream_accept(struct stream *s, int fd);
/** TLS as a client or a server, showing NAME's certificate (NULL: none) and wanting the
 *  other's. Gives 0, or the OpenSSL reason, or -1. `sni` may be NULL. */
int stream_tls(struct stream *s, const struct edge_world *w, bool server,
	       const char *name, const char *sni);
/** While true, stream_tls() refuses what the other end shows, as from an unknown authority. */
extern bool stream_distrusts;
/** Dials the edge's TLS listener as that peer; the handshake must succeed. */
void peer_dial(struct stream *s, struct edge_world *w, const char *cert, const char *sni);
void stream_send(struct stream *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** The next message into text[WORLD_TEXT]. Gives false at the end of the stream; fails
 *  the test in silence. */
bool stream_read(struct stream *s, char *text);
/** The other end closes without another message. */
void stream_expect_end(struct stream *s);
void stream_close(struct stream *s);
/** Ends it by RST. */
void stream_reset(struct stream *s);

/** The value of the i-th header of that name, into value[WORLD_TEXT]; "" when there is
 *  none. */
const char *sip_header(char *value, const char *text, const char *name, unsigned i);
/** "text" has a Reason of the edge with those words. */
void expect_reason(const char *text, const char *words);

#endif
