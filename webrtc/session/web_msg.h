/* webrtc/session/web_msg.h - what the web thread and the signalling thread tell each other: one tagged
 * union each way. A message owns what it carries and whoever takes it out owns it then; connections are
 * named by an id that is never used again, never by a pointer.
 *
 *   web thread (webrtc/http/)  ── struct web_up ──►   signalling thread (session.c, api_session.c)
 *                              ◄── struct web_down ──                                               */
#ifndef SLUSS_WEBRTC_SESSION_WEB_MSG_H
#define SLUSS_WEBRTC_SESSION_WEB_MSG_H

#include "gateway/cause.h"
#include "gateway/config.h"
#include "gateway/identity.h"
#include "gateway/leg.h"
#include "gateway/provider.h"
#include "gateway/store.h"
#include "gateway/turn.h"
#include "lib/base.h"
#include "webrtc/session/origin.h"

enum { WEB_CALL_MAX = 64 };    /**< bytes of a call's name inside a connection */
enum { WEB_KEYS_MAX = 64 };    /**< keys pressed in one message */
enum { WEB_TEXT_BYTES = 200 }; /**< words for a person, with the NUL */
enum {
	WEB_ONGOING_HEX = 16
}; /**< a call of the site's, as another device of its user sees it */
enum { WEB_ONGOING_MAX = 8 };  /**< so many of them are shown */
enum { WEB_SESSION_HEX = 32 }; /**< the secret name of a session that may be resumed */

/* ---- from the browser: one struct for all kinds; docs/protocol.md says which has which field ---- */

enum client_kind {
	CLIENT_HELLO,
	CLIENT_CALL,
	CLIENT_RINGING,
	CLIENT_ACCEPT,
	CLIENT_REJECT,
	CLIENT_ANSWER,
	CLIENT_OFFER,
	CLIENT_REFUSE,
	CLIENT_HANGUP,
	CLIENT_CANDIDATES,
	CLIENT_KEYS,
	CLIENT_PING,
	CLIENT_KIND_N
};

enum client_reason {
	REASON_NONE,
	REASON_BUSY,     /* reject */
	REASON_DECLINE,  /* reject */
	REASON_MEDIA,    /* refuse, hangup */
	REASON_GLARE,    /* refuse */
	REASON_HANGUP,   /* hangup */
	REASON_MISMATCH, /* hangup: the identity did not fit the media key */
	REASON_MOVED,    /* hangup: the media are in the call that replaces this one */
};

/** A call that a client still has, though its site was killed meanwhile. */
struct web_held {
	char call[WEB_CALL_MAX + 1]; /**< the client's name of it */
	char id[WEB_ONGOING_HEX +
		1]; /**< the site's: what answered or established gave as `rejoin` */
};
enum { WEB_HELD_MAX = 8 };
struct web_helds {
	size_t n;
	struct web_held v[WEB_HELD_MAX];
};

struct client_msg {
	enum client_kind kind;
	uint32_t id;                 /**< 1 to 2^31-1 */
	char call[WEB_CALL_MAX + 1]; /**< all but hello and ping */
	char *name;  /**< hello: `device`; call: `name`; as it came; may be NULL */
	char *token; /**< hello; wiped when freed; may be NULL */
	char *to;    /**< call */
	/** call: the call whose place it takes: one of `elsewhere`, or the client's own name; may be empty */
	char replaces[WEB_CALL_MAX + 1];
	char rejoin[WEB_ONGOING_HEX +
		    1]; /**< call: the call of before that it joins again; may be empty */
	char session[WEB_SESSION_HEX + 1]; /**< hello: that session; empty: a new one */
	bool resumable; /**< hello: it would come back to its session after a loss */
	bool elsewhere; /**< hello: it wants to know of its user's calls on other devices */
	bool trickle; /**< call, answer, offer: candidates follow; sdp->trickle as well */
	bool end;     /**< candidates */
	enum client_reason reason;     /**< reject, refuse, hangup */
	struct body *sdp;              /**< call, answer, offer */
	struct candidates *candidates; /**< candidates; with ufrag and end */
	char *ufrag;                   /**< candidates; may be NULL */
	char *keys;                    /**< keys: 0-9 A-D * # */
	struct web_helds *held;        /**< hello: owned; may be NULL */
	uint64_t ack; /**< all but hello: it has all events up to this one; 0: not said */
	uint64_t seq; /**< hello: it has all events of `session` up to this one */
};
/** Owns: mem_deref frees all of it. NULL when out of memory. */
struct client_msg *client_msg_new(enum client_kind kind);
const char *client_kind_name(enum client_kind kind);

/* ---- to the browser ---- */

enum web_error {
	ERROR_BAD_JSON,
	ERROR_TOO_DEEP,
	ERROR_BAD_MESSAGE,
	ERROR_UNKNOWN_TYPE,
	ERROR_REPLAYED,
	ERROR_NOT_SIGNED_IN,
	ERROR_BAD_LOGIN,
	ERROR_TOO_SOON,
	ERROR_NO_CALL,
	ERROR_BAD_STATE,
	ERROR_CALL_EXISTS,
	ERROR_ELSEWHERE,
	ERROR_GONE,
	ERROR_BAD_ADDRESS,
	ERROR_BAD_SDP,
	ERROR_LIMIT,
	ERROR_RATE,
	ERROR_STOPPING,
	ERROR_INTERNAL,
	ERROR_N
};
const char *web_error_name(enum web_error error);

enum server_kind {
	SERVER_OK,
	SERVER_WELCOME, /**< the `ok` that answers hello */
	SERVER_ERROR,
	SERVER_INCOMING,
	SERVER_PROGRESS,
	SERVER_EARLY,
	SERVER_ANSWERED,
	SERVER_ESTABLISHED,
	SERVER_OFFER,
	SERVER_ANSWER,
	SERVER_REFUSED,
	SERVER_WITHDRAWN,
	SERVER_CANDIDATES,
	SERVER_ENDED,
	SERVER_AWAY,
	SERVER_KEYS,
	SERVER_ELSEWHERE,
	SERVER_BYE,
	SERVER_KIND_N
};

/** `from` and `remote` of the protocol. */
struct web_party {
	char address[ADDR_TEXT_MAX + 1];
	char name[128];
	char domain[ADDR_HOST_MAX + 1];
	bool verified;
	bool tls;
	const char *identity;             /**< static; NULL: "none" */
	char diverted[ADDR_TEXT_MAX + 1]; /**< empty: left out */
};

/** One of `calls` of `elsewhere`. */
struct web_ongoing {
	char id[WEB_ONGOING_HEX + 1];
	struct web_party remote;
	char device[20];
	char device_name[64];
	uint32_t seconds; /**< how long it has been going on */
	bool away;        /**< its device has lost its connection */
};
struct web_ongoings {
	size_t n;
	struct web_ongoing v[WEB_ONGOING_MAX];
};

struct server_msg {
	enum server_kind kind;
	uint32_t id;                 /**< answers */
	uint64_t seq;                /**< events */
	char call[WEB_CALL_MAX + 1]; /**< events about a call */
	struct body *sdp; /**< owned; incoming, early, answered, offer, answer */
	struct candidates *candidates; /**< owned; candidates */
	bool away;                     /**< away */
	char rejoin[WEB_ONGOING_HEX +
		    1]; /**< answered, established: the site's name of the call */
	struct web_ongoings *ongoings; /**< owned; elsewhere */
	const char *media,
		*encryption; /**< static names; incoming, early, answered, established */
	char **identityv; /**< owned, frees its strings; NULL ended; incoming; may be NULL */
	struct identity_person
		*person; /**< owned; incoming; NULL: no assertion of who calls */
	union {
		struct {
			char user[ADDR_TEXT_MAX + 1];
			char site[ADDR_HOST_MAX + 1];
			char device[20];
			char echo[ADDR_TEXT_MAX + 1]; /**< the echo test; empty: none */
			uint32_t ping_s, sdp_bytes, message_bytes;
			char session[WEB_SESSION_HEX + 1]; /**< empty: no resumption */
			uint32_t linger_s;
			bool resumed;
			char idp[PROVIDER_DOMAIN_BYTES]; /**< the site's identity
							  *   provider; empty: none */
			const char *forgotten; /**< asked for a session that is not there:
						*   why; static, else NULL */
		} welcome;
		struct {
			enum web_error code;
			char text[WEB_TEXT_BYTES];
			uint32_t retry_s; /**< 0: not said */
		} error;
		struct {
			struct web_party party; /**< incoming: from; answered: remote */
			char to[ADDR_TEXT_MAX + 1]; /**< incoming */
			char replaces
				[WEB_CALL_MAX +
				 1]; /**< incoming: a call of this client's; may be empty */
		} who;
		const char *state;           /**< progress: "ringing", "accepted" */
		char keys[WEB_KEYS_MAX + 1]; /**< keys */
		struct cause cause;          /**< refused, ended */
		struct {
			const char *reason; /**< static */
			char text[WEB_TEXT_BYTES];
		} bye;
	};
};
/** Zeroed but for the kind. Owns: mem_deref frees all of it. NULL when out of memory. */
struct server_msg *server_msg_new(enum server_kind kind);
/** A copy that shares nothing. NULL when out of memory. */
struct server_msg *server_msg_copy(const struct server_msg *m);
/** What it takes in memory, about. */
size_t server_msg_bytes(const struct server_msg *m);
/** Is it an event, not an answer? */
bool server_msg_is_event(const struct server_msg *m);
const char *server_kind_name(enum server_kind kind);

/* ---- the HTTP API ---- */

/** How the client reaches us, for addresses that it is to be told. */
struct web_place {
	bool tls;
	uint16_t port; /**< 0: the scheme's own */
};

enum api_kind {
	API_WHOAMI,
	API_LOGIN,
	API_LOGOUT,
	API_PASSWD,
	API_REGISTER,
	API_ICE,
	API_DEVICES,
	API_DEVICE_END,
	API_OTHERS_END,
	API_DELETE,
	API_CONNECT,
	API_RULES,
	API_RULES_SET,
	API_IDP_CODE,
	API_KIND_N
};

struct api_request {
	enum api_kind kind;
	char *user; /**< login, register; as it came */
	char *password; /**< login, register: the password; passwd: the old one; wiped when freed */
	char *new_password; /**< passwd; wiped when freed */
	char *device; /**< login, register: what the client calls itself; as it came; may be NULL */
	char *ring; /**< rules-set: whose calls ring; NULL: as it was */
	char *relay; /**< the same: from whom the address is hidden (gateway/relay_rule.h) */
	char *page;      /**< connect: the origin that asks; idp-code: the site's own */
	char *challenge; /**< idp-code */
	char session[STORE_SESSION_HEX + 1]; /**< device-end: which */
	char agent[STORE_AGENT_MAX + 1];     /**< the program, as it says */
	struct web_origin origin;
	bool bearer; /**< login, register: answer with the token, set no cookie */
	char token[STORE_TOKEN_HEX +
		   1]; /**< what the request signed itself with; may be empty */
	const struct site_config *site; /**< shared by all threads, never changes */
	struct web_place place;
	struct sa from;
};
struct api_request *api_request_new(enum api_kind kind);
const char *api_kind_name(enum api_kind kind);

/** The sign-ins of a person, for that person. */
struct api_devices {
	size_t n;
	struct api_device {
		struct store_sign_in sign_in;
		unsigned n_online;
		bool current; /**< the one that asks */
	} v[];
};

struct api_reply {
	unsigned status;   /**< HTTP */
	const char *error; /**< static code, NULL when all is well */
	char text[WEB_TEXT_BYTES];
	uint32_t retry_s;                /**< 0: no Retry-After */
	char user[ADDR_TEXT_MAX + 1];    /**< empty: left out */
	int64_t expires_s;               /**< 0: left out */
	char token[STORE_TOKEN_HEX + 1]; /**< of a new sign-in */
	bool bearer;       /**< the token goes into the answer, else into a cookie */
	bool cookie_clear; /**< signed out */
	const char *ring, *relay;        /**< static; NULL: left out */
	char code[STORE_TOKEN_HEX + 1];  /**< idp-code; with idp; empty: left out */
	char idp[PROVIDER_DOMAIN_BYTES]; /**< the site's name as identity provider */
	struct turn_servers *ice;        /**< owned; NULL: left out */
	struct api_devices *devices;     /**< the same */
};
struct api_reply *api_reply_new(unsigned status);

/* ---- the mailboxes ---- */

/** How a WebSocket went. */
enum web_left {
	WEB_LEFT_LOST, /**< it may be back: limits.session_linger_s */
	WEB_LEFT_RELOADS, /**< its page goes away, perhaps to be loaded anew: limits.reload_linger_s if it talks */
	WEB_LEFT_GOODBYE /**< the browser closed it, and meant to go */
};
/** The close code of a page that may be loaded anew (docs/protocol.md). */
enum { WEB_CLOSE_RELOADS = 4002 };

enum web_up_kind {
	WEB_OPENED,   /**< a WebSocket is open */
	WEB_CLIENT,   /**< its browser said something */
	WEB_CLOSED,   /**< it is gone; always follows WEB_OPENED, once */
	WEB_API,      /**< an HTTP request; wants one WEB_REPLY */
	WEB_IDP,      /**< one to an identity provider; wants one WEB_IDP_REPLY */
	WEB_API_GONE, /**< nobody waits for that reply any more */
	WEB_CERT,     /**< a site's certificate has been read; see gateway/certs.h */
	WEB_RELOADED, /**< WEB_RELOAD has been carried out */
	WEB_STOPPED,  /**< the web thread's last word */
	WEB_UP_N
};
struct web_up {
	enum web_up_kind kind;
	uint64_t conn;
	union {
		struct {
			const struct site_config *site;
			struct sa from;
			char token[STORE_TOKEN_HEX +
				   1]; /**< the cookie's; may be empty */
			struct web_origin origin;
			struct web_place place;
		} opened;
		struct client_msg *client; /**< owned */
		struct {
			enum web_left left;
		} closed;
		struct api_request *api;      /**< owned */
		struct provider_request *idp; /**< owned */
		struct {
			const struct site_config *site;
			int64_t until_s;
			char *why; /**< owned; NULL: it is good */
		} cert;
	};
};
const char *web_up_name(enum web_up_kind kind);
void web_up_clear(void *msg); /**< a mailbox_clear_h */

enum web_down_kind {
	WEB_SEND,      /**< to that browser */
	WEB_CLOSE,     /**< after what was sent before */
	WEB_REPLY,     /**< answers WEB_API */
	WEB_IDP_REPLY, /**< answers WEB_IDP */
	WEB_RELOAD,    /**< read the certificates now; WEB_CERT…, WEB_RELOADED */
	WEB_CHAIN, /**< a certificate chain for everybody to fetch (gateway/identity.h) */
	WEB_STOP,  /**< let nobody in, close what is open, end */
	WEB_DOWN_N
};
struct web_down {
	enum web_down_kind kind;
	uint64_t conn;
	union {
		struct server_msg *send; /**< owned */
		struct {
			uint16_t code;
			const char *why; /**< static, ASCII */
		} close;
		struct api_reply *reply;     /**< owned */
		struct provider_answer *idp; /**< owned */
		struct web_chain {
			char *site, *name, *text; /**< owned */
		} chain;
	};
};
const char *web_down_name(enum web_down_kind kind);
void web_down_clear(void *msg);

#endif
