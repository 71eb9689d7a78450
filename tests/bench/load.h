/* tests/bench/load.h - the load driver's parts: loop, TLS stream, WebSocket, device, SIP messages.
 *
 *   load_main.c ─► load_calls.c load_ping.c load_reconnect.c load_sip.c      the scenarios
 *                       └► load_device.c ─► load_ws.c ─► load_stream.c ─► load_loop.c
 *
 * One thread, one epoll. What is measured is never this process: it is told "go" on stdin when the
 * set-up is over, says "done" on stdout, and keeps everything open until "quit", so that whoever reads
 * the CPU times of the process under test can leave set-up and tear-down out. */
#ifndef SLUSS_TESTS_BENCH_LOAD_H
#define SLUSS_TESTS_BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <openssl/ssl.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NORETURN          __attribute__((noreturn))

/* ---- options, load_main.c ---- */
struct load_site {
	char domain[256];
	struct sockaddr_in sa; /**< where its HTTPS listens */
	char origin[300];      /**< https://DOMAIN:PORT */
};
struct load_options {
	const char *scenario;
	struct load_site a, b;
	const char *password;
	const char *cert, *key; /**< of a SIP peer */
	const char *domain;     /**< that peer's domain */
	struct sockaddr_in sip; /**< where SIP over TLS is spoken, or listened for */
	unsigned users, devices, active, calls, messages, bytes, seconds, seed, timeout_s;
	double rate;  /**< calls or messages a second */
	long hold_ms; /**< talk time; -1: until the end */
	bool plain;   /**< responder: no TLS */
};
extern struct load_options opt;

/** The fault is ours or the set-up's: says so on stderr and exits 2. */
void load_die(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;
/** One line `WORD {json}` on stdout; steals `j`. */
void load_say(const char *word, json_t *j);

/* ---- load_loop.c: epoll, one tick, lines on stdin ---- */
struct load_watch {
	int fd; /**< -1: closed; events of it still queued are dropped */
	void (*h)(uint32_t events, void *arg);
	void *arg;
	uint32_t events;
};
void load_watch_set(struct load_watch *w, uint32_t events);
void load_watch_close(struct load_watch *w);
/** Runs until load_stop(); `tick` about every millisecond, may be NULL. */
void load_run(void (*tick)(void *arg), void *arg);
void load_stop(void);
/** Runs until the line "go" (or the end of input) was read. */
void load_wait_go(void);
/** The line "quit" or the end of stdin ends any load_run. */
bool load_quitting(void);
uint64_t load_now_us(void);
uint32_t load_random(uint32_t below); /**< 0..below-1, from opt.seed */

/* ---- latencies ---- */
struct load_samples {
	uint32_t *v;
	size_t n, size;
};
void load_sample(struct load_samples *s, uint64_t us);
json_t *load_samples_json(
	struct load_samples *s); /**< {n, p50_us, p90_us, p99_us, max_us} */

/* ---- bytes that grow ---- */
struct load_bytes {
	char *p;
	size_t n, size;
};
void load_bytes_add(struct load_bytes *b, const void *p, size_t n);
void load_bytes_cut(struct load_bytes *b, size_t n); /**< drops the first n */
void load_bytes_free(struct load_bytes *b);

/* ---- load_stream.c: TCP, with TLS or without ---- */
struct load_stream;
struct load_stream_ops {
	void (*up)(struct load_stream *s);
	void (*data)(struct load_stream *s, const char *p, size_t n);
	void (*down)(struct load_stream *s,
		     const char *why); /**< not after load_stream_close */
};
struct load_stream {
	struct load_watch watch;
	SSL *ssl;
	bool connecting, open;
	int err; /**< connect() failed at once */
	struct load_bytes out;
	const struct load_stream_ops *ops;
	void *arg;
};
SSL_CTX *load_tls_client(const char *cert, const char *key);
SSL_CTX *load_tls_server(const char *cert, const char *key);
/** ctx NULL: plain TCP. */
void load_stream_connect(struct load_stream *s, SSL_CTX *ctx,
			 const struct sockaddr_in *to, const char *sni);
void load_stream_accept(struct load_stream *s, SSL_CTX *ctx, int fd);
int load_listen(const struct sockaddr_in *sa);
void load_stream_write(struct load_stream *s, const void *p, size_t n);
/** abrupt: RST and no TLS goodbye, as a machine that loses power would look. */
void load_stream_close(struct load_stream *s, bool abrupt);

/* ---- load_ws.c: RFC 6455, as much as a client of sluss.v1 needs ---- */
struct load_ws;
struct load_ws_ops {
	void (*up)(struct load_ws *w);
	void (*text)(struct load_ws *w, const char *p, size_t n);
	void (*down)(struct load_ws *w, const char *why);
};
struct load_ws {
	struct load_stream stream;
	const struct load_site *site;
	bool upgraded;
	struct load_bytes in, message;
	const struct load_ws_ops *ops;
	void *arg;
};
void load_ws_connect(struct load_ws *w, SSL_CTX *ctx, const struct load_site *site);
void load_ws_text(struct load_ws *w, const char *p, size_t n);
void load_ws_close(struct load_ws *w, bool abrupt);

/* ---- load_device.c: a signed-in device ---- */
enum { LOAD_PENDING = 512 };
enum load_request {
	REQ_NONE,
	REQ_HELLO,
	REQ_PING,
	REQ_CALL,
	REQ_RINGING,
	REQ_ACCEPT,
	REQ_ANSWER,
	REQ_REJECT,
	REQ_HANGUP,
	REQ_KEEP_ALIVE /* a ping that the scenario has not asked for */
};
struct load_device;
struct load_device_ops {
	void (*ready)(struct load_device *d);
	/** An answer to a request of ours; `error` NULL when it was ok. */
	void (*reply)(struct load_device *d, enum load_request kind, uint32_t call,
		      const char *error);
	void (*event)(struct load_device *d, const char *type, json_t *message);
	void (*down)(struct load_device *d, const char *why);
	/** Its hello was refused; NULL: that is the end of the run. */
	void (*refused)(struct load_device *d, const char *error, unsigned retry_s);
};
struct load_device {
	struct load_ws ws;
	const struct load_site *site;
	unsigned user, index;
	const char *token;
	bool ready, resumable;
	uint32_t next_id;
	uint64_t last_sent_us, connect_at_us;
	unsigned ping_s;
	struct {
		uint32_t id, call;
		uint8_t kind;
	} pending[LOAD_PENDING];
	const struct load_device_ops *ops;
};
/** Signs in each of `users` users of the site, blocking; gives their tokens. Users are "u0", "u1", … */
char **load_sign_in(const struct load_site *site, unsigned users, const char *password);
/** The same for `devices` devices of these users: a token each. */
char **load_sign_in_each(const struct load_site *site, unsigned devices, unsigned users,
			 const char *password);
void load_device_connect(struct load_device *d);
/** Sends {"type":TYPE,"id":N REST}; `rest` begins with a comma or is empty. */
void load_device_send(struct load_device *d, enum load_request kind, uint32_t call,
		      const char *rest, ...) PRINTF_LIKE(4, 5);
/** Connects `n` devices over the users, some dozens at a time, and waits until all are ready. */
void load_devices_open(struct load_device *v, unsigned n, const struct load_site *site,
		       char **tokens, unsigned users, const struct load_device_ops *ops);
/** Pings where the server's ping_s asks for it. */
void load_devices_tick(struct load_device *v, unsigned n);

/* ---- load_sip_text.c: just enough of SIP ---- */
/** Bytes of the first whole message in p (by Content-Length), 0: not whole yet. */
size_t load_sip_whole(const char *p, size_t n);
/** A response to the request `req`: its Via, From, To (+ tag), Call-ID, CSeq. Gives its length. */
size_t load_sip_reply(char *buf, size_t size, const char *req, size_t n, unsigned status,
		      const char *phrase);

/* ---- scenarios ---- */
void load_calls(void);       /* calls, soak */
void load_idle(void);        /* idle */
void load_ping(void);        /* ping */
void load_reconnect(void);   /* reconnect */
void load_options_run(void); /* options */
void load_responder(void);   /* responder */
void load_dial(void);        /* dial */
/** A browser's audio description with `s=load-N`, escaped for JSON. */
const char *load_sdp_json(char *buf, size_t size, bool answer, uint32_t n);

#endif
