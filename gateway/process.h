/* gateway/process.h - what a daemon is to its operating system: descriptors, signals, privileges, systemd. */
#ifndef SLUSS_GATEWAY_PROCESS_H
#define SLUSS_GATEWAY_PROCESS_H

#include "lib/base.h"

/** Raises the soft limit of descriptors to the hard one; gives what it is now. Each connection takes one. */
size_t process_descriptors_raise(void);
/** Blocks SIGTERM, SIGINT and SIGHUP for this thread and all it starts, ignores SIGPIPE; *fdp gives the
 *  signals to read (process_signal_read).  Errors: errno. Before any thread is started. */
int process_signals_begin(int *fdp);
/** One signal's number, or 0 when there is none waiting. */
int process_signal_read(int fd);
/** Becomes `user` and `group` (NULL: the user's own group; user NULL: nothing happens), for good: all
 *  threads, supplementary groups too, and no new privileges.
 *  Errors: errno, with one line in *whyp (mem_deref). */
int process_become(char **whyp, const char *user, const char *group);
/** sd_notify(3): a datagram to $NOTIFY_SOCKET, when there is one. `state`: "READY=1", "STOPPING=1". */
void process_notify(const char *state);

#endif
