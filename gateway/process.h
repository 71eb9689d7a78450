/* gateway/process.h - slussd towards its system: descriptors, signals, the user it becomes, the supervisor.
 * Called by main.c, before there are threads unless it says otherwise. */
#ifndef SLUSS_GATEWAY_PROCESS_H
#define SLUSS_GATEWAY_PROCESS_H

#include "lib/base.h"

/** Raises the soft limit of descriptors to the hard one; gives what it is then. Each connection takes one. */
uint64_t process_descriptors_raise(void);
/** Nothing that this process or its threads may execute gains privileges any more. Errors: errno. */
int process_privileges_freeze(void);
/** Blocks SIGTERM, SIGINT, SIGHUP for this thread and those it makes, ignores SIGPIPE; *fdp is a signalfd
 *  (not blocking). Errors: errno. */
int process_signals_take(int *fdp);
/** The next signal that came, 0 when there is none. */
int process_signal_next(int fd);

/** Whom to become. */
struct process_user {
	bool set;
	uid_t uid;
	gid_t gid;
	char name[64];
};
/** Looks up run { user group }; user NULL: stays what it is, group NULL: the user's own. Errors: ENOENT,
 *  EPERM (not root), with one line in *whyp (mem_deref). */
int process_user_find(struct process_user *u, char **whyp, const char *user,
		      const char *group);
/** Makes the folder that `path` lies in, when it is missing, and gives it to `u`; one that is there is left
 *  as it is. Errors: errno with one line in *whyp. */
int process_folder_make(const struct process_user *u, char **whyp, const char *path);
/** Becomes `u`, all threads, for good: groups, gid, uid, checked, no capability left. Any time.
 *  Errors: errno with one line in *whyp. */
int process_user_become(const struct process_user *u, char **whyp);

/** sd_notify(3): "READY=1", "STOPPING=1" to $NOTIFY_SOCKET, abstract names too. Without it: nothing.
 *  Any thread. */
void process_notify(const char *text);

#endif
