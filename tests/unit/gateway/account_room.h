/* account_room.h - what the tests of accounts share: the real service, back office and store behind, the fake
 * loop's clock in front, so that waits of minutes pass at once; one site, site.example. */
#ifndef SLUSS_TESTS_UNIT_GATEWAY_ACCOUNT_ROOM_H
#define SLUSS_TESTS_UNIT_GATEWAY_ACCOUNT_ROOM_H

#include "gateway/account.h"

#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "gateway/account_slow.h"
#include "gateway/office.h"
#include "gateway/registry.h"
#include "tests/fake/fake.h"

enum { LOG2N = 10 };

static char dir[64], path[128];
static struct config config;
static struct site_config site_config;
static struct core core;
static struct site *site;
static struct account_service *as;

static inline int setup(void **state)
{
	char *why = NULL;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_account.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sluss.db", dir);
	memset(&config, 0, sizeof(config));
	memset(&site_config, 0, sizeof(site_config));
	for (size_t i = 0; i < config_limits_n; i++)
		*(uint32_t *)(void *)((char *)&config.limits + config_limits[i].offset) =
			config_limits[i].def;
	config.limits.login_tries_account = 3;
	config.limits.login_tries_addr = 6;
	snprintf(site_config.domain, sizeof(site_config.domain), "site.example");
	config.sitev = &site_config;
	config.n_sites = 1;
	struct loop *loop = NULL;
	if (fake_loop_alloc(&loop) || core_init(&core, &config, loop) ||
	    office_alloc(&core.office, &why, loop, path, 2, 64, LOG2N) ||
	    account_service_alloc(&core.accounts, &core))
		return -1;
	as = core.accounts;
	site = core_site_find(&core, "site.example");
	return site ? 0 : -1;
}

static inline int teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	struct loop *loop = core.loop;
	char file[160];

	(void)state;
	core.accounts = mem_deref(core.accounts);
	core.office = mem_deref(core.office);
	core_close(&core);
	mem_deref(loop);
	for (size_t i = 0; i < N_ELEMS(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(dir);
}

/* ---- asking ---- */

struct got {
	struct account_answer answerv[32];
	size_t n, want;
	struct account_request **drop; /* freed inside the handler */
	char users[100];
};

static inline void on_answer(const struct account_answer *answer, void *arg)
{
	struct got *g = arg;

	assert_true(g->n < N_ELEMS(g->answerv));
	if (g->drop)
		*g->drop = mem_deref(*g->drop);
	g->answerv[g->n++] = *answer; /* must still be there */
	for (char **v = answer->usersv; v && *v; v++) {
		size_t used = strlen(g->users);

		snprintf(g->users + used, sizeof(g->users) - used, "%s ", *v);
	}
}

static inline bool got_all(void *arg)
{
	const struct got *g = arg;

	return g->n >= g->want;
}

static inline struct account_answer wait_one(struct got *g)
{
	assert_int_equal(g->n, 0); /* never from inside */
	g->want = 1;
	assert_true(fake_loop_wait(core.loop, got_all, g));
	return g->answerv[0];
}

static inline struct addr addr(const char *user)
{
	struct addr a = {.host = "site.example"};

	snprintf(a.user, sizeof(a.user), "%s", user);
	return a;
}

static inline struct sa from_text(const char *text)
{
	struct sa sa;

	assert_int_equal(sa_set_str(&sa, text, 1234), 0);
	return sa;
}

static inline struct account_answer login_from(const char *user, const char *password,
					       const char *from)
{
	struct account_from sa = {.sa = from_text(from)};
	struct got g = {0};

	assert_int_equal(account_login(NULL, as, site, user, password, strlen(password),
				       &sa, on_answer, &g),
			 0);
	return wait_one(&g);
}

static inline struct account_answer login(const char *user, const char *password)
{
	return login_from(user, password, "192.0.2.1");
}

static inline int authenticate(const char *token)
{
	struct account_request *r = NULL;
	struct got g = {.drop = &r};

	assert_int_equal(account_authenticate(&r, as, site, token, on_answer, &g), 0);
	return wait_one(&g).err;
}

static inline int logout(const char *token)
{
	struct got g = {0};

	assert_int_equal(account_logout(NULL, as, site, token, on_answer, &g), 0);
	return wait_one(&g).err;
}

static inline struct account_answer passwd(const char *user, const char *old,
					   const char *new_password, const char *token)
{
	struct addr a = addr(user);
	struct sa sa = from_text("192.0.2.1");
	struct got g = {0};

	assert_int_equal(account_passwd(NULL, as, site, &a, old, new_password, token, &sa,
					on_answer, &g),
			 0);
	return wait_one(&g);
}

static inline struct account_answer enrol(const char *user, const char *password,
					  const char *from)
{
	struct account_from sa = {.sa = from_text(from)};
	struct got g = {0};

	assert_int_equal(account_register(NULL, as, site, user, password,
					  strlen(password), &sa, on_answer, &g),
			 0);
	return wait_one(&g);
}

static inline int add(const char *user, const char *password)
{
	struct addr a = addr(user);
	struct got g = {0};

	assert_int_equal(account_admin_add(as, &a, password, on_answer, &g), 0);
	return wait_one(&g).err;
}

static inline int exists(const char *user)
{
	struct addr a = addr(user);
	struct got g = {0};

	assert_int_equal(account_exists(NULL, as, &a, on_answer, &g), 0);
	return wait_one(&g).err;
}

static inline uint64_t jobs_posted(void)
{
	struct mailbox_stats stats;

	office_stats(core.office, &stats);
	return stats.n_posted;
}

static inline bool jobs_done(void *arg)
{
	struct mailbox_stats stats;

	office_stats(core.office, &stats);
	return stats.n_now == 0;
}

/* ---- devices ---- */

struct tab {
	struct device d;
	int bye; /* -1: none */
};

static inline void tab_bye(struct endpoint *ep, enum device_bye why)
{
	struct tab *tab = (struct tab *)ep;

	tab->bye = (int)why;
	registry_remove(core.registry, &tab->d);
}

static inline void tab_open(struct tab *tab, const char *user, const char *session,
			    const char *id)
{
	static const struct device_ops ops = {.bye = tab_bye};

	memset(tab, 0, sizeof(*tab));
	tab->bye = -1;
	tab->d.ops = &ops;
	tab->d.user = addr(user);
	snprintf(tab->d.id, sizeof(tab->d.id), "%s", id);
	snprintf(tab->d.session, sizeof(tab->d.session), "%s", session);
	assert_int_equal(registry_add(core.registry, &tab->d), 0);
}

static inline void tab_close(struct tab *tab)
{
	if (tab->d.registered)
		registry_remove(core.registry, &tab->d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
