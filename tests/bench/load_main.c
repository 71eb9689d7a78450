/* tests/bench/load_main.c - sluss_load, the load driver of `./dev bench signalling` and `./dev soak`.
 *
 *   sluss_load SCENARIO [--a DOMAIN=IP:PORT] [--b DOMAIN=IP:PORT] [--calls N] [--rate R] ...
 *
 * Reads options, runs one scenario, speaks lines on stdin and stdout (see load.h). One thread. */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct load_options opt = {.password = "correct horse",
			   .users = 10,
			   .devices = 10,
			   .active = 10,
			   .calls = 100,
			   .messages = 1000,
			   .bytes = 0,
			   .seconds = 60,
			   .seed = 1,
			   .rate = 10,
			   .hold_ms = 200,
			   .timeout_s = 20,
			   .domain = "peer.example"};

void load_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("sluss_load: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

void load_say(const char *word, json_t *j)
{
	char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

	if (!text)
		load_die("no memory for the result, or it is not UTF-8");
	printf("%s %s\n", word, text);
	fflush(stdout);
	free(text);
	json_decref(j);
}

static void address(struct sockaddr_in *sa, const char *text)
{
	char ip[64];
	unsigned port;

	if (sscanf(text, "%63[^:]:%u", ip, &port) != 2 || port > 65535 ||
	    inet_pton(AF_INET, ip, &sa->sin_addr) != 1)
		load_die("%s is no IP:PORT", text);
	sa->sin_family = AF_INET;
	sa->sin_port = htons((uint16_t)port);
}

static void site(struct load_site *s, const char *text)
{
	const char *eq = strchr(text, '=');

	if (!eq || (size_t)(eq - text) >= sizeof(s->domain))
		load_die("%s is no DOMAIN=IP:PORT", text);
	memcpy(s->domain, text, (size_t)(eq - text));
	address(&s->sa, eq + 1);
	snprintf(s->origin, sizeof(s->origin), "https://%s:%u", s->domain,
		 ntohs(s->sa.sin_port));
}

static const struct option options[] = {
	{"a", 1, NULL, 'a'},        {"b", 1, NULL, 'b'},       {"password", 1, NULL, 'p'},
	{"users", 1, NULL, 'u'},    {"devices", 1, NULL, 'd'}, {"active", 1, NULL, 'A'},
	{"calls", 1, NULL, 'c'},    {"rate", 1, NULL, 'r'},    {"hold-ms", 1, NULL, 'h'},
	{"messages", 1, NULL, 'm'}, {"bytes", 1, NULL, 'B'},   {"seconds", 1, NULL, 's'},
	{"seed", 1, NULL, 'S'},     {"cert", 1, NULL, 'C'},    {"key", 1, NULL, 'K'},
	{"domain", 1, NULL, 'D'},   {"sip", 1, NULL, 'i'},     {"plain", 0, NULL, 'P'},
	{"timeout", 1, NULL, 't'},  {NULL, 0, NULL, 0},
};

static void option(int c, const char *arg)
{
	unsigned n = arg ? (unsigned)strtoul(arg, NULL, 10) : 0;

	switch (c) {
	case 'a':
		site(&opt.a, arg);
		break;
	case 'b':
		site(&opt.b, arg);
		break;
	case 'p':
		opt.password = arg;
		break;
	case 'u':
		opt.users = n;
		break;
	case 'd':
		opt.devices = n;
		break;
	case 'A':
		opt.active = n;
		break;
	case 'c':
		opt.calls = n;
		break;
	case 'r':
		opt.rate = strtod(arg, NULL);
		break;
	case 'h':
		opt.hold_ms = strtol(arg, NULL, 10);
		break;
	case 'm':
		opt.messages = n;
		break;
	case 'B':
		opt.bytes = n;
		break;
	case 's':
		opt.seconds = n;
		break;
	case 'S':
		opt.seed = n;
		break;
	case 'C':
		opt.cert = arg;
		break;
	case 'K':
		opt.key = arg;
		break;
	case 'D':
		opt.domain = arg;
		break;
	case 'i':
		address(&opt.sip, arg);
		break;
	case 'P':
		opt.plain = true;
		break;
	case 't':
		opt.timeout_s = n;
		break;
	default:
		exit(2);
	}
}

/* what Kamailio's calls are to carry */
static void say_sdp(void)
{
	static char offer[8192], answer[8192], text[20000];
	json_t *j;

	load_sdp_json(offer, sizeof(offer), false, 0);
	load_sdp_json(answer, sizeof(answer), true, 0);
	snprintf(text, sizeof(text), "{\"offer\":\"%s\",\"answer\":\"%s\"}", offer,
		 answer);
	j = json_loads(text, 0, NULL);
	load_say("sdp", j);
}

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{"calls", load_calls},
	{"soak", load_calls},
	{"idle", load_idle},
	{"ping", load_ping},
	{"options", load_options_run},
	{"responder", load_responder},
	{"reconnect", load_reconnect},
	{"dial", load_dial},
	{"sdp", say_sdp},
};

int main(int argc, char **argv)
{
	struct rlimit files;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		option(c, optarg);
	opt.scenario = argv[optind] ? argv[optind] : "";
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!strcmp(opt.scenario, scenarios[i].name)) {
			scenarios[i].run();
			return 0;
		}
	load_die("no scenario \"%s\"", opt.scenario);
}
