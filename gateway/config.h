/* gateway/config.h - the configuration: read once, immutable, shared by all threads while it lives. */
#ifndef SLUSS_GATEWAY_CONFIG_H
#define SLUSS_GATEWAY_CONFIG_H

#include "gateway/addr.h"
#include "gateway/config_trunk.h"
#include "gateway/relay_rule.h"
#include "lib/base.h"

struct site_config {
	char domain[ADDR_HOST_MAX + 1];
	char *certificate; /**< files; NULL only when the site is *.localhost … */
	char *key;         /**< … on plain loopback HTTP, without SIP over TLS */
	char *identity_certificate,
		*identity_key; /**< what calls are signed with, if not those; both or none */
	char *identity_url; /**< where others find that chain; NULL: on the site's own web server */
	bool open_registration;
	char *echo;            /**< user name of the echo test; NULL: there is none */
	bool echo_federated;   /**< other sites may call it too */
	enum relay_rule relay; /**< of its users, where they want no more */
	char **originv; /**< further allowed origins, NULL ended; the site's own always is */
	/** The identity provider of its users, on a host of its own. False: there is none. */
	bool idp;
	char idp_host[ADDR_HOST_MAX + 1];
	char *idp_certificate, *idp_key; /**< for that host; NULL: the site's pair */
	/* telephone numbers */
	struct number_plan plan; /**< how they are dialled here */
	struct number_config *numberv;
	size_t n_numbers;
	struct emergency_config
		*emergencyv; /**< 112 and 911, refused, unless the file says otherwise */
	size_t n_emergency;
};

struct listen_config {
	struct sa sa;             /**< address and port */
	enum transport transport; /**< sip only */
	bool plain; /**< http only: no TLS; accepted for loopback addresses alone */
};

/** What a peer domain must show before its calls are taken: its certificate, a signed Identity, both, one of them. */
enum require { REQUIRE_TLS, REQUIRE_IDENTITY, REQUIRE_BOTH, REQUIRE_EITHER };

/** Does a peer domain take candidates one after the other (RFC 8840)? */
enum trickle { TRICKLE_AUTO, TRICKLE_YES, TRICKLE_NO };

struct peer_config {
	char domain[ADDR_HOST_MAX + 1];
	bool has_address; /**< overrides DNS */
	struct listen_config address;
	enum require require;
	bool block; /**< nothing from or to this domain */
	enum trickle trickle;
};

/** STUN and TURN servers for browsers (turn.h). */
struct turn_config {
	char **stunv; /**< "stun:host:port", NULL ended; NULL: none */
	char **uriv;  /**< "turn:host:port?transport=udp", the same */
	char *secret; /**< shared with the TURN servers; wiped when freed; nothing prints it */
	uint32_t lifetime_s; /**< of a credential */
};

enum { CONFIG_OPENID_NAME_MAX = 31 };
/** Where a service of OAuth 2.0 alone is asked, and which members of its document say who somebody is. */
struct openid_service {
	char *authorization, *token, *userinfo; /**< NULL, all three: OpenID Connect */
	bool basic; /**< the client's secret goes into the header, else into the form */
	char *id, *user, *name, *picture, *email;
	char *email_verified; /**< NULL: it never is */
};
/** A provider by which people may sign in at their identity provider (idp/openid.h). */
struct openid_config {
	char name[CONFIG_OPENID_NAME_MAX + 1]; /**< in addresses */
	char *title;                           /**< for people */
	char *issuer;                          /**< "https://accounts.example" */
	char *client_id;
	char *client_secret; /**< NULL: a public client; wiped when freed; nothing prints it */
	char *scopes;        /**< "openid profile email"; empty: none */
	struct openid_service service;
	bool creates; /**< whoever is new there gets an account; else it can only be linked to one */
	char **sitev; /**< domains it is for, NULL ended; NULL, none: all sites */
	char *trust;  /**< PEM file of its authorities; NULL: the system's */
};

enum { MEDIA_CONFIG_ADDRS = 8, MEDIA_PORT = 3479, RTP_FIRST = 20000, RTP_LAST = 29999 };
/** Where media that end here come in (webrtc/media/). */
struct media_config {
	struct sa listenv[MEDIA_CONFIG_ADDRS]; /**< addresses only */
	size_t n_listen;
	struct sa advertisev[MEDIA_CONFIG_ADDRS]; /**< the same; none: the machine's */
	size_t n_advertise;
	uint16_t
		port; /**< of the first thread, the next has the next one; 0: any that is free */
	uint32_t workers; /**< threads; 0: one a core */
	uint16_t rtp_first,
		rtp_last; /**< of sockets that one side of a session has alone */
};

/** Every limit: one row of config_limits[] (config_limits.c) gives key, default, range and meaning;
 *  the manual page and the tests are made from that table. */
struct limits {
	/* calls */
	uint32_t ring_s;             /* 45     outgoing legs may ring */
	uint32_t accept_s;           /* 15     from LEG_ACCEPTED to the answer */
	uint32_t offer_s;            /* 30     a new offer waits for its answer */
	uint32_t calls_per_user;     /* 8      at once */
	uint32_t calls_per_user_min; /* 60     new ones a minute */
	uint32_t calls_per_peer;     /* 1000   at once, with one domain */
	uint32_t calls;              /* 20000  in all */
	uint32_t sdp_bytes;          /* 65536  */
	uint32_t candidates;         /* 100    of one description */
	uint32_t gather_s; /* 2      half trickle: how long candidates are waited for */
	/* browsers */
	uint32_t devices_per_user;    /* 16     */
	uint32_t sessions_per_user;   /* 32     sign-ins kept; the oldest goes */
	uint32_t session_days;        /* 30     */
	uint32_t grant_days;          /* 7      for a page of another origin */
	uint32_t http_conns;          /* 20000  */
	uint32_t http_conns_per_addr; /* 256    */
	uint32_t http_handshake_s;    /* 10     */
	uint32_t http_idle_s;         /* 30     keep-alive */
	uint32_t http_body_bytes;     /* 16384  */
	uint32_t ws_auth_s;           /* 30     upgraded, but no hello */
	uint32_t ws_message_bytes;    /* 131072 */
	uint32_t ws_json_depth;       /* 16     */
	uint32_t
		ws_rate; /* 50     messages a second, sustained; four times that in a burst */
	uint32_t ws_queue_bytes; /* 2097152  waiting for a client that does not read */
	uint32_t ws_ping_s;      /* 25     */
	uint32_t replace_s; /* 5      a call whose place another one has taken goes on */
	uint32_t session_linger_s;    /* 30     a session outlives its socket; 0: not */
	uint32_t reload_linger_s;     /* 8      the same when the page is loaded anew */
	uint32_t session_queue_bytes; /* 1048576  events of a session not acknowledged */
	uint32_t
		login_tries_account; /* 10     failures before waits begin, forgotten in 15 min */
	uint32_t login_tries_addr; /* 50     the same per client address */
	/* SIP */
	uint32_t sip_conns;          /* 20000  */
	uint32_t sip_conns_per_addr; /* 64     */
	uint32_t sip_handshake_s;    /* 10     */
	uint32_t sip_idle_s;         /* 300    */
	uint32_t sip_message_bytes;  /* 131072 */
	uint32_t sip_unproved_rate; /* 20     requests a second of who proves no domain */
	uint32_t sip_target_s; /* 4      a target may take before the next is tried */
	uint32_t sip_answer_s; /* 32     before any target has said more than 100 */
	uint32_t session_expires_s; /* 1800   RFC 4028, 90 at least */
	uint32_t dns_s;             /* 5      one look-up */
	uint32_t cert_warn_days;    /* 14     before a site's certificate ends */
	/* Identity */
	uint32_t identity_queue;   /* 1024   signatures and verifications under way */
	uint32_t identity_fresh_s; /* 60     how far a PASSporT's time may be from ours */
	uint32_t identity_fetches; /* 16     certificates fetched at once */
	uint32_t identity_fetch_s; /* 3      for one of them */
	uint32_t identity_keep_s;  /* 86400  an old chain of ours can still be fetched */
	/* the identity provider */
	uint32_t idp_queue;        /* 256    requests under way */
	uint32_t idp_rate;         /* 50     a second from one address */
	uint32_t idp_session_days; /* 30     */
	uint32_t idp_grant_days;   /* 30     since it was used last */
	uint32_t idp_code_s;       /* 60     */
	uint32_t idp_assertion_s;  /* 300    from iat to exp */
	uint32_t idp_key_keep_s;   /* 172800 published after another took its place */
	/* media */
	uint32_t media_setup_s;   /* 30     from the answer to the first keys */
	uint32_t media_consent_s; /* 30     RFC 7675 */
	uint32_t media_silence_s; /* 300    0: for ever */
	uint32_t relay_kbps;      /* 8000   of one relayed call, in one direction */
	uint32_t relay_packets;   /* 2000   the same, a second */
	uint32_t relay_s;         /* 43200  */
	uint32_t stun_rate;       /* 50     answers a second to one unproved source */
	uint32_t echo_calls;      /* 50     echo tests at once */
	uint32_t echo_s;          /* 300    */
	uint32_t relay_calls;     /* 4      at once, of one user */
	/* back office */
	uint32_t office_threads; /* 2      */
	uint32_t office_queue;   /* 256    jobs waiting */
	uint32_t password_log2n; /* 15     scrypt cost */
	uint32_t stop_s;         /* 5      orderly stop */
};

struct limit_row {
	const char *
		key; /**< as in the file, inside limits { }, with dashes: "ring-time" … */
	size_t offset; /**< of the uint32_t in struct limits */
	uint32_t def, min, max;
	const char *unit, *help;
};
extern const struct limit_row config_limits[];
extern const size_t config_limits_n;

struct config {
	struct site_config *sitev;
	size_t n_sites;
	struct listen_config *httpv;
	size_t n_http;
	struct listen_config *sipv;
	size_t n_sip;
	struct peer_config *peerv;
	size_t n_peers;
	struct trunk_config *trunkv;
	size_t n_trunks;
	struct openid_config *openidv;
	size_t n_openid;
	struct turn_config turn;
	struct media_config media;
	char *sip_trust; /**< PEM file of CAs for SIP peers */
	char **sip_dnsv; /**< DNS servers "addr:port"; NULL: the system's */
	bool sip_loopback; /**< targets found by DNS may be loopback or private (tests, demo); default no */
	char *identity_number_trust; /**< PEM file of authorities for telephone numbers; NULL: none */
	bool identity_show_wrong; /**< a call with a wrong assertion of who calls rings; default no */
	bool identity_private; /**< certificates may lie at loopback and private addresses; default no */
	char *store_path;
	char *control_path; /**< slussctl's socket */
	char *web_root;     /**< where sdk/ and phone/ lie; default the installed ones */
	char *idp_root; /**< where the identity provider's pages lie; default idp/ there */
	char *user, *group; /**< to become after binding; NULL: stay */
	char *log_level;
	struct limits limits;
};

/** Reads and checks all of it. Errors: EINVAL, and every fault as "file:line: what is wrong and what
 *  would be right" on its own line in *reportp (mem_deref); ENOENT/EACCES likewise. On success
 *  *reportp is NULL or holds lines "file:line: warning: …".  Owns: *cp by mem_deref. Reads the certificates too (cover the site? key fits? expired?). */
int config_load(struct config **cp, char **reportp, const char *file);
/** The same from memory, `name` standing for the file; no certificate is read. Fuzzed. */
int config_parse(struct config **cp, char **reportp, const char *name, const char *text,
		 size_t n);
const struct site_config *config_site_find(const struct config *c, const char *domain);
/** The site whose identity provider has this host; NULL: none. Any case. */
const struct site_config *config_idp_find(const struct config *c, const char *host);
/** Is that provider for users of this site? */
bool config_openid_serves(const struct openid_config *o, const char *site);
/** Does any site have an echo test? */
bool config_has_echo(const struct config *c);
/** Does any site hide the addresses of its users from somebody? */
bool config_has_relay(const struct config *c);
const struct peer_config *config_peer_find(const struct config *c, const char *domain);
const struct trunk_config *config_trunk_find(const struct config *c, const char *name);
/** Whose number it is, in the form of the house or as it stands in the file. `domain`: of that site only; NULL: of
 *  any. Errors: ENOENT. */
int config_number_find(const struct config *c, struct addr *user, const char *number,
		       const char *domain);
/** The first number that is given to the user, as it stands in the file; NULL: none. */
const char *config_number_of(const struct config *c, const struct addr *user);

#endif
