/* sip/edge/reply.c - see reply.h. Edge thread. Called by the two directions. */
#include "sip/edge/reply.h"

#include "lib/secret.h"
#include "sip/edge/address.h"

const char *reply_phrase(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 416:
		return "Unsupported URI Scheme";
	case 481:
		return "Call/Transaction Does Not Exist";
	case 487:
		return "Request Terminated";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "Version Not Supported";
	case 513:
		return "Message Too Large";
	default:
		return "Error";
	}
}

static bool reply_has_tag(const struct pl *to)
{
	struct pl uri, params, tag;

	return !address_split(to, &uri, &params) && message_param(&params, "tag", &tag);
}

static int reply_line(struct mbuf *mb, const char *name, const struct message_line *ml,
		      const char *tag)
{
	int err = mbuf_write_str(mb, name);

	if (!err && ml->value.l)
		err = mbuf_write_pl(mb, &ml->value);
	if (!err && tag) {
		err = mbuf_write_str(mb, ";tag=");
		err |= mbuf_write_str(mb, tag);
	}
	return err | mbuf_write_str(mb, "\r\n");
}

int reply_lines(struct mbuf *mb, const struct message *request)
{
	static const struct {
		enum header header;
		const char *name;
	} copied[] = {
		{HEADER_FROM, "From: "},
		{HEADER_TO, "To: "},
		{HEADER_CALL_ID, "Call-ID: "},
		{HEADER_CSEQ, "CSeq: "},
	};
	const struct message_line *ml;
	char tag[17];
	int err = 0;

	for (size_t i = 0; (ml = message_line(request, HEADER_VIA, i)) && !err; i++)
		err = reply_line(mb, "Via: ", ml, NULL);
	for (size_t i = 0; i < N_ELEMS(copied) && !err; i++) {
		bool add_tag;

		ml = message_line(request, copied[i].header, 0);
		if (!ml)
			continue;
		add_tag = copied[i].header == HEADER_TO && !reply_has_tag(&ml->value);
		if (add_tag)
			secret_hex(tag, 16);
		err = reply_line(mb, copied[i].name, ml, add_tag ? tag : NULL);
	}
	return err ? ENOMEM : 0;
}

int reply_write(struct mbuf *mb, unsigned status, const struct pl *lines,
		const char *extra)
{
	char first[80];
	int err;

	snprintf(first, sizeof(first), "SIP/2.0 %03u %s\r\n", status % 1000,
		 reply_phrase(status));
	err = mbuf_write_str(mb, first);
	if (!err && lines->l)
		err = mbuf_write_pl(mb, lines);
	if (!err && extra)
		err = mbuf_write_str(mb, extra);
	if (!err)
		err = mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");
	return err ? ENOMEM : 0;
}

void reply_reason(char buf[REPLY_REASON_MAX], unsigned cause, const char *text)
{
	size_t n;

	n = (size_t)snprintf(buf, REPLY_REASON_MAX, "Reason: X-EDGE;cause=%u;text=\"",
			     cause);
	for (; *text && n < REPLY_REASON_MAX - 4; text++) {
		unsigned char c = (unsigned char)*text;

		buf[n++] = c < ' ' || c > '~' || c == '"' || c == '\\' ? ' ' : (char)c;
	}
	memcpy(buf + n, "\"\r\n", 4);
}
