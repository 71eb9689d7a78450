/* test_process.c - slussd towards its system: what it tells the supervisor, whom it becomes, its folders.
 *
 *   test (the supervisor) ◄──datagram── process_notify()         child ── becomes nobody ──► exit status */
#include "gateway/process.h"

#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* A supervisor's socket: bound, and named in the environment. */
static int supervise(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(un.sun_path, name, n);
	if (*name == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&un,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void told(int fd, const char *text)
{
	char buf[64] = "";

	assert_int_equal(recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT), strlen(text));
	assert_string_equal(buf, text);
}

static void the_supervisor_is_told(void **state)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "/tmp/test_process.%d", (int)getpid());
	fd = supervise(name);
	process_notify("READY=1");
	told(fd, "READY=1");
	close(fd);
	unlink(name);
	process_notify("STOPPING=1"); /* it has gone: no harm */

	snprintf(name, sizeof(name), "@test_process.%d", (int)getpid());
	fd = supervise(name);
	process_notify("STOPPING=1");
	told(fd, "STOPPING=1");
	close(fd);
}

static void no_supervisor_is_no_fault(void **state)
{
	char far[300];

	unsetenv("NOTIFY_SOCKET");
	process_notify("READY=1");
	memset(far, 'x', sizeof(far));
	far[0] = '/';
	far[sizeof(far) - 1] = '\0';
	setenv("NOTIFY_SOCKET", far, 1);
	process_notify("READY=1");
	setenv("NOTIFY_SOCKET", "", 1);
	process_notify("READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	process_notify("READY=1");
	unsetenv("NOTIFY_SOCKET");
}

static void signals_come_by_descriptor(void **state)
{
	int fd = -1;

	assert_int_equal(process_signals_take(&fd), 0);
	assert_int_equal(process_signal_next(fd), 0);
	raise(SIGTERM);
	raise(SIGHUP);
	raise(SIGPIPE);
	int one = process_signal_next(fd), two = process_signal_next(fd);
	assert_true((one == SIGTERM && two == SIGHUP) ||
		    (one == SIGHUP && two == SIGTERM));
	assert_int_equal(process_signal_next(fd), 0);
	close(fd);
}

static void descriptors_are_raised(void **state)
{
	struct rlimit old, limit;
	uint64_t n;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	limit.rlim_cur = limit.rlim_max < 64 ? limit.rlim_max : 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	n = process_descriptors_raise();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur == old.rlim_max && n == old.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void whom_to_become(void **state)
{
	const struct passwd *me = getpwuid(getuid());
	struct process_user u;
	char *why = NULL;

	assert_int_equal(process_user_find(&u, &why, NULL, NULL), 0);
	assert_false(u.set);
	assert_int_equal(process_user_become(&u, &why), 0);
	assert_int_equal(process_user_find(&u, &why, "no-such-user", NULL), ENOENT);
	assert_non_null(strstr(why, "no-such-user"));
	why = mem_deref(why);
	if (!me)
		skip();
	assert_int_equal(process_user_find(&u, &why, me->pw_name, "no-such-group"),
			 ENOENT);
	assert_non_null(strstr(why, "no-such-group"));
	why = mem_deref(why);
	if (getegid() == me->pw_gid) { /* becoming what one is needs no root */
		assert_int_equal(process_user_find(&u, &why, me->pw_name, NULL), 0);
		assert_true(u.set && u.uid == getuid());
	}
}

static void *idle(void *arg)
{
	char c;
	ssize_t n = read(*(int *)arg, &c, 1);

	(void)n; /* its end is what is waited for */
	return NULL;
}

/* In a child: becomes nobody with a second thread running. 0: all is as it should be. */
static int become_nobody(void)
{
	struct process_user u;
	char *why = NULL, line[256];
	pthread_t tid;
	int pipev[2];
	FILE *f;

	if (pipe(pipev) || pthread_create(&tid, NULL, idle, &pipev[0]))
		return 1;
	if (process_privileges_freeze() || process_user_find(&u, &why, "nobody", NULL) ||
	    process_user_become(&u, &why))
		return 2;
	if (getuid() != u.uid || geteuid() != u.uid || !setuid(0) || !seteuid(0) ||
	    !setgid(0))
		return 3;
	if (getgroups(0, NULL) > 1)
		return 4;
	f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if ((!strncmp(line, "CapEff:", 7) || !strncmp(line, "CapPrm:", 7)) &&
		    strtoull(line + 7, NULL, 16) != 0)
			return 5;
		if (!strncmp(line, "NoNewPrivs:", 11) &&
		    strtoul(line + 11, NULL, 10) != 1)
			return 6;
	}
	if (f)
		fclose(f);
	close(pipev[1]);
	pthread_join(tid, NULL);
	return 0;
}

static void there_is_no_way_back(void **state)
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0 || !getpwnam("nobody"))
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(become_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void missing_folders_are_made(void **state)
{
	char dir[] = "/tmp/test_process.XXXXXX", path[128], *why = NULL;
	const struct passwd *nobody = getpwnam("nobody");
	struct process_user u = {0};
	struct stat st;

	assert_non_null(mkdtemp(dir));
	if (geteuid() == 0 && nobody)
		assert_int_equal(process_user_find(&u, &why, "nobody", NULL), 0);
	snprintf(path, sizeof(path), "%s/made/file", dir);
	assert_int_equal(process_folder_make(&u, &why, path), 0);
	assert_int_equal(process_folder_make(&u, &why, path), 0);
	snprintf(path, sizeof(path), "%s/made", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	if (u.set)
		assert_int_equal(st.st_uid, u.uid);
	/* One that is there stays whose it is. */
	assert_int_equal(process_folder_make(&u, &why, path), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/no/such/file", dir);
	assert_int_equal(process_folder_make(&u, &why, path), ENOENT);
	assert_non_null(strstr(why, path));
	mem_deref(why);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_supervisor_is_told),
		cmocka_unit_test(no_supervisor_is_no_fault),
		cmocka_unit_test(signals_come_by_descriptor),
		cmocka_unit_test(descriptors_are_raised),
		cmocka_unit_test(whom_to_become),
		cmocka_unit_test(there_is_no_way_back),
		cmocka_unit_test(missing_folders_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
