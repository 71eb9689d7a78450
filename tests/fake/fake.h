/* tests/fake/fake.h - stand-ins for everything around the call, for unit tests: no thread, no socket, no
 * real clock, no SQLite. tests/fake/libsluss-fake.a; link it before the libraries.
 *
 *        fake_leg (A) ──► call ──► fake_leg (B) ◄── made by fake_device or fake_federation
 *                          │
 *       fake_core: sites alpha.example and beta.example, registry, fake accounts, fake_loop
 *
 * The fakes abort when the rules of gateway/leg.h are broken: an op after the end, a second invite, an
 * answer without an offer. A test leaves by fake_core_close(), which aborts when a call is left behind. */
#ifndef SLUSS_TESTS_FAKE_FAKE_H
#define SLUSS_TESTS_FAKE_FAKE_H

#include "gateway/account.h"
#include "gateway/call.h"
#include "gateway/core.h"
#include "gateway/path.h"
#include "gateway/registry.h"

/* ---- descriptions that pass sdp_check as WebRTC ---- */
extern const char fake_sdp_offer[], fake_sdp_answer[];
/** A valid description of its own; `version` shows in the o= line. Owns: the caller's, mem_deref. */
struct body *fake_sdp(unsigned version);
struct body *fake_body(const char *text);

/* ---- a loop on poll(), with a clock that only the test moves ---- */
int fake_loop_alloc(struct loop **lp);
/** Runs what is due now and serves ready descriptors, once. */
void fake_loop_turn(struct loop *loop);
/** The same until nothing is left to do; the clock stands still. */
void fake_loop_settle(struct loop *loop);
/** Moves the clock on by `ms`, running every timer at its own time. */
void fake_loop_advance_ms(struct loop *loop, uint64_t ms);
/** Turns until `done(arg)`, waiting for descriptors (what other threads post) in real time, 10 s at
 *  most; gives whether it came about. */
bool fake_loop_wait(struct loop *loop, bool (*done)(void *arg), void *arg);
uint64_t fake_loop_now_us(const struct loop *loop);

/* ---- legs ---- */
enum { FAKE_TRACE_BYTES = 512 };
struct fake_leg {
	struct leg leg;
	char trace[FAKE_TRACE_BYTES];  /**< the ops so far, "invite answer end(hangup)" */
	struct invite *invite;         /**< B: what it was invited with */
	struct body *body;             /**< the last answer or offer it was given */
	struct candidates *candidates; /**< those of the last op of that name */
	struct cause cause;            /**< of the last offer_refuse or end */
	int err_invite, err_answer, err_offer; /**< what these ops return */
	bool over;                             /**< ended, by either side */
	bool owes_answer, awaits_answer;
	void (*on_op)(struct fake_leg *fl,
		      const char *op); /**< called at the end of each op; may be NULL */
};
/** Owns: the caller's (mem_deref), beside the call's own reference. */
struct fake_leg *fake_leg_alloc(enum leg_dir dir, const char *kind, const char *tag);
void fake_leg_say(struct fake_leg *fl, enum leg_event_type type);
/** ANSWER and OFFER, with fake_sdp(version). */
void fake_leg_say_sdp(struct fake_leg *fl, enum leg_event_type type, unsigned version);
/** AWAY: its party's site is, or is there again. */
void fake_leg_say_away(struct fake_leg *fl, bool away);
/** ANSWER and OFFER with any text. */
void fake_leg_say_text(struct fake_leg *fl, enum leg_event_type type, const char *text);
/** ENDED and OFFER_REFUSED. */
void fake_leg_say_cause(struct fake_leg *fl, enum leg_event_type type,
			enum cause_reason reason);
/** ENDED with what a SIP peer said. */
void fake_leg_say_status(struct fake_leg *fl, unsigned status, const char *phrase);
/** `n` candidates of section "0", told apart by their foundation: first, first + 1, … */
void fake_leg_say_candidates(struct fake_leg *fl, const char *ufrag, unsigned first,
			     unsigned n, bool end);
/** Forgets the trace so far. */
void fake_leg_trace_clear(struct fake_leg *fl);

/* ---- things that can be called ---- */
enum { FAKE_LEGS_MAX = 8 };
struct fake_device {
	struct device d;
	struct fake_leg *legv
		[FAKE_LEGS_MAX]; /**< those it made, referenced; the newest is legv[n_legs-1] */
	size_t n_legs;
	int err_alloc, err_invite; /**< for the legs to come */
	char holds[17];            /**< a call of before that its client still has */
	unsigned n_bye;
	enum device_bye bye;
};
/** `user` is "bob@alpha.example". Registered by the test (registry_add). Owns: the caller's. */
struct fake_device *fake_device_alloc(const char *user, const char *id);
struct fake_leg *fake_device_leg(
	const struct fake_device *fd); /**< the newest, or NULL */

struct fake_federation {
	struct fake_leg *legv[FAKE_LEGS_MAX];
	size_t n_legs;
	int err_alloc, err_invite;
	char domain[ADDR_HOST_MAX + 1]; /**< asked for last */
	const struct site *site;
};

/* ---- what stands between the halves of a call: the last one made is fake_core.path ---- */
enum { FAKE_PATH_NONE = -1 };
struct fake_path {
	struct path path;
	struct path_setup setup;
	struct fake_core *core;
	char trace[FAKE_TRACE_BYTES]; /**< "offer(A) answer(B) candidates(A)" */
	int offered;                  /**< whose offer is open, or FAKE_PATH_NONE */
	int err_offer, err_answer;    /**< what these ops return */
	bool late_answers;            /**< A owes an answer to our offer */
	bool passes_candidates;       /**< hands them on as they came; else none */
	size_t n_candidates;          /**< so far */
};
/** The media are over. */
void fake_path_over(struct fake_path *fp, enum cause_reason reason);

/* ---- a whole core ---- */
struct fake_core {
	struct core core;       /* first */
	struct fake_path *path; /**< the last one made, not owned; NULL once it is gone */
	int err_path;           /**< for those to come */
	unsigned n_paths_ended;
	struct config config; /**< limits are the defaults; a test may change them */
	struct site_config sitev[2];
	struct loop *loop;
	struct fake_federation federation;
};
void fake_core_open(struct fake_core *fc);
void fake_core_close(struct fake_core *fc);
/** A new call of `from` (a user here; NULL: by SIP from peer.example) to `to`. Owns: *legp is the
 *  caller's. Gives what call_alloc gave; the loop has not turned yet. */
int fake_core_call(struct fake_core *fc, struct call **callp, struct fake_leg **legp,
		   const char *from, const char *to);
struct addr fake_addr(const char *text);

/* ---- accounts in memory, by the interface of gateway/account.h ---- */
/** Makes a user; password NULL: "secret". */
void fake_account_add(struct account_service *as, const char *user, const char *password);
/** Every answer from now on has this error (0: the true one). */
void fake_account_err(struct account_service *as, int err);
/** While held, no answer comes; releasing gives those that wait. */
void fake_account_hold(struct account_service *as, bool hold);

#endif
