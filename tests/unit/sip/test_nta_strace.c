/* test_nta_strace.c - Sofia connects to the edge and to nothing else, and asks no DNS.
 *
 *   this test ──► strace -f THIS PROGRAM calls ──► calls both ways, forks, hosts that do not resolve
 *       └── reads the list of connect() and sendto(): loopback, and the two ports of the joint only */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/sip/sip_peer.h"
#include "tests/unit/sip/sip_standin.h"

#define CONTACT "Contact: <sip:bob@nowhere.peer.example;transport=tls>\n"
#define ROUTES                                                                           \
	"Record-Route: <sip:proxy.peer.example;transport=tls;lr>,<sip:other.peer.example;lr>\n"

static char *self;

/* ---- the traced half ---- */

static void calls(void **state)
{
	struct dialog d;
	struct message m, r;
	struct leg *leg;

	(void)state;
	printf("PORTS %u %u\n", (unsigned)standin_port(),
	       (unsigned)sip_agent_port(peer->sip));
	fflush(stdout);
	leg = peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", ROUTES CONTACT, NULL);
	message_answer(&m, 183, "Progress", "B",
		       ROUTES CONTACT "Require: 100rel\nRSeq: 1\n", peer_sdp_b);
	peer_expect(&r, "PRACK ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	message_answer(&m, 200, "OK", "B", ROUTES CONTACT, NULL);
	peer_expect(&r, "ACK sip:bob@nowhere.peer.example;transport=tls ");
	message_answer(&m, 200, "OK", "C",
		       "Contact: <sip:bob@plain.peer.example:5999;transport=tcp>\n",
		       peer_sdp_b);
	peer_expect(&r, "ACK ");
	peer_expect(&r, "BYE ");
	message_answer(&r, 200, "OK", NULL, "", NULL);
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&r, "BYE ");
	assert_non_null(strstr(HEADER(&r, "Route"), "other.peer.example"));
	message_answer(&r, 200, "OK", NULL, "", NULL);

	leg = peer_call_out(); /* two 200s without 18x, CANCEL, a refusal */
	peer_expect(&m, "INVITE ");
	message_answer(&m, 200, "OK", "A", CONTACT, peer_sdp_b);
	peer_expect(&r, "ACK ");
	message_answer(&m, 200, "OK", "B",
		       "Contact: <sip:bob@plain.peer.example;transport=tcp>\n",
		       peer_sdp_b);
	peer_expect(&r, "ACK ");
	peer_expect(&r, "BYE ");
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&r, "BYE ");
	leg = peer_call_out();
	peer_expect(&m, "INVITE ");
	message_answer(&m, 180, "Ringing", "A", CONTACT, NULL);
	peer_settle();
	peer_end(leg, CAUSE_CANCELLED);
	peer_expect(&r, "CANCEL ");
	message_answer(&m, 487, "Terminated", "A", "", NULL);
	peer_expect(&r, "ACK ");

	leg = peer_call_in(&d); /* answered after its connection has gone */
	peer_inner_close(true);
	peer_settle();
	peer_inner_open();
	struct body *b = peer_body(peer_sdp_a);
	assert_int_equal(leg->ops->answer(leg, b), 0);
	mem_deref(b);
	peer_expect(&m, "SIP/2.0 200 ");
	dialog_learn(&d, &m);
	dialog_send(&d, "ACK", 1, "ack", PEER_DOMAIN, "", NULL);
	peer_settle();
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&r, "BYE ");
}

static int traced(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(calls, peer_setup, peer_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ---- the judging half ---- */

static bool strace_works(const char *log)
{
	char cmd[400];
	int status;
	pid_t pid = fork();

	if (!pid) {
		snprintf(cmd, sizeof(cmd), "%s", log);
		if (!freopen("/dev/null", "w", stderr))
			_exit(126);
		execlp("strace", "strace", "-o", cmd, "-e", "trace=connect", "true",
		       (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Runs the traced half; gives its exit status, its output goes to `out`. */
static int run(const char *log, const char *out)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		setenv("ASAN_OPTIONS", "detect_leaks=0",
		       1); /* LeakSanitizer cannot be traced */
		if (!freopen(out, "w", stdout))
			_exit(126);
		execlp("strace", "strace", "-f", "-o", log, "-e",
		       "trace=connect,sendto,sendmsg,sendmmsg", self, "calls",
		       (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static unsigned port_in(const char *line)
{
	const char *p = strstr(line, "sin_port=htons(");

	return p ? (unsigned)strtoul(p + strlen("sin_port=htons("), NULL, 10) : 0;
}

static void only_the_edge(void **state)
{
	char dir[] = "/tmp/sluss-strace-XXXXXX", log[64], out[64], line[4096];
	unsigned edge = 0, sofia = 0, n_edge = 0;
	FILE *f;
	int rc;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(log, sizeof(log), "%s/log", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	if (!strace_works(log)) {
		print_message("strace is missing or may not trace here\n");
		unlink(log);
		rmdir(dir);
		skip();
	}
	rc = run(log, out);
	f = fopen(out, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "PORTS ", 6)) {
			char *end;

			edge = (unsigned)strtoul(line + 6, &end, 10);
			sofia = (unsigned)strtoul(end, NULL, 10);
		}
	}
	fclose(f);
	assert_int_equal(rc, 0);
	assert_true(edge && sofia);
	f = fopen(log, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned port = port_in(line);

		if (strstr(line, "AF_INET6") || strstr(line, "AF_UNIX") ||
		    (port && port != edge && port != sofia) ||
		    (port && !strstr(line, "127.0.0.1")))
			fail_msg("Sofia spoke to somebody else: %s", line);
		n_edge += port == edge && strstr(line, "connect(");
	}
	fclose(f);
	assert_true(n_edge >= 1);
	unlink(log);
	unlink(out);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_the_edge)};

	self = argv[0];
	if (argc > 1)
		return traced();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
