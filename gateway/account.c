/* gateway/account.c - accounts and sign-ins as the rooms of the signalling thread ask for them: what may be
 * asked at all, and by whom how often. Called by webrtc/session/, route.c and control.c; the rest of a
 * question's way is in account_work.c. */
#include "gateway/account.h"

#include "gateway/account_own.h"
#include "gateway/provider.h"
#include "lib/secret.h"

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 256, SLOW_KEYS_MAX = 16384 };

static void service_destroy(void *p)
{
	struct account_service *as = p;

	list_flush(&as->works);
	mem_deref(as->slow_users);
	mem_deref(as->slow_addrs);
	mem_deref(as->cache);
	mem_deref(as->rings);
}

int account_service_alloc(struct account_service **asp, struct core *core)
{
	struct account_service *as = mem_zalloc(sizeof(*as), service_destroy);
	const struct limits *limits = &core->config->limits;
	const struct timers *timers = core->loop->timers;
	int err;

	if (!as)
		return ENOMEM;
	as->core = core;
	err = account_slow_alloc(&as->slow_users, timers, limits->login_tries_account,
				 SLOW_KEYS_MAX);
	if (!err)
		err = account_slow_alloc(&as->slow_addrs, timers,
					 limits->login_tries_addr, SLOW_KEYS_MAX);
	if (!err)
		err = account_cache_alloc(&as->cache, timers);
	if (!err)
		err = account_rings_alloc(&as->rings);
	if (err)
		mem_deref(as);
	else
		*asp = as;
	return err;
}

/* Could it be a password at all? Since they go through as C strings: without NUL. */
static bool password_is_text(const char *password, size_t n)
{
	return n > 0 && n <= PASSWORD_MAX && !memchr(password, '\0', n);
}

bool account_password_usable(const char *password, size_t n)
{
	return n >= PASSWORD_MIN && password_is_text(password, n);
}

static int login(struct account_request **rp, struct account_service *as,
		 enum office_kind kind, const struct site *site, const char *user,
		 const char *password, size_t password_len,
		 const struct account_from *from, account_h *h, void *arg)
{
	char name[ADDR_USER_MAX + 1] = "", *secret;
	bool is_name = !addr_user_parse(name, user, strlen(user));
	struct account_work *w;
	int err;

	err = account_work_alloc(&w, rp, as, kind, site->domain, name, h, arg);
	if (err)
		return err;
	err = account_work_slow(w, is_name ? AT(&w->answer.user) : NULL,
				from ? &from->sa : NULL);
	if (err)
		return account_work_answer_soon(w, err);
	if (!is_name || !password_is_text(password, password_len)) {
		account_work_failed(w);
		return account_work_answer_soon(w, EACCES);
	}
	secret = secret_dup(password, password_len);
	if (!secret)
		return account_work_drop(w);
	secret_hex(w->token, STORE_TOKEN_HEX);
	if (from)
		w->device = from->device;
	return account_work_post(w, secret, NULL);
}

int account_login(struct account_request **rp, struct account_service *as,
		  const struct site *site, const char *user, const char *password,
		  size_t password_len, const struct account_from *from, account_h *h,
		  void *arg)
{
	return login(rp, as, OFFICE_LOGIN, site, user, password, password_len, from, h,
		     arg);
}

int account_idp_login(struct account_request **rp, struct account_service *as,
		      const struct site *site, const char *user, const char *password,
		      size_t password_len, const struct sa *from, account_h *h, void *arg)
{
	const struct account_from by = {.sa = *from};

	return login(rp, as, OFFICE_IDP_LOGIN, site, user, password, password_len, &by, h,
		     arg);
}

static bool token_is_one(const char *token)
{
	return strlen(token) == STORE_TOKEN_HEX &&
	       strspn(token, "0123456789abcdef") == STORE_TOKEN_HEX;
}

int account_authenticate(struct account_request **rp, struct account_service *as,
			 const struct site *site, const char *token, account_h *h,
			 void *arg)
{
	struct account_work *w;
	int err;

	err = account_work_alloc(&w, rp, as, OFFICE_AUTHENTICATE, site->domain, "", h,
				 arg);
	if (err)
		return err;
	if (!token_is_one(token))
		return account_work_answer_soon(w, EACCES);
	if (!account_cache_find(as->cache, site->domain, token, &w->answer.user,
				w->answer.session, w->answer.origin))
		return account_work_answer_soon(w, 0);
	memcpy(w->token, token, sizeof(w->token));
	return account_work_post(w, NULL, NULL);
}

int account_logout(struct account_request **rp, struct account_service *as,
		   const struct site *site, const char *token, account_h *h, void *arg)
{
	struct account_work *w;
	int err;

	err = account_work_alloc(&w, rp, as, OFFICE_LOGOUT, site->domain, "", h, arg);
	if (err)
		return err;
	if (!token_is_one(token))
		return account_work_answer_soon(w, EACCES);
	memcpy(w->token, token, sizeof(w->token));
	return account_work_post(w, NULL, NULL);
}

int account_passwd(struct account_request **rp, struct account_service *as,
		   const struct site *site, const struct addr *user, const char *old,
		   const char *new_password, const char *token, const struct sa *from,
		   account_h *h, void *arg)
{
	char *secret, *was;
	struct account_work *w;
	int err;

	err = account_work_alloc(&w, rp, as, OFFICE_PASSWD, site->domain, user->user, h,
				 arg);
	if (err)
		return err;
	if (!account_password_usable(new_password, strlen(new_password)))
		return account_work_answer_soon(w, EINVAL);
	err = account_work_slow(w, AT(&w->answer.user), from);
	if (err)
		return account_work_answer_soon(w, err);
	if (!password_is_text(old, strlen(old)) || !token_is_one(token)) {
		account_work_failed(w);
		return account_work_answer_soon(w, EACCES);
	}
	secret = secret_dup(new_password, strlen(new_password));
	was = secret_dup(old, strlen(old));
	if (!secret || !was) {
		mem_deref(secret);
		mem_deref(was);
		return account_work_drop(w);
	}
	memcpy(w->token, token, sizeof(w->token));
	return account_work_post(w, secret, was);
}

int account_register(struct account_request **rp, struct account_service *as,
		     const struct site *site, const char *user, const char *password,
		     size_t password_len, const struct account_from *from, account_h *h,
		     void *arg)
{
	char name[ADDR_USER_MAX + 1] = "", *secret;
	bool is_name = !addr_user_parse(name, user, strlen(user));
	struct account_work *w;
	int err;

	err = account_work_alloc(&w, rp, as, OFFICE_USER_ADD, site->domain, name, h, arg);
	if (err)
		return err;
	w->registers = true;
	if (!site->config->open_registration)
		return account_work_answer_soon(w, EPERM);
	if (!is_name || !account_password_usable(password, password_len))
		return account_work_answer_soon(w, EINVAL);
	if (provider_is_pseudonym(name) ||
	    (site->config->echo && !strcmp(site->config->echo, name)))
		return account_work_answer_soon(
			w, EEXIST); /* the echo test has it, or a pseudonym */
	err = account_work_slow(w, NULL, from ? &from->sa : NULL);
	if (err)
		return account_work_answer_soon(w, err);
	secret = secret_dup(password, password_len);
	if (!secret)
		return account_work_drop(w);
	secret_hex(w->token, STORE_TOKEN_HEX);
	if (from)
		w->device = from->device;
	return account_work_post(w, secret, NULL);
}

int account_delete(struct account_request **rp, struct account_service *as,
		   const struct site *site, const struct addr *user, const char *password,
		   const struct sa *from, account_h *h, void *arg)
{
	struct account_work *w;
	char *secret;
	int err;

	err = account_work_alloc(&w, rp, as, OFFICE_USER_DELETE, site->domain, user->user,
				 h, arg);
	if (err)
		return err;
	err = account_work_slow(w, AT(&w->answer.user), from);
	if (err)
		return account_work_answer_soon(w, err);
	if (!password_is_text(password, strlen(password))) {
		account_work_failed(w);
		return account_work_answer_soon(w, EACCES);
	}
	secret = secret_dup(password, strlen(password));
	return secret ? account_work_post(w, secret, NULL) : account_work_drop(w);
}

int account_sign_ins(struct account_request **rp, struct account_service *as,
		     const struct site *site, const struct addr *user, account_h *h,
		     void *arg)
{
	struct account_work *w;
	int err = account_work_alloc(&w, rp, as, OFFICE_SESSION_LIST, site->domain,
				     user->user, h, arg);

	return err ? err : account_work_post(w, NULL, NULL);
}

int account_end(struct account_request **rp, struct account_service *as,
		const struct site *site, const struct addr *user, const char *session,
		const char *token, account_h *h, void *arg)
{
	enum office_kind kind = session ? OFFICE_SESSION_END : OFFICE_SESSION_END_OTHERS;
	struct account_work *w;
	int err = account_work_alloc(&w, rp, as, kind, site->domain, user->user, h, arg);

	if (err)
		return err;
	if (!session && !token_is_one(token))
		return account_work_answer_soon(w, EACCES);
	if (session)
		snprintf(w->answer.session, sizeof(w->answer.session), "%s", session);
	else
		memcpy(w->token, token, sizeof(w->token));
	return account_work_post(w, NULL, NULL);
}

int account_grant(struct account_request **rp, struct account_service *as,
		  const struct site *site, const char *token, const char *origin,
		  account_h *h, void *arg)
{
	struct account_work *w;
	char *by;
	int err;

	err = account_work_alloc(&w, rp, as, OFFICE_GRANT, site->domain, "", h, arg);
	if (err)
		return err;
	if (!token_is_one(token))
		return account_work_answer_soon(w, EACCES);
	by = secret_dup(token, strlen(token));
	if (!by)
		return account_work_drop(w);
	snprintf(w->answer.origin, sizeof(w->answer.origin), "%s", origin);
	secret_hex(w->token, STORE_TOKEN_HEX);
	return account_work_post(w, NULL, by);
}

/* The operator's questions, and route.c's: `password` NULL where there is none. */
static int ask(struct account_request **rp, struct account_service *as,
	       enum office_kind kind, const struct addr *user, const char *password,
	       account_h *h, void *arg)
{
	struct account_work *w;
	char *secret = NULL;
	int err;

	err = account_work_alloc(&w, rp, as, kind, user->host, user->user, h, arg);
	if (err)
		return err;
	if (password) {
		if (!account_password_usable(password, strlen(password)) ||
		    (kind == OFFICE_USER_ADD && provider_is_pseudonym(user->user)))
			return account_work_answer_soon(w, EINVAL);
		secret = secret_dup(password, strlen(password));
		if (!secret)
			return account_work_drop(w);
	}
	return account_work_post(w, secret, NULL);
}

int account_admin_add(struct account_service *as, const struct addr *user,
		      const char *password, account_h *h, void *arg)
{
	return ask(NULL, as, OFFICE_USER_ADD, user, password, h, arg);
}

int account_admin_passwd(struct account_service *as, const struct addr *user,
			 const char *password, account_h *h, void *arg)
{
	return ask(NULL, as, OFFICE_PASSWD, user, password, h, arg);
}

int account_admin_remove(struct account_service *as, const struct addr *user,
			 account_h *h, void *arg)
{
	return ask(NULL, as, OFFICE_USER_REMOVE, user, NULL, h, arg);
}

int account_admin_list(struct account_service *as, const struct site *site, account_h *h,
		       void *arg)
{
	struct addr user = {0};

	snprintf(user.host, sizeof(user.host), "%s", site->domain);
	return ask(NULL, as, OFFICE_USER_LIST, &user, NULL, h, arg);
}

int account_exists(struct account_request **rp, struct account_service *as,
		   const struct addr *user, account_h *h, void *arg)
{
	return ask(rp, as, OFFICE_USER_EXISTS, user, NULL, h, arg);
}
