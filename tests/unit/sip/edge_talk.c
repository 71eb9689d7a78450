/* edge_talk.c - see edge_talk.h. */
#include "tests/unit/sip/edge_talk.h"

#include <unistd.h>

struct edge_world w;
struct stream from_edge, to_edge, peer;
char text[WORLD_TEXT], value[WORLD_TEXT], other[WORLD_TEXT];
int listen_fd;
bool up;

void talk_begin_with(uint32_t unproved_rate)
{
	uint16_t port;

	world_make(&w);
	listen_fd = stream_listen(&port);
	world_peer(&w, "beta.test", TRANSPORT_TLS, port);
	world_peer(&w, "plain.test", TRANSPORT_TCP, port);
	w.config.limits.sip_conns_per_addr = 6;
	w.config.limits.sip_unproved_rate = unproved_rate;
	world_start(&w);
	up = false;
}

int talk_begin(void **state)
{
	(void)state;
	talk_begin_with(1000);
	return 0;
}

int talk_end(void **state)
{
	(void)state;
	if (up)
		stream_close(&from_edge);
	world_end(&w);
	close(listen_fd);
	return 0;
}

void at_sofia(const char *first)
{
	if (!up)
		stream_accept(&from_edge, w.sofia_fd);
	up = true;
	assert_true(stream_read(&from_edge, text));
	if (strncmp(text, first, strlen(first)))
		fail_msg("at Sofia: %s\nwanted: %s", text, first);
}

void at_peer(const char *first)
{
	if (!stream_read(&peer, text))
		fail_msg("the peer's connection ended before %s", first);
	if (strncmp(text, first, strlen(first)))
		fail_msg("at the peer: %s\nwanted: %s", text, first);
}

void sofia_answers(struct stream *s, const char *request, const char *status,
		   const char *extra)
{
	char via[WORLD_TEXT], vias[2 * WORLD_TEXT] = "";

	for (unsigned i = 0; *sip_header(via, request, "Via", i); i++)
		snprintf(vias + strlen(vias), sizeof(vias) - strlen(vias),
			 "Via: %s%s\r\n", via, i ? "" : ";rport=4444;received=127.0.0.1");
	sip_header(value, request, "CSeq", 0);
	stream_send(
		s,
		"SIP/2.0 %s\r\n%sFrom: <sip:b@beta.test>;tag=1\r\nTo: <sip:a@alpha.test>;tag=2\r\nCall-ID: c1\r\n"
		"CSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
		status, vias, value, extra);
}

const char *branch_of(const char *message)
{
	static char branchv[16][64];
	static unsigned i;
	const char *p = strstr(sip_header(value, message, "Via", 0), "branch=");
	char *branch = branchv[++i % 16];

	assert_non_null(p);
	snprintf(branch, sizeof(branchv[0]), "%.*s", (int)strcspn(p + 7, ";"), p + 7);
	return branch;
}

void sofia_sends(const char *method, const char *branch, const char *joint,
		 const char *to, const char *uri)
{
	char header[400] = "";

	if (joint)
		snprintf(header, sizeof(header), "%s: %s\r\n", JOINT_HEADER, joint);
	stream_send(
		&to_edge,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=%s;rport\r\n%s"
		"From: <sip:a@alpha.test>;tag=1\r\nTo: %s\r\nCall-ID: c2\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n"
		"x-sluss-edge2: stays\r\nContent-Length: 2\r\n\r\nhi",
		method, uri, branch, header, to, method);
}

void peer_accepts(void)
{
	stream_accept(&peer, listen_fd);
	assert_int_equal(stream_tls(&peer, &w, true, "beta.test", NULL), 0);
}

void peer_answers(const char *request, const char *status, const char *vias,
		  const char *extra)
{
	char from[WORLD_TEXT], via[WORLD_TEXT];

	sip_header(from, request, "From", 0);
	sip_header(via, request, "Via", 0);
	sip_header(value, request, "CSeq", 0);
	stream_send(
		&peer,
		"SIP/2.0 %s\r\nVia: %s\r\n%sFrom: %s\r\nTo: <sip:b@beta.test>;tag=9\r\nCall-ID: c2\r\nCSeq: %s\r\n"
		"%sContent-Length: 0\r\n\r\n",
		status, via, vias, from, value, extra);
}
