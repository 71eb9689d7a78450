/* tests/unit/webrtc/media_peer.h - a browser's half of a media session for unit tests: checks, DTLS, SRTP over a
 * real UDP socket, against a session_home without a thread. The clock moves by the test's hand. */
#ifndef SLUSS_TESTS_UNIT_WEBRTC_MEDIA_PEER_H
#define SLUSS_TESTS_UNIT_WEBRTC_MEDIA_PEER_H

#include <openssl/ssl.h>

#include "webrtc/media/session.h"

enum { PEER_INBOX = 64 };

struct media_stage {
	struct session_home home;
	struct dtls_identity *identity;
	uint64_t now_us;
	unsigned n_told;
	enum media_event told; /**< the last */
	unsigned told_side;
};
void media_stage_open(struct media_stage *st);
void media_stage_close(struct media_stage *st);
/** Serves the port until nothing comes any more. */
void media_stage_turn(struct media_stage *st);
void media_stage_advance_ms(struct media_stage *st, uint64_t ms);

struct media_peer_stand {
	struct media_stage *stage;
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	X509 *cert;
	EVP_PKEY *key;
	struct media_fingerprint fingerprint;
	struct srtp *in, *out;
	unsigned
		lose_one_in; /**< datagrams of the handshake that are lost, both ways; 0: none */
	unsigned n_sent;
	bool twice; /**< every datagram of the handshake goes out twice */
	size_t n_inbox;
	struct {
		size_t n;
		uint8_t p[1600];
	} inbox[PEER_INBOX]; /**< what came and is not DTLS */
};
/** `bits` 0: P-256, else RSA. */
void media_peer_open(struct media_peer_stand *p, struct media_stage *st, int bits);
void media_peer_close(struct media_peer_stand *p);
/** Another socket: the address changes. */
void media_peer_move(struct media_peer_stand *p);
void media_peer_send(struct media_peer_stand *p, const void *data, size_t n);
/** Receives what is there: DTLS to the SSL, the rest into the inbox. */
void media_peer_take(struct media_peer_stand *p);

struct peer_check {
	const char *username, *pwd;
	bool use_candidate, controlled, unknown, no_fingerprint;
};
/** Sends a Binding request, serves, and gives the class of the answer and its error code; -1: none came. */
int media_peer_check(struct media_peer_stand *p, const struct peer_check *c, int *code);
/** One round of the handshake at most `rounds` times; gives whether it is complete. */
bool media_peer_shake(struct media_peer_stand *p, unsigned rounds);

#endif
