/* tests/bench/load_calls.c - calls between devices: a steady rate of well-behaved ones (`calls`), or of
 * all fates a call can have (`soak`): declined, cancelled, a device's connection cut in mid-call.
 *
 *   caller (site A)            slussd ... slussd            callee (site B)
 *     call ────────────────────────────────────────► incoming
 *     progress ◄──────────────────────────────────── ringing, accept -> ok, answer
 *     answered ◄────────────────────────────────────
 *     hangup ──────────────────────────────────────► ended            both must see "ended"
 *
 * One thread. Called by load_main.c, calls load_device.c. The callee finds its call's number in the
 * description's s= line, which travels byte for byte. */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { S_DIALLED, S_RINGING, S_TALK, S_ENDING, S_DONE };
enum fate {
	FATE_TALK,
	FATE_CALLEE_HANGS,
	FATE_DECLINE,
	FATE_BUSY,
	FATE_CANCEL,
	FATE_KILL_CALLER,
	FATE_KILL_CALLEE,
	FATE_N
};
enum { LEGS = 4 };

struct call_leg {
	struct load_device *device; /**< NULL: none, or it has ended */
	char id[65];
};
struct call {
	enum state state;
	enum fate fate;
	struct load_device *caller; /**< NULL: has ended */
	struct call_leg leg[LEGS];
	uint64_t dialled_us, due_us;
	long wait_ms;
	bool answered;
};

static struct call *calls;
static uint32_t *active, n_active, n_calls, n_started;
static struct load_device *av, *bv;
static unsigned n_a, n_b;
static bool soak;
static uint64_t begin_us, end_us;
static uint64_t n_ok, n_failed, n_lost, n_answered, n_errors, n_down;
static struct load_samples setup, rang;
static char failures[1024];

static void note(const char *what, const char *detail)
{
	size_t n = strlen(failures);

	if (n < sizeof(failures) - 200 && !strstr(failures, detail))
		snprintf(failures + n, sizeof(failures) - n, "%s%s: %.120s",
			 n ? "; " : "", what, detail);
}

static void done_if_over(struct call *c)
{
	if (c->state == S_DONE || c->caller)
		return;
	for (int i = 0; i < LEGS; i++)
		if (c->leg[i].device)
			return;
	c->state = S_DONE;
	if (c->answered || soak)
		n_ok++;
	else
		n_failed++;
}

static void kill_device(struct load_device *d)
{
	if (!d || !d->ready)
		return;
	load_ws_close(&d->ws, true);
	d->ws.ops->down(&d->ws, "killed");
}

/* ---- callee ---- */

static struct call *leg_find(const struct load_device *d, const char *id,
			     struct call_leg **lp)
{
	for (uint32_t i = 0; i < n_active; i++) {
		struct call *c = &calls[active[i]];

		for (int k = 0; k < LEGS; k++)
			if (c->leg[k].device == d && !strcmp(c->leg[k].id, id)) {
				*lp = &c->leg[k];
				return c;
			}
	}
	return NULL;
}

static void incoming(struct load_device *d, const char *id, const char *sdp)
{
	const char *mark = sdp ? strstr(sdp, "s=load-") : NULL;
	uint32_t i = mark ? (uint32_t)strtoul(mark + 7, NULL, 10) : UINT32_MAX;
	struct call *c;
	int k;

	if (i >= n_started)
		load_die("an incoming call that nobody made");
	c = &calls[i];
	for (k = 0; k < LEGS && c->leg[k].device; k++)
		;
	if (k == LEGS)
		load_die("more devices ring than there are");
	c->leg[k].device = d;
	snprintf(c->leg[k].id, sizeof(c->leg[k].id), "%s", id);
	load_sample(&rang, load_now_us() - c->dialled_us);
	if (c->state == S_DIALLED)
		c->state = S_RINGING;
	load_device_send(d, REQ_RINGING, i, ",\"call\":\"%s\"", id);
	if (!soak)
		load_device_send(d, REQ_ACCEPT, i, ",\"call\":\"%s\"", id);
	else if (c->fate != FATE_CANCEL)
		c->due_us = load_now_us() + (uint64_t)load_random(2000) * 1000;
}

static void answer(struct load_device *d, uint32_t i)
{
	static char sdp[8192];
	struct call *c = &calls[i];

	for (int k = 0; k < LEGS; k++)
		if (c->leg[k].device == d)
			load_device_send(d, REQ_ANSWER, i,
					 ",\"call\":\"%s\",\"sdp\":\"%s\"", c->leg[k].id,
					 load_sdp_json(sdp, sizeof(sdp), true, i));
}

/* ---- caller ---- */

static void answered(struct call *c)
{
	uint64_t now = load_now_us();

	load_sample(&setup, now - c->dialled_us);
	c->answered = true;
	c->state = S_TALK;
	n_answered++;
	c->due_us = c->wait_ms < 0 ? 0 : now + (uint64_t)c->wait_ms * 1000;
}

static void on_event(struct load_device *d, const char *type, json_t *m)
{
	const char *id = json_string_value(json_object_get(m, "call"));
	struct call_leg *leg;
	struct call *c;

	if (!strcmp(type, "incoming")) {
		incoming(d, id, json_string_value(json_object_get(m, "sdp")));
		return;
	}
	if (!strcmp(type, "bye") || !id)
		return;
	if (id[0] == 'L' && id[1] == '-') { /* ours: the caller's side */
		c = &calls[strtoul(id + 2, NULL, 10)];
		if (c->caller != d)
			return;
		if (!strcmp(type, "answered"))
			answered(c);
		if (strcmp(type, "ended"))
			return;
		if (!soak && !c->answered)
			note("ended", json_string_value(json_object_get(
					      json_object_get(m, "cause"), "text")));
		c->caller = NULL;
	} else {
		c = leg_find(d, id, &leg);
		if (!c || strcmp(type, "ended"))
			return;
		leg->device = NULL;
	}
	done_if_over(c);
}

static void on_reply(struct load_device *d, enum load_request kind, uint32_t i,
		     const char *error)
{
	struct call *c = &calls[i];

	if (kind == REQ_ACCEPT && !error)
		answer(d, i);
	if (!error)
		return;
	if (!soak) {
		n_errors++;
		note("error", error);
	}
	if (kind == REQ_CALL) { /* refused at once: there is no call */
		c->caller = NULL;
		done_if_over(c);
	}
}

static void on_down(struct load_device *d, const char *why)
{
	n_down++;
	if (!soak)
		note("down", why);
	for (uint32_t i = 0; i < n_active; i++) {
		struct call *c = &calls[active[i]];

		if (c->caller == d)
			c->caller = NULL;
		for (int k = 0; k < LEGS; k++)
			if (c->leg[k].device == d)
				c->leg[k].device = NULL;
		done_if_over(c);
	}
	d->connect_at_us = load_now_us() + 500000 + (uint64_t)load_random(1000) * 1000;
}

static const struct load_device_ops ops = {NULL, on_reply, on_event, on_down, NULL};

/* ---- time ---- */

static void hang_up(struct call *c, uint32_t i)
{
	c->state = S_ENDING;
	if (c->caller)
		load_device_send(c->caller, REQ_HANGUP, i, ",\"call\":\"L-%u\"", i);
}

/* what a call's fate says, when its time has come */
static void due(struct call *c, uint32_t i)
{
	struct call_leg *leg = NULL;

	for (int k = 0; k < LEGS && !leg; k++)
		if (c->leg[k].device)
			leg = &c->leg[k];
	c->due_us = 0;
	if (c->state == S_TALK && c->fate == FATE_KILL_CALLER)
		kill_device(c->caller);
	else if (c->state == S_TALK && c->fate == FATE_KILL_CALLEE && leg)
		kill_device(leg->device);
	else if (c->state == S_TALK && c->fate == FATE_CALLEE_HANGS && leg)
		load_device_send(leg->device, REQ_HANGUP, i, ",\"call\":\"%s\"", leg->id);
	else if (c->state == S_TALK || c->fate == FATE_CANCEL)
		hang_up(c, i);
	else if (c->state == S_RINGING && leg &&
		 (c->fate == FATE_DECLINE || c->fate == FATE_BUSY))
		load_device_send(leg->device, REQ_REJECT, i,
				 ",\"call\":\"%s\",\"reason\":\"%s\"", leg->id,
				 c->fate == FATE_BUSY ? "busy" : "decline");
	else if (c->state == S_RINGING && leg && (i & 7) == 0 &&
		 c->fate == FATE_KILL_CALLER)
		kill_device(c->caller);
	else if (c->state == S_RINGING && leg && (i & 7) == 0 &&
		 c->fate == FATE_KILL_CALLEE)
		kill_device(leg->device);
	else if (c->state == S_RINGING && leg)
		load_device_send(leg->device, REQ_ACCEPT, i, ",\"call\":\"%s\"", leg->id);
}

static void start_one(uint32_t i)
{
	static char sdp[8192];
	struct call *c = &calls[i];
	struct load_device *caller = &av[soak ? load_random(n_a) : i % n_a];

	if (!caller->ready) {
		c->state = S_DONE;
		return;
	}
	c->caller = caller;
	c->state = S_DIALLED;
	c->dialled_us = load_now_us();
	c->wait_ms = opt.hold_ms;
	if (soak) {
		uint32_t r = load_random(100);

		c->fate = r < 50   ? FATE_TALK
			  : r < 65 ? FATE_CALLEE_HANGS
			  : r < 73 ? FATE_DECLINE
			  : r < 81 ? FATE_BUSY
			  : r < 92 ? FATE_CANCEL
			  : r < 96 ? FATE_KILL_CALLER
				   : FATE_KILL_CALLEE;
		c->wait_ms = (long)load_random(4000);
		if (c->fate == FATE_CANCEL)
			c->due_us = c->dialled_us + (uint64_t)load_random(3000) * 1000;
	}
	active[n_active++] = i;
	load_device_send(caller, REQ_CALL, i,
			 ",\"call\":\"L-%u\",\"to\":\"u%u@%s\",\"sdp\":\"%s\"", i,
			 (soak ? load_random(opt.users) : i % n_b % opt.users),
			 opt.b.domain, load_sdp_json(sdp, sizeof(sdp), false, i));
}

static void reconnect(struct load_device *v, unsigned n, uint64_t now)
{
	for (unsigned i = 0; i < n; i++)
		if (!v[i].ready && v[i].connect_at_us && now >= v[i].connect_at_us) {
			v[i].connect_at_us = 0;
			load_device_connect(&v[i]);
		}
}

static void tick(void *arg)
{
	uint64_t now = load_now_us();
	uint32_t kept = 0,
		 want = (uint32_t)((double)(now - begin_us) * opt.rate / 1e6) + 1;

	(void)arg;
	if (now < end_us)
		while (n_started < want && n_started < n_calls)
			start_one(n_started++);
	for (uint32_t k = 0; k < n_active; k++) {
		struct call *c = &calls[active[k]];

		if (c->state != S_DONE && c->due_us && now >= c->due_us)
			due(c, active[k]);
		if (c->state != S_DONE && !(c->state == S_TALK && c->wait_ms < 0) &&
		    now > c->dialled_us + opt.timeout_s * 1000000ull) {
			n_lost++;
			note("lost", c->state == S_TALK ? "in talk"
				     : c->answered      ? "in ending"
							: "unanswered");
			c->state = S_DONE;
		}
	}
	for (uint32_t k = 0; k < n_active; k++)
		if (calls[active[k]].state != S_DONE)
			active[kept++] = active[k];
	n_active = kept;
	load_devices_tick(av, n_a);
	load_devices_tick(bv, n_b);
	if (soak && now < end_us)
		reconnect(av, n_a, now), reconnect(bv, n_b, now);
	if (n_active == 0 && (n_started == n_calls || now >= end_us))
		load_stop();
	if (opt.hold_ms < 0 && n_started == n_calls &&
	    n_answered + n_failed + n_lost >= n_calls)
		load_stop();
}

static void idle_tick(void *arg)
{
	(void)arg;
	load_devices_tick(av, n_a);
	load_devices_tick(bv, n_b);
}

void load_calls(void)
{
	json_t *j;

	soak = !strcmp(opt.scenario, "soak");
	n_calls = soak ? (uint32_t)(opt.rate * opt.seconds) + 1 : opt.calls;
	n_a = n_b = opt.devices;
	calls = calloc(n_calls, sizeof(*calls));
	active = calloc(n_calls + 1, sizeof(*active));
	av = calloc(n_a, sizeof(*av));
	bv = calloc(n_b, sizeof(*bv));
	if (!calls || !active || !av || !bv)
		load_die("out of memory");
	load_devices_open(av, n_a, &opt.a, load_sign_in(&opt.a, opt.users, opt.password),
			  opt.users, &ops);
	load_devices_open(bv, n_b, &opt.b, load_sign_in(&opt.b, opt.users, opt.password),
			  opt.users, &ops);
	load_say("ready", json_pack("{s:i,s:i}", "callers", n_a, "callees", n_b));
	load_wait_go();
	begin_us = load_now_us();
	end_us = soak ? begin_us + opt.seconds * 1000000ull : UINT64_MAX;
	load_run(tick, NULL);
	j = json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:s}", "started", (json_int_t)n_started,
		"ok", (json_int_t)(opt.hold_ms < 0 && !soak ? n_answered : n_ok),
		"failed", (json_int_t)n_failed, "lost", (json_int_t)n_lost, "errors",
		(json_int_t)n_errors, "down", (json_int_t)n_down, "seconds",
		(double)(load_now_us() - begin_us) / 1e6, "failures", failures);
	json_object_set_new(j, "dial_to_incoming", load_samples_json(&rang));
	json_object_set_new(j, "dial_to_answered", load_samples_json(&setup));
	json_object_set_new(j, "answered", json_integer((json_int_t)n_answered));
	load_say("done", j);
	load_run(idle_tick, NULL);
}
