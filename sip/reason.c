/* sip/reason.c - words for people in SIP headers: the Reason header (RFC 3326) both ways, display
 * names, quoted strings. Pure.
 *
 * Called by headers.c, trust.c and the leg. What goes out can break no header: control characters are
 * left out, quotes and backslashes are escaped; what comes in is cleaned by addr_name_clean(). */
#include "sip/headers.h"

#include <strings.h>

/* Copies `text` as the inside of a quoted string; never leaves half an escape or half a character. */
static size_t quote(char *buf, size_t size, const char *text)
{
	char clean[CAUSE_TEXT_BYTES];
	size_t n = 0;

	addr_name_clean(clean, sizeof(clean), text, strlen(text));
	for (const char *p = clean; *p;) {
		size_t len = (unsigned char)*p < 0x80 ? 1 : 2;

		while (len > 1 && ((unsigned char)p[len] & 0xc0) == 0x80)
			len++;
		if (n + len + 2 > size)
			break;
		if (*p == '"' || *p == '\\')
			buf[n++] = '\\';
		memcpy(buf + n, p, len);
		n += len;
		p += len;
	}
	buf[n] = '\0';
	return n;
}

/* RFC 3326 section 3.1's words. In a BYE they alone tell a call that has moved from one that was hung up. */
static const char completed_elsewhere[] = "Call completed elsewhere";

const char *sip_reason_print(char *buf, size_t size, const struct cause *cause)
{
	char text[2 * CAUSE_TEXT_BYTES];
	const char *phrase = NULL;
	unsigned code = cause->code;

	if (cause->reason == CAUSE_ELSEWHERE || cause->reason == CAUSE_HANGUP)
		code = 200;
	else if (code < 200 || code > 699)
		code = cause_sip_status(cause, &phrase);
	quote(text, sizeof(text),
	      cause->reason == CAUSE_ELSEWHERE ? completed_elsewhere : cause->text);
	snprintf(buf, size, "SIP;cause=%u%s%s%s", code, text[0] ? ";text=\"" : "", text,
		 text[0] ? "\"" : "");
	return buf;
}

const char *sip_text_read(char *dst, size_t size, const char *quoted)
{
	char plain[2 * CAUSE_TEXT_BYTES];
	size_t n = 0;

	if (!quoted) {
		dst[0] = '\0';
		return dst;
	}
	if (*quoted == '"') {
		for (const char *p = quoted + 1; *p && *p != '"' && n < sizeof(plain);
		     p++) {
			if (*p == '\\' && p[1])
				p++;
			plain[n++] = *p;
		}
		return addr_name_clean(dst, size, plain, n);
	}
	return addr_name_clean(dst, size, quoted, strlen(quoted));
}

static bool protocol_is(const sip_reason_t *re, const char *name)
{
	return re->re_protocol && !strcasecmp(re->re_protocol, name);
}

static unsigned cause_number(const sip_reason_t *re)
{
	char *end = NULL;
	unsigned long n = re->re_cause ? strtoul(re->re_cause, &end, 10) : 0;

	return end && !*end && n <= 699 ? (unsigned)n : 0;
}

void sip_reason_read(struct cause *c, const sip_reason_t *reason, unsigned status)
{
	for (const sip_reason_t *re = reason; re; re = re->re_next) {
		char text[CAUSE_TEXT_BYTES];
		unsigned n = cause_number(re);

		if (!protocol_is(re, "SIP") || n < 200)
			continue;
		sip_text_read(text, sizeof(text), re->re_text);
		/* In a request the Reason says why it ends (RFC 3326 §2). On a response the status
		 * does, and the Reason only adds words to it, when it is about the same thing. */
		if (!status && n == 200 &&
		    (c->reason == CAUSE_CANCELLED ||
		     !strcasecmp(text, completed_elsewhere)))
			cause_set(c, CAUSE_ELSEWHERE,
				  c->reason == CAUSE_CANCELLED ? NULL : CAUSE_TEXT_MOVED);
		else if (!status && (n == 408 || n == 480 ||
				     n == 481)) /* a talk ends so when a side vanishes */
			cause_set(c, CAUSE_LOST, NULL);
		else if (!status && n >= 300)
			cause_from_sip(c, n, NULL);
		else if (status && n != status)
			continue;
		if (text[0] && n >= 300)
			snprintf(c->text, sizeof(c->text), "%s", text);
		return;
	}
}

bool sip_reason_edge(char *buf, size_t size, const sip_reason_t *reason)
{
	for (const sip_reason_t *re = reason; re; re = re->re_next) {
		if (!protocol_is(re, "X-EDGE"))
			continue;
		sip_text_read(buf, size, re->re_text);
		return true;
	}
	return false;
}

int sip_name_addr_print(char *buf, size_t size, const char *name, const struct addr *addr,
			const char *tag)
{
	char quoted[2 * CAUSE_TEXT_BYTES];
	size_t n = name && *name ? quote(quoted, sizeof(quoted), name) : 0;
	int len = snprintf(buf, size, "%s%s%s<sip:%s@%s>%s%s", n ? "\"" : "",
			   n ? quoted : "", n ? "\" " : "", addr->user, addr->host,
			   tag ? ";tag=" : "", tag ? tag : "");

	return len < 0 || (size_t)len >= size ? EOVERFLOW : 0;
}
