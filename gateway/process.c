/* gateway/process.c - what a daemon asks of the kernel and tells the supervisor. Called by main.c. */
#include "gateway/process.h"

#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

static int PRINTF_LIKE(3, 4) say(char **whyp, int err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	*whyp = base_dup(text, strlen(text));
	return err;
}

uint64_t process_descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			(void)getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}

int process_signals_take(int *fdp)
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
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return errno;
	*fdp = fd;
	return 0;
}

int process_signal_next(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

int process_privileges_freeze(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno : 0;
}

int process_user_find(struct process_user *u, char **whyp, const char *user,
		      const char *group)
{
	const struct passwd *pw;
	const struct group *gr;

	*u = (struct process_user){0};
	if (!user)
		return 0;
	/* There are no threads yet. */
	/* cppcheck-suppress getpwnamCalled */
	pw = getpwnam(user);
	if (!pw || strlen(user) >= sizeof(u->name))
		return say(whyp, ENOENT, "run: this system has no user \"%s\"", user);
	u->set = true;
	u->uid = pw->pw_uid;
	u->gid = pw->pw_gid;
	memcpy(u->name, user, strlen(user) + 1);
	if (group) {
		/* cppcheck-suppress getgrnamCalled */
		gr = getgrnam(group);
		if (!gr)
			return say(whyp, ENOENT, "run: this system has no group \"%s\"",
				   group);
		u->gid = gr->gr_gid;
	}
	if (geteuid() != 0 && (geteuid() != u->uid || getegid() != u->gid))
		return say(
			whyp, EPERM,
			"run: only root can become %s; start slussd as root, or as that "
			"user and group",
			user);
	return 0;
}

int process_folder_make(const struct process_user *u, char **whyp, const char *path)
{
	char buf[PATH_MAX];
	const char *folder;

	snprintf(buf, sizeof(buf), "%s", path);
	folder = dirname(buf);
	if (mkdir(folder, 0755)) {
		if (errno == EEXIST)
			return 0;
		return say(whyp, errno, "the folder of %s cannot be made: %s", path,
			   strerror(errno));
	}
	if (u->set && geteuid() == 0 && lchown(folder, u->uid, u->gid))
		return say(whyp, errno, "the folder %s cannot be given to %s: %s", folder,
			   u->name, strerror(errno));
	return 0;
}

int process_user_become(const struct process_user *u, char **whyp)
{
	if (!u->set)
		return 0;
	if (geteuid() == 0 &&
	    (initgroups(u->name, u->gid) || setgid(u->gid) || setuid(u->uid)))
		return say(whyp, errno, "run: cannot become %s: %s", u->name,
			   strerror(errno));
	/* Not believed until it is seen: there must be no way back. */
	if (getuid() != u->uid || geteuid() != u->uid || getegid() != u->gid ||
	    (u->uid != 0 && !setuid(0)))
		return say(whyp, EPERM, "run: becoming %s had no lasting effect",
			   u->name);
	return 0;
}

void process_notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(un.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(un.sun_path, path, n);
	if (*path == '@')
		un.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&un,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_warn(NULL, "main.notify", "error=%s", LQ(strerror(errno)));
	close(fd);
}
