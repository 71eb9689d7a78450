/* gateway/process.c - descriptors, signals, privileges, readiness: the daemon towards its system.
 *
 * The main thread, which becomes the signalling thread, before and after the loop runs. Called by main.c.
 * sd_notify(3) is one datagram: its library would be a dependency for these lines. */
#include "gateway/process.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/un.h>
#include <unistd.h>

size_t process_descriptors_raise(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl))
		return 0;
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	getrlimit(RLIMIT_NOFILE, &rl);
	return (size_t)rl.rlim_cur;
}

int process_signals_begin(int *fdp)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return errno;
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return errno;
	*fdp = fd;
	return 0;
}

int process_signal_read(int fd)
{
	struct signalfd_siginfo si;

	return read(fd, &si, sizeof(si)) == sizeof(si) ? (int)si.ssi_signo : 0;
}

static int PRINTF_LIKE(3, 4) why_set(char **whyp, int err, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*whyp = base_dup(text, strlen(text));
	return err;
}

int process_become(char **whyp, const char *user, const char *group)
{
	const struct passwd *pw;
	const struct group *gr = NULL;
	gid_t gid;

	if (!user)
		return 0;
	pw = getpwnam(user);
	if (!pw)
		return why_set(whyp, ENOENT, "run: there is no user %s on this system",
			       user);
	if (group && !(gr = getgrnam(group)))
		return why_set(whyp, ENOENT, "run: there is no group %s on this system",
			       group);
	gid = gr ? gr->gr_gid : pw->pw_gid;
	if (geteuid() == pw->pw_uid && getegid() == gid)
		goto out;
	if (geteuid() != 0)
		return why_set(
			whyp, EPERM,
			"run: only root can become user %s; start as root or as that user, "
			"or leave the run section out",
			user);
	if (initgroups(user, gid) || setgid(gid) || setuid(pw->pw_uid))
		return why_set(whyp, errno, "run: becoming user %s failed: %s", user,
			       strerror(errno));
	/* A way back would make all of it pointless. */
	if (pw->pw_uid != 0 && (setuid(0) == 0 || setgid(0) == 0))
		return why_set(whyp, EPERM,
			       "run: the privileges of root could not be given up");
out:
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return why_set(whyp, errno, "run: no-new-privileges is refused: %s",
			       strerror(errno));
	return 0;
}

void process_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	ssize_t sent;
	int fd;

	if (n < 2 || n >= sizeof(un.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(un.sun_path, path, n);
	if (path[0] == '@') /* the abstract name space */
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		      (const struct sockaddr *)&un,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	(void)sent; /* a manager that went away is no reason to stop */
	close(fd);
}
