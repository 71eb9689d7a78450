/* edge_talk.h - a peer and Sofia's two connections to one edge, and what they say to each
 * other; shared by the tests of both directions. */
#ifndef SLUSS_TESTS_EDGE_TALK_H
#define SLUSS_TESTS_EDGE_TALK_H

#include "tests/unit/sip/edge_world.h"

extern struct edge_world w;
extern struct stream from_edge, to_edge, peer; /* Sofia's two connections; a peer's */
extern char text[WORLD_TEXT], value[WORLD_TEXT], other[WORLD_TEXT];
extern int listen_fd; /* where beta.test and plain.test are */
extern bool up;       /* from_edge is accepted */

#define TAIL(cseq, method)                                                                      \
	"From: <sip:b@beta.test>;tag=1\r\nTo: <sip:a@alpha.test>\r\nCall-ID: c1\r\nCSeq: " cseq \
	" " method "\r\nMax-Forwards: 70\r\n"
#define IN(method, cseq, branch)                                                                    \
	method " sip:a@alpha.test SIP/2.0\r\nVia: SIP/2.0/TLS beta.test:5061;branch=z9hG4bK" branch \
	       ";rport\r\n" TAIL(cseq, method) "Content-Length: 0\r\n\r\n"

#define TO_BETA WORLD_SECRET ";site=alpha.test;domain=beta.test;token=5"
#define B_URI   "sip:b@beta.test"
#define B_TO    "<sip:b@beta.test>"

/* Setup and teardown: the world, with both peers configured. */
int talk_begin(void **state);
/* The same, with that limits.sip_unproved_rate. */
void talk_begin_with(uint32_t unproved_rate);
int talk_end(void **state);
/* The next message at Sofia, or at the peer, begins so; it is in `text`. */
void at_sofia(const char *first);
void at_peer(const char *first);
/* Sofia answers what `request` asked, as NTA does: every Via, and rport in the first. */
void sofia_answers(struct stream *s, const char *request, const char *status,
		   const char *extra);
const char *branch_of(const char *message);
void sofia_sends(const char *method, const char *branch, const char *joint,
		 const char *to, const char *uri);
void peer_accepts(void);
void peer_answers(const char *request, const char *status, const char *vias,
		  const char *extra);

#endif
