/* tests/bench/load_sip_text.c - just enough of SIP for a load driver: where a message ends, and a
 * response to a request (RFC 3261 §8.2.6); and the descriptions that browsers send.
 *
 * Pure. Called by load_sip.c and load_calls.c. */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* the line of header `name` at or after p; its length without the line end */
static const char *line_find(const char *p, const char *end, const char *name, size_t *np)
{
	size_t n = strlen(name);

	while (p < end) {
		const char *eol = memmem(p, (size_t)(end - p), "\r\n", 2);

		if (!eol || eol == p)
			return NULL;
		if ((size_t)(eol - p) > n && !strncasecmp(p, name, n) && p[n] == ':') {
			*np = (size_t)(eol - p);
			return p;
		}
		p = eol + 2;
	}
	return NULL;
}

size_t load_sip_whole(const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4), *line;
	size_t line_n, body;

	if (!end)
		return 0;
	line = line_find(p, end + 2, "Content-Length", &line_n);
	if (!line)
		line = line_find(p, end + 2, "l", &line_n);
	body = line ? strtoul(strchr(line, ':') + 1, NULL, 10) : 0;
	end += 4;
	return (size_t)(p + n - end) >= body ? (size_t)(end - p) + body : 0;
}

size_t load_sip_reply(char *buf, size_t size, const char *req, size_t n, unsigned status,
		      const char *phrase)
{
	static const char *const names[] = {"Via", "From", "To", "Call-ID", "CSeq"};
	const char *end = memmem(req, n, "\r\n\r\n", 4);
	size_t m = (size_t)snprintf(buf, size, "SIP/2.0 %u %s\r\n", status, phrase),
	       line_n;

	if (!end)
		return 0;
	end += 2;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *p = memmem(req, n, "\r\n", 2);

		for (p += 2; (p = line_find(p, end, names[i], &line_n));
		     p += line_n + 2) {
			bool tag = i == 2 && !memmem(p, line_n, ";tag=", 5);

			m += (size_t)snprintf(buf + m, size - m, "%.*s%s\r\n",
					      (int)line_n, p, tag ? ";tag=load" : "");
		}
	}
	m += (size_t)snprintf(buf + m, size - m, "Content-Length: 0\r\n\r\n");
	return m;
}

/* What Chromium makes for one audio track, gathering complete: the length matters, not the keys. */
#define CRLF "\\r\\n"
static const char sdp_text[] =
	"v=0" CRLF "o=- 4611731400430051336 2 IN IP4 127.0.0.1" CRLF "s=load-%u" CRLF
	"t=0 0" CRLF "a=group:BUNDLE 0" CRLF "a=extmap-allow-mixed" CRLF
	"a=msid-semantic: WMS 0f1b7a30-a2f6-4c8a-9a0d-1c6a3c1f0d11" CRLF
	"m=audio 51402 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126" CRLF
	"c=IN IP4 192.0.2.41" CRLF "a=rtcp:9 IN IP4 0.0.0.0" CRLF
	"a=candidate:1467250027 1 udp 2122260223 192.0.2.41 51402 typ host generation 0 network-id 1" CRLF
	"a=candidate:435653019 1 udp 2122194687 198.51.100.7 40211 typ host generation 0 network-id 2" CRLF
	"a=candidate:1853887674 1 udp 1686052607 203.0.113.9 51402 typ srflx raddr 192.0.2.41 rport 51402 "
	"generation 0 network-id 1" CRLF
	"a=candidate:233762139 1 tcp 1518280447 192.0.2.41 9 typ host tcptype active generation 0" CRLF
	"a=ice-ufrag:Oyef" CRLF "a=ice-pwd:7xCvMqHJ8lG0cCZ4m0Zp0Y2a" CRLF
	"a=ice-options:trickle" CRLF
	"a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:"
	"D0:A1:2C:19:08" CRLF "a=setup:%s" CRLF "a=mid:0" CRLF
	"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level" CRLF
	"a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time" CRLF
	"a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01" CRLF
	"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid" CRLF "a=sendrecv" CRLF
	"a=msid:0f1b7a30-a2f6-4c8a-9a0d-1c6a3c1f0d11 9b7d2c11-6d3e-4e0b-8d11-7f1f6c0a5521" CRLF
	"a=rtcp-mux" CRLF "a=rtcp-rsize" CRLF "a=rtpmap:111 opus/48000/2" CRLF
	"a=rtcp-fb:111 transport-cc" CRLF "a=fmtp:111 minptime=10;useinbandfec=1" CRLF
	"a=rtpmap:63 red/48000/2" CRLF "a=fmtp:63 111/111" CRLF
	"a=rtpmap:9 G722/8000" CRLF "a=rtpmap:0 PCMU/8000" CRLF
	"a=rtpmap:8 PCMA/8000" CRLF "a=rtpmap:13 CN/8000" CRLF
	"a=rtpmap:110 telephone-event/48000" CRLF "a=rtpmap:126 telephone-event/8000" CRLF
	"a=ssrc:2231627014 cname:w0q2W1m5bHZq5G1N" CRLF
	"a=ssrc:2231627014 msid:0f1b7a30-a2f6-4c8a-9a0d-1c6a3c1f0d11 9b7d2c11-6d3e-4e0b-8d11-7f1f6c0a5521" CRLF
	"a=end-of-candidates" CRLF; /* half trickle: all of them are above */

const char *load_sdp_json(char *buf, size_t size, bool answer, uint32_t n)
{
	if ((size_t)snprintf(buf, size, sdp_text, n, answer ? "active" : "actpass") >=
	    size)
		load_die("the description does not fit");
	return buf;
}
