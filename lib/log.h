/* lib/log.h - one event a line, key=value, to standard error; any thread.
 *
 * err   an operator must act            warn  a peer misbehaves (rate limited)
 * info  at most six lines for a call    debug decisions and transitions
 * trace messages, also for one call alone
 *
 *   log_info(call_id, "call.ringing", "from=%s to=%s", LQ(from), LQ(to));
 *   -> 2026-11-22T10:00:00.123Z info sig call.ringing call=4f2a… from="alice@…" to="per@…"
 *
 * Text that came from outside goes through LQ()/LQN(), which quote and escape; nothing else
 * makes it printable. Secrets and SDP bodies are never handed to the log. */
#ifndef SLUSS_LIB_LOG_H
#define SLUSS_LIB_LOG_H

#include "lib/base.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/** Sets the level; thread safe, may be called at any time. Default LOG_INFO. */
void log_level_set(enum log_level level);
bool log_enabled(enum log_level level);
/** Name -> level. Errors: EINVAL for an unknown name, *level untouched. */
int log_level_parse(enum log_level *level, const char *name);
const char *log_level_name(enum log_level level);
/** Names the calling thread, in the log and in the kernel ("sig", "web", "edge", "office0");
 *  15 bytes at most. */
void log_thread_name(const char *name);
/** Sends the lines to another descriptor (tests). Default 2. */
void log_fd_set(int fd);

/** @param call  call id or NULL   @param event  "room.what", a constant
 *  @param fmt   key=value pairs, or "" */
void log_line(enum log_level level, const char *call, const char *event, const char *fmt,
	      ...) PRINTF_LIKE(4, 5);

#define log_err(call, event, ...)  log_line(LOG_ERR, call, event, __VA_ARGS__)
#define log_warn(call, event, ...) log_line(LOG_WARN, call, event, __VA_ARGS__)
#define log_info(call, event, ...) log_line(LOG_INFO, call, event, __VA_ARGS__)
#define log_debug(call, event, ...)                                                      \
	(log_enabled(LOG_DEBUG) ? log_line(LOG_DEBUG, call, event, __VA_ARGS__) : (void)0)
#define log_trace(call, event, ...)                                                      \
	(log_enabled(LOG_TRACE) ? log_line(LOG_TRACE, call, event, __VA_ARGS__) : (void)0)

enum { LOG_QUOTE_BYTES = 160 };
/** Quotes and escapes `n` bytes of foreign text into `buf` (cut with "…" when longer). Gives buf. */
const char *log_quote(char *buf, size_t size, const char *text, size_t n);
#define LQN(text, n) log_quote((char[LOG_QUOTE_BYTES]){0}, LOG_QUOTE_BYTES, (text), (n))
#define LQ(text)     LQN((text), (text) ? strlen(text) : 0)

/** A rate limiter for warnings: true at most `burst` times a second for this `gate`;
 *  counts what it swallowed and logs the count when it opens again. Gate is static, one a place. */
struct log_gate {
	uint64_t second;
	uint32_t n, n_swallowed;
};
bool log_gate_open(struct log_gate *gate, uint32_t burst);

#endif
