/* webrtc/session/replay.c - the events that a browser has not acknowledged, and the answers to its last
 * requests.
 *
 * Pure; signalling thread; called by browser.c. docs/protocol.md, "Losing the connection", says what this
 * promises and why it holds. */
#include "webrtc/session/replay.h"

struct kept {
	struct le le;
	struct server_msg *m;
	size_t bytes;
};

/* An answer is `ok`, but for hello's and pings', which are not kept; or it is an error with its words. */
struct answer {
	uint32_t id; /* 0: none */
	enum web_error code;
	uint32_t retry_s;
	char *text; /* NULL: ok */
};

struct replay {
	struct list events; /* struct kept, oldest first */
	size_t bytes, max_bytes;
	uint64_t seq, acked;
	uint32_t last_id;
	unsigned n_answers; /* so far; the next goes to this one modulo REPLAY_ANSWERS */
	struct answer *answersv; /* NULL before the first */
};

static void kept_destructor(void *arg)
{
	struct kept *k = arg;

	list_unlink(&k->le);
	mem_deref(k->m);
}

static void replay_destructor(void *arg)
{
	struct replay *r = arg;

	list_flush(&r->events);
	for (unsigned i = 0; r->answersv && i < REPLAY_ANSWERS; i++)
		mem_deref(r->answersv[i].text);
	mem_deref(r->answersv);
}

int replay_alloc(struct replay **rp, size_t max_bytes)
{
	struct replay *r = mem_zalloc(sizeof(*r), replay_destructor);

	if (!r)
		return ENOMEM;
	r->max_bytes = max_bytes;
	*rp = r;
	return 0;
}

/* ---- events ---- */

int replay_event(struct replay *r, struct server_msg *event)
{
	size_t bytes = server_msg_bytes(event);
	struct kept *k;

	event->seq = ++r->seq;
	if (r->bytes + bytes > r->max_bytes)
		return ENOSPC;
	k = mem_zalloc(sizeof(*k), kept_destructor);
	if (!k)
		return ENOMEM;
	k->m = server_msg_copy(event);
	if (!k->m) {
		mem_deref(k);
		return ENOMEM;
	}
	k->bytes = bytes;
	r->bytes += bytes;
	list_append(&r->events, &k->le, k);
	return 0;
}

int replay_ack(struct replay *r, uint64_t seq)
{
	if (seq > r->seq)
		return ERANGE;
	while (r->events.head) {
		struct kept *k = r->events.head->data;

		if (k->m->seq > seq)
			break;
		r->bytes -= k->bytes;
		mem_deref(k);
	}
	if (seq > r->acked)
		r->acked = seq;
	return 0;
}

int replay_can(const struct replay *r, uint64_t seq)
{
	return seq > r->seq ? ERANGE : seq < r->acked ? ENOENT : 0;
}

int replay_each(const struct replay *r, int (*h)(struct server_msg *copy, void *arg),
		void *arg)
{
	int err = 0;

	for (struct le *le = r->events.head; le && !err; le = le->next) {
		const struct kept *k = le->data;
		struct server_msg *copy = server_msg_copy(k->m);

		err = copy ? h(copy, arg) : ENOMEM;
	}
	return err;
}

size_t replay_bytes(const struct replay *r)
{
	return r->bytes;
}

/* ---- requests ---- */

static struct server_msg *say_again(const struct answer *a)
{
	struct server_msg *m = server_msg_new(a->text ? SERVER_ERROR : SERVER_OK);

	if (!m)
		return NULL;
	m->id = a->id;
	if (a->text) {
		m->error.code = a->code;
		m->error.retry_s = a->retry_s;
		snprintf(m->error.text, sizeof(m->error.text), "%s", a->text);
	}
	return m;
}

enum replay_request replay_request(struct replay *r, uint32_t id,
				   struct server_msg **answerp)
{
	if (id > r->last_id) {
		r->last_id = id;
		return REPLAY_FRESH;
	}
	for (unsigned i = 0; r->answersv && i < REPLAY_ANSWERS; i++) {
		if (r->answersv[i].id == id) {
			*answerp = say_again(&r->answersv[i]);
			return REPLAY_ANSWERED;
		}
	}
	return REPLAY_FORGOTTEN;
}

int replay_answer(struct replay *r, const struct server_msg *answer)
{
	struct answer *a;
	char *text = NULL;

	if (!r->answersv)
		r->answersv = mem_zalloc(REPLAY_ANSWERS * sizeof(*a), NULL);
	if (!r->answersv)
		return ENOMEM;
	if (answer->kind == SERVER_ERROR) {
		text = base_dup(answer->error.text, strlen(answer->error.text));
		if (!text)
			return ENOMEM;
	}
	a = &r->answersv[r->n_answers++ % REPLAY_ANSWERS];
	mem_deref(a->text);
	*a = (struct answer){.id = answer->id, .text = text};
	if (text) {
		a->code = answer->error.code;
		a->retry_s = answer->error.retry_s;
	}
	return 0;
}
