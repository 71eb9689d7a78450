/* webrtc/session/browser_own.h - private to browser.c (its messages and its end) and browser_enter.c (its
 * hello, and its coming back): the session of one browser. Signalling thread. */
#ifndef SLUSS_WEBRTC_SESSION_BROWSER_OWN_H
#define SLUSS_WEBRTC_SESSION_BROWSER_OWN_H

#include "gateway/account.h"
#include "webrtc/session/browser.h"
#include "webrtc/session/replay.h"
#include "webrtc/session/session_fsm.h"

struct browser {
	struct device device; /* first: it is what the registry and the core know of us */
	struct le le; /* in session.c's table by connection; not in it while away */
	struct le le_session; /* in session.c's table of sessions that may be resumed */
	struct sessions *sessions;
	struct core *core;
	uint64_t conn; /* 0: away */
	const struct site *site;
	struct web_place place; /* where it sees us */
	char cookie[STORE_TOKEN_HEX + 1];
	struct web_origin *origin; /* of its page; NULL when there is nothing to say */
	char *bound;               /* what its sign-in is bound to; NULL: nothing */
	enum browser_state state;
	uint32_t hello_id;
	uint32_t serving;    /* the request that is being carried out; 0: none */
	uint16_t close_code; /* still to be sent */
	bool resumable;      /* its client said that it can come back */
	bool brought_token;  /* in the hello; else the cookie counts */
	bool elsewhere; /* its client wants to know of its user's calls on other devices */
	bool told_some; /* the last list it was told was not empty */
	struct timer
		news; /* what other devices do has changed: to be told in the next turn */
	struct account_request *request;
	struct timer late;  /* NEW, ASKING: hello; AWAY: its return */
	struct timer sweep; /* ENDED: the rest of the work, outside of whoever ended it */
	const char *close_why;
	uint64_t seq; /* of its last event, when there is no replay */
	char session[WEB_SESSION_HEX +
		     1];       /* ASKING: the one asked for; then its own; may be empty */
	uint64_t seen;         /* ASKING: it has that one's events up to this */
	const char *fate;      /* why the session ended, for whoever asks for it later */
	struct replay *replay; /* NULL: not resumable */
	struct browser_calls *calls;
	struct web_helds
		*held; /* what its client still has of an earlier run; may be NULL */
};

/* browser.c */
/** The one place where the state changes; gives what is to be done. */
enum browser_action browser_step(struct browser *b, enum browser_event event);
void browser_refuse(struct browser *b, uint32_t id, enum web_error code, uint32_t retry_s,
		    const char *text);
/** Hands a message to the web thread, which owns it then.  What does not fit there cuts the session off
 *  or ends it.  Errors: not 0. */
int browser_post(struct browser *b, struct server_msg *m);
/** Lets go of its connection, for want of room or memory: it may come back on another.  Only with a replay. */
void browser_cut(struct browser *b);
/** Ends it in the loop's next turn; its connection is closed with `code`, 0: has none or keeps it. */
void browser_end_soon(struct browser *b, uint16_t code, const char *why);
/** The timer `late`. */
void browser_late(void *arg);

/* browser_elsewhere.c */
/** Tells it of its user's calls on other devices, soon. */
void browser_elsewhere_soon(struct browser *b);

/* browser_enter.c */
void browser_ask(struct browser *b, const struct client_msg *m);

#endif
