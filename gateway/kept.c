/* gateway/kept.c - established calls in the store, and those of the run before.
 *
 * Signalling thread. Called by call.c (established, over), call_rejoin.c and the SIP room (looks for those that
 * are left); posts batches to the office, one at a time. A batch that failed goes again. */
#include "gateway/kept.h"

#include "gateway/office.h"
#include "lib/log.h"
#include "lib/secret.h"

enum { FLUSH_MS = 100, RETRY_MS = 1000, BATCH_MAX = 256, BUCKETS = 4096 };

/* A call of this run. */
enum state { NEW, WRITING, WRITTEN, REMOVING };
struct mine {
	struct le le;      /* in the table by id, which owns it */
	struct le le_todo; /* to be written or removed */
	char id[STORE_CALL_HEX + 1];
	struct store_call *row; /* until it is written */
	enum state state;
	bool over;
};

struct kept {
	struct core *core;
	char run[STORE_CALL_HEX + 1];
	struct hash *mine; /* struct mine by id */
	struct list todo;  /* struct mine, in the order in which it came about */
	struct list busy;  /* the same: the batch that is with the office */
	struct hash *left, *left_dialog; /* struct kept_call; `left` owns it */
	struct timer flush, sweep;
	uint32_t batch, asked, sweeping; /* office jobs under way; 0: none */
	uint32_t n_mine, n_left;
};

static void flush(void *arg);

/* ---- tables ---- */

static bool mine_is(struct le *le, void *arg)
{
	return !strcmp(((const struct mine *)le->data)->id, arg);
}

static bool left_is(struct le *le, void *arg)
{
	return !strcmp(((const struct kept_call *)le->data)->row.id, arg);
}

static bool dialog_is(struct le *le, void *arg)
{
	return !strcmp(((const struct kept_call *)le->data)->row.dialog, arg);
}

static struct mine *mine_find(const struct kept *k, const char *id)
{
	return list_ledata(hash_lookup(k->mine, hash_joaat_str(id), mine_is, (void *)id));
}

struct kept_call *kept_find(const struct kept *k, const char *id)
{
	return k ? list_ledata(
			   hash_lookup(k->left, hash_joaat_str(id), left_is, (void *)id))
		 : NULL;
}

struct kept_call *kept_find_dialog(const struct kept *k, const char *dialog)
{
	return k && *dialog
		       ? list_ledata(hash_lookup(k->left_dialog, hash_joaat_str(dialog),
						 dialog_is, (void *)dialog))
		       : NULL;
}

void kept_count(const struct kept *k, uint32_t *n_left, uint32_t *n_mine)
{
	*n_left = k ? k->n_left : 0;
	*n_mine = k ? k->n_mine : 0;
}

/* ---- this run's ---- */

static void mine_destroy(void *p)
{
	struct mine *m = p;

	hash_unlink(&m->le);
	list_unlink(&m->le_todo);
	mem_deref(m->row);
}

static void mine_forget(struct kept *k, struct mine *m)
{
	k->n_mine--;
	mem_deref(m);
}

static void flush_in(struct kept *k, uint64_t ms)
{
	if (!k->batch && !timer_running(&k->flush) &&
	    timer_start(k->core->loop->timers, &k->flush, ms, flush, k))
		log_err(NULL, "kept.flush", "no memory for a timer");
}

static void todo(struct kept *k, struct mine *m)
{
	list_unlink(&m->le_todo);
	list_append(&k->todo, &m->le_todo, m);
	flush_in(k, FLUSH_MS);
}

/* The office is through with it. */
static void settle(struct kept *k, struct mine *m, bool good)
{
	list_unlink(&m->le_todo);
	if (m->state == WRITING) {
		m->state = good ? WRITTEN : NEW;
		if (good)
			m->row = mem_deref(m->row);
	} else if (good) {
		mine_forget(k, m);
		return;
	} else {
		m->state = WRITTEN;
	}
	if (m->over && m->state == NEW)
		mine_forget(k, m);
	else if (m->over || m->state == NEW)
		list_append(&k->todo, &m->le_todo, m);
}

static void flushed(const struct office_result *result, void *arg)
{
	static struct log_gate gate;
	struct kept *k = arg;

	k->batch = 0;
	if (result->err && log_gate_open(&gate, 2))
		log_err(NULL, "kept.write", "error=%s", LQ(strerror(result->err)));
	while (k->busy.head)
		settle(k, k->busy.head->data, !result->err);
	if (k->todo.head)
		flush_in(k, result->err ? RETRY_MS : FLUSH_MS);
}

static void batch_fill(struct kept *k, struct store_calls *c, size_t n)
{
	for (; n; n--) {
		struct mine *m = k->todo.head->data;

		list_unlink(&m->le_todo);
		list_append(&k->busy, &m->le_todo, m);
		if (m->state == NEW) {
			m->state = WRITING;
			c->addv[c->n_add++] = *m->row;
		} else {
			m->state = REMOVING;
			memcpy(c->dropv[c->n_drop++], m->id, sizeof(m->id));
		}
	}
}

static void flush(void *arg)
{
	struct kept *k = arg;
	struct office_job job = {.kind = OFFICE_CALLS_CHANGE};
	size_t n;

	if (k->batch || !k->todo.head)
		return;
	n = list_count(&k->todo);
	n = n < BATCH_MAX ? n : BATCH_MAX;
	if (store_calls_alloc(&job.calls, n, n)) {
		flush_in(k, RETRY_MS);
		return;
	}
	memcpy(job.run, k->run, sizeof(job.run));
	batch_fill(k, job.calls, n);
	if (office_post(k->core->office, &job, flushed, k, &k->batch)) {
		k->batch = 0;
		while (k->busy.head)
			settle(k, k->busy.head->data, false);
		flush_in(k, RETRY_MS);
	}
}

void kept_add(struct kept *k, const struct store_call *row)
{
	struct mine *m;

	if (!k || mine_find(k, row->id))
		return;
	m = mem_zalloc(sizeof(*m), mine_destroy);
	if (m)
		m->row = mem_alloc(sizeof(*m->row), NULL);
	if (!m || !m->row) {
		log_err(row->id, "kept.add", "no memory: it cannot be joined again");
		mem_deref(m);
		return;
	}
	*m->row = *row;
	memcpy(m->id, row->id, sizeof(m->id));
	hash_append(k->mine, hash_joaat_str(m->id), &m->le, m);
	k->n_mine++;
	todo(k, m);
}

void kept_drop(struct kept *k, const char *id)
{
	struct mine *m = k ? mine_find(k, id) : NULL;

	if (!m || m->over)
		return;
	m->over = true;
	if (m->state == NEW)
		mine_forget(k, m); /* the store has not heard of it */
	else if (m->state == WRITTEN)
		todo(k, m);
	/* else when the office is through with it */
}

/* ---- those of the run before ---- */

static void left_destroy(void *p)
{
	struct kept_call *c = p;

	hash_unlink(&c->le);
	hash_unlink(&c->le_dialog);
}

static void left_forget(struct kept *k, struct kept_call *c)
{
	if (!c->le.list)
		return;
	hash_unlink(&c->le);
	hash_unlink(&c->le_dialog);
	k->n_left--;
	mem_deref(c); /* a call that joins it has a reference of its own */
}

void kept_done(struct kept *k, struct kept_call *c)
{
	struct mine *m;

	if (!k || !c->le.list)
		return;
	/* From here on it is a written one of this run that is over. */
	m = mine_find(k, c->row.id) ? NULL : mem_zalloc(sizeof(*m), mine_destroy);
	if (m) {
		memcpy(m->id, c->row.id, sizeof(m->id));
		m->state = WRITTEN;
		m->over = true;
		hash_append(k->mine, hash_joaat_str(m->id), &m->le, m);
		k->n_mine++;
		todo(k, m);
	}
	left_forget(k, c);
}

static void swept(const struct office_result *result, void *arg)
{
	struct kept *k = arg;

	k->sweeping = 0;
	if (result->err)
		log_warn(NULL, "kept.sweep", "error=%s", strerror(result->err));
}

static bool sweep_one(struct le *le, void *arg)
{
	left_forget(arg, le->data);
	return false;
}

/* So long after a start no session of before can be alive at the other end. */
static void sweep(void *arg)
{
	struct kept *k = arg;
	struct office_job job = {.kind = OFFICE_CALLS_SWEEP};

	log_info(NULL, "kept.swept", "calls=%u", (unsigned)k->n_left);
	hash_apply(k->left, sweep_one, k);
	memcpy(job.run, k->run, sizeof(job.run));
	if (office_post(k->core->office, &job, swept, k, &k->sweeping))
		k->sweeping = 0; /* the next start does it */
}

static void left_add(struct kept *k, const struct store_call *row)
{
	struct kept_call *c = mem_zalloc(sizeof(*c), left_destroy);

	if (!c)
		return;
	c->row = *row;
	hash_append(k->left, hash_joaat_str(row->id), &c->le, c);
	if (row->dialog[0])
		hash_append(k->left_dialog, hash_joaat_str(row->dialog), &c->le_dialog,
			    c);
	k->n_left++;
}

static void asked(const struct office_result *result, void *arg)
{
	const struct limits *l;
	struct kept *k = arg;

	k->asked = 0;
	l = &k->core->config->limits;
	for (size_t i = 0; !result->err && i < result->calls->n_add; i++)
		left_add(k, &result->calls->addv[i]);
	if (result->err || k->n_left)
		log_info(NULL, "kept.left", "calls=%u err=%d", (unsigned)k->n_left,
			 result->err);
	if (k->n_left && timer_start(k->core->loop->timers, &k->sweep,
				     (uint64_t)l->session_expires_s * 1000, sweep, k))
		log_err(NULL, "kept.sweep", "no memory for a timer");
}

static void kept_destroy(void *p)
{
	struct kept *k = p;

	timer_cancel(&k->flush);
	timer_cancel(&k->sweep);
	office_forget(k->core->office, k->batch);
	office_forget(k->core->office, k->asked);
	office_forget(k->core->office, k->sweeping);
	if (k->mine)
		hash_flush(k->mine);
	if (k->left)
		hash_flush(k->left);
	mem_deref(k->mine);
	mem_deref(k->left);
	mem_deref(k->left_dialog);
}

int kept_alloc(struct kept **kp, struct core *core)
{
	struct kept *k = mem_zalloc(sizeof(*k), kept_destroy);
	struct office_job job = {.kind = OFFICE_CALLS_LEFT,
				 .max = core->config->limits.calls};
	int err;

	if (!k)
		return ENOMEM;
	k->core = core;
	secret_hex(k->run, STORE_CALL_HEX);
	memcpy(job.run, k->run, sizeof(job.run));
	err = hash_alloc(&k->mine, BUCKETS);
	err = err ? err : hash_alloc(&k->left, BUCKETS);
	err = err ? err : hash_alloc(&k->left_dialog, BUCKETS);
	err = err ? err : office_post(core->office, &job, asked, k, &k->asked);
	if (err)
		mem_deref(k);
	else
		*kp = k;
	return err;
}
