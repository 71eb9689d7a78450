/* gateway/config_limits.c - every limit there is: its key inside limits { }, default, range, meaning. One
 * row a field of struct limits; the parser (config_keys.c), the defaults, the table in slussd.conf(5) and
 * the tests are made from these rows. No thread: constants. */
#include "gateway/config.h"

#define ROW(key_, field, def_, min_, max_, unit_, help_)                                 \
	{                                                                                \
		.key = (key_), .offset = offsetof(struct limits, field), .def = (def_),  \
		.min = (min_), .max = (max_), .unit = (unit_), .help = (help_)           \
	}

/* clang-format off */
const struct limit_row config_limits[] = {
	/* calls */
	ROW("ring-time", ring_s, 45, 1, 600, "s", "how long a call rings before it ends with no answer"),
	ROW("accept-time", accept_s, 15, 1, 120, "s", "from the callee's accepting to the browser's answer"),
	ROW("offer-time", offer_s, 30, 1, 120, "s", "how long a new offer in a call waits for its answer"),
	ROW("calls-per-user", calls_per_user, 8, 1, 1000, "calls", "calls one user may have at once"),
	ROW("calls-per-user-minute", calls_per_user_min, 60, 1, 10000, "calls", "new calls one user may make in a minute"),
	ROW("calls-per-peer", calls_per_peer, 1000, 1, 1000000, "calls", "calls at once with one federated domain"),
	ROW("calls", calls, 20000, 1, 1000000, "calls", "calls at once in all"),
	ROW("sdp-size", sdp_bytes, 65536, 1024, 1048576, "bytes", "the largest session description"),
	ROW("candidates", candidates, 100, 8, 256, "candidates", "ICE candidates of one description"),
	ROW("gather-time", gather_s, 2, 1, 30, "s", "how long a call to a domain without trickle ICE waits for its candidates"),
	/* browsers */
	ROW("devices-per-user", devices_per_user, 16, 1, 1000, "devices", "browsers and programs of one user online at once"),
	ROW("sessions-per-user", sessions_per_user, 32, 1, 10000, "sign-ins", "sign-ins kept for one user; beyond it the oldest ends"),
	ROW("session-days", session_days, 30, 1, 3650, "days", "how long a sign-in holds"),
	ROW("grant-days", grant_days, 7, 1, 365, "days", "how long a page of another origin may call for a person who allowed it"),
	ROW("http-connections", http_conns, 20000, 1, 1000000, "connections", "HTTPS and WebSocket connections in all"),
	ROW("http-connections-per-address", http_conns_per_addr, 256, 1, 1000000, "connections", "the same from one address"),
	ROW("http-handshake-time", http_handshake_s, 10, 1, 120, "s", "for the TLS handshake, and for a request's headers"),
	ROW("http-idle-time", http_idle_s, 5, 1, 3600, "s", "how long an idle connection is kept alive. A browser whose network changes may wait for a minute on one that it has kept"),
	ROW("http-body-size", http_body_bytes, 16384, 1024, 1048576, "bytes", "the largest body of an HTTP request"),
	ROW("ws-auth-time", ws_auth_s, 30, 1, 300, "s", "from the upgrade to the hello message"),
	ROW("ws-message-size", ws_message_bytes, 131072, 4096, 4194304, "bytes", "the largest WebSocket message"),
	ROW("ws-json-depth", ws_json_depth, 16, 4, 64, "levels", "how deep a message's JSON may nest"),
	ROW("ws-rate", ws_rate, 50, 1, 10000, "messages/s", "messages of one connection; four times as many in a burst"),
	ROW("ws-queue-size", ws_queue_bytes, 2097152, 65536, 134217728, "bytes", "what waits for a client that does not read; twice session-queue-size at least"),
	ROW("ws-ping-time", ws_ping_s, 25, 1, 3600, "s", "between the pings that keep a WebSocket alive"),
	ROW("replace-time", replace_s, 5, 1, 60, "s", "how long a call that has moved to another device may go on for its media to follow"),
	ROW("session-linger", session_linger_s, 30, 0, 600, "s", "how long a device and its calls outlive a lost WebSocket; 0: not at all"),
	ROW("reload-linger", reload_linger_s, 8, 0, 600, "s", "the same when its page goes away in mid-call, perhaps to be loaded anew, and never more than session-linger; 0: not at all"),
	ROW("session-queue-size", session_queue_bytes, 1048576, 65536, 67108864, "bytes", "events of a session that its client has not acknowledged; beyond it the session ends"),
	ROW("login-tries-account", login_tries_account, 10, 1, 1000, "tries", "failed sign-ins to an account before waits begin; forgotten after 15 minutes"),
	ROW("login-tries-address", login_tries_addr, 50, 1, 100000, "tries", "the same from one address (IPv6: one /64)"),
	/* SIP */
	ROW("sip-connections", sip_conns, 20000, 1, 1000000, "connections", "SIP connections from outside in all"),
	ROW("sip-connections-per-address", sip_conns_per_addr, 64, 1, 1000000, "connections", "the same from one address"),
	ROW("sip-handshake-time", sip_handshake_s, 10, 1, 120, "s", "for a TLS handshake with a SIP peer"),
	ROW("sip-idle-time", sip_idle_s, 300, 10, 86400, "s", "how long a SIP connection may be silent"),
	ROW("sip-message-size", sip_message_bytes, 131072, 4096, 4194304, "bytes", "the largest SIP message"),
	ROW("sip-unproved-rate", sip_unproved_rate, 20, 1, 10000, "requests/s", "SIP requests from one address over connections that prove no domain; four times as many in a burst; eight times from all addresses together"),
	ROW("sip-target-time", sip_target_s, 4, 1, 60, "s", "for one target of a domain to connect, to shake hands and to say anything, before the next is tried"),
	ROW("sip-answer-time", sip_answer_s, 32, 1, 180, "s", "for a domain to say more than 100 Trying"),
	ROW("session-expires", session_expires_s, 1800, 90, 86400, "s", "SIP session timer (RFC 4028)"),
	ROW("dns-time", dns_s, 5, 1, 60, "s", "for one DNS look-up"),
	ROW("certificate-warning", cert_warn_days, 14, 1, 365, "days", "so long before a site's certificate ends the log says so, once a day"),
	/* Identity */
	ROW("identity-queue", identity_queue, 1024, 8, 65536, "requests", "signatures and verifications under way; beyond it: busy, try again"),
	ROW("identity-fresh", identity_fresh_s, 60, 10, 600, "s", "how far the time of a signed call may be from ours, either way"),
	ROW("identity-fetches", identity_fetches, 16, 1, 1000, "fetches", "certificates, and as many sets of keys, of others fetched at once; half of them, and four certificates, for callers of one domain"),
	ROW("identity-fetch-time", identity_fetch_s, 3, 1, 30, "s", "for one such fetch, with its waiting"),
	ROW("identity-keep", identity_keep_s, 86400, 120, 31536000, "s", "how long a chain that was signed with can be fetched after another has come"),
	/* the identity provider */
	ROW("idp-queue", idp_queue, 256, 8, 65536, "requests", "requests to identity providers under way; beyond it: busy, try again"),
	ROW("idp-rate", idp_rate, 50, 1, 10000, "requests/s", "requests to identity providers from one address (IPv6: one /64); twice as many in a burst"),
	ROW("idp-session-days", idp_session_days, 30, 1, 3650, "days", "how long a sign-in at an identity provider holds"),
	ROW("idp-grant-days", idp_grant_days, 30, 1, 365, "days", "how long a frame on a page that a person allowed may go unused"),
	ROW("idp-code-time", idp_code_s, 60, 5, 600, "s", "for a page to give its frame the code of a sign-in"),
	ROW("idp-assertion-time", idp_assertion_s, 300, 60, 600, "s", "how long an assertion may be shown for the first time"),
	ROW("idp-key-keep", idp_key_keep_s, 172800, 86400, 31536000, "s", "how long a key is published after another has taken its place"),
	/* media */
	ROW("media-setup-time", media_setup_s, 30, 5, 120, "s", "from our answer until the media of a party that end here are encrypted and flow"),
	ROW("media-consent-time", media_consent_s, 30, 10, 120, "s", "how long media go on without the party's consent (RFC 7675); then the call ends"),
	ROW("media-silence-time", media_silence_s, 300, 0, 86400, "s", "how long a legacy peer that is not on hold may send nothing; then the call ends; 0: for ever"),
	ROW("relay-rate", relay_kbps, 8000, 64, 1000000, "kbit/s", "of a relayed call in one direction, sustained; a second's worth in a burst; what is more is dropped"),
	ROW("relay-packets", relay_packets, 2000, 100, 100000, "packets/s", "the same in packets"),
	ROW("relay-time", relay_s, 43200, 60, 2592000, "s", "how long a relayed call may last"),
	ROW("stun-rate", stun_rate, 50, 1, 100000, "answers/s", "STUN answers to one address that has proved nothing (IPv6: one /64); twice as many in a burst"),
	ROW("echo-calls", echo_calls, 50, 1, 100000, "calls", "echo tests at once; callers from other sites have half of them at most"),
	ROW("echo-time", echo_s, 300, 10, 86400, "s", "how long an echo test may last"),
	ROW("relay-calls", relay_calls, 4, 1, 1000, "calls", "calls at once in which the address of one user is hidden"),
	/* back office */
	ROW("office-threads", office_threads, 2, 1, 64, "threads", "back office: the first asks the store, the others hash passwords"),
	ROW("office-queue", office_queue, 256, 8, 65536, "jobs", "back office: jobs that may wait; beyond it: busy, try again"),
	ROW("password-cost", password_log2n, 15, 10, 20, "log2 N", "scrypt's cost: each step doubles time and memory (15: 32 MiB)"),
	ROW("stop-time", stop_s, 5, 1, 120, "s", "for an orderly stop"),
};
/* clang-format on */
const size_t config_limits_n = N_ELEMS(config_limits);
