/* gateway/store_call.c - the rows of established calls. Runs on the back office's threads; called by
 * office_work.c, the SQL is in store.c. */
#include "gateway/store_own.h"

static void calls_destroy(void *p)
{
	struct store_calls *c = p;

	mem_deref(c->addv);
	mem_deref(c->dropv);
}

int store_calls_alloc(struct store_calls **cp, size_t n_add, size_t n_drop)
{
	struct store_calls *c = mem_zalloc(sizeof(*c), calls_destroy);

	if (!c)
		return ENOMEM;
	c->addv = mem_zalloc((n_add + 1) * sizeof(*c->addv), NULL);
	c->dropv = mem_zalloc((n_drop + 1) * sizeof(*c->dropv), NULL);
	if (!c->addv || !c->dropv) {
		mem_deref(c);
		return ENOMEM;
	}
	*cp = c;
	return 0;
}

static int add(struct store *s, const char *run, const struct store_call *call)
{
	char a[ADDR_TEXT_MAX + 1], b[ADDR_TEXT_MAX + 1];
	struct db_stmt *st;
	int err;

	addr_text(a, &call->a);
	addr_text(b, &call->b);
	st = BIND(s, CALL_ADD, &err, call->id, run, a, b, call->dialog);
	err = err ? err : db_bind_int(st, 6, call->a_here);
	err = err ? err : db_bind_int(st, 7, call->b_here);
	return store_run(s, st, err, NULL);
}

int store_calls_change(struct store *s, const char *run, const struct store_calls *c)
{
	struct db_stmt *st;
	int err = db_exec(s->db, "BEGIN IMMEDIATE");

	if (err)
		return err;
	for (size_t i = 0; i < c->n_add && !err; i++)
		err = add(s, run, &c->addv[i]);
	for (size_t i = 0; i < c->n_drop && !err; i++) {
		st = BIND(s, CALL_DROP, &err, c->dropv[i]);
		err = store_run(s, st, err, NULL);
	}
	return store_end(s, err);
}

/* False: the row is not one of ours, or damaged. */
static bool read(struct store_call *call, const struct db_stmt *st)
{
	const char *a = db_text(st, 1), *b = db_text(st, 2);

	store_copy(call->id, sizeof(call->id), db_text(st, 0));
	store_copy(call->dialog, sizeof(call->dialog), db_text(st, 3));
	call->a_here = db_int(st, 4) != 0;
	call->b_here = db_int(st, 5) != 0;
	return strlen(call->id) == STORE_CALL_HEX && a && b &&
	       !addr_parse(&call->a, a, strlen(a)) &&
	       !addr_parse(&call->b, b, strlen(b)) && (call->a_here || call->b_here);
}

int store_calls_left(struct store *s, const char *run, size_t max,
		     struct store_calls **cp)
{
	struct store_calls *c = NULL;
	size_t size = 16;
	struct db_stmt *st;
	int err, none = store_calls_alloc(&c, size, 0);

	st = BIND(s, CALL_LEFT, &err, run);
	err = none ? none : err;
	if (!err)
		err = db_bind_int(st, 2, (int64_t)max);
	while (!err && !(err = db_step(st))) {
		if (c->n_add == size) {
			struct store_call *more =
				mem_realloc(c->addv, 2 * size * sizeof(*more));

			if (!more) {
				err = ENOMEM;
				break;
			}
			c->addv = more;
			size *= 2;
		}
		if (read(&c->addv[c->n_add], st))
			c->n_add++;
	}
	db_reset(st);
	if (err != ENODATA) {
		mem_deref(c);
		return err;
	}
	*cp = c;
	return 0;
}

int store_calls_sweep(struct store *s, const char *run)
{
	int err;
	struct db_stmt *st = BIND(s, CALL_SWEEP, &err, run);

	return store_run(s, st, err, NULL);
}
