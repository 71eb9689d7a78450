/* lib/log.c - one event a line to a descriptor, written whole by one write(). Any thread: the level is
 * atomic, the line is built on the caller's stack, and the kernel keeps short writes apart. */
#include "lib/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

enum { LOG_LINE_BYTES = 2048 };

static atomic_int log_level_now = LOG_INFO;
static atomic_int log_fd = STDERR_FILENO;
static _Thread_local char log_thread[16] = "main";

static const char *const log_names[] = {
	[LOG_ERR] = "err",     [LOG_WARN] = "warn",   [LOG_INFO] = "info",
	[LOG_DEBUG] = "debug", [LOG_TRACE] = "trace",
};

void log_level_set(enum log_level level)
{
	atomic_store_explicit(&log_level_now, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

int log_level_parse(enum log_level *level, const char *name)
{
	for (size_t i = 0; name && i < N_ELEMS(log_names); i++) {
		if (!strcmp(name, log_names[i])) {
			*level = (enum log_level)i;
			return 0;
		}
	}
	return EINVAL;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < N_ELEMS(log_names) ? log_names[level] : "?";
}

void log_thread_name(const char *name)
{
	snprintf(log_thread, sizeof(log_thread), "%s", name);
	pthread_setname_np(pthread_self(), log_thread);
}

void log_fd_set(int fd)
{
	atomic_store(&log_fd, fd);
}

/* snprintf() gives what it would have written; this keeps `used` inside the line. */
static size_t log_clamp(size_t used, int n)
{
	if (n < 0)
		return used;
	used += (size_t)n;
	return used < LOG_LINE_BYTES - 2 ? used : LOG_LINE_BYTES - 2;
}

void log_line(enum log_level level, const char *call, const char *event, const char *fmt,
	      ...)
{
	char line[LOG_LINE_BYTES];
	struct timespec ts;
	struct tm tm;
	size_t n;
	ssize_t w;
	va_list ap;
	int saved = errno;

	if (!log_enabled(level))
		return;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	n = log_clamp(n, snprintf(line + n, sizeof(line) - n, ".%03ldZ %s %s %s%s%s",
				  ts.tv_nsec / 1000000, log_level_name(level), log_thread,
				  event, call ? " call=" : "", call ? call : ""));
	if (fmt && *fmt) {
		line[n++] = ' ';
		va_start(ap, fmt);
		n = log_clamp(n, vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap));
		va_end(ap);
	}
	line[n++] = '\n';
	/* A log that cannot be written must not stop calls: the result is looked at by nobody. */
	w = write(atomic_load(&log_fd), line, n);
	(void)w;
	errno = saved;
}

/* How many bytes of well-formed UTF-8 start at p, 0 when they are not printable (RFC 3629; C0, C1,
 * DEL, and the bidirectional controls that could reorder a log line). */
static size_t log_utf8(const uint8_t *p, size_t n)
{
	uint32_t c;
	size_t len;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		c = p[0] & 0x1fu;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		c = p[0] & 0x0fu;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		c = p[0] & 0x07u;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = (c << 6) | (p[i] & 0x3fu);
	}
	if ((len == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) ||
	    (len == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	if (c < 0xa0 || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff)
		return 0;
	return len;
}

const char *log_quote(char *buf, size_t size, const char *text, size_t n)
{
	static const char more[] = "\xe2\x80\xa6";
	size_t o = 0;

	if (size < 16)
		return "";
	if (!text)
		return "-";
	buf[o++] = '"';
	for (size_t i = 0; i < n;) {
		const uint8_t *p = (const uint8_t *)text + i;
		size_t len = log_utf8(p, n - i);

		if (o + 4 + sizeof(more) + 1 >
		    size) { /* room for an escape, "…", quote and NUL */
			memcpy(buf + o, more, sizeof(more) - 1);
			o += sizeof(more) - 1;
			break;
		}
		if (len == 1 && (*p == '"' || *p == '\\')) {
			buf[o++] = '\\';
			buf[o++] = (char)*p;
			i++;
		} else if (len) {
			memcpy(buf + o, p, len);
			o += len;
			i += len;
		} else {
			o += (size_t)snprintf(buf + o, size - o, "\\x%02x", *p);
			i++;
		}
	}
	buf[o++] = '"';
	buf[o] = '\0';
	return buf;
}

bool log_gate_open(struct log_gate *gate, uint32_t burst)
{
	uint64_t now = clock_us() / 1000000u;

	if (gate->second != now) {
		if (gate->n_swallowed)
			log_warn(NULL, "log.swallowed", "n=%u", gate->n_swallowed);
		gate->second = now;
		gate->n = gate->n_swallowed = 0;
	}
	if (gate->n < burst) {
		gate->n++;
		return true;
	}
	gate->n_swallowed++;
	return false;
}
