/* webrtc/session/browser_elsewhere.c - what a device is told of its user's calls on the other devices.
 *
 * Signalling thread. browser_leg.c says when a call on a device becomes established or stops being so, browser.c
 * when a device comes or is lost; the list goes out whole, once in a turn of the loop, to the clients that asked
 * for it in their hello. docs/protocol.md, "Moving a call". */
#include "gateway/call.h"
#include "webrtc/session/browser_call.h"
#include "webrtc/session/browser_own.h"

bool browser_sees(const struct browser *b, const struct browser *other)
{
	return !b->bound || (other->bound && !strcmp(b->bound, other->bound));
}

struct look {
	const struct browser *b;
	struct web_ongoings *o;
};

static bool look_at(struct device *d, void *arg)
{
	const struct look *look = arg;

	const struct browser *other = browser_of(&d->ep);

	if (other != look->b && browser_sees(look->b, other))
		browser_calls_show(browser_calls(other), look->o);
	return look->o->n == WEB_ONGOING_MAX;
}

static void tell(void *arg)
{
	struct browser *b = arg;
	struct server_msg *m;
	struct look look = {.b = b};

	if (!browser_online(b))
		return;
	m = server_msg_new(SERVER_ELSEWHERE);
	if (m)
		m->ongoings = mem_zalloc(sizeof(*m->ongoings), NULL);
	if (m && !m->ongoings)
		m = mem_deref(m);
	if (m) {
		look.o = m->ongoings;
		registry_each(b->core->registry, &b->device.user, look_at, &look);
		if (!m->ongoings->n && !b->told_some) {
			mem_deref(m); /* nothing, as it knows */
			return;
		}
		b->told_some = m->ongoings->n > 0;
	}
	browser_send(b, m);
}

void browser_elsewhere_soon(struct browser *b)
{
	if (b->elsewhere && !timer_running(&b->news))
		timer_start(b->core->loop->timers, &b->news, 0, tell, b);
}

static bool tell_other(struct device *d, void *arg)
{
	if (d != arg)
		browser_elsewhere_soon(browser_of(&d->ep));
	return false;
}

void browser_calls_changed(struct browser *b)
{
	registry_each(b->core->registry, &b->device.user, tell_other, &b->device);
}
