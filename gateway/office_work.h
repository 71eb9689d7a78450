/* gateway/office_work.h - what a thread of the back office does with one job. */
#ifndef SLUSS_GATEWAY_OFFICE_WORK_H
#define SLUSS_GATEWAY_OFFICE_WORK_H

#include "gateway/office.h"
#include "lib/secret.h"

struct office_bench {
	struct store *store; /**< of this thread alone */
	unsigned password_log2n;
	char dummy
		[SECRET_PASSWORD_TEXT]; /**< a hash that no password has, of the same cost as the others */
};

/** Does `job`, which stays the caller's; fills all of *result. Blocks: scrypt, SQLite. */
void office_work(struct office_bench *bench, const struct office_job *job,
		 struct office_result *result);
/** Does it hash a password? */
bool office_work_is_heavy(enum office_kind kind);
const char *office_kind_name(enum office_kind kind);
/** Frees what it owns. */
void office_job_clear(struct office_job *job);
void office_result_clear(struct office_result *result);

#endif
