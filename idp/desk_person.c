/* idp/desk_person.c - what people do with their own account at their identity provider: who is signed in, what one is called,
 * a first password. The provider's thread; called by desk_work.c, calls the store. docs/idp.md describes each request. */
#include "idp/desk_own.h"

#include "gateway/account.h"
#include "lib/log.h"
#include "lib/secret.h"

void desk_address(char out[ADDR_TEXT_MAX + 1], const struct desk_case *c,
		  const char *user)
{
	snprintf(out, ADDR_TEXT_MAX + 1, "%s@%s", user, c->site->domain);
}

static void add_text(json_t *o, const char *name, const char *text)
{
	if (*text)
		json_object_set_new(o, name, json_string(text));
}

static struct provider_answer *who(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1], text[ADDR_TEXT_MAX + 1],
		origin[STORE_ORIGIN_MAX + 1] = "", hash[SECRET_PASSWORD_TEXT];
	int64_t until_s = c->now_s + (int64_t)c->config->limits.idp_grant_days * 86400;
	struct store_profile profile;
	struct provider_answer *no = NULL;
	json_t *o;
	int err = 0;

	if (c->r->grant[0]) {
		err = store_idp_grant_find(c->store, c->site->domain, c->r->grant,
					   c->now_s, until_s, user, origin);
		if (err == ENOENT)
			return desk_send_to(c, 401, "sign-in", "Please sign in.", NULL);
	} else {
		no = desk_session(c, user);
	}
	if (no)
		return no;
	err = err ? err : store_idp_profile(c->store, c->site->domain, user, &profile);
	err = err ? err : store_user_hash(c->store, c->site->domain, user, hash);
	if (err)
		return desk_failed(err);
	desk_address(text, c, user);
	o = json_pack("{s:s, s:s}", "user", text, "name",
		      *profile.name ? profile.name : user);
	add_text(o, "picture", profile.picture);
	add_text(o, "email", profile.email);
	if (*profile.email)
		json_object_set_new(o, "email_verified",
				    json_boolean(profile.email_verified));
	add_text(o, "origin", origin);
	if (!strcmp(hash, STORE_NO_PASSWORD))
		json_object_set_new(o, "password", json_false());
	secret_wipe(hash, sizeof(hash));
	return desk_say(200, o);
}

static struct provider_answer *sign_out(struct desk_case *c)
{
	int err = c->r->session[0] ? store_idp_session_end(c->store, c->site->domain,
							   c->r->session)
				   : ENOENT;
	struct provider_answer *a;

	if (err && err != ENOENT)
		return desk_failed(err);
	a = desk_done();
	if (a)
		a->session_over = true;
	return a;
}

/* What people write themselves is their name; picture and e-mail come from where they signed in. */
static struct provider_answer *profile_set(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1];
	struct store_profile profile;
	struct provider_answer *no = desk_session(c, user);
	int err;

	if (no)
		return no;
	err = store_idp_profile(c->store, c->site->domain, user, &profile);
	addr_name_clean(profile.name, sizeof(profile.name), c->r->name ? c->r->name : "",
			c->r->name ? strlen(c->r->name) : 0);
	err = err ? err
		  : store_idp_profile_set(c->store, c->site->domain, user, &profile);
	return err ? desk_failed(err) : desk_done();
}

/* Only where nobody knows one: whoever has one changes it at the site, and says the old one there. */
static struct provider_answer *password_set(struct desk_case *c)
{
	char user[ADDR_USER_MAX + 1], hash[SECRET_PASSWORD_TEXT];
	struct provider_answer *no = desk_session(c, user);
	const char *password = c->r->password;
	int err;

	if (no)
		return no;
	if (!password || !account_password_usable(password, strlen(password)))
		return desk_refuse(400, "bad-message", "A password has 8 to 256 bytes.");
	err = secret_password_hash(hash, password, strlen(password),
				   c->config->limits.password_log2n);
	if (!err)
		err = store_user_hash_set(c->store, c->site->domain, user,
					  STORE_NO_PASSWORD, hash);
	secret_wipe(hash, sizeof(hash));
	if (err == ENOENT)
		return desk_refuse(409, "exists",
				   "There is a password. It is changed at the site.");
	if (!err)
		log_info(NULL, "idp.password", "site=%s", c->site->domain);
	return err ? desk_failed(err) : desk_done();
}

struct provider_answer *desk_person(struct desk_case *c)
{
	switch (c->r->op) {
	case PROVIDER_WHO:
		return who(c);
	case PROVIDER_SIGN_OUT:
		return sign_out(c);
	case PROVIDER_PROFILE_SET:
		return profile_set(c);
	case PROVIDER_PASSWORD_SET:
		return password_set(c);
	default:
		return desk_refuse(404, "not-found", "There is nothing here.");
	}
}
