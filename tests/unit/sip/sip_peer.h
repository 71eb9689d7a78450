/* tests/unit/sip/sip_peer.h - a scripted SIP peer behind a stand-in edge, for the tests of sip/.
 *
 *     test ──► leg ops ──► SIP leg ──► NTA ══ TCP ══► stand-in edge = the scripted peer
 *     test ◄── trace ◄── call_leg_event()      ◄══════            (this thread, no TLS)
 *
 * The stand-in has the interface of sip/edge/edge.h, so sip_alloc() starts the room as in the daemon. The
 * core is real but for the call: call_alloc() and call_leg_event() are here and write a trace. The
 * clock is the test's: peer_advance_ms() moves the timers of legs and NTA alike. Waiting is for
 * descriptors only, 5 s at most. */
#ifndef SLUSS_TESTS_UNIT_SIP_SIP_PEER_H
#define SLUSS_TESTS_UNIT_SIP_SIP_PEER_H

#include <setjmp.h>
#include "lib/base.h"
#include <cmocka.h>

#include "gateway/core.h"
#include "sip/joint.h"
#include "sip/loop.h"
#include "sip/room.h"

#define PEER_SITE   "alpha.example"
#define PEER_DOMAIN "peer.example"

extern const char peer_sdp_a[], peer_sdp_b[], peer_sdp_c[];

enum { PEER_TRACE_BYTES = 1024, PEER_CALLS_MAX = 8 };

/** What a call would have seen of one leg. */
struct call {
	struct leg *leg;
	struct invite *invite; /* LEG_IN */
	char peer[ADDR_HOST_MAX + 1];
	char trace[PEER_TRACE_BYTES]; /* "ringing answer ended(busy) " */
	struct cause cause;           /* of the last event that had one */
	char body[4096];              /* of the last event that had one */
	char candidates[4096];        /* "ufrag mid line\n" each, of all events */
	bool end, trickle;            /* of the last event that had candidates; a body */
	bool over, emergency;
};

struct peer {
	struct core core;
	struct config config;
	struct site_config sitev[1];
	struct listen_config sipv[2];
	struct peer_config peerv[2];
	struct loop *loop;
	struct sip *sip;
	uint64_t now_us;
	struct call callv[PEER_CALLS_MAX];
	size_t n_calls;
	int call_err;           /* what call_alloc() gives */
	struct kept_call *kept; /* what call_rejoin_find_dialog() gives */
	char kept_asked[600];   /* "DIALOG USER TO" that it was asked for last */
	bool stopped;
};
extern struct peer *peer; /* the one of the running test */
/** Changes the configuration before the room is made; NULL: as it is. */
extern void (*peer_tune)(struct config *config);

/** cmocka set-up and tear-down; tear-down fails when NTA or a leg is left with something. */
int peer_setup(void **state);
int peer_teardown(void **state);

void peer_advance_ms(uint64_t ms);
/** Lets everything that is under way arrive. */
void peer_settle(void);

/* ---- the wire ---- */
struct message {
	char text[70000];
	size_t n;
};
/** The next message from Sofia; fails the test when none comes. Its first line starts with `start`. */
void peer_expect(struct message *m, const char *start);
/** The next message that has come already, if there is one. */
bool peer_next(struct message *m);
/** True when Sofia says nothing, after everything under way has arrived. */
bool peer_quiet(void);
/** The value of the n-th header of this name into buf; "" when there is none. */
const char *message_header(const struct message *m, const char *name, unsigned n,
			   char *buf, size_t size);
/** The same in a buffer of the caller's block. */
#define HEADER(m, name) message_header((m), (name), 0, (char[600]){0}, 600)
const char *message_body(const struct message *m);
bool message_has(const struct message *m, const char *text);

/** Sends it on the edge's inner connection as it is, LF becoming CR LF. */
void peer_send_raw(const char *text);
/** The joint's header line for an inbound message, with these names; NULL: one that the edge made itself. */
const char *peer_joint(const char *names);
/** Ends the inner connection: with RST or FIN. */
void peer_inner_close(bool reset);
void peer_inner_open(void);
/** Ends the connections that Sofia has opened to the edge. */
void peer_outer_close(bool reset);
/** How many connections Sofia has opened to the edge so far. */
unsigned peer_n_accepted(void);
/** A connection of somebody else's to Sofia's port. Owns: the descriptor is the caller's. */
int peer_dial_sofia(void);
void peer_event(enum edge_event_kind kind, uint64_t token, const char *target,
		const char *why);

/* ---- dialogs ---- */
struct dialog {
	char call_id[80], local[200], remote[200]; /* From or To values with their tags */
	char target[300];                          /* Sofia's Contact */
	char invite_via[300];
	unsigned cseq;
};
/** A request by the peer in (or out of) the dialog. `extra`: header lines ending in LF; may be "". */
void dialog_send(struct dialog *d, const char *method, unsigned cseq, const char *branch,
		 const char *names, const char *extra, const char *sdp);
/** A new dialog from `bob` at the peer to `alice` here. */
void dialog_init(struct dialog *d, const char *call_id);
/** Takes tag and Contact from Sofia's response. */
void dialog_learn(struct dialog *d, const struct message *response);
/** A response to a request of Sofia's. `tag`: To tag, may be NULL. With `Reason: X-EDGE` in `extra` it is
 *  the edge's own. */
void message_answer(const struct message *request, unsigned status, const char *phrase,
		    const char *tag, const char *extra, const char *sdp);
/** The dialog that answering `invite` with `tag` makes, seen from the peer. */
void dialog_of_invite(struct dialog *d, const struct message *invite, const char *tag);
uint64_t message_token(const struct message *m);

/* ---- legs ---- */
/** An outgoing leg to bob at the peer, invited with peer_sdp_a. */
struct leg *peer_call_out(void);
/** The same with this description; `trickle`: its candidates follow. */
struct leg *peer_call_out_with(const char *sdp, bool trickle);
/** An incoming call that has come as far as the call, INVITE answered 100. */
struct leg *peer_call_in(struct dialog *d);
/** … and answered, acknowledged, 200 checked. */
struct leg *peer_call_in_talking(struct dialog *d);
/** An outgoing one, answered with peer_sdp_b and acknowledged. */
struct leg *peer_call_out_talking(struct dialog *d);
struct call *peer_call_of(const struct leg *leg);
struct call *peer_call_last(void);
/** leg->ops->end() as the call does it: then its reference goes. */
void peer_end(struct leg *leg, enum cause_reason reason);
struct body *peer_body(const char *text);

#endif
