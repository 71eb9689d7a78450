/* gateway/main.c - slussd: the only file that knows every room. It wires them, runs the loop and stops
 * them in reverse.
 *
 * Main thread = signalling thread.   start:  config ─► loop ─► core ─► web, SIP (sockets are bound)
 *                                            ─► privileges dropped ─► back office ─► control ─► READY
 *                                    stop:   no new calls ─► calls end ─► web and SIP say goodbye
 *                                            ─► loop ends ─► everything is freed, last made first  */
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include "gateway/account.h"
#include "gateway/call.h"
#include "gateway/config.h"
#include "gateway/control.h"
#include "gateway/core.h"
#include "gateway/office.h"
#include "gateway/process.h"
#include "lib/log.h"
#include "sip/sip.h"
#include "webrtc/webrtc.h"

#define CONFIG_FILE SLUSS_SYSCONFDIR "/sluss/slussd.conf"

struct slussd {
	struct config *config;
	struct loop *loop;
	struct core core;
	bool core_made;
	struct webrtc *webrtc;
	struct sip *sip;
	struct control *control;
	int signal_fd;
	struct loop_watch *signals;
	unsigned n_stopping; /* rooms that have not said goodbye yet */
	bool stopping;
};

static void room_stopped(void *arg)
{
	struct slussd *d = arg;

	if (--d->n_stopping == 0)
		d->loop->ops->stop(d->loop);
}

static void stop(struct slussd *d)
{
	struct cause cause;
	struct le *le;

	d->stopping = d->core.stopping = true;
	log_info(NULL, "main.stop", "calls=%u", list_count(&d->core.calls));
	process_notify("STOPPING=1");
	cause_set(&cause, CAUSE_SHUTDOWN, NULL);
	for (le = d->core.calls.head; le;) {
		struct call *call = le->data;

		le = le->next;
		call_end(call, &cause);
	}
	d->control = mem_deref(d->control);
	/* One more than there are, so that a room which stops at once does not end the loop early. */
	d->n_stopping = 1;
	if (d->sip) {
		d->n_stopping++;
		sip_stop(d->sip, room_stopped, d);
	}
	if (d->webrtc) {
		d->n_stopping++;
		webrtc_stop(d->webrtc, room_stopped, d);
	}
	room_stopped(d);
}

static void signalled(unsigned events, void *arg)
{
	struct slussd *d = arg;
	int sig;

	(void)events;
	while ((sig = process_signal_read(d->signal_fd)) != 0) {
		if (sig == SIGHUP) {
			/* Certificates are looked at every second anyhow; the file is not read again. */
			log_info(NULL, "main.hangup",
				 "certificates=watched config=unchanged");
		} else if (d->stopping) {
			log_warn(NULL, "main.stop_now", "signal=%d", sig);
			_exit(1);
		} else {
			stop(d);
		}
	}
}

static void free_all(struct slussd *d)
{
	d->signals = mem_deref(d->signals);
	d->control = mem_deref(d->control);
	d->webrtc = mem_deref(d->webrtc);
	d->sip = mem_deref(d->sip);
	d->core.accounts = mem_deref(d->core.accounts);
	d->core.office = mem_deref(d->core.office);
	if (d->core_made)
		core_close(&d->core);
	d->loop = mem_deref(d->loop);
	d->config = mem_deref(d->config);
	if (d->signal_fd >= 0)
		close(d->signal_fd);
}

/* Everything up to READY. Errors: errno, with one line in *whyp. */
static int start(struct slussd *d, char **whyp)
{
	const struct config *config = d->config;
	const struct limits *limits = &config->limits;
	int err;

	err = process_signals_begin(&d->signal_fd);
	err = err ? err : sip_loop_alloc(&d->loop);
	err = err ? err : core_init(&d->core, config, d->loop);
	if (err)
		return err;
	d->core_made = true;
	err = d->loop->ops->watch(&d->signals, d->loop, d->signal_fd, LOOP_READ,
				  signalled, d);
	err = err ? err : webrtc_alloc(&d->webrtc, whyp, &d->core);
	if (!err && config->n_sip)
		err = sip_alloc(&d->sip, whyp, &d->core);
	err = err ? err : process_become(whyp, config->user, config->group);
	err = err ? err
		  : office_alloc(&d->core.office, whyp, d->loop, config->store_path,
				 limits->office_threads, limits->office_queue,
				 limits->password_log2n);
	err = err ? err : account_service_alloc(&d->core.accounts, &d->core);
	err = err ? err
		  : control_alloc(&d->control, whyp, &d->core, config->control_path);
	return err;
}

static int check(const char *file)
{
	struct config *config = NULL;
	char *report = NULL;
	int err = config_load(&config, &report, file);

	if (report)
		fprintf(stderr, "%s", report);
	if (!err)
		fprintf(stderr, "%s: good: %zu site%s\n", file, config->n_sites,
			config->n_sites == 1 ? "" : "s");
	mem_deref(report);
	mem_deref(config);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void usage(FILE *f)
{
	fprintf(f, "usage: slussd [-c FILE] [-t] [-V]\n"
		   "  -c FILE  configuration, default " CONFIG_FILE "\n"
		   "  -t       check the configuration and exit\n"
		   "  -V       show the version and exit\n");
}

static int run(const char *file)
{
	struct slussd d = {.signal_fd = -1};
	enum log_level level = LOG_INFO;
	char *report = NULL, *why = NULL;
	size_t n_descriptors;
	int err;

	err = config_load(&d.config, &report, file);
	if (report)
		fprintf(stderr, "%s", report);
	mem_deref(report);
	if (err)
		return EXIT_FAILURE;
	if (d.config->log_level && !log_level_parse(&level, d.config->log_level))
		log_level_set(level);
	n_descriptors = process_descriptors_raise();
	log_thread_name("sig");

	err = start(&d, &why);
	if (err) {
		fprintf(stderr, "slussd: %s\n", why ? why : strerror(err));
		mem_deref(why);
		free_all(&d);
		return EXIT_FAILURE;
	}
	log_info(NULL, "main.ready", "version=%s sites=%zu descriptors=%zu",
		 PACKAGE_VERSION, d.config->n_sites, n_descriptors);
	process_notify("READY=1");
	d.loop->ops->run(d.loop);
	free_all(&d);
	log_info(NULL, "main.stopped", "clean=1");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *file = CONFIG_FILE;
	bool only_check = false;
	int c;

	while ((c = getopt(argc, argv, "c:thV")) != -1) {
		switch (c) {
		case 'c':
			file = optarg;
			break;
		case 't':
			only_check = true;
			break;
		case 'V':
			printf("slussd %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	return only_check ? check(file) : run(file);
}
