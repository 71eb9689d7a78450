/* webrtc/session/idp_session.c - see idp_session.h. Signalling thread; called by webrtc.c, asks gateway/provider.h. Nothing is
 * decided here. */
#include "webrtc/session/idp_session.h"

#include "lib/log.h"

enum { BUCKETS = 64 };

struct idp_sessions {
	struct core *core;
	struct hash *asked; /* struct asking, by connection id */
	session_post_h *post_h;
	void *arg;
};

struct asking {
	struct le le;
	struct idp_sessions *all;
	uint64_t conn;
	enum provider_op op;
	struct provider_wait *wait;
};

static void asking_destructor(void *arg)
{
	struct asking *a = arg;

	hash_unlink(&a->le);
	mem_deref(a->wait);
}

static void on_answer(struct provider_answer *answer, void *arg)
{
	struct asking *a = arg;
	struct web_down down = {.kind = WEB_IDP_REPLY, .conn = a->conn, .idp = answer};

	/* when even this cannot be said, the web thread's own timer ends the request */
	if (!answer || a->all->post_h(&down, a->all->arg))
		log_err(NULL, "idp.lost", "request=%s", provider_op_name(a->op));
	mem_deref(a);
}

static struct provider_answer *refusal(int err)
{
	static const char text[] =
		"{\"error\":\"busy\",\"text\":\"The site is busy. Please try again.\"}";
	struct provider_answer *answer = provider_answer_new(503);

	if (!answer)
		return NULL;
	answer->retry_s = err == ENOSPC ? 1 : 2;
	answer->json = base_dup(text, strlen(text));
	return answer->json ? answer : mem_deref(answer);
}

static bool conn_is(struct le *le, void *arg)
{
	const struct asking *a = le->data;

	return a->conn == *(const uint64_t *)arg;
}

static void begin(struct idp_sessions *all, uint64_t conn, struct provider_request *r)
{
	const struct core *core = all->core;
	struct asking *a = mem_zalloc(sizeof(*a), asking_destructor);
	int err = ENOMEM;

	if (!a) {
		mem_deref(r);
		return;
	}
	a->all = all;
	a->conn = conn;
	a->op = r->op;
	hash_append(all->asked, (uint32_t)conn, &a->le, a);
	log_debug(NULL, "idp.request", "request=%s site=%s", provider_op_name(r->op),
		  r->site->domain);
	if (core->provider && !core->stopping)
		err = core->provider->ask(core->provider_arg, &a->wait, r, on_answer, a);
	else
		mem_deref(r);
	if (err)
		on_answer(refusal(err), a);
}

void idp_sessions_take(struct idp_sessions *all, const struct web_up *msg)
{
	uint64_t conn = msg->conn;

	if (msg->kind == WEB_IDP)
		begin(all, conn, msg->idp);
	else if (msg->kind == WEB_API_GONE)
		mem_deref(list_ledata(
			hash_lookup(all->asked, (uint32_t)conn, conn_is, &conn)));
}

static void idp_sessions_destructor(void *arg)
{
	struct idp_sessions *all = arg;

	hash_flush(all->asked);
	mem_deref(all->asked);
}

int idp_sessions_alloc(struct idp_sessions **ip, struct core *core,
		       session_post_h *post_h, void *arg)
{
	struct idp_sessions *all = mem_zalloc(sizeof(*all), idp_sessions_destructor);

	if (!all)
		return ENOMEM;
	all->core = core;
	all->post_h = post_h;
	all->arg = arg;
	if (hash_alloc(&all->asked, BUCKETS)) {
		mem_deref(all);
		return ENOMEM;
	}
	*ip = all;
	return 0;
}
