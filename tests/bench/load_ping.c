/* tests/bench/load_ping.c - many open devices: all of them idle (`idle`), or a few of them sending
 * `ping` at a steady rate while the rest only stay (`ping`).
 *
 * One thread. Called by load_main.c, calls load_device.c. */
#include "tests/bench/load.h"

#include <stdlib.h>

static struct load_device *v;
static uint32_t n_sent, n_ok, n_error;
static uint64_t begin_us, sent_us[65536];
static struct load_samples latency;

static void on_reply(struct load_device *d, enum load_request kind, uint32_t call,
		     const char *error)
{
	(void)d;
	if (kind != REQ_PING)
		return;
	load_sample(&latency, load_now_us() - sent_us[call & 65535]);
	if (error)
		n_error++;
	else
		n_ok++;
}

static void on_event(struct load_device *d, const char *type, json_t *m)
{
	(void)d;
	(void)type;
	(void)m;
}

static void on_down(struct load_device *d, const char *why)
{
	load_die("device %u: %s", d->index, why);
}

static const struct load_device_ops ops = {NULL, on_reply, on_event, on_down, NULL};

static void tick(void *arg)
{
	uint64_t now = load_now_us();
	uint32_t want = (uint32_t)((double)(now - begin_us) * opt.rate / 1e6) + 1;

	(void)arg;
	for (; n_sent < want && n_sent < opt.messages; n_sent++) {
		sent_us[n_sent & 65535] = now;
		load_device_send(&v[n_sent % opt.active], REQ_PING, n_sent, "%s", "");
	}
	load_devices_tick(v, opt.devices);
	if (n_ok + n_error == opt.messages)
		load_stop();
	if (now - begin_us > (uint64_t)(opt.messages / opt.rate * 1e6) + 10000000)
		load_stop();
}

static void idle_tick(void *arg)
{
	(void)arg;
	load_devices_tick(v, opt.devices);
}

static void open_all(void)
{
	v = calloc(opt.devices, sizeof(*v));
	if (!v)
		load_die("out of memory");
	load_devices_open(v, opt.devices, &opt.a,
			  load_sign_in(&opt.a, opt.users, opt.password), opt.users, &ops);
}

void load_idle(void)
{
	open_all();
	load_say("ready", json_pack("{s:i}", "devices", opt.devices));
	load_run(idle_tick, NULL);
}

void load_ping(void)
{
	json_t *j;

	open_all();
	load_say("ready", json_pack("{s:i}", "devices", opt.devices));
	load_wait_go();
	begin_us = load_now_us();
	load_run(tick, NULL);
	j = json_pack("{s:i,s:i,s:i,s:f}", "sent", n_sent, "ok", n_ok, "errors", n_error,
		      "seconds", (double)(load_now_us() - begin_us) / 1e6);
	json_object_set_new(j, "latency", load_samples_json(&latency));
	load_say("done", j);
	load_run(idle_tick, NULL);
}
