/* gateway/slussctl.c - the operator's tool: one command to slussd's control socket, the answer as a table for
 * people or as one JSON document. A program of its own; knows of the daemon only the protocol in control.h.
 * Exit status: 0 done, 1 refused or not reached, 2 used wrongly. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/control.h"
#include "gateway/slussctl_table.h"

enum { PASSWORD_BYTES = 1024, USED_WRONGLY = 2 };

struct tool {
	const char *path;
	FILE *in;
	int fd;
	bool json;
};

static void complain(const char *error)
{
	fprintf(stderr, "slussctl: %s\n", error);
}

static int tool_connect(struct tool *t)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t n = strlen(t->path);

	if (n >= sizeof(un.sun_path)) {
		fprintf(stderr, "slussctl: %s: too long for a socket's path\n", t->path);
		return EINVAL;
	}
	memcpy(un.sun_path, t->path, n);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || connect(t->fd, (const struct sockaddr *)&un, sizeof(un)) ||
	    !(t->in = fdopen(t->fd, "r"))) {
		int err = errno;

		fprintf(stderr, "slussctl: %s: %s%s\n", t->path, strerror(err),
			err == ENOENT || err == ECONNREFUSED ? " (is slussd running?)"
							     : "");
		return err;
	}
	return 0;
}

static int tool_send(struct tool *t, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t n = text ? strlen(text) : 0, sent = 0;

	if (!text)
		return ENOMEM;
	text[n] = '\n'; /* in place of the NUL: the line goes out whole */
	while (sent < n + 1) {
		ssize_t got = send(t->fd, text + sent, n + 1 - sent, MSG_NOSIGNAL);

		if (got < 0 && errno != EINTR)
			break;
		sent += got > 0 ? (size_t)got : 0;
	}
	memset(text, 0, n);
	free(text);
	return sent == n + 1 ? 0 : EPIPE;
}

/* One request, one answer; NULL when there is none. */
static json_t *tool_exchange(struct tool *t, const json_t *request)
{
	json_t *answer = NULL;
	char *line = NULL;
	size_t size = 0;

	if (!tool_send(t, request) && getline(&line, &size, t->in) > 0)
		answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	if (!json_is_object(answer)) {
		json_decref(answer);
		fprintf(stderr, "slussctl: %s: slussd gave no answer\n", t->path);
		return NULL;
	}
	return answer;
}

/* All pages of one command; NULL when it was refused, which has been said. */
static json_t *tool_ask(struct tool *t, json_t *request)
{
	json_t *all = NULL, *next;

	for (;;) {
		json_t *answer = tool_exchange(t, request), *result;

		if (!answer)
			break;
		if (!json_is_true(json_object_get(answer, "ok"))) {
			const char *error =
				json_string_value(json_object_get(answer, "error"));

			complain(error ? error : "refused");
			json_decref(answer);
			break;
		}
		result = json_object_get(answer, "result");
		if (!all)
			all = json_incref(result);
		else
			json_array_extend(all, result);
		next = json_object_get(answer, "next");
		if (!json_is_integer(next) || !json_is_array(all)) {
			json_decref(answer);
			return all;
		}
		json_object_set(request, "from", next);
		json_decref(answer);
	}
	json_decref(all);
	return NULL;
}

/* ---- passwords ---- */

static int line_read(char *buf, size_t size)
{
	size_t n;

	if (!fgets(buf, (int)size, stdin))
		return EIO;
	n = strcspn(buf, "\r\n");
	if (!buf[n] && n + 1 == size)
		return EMSGSIZE;
	buf[n] = '\0';
	return 0;
}

static int terminal_read(const char *prompt, char *buf, size_t size)
{
	struct termios old, quiet;
	int err;

	if (tcgetattr(STDIN_FILENO, &old))
		return errno;
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, stderr);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet))
		return errno;
	err = line_read(buf, size);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	return err;
}

/* From the terminal, twice and unseen; else the first line of standard input. */
static int password_read(char *buf, size_t size)
{
	char again[PASSWORD_BYTES];
	int err;

	if (!isatty(STDIN_FILENO)) {
		err = line_read(buf, size);
		if (err)
			fprintf(stderr, "slussctl: no password on standard input\n");
		return err;
	}
	err = terminal_read("Password: ", buf, size);
	if (!err)
		err = terminal_read("Once more: ", again, sizeof(again));
	if (!err && strcmp(buf, again) != 0) {
		fprintf(stderr, "slussctl: the two are not the same\n");
		err = EINVAL;
	}
	explicit_bzero(again, sizeof(again));
	return err;
}

/* ---- commands ---- */

static const struct command {
	const char *name, *argument; /* NULL: takes none; in brackets: may be left out */
	const char *key;             /* of the argument in the request */
	bool password;
	void (*table)(const json_t *result);
	const char *help;
} commands[] = {
	{"status", NULL, NULL, false, table_status, "how the daemon is"},
	{"reload", NULL, NULL, false, table_certificates, "reads the certificates again"},
	{"calls", NULL, NULL, false, table_calls, "the calls there are now"},
	{"call", "ID", "id", false, table_call, "one call with its legs"},
	{"hangup", "ID", "id", false, NULL, "ends a call"},
	{"devices", NULL, NULL, false, table_devices, "who is online"},
	{"peers", NULL, NULL, false, table_peers, "the federated domains known now"},
	{"trunks", NULL, NULL, false, table_trunks,
	 "telephone systems and providers, and how they stand"},
	{"idp rotate", "[SITE]", "site", false, table_key,
	 "makes a new key for the assertions of a site's identity provider"},
	{"user add", "USER@SITE", "user", true, NULL,
	 "makes an account; the password is asked for, or read from standard input"},
	{"user list", "[SITE]", "site", false, table_users, "the accounts of a site"},
	{"user passwd", "USER@SITE", "user", true, NULL,
	 "sets a password and ends all sign-ins"},
	{"user remove", "USER@SITE", "user", false, NULL,
	 "removes an account and ends its sign-ins"},
};

static void usage(FILE *f)
{
	fprintf(f, "usage: slussctl [-s SOCKET] [--json] COMMAND\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		fprintf(f, "  %s%s%-*s %s\n", c->name, c->argument ? " " : "",
			(int)(24 - strlen(c->name) - (c->argument ? 1 : 0)),
			c->argument ? c->argument : "", c->help);
	}
	fprintf(f,
		"  -s SOCKET      slussd's control socket (%s)\n"
		"  --json         one JSON document instead of a table\n"
		"  -V, --version  the version\n"
		"  -h, --help     this\n",
		CONTROL_SOCKET);
}

/* "user add" is two words of the command line. Gives how many were used; 0: no such command. */
static int command_find(const struct command **cp, int argc, char **argv)
{
	char two[64];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		*cp = &commands[i];
		if (argc > 0 && !strcmp(argv[0], commands[i].name))
			return 1;
		if (argc < 2)
			continue;
		snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]);
		if (!strcmp(two, commands[i].name))
			return 2;
	}
	return 0;
}

/* What is wrong with the command line, before the usage; c: NULL for no such command. */
static void command_wrong(const struct command *c, int argc, char **argv)
{
	bool user = argc > 0 && (!strcmp(argv[0], "user") || !strcmp(argv[0], "idp"));

	if (c && !c->argument)
		fprintf(stderr, "slussctl: \"%s\" takes no argument\n", c->name);
	else if (c)
		fprintf(stderr, "slussctl: \"%s\" takes %s argument: %s\n", c->name,
			*c->argument == '[' ? "at most one" : "one", c->argument);
	else if (argc < 1)
		complain("a command is missing");
	else if (user && argc < 2)
		fprintf(stderr, "slussctl: \"%s\" needs a second word\n", argv[0]);
	else
		fprintf(stderr, "slussctl: there is no command \"%s%s%s\"\n", argv[0],
			user ? " " : "", user ? argv[1] : "");
}

static int command_run(struct tool *t, const struct command *c, const char *argument)
{
	json_t *request = json_pack("{s:s}", "command", c->name), *result;
	char password[PASSWORD_BYTES];
	int status = 1;

	if (argument && json_object_set_new(request, c->key, json_string(argument))) {
		complain("the argument is not UTF-8");
		goto out;
	}
	if (c->password) {
		if (password_read(password, sizeof(password)))
			goto out;
		if (json_object_set_new(request, "password", json_string(password))) {
			complain("the password is not UTF-8");
			goto out;
		}
	}
	if (tool_connect(t))
		goto out;
	result = tool_ask(t, request);
	if (!result)
		goto out;
	if (t->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
		putchar('\n');
	} else if (c->table) {
		c->table(result);
	}
	json_decref(result);
	status = fflush(stdout) ? 1 : 0;
out:
	explicit_bzero(password, sizeof(password));
	json_decref(request);
	if (t->in)
		fclose(t->in);
	else if (t->fd >= 0)
		close(t->fd);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	struct tool t = {.path = CONTROL_SOCKET, .fd = -1};
	const struct command *c = NULL;
	int o, used, left;

	while ((o = getopt_long(argc, argv, "s:jVh", options, NULL)) != -1) {
		switch (o) {
		case 's':
			t.path = optarg;
			break;
		case 'j':
			t.json = true;
			break;
		case 'V':
			printf("slussctl %s\n", PACKAGE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return USED_WRONGLY;
		}
	}
	used = command_find(&c, argc - optind, argv + optind);
	left = argc - optind - used;
	if (!used || left > (c->argument ? 1 : 0) ||
	    (left == 0 && c->argument && *c->argument != '[')) {
		command_wrong(used ? c : NULL, argc - optind, argv + optind);
		usage(stderr);
		return USED_WRONGLY;
	}
	return command_run(&t, c, left ? argv[argc - 1] : NULL);
}
