/* tests/bench/load_sip.c - SIP over TLS from the outside: OPTIONS at a steady rate (`options`), the
 * plain answering end behind the bare proxy (`responder`), and a site that is called (`dial`).
 *
 *   options:    this ══TLS══► slussd's edge          or  this ══TLS══► tls_proxy ──TCP──► responder
 *   dial:       this (device) ══WSS══► slussd ══TLS══► this (site)      time from "call" to INVITE
 *
 * One thread. Called by load_main.c; calls load_stream.c, load_device.c, load_sip_text.c. */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { STREAMS = 64, MESSAGE_BYTES = 65536 };

struct sip_conn {
	struct load_stream stream;
	struct load_bytes in;
};
static void (*on_message)(struct sip_conn *c, const char *p, size_t n);
static void (*on_up_h)(struct sip_conn *c);
static struct sip_conn conn[STREAMS];
static uint64_t n_in, bytes_in, n_sent, bytes_out, begin_us;
static uint64_t sent_us[65536];
static struct load_samples latency;

static void on_up(struct load_stream *s)
{
	if (on_up_h)
		on_up_h(s->arg);
}

static void on_data(struct load_stream *s, const char *p, size_t n)
{
	struct sip_conn *c = s->arg;
	size_t m;

	load_bytes_add(&c->in, p, n);
	while (c->in.n && (m = load_sip_whole(c->in.p, c->in.n))) {
		n_in++;
		bytes_in += m;
		on_message(c, c->in.p, m);
		load_bytes_cut(&c->in, m);
	}
}

static void on_down(struct load_stream *s, const char *why)
{
	struct sip_conn *c = s->arg;

	load_bytes_free(&c->in);
	if (!strcmp(opt.scenario, "options"))
		load_die("the SIP connection: %s", why);
}

static const struct load_stream_ops ops = {on_up, on_data, on_down};

static void conn_init(struct sip_conn *c)
{
	c->stream.ops = &ops;
	c->stream.arg = c;
}

/* ---- listening ---- */

static SSL_CTX *server_tls;
static struct load_watch listener;

static void on_accept(uint32_t events, void *arg)
{
	int fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	(void)arg;
	if (fd < 0)
		return;
	for (unsigned i = 0; i < STREAMS; i++)
		if (!conn[i].stream.ops || conn[i].stream.watch.fd < 0) {
			conn_init(&conn[i]);
			load_stream_accept(&conn[i].stream, server_tls, fd);
			return;
		}
	load_die("more than %d connections", STREAMS);
}

static void serve(SSL_CTX *ctx)
{
	server_tls = ctx;
	listener.fd = load_listen(&opt.sip);
	listener.h = on_accept;
	load_watch_set(&listener, EPOLLIN);
}

/* ---- options ---- */

static void option_send(struct sip_conn *c)
{
	static char buf[MESSAGE_BYTES], body[MESSAGE_BYTES / 2];
	int n;

	if (!body[0])
		memset(body, 'x',
		       opt.bytes < sizeof(body) ? opt.bytes : sizeof(body) - 1);
	n = snprintf(
		buf, sizeof(buf),
		"OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/TLS %s:5061;branch=z9hG4bKload%08x%08x;rport\r\n"
		"From: <sip:load@%s>;tag=load%u\r\nTo: <sip:%s>\r\nCall-ID: load-%08u@%s\r\n"
		"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContact: <sip:load@%s;transport=tls>\r\n"
		"Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
		opt.a.domain, opt.domain, load_random(UINT32_MAX), (unsigned)n_sent,
		opt.domain, (unsigned)n_sent, opt.a.domain, (unsigned)n_sent, opt.domain,
		opt.domain, strlen(body), body);
	sent_us[n_sent++ & 65535] = load_now_us();
	bytes_out += (uint64_t)n;
	load_stream_write(&c->stream, buf, (size_t)n);
}

static void option_answer(struct sip_conn *c, const char *p, size_t n)
{
	const char *id = memmem(p, n, "load-", 5);

	(void)c;
	if (strncmp(p, "SIP/2.0 200", 11))
		load_die("not a 200: %.*s", n > 300 ? 300 : (int)n, p);
	if (id)
		load_sample(&latency,
			    load_now_us() - sent_us[strtoul(id + 5, NULL, 10) & 65535]);
}

static void options_tick(void *arg)
{
	uint64_t now = load_now_us();
	uint64_t want = (uint64_t)((double)(now - begin_us) * opt.rate / 1e6) + 1;

	(void)arg;
	while (n_sent < want && n_sent < opt.messages)
		option_send(&conn[0]);
	if (n_in >= opt.messages ||
	    now - begin_us > (uint64_t)(opt.messages / opt.rate * 1e6) + 10000000)
		load_stop();
}

static void stop_when_up(struct sip_conn *c)
{
	(void)c;
	load_stop();
}

void load_options_run(void)
{
	json_t *j;

	on_message = option_answer;
	on_up_h = stop_when_up;
	conn_init(&conn[0]);
	load_stream_connect(&conn[0].stream, load_tls_client(opt.cert, opt.key), &opt.sip,
			    opt.a.domain);
	load_run(NULL, NULL);
	load_say("ready", json_object());
	load_wait_go();
	begin_us = load_now_us();
	load_run(options_tick, NULL);
	j = json_pack("{s:I,s:I,s:I,s:I}", "sent", (json_int_t)n_sent, "answered",
		      (json_int_t)n_in, "bytes_out", (json_int_t)bytes_out, "bytes_in",
		      (json_int_t)bytes_in);
	json_object_set_new(j, "latency", load_samples_json(&latency));
	load_say("done", j);
	load_run(NULL, NULL);
}

/* ---- responder: answers of opt.bytes bytes, whatever is asked ---- */

static void respond(struct sip_conn *c, const char *p, size_t n)
{
	static char reply[MESSAGE_BYTES], pad[MESSAGE_BYTES], buf[2 * MESSAGE_BYTES];
	size_t m = load_sip_reply(reply, sizeof(reply), p, n, 200, "OK");
	size_t line = strcspn(reply, "\n") + 1;
	int k;

	if (!pad[0] && opt.bytes > m + 9 && opt.bytes - m - 9 < sizeof(pad))
		memset(pad, 'x', opt.bytes - m - 9);
	k = snprintf(buf, sizeof(buf), "%.*s%s%s%s%s", (int)line, reply,
		     pad[0] ? "X-Pad: " : "", pad, pad[0] ? "\r\n" : "", reply + line);
	load_stream_write(&c->stream, buf,
			  (size_t)k); /* in one piece: one segment, one TLS record */
}

void load_responder(void)
{
	on_message = respond;
	serve(opt.plain ? NULL : load_tls_server(opt.cert, opt.key));
	load_say("ready", json_object());
	load_run(NULL, NULL);
}

/* ---- dial: "call" on the WebSocket -> INVITE whole at the far site ---- */

static struct load_device device;
static uint32_t n_dialled, n_over;
static uint64_t dialled_us, next_us;

static void far_site(struct sip_conn *c, const char *p, size_t n)
{
	static char buf[MESSAGE_BYTES];
	bool invite = !strncmp(p, "INVITE ", 7);

	if (invite)
		load_sample(&latency, load_now_us() - dialled_us);
	if (!strncmp(p, "ACK ", 4) || !strncmp(p, "SIP/2.0", 7))
		return;
	load_stream_write(&c->stream, buf,
			  load_sip_reply(buf, sizeof(buf), p, n, invite ? 486 : 200,
					 invite ? "Busy" : "OK"));
}

static void dial_event(struct load_device *d, const char *type, json_t *m)
{
	(void)d;
	(void)m;
	if (strcmp(type, "ended"))
		return;
	n_over++;
	next_us = load_now_us() + 20000;
}

static void dial_down(struct load_device *d, const char *why)
{
	(void)d;
	load_die("the device: %s", why);
}

static const struct load_device_ops dial_ops = {NULL, NULL, dial_event, dial_down};

static void dial_tick(void *arg)
{
	static char sdp[8192];
	uint64_t now = load_now_us();

	(void)arg;
	if (n_over == opt.calls || now - begin_us > opt.timeout_s * 1000000ull)
		load_stop();
	if (n_dialled > n_over || n_dialled == opt.calls || now < next_us)
		return;
	dialled_us = load_now_us();
	load_device_send(&device, REQ_CALL, n_dialled,
			 ",\"call\":\"D-%u\",\"to\":\"u0@%s\",\"sdp\":\"%s\"", n_dialled,
			 opt.domain, load_sdp_json(sdp, sizeof(sdp), false, n_dialled));
	n_dialled++;
}

void load_dial(void)
{
	json_t *j;

	on_message = far_site;
	serve(load_tls_server(opt.cert, opt.key));
	load_devices_open(&device, 1, &opt.a, load_sign_in(&opt.a, 1, opt.password), 1,
			  &dial_ops);
	load_say("ready", json_object());
	load_wait_go();
	begin_us = load_now_us();
	load_run(dial_tick, NULL);
	j = json_pack("{s:i,s:i}", "dialled", n_dialled, "ended", n_over);
	json_object_set_new(j, "dial_to_invite", load_samples_json(&latency));
	load_say("done", j);
	load_run(NULL, NULL);
}
