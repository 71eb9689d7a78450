/* tests/unit/sip/trunk_peer.h - a trunk made of text, for the tests of trunks by UDP. Each includes it once.
 *
 *   call ──► leg ──► NTA ──► joint for datagrams ══ UDP ══► the test's socket, which is the trunk
 * The call is sip_peer.c's: no media plane is needed. The clock is the test's. */
#ifndef SLUSS_TESTS_UNIT_SIP_TRUNK_PEER_H
#define SLUSS_TESTS_UNIT_SIP_TRUNK_PEER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "lib/log.h"
#include "sip/trunk.h"
#include "sip/udp.h"
#include "tests/unit/sip/sip_peer.h"
#include "tests/unit/sip/sip_standin.h"

static const char
	sdp[] = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 "
		"0\r\nm=audio 4000 RTP/AVP 8\r\n",
	sdp2[] = "v=0\r\no=- 1 2 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 "
		 "0\r\nm=audio 4002 RTP/AVP 8\r\n";

static struct trunk_config trunkv[2];
static struct number_config numberv[1];
static int fd, other; /* the trunk; somebody else */
static struct sockaddr_in daemon_addr;

static inline int udp_socket(uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(s >= 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return s;
}

static bool registers, two;

static inline void tune(struct config *config)
{
	struct trunk_config *t = &trunkv[0];
	static char auth_user[] = "4930", realm[] = "provider.example";
	uint16_t port, port2;

	memset(trunkv, 0, sizeof(trunkv));
	fd = udp_socket(&port);
	other = udp_socket(&port2);
	snprintf(t->name, sizeof(t->name), "provider");
	t->transport = TRANSPORT_UDP;
	sa_set_str(&t->addressv[0].sa, "127.0.0.1", port);
	t->addressv[0].port = port;
	t->n_addresses = 1;
	if (two) {
		sa_set_str(&t->addressv[1].sa, "127.0.0.1", port2);
		t->n_addresses = 2;
	}
	snprintf(t->site, sizeof(t->site), "%s", PEER_SITE);
	snprintf(t->from_domain, sizeof(t->from_domain), "provider.example");
	t->plan = (struct number_plan){"49", "0", "00"};
	t->format = NUMBER_PLAIN;
	t->n_caller_ids = 2;
	t->caller_idv[0].kind = CALLER_ID_OWN;
	t->caller_idv[1].kind = CALLER_ID_NAME;
	t->media = LEG_RTP;
	t->calls = 3;
	t->auth_user = auth_user;
	t->password = base_dup("secret", 6);
	t->realm = realm;
	t->registers = registers;
	t->expires_s = 600;
	config->trunkv = trunkv;
	config->n_trunks = 1;
	snprintf(numberv[0].number, sizeof(numberv[0].number), "+49301234");
	snprintf(numberv[0].user, sizeof(numberv[0].user), "alice");
	config->sitev[0].numberv = numberv;
	config->sitev[0].n_numbers = 1;
	config->sitev[0].plan = t->plan;
	config->sipv[1].transport = TRANSPORT_UDP;
	sa_set_str(&config->sipv[1].sa, "127.0.0.1", 0);
	config->n_sip = 2;
}

static inline int setup_with(void **state)
{
	struct sa any;

	peer_tune = tune;
	peer_setup(state);
	sa_set_str(&any, "127.0.0.1", 1);
	daemon_addr = (struct sockaddr_in){.sin_family = AF_INET};
	daemon_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	daemon_addr.sin_port = htons(sip_udp_port(peer->sip, &any));
	return 0;
}

static inline int setup(void **state)
{
	registers = two = false;
	return setup_with(state);
}

static inline int setup_registers(void **state)
{
	registers = true;
	two = false;
	return setup_with(state);
}

static inline int setup_two(void **state)
{
	registers = false;
	two = true;
	return setup_with(state);
}

static inline int teardown(void **state)
{
	int err = peer_teardown(state);

	mem_deref(trunkv[0].password);
	close(fd);
	close(other);
	peer_tune = NULL;
	return err;
}

/* ---- the trunk's wire ---- */

static inline void say_from(int s, const char *text)
{
	static char crlf[20000];
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		if (*p == '\n' && (p == text || p[-1] != '\r'))
			crlf[n++] = '\r';
		crlf[n++] = *p;
	}
	assert_int_equal(sendto(s, crlf, n, 0, (struct sockaddr *)&daemon_addr,
				sizeof(daemon_addr)),
			 (ssize_t)n);
	peer_settle();
}

static inline bool heard_at(int s, struct message *m)
{
	ssize_t n;

	peer_settle();
	n = recv(s, m->text, sizeof(m->text) - 1, 0);
	if (n < 0)
		return false;
	m->text[n] = '\0';
	m->n = (size_t)n;
	return true;
}

static inline void expect_at(int s, struct message *m, const char *start)
{
	if (!heard_at(s, m))
		fail_msg("waited for \"%s\", nothing came", start);
	if (strncmp(m->text, start, strlen(start)) != 0)
		fail_msg("waited for \"%s\", got:\n%s", start, m->text);
	assert_null(strstr(m->text, JOINT_HEADER)); /* nothing of the inside gets out */
}

static inline void expect(struct message *m, const char *start)
{
	expect_at(fd, m, start);
}

static inline void silence(void)
{
	static struct message m;

	if (heard_at(fd, &m))
		fail_msg("nothing was to come, but:\n%s", m.text);
}

/* What NTA has repeated meanwhile. */
static inline void drain(void)
{
	static struct message m;

	while (heard_at(fd, &m))
		;
}

static inline void reply_from(int s, const struct message *rq, unsigned status,
			      const char *tag, const char *extra, const char *body)
{
	static char text[10000];

	snprintf(
		text, sizeof(text),
		"SIP/2.0 %u Because\nVia: %s\nFrom: %s\nTo: %s%s%s\nCall-ID: %s\nCSeq: %s\n"
		"%s%sContent-Length: %zu\n\n%s",
		status, HEADER(rq, "Via"), HEADER(rq, "From"), HEADER(rq, "To"),
		tag ? ";tag=" : "", tag ? tag : "", HEADER(rq, "Call-ID"),
		HEADER(rq, "CSeq"), extra, body ? "Content-Type: application/sdp\n" : "",
		body ? strlen(body) : 0, body ? body : "");
	say_from(s, text);
}

static inline void reply(const struct message *rq, unsigned status, const char *tag,
			 const char *extra, const char *body)
{
	reply_from(fd, rq, status, tag, extra, body);
}

#define GUNDA   "\"Gunda\" <sip:040567@provider.example>;tag=g"
#define ALICE   "<sip:+49301234@127.0.0.1>"
#define CONTACT "Contact: <sip:gw@10.0.0.1:5080>\n"

static inline void ask(const char *method, const char *call_id, unsigned cseq,
		       const char *from, const char *to, const char *uri,
		       const char *branch, const char *extra, const char *body)
{
	static char text[10000];

	snprintf(text, sizeof(text),
		 "%s %s SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.1:5080;branch=z9hG4bK%s;rport\n"
		 "Max-Forwards: 70\nFrom: %s\nTo: %s\nCall-ID: %s\nCSeq: %u %s\n" CONTACT
		 "%s%sContent-Length: %zu\n\n%s",
		 method, uri, branch, from, to, call_id, cseq, method, extra,
		 body ? "Content-Type: application/sdp\n" : "", body ? strlen(body) : 0,
		 body ? body : "");
	say_from(fd, text);
}

/* ---- the call's side ---- */

static inline struct leg *call_out(const char *number, const char *name)
{
	struct call *call = &peer->callv[peer->n_calls++];
	struct party from = {.site_verified = true};
	struct addr to = {.host = PEER_SITE};
	struct body *offer = peer_body(sdp);
	struct leg *leg;

	snprintf(from.addr.user, sizeof(from.addr.user), "%s", name);
	snprintf(from.addr.host, sizeof(from.addr.host), "%s", PEER_SITE);
	snprintf(from.name, sizeof(from.name), "Alice \"A\"");
	snprintf(to.user, sizeof(to.user), "%s", number);
	assert_int_equal(invite_alloc(&call->invite, &from, &to, offer, 69), 0);
	mem_deref(offer);
	snprintf(call->invite->call_id, sizeof(call->invite->call_id), "%016u", 7u);
	assert_int_equal(peer->core.trunks->leg_alloc(&leg, peer->core.trunks_arg, call,
						      &trunkv[0]),
			 0);
	call->leg = leg;
	leg->call = call;
	assert_int_equal(leg->media, LEG_RTP);
	assert_int_equal(leg->ops->invite(leg, call->invite), 0);
	return leg;
}

#endif
