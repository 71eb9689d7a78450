/* gateway/main.c - slussd: options, the order in which the rooms start and end, signals. The only file that
 * knows every room. What runs here is the signalling thread; the others are made by their rooms.
 *
 *   config -> loop -> core -> web, SIP and media bind, identity reads its keys -> privileges dropped
 *          -> media threads -> office (the store) -> provider -> accounts -> control -> READY
 *   SIGTERM -> no new calls, those there are told -> web, SIP and media say goodbye -> loop ends -> all freed */
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/account.h"
#include "gateway/call.h"
#include "gateway/certs.h"
#include "gateway/config.h"
#include "gateway/control.h"
#include "gateway/core.h"
#include "gateway/echo.h"
#include "gateway/kept.h"
#include "gateway/spend.h"
#include "gateway/office.h"
#include "gateway/path_anchor.h"
#include "gateway/process.h"
#include "gateway/registry.h"
#include "idp/idp.h"
#include "idp/provider.h"
#include "lib/log.h"
#include "sip/sip.h"
#include "webrtc/media/media.h"
#include "webrtc/webrtc.h"

#define CONFIG_FILE SLUSS_SYSCONFDIR "/sluss/slussd.conf"

struct daemon {
	struct config *config;
	struct loop *loop;
	struct core core;
	struct webrtc *web;
	struct sip *sip;
	struct idp *idp;
	struct provider *provider;
	struct media *media; /* NULL: nobody needs it */
	struct echo_service *echo;
	struct control *control;
	struct process_user user;
	int signal_fd;
	struct loop_watch *signal_watch;
	unsigned n_stopping; /* rooms that have not said goodbye yet */
	struct timer stop_late;
};

/* ---- stopping ---- */

static void room_stopped(void *arg)
{
	struct daemon *d = arg;

	if (--d->n_stopping)
		return;
	timer_cancel(&d->stop_late);
	d->loop->ops->stop(d->loop);
}

static void stop_late(void *arg)
{
	struct daemon *d = arg;

	log_err(NULL, "main.stop_late", "rooms=%u", d->n_stopping);
	d->loop->ops->stop(d->loop);
}

static void end_calls(struct daemon *d)
{
	struct le *le = d->core.calls.head;
	struct cause cause;

	cause_set(&cause, CAUSE_SHUTDOWN, NULL);
	while (le) {
		struct call *call = le->data;

		le = le->next;
		call_end(call, &cause);
	}
}

static void stop_begin(struct daemon *d, const char *why)
{
	/* Each room promises stop-time for itself; this is for one that breaks its promise. */
	uint64_t late_ms = 1000ull * d->config->limits.stop_s + 1000;

	log_info(NULL, "main.stop", "why=%s calls=%u devices=%zu", why, d->core.n_calls,
		 registry_count(d->core.registry));
	d->core.stopping = true;
	process_notify("STOPPING=1");
	end_calls(d);
	(void)timer_start(d->loop->timers, &d->stop_late, late_ms, stop_late, d);
	d->n_stopping = 1u + (d->sip != NULL) + (d->media != NULL);
	if (d->sip)
		sip_stop(d->sip, room_stopped, d);
	if (d->media)
		media_stop(d->media, room_stopped, d);
	webrtc_stop(d->web, room_stopped, d);
}

static void on_signal(unsigned events, void *arg)
{
	struct daemon *d = arg;
	int number = process_signal_next(d->signal_fd);

	if (number == SIGHUP) {
		/* The configuration is read at the start only. */
		log_info(NULL, "main.sighup",
			 "certificates=read-again configuration=unchanged");
		if (!d->core.stopping && certs_reload(d->core.certs, NULL, NULL))
			log_err(NULL, "certs.memory", "%s", "");
	} else if ((number == SIGTERM || number == SIGINT) && d->core.stopping) {
		log_warn(NULL, "main.killed", "why=second-signal");
		_exit(1);
	} else if (number == SIGTERM || number == SIGINT) {
		stop_begin(d, number == SIGTERM ? "SIGTERM" : "SIGINT");
	}
}

/* ---- starting ---- */

/* A renewed key could be read by root only. */
static void warn_keys(const struct daemon *d)
{
	for (size_t i = 0; i < d->config->n_sites && d->user.set; i++) {
		const struct site_config *site = &d->config->sitev[i];

		if (site->key && access(site->key, R_OK))
			log_warn(NULL, "main.key_unreadable",
				 "site=%s user=%s why=\"a renewed key needs a restart\"",
				 site->domain, LQ(d->user.name));
	}
}

/* What our calls are signed with is shown by the web side. */
static void publish(const char *site, const char *name, const char *text, void *arg)
{
	struct daemon *d = arg;

	webrtc_publish(d->web, site, name, text);
}

/* What needs root: ports, keys, folders. Then the user that it stays. */
static int start_bound(struct daemon *d, char **whyp)
{
	const struct config *c = d->config;
	int err;

	err = process_folder_make(&d->user, whyp, c->store_path);
	if (!err)
		err = process_folder_make(&d->user, whyp, c->control_path);
	if (!err)
		err = webrtc_alloc(&d->web, whyp, &d->core);
	if (!err && c->n_sip)
		err = sip_alloc(&d->sip, whyp, &d->core);
	if (!err && c->n_sip)
		err = idp_alloc(&d->idp, whyp, &d->core, publish, d);
	if (!err && (config_has_echo(c) || config_has_relay(c) || c->n_trunks))
		err = media_alloc(&d->media, whyp, &d->core);
	if (!err && d->media) {
		d->core.path_anchor = path_anchor_alloc;
		err = echo_service_alloc(&d->echo, &d->core);
	}
	if (!err)
		err = process_user_become(&d->user, whyp);
	if (!err)
		warn_keys(d);
	return err;
}

/* Everything up to READY. Nothing is answered before the loop runs, so that web and SIP may be there before
 * the accounts are. */
static int start(struct daemon *d, char **whyp)
{
	const struct config *c = d->config;
	const struct limits *l = &c->limits;
	int err;

	err = sip_loop_alloc(&d->loop);
	if (!err)
		err = core_init(&d->core, c, d->loop);
	if (!err)
		err = start_bound(d, whyp);
	if (!err && d->media)
		err = media_start(d->media, whyp);
	if (!err)
		err = office_alloc(&d->core.office, whyp, d->loop, c->store_path,
				   l->office_threads, l->office_queue, l->password_log2n);
	if (!err)
		err = provider_alloc(&d->provider, whyp, &d->core);
	if (!err)
		err = kept_alloc(&d->core.kept, &d->core);
	if (!err && c->n_trunks)
		err = spend_alloc(&d->core.spend, &d->core, NULL);
	if (!err)
		err = account_service_alloc(&d->core.accounts, &d->core);
	if (!err)
		err = control_alloc(&d->control, whyp, &d->core, c->control_path);
	if (!err)
		err = d->loop->ops->watch(&d->signal_watch, d->loop, d->signal_fd,
					  LOOP_READ, on_signal, d);
	return err;
}

/* The reverse; whatever was made. */
static void end(struct daemon *d)
{
	d->core.stopping = true;
	timer_cancel(&d->stop_late);
	d->signal_watch = mem_deref(d->signal_watch);
	/* Those that wait for an account are told nothing any more. */
	d->core.accounts = mem_deref(d->core.accounts);
	d->control = mem_deref(d->control);
	if (d->loop)
		core_close(&d->core);
	d->echo = mem_deref(d->echo);
	d->media = mem_deref(d->media);
	d->sip = mem_deref(d->sip);
	d->idp = mem_deref(d->idp);
	d->web = mem_deref(d->web);
	d->provider = mem_deref(d->provider);
	d->core.kept = mem_deref(d->core.kept);
	d->core.spend = mem_deref(d->core.spend);
	d->core.office = mem_deref(d->core.office);
	d->loop = mem_deref(d->loop);
}

static int serve(struct daemon *d)
{
	uint64_t descriptors = process_descriptors_raise();
	char *why = NULL;
	int err;

	err = process_signals_take(&d->signal_fd);
	if (!err)
		err = process_privileges_freeze();
	if (!err)
		err = process_user_find(&d->user, &why, d->config->user,
					d->config->group);
	if (!err)
		err = start(d, &why);
	if (err) {
		fprintf(stderr, "slussd: %s\n", why ? why : strerror(err));
		mem_deref(why);
		end(d);
		return 1;
	}
	log_info(NULL, "main.ready", "version=%s sites=%zu descriptors=%llu user=%s",
		 PACKAGE_VERSION, d->config->n_sites, (unsigned long long)descriptors,
		 d->user.set ? LQ(d->user.name) : "-");
	if (!d->user.set && geteuid() == 0)
		log_warn(NULL, "main.root",
			 "why=\"run { user = … } is not set: it stays root\"");
	process_notify("READY=1");
	d->loop->ops->run(d->loop);
	end(d);
	log_info(NULL, "main.stopped", "version=%s", PACKAGE_VERSION);
	return 0;
}

/* ---- options ---- */

static void warn_each(char *report)
{
	for (char *line = report, *end; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		*end = '\0';
		log_warn(NULL, "main.config", "line=%s", LQ(line));
	}
}

static int run(const char *file, bool test)
{
	struct daemon d = {.signal_fd = -1};
	enum log_level level;
	char *report = NULL;
	int err = config_load(&d.config, &report, file);

	if (err) {
		if (report)
			fputs(report, stderr);
		else
			fprintf(stderr, "slussd: %s: %s\n", file, strerror(err));
		mem_deref(report);
		return 1;
	}
	if (test) {
		if (report)
			fputs(report, stderr);
		printf("%s: the configuration is good\n", file);
		err = 0;
	} else {
		if (!log_level_parse(&level, d.config->log_level))
			log_level_set(level);
		warn_each(report);
		err = serve(&d);
	}
	mem_deref(report);
	mem_deref(d.config);
	if (d.signal_fd >= 0)
		close(d.signal_fd);
	return err;
}

static void usage(FILE *f)
{
	fprintf(f,
		"usage: slussd [-c FILE] [-t] [-V] [-h]\n"
		"  -c FILE        the configuration (%s)\n"
		"  -t             check it, say everything that is wrong, and end\n"
		"  -V, --version  say the version\n"
		"  -h, --help     say this\n",
		CONFIG_FILE);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *file = CONFIG_FILE;
	bool test = false;
	int o;

	while ((o = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			file = optarg;
			break;
		case 't':
			test = true;
			break;
		case 'V':
			printf("slussd %s\n", PACKAGE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "slussd: \"%s\" is no option\n", argv[optind]);
		usage(stderr);
		return 2;
	}
	log_thread_name("sig");
	umask(0077);
	return run(file, test);
}
