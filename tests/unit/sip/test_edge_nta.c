/* test_edge_nta.c - many peers share the one connection to Sofia: whatever one of them
 * sends, the others do not feel it.
 *
 *   good peer ══ TLS ══╗
 *                      edge ══ our connection ══► Sofia's NTA (a thread of this test): answers 200 to everything;
 *   bad peer  ══ TLS ══╝                          the good INVITE rings until a MESSAGE comes
 *
 * NTA half-closes a stream after a message with a bad header and stops reading it after
 * one that it cannot parse at all; here it is set to be as touchy as it can be.
 * docs/decisions/0001-one-inner-connection.md */
#include "tests/unit/sip/edge_world.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/log.h"
#include "sip/sofia.h"

static struct edge_world w;
static struct stream good, bad;
static char text[WORLD_TEXT], value[WORLD_TEXT];

/* ---- Sofia ---- */

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ready;
	uint16_t port;
	su_root_t *root;
	nta_agent_t *agent;
	nta_incoming_t *ringing;
	atomic_bool stop;
} nta = {.lock = PTHREAD_MUTEX_INITIALIZER, .ready = PTHREAD_COND_INITIALIZER};

static int on_invite(nta_incoming_magic_t *magic, nta_incoming_t *irq, sip_t const *sip)
{
	(void)magic;
	(void)irq;
	(void)sip;
	return 0;
}

static int on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *irq,
		      sip_t const *sip)
{
	bool from_good = !strncmp(sip->sip_call_id->i_id, "good", 4);

	(void)magic;
	(void)leg;
	if (sip->sip_request->rq_method == sip_method_invite && from_good) {
		nta.ringing = irq;
		nta_incoming_bind(irq, on_invite, NULL);
		return 180;
	}
	if (sip->sip_request->rq_method == sip_method_message && from_good) {
		nta_incoming_treply(nta.ringing, SIP_200_OK, TAG_END());
		nta.ringing = NULL;
	}
	return 200;
}

static int on_message(nta_agent_magic_t *magic, nta_agent_t *agent, msg_t *msg,
		      sip_t *sip)
{
	(void)magic;
	(void)agent;
	(void)sip;
	msg_destroy(msg);
	return 0;
}

static void *nta_run(void *arg)
{
	nta_leg_t *leg;
	sip_via_t const *via;

	(void)arg;
	su_init();
	nta.root = su_root_create(NULL);
	su_root_threading(nta.root, 0);
	nta.agent = nta_agent_create(
		nta.root, URL_STRING_MAKE("sip:127.0.0.1:0;transport=tcp"), on_message,
		NULL, NTATAG_UA(1), NTATAG_USE_NAPTR(0), NTATAG_USE_SRV(0),
		NTATAG_SERVER_RPORT(0), NTATAG_MERGE_482(1), NTATAG_MAXSIZE(262144),
		TAG_END());
	if (!nta.agent)
		abort();
	leg = nta_leg_tcreate(nta.agent, on_request, NULL, NTATAG_NO_DIALOG(1),
			      TAG_END());
	via = nta_agent_via(nta.agent);
	pthread_mutex_lock(&nta.lock);
	nta.port = (uint16_t)strtoul(via->v_port, NULL, 10);
	pthread_cond_signal(&nta.ready);
	pthread_mutex_unlock(&nta.lock);
	while (!nta.stop)
		su_root_step(nta.root, 20);
	nta_leg_destroy(leg);
	nta_agent_destroy(nta.agent);
	su_root_destroy(nta.root);
	su_deinit();
	return NULL;
}

static int begin(void **state)
{
	char *why = NULL;

	(void)state;
	world_make(&w);
	nta.stop = false;
	nta.port = 0;
	pthread_create(&nta.thread, NULL, nta_run, NULL);
	pthread_mutex_lock(&nta.lock);
	while (!nta.port)
		pthread_cond_wait(&nta.ready, &nta.lock);
	pthread_mutex_unlock(&nta.lock);
	assert_int_equal(mailbox_alloc(&w.events, "test", sizeof(struct edge_event),
				       65536, NULL, NULL, NULL),
			 0);
	w.sofia_fd = -1;
	assert_int_equal(edge_alloc(&w.edge, &why, &w.config, WORLD_SECRET, w.events), 0);
	assert_int_equal(edge_start(w.edge, nta.port), 0);
	peer_dial(&good, &w, "beta.test", "alpha.test");
	return 0;
}

static int end(void **state)
{
	(void)state;
	stream_close(&good);
	world_end(&w);
	nta.stop = true;
	pthread_join(nta.thread, NULL);
	return 0;
}

/* ---- peers ---- */

static void good_sends(const char *method, unsigned n)
{
	stream_send(
		&good,
		"%s sip:a@alpha.test SIP/2.0\r\nVia: SIP/2.0/TLS beta.test;branch=z9hG4bKgood%s%u\r\n"
		"From: <sip:b@beta.test>;tag=1\r\nTo: <sip:a@alpha.test>\r\nCall-ID: good-%u\r\nCSeq: %u %s\r\n"
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		method, method, n, n, n, method);
}

static void good_gets(const char *status, const char *cseq)
{
	if (!stream_read(&good, text))
		fail_msg("the good peer lost its connection");
	if (strncmp(text, status, strlen(status)) ||
	    strcmp(sip_header(value, text, "CSeq", 0), cseq))
		fail_msg("the good peer got: %s", text);
}

static void still_well(unsigned n)
{
	char cseq[32];

	good_sends("OPTIONS", n);
	snprintf(cseq, sizeof(cseq), "%u OPTIONS", n);
	good_gets("SIP/2.0 200 ", cseq);
}

/* Sends it over a connection of its own and reads what comes, until the edge has nothing
 * more to say: a ping tells. */
static void bad_sends(const char *p, size_t n)
{
	size_t at = 0;

	peer_dial(&bad, &w, NULL, NULL);
	assert_int_equal(SSL_write(bad.ssl, p, (int)n), n);
	if (SSL_write(bad.ssl, "\r\n\r\n", 4) == 4) {
		int r;

		/* The pong comes behind whatever the edge itself answered; or the end. */
		while (at < sizeof(text) - 1 &&
		       (r = SSL_read(bad.ssl, text + at, 1)) == 1)
			if (++at >= 2 && !memcmp(text + at - 2, "\r\n", 2) &&
			    (at == 2 ||
			     (at >= 6 && !memcmp(text + at - 6, "\r\n\r\n\r\n", 6))))
				break;
	}
	stream_close(&bad);
}

/* ---- tests ---- */

static void torture_hurts_nobody(void **state)
{
	const char *top = getenv("top_srcdir");
	static const char *const dirs[] = {"rfc4475/dat", "rfc5118"};
	static char bytes[65536];
	unsigned n = 0;

	(void)state;
	good_sends("INVITE", 1);
	good_gets("SIP/2.0 180 ", "1 INVITE");
	for (size_t i = 0; i < N_ELEMS(dirs); i++) {
		char path[512];
		struct dirent *de;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/tests/abuse/vectors/%s", top ? top : ".",
			 dirs[i]);
		dir = opendir(path);
		if (!dir)
			fail_msg("%s is not there", path);
		while ((de = readdir(dir))) {
			char file[800];
			FILE *f;
			size_t len;

			if (de->d_type != DT_REG)
				continue;
			snprintf(file, sizeof(file), "%s/%s", path, de->d_name);
			f = fopen(file, "rb");
			assert_non_null(f);
			len = fread(bytes, 1, sizeof(bytes), f);
			fclose(f);
			bad_sends(bytes, len);
			still_well(1000 + n++);
		}
		closedir(dir);
	}
	assert_true(n >= 60);
	/* The call that rang through all of it is answered. */
	good_sends("MESSAGE", 5000);
	for (unsigned got = 0; got < 2; got++) {
		assert_true(stream_read(&good, text));
		assert_int_equal(strncmp(text, "SIP/2.0 200 ", 12), 0);
	}
}

/* Headers that pass the edge and that Sofia refuses, a hundred of each: pending calls,
 * traffic and the one who answers by another connection all live on. */
static void bad_headers_hurt_nobody(void **state)
{
	static const struct {
		const char *method, *from, *extra;
	} cases[] = {
		{"OPTIONS", "\"open <sip:b@b.test>;tag=1", ""},
		{"OPTIONS", "<sip:b@b.test>;tag=1", "Contact: <<>>\r\n"},
		{"OPTIONS", "<sip:b@b.test>;tag=1", "Max-Forwards: -1\r\n"},
		{"OPTIONS", "<sip:b@b.test>;tag=1", "Via: nonsense\r\n"},
		{"OPTIONS", "<sip:b@b.test>;tag=1",
		 "Date: yesterday\r\nExpires: x\r\nContent-Type: \r\n"},
		/* No response tells who it was. */
		{"ACK", "\"open <sip:b@b.test>;tag=1", ""},
		{"ACK", "<sip:b@b.test>;tag=1", "Max-Forwards: -1\r\n"},
	};
	static char bytes[4096];

	(void)state;
	good_sends("INVITE", 1);
	good_gets("SIP/2.0 180 ", "1 INVITE");
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		peer_dial(&bad, &w, NULL, NULL);
		for (unsigned k = 0; k < 100; k++) {
			int n = snprintf(
				bytes, sizeof(bytes),
				"%s sip:a@alpha.test SIP/2.0\r\nVia: SIP/2.0/TLS b.test;branch=z9hG4bKb%u\r\n"
				"From: %s\r\nTo: <sip:a@alpha.test>\r\nCall-ID: bad-%u\r\nCSeq: 1 %s\r\n"
				"%sContent-Length: 0\r\n\r\n",
				cases[i].method, k, cases[i].from, k, cases[i].method,
				cases[i].extra);

			/* The edge may have had enough of it. */
			if (SSL_write(bad.ssl, bytes, n) != n)
				break;
			if (k % 20 == 0)
				still_well((unsigned)(100 + i * 100 + k));
		}
		stream_close(&bad);
		still_well((unsigned)(2000 + i));
	}
	good_sends("MESSAGE", 5000);
	for (unsigned got = 0; got < 2; got++) {
		assert_true(stream_read(&good, text));
		assert_int_equal(strncmp(text, "SIP/2.0 200 ", 12), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(torture_hurts_nobody, begin, end),
		cmocka_unit_test_setup_teardown(bad_headers_hurt_nobody, begin, end),
	};

	alarm(200);
	signal(SIGPIPE, SIG_IGN);
	log_level_set(getenv("EDGE_LOG") ? LOG_DEBUG : LOG_ERR);
	su_log_set_level(NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
