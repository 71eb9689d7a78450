/* tests/bench/load_reconnect.c - a crowd that loses its site and comes back (`reconnect`): each device by itself,
 * as the SDK does it (webrtc/sdk/socket.js): jittered back-off while nobody is there, and when the site says
 * "come again in so many seconds" not before that.
 *
 * One thread. Called by load_main.c, calls load_device.c. */
#include "tests/bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_MS = 500, MOST_MS = 8000 };

static struct load_device *v;
static struct crowd {
	uint64_t lost_us, try_at_us; /* 0: not */
	unsigned tries, refused;
} * crowd;
static unsigned n_lost, n_back;
static uint64_t first_lost_us;
static struct load_samples latency;

static void try_in(struct load_device *d, uint64_t ms)
{
	crowd[d->index].try_at_us = load_now_us() + ms * 1000;
}

static void back_off(struct load_device *d)
{
	unsigned tries = crowd[d->index].tries++;
	uint32_t most = FIRST_MS << (tries > 10 ? 10 : tries);

	if (most > MOST_MS)
		most = MOST_MS;
	try_in(d, most / 2 + load_random(most / 2));
}

static void on_ready(struct load_device *d)
{
	struct crowd *c = &crowd[d->index];

	if (!c->lost_us)
		return;
	load_sample(&latency, load_now_us() - c->lost_us);
	n_back++;
}

static void on_refused(struct load_device *d, const char *error, unsigned retry_s)
{
	(void)error;
	crowd[d->index].refused++;
	load_ws_close(&d->ws, false);
	try_in(d, 1000ull * retry_s + load_random(retry_s > 2 ? 500 * retry_s : 1000));
}

static void on_down(struct load_device *d, const char *why)
{
	struct crowd *c = &crowd[d->index];

	if (!c->lost_us) {
		c->lost_us = load_now_us();
		if (!n_lost++)
			first_lost_us = c->lost_us;
	} else if (strcmp(why, strerror(ECONNREFUSED)) != 0) {
		c->refused++; /* somebody was there and did not let it in */
	}
	back_off(d);
}

static void on_event(struct load_device *d, const char *type, json_t *m)
{
	(void)d;
	(void)type;
	(void)m;
}

static const struct load_device_ops ops = {on_ready, NULL, on_event, on_down, on_refused};

static void tick(void *arg)
{
	uint64_t now = load_now_us();

	(void)arg;
	for (unsigned i = 0; i < opt.devices; i++) {
		if (!crowd[i].try_at_us || now < crowd[i].try_at_us)
			continue;
		crowd[i].try_at_us = 0;
		load_device_connect(&v[i]);
	}
	load_devices_tick(v, opt.devices);
	if (n_back == opt.devices ||
	    (n_lost && now - first_lost_us > (uint64_t)opt.timeout_s * 1000000))
		load_stop();
}

void load_reconnect(void)
{
	unsigned once = 0, more = 0;
	json_t *j;

	v = calloc(opt.devices, sizeof(*v));
	crowd = calloc(opt.devices, sizeof(*crowd));
	if (!v || !crowd)
		load_die("out of memory");
	for (unsigned i = 0; i < opt.devices; i++)
		v[i].resumable = true;
	load_devices_open(v, opt.devices, &opt.a,
			  load_sign_in_each(&opt.a, opt.devices, opt.users, opt.password),
			  opt.devices, &ops);
	load_say("ready", json_pack("{s:i}", "devices", opt.devices));
	load_wait_go();
	load_run(tick, NULL);
	for (unsigned i = 0; i < opt.devices; i++) {
		once += crowd[i].refused == 1;
		more += crowd[i].refused > 1;
	}
	j = json_pack("{s:i,s:i,s:i,s:i}", "lost", n_lost, "back", n_back, "refused_once",
		      once, "refused_more", more);
	json_object_set_new(j, "away", load_samples_json(&latency));
	load_say("done", j);
	load_run(NULL, NULL);
}
