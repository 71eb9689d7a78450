/* test_sip_udp.c - whoever speaks by UDP is refused, with the answer that fits, at his own address.
 *   test's socket ── datagram ──► sip/udp.c */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "lib/log.h"
#include "sip/udp.h"
#include "tests/unit/sip/sip_peer.h"

static int fd;
static struct sockaddr_in daemon_addr;

static int setup(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	struct sa sa;
	char *why = NULL;
	int probe = socket(AF_INET, SOCK_DGRAM, 0);

	peer_setup(state);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(bind(probe, (struct sockaddr *)&sin, sizeof(sin)),
			 0); /* a free port */
	assert_int_equal(getsockname(probe, (struct sockaddr *)&daemon_addr, &len), 0);
	sa_set_str(&sa, "127.0.0.1", ntohs(daemon_addr.sin_port));
	assert_int_equal(sip_udp_listen(peer->sip, &sa, &why), EADDRINUSE);
	assert_non_null(strstr(why, "cannot be opened"));
	mem_deref(why);
	close(probe);
	assert_int_equal(sip_udp_listen(peer->sip, &sa, &why), 0);
	return 0;
}

static int teardown(void **state)
{
	close(fd);
	return peer_teardown(state);
}

static void say(const char *text)
{
	assert_true(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&daemon_addr,
			   sizeof(daemon_addr)) > 0);
	peer_settle();
}

static const char *hear(void)
{
	static char buf[8000];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static const char *request(const char *method, const char *uri, const char *extra,
			   const char *via)
{
	static char text[4000];

	snprintf(
		text, sizeof(text),
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9%s;branch=z9hG4bKu\r\nMax-Forwards: 70\r\n"
		"From: <sip:bob@peer.example>;tag=1\r\nTo: <sip:alice@alpha.example>\r\nCall-ID: udp\r\n"
		"CSeq: 1 %s\r\n%sContent-Length: 0\r\n\r\n",
		method, uri, via, method, extra);
	return text;
}

static void answers(void **state)
{
	static const struct {
		const char *method, *uri, *extra, *line;
	} rows[] = {
		{"INVITE", "sip:alice@alpha.example", "", "SIP/2.0 403 "},
		{"OPTIONS", "sip:alice@alpha.example", "", "SIP/2.0 200 "},
		{"REGISTER", "sip:alpha.example", "", "SIP/2.0 405 "},
		{"FROB", "sip:alpha.example", "", "SIP/2.0 501 "},
		{"INVITE", "nobody:x", "", "SIP/2.0 416 "},
		{"INVITE", "sip:alice@alpha.example", "Require: frob\r\n",
		 "SIP/2.0 420 "},
		{"INVITE", "sip:alice@alpha.example", "Accept: text/plain\r\n",
		 "SIP/2.0 406 "},
		{"BYE", "sip:alice@alpha.example", "", "SIP/2.0 403 "},
		{"CANCEL", "sip:alice@alpha.example", "", "SIP/2.0 481 "},
		{"INVITE", "sip:alice@alpha.example", "Session-Expires: x\r\n",
		 "SIP/2.0 400 "},
	};
	const char *a;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		say(request(rows[i].method, rows[i].uri, rows[i].extra, ";rport"));
		a = hear();
		if (strncmp(a, rows[i].line, strlen(rows[i].line)))
			fail_msg("row %zu: wanted %s, got %s", i, rows[i].line, a);
		assert_non_null(strstr(a, ";received=127.0.0.1"));
		assert_non_null(strstr(a, "tag="));
		assert_null(strcasestr(a, JOINT_HEADER)); /* the secret stays inside */
		assert_null(strstr(a, peer->sip->secret));
	}
	assert_int_equal(peer->n_calls, 0);
	assert_true(peer_quiet());
}

/* The first of all: the log swallows more than two of them a second. */
static void the_log_says_from_where(void **state)
{
	char want[64], line[1024];
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int ends[2];
	ssize_t n;

	(void)state;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	snprintf(want, sizeof(want),
		 "via=udp peer=127.0.0.1:%u method=", ntohs(sin.sin_port));
	assert_int_equal(pipe(ends), 0);
	log_fd_set(ends[1]);
	log_level_set(LOG_WARN);
	say(request("INVITE", "sip:alice@alpha.example", "", ";rport"));
	log_level_set(LOG_ERR);
	log_fd_set(STDERR_FILENO);
	close(ends[1]);
	n = read(ends[0], line, sizeof(line) - 1);
	close(ends[0]);
	assert_true(n > 0);
	line[n] = '\0';
	if (!strstr(line, want))
		fail_msg("want\n%s\ngot\n%s", want, line);
}

/* No answer, no crash, no look-up: ACK, responses, noise, and Vias that point elsewhere. */
static void noise(void **state)
{
	static const char *const texts[] = {
		"\r\n\r\n",
		"hello, is this SIP/2.0?\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:9\r\n\r\n",
		"INVITE sip:alice@alpha.example SIP/2.0\r\n\r\n",
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(texts); i++) {
		say(texts[i][0]
			    ? texts[i]
			    : "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11");
		assert_string_equal(hear(), "");
	}
	say(request("ACK", "sip:alice@alpha.example", "", ";rport"));
	assert_string_equal(hear(), "");
	/* NTA would look these up, blocking, and answer there */
	say(request("OPTIONS", "sip:alice@alpha.example", "",
		    ";rport;maddr=nowhere.peer.example"));
	assert_int_equal(strncmp(hear(), "SIP/2.0 200 ", 12), 0);
	say(request(
		"OPTIONS", "sip:alice@alpha.example", "",
		";rport;maddr=[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff:0000]"));
	assert_int_equal(strncmp(hear(), "SIP/2.0 ", 8), 0);
}

/* A flood is answered a little, and then not at all. */
static void flood(void **state)
{
	unsigned n = 0;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		const char *text =
			request("OPTIONS", "sip:alice@alpha.example", "", ";rport");

		sendto(fd, text, strlen(text), 0, (struct sockaddr *)&daemon_addr,
		       sizeof(daemon_addr));
		if (i % 50 == 49)
			peer_settle();
		while (*hear())
			n++;
	}
	peer_settle();
	while (*hear())
		n++;
	assert_in_range(n, 1, 599);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {T(the_log_says_from_where), T(answers),
					   T(noise), T(flood)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
