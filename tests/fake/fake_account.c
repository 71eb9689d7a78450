/* tests/fake/fake_account.c - gateway/account.h in memory: no store, no thread, no scrypt. All functions
 * of that header are here, so that a program that links this library never pulls the real ones in. */
#include "tests/fake/fake.h"

struct fake_user {
	struct le le;
	struct addr addr;
	char password[257];
	enum account_ring ring;
	enum relay_rule relay;
	struct addr knownv[8];
	size_t n_known;
};

struct fake_session {
	struct le le;
	struct addr user;
	char session[STORE_SESSION_HEX + 1], token[STORE_TOKEN_HEX + 1];
	struct store_device device;
	char origin[STORE_ORIGIN_MAX + 1];
};

struct account_service {
	struct core *core;
	struct list users, sessions, waiting;
	unsigned n_sessions;
	int err;
	bool hold;
};

struct account_request {
	struct le le;
	struct account_service *as;
	struct account_answer answer;
	struct timer timer;
	account_h *h;
	void *arg;
	struct account_request **rp; /* NULL: the request owns itself */
};

static void user_destructor(void *arg)
{
	list_unlink(&((struct fake_user *)arg)->le);
}

static void session_destructor(void *arg)
{
	list_unlink(&((struct fake_session *)arg)->le);
}

static void request_destructor(void *arg)
{
	struct account_request *r = arg;

	list_unlink(&r->le);
	timer_cancel(&r->timer);
}

static void service_destructor(void *arg)
{
	struct account_service *as = arg;

	list_flush(&as->users);
	list_flush(&as->sessions);
	/* the askers own the requests that wait, but for those that nobody can forget */
	while (as->waiting.head) {
		struct account_request *r = as->waiting.head->data;

		list_unlink(&r->le);
		if (!r->rp)
			mem_deref(r);
	}
}

int account_service_alloc(struct account_service **asp, struct core *core)
{
	*asp = mem_zalloc(sizeof(**asp), service_destructor);
	if (!*asp)
		return ENOMEM;
	(*asp)->core = core;
	return 0;
}

static struct fake_user *user_find(const struct account_service *as,
				   const struct addr *addr)
{
	struct le *le;

	LIST_FOREACH(&as->users, le)
	{
		struct fake_user *u = le->data;

		if (addr_equal(&u->addr, addr))
			return u;
	}
	return NULL;
}

static struct fake_session *session_find(const struct account_service *as,
					 const char *token)
{
	struct le *le;

	LIST_FOREACH(&as->sessions, le)
	{
		struct fake_session *s = le->data;

		if (!strcmp(s->token, token))
			return s;
	}
	return NULL;
}

static void answer_now(void *arg)
{
	struct account_request *r = arg;
	bool own = !r->rp;

	/* the asker may forget the request in its handler; one nobody can forget goes here */
	if (r->h)
		r->h(&r->answer, r->arg);
	if (own)
		mem_deref(r);
}

static int reply(struct account_request **rp, struct account_service *as,
		 const struct account_answer *answer, account_h *h, void *arg)
{
	struct account_request *r = mem_zalloc(sizeof(*r), request_destructor);

	if (!r)
		return ENOMEM;
	r->as = as;
	r->answer = *answer;
	if (as->err)
		r->answer.err = as->err;
	r->h = h;
	r->arg = arg;
	r->rp = rp;
	if (as->hold)
		list_append(&as->waiting, &r->le, r);
	else if (timer_start(as->core->loop->timers, &r->timer, 0, answer_now, r)) {
		mem_deref(r);
		return ENOMEM;
	}
	if (rp)
		*rp = r;
	return 0;
}

static struct account_answer signed_in(struct account_service *as,
				       const struct addr *user)
{
	struct fake_session *s = mem_zalloc(sizeof(*s), session_destructor);
	struct account_answer a = {.user = *user};

	if (!s) {
		a.err = EIO;
		return a;
	}
	s->user = *user;
	as->n_sessions++;
	snprintf(s->session, sizeof(s->session), "%016x", as->n_sessions);
	snprintf(s->token, sizeof(s->token), "%064x", as->n_sessions);
	list_append(&as->sessions, &s->le, s);
	memcpy(a.session, s->session, sizeof(a.session));
	memcpy(a.token, s->token, sizeof(a.token));
	return a;
}

/** Ends sign-ins: of `user`, or of that session; but `but`. */
static void sessions_end(struct account_service *as, const struct addr *user,
			 const char *session, const char *but, enum device_bye why)
{
	struct le *le = as->sessions.head;

	while (le) {
		struct fake_session *s = le->data;

		le = le->next;
		if (addr_equal(&s->user, user) &&
		    (!session || !strcmp(s->session, session)) &&
		    (!but || strcmp(s->session, but)))
			mem_deref(s);
	}
	registry_end(as->core->registry, user, session, but, why);
}

static bool name_of(struct addr *a, const struct site *site, const char *user)
{
	snprintf(a->host, sizeof(a->host), "%s", site->domain);
	return addr_user_parse(a->user, user, strlen(user)) == 0;
}

int account_login(struct account_request **rp, struct account_service *as,
		  const struct site *site, const char *user, const char *password,
		  size_t password_len, const struct account_from *from, account_h *h,
		  void *arg)
{
	struct account_answer a = {.err = EACCES};
	const struct fake_user *u;
	struct addr addr;

	u = name_of(&addr, site, user) ? user_find(as, &addr) : NULL;
	if (u && !as->err && strlen(u->password) == password_len &&
	    !memcmp(u->password, password, password_len))
		a = signed_in(as, &addr);
	if (!a.err && from)
		((struct fake_session *)list_ledata(as->sessions.tail))->device =
			from->device;
	return reply(rp, as, &a, h, arg);
}

int account_authenticate(struct account_request **rp, struct account_service *as,
			 const struct site *site, const char *token, account_h *h,
			 void *arg)
{
	const struct fake_session *s = session_find(as, token);
	struct account_answer a = {.err = EACCES};

	if (s && !strcmp(s->user.host, site->domain)) {
		a.err = 0;
		a.user = s->user;
		memcpy(a.session, s->session, sizeof(a.session));
		memcpy(a.origin, s->origin, sizeof(a.origin));
	}
	return reply(rp, as, &a, h, arg);
}

int account_logout(struct account_request **rp, struct account_service *as,
		   const struct site *site, const char *token, account_h *h, void *arg)
{
	const struct fake_session *s = session_find(as, token);
	struct account_answer a = {.err = EACCES};

	if (s) {
		a.err = 0;
		a.user = s->user;
		memcpy(a.session, s->session, sizeof(a.session));
		sessions_end(as, &a.user, a.session, NULL, DEVICE_SIGNED_OUT);
	}
	return reply(rp, as, &a, h, arg);
}

int account_passwd(struct account_request **rp, struct account_service *as,
		   const struct site *site, const struct addr *user, const char *old,
		   const char *new_password, const char *token, const struct sa *from,
		   account_h *h, void *arg)
{
	struct account_answer a = {.err = EACCES, .user = *user};
	const struct fake_session *s = session_find(as, token);
	struct fake_user *u = user_find(as, user);

	if (u && s && !strcmp(u->password, old)) {
		a.err = strlen(new_password) < 8 ? EINVAL : 0;
		if (!a.err) {
			snprintf(u->password, sizeof(u->password), "%s", new_password);
			sessions_end(as, user, NULL, s->session, DEVICE_PASSWORD);
		}
	}
	return reply(rp, as, &a, h, arg);
}

int account_register(struct account_request **rp, struct account_service *as,
		     const struct site *site, const char *user, const char *password,
		     size_t password_len, const struct account_from *from, account_h *h,
		     void *arg)
{
	struct account_answer a = {.err = EINVAL};
	struct addr addr;
	char text[257];

	if (!site->config->open_registration) {
		a.err = EPERM;
	} else if (name_of(&addr, site, user) && password_len >= 8 &&
		   password_len < sizeof(text)) {
		a.err = EEXIST;
		if (!user_find(as, &addr)) {
			snprintf(text, sizeof(text), "%.*s", (int)password_len, password);
			fake_account_add(as, AT(&addr), text);
			a = signed_in(as, &addr);
		}
	}
	return reply(rp, as, &a, h, arg);
}

int account_delete(struct account_request **rp, struct account_service *as,
		   const struct site *site, const struct addr *user, const char *password,
		   const struct sa *from, account_h *h, void *arg)
{
	struct account_answer a = {.err = EACCES, .user = *user};
	struct fake_user *u = user_find(as, user);

	if (u && !strcmp(u->password, password)) {
		a.err = 0;
		mem_deref(u);
		sessions_end(as, user, NULL, NULL, DEVICE_REMOVED);
	}
	return reply(rp, as, &a, h, arg);
}

/* As many as a test makes; they live until the next question. */
int account_sign_ins(struct account_request **rp, struct account_service *as,
		     const struct site *site, const struct addr *user, account_h *h,
		     void *arg)
{
	static struct store_sign_in signs[8];
	struct account_answer a = {.user = *user, .signs = signs};
	struct le *le;

	LIST_FOREACH(&as->sessions, le)
	{
		const struct fake_session *s = le->data;
		struct store_sign_in *one = &signs[a.n_signs];

		if (!addr_equal(&s->user, user) || a.n_signs == N_ELEMS(signs))
			continue;
		memset(one, 0, sizeof(*one));
		memcpy(one->session, s->session, sizeof(one->session));
		memcpy(one->origin, s->origin, sizeof(one->origin));
		one->device = s->device;
		a.n_signs++;
	}
	return reply(rp, as, &a, h, arg);
}

int account_end(struct account_request **rp, struct account_service *as,
		const struct site *site, const struct addr *user, const char *session,
		const char *token, account_h *h, void *arg)
{
	const struct fake_session *mine = session ? NULL : session_find(as, token);
	struct account_answer a = {.err = ENOENT, .user = *user};
	struct le *le;

	LIST_FOREACH(&as->sessions, le)
	{
		const struct fake_session *s = le->data;

		if (session && addr_equal(&s->user, user) && !strcmp(s->session, session))
			a.err = 0;
	}
	if (mine)
		a.err = 0;
	if (!a.err)
		sessions_end(as, user, session, mine ? mine->session : NULL,
			     DEVICE_SIGNED_OUT);
	return reply(rp, as, &a, h, arg);
}

int account_grant(struct account_request **rp, struct account_service *as,
		  const struct site *site, const char *token, const char *origin,
		  account_h *h, void *arg)
{
	const struct fake_session *by = session_find(as, token);
	struct account_answer a = {.err = EACCES};

	if (by && !by->origin[0]) {
		struct fake_session *s;

		a = signed_in(as, &by->user);
		s = list_ledata(as->sessions.tail);
		snprintf(s->origin, sizeof(s->origin), "%s", origin);
	}
	return reply(rp, as, &a, h, arg);
}

int account_admin_add(struct account_service *as, const struct addr *user,
		      const char *password, account_h *h, void *arg)
{
	struct account_answer a = {.err = EEXIST, .user = *user};

	if (!user_find(as, user)) {
		a.err = 0;
		fake_account_add(as, AT(user), password);
	}
	return reply(NULL, as, &a, h, arg);
}

int account_admin_passwd(struct account_service *as, const struct addr *user,
			 const char *password, account_h *h, void *arg)
{
	struct account_answer a = {.err = ENOENT, .user = *user};
	struct fake_user *u = user_find(as, user);

	if (u) {
		a.err = 0;
		snprintf(u->password, sizeof(u->password), "%s", password);
		sessions_end(as, user, NULL, NULL, DEVICE_PASSWORD);
	}
	return reply(NULL, as, &a, h, arg);
}

int account_admin_remove(struct account_service *as, const struct addr *user,
			 account_h *h, void *arg)
{
	struct account_answer a = {.err = ENOENT, .user = *user};
	struct fake_user *u = user_find(as, user);

	if (u) {
		a.err = 0;
		mem_deref(u);
		sessions_end(as, user, NULL, NULL, DEVICE_REMOVED);
	}
	return reply(NULL, as, &a, h, arg);
}

int account_admin_list(struct account_service *as, const struct site *site, account_h *h,
		       void *arg)
{
	static char *none[] = {NULL};
	struct account_answer a = {.usersv = none};

	return reply(NULL, as, &a, h, arg);
}

int account_exists(struct account_request **rp, struct account_service *as,
		   const struct addr *user, account_h *h, void *arg)
{
	struct account_answer a = {.user = *user};

	a.err = user_find(as, user) ? 0 : ENOENT;
	return reply(rp, as, &a, h, arg);
}

const char *account_ring_name(enum account_ring ring)
{
	static const char *const names[] = {"anyone", "verified-name", "verified-email"};

	return names[ring];
}

int account_ring_parse(enum account_ring *ring, const char *name)
{
	for (*ring = ACCOUNT_RING_ANYONE; *ring < ACCOUNT_RING_N; (*ring)++)
		if (!strcmp(account_ring_name(*ring), name))
			return 0;
	return EINVAL;
}

int account_ring(struct account_request **rp, struct account_service *as,
		 const struct addr *user, const struct addr *other, account_h *h,
		 void *arg)
{
	const struct fake_user *u = user_find(as, user);
	struct account_answer a = {.user = *user, .err = u ? 0 : ENOENT};

	if (u) {
		a.ring = u->ring;
		a.relay = u->relay;
		a.known = other && account_knows(as, user, other);
	}
	return reply(rp, as, &a, h, arg);
}

/* Of those who have set something nothing is remembered. */
bool account_ring_known(struct account_service *as, const struct addr *user,
			enum account_ring *ring, enum relay_rule *relay)
{
	const struct fake_user *u = user_find(as, user);

	*ring = ACCOUNT_RING_ANYONE;
	*relay = RELAY_SITE;
	return !u || (u->ring == ACCOUNT_RING_ANYONE && u->relay == RELAY_SITE);
}

bool account_knows(struct account_service *as, const struct addr *user,
		   const struct addr *other)
{
	const struct fake_user *u = user_find(as, user);

	for (size_t i = 0; u && i < u->n_known; i++)
		if (addr_equal(&u->knownv[i], other))
			return true;
	return false;
}

void account_know(struct account_service *as, const struct addr *user,
		  const struct addr *other)
{
	struct fake_user *u = user_find(as, user);

	if (u && !account_knows(as, user, other) && u->n_known < N_ELEMS(u->knownv))
		u->knownv[u->n_known++] = *other;
}

int account_ring_set(struct account_request **rp, struct account_service *as,
		     const struct addr *user, const char *ring, const char *relay,
		     account_h *h, void *arg)
{
	struct fake_user *u = user_find(as, user);
	struct account_answer a = {.user = *user, .err = u ? 0 : ENOENT};

	if ((!ring && !relay) || (ring && account_ring_parse(&a.ring, ring)) ||
	    (relay && relay_rule_parse(&a.relay, relay)))
		a.err = EINVAL;
	if (!a.err && ring)
		u->ring = a.ring;
	if (!a.err && relay)
		u->relay = a.relay;
	return reply(rp, as, &a, h, arg);
}

void fake_account_add(struct account_service *as, const char *user, const char *password)
{
	struct fake_user *u = mem_zalloc(sizeof(*u), user_destructor);

	if (!u)
		abort();
	u->addr = fake_addr(user);
	snprintf(u->password, sizeof(u->password), "%s", password ? password : "secret");
	list_append(&as->users, &u->le, u);
}

void fake_account_err(struct account_service *as, int err)
{
	as->err = err;
}

void fake_account_hold(struct account_service *as, bool hold)
{
	as->hold = hold;
	while (!hold && as->waiting.head) {
		struct account_request *r = as->waiting.head->data;

		list_unlink(&r->le);
		if (timer_start(as->core->loop->timers, &r->timer, 0, answer_now, r))
			abort();
	}
}
