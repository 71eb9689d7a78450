/* sip/edge/txn.c - see txn.h. Edge thread. Called by the two directions; calls txn_fsm.c
 * and timers. */
#include "sip/edge/txn.h"

#include "lib/log.h"

struct txns {
	struct hash *table;
	struct timers *timers;
	txn_timeout_h *h;
	void *arg;
	size_t n;
};

struct txn_key {
	const struct pl *branch;
	bool cancel;
};

static void txns_destroy(void *p)
{
	struct txns *ts = p;

	hash_flush(ts->table);
	mem_deref(ts->table);
}

int txns_alloc(struct txns **tsp, struct timers *timers, txn_timeout_h *h, void *arg)
{
	struct txns *ts = mem_zalloc(sizeof(*ts), txns_destroy);

	if (!ts)
		return ENOMEM;
	ts->timers = timers;
	ts->h = h;
	ts->arg = arg;
	if (hash_alloc(&ts->table, 4096)) {
		mem_deref(ts);
		return ENOMEM;
	}
	*tsp = ts;
	return 0;
}

static void txn_destroy(void *p)
{
	struct txn *t = p;

	timer_cancel(&t->timer);
	hash_unlink(&t->he);
	list_unlink(&t->pending);
	mem_deref(t->via);
	mem_deref(t->lines);
	mem_deref(t->domain);
}

static void txn_timeout(void *arg)
{
	struct txn *t = mem_ref(arg);

	t->txns->h(t, txn_step(t, TXN_TIMEOUT), t->txns->arg);
	mem_deref(t);
}

static int txn_watch(struct txn *t)
{
	return timer_start(t->txns->timers, &t->timer,
			   txn_state_s(t->invite, t->state) * 1000ull, txn_timeout, t);
}

int txn_alloc(struct txn **tp, struct txns *ts, const char *branch, bool invite,
	      bool cancel)
{
	const struct pl key = {branch, strlen(branch)};
	struct txn *t;

	if (txn_find(ts, &key, cancel))
		return EALREADY;
	t = mem_zalloc(sizeof(*t), txn_destroy);
	if (!t)
		return ENOMEM;
	t->txns = ts;
	snprintf(t->branch, sizeof(t->branch), "%s", branch);
	t->invite = invite;
	t->cancel = cancel;
	t->state = TXN_DIALLING;
	if (txn_watch(t)) {
		mem_deref(t);
		return ENOMEM;
	}
	hash_append(ts->table, hash_joaat((const uint8_t *)branch, strlen(branch)),
		    &t->he, t);
	ts->n++;
	*tp = t;
	return 0;
}

static bool txn_is(struct le *le, void *arg)
{
	const struct txn *t = le->data;
	const struct txn_key *key = arg;

	return t->cancel == key->cancel && !pl_strcmp(key->branch, t->branch);
}

struct txn *txn_find(struct txns *ts, const struct pl *branch, bool cancel)
{
	struct txn_key key = {branch, cancel};

	return list_ledata(hash_lookup(ts->table,
				       hash_joaat((const uint8_t *)branch->p, branch->l),
				       txn_is, &key));
}

unsigned txn_step(struct txn *t, enum txn_event event)
{
	struct txn_step step = txn_fsm(t->invite, t->state, event);
	bool again = event == TXN_PROVISIONAL && t->invite;

	if (t->state != step.next)
		log_debug(NULL, "edge.txn", "branch=%s %s -> %s on %s", t->branch,
			  txn_state_name(t->state), txn_state_name(step.next),
			  txn_event_name(event));
	if (t->state == step.next && !again)
		return step.actions;
	t->state = step.next;
	switch (t->state) {
	case TXN_DIALLING:
	case TXN_SENT:
	case TXN_PROCEEDING:
		break;
	case TXN_ANSWERED:
	case TXN_REFUSED:
		t->lines = mem_deref(t->lines);
		/* fall through */
	case TXN_FAILED:
		/* The connection may go now. */
		list_unlink(&t->pending);
		break;
	case TXN_GONE:
		timer_cancel(&t->timer);
		list_unlink(&t->pending);
		if (t->he.list) {
			hash_unlink(&t->he);
			t->txns->n--;
			mem_deref(t);
		}
		return step.actions;
	case TXN_STATE_N:
		break;
	}
	if (txn_watch(t))
		log_err(NULL, "edge.timer", "err=%d", ENOMEM);
	return step.actions;
}

size_t txns_count(const struct txns *ts)
{
	return ts->n;
}
