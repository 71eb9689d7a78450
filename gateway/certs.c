/* gateway/certs.c - see certs.h. Signalling thread. Called by the rooms' mailboxes, main.c (SIGHUP) and
 * control_command.c; what it knows stands in each struct site. */
#include "gateway/certs.h"

#include <time.h>

#include "gateway/core.h"
#include "lib/clock.h"
#include "lib/log.h"

/* READ_MS: a room whose word that it has read is lost, its mailbox being full, holds up nobody for longer. */
enum { ROOMS_MAX = 4, LOOK_MS = 3600 * 1000, READ_MS = 10000, DAY_S = 86400 };

struct room {
	int (*reload)(void *arg);
	void *arg;
};

struct waiter {
	struct le le;
	void (*h)(void *arg);
	void *arg;
};

struct certs {
	struct core *core;
	struct timer look, tell, late;
	struct room roomv[ROOMS_MAX];
	size_t n_rooms;
	unsigned n_reading; /* rooms that have not finished */
	bool again;         /* somebody asked while they read */
	struct list waiters;
	char trouble[160]; /* of the last reload, and of no site */
};

static void waiter_destructor(void *arg)
{
	struct waiter *w = arg;

	list_unlink(&w->le);
}

static void certs_destructor(void *arg)
{
	struct certs *c = arg;

	timer_cancel(&c->look);
	timer_cancel(&c->tell);
	timer_cancel(&c->late);
	list_flush(&c->waiters);
}

/* ---- until when ---- */

/* A line a day for each that is near its end or past it. */
static void warn(struct certs *c, struct site *site)
{
	int64_t left_s = site->cert_until_s - clock_wall_s();
	int64_t now_s = (int64_t)(timers_now_us(c->core->loop->timers) / 1000000);
	char day[16];
	struct tm tm;
	time_t t = (time_t)site->cert_until_s;

	if (!site->cert_until_s ||
	    left_s >= (int64_t)c->core->config->limits.cert_warn_days * DAY_S ||
	    (site->cert_warned && now_s - site->cert_warned_s < DAY_S))
		return;
	site->cert_warned = true;
	site->cert_warned_s = now_s;
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&t, &tm));
	if (left_s <= 0)
		log_err(NULL, "site.certificate.expired", "site=%s on=%s", site->domain,
			day);
	else
		log_warn(NULL, "site.certificate.expires", "site=%s on=%s days=%lld",
			 site->domain, day, (long long)(left_s / DAY_S));
}

static void look(void *arg)
{
	struct certs *c = arg;

	for (struct le *le = c->core->sites.head; le; le = le->next)
		warn(c, le->data);
	if (timer_start(c->core->loop->timers, &c->look, LOOK_MS, look, c))
		log_err(NULL, "certs.memory", "%s", "");
}

void certs_news(struct certs *c, const char *domain, int64_t until_s, const char *why)
{
	struct site *site = c ? core_site_find(c->core, domain) : NULL;

	if (!site)
		return;
	if (site->cert_until_s != until_s)
		site->cert_warned = false;
	site->cert_until_s = until_s;
	snprintf(site->cert_trouble, sizeof(site->cert_trouble), "%s", why ? why : "");
	if (timer_running(&c->look))
		warn(c, site);
	else
		look(c);
}

int certs_alloc(struct certs **cp, struct core *core)
{
	struct certs *c = mem_zalloc(sizeof(*c), certs_destructor);

	if (!c)
		return ENOMEM;
	c->core = core;
	*cp = c;
	return 0;
}

/* ---- reading again ---- */

void certs_room_add(struct certs *c, int (*reload)(void *arg), void *arg)
{
	if (c && c->n_rooms < ROOMS_MAX)
		c->roomv[c->n_rooms++] = (struct room){reload, arg};
}

static void tell(void *arg)
{
	struct certs *c = arg;
	uint32_t n =
		c->n_reading ? 0 : list_count(&c->waiters); /* not who asks in here */

	for (; n; n--) {
		struct waiter *w = list_ledata(list_head(&c->waiters));
		void (*h)(void *arg) = w->h;
		void *harg = w->arg;

		mem_deref(w);
		h(harg);
	}
}

static void begin(struct certs *c);

/* All have read, or are waited for no longer. */
static void end(struct certs *c)
{
	timer_cancel(&c->late);
	c->n_reading = 0;
	if (c->again)
		begin(c);
	else
		tell(c);
}

static void on_late(void *arg)
{
	struct certs *c = arg;

	log_err(NULL, "certs.late", "rooms=%u after_s=%d", c->n_reading, READ_MS / 1000);
	snprintf(c->trouble, sizeof(c->trouble),
		 "not everything was read within %d s: see the log", READ_MS / 1000);
	end(c);
}

static void begin(struct certs *c)
{
	c->again = false;
	c->trouble[0] = '\0';
	for (size_t i = 0; i < c->n_rooms; i++) {
		int err = c->roomv[i].reload(c->roomv[i].arg);

		if (err)
			log_err(NULL, "certs.not_read", "room=%zu why=%s", i,
				strerror(err));
		else
			c->n_reading++;
	}
	if (c->n_reading
		    ? timer_start(c->core->loop->timers, &c->late, READ_MS, on_late, c)
		    : timer_start(c->core->loop->timers, &c->tell, 0, tell, c))
		log_err(NULL, "certs.memory", "%s", "");
}

void certs_reloaded(struct certs *c, const char *why)
{
	if (!c || !c->n_reading)
		return;
	if (why)
		snprintf(c->trouble, sizeof(c->trouble), "%s", why);
	if (--c->n_reading == 0)
		end(c);
}

const char *certs_trouble(const struct certs *c)
{
	return c ? c->trouble : "";
}

int certs_reload(struct certs *c, void (*h)(void *arg), void *arg)
{
	struct waiter *w = NULL;

	if (!c)
		return EINVAL;
	if (h) {
		w = mem_zalloc(sizeof(*w), waiter_destructor);
		if (!w)
			return ENOMEM;
		w->h = h;
		w->arg = arg;
		list_append(&c->waiters, &w->le, w);
	}
	if (c->n_reading)
		c->again = true;
	else
		begin(c);
	return 0;
}
