/* test_account.c - sign-ins as the signalling thread sees them.
 *
 *   test ──account_login …──► account ──► office ──► store         registry ──bye──► devices of the test */
#include "tests/unit/gateway/account_room.h"

static void signing_in_and_out(void **state)
{
	struct account_answer in;
	struct tab tab, other;

	assert_int_equal(add("alice", "short"), EINVAL);
	assert_int_equal(add("alice", "password"), 0);
	assert_int_equal(add("alice", "password"), EEXIST);
	assert_int_equal(exists("alice"), 0);
	assert_int_equal(exists("bob"), ENOENT);

	in = login("Alice", "password"); /* names are canonical */
	assert_int_equal(in.err, 0);
	assert_string_equal(in.user.user, "alice");
	assert_string_equal(in.user.host, "site.example");
	assert_int_equal(strlen(in.token), STORE_TOKEN_HEX);
	assert_int_equal(authenticate(in.token), 0);

	tab_open(&tab, "alice", in.session, "d-1");
	tab_open(&other, "alice", "0000000000000000", "d-2");
	assert_int_equal(logout(in.token), 0);
	assert_int_equal(tab.bye, DEVICE_SIGNED_OUT);
	assert_int_equal(other.bye, -1);
	assert_int_equal(authenticate(in.token), EACCES);
	assert_int_equal(logout(in.token), EACCES);
	tab_close(&other);
}

static void what_cannot_be_a_name_password_or_token(void **state)
{
	uint64_t before;
	struct got g = {0};

	assert_int_equal(add("alice", "password"), 0);
	before = jobs_posted();
	assert_int_equal(login("not a name", "password").err, EACCES);
	assert_int_equal(login("alice", "").err, EACCES);
	assert_int_equal(account_login(NULL, as, site, "alice", "password\0x", 10, NULL,
				       on_answer, &g),
			 0);
	assert_int_equal(wait_one(&g).err, EACCES);
	assert_int_equal(authenticate(""), EACCES);
	assert_int_equal(authenticate("zz"), EACCES);
	assert_int_equal(
		authenticate(
			"ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789"),
		EACCES);
	assert_int_equal(jobs_posted(), before);
}

static void a_new_password_ends_the_other_sign_ins(void **state)
{
	struct account_answer here, there;
	struct tab tab_here, tab_there;

	assert_int_equal(add("alice", "password"), 0);
	here = login("alice", "password");
	there = login("alice", "password");
	tab_open(&tab_here, "alice", here.session, "d-1");
	tab_open(&tab_there, "alice", there.session, "d-2");
	assert_int_equal(authenticate(there.token), 0); /* remembered now */

	assert_int_equal(passwd("alice", "password", "short", here.token).err, EINVAL);
	assert_int_equal(passwd("alice", "wrong", "new password", here.token).err,
			 EACCES);
	assert_int_equal(tab_there.bye, -1);
	assert_int_equal(passwd("alice", "password", "new password", here.token).err, 0);
	assert_int_equal(tab_here.bye, -1);
	assert_int_equal(tab_there.bye, DEVICE_PASSWORD);
	assert_int_equal(authenticate(here.token), 0);
	assert_int_equal(authenticate(there.token), EACCES);
	assert_int_equal(login("alice", "password").err, EACCES);
	assert_int_equal(login("alice", "new password").err, 0);
	tab_close(&tab_here);
}

static int ring_set(const char *user, const char *ring)
{
	struct addr a = addr(user);
	struct got g = {0};

	assert_int_equal(account_ring_set(NULL, as, &a, ring, NULL, on_answer, &g), 0);
	return wait_one(&g).err;
}

static enum account_ring ring_of(const char *user)
{
	struct account_answer answer;
	struct addr a = addr(user);
	struct got g = {0};

	assert_int_equal(account_ring(NULL, as, &a, NULL, on_answer, &g), 0);
	answer = wait_one(&g);
	assert_int_equal(answer.err, 0);
	return answer.ring;
}

static void whose_calls_ring(void **state)
{
	struct addr alice = addr("alice");
	enum account_ring ring;
	enum relay_rule relay;
	struct got g = {0};

	for (unsigned i = 0; i < ACCOUNT_RING_N; i++) {
		assert_int_equal(account_ring_parse(
					 &ring, account_ring_name((enum account_ring)i)),
				 0);
		assert_int_equal(ring, i);
	}
	assert_int_equal(ring_set("alice", "verified-name"), ENOENT);
	assert_int_equal(add("alice", "password"), 0);
	assert_false(account_ring_known(as, &alice, &ring, &relay));
	assert_int_equal(ring_of("alice"), ACCOUNT_RING_ANYONE);
	assert_true(account_ring_known(as, &alice, &ring, &relay)); /* remembered */
	assert_int_equal(ring_set("alice", "nobody"), EINVAL);
	assert_int_equal(ring_set("alice", "verified-name"), 0);
	assert_true(account_ring_known(as, &alice, &ring, &relay));
	assert_int_equal(ring, ACCOUNT_RING_VERIFIED_NAME);
	assert_int_equal(ring_of("alice"), ACCOUNT_RING_VERIFIED_NAME);
	/* who has the name next has set nothing */
	assert_int_equal(account_admin_remove(as, &alice, on_answer, &g), 0);
	assert_int_equal(wait_one(&g).err, 0);
	assert_false(account_ring_known(as, &alice, &ring, &relay));
	assert_int_equal(add("alice", "password"), 0);
	assert_int_equal(ring_of("alice"), ACCOUNT_RING_ANYONE);
}

static struct account_answer rules_of(const char *user, const struct addr *other)
{
	struct addr a = addr(user);
	struct got g = {0};

	assert_int_equal(account_ring(NULL, as, &a, other, on_answer, &g), 0);
	return wait_one(&g);
}

static int relay_set(const char *user, const char *ring, const char *relay)
{
	struct addr a = addr(user);
	struct got g = {0};

	assert_int_equal(account_ring_set(NULL, as, &a, ring, relay, on_answer, &g), 0);
	return wait_one(&g).err;
}

static void who_is_no_stranger(void **state)
{
	struct addr alice = addr("alice"), eve = {.user = "eve", .host = "far.example"};
	enum account_ring ring;
	enum relay_rule relay;
	struct got g = {0};

	assert_int_equal(add("alice", "password"), 0);
	assert_int_equal(rules_of("alice", &eve).relay, RELAY_SITE);
	assert_false(rules_of("alice", &eve).known);
	assert_false(account_knows(as, &alice, &eve));
	account_know(as, &alice, &eve);
	account_know(as, &alice, &eve);
	assert_true(account_knows(as, &alice, &eve));
	assert_true(rules_of("alice", &eve).known); /* the store has it, too */
	assert_int_equal(relay_set("alice", NULL, "always"), 0);
	assert_int_equal(relay_set("alice", "verified-name", NULL), 0);
	assert_true(account_ring_known(as, &alice, &ring, &relay));
	assert_int_equal(ring, ACCOUNT_RING_VERIFIED_NAME);
	assert_int_equal(relay, RELAY_ALWAYS);
	assert_int_equal(relay_set("alice", NULL, "sometimes"), EINVAL);
	assert_int_equal(relay_set("alice", NULL, NULL), EINVAL);
	/* who has the name next knows nobody */
	assert_int_equal(account_admin_remove(as, &alice, on_answer, &g), 0);
	assert_int_equal(wait_one(&g).err, 0);
	assert_false(account_knows(as, &alice, &eve));
	assert_int_equal(add("alice", "password"), 0);
	assert_false(rules_of("alice", &eve).known);
	assert_int_equal(rules_of("alice", &eve).relay, RELAY_SITE);
}

static void the_operators_changes(void **state)
{
	struct addr alice = addr("alice"), nobody = addr("nobody");
	struct account_answer in;
	struct got g = {0};
	struct tab tab;

	assert_int_equal(add("bob", "password"), 0);
	assert_int_equal(add("alice", "password"), 0);
	assert_int_equal(account_admin_list(as, site, on_answer, &g), 0);
	assert_int_equal(wait_one(&g).err, 0);
	assert_string_equal(g.users, "alice bob ");

	in = login("alice", "password");
	tab_open(&tab, "alice", in.session, "d-1");
	g = (struct got){0};
	assert_int_equal(account_admin_passwd(as, &alice, "new password", on_answer, &g),
			 0);
	assert_int_equal(wait_one(&g).err, 0);
	assert_int_equal(tab.bye, DEVICE_PASSWORD);
	assert_int_equal(authenticate(in.token), EACCES);

	in = login("alice", "new password");
	assert_int_equal(in.err, 0);
	tab_open(&tab, "alice", in.session, "d-1");
	g = (struct got){0};
	assert_int_equal(account_admin_remove(as, &alice, on_answer, &g), 0);
	assert_int_equal(wait_one(&g).err, 0);
	assert_int_equal(tab.bye, DEVICE_REMOVED);
	assert_int_equal(authenticate(in.token), EACCES);
	assert_int_equal(exists("alice"), ENOENT);

	g = (struct got){0};
	assert_int_equal(account_admin_passwd(as, &nobody, "new password", on_answer, &g),
			 0);
	assert_int_equal(wait_one(&g).err, ENOENT);
	g = (struct got){0};
	assert_int_equal(account_admin_remove(as, &nobody, on_answer, &g), 0);
	assert_int_equal(wait_one(&g).err, ENOENT);
}

static void registration(void **state)
{
	struct account_answer in;

	assert_int_equal(enrol("carol", "password", "192.0.2.1").err, EPERM);
	site_config.open_registration = true;
	assert_int_equal(enrol("no name", "password", "192.0.2.1").err, EINVAL);
	assert_int_equal(enrol("carol", "short", "192.0.2.1").err, EINVAL);
	in = enrol("carol", "password", "192.0.2.1");
	assert_int_equal(in.err, 0);
	assert_int_equal(authenticate(in.token), 0);
	assert_int_equal(enrol("carol", "password", "192.0.2.1").err, EEXIST);
	/* Names are not for harvesting: each counts for the address, and six are the tries here. */
	for (int i = 0; i < 4; i++)
		assert_int_equal(enrol("carol", "password", "192.0.2.1").err, EEXIST);
	in = enrol("dave", "password", "192.0.2.1");
	assert_int_equal(in.err, EAGAIN);
	assert_int_equal(in.retry_s, 1);
	assert_int_equal(enrol("dave", "password", "192.0.2.2").err, 0);
}

static void who_goes_away_gets_no_answer(void **state)
{
	struct account_request *r = NULL;
	struct got g = {0};
	uint64_t before;

	assert_int_equal(add("alice", "password"), 0);
	before = jobs_posted();
	assert_int_equal(
		account_login(&r, as, site, "alice", "password", 8, NULL, on_answer, &g),
		0);
	mem_deref(r);
	assert_true(fake_loop_wait(core.loop, jobs_done, NULL));
	/* Its try is over, and the sign-in that nobody took is taken back: a second job. */
	while (jobs_posted() < before + 2)
		fake_loop_turn(core.loop);
	assert_true(fake_loop_wait(core.loop, jobs_done, NULL));
	assert_int_equal(g.n, 0);

	/* An immediate answer can be forgotten as well. */
	assert_int_equal(account_authenticate(&r, as, site, "bad", on_answer, &g), 0);
	mem_deref(r);
	fake_loop_settle(core.loop);
	assert_int_equal(g.n, 0);

	/* Failures count although nobody waits for them. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(account_login(&r, as, site, "alice", "wrong", 5, NULL,
					       on_answer, &g),
				 0);
		mem_deref(r);
	}
	assert_int_equal(login("bob", "password").err, EACCES); /* stands behind them */
	assert_int_equal(login("alice", "password").err, EAGAIN);
	assert_int_equal(g.n, 0);
}

static void the_service_may_go_first(void **state)
{
	struct account_request *r = NULL;
	struct got g = {0};

	assert_int_equal(
		account_login(&r, as, site, "alice", "password", 8, NULL, on_answer, &g),
		0);
	core.accounts = as = mem_deref(as);
	fake_loop_settle(core.loop);
	assert_int_equal(g.n, 0);
	mem_deref(r);
}

static void sign_ins_are_remembered_for_some_seconds(void **state)
{
	struct account_answer in;
	uint64_t before;

	assert_int_equal(add("alice", "password"), 0);
	in = login("alice", "password");
	fake_loop_advance_ms(core.loop, 11000);
	before = jobs_posted();
	assert_int_equal(authenticate(in.token), 0);
	assert_int_equal(jobs_posted(), before + 1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(authenticate(in.token), 0);
	assert_int_equal(jobs_posted(), before + 1);
	fake_loop_advance_ms(core.loop, 10000);
	assert_int_equal(authenticate(in.token), 0);
	assert_int_equal(jobs_posted(), before + 2);
}

static void an_end_that_overtakes_a_question_makes_it_asked_again(void **state)
{
	struct got out = {0}, who = {0};
	struct account_answer one, two;
	uint64_t before;

	assert_int_equal(add("alice", "password"), 0);
	one = login("alice", "password");
	two = login("alice", "password");
	fake_loop_advance_ms(core.loop, 11000); /* nothing is remembered */
	before = jobs_posted();
	assert_int_equal(account_logout(NULL, as, site, one.token, on_answer, &out), 0);
	assert_int_equal(account_authenticate(NULL, as, site, two.token, on_answer, &who),
			 0);
	assert_int_equal(wait_one(&who).err, 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(jobs_posted(), before + 3);
}

static void overload_is_an_answer(void **state)
{
	struct got g = {.want = 30};
	unsigned busy = 0;

	core.accounts = mem_deref(core.accounts);
	core.office = mem_deref(core.office);
	assert_int_equal(office_alloc(&core.office, NULL, core.loop, path, 1, 8, 12), 0);
	assert_int_equal(account_service_alloc(&core.accounts, &core), 0);
	as = core.accounts;
	for (size_t i = 0; i < g.want; i++) {
		char user[32];

		snprintf(user, sizeof(user), "user%zu", i);
		assert_int_equal(account_login(NULL, as, site, user, "password", 8, NULL,
					       on_answer, &g),
				 0);
	}
	assert_true(fake_loop_wait(core.loop, got_all, &g));
	for (size_t i = 0; i < g.n; i++)
		busy += g.answerv[i].err == ENOSPC;
	assert_true(busy > 0 && busy < 30);
	assert_int_equal(login("user1", "password").err, EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signing_in_and_out),
		TEST(what_cannot_be_a_name_password_or_token),
		TEST(a_new_password_ends_the_other_sign_ins),
		TEST(whose_calls_ring),
		TEST(who_is_no_stranger),
		TEST(the_operators_changes),
		TEST(registration),
		TEST(who_goes_away_gets_no_answer),
		TEST(the_service_may_go_first),
		TEST(sign_ins_are_remembered_for_some_seconds),
		TEST(an_end_that_overtakes_a_question_makes_it_asked_again),
		TEST(overload_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
