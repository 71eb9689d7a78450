/* test_control.c - slussctl's socket: what is asked and answered, and who misbehaves on it.
 *
 *   client of the test ──unix socket──► control ──► fake core: calls of fake legs, devices, accounts */
#include "gateway/control.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/fake/fake.h"

static char dir[64], path[96];
static struct fake_core fc;
static struct control *control;

static int setup(void **state)
{
	char *why = NULL;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_control.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sock", dir);
	fake_core_open(&fc);
	return control_alloc(&control, &why, &fc.core, path);
}

static int teardown(void **state)
{
	(void)state;
	control = mem_deref(control);
	fake_core_close(&fc);
	unlink(path);
	return rmdir(dir);
}

/* ---- a client ---- */

static int dial(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What has come by now, the loop having settled. Empty: nothing; NULL: closed. */
static char *heard(int fd)
{
	static char buf[300000];
	size_t n = 0;
	ssize_t got;

	do {
		fake_loop_settle(fc.loop);
		got = recv(fd, buf + n, sizeof(buf) - n - 1, MSG_DONTWAIT);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	buf[n] = '\0';
	return got == 0 && n == 0 ? NULL : buf;
}

/* One request on a connection of its own; gives the answer. */
static json_t *ask(const char *request)
{
	int fd = dial();
	json_t *answer;
	char *text;

	say(fd, request);
	say(fd, "\n");
	text = heard(fd);
	assert_non_null(text);
	answer = json_loads(text, 0, NULL);
	if (!answer)
		fail_msg("no JSON: %s", text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	close(fd);
	fake_loop_settle(fc.loop);
	return answer;
}

static json_t *result(const char *request)
{
	json_t *answer = ask(request), *r;

	if (!json_is_true(json_object_get(answer, "ok")))
		fail_msg("refused: %s",
			 json_string_value(json_object_get(answer, "error")));
	r = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	return r;
}

static void refused(const char *request, const char *word)
{
	json_t *answer = ask(request);
	const char *error = json_string_value(json_object_get(answer, "error"));

	assert_true(json_is_false(json_object_get(answer, "ok")));
	assert_non_null(error);
	if (!strstr(error, word))
		fail_msg("want \"%s\" in \"%s\"", word, error);
	json_decref(answer);
}

static const char *string(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	if (!s)
		fail_msg("no text %s", key);
	return s;
}

static json_int_t number(const json_t *j, const char *key)
{
	if (!json_is_integer(json_object_get(j, key)))
		fail_msg("no number %s", key);
	return json_integer_value(json_object_get(j, key));
}

/* ---- tests ---- */

static void status_says_how_it_goes(void **state)
{
	json_t *r = result("{\"command\":\"status\"}");

	assert_true(strlen(string(r, "version")) > 0);
	assert_int_equal(number(r, "pid"), getpid());
	assert_true(number(r, "uptime_s") >= 0);
	assert_int_equal(number(r, "calls"), 0);
	assert_int_equal(number(r, "devices"), 0);
	assert_int_equal(json_array_size(json_object_get(r, "sites")), 2);
	assert_int_equal(number(json_object_get(r, "counters"), "calls_started"), 0);
	assert_true(json_is_array(json_object_get(r, "queues")));
	json_decref(r);
}

static void queues_are_shown_until_the_stop(void **state)
{
	struct mailbox *mb = NULL;
	json_t *r, *q;

	assert_int_equal(mailbox_alloc(&mb, "some-queue", 8, 7, NULL, NULL, NULL), 0);
	core_queue_show(&fc.core, mb);
	assert_int_equal(mailbox_post(mb, "12345678"), 0);
	r = result("{\"command\":\"status\"}");
	q = json_array_get(json_object_get(r, "queues"), 0);
	assert_string_equal(string(q, "name"), "some-queue");
	assert_int_equal(number(q, "capacity"), 7);
	assert_int_equal(number(q, "now"), 1);
	assert_int_equal(number(q, "high_water"), 1);
	assert_int_equal(number(q, "posted"), 1);
	assert_int_equal(number(q, "refused"), 0);
	json_decref(r);
	fc.core.stopping = true;
	mailbox_free(&mb);
	r = result("{\"command\":\"status\"}");
	assert_int_equal(json_array_size(json_object_get(r, "queues")), 0);
	assert_true(json_is_true(json_object_get(r, "stopping")));
	json_decref(r);
}

static void calls_are_listed_shown_and_ended(void **state)
{
	struct fake_device *bob = fake_device_alloc("bob@alpha.example", "d-bob");
	struct fake_leg *leg = NULL;
	struct call *call = NULL;
	char request[64];
	json_t *r, *legs;

	assert_int_equal(registry_add(fc.core.registry, &bob->d), 0);
	assert_int_equal(fake_core_call(&fc, &call, &leg, "alice@alpha.example",
					"bob@alpha.example"),
			 0);
	fake_loop_settle(fc.loop);

	r = result("{\"command\":\"calls\"}");
	assert_int_equal(json_array_size(r), 1);
	assert_string_equal(string(json_array_get(r, 0), "from"), "alice@alpha.example");
	assert_string_equal(string(json_array_get(r, 0), "to"), "bob@alpha.example");
	assert_string_equal(string(json_array_get(r, 0), "media"), "direct");
	assert_true(strlen(string(json_array_get(r, 0), "state")) > 0);
	assert_string_equal(string(json_array_get(r, 0), "id"), call_id(call));
	json_decref(r);

	snprintf(request, sizeof(request), "{\"command\":\"call\",\"id\":\"%s\"}",
		 call_id(call));
	r = result(request);
	legs = json_object_get(r, "legs");
	assert_int_equal(json_array_size(legs), 2);
	assert_string_equal(string(json_array_get(legs, 0), "direction"), "in");
	assert_string_equal(string(json_array_get(legs, 0), "address"),
			    "alice@alpha.example");
	assert_string_equal(string(json_array_get(legs, 1), "direction"), "out");
	assert_string_equal(string(json_array_get(legs, 1), "kind"), "browser");
	assert_string_equal(string(json_array_get(legs, 1), "address"),
			    "bob@alpha.example");
	json_decref(r);

	snprintf(request, sizeof(request), "{\"command\":\"hangup\",\"id\":\"%s\"}",
		 call_id(call));
	json_decref(result(request));
	fake_loop_settle(fc.loop);
	assert_true(leg->over);
	assert_int_equal(leg->cause.reason, CAUSE_HANGUP);
	refused(request, "there is no call");
	refused("{\"command\":\"hangup\"}", "id is missing");
	refused("{\"command\":\"call\",\"id\":\"0123456789abcdef\"}",
		"there is no call 0123456789abcdef");
	r = result("{\"command\":\"calls\"}");
	assert_int_equal(json_array_size(r), 0);
	json_decref(r);
	mem_deref(leg);
	registry_remove(fc.core.registry, &bob->d);
	mem_deref(bob);
}

static void long_lists_come_in_pages(void **state)
{
	static struct fake_device *devicev[1100];
	char user[64], id[24], request[64];
	size_t total = 0, pages = 0;
	json_int_t from = 0;

	for (size_t i = 0; i < N_ELEMS(devicev); i++) {
		snprintf(user, sizeof(user), "user%zu@alpha.example", i);
		snprintf(id, sizeof(id), "d-%016zx", i);
		devicev[i] = fake_device_alloc(user, id);
		assert_int_equal(registry_add(fc.core.registry, &devicev[i]->d), 0);
	}
	do {
		json_t *answer, *list;

		snprintf(request, sizeof(request),
			 "{\"command\":\"devices\",\"from\":%d}", (int)from);
		answer = ask(request);
		list = json_object_get(answer, "result");
		total += json_array_size(list);
		pages++;
		assert_true(strlen(string(json_array_get(list, 0), "user")) > 0);
		from = json_integer_value(json_object_get(answer, "next"));
		json_decref(answer);
	} while (from);
	assert_int_equal(total, N_ELEMS(devicev));
	assert_int_equal(pages, 3);
	for (size_t i = 0; i < N_ELEMS(devicev); i++) {
		registry_remove(fc.core.registry, &devicev[i]->d);
		mem_deref(devicev[i]);
	}
}

static void devices_are_described(void **state)
{
	struct fake_device *bob = fake_device_alloc("bob@beta.example", "d-bob");
	json_t *r;

	/* Cleaned as it is, a name that is no UTF-8 must not spoil the answer. */
	snprintf(bob->d.name, sizeof(bob->d.name), "%s", "B\xff");
	assert_int_equal(registry_add(fc.core.registry, &bob->d), 0);
	r = result("{\"command\":\"devices\"}");
	assert_int_equal(json_array_size(r), 1);
	assert_string_equal(string(json_array_get(r, 0), "id"), "d-bob");
	assert_string_equal(string(json_array_get(r, 0), "user"), "bob@beta.example");
	assert_string_equal(string(json_array_get(r, 0), "name"), "?");
	json_decref(r);
	registry_remove(fc.core.registry, &bob->d);
	mem_deref(bob);
}

static void one_peer(void *arg,
		     void (*h)(const char *domain, const char *state, unsigned n_conns,
			       unsigned n_calls, const char *last_error, void *harg),
		     void *harg)
{
	h("peer.example", "up", 2, 3, "its certificate expired yesterday", harg);
}

static void peers_are_listed(void **state)
{
	static const struct federation_ops ops = {.peers = one_peer};
	const struct federation_ops *old = fc.core.federation;
	json_t *r;

	fc.core.federation = &ops;
	r = result("{\"command\":\"peers\"}");
	assert_string_equal(string(json_array_get(r, 0), "domain"), "peer.example");
	assert_string_equal(string(json_array_get(r, 0), "state"), "up");
	assert_int_equal(number(json_array_get(r, 0), "connections"), 2);
	assert_int_equal(number(json_array_get(r, 0), "calls"), 3);
	assert_string_equal(string(json_array_get(r, 0), "last_error"),
			    "its certificate expired yesterday");
	json_decref(r);
	fc.core.federation = NULL;
	r = result("{\"command\":\"peers\"}");
	assert_int_equal(json_array_size(r), 0);
	json_decref(r);
	fc.core.federation = old;
}

#define ADD                                                                              \
	"{\"command\":\"user add\",\"user\":\"carol@alpha.example\",\"password\":\"password\"}"

static void users_are_kept(void **state)
{
	json_t *r = result(ADD);

	assert_string_equal(string(r, "user"), "carol@alpha.example");
	json_decref(r);
	refused(ADD, "alpha.example has a user carol already");
	json_decref(
		result("{\"command\":\"user passwd\",\"user\":\"carol@alpha.example\","
		       "\"password\":\"new password\"}"));
	json_decref(
		result("{\"command\":\"user remove\",\"user\":\"carol@alpha.example\"}"));
	refused("{\"command\":\"user remove\",\"user\":\"carol@alpha.example\"}",
		"alpha.example has no user carol");
	refused("{\"command\":\"user add\",\"user\":\"carol@gamma.example\",\"password\":\"p\"}",
		"gamma.example is not served here; the sites are: alpha.example, beta.example");
	refused("{\"command\":\"user add\",\"user\":\"no address\",\"password\":\"p\"}",
		"is no user's address");
	refused("{\"command\":\"user add\",\"user\":7,\"password\":\"p\"}",
		"is no user's address");
	refused("{\"command\":\"user add\",\"user\":\"carol@alpha.example\"}",
		"the password is missing");
	json_decref(result("{\"command\":\"user list\",\"site\":\"alpha.example\"}"));
	refused("{\"command\":\"user list\"}", "which site?");
	refused("{\"command\":\"user list\",\"site\":\"gamma.example\"}",
		"not served here");
}

static void errors_of_the_store_are_words(void **state)
{
	static const struct {
		int err;
		const char *word;
	} cases[] = {
		{EINVAL, "8 to 256"}, {ENOSPC, "try again"}, {EIO, "the store failed"}};

	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		fake_account_err(fc.core.accounts, cases[i].err);
		refused(ADD, cases[i].word);
		fake_account_err(fc.core.accounts, 0);
		json_decref(result(
			"{\"command\":\"user remove\",\"user\":\"carol@alpha.example\"}"));
	}
}

static void what_is_no_request_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"[]",
		"7",
		"{\"a\":1,\"a\":2}",
		"{\"command\":",
		"null",
		"{\"command\":\"\xff\"}",
	};

	for (size_t i = 0; i < N_ELEMS(texts); i++)
		refused(texts[i], "one JSON object on one line");
	refused("{}", "there is no command");
	refused("{\"command\":7}", "there is no command");
	refused("{\"command\":\"nonsense\"}", "there is no command \"nonsense\"");
	refused("{\"command\":\"calls\",\"from\":-5,\"more\":1,\"id\":[]}x",
		"one JSON object");
}

static void several_requests_are_answered_in_turn(void **state)
{
	int fd = dial();
	char *text, *second;
	json_t *j;

	say(fd, "{\"command\":\"calls\"}\n{\"command\":\"nonsense\"}\n{\"comm");
	text = heard(fd);
	second = strchr(text, '\n') + 1;
	assert_non_null(strstr(text, "\"result\":[]"));
	assert_non_null(strstr(second, "there is no command"));
	say(fd, "and\":\"status\"}\n");
	shutdown(fd, SHUT_WR);
	text = heard(fd);
	j = json_loads(text, 0, NULL);
	assert_true(json_is_true(json_object_get(j, "ok")));
	json_decref(j);
	assert_null(heard(fd)); /* closed after the last answer */
	close(fd);
}

static void a_line_without_end_is_cut_off(void **state)
{
	int fd = dial();
	char text[8192], *answer;

	memset(text, ' ', sizeof(text));
	for (int i = 0; i < 9; i++) {
		(void)send(fd, text, sizeof(text), MSG_NOSIGNAL);
		fake_loop_settle(fc.loop);
	}
	answer = heard(fd);
	assert_non_null(strstr(answer, "at most 65536 bytes"));
	(void)heard(fd);
	close(fd);
	json_decref(result("{\"command\":\"calls\"}"));
}

static void clients_that_come_and_say_nothing(void **state)
{
	int fdv[20];

	for (size_t i = 0; i < N_ELEMS(fdv); i++) {
		fdv[i] = dial();
		fake_loop_settle(fc.loop);
	}
	assert_non_null(heard(fdv[0]));
	assert_null(heard(fdv[19])); /* more than sixteen: closed at once */
	fake_loop_advance_ms(fc.loop, 31000);
	assert_null(heard(fdv[0]));
	json_decref(result("{\"command\":\"calls\"}"));
	for (size_t i = 0; i < N_ELEMS(fdv); i++)
		close(fdv[i]);
}

static void an_answer_may_find_nobody(void **state)
{
	int fd = dial();

	fake_account_hold(fc.core.accounts, true);
	say(fd, ADD "\n{\"command\":\"calls\"}\n");
	fake_loop_settle(fc.loop);
	close(fd);
	fake_loop_settle(fc.loop);
	fake_account_hold(fc.core.accounts, false);
	fake_loop_settle(fc.loop);
	refused(ADD, "already");
}

static void it_may_end_with_a_question_open(void **state)
{
	int fd = dial();

	fake_account_hold(fc.core.accounts, true);
	say(fd, "{\"command\":\"user remove\",\"user\":\"carol@alpha.example\"}\n");
	fake_loop_settle(fc.loop);
	/* As main.c does it: accounts first. */
	fc.core.accounts = mem_deref(fc.core.accounts);
	control = mem_deref(control);
	assert_null(heard(fd));
	close(fd);
}

static void the_socket_is_the_owners_and_goes_with_it(void **state)
{
	struct control *second = NULL;
	struct stat st;
	char *why = NULL;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(control_alloc(&second, &why, &fc.core, path), EADDRINUSE);
	assert_non_null(strstr(why, "in use"));
	why = mem_deref(why);
	control = mem_deref(control);
	assert_int_equal(stat(path, &st), -1);
}

static void a_stale_socket_is_replaced_and_nothing_else(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char *why = NULL;

	control = mem_deref(control);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd); /* as after kill -9 */
	assert_int_equal(control_alloc(&control, &why, &fc.core, path), 0);
	json_decref(result("{\"command\":\"calls\"}"));
	control = mem_deref(control);

	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(control_alloc(&control, &why, &fc.core, path), EEXIST);
	assert_non_null(strstr(why, "no socket"));
	why = mem_deref(why);
	assert_int_equal(access(path, F_OK), 0);
}

static void paths_that_cannot_be(void **state)
{
	struct control *k = NULL;
	char far[200], *why = NULL;

	assert_int_equal(control_alloc(&k, &why, &fc.core, "/no/such/folder/sock"),
			 ENOENT);
	assert_non_null(strstr(why, "/no/such/folder/sock"));
	why = mem_deref(why);
	memset(far, 'x', sizeof(far));
	far[0] = '/';
	far[sizeof(far) - 1] = '\0';
	assert_int_equal(control_alloc(&k, &why, &fc.core, far), ENAMETOOLONG);
	why = mem_deref(why);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(status_says_how_it_goes),
		TEST(queues_are_shown_until_the_stop),
		TEST(calls_are_listed_shown_and_ended),
		TEST(long_lists_come_in_pages),
		TEST(devices_are_described),
		TEST(peers_are_listed),
		TEST(users_are_kept),
		TEST(errors_of_the_store_are_words),
		TEST(what_is_no_request_is_refused),
		TEST(several_requests_are_answered_in_turn),
		TEST(a_line_without_end_is_cut_off),
		TEST(clients_that_come_and_say_nothing),
		TEST(an_answer_may_find_nobody),
		TEST(it_may_end_with_a_question_open),
		TEST(the_socket_is_the_owners_and_goes_with_it),
		TEST(a_stale_socket_is_replaced_and_nothing_else),
		TEST(paths_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
