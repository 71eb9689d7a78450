/* gateway/spend.c - see spend.h. Called by trunk_choice.c (may she), call_trunk.c (a minute begins). Writes by the back
 * office, one row at a time; what could not be written goes again. Rows of days that are over are swept with the first of
 * a new day. */
#include "gateway/spend.h"

#include "gateway/office.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { DAY_S = 86400, RETRY_MS = 1000, ENTRIES_MAX = 100000 };

struct entry {
	struct le le; /* in spend->entries, which owns it */
	char user[ADDR_TEXT_MAX + 1], trunk[TRUNK_NAME_MAX + 1];
	uint32_t minutes, unwritten;
};

struct spend {
	struct core *core;
	struct list entries;
	int64_t day;
	int64_t (*now_h)(void);
	bool ready;
	uint32_t asking, writing; /* office jobs; 0: none */
	struct entry *busy;       /* is being written */
	uint32_t n_busy;          /* so many minutes of it */
	struct timer retry;
};

static void next(void *arg);
static int ask(struct spend *s);

static void spend_destroy(void *p)
{
	struct spend *s = p;

	timer_cancel(&s->retry);
	office_forget(s->core->office, s->asking);
	office_forget(s->core->office, s->writing);
	list_flush(&s->entries);
}

static void entry_destroy(void *p)
{
	struct entry *e = p;

	list_unlink(&e->le);
}

/* A new day: nothing has been talked on it. What of the old one is still to be written is in the past. */
static void day_look(struct spend *s)
{
	int64_t day = s->now_h() / DAY_S;

	if (day == s->day)
		return;
	s->day = day;
	s->busy = NULL;
	list_flush(&s->entries);
}

static struct entry *find(const struct spend *s, const char *user, const char *trunk)
{
	struct le *le;

	LIST_FOREACH(&s->entries, le)
	{
		struct entry *e = le->data;

		if (!strcmp(e->user, user) && !strcmp(e->trunk, trunk))
			return e;
	}
	return NULL;
}

static struct entry *get(struct spend *s, const char *user, const char *trunk)
{
	struct entry *e = find(s, user, trunk);

	if (e || list_count(&s->entries) >= ENTRIES_MAX)
		return e;
	e = mem_zalloc(sizeof(*e), entry_destroy);
	if (!e)
		return NULL;
	snprintf(e->user, sizeof(e->user), "%s", user);
	snprintf(e->trunk, sizeof(e->trunk), "%s", trunk);
	list_append(&s->entries, &e->le, e);
	return e;
}

static void written(const struct office_result *result, void *arg)
{
	static struct log_gate gate;
	struct spend *s = arg;

	s->writing = 0;
	if (!result->err && s->busy)
		s->busy->unwritten -= s->n_busy;
	s->busy = NULL;
	if (result->err && log_gate_open(&gate, 2))
		log_err(NULL, "spend.write", "error=%s", LQ(strerror(result->err)));
	(void)timer_start(s->core->loop->timers, &s->retry, result->err ? RETRY_MS : 0,
			  next, s);
}

static void next(void *arg)
{
	struct spend *s = arg;
	struct office_job job = {.kind = OFFICE_SPEND};
	struct le *le;

	day_look(s);
	if (s->writing)
		return;
	LIST_FOREACH(&s->entries, le)
	{
		struct entry *e = le->data;

		if (!e->unwritten)
			continue;
		s->busy = e;
		s->n_busy = e->unwritten;
		snprintf(job.spent.user, sizeof(job.spent.user), "%s", e->user);
		snprintf(job.spent.trunk, sizeof(job.spent.trunk), "%s", e->trunk);
		job.spent.day = s->day;
		job.spent.minutes = e->unwritten;
		if (office_post(s->core->office, &job, written, s, &s->writing)) {
			s->writing = 0;
			s->busy = NULL;
			(void)timer_start(s->core->loop->timers, &s->retry, RETRY_MS,
					  next, s);
		}
		return;
	}
}

static void again(void *arg)
{
	struct spend *s = arg;

	if (ask(s))
		(void)timer_start(s->core->loop->timers, &s->retry, RETRY_MS, again, s);
}

static void asked(const struct office_result *result, void *arg)
{
	struct spend *s = arg;

	s->asking = 0;
	if (result->err) {
		log_err(NULL, "spend.read", "error=%s", LQ(strerror(result->err)));
		(void)timer_start(s->core->loop->timers, &s->retry, RETRY_MS, again, s);
		return;
	}
	for (size_t i = 0; i < result->n_spent; i++) {
		const struct store_spent *row = &result->spentv[i];
		struct entry *e =
			row->day == s->day ? get(s, row->user, row->trunk) : NULL;

		if (e)
			e->minutes += row->minutes;
	}
	s->ready = true;
}

static int ask(struct spend *s)
{
	struct office_job job = {.kind = OFFICE_SPENT};

	day_look(s);
	job.spent.day = s->day;
	return office_post(s->core->office, &job, asked, s, &s->asking);
}

bool spend_ready(const struct spend *s)
{
	return s && s->ready;
}

uint32_t spend_minutes(const struct spend *s, const struct addr *user, const char *trunk)
{
	const struct entry *e;

	if (!s || s->now_h() / DAY_S != s->day)
		return 0;
	e = find(s, AT(user), trunk);
	return e ? e->minutes : 0;
}

void spend_minute(struct spend *s, const struct addr *user, const char *trunk)
{
	struct entry *e;

	if (!s)
		return;
	day_look(s);
	e = get(s, AT(user), trunk);
	if (!e) {
		log_err(NULL, "spend.memory", "trunk=%s", trunk);
		return;
	}
	e->minutes++;
	e->unwritten++;
	if (!timer_running(&s->retry))
		next(s);
}

bool spend_written(const struct spend *s)
{
	struct le *le;

	LIST_FOREACH(&s->entries, le)
	{
		if (((const struct entry *)le->data)->unwritten)
			return false;
	}
	return !s->writing;
}

int spend_alloc(struct spend **sp, struct core *core, int64_t (*now_h)(void))
{
	struct spend *s = mem_zalloc(sizeof(*s), spend_destroy);
	int err;

	if (!s)
		return ENOMEM;
	s->core = core;
	s->now_h = now_h ? now_h : clock_wall_s;
	err = ask(s);
	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}
