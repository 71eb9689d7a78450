/* gateway/store_spend.c - the rows of minutes talked on trunks. Runs on the back office's threads; called by office_work.c,
 * the SQL is in store.c. */
#include "gateway/store_own.h"

int store_spend(struct store *s, const struct store_spent *spent)
{
	struct db_stmt *st;
	int err = db_exec(s->db, "BEGIN IMMEDIATE");

	if (err)
		return err;
	st = BIND(s, SPEND_ADD, &err, spent->user, spent->trunk);
	err = err ? err : db_bind_int(st, 3, spent->day);
	err = err ? err : db_bind_int(st, 4, spent->minutes);
	err = store_run(s, st, err, NULL);
	if (!err) {
		st = s->stmtv[SPEND_SWEEP];
		db_reset(st);
		err = store_run(s, st, db_bind_int(st, 1, spent->day), NULL);
	}
	return store_end(s, err);
}

int store_spent_list(struct store *s, int64_t day, struct store_spent **vp, size_t *np)
{
	struct store_spent *v = NULL;
	struct db_stmt *st = s->stmtv[SPEND_LIST];
	size_t n = 0;
	int err;

	db_reset(st);
	err = db_bind_int(st, 1, day);
	while (!err && !(err = db_step(st))) {
		struct store_spent *more = v ? mem_realloc(v, (n + 1) * sizeof(*v))
					     : mem_alloc(sizeof(*v), NULL);

		if (!more) {
			err = ENOMEM;
			break;
		}
		v = more;
		store_copy(v[n].user, sizeof(v[n].user), db_text(st, 0));
		store_copy(v[n].trunk, sizeof(v[n].trunk), db_text(st, 1));
		v[n].minutes = (uint32_t)db_int(st, 2);
		v[n++].day = day;
	}
	db_reset(st);
	if (err != ENODATA) {
		mem_deref(v);
		return err;
	}
	*vp = v;
	*np = n;
	return 0;
}
