/* gateway/slussctl_table.c - tables of slussctl: columns as wide as their longest entry, times in words.
 * Part of the program slussctl, called by slussctl.c. */
#include "gateway/slussctl_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 8, CELL_BYTES = 320 };

struct column {
	const char *title, *key;
	bool time; /* seconds */
};

/* Characters, not bytes: names are UTF-8. */
static int text_width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void print_padded(const char *s, int width, bool last)
{
	int n = text_width(s);

	for (; *s; s++)
		putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
	for (; !last && n < width + 2; n++)
		putchar(' ');
}

static const char *time_text(char *buf, size_t size, long long s)
{
	if (s < 60)
		snprintf(buf, size, "%lld s", s);
	else if (s < 3600)
		snprintf(buf, size, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%lld h %lld min", s / 3600, s % 3600 / 60);
	else
		snprintf(buf, size, "%lld d %lld h", s / 86400, s % 86400 / 3600);
	return buf;
}

static const char *cell(char buf[CELL_BYTES], const json_t *row, const struct column *c)
{
	const json_t *v = c->key ? json_object_get(row, c->key) : row;

	if (json_is_string(v))
		snprintf(buf, CELL_BYTES, "%s", json_string_value(v));
	else if (json_is_integer(v) && c->time)
		time_text(buf, CELL_BYTES, json_integer_value(v));
	else if (json_is_integer(v))
		snprintf(buf, CELL_BYTES, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		snprintf(buf, CELL_BYTES, "%s", json_is_true(v) ? "yes" : "no");
	else
		buf[0] = '\0';
	if (!*buf)
		snprintf(buf, CELL_BYTES, "-");
	return buf;
}

static void table(const json_t *rows, const struct column *columnv, const char *none)
{
	int widthv[COLUMNS_MAX] = {0};
	char buf[CELL_BYTES];
	size_t n = 0, i;
	json_t *row;

	if (!json_array_size(rows)) {
		printf("%s\n", none);
		return;
	}
	for (; n < COLUMNS_MAX && columnv[n].title; n++) {
		widthv[n] = text_width(columnv[n].title);
		json_array_foreach(rows, i, row)
		{
			int w = text_width(cell(buf, row, &columnv[n]));

			if (w > widthv[n])
				widthv[n] = w;
		}
	}
	for (size_t k = 0; k < n; k++)
		print_padded(columnv[k].title, widthv[k], k + 1 == n);
	putchar('\n');
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0; k < n; k++)
			print_padded(cell(buf, row, &columnv[k]), widthv[k], k + 1 == n);
		putchar('\n');
	}
}

/* Keys and values below each other. */
static void fields(const json_t *object, const struct column *columnv)
{
	char buf[CELL_BYTES];
	int width = 0;

	for (const struct column *c = columnv; c->title; c++) {
		if (text_width(c->title) > width)
			width = text_width(c->title);
	}
	for (const struct column *c = columnv; c->title; c++) {
		print_padded(c->title, width, false);
		print_padded(cell(buf, object, c), 0, true);
		putchar('\n');
	}
}

void table_certificates(const json_t *result)
{
	static const struct column columns[] = {
		{"CERTIFICATE OF", "site", false}, {"UNTIL", "until", false},
		{"DAYS", "days", false},           {"ENDING", "ending", false},
		{"TROUBLE", "trouble", false},     {NULL}};

	table(result, columns, "no certificates");
}

void table_status(const json_t *result)
{
	static const struct column head[] = {{"version", "version", false},
					     {"pid", "pid", false},
					     {"up for", "uptime_s", true},
					     {"stopping", "stopping", false},
					     {"calls", "calls", false},
					     {"devices", "devices", false},
					     {NULL}};
	static const struct column counters[] = {
		{"calls started", "calls_started", false},
		{"established", "calls_established", false},
		{"failed", "calls_failed", false},
		{"broken invariants", "invariants", false},
		{NULL}};
	static const struct column queues[] = {{"QUEUE", "name", false},
					       {"NOW", "now", false},
					       {"HIGHEST", "high_water", false},
					       {"CAPACITY", "capacity", false},
					       {"POSTED", "posted", false},
					       {"REFUSED", "refused", false},
					       {NULL}};
	static const struct column sites[] = {{"SITE", NULL, false}, {NULL}};

	fields(result, head);
	fields(json_object_get(result, "counters"), counters);
	putchar('\n');
	table(json_object_get(result, "sites"), sites, "no sites");
	putchar('\n');
	table_certificates(json_object_get(result, "certificates"));
	putchar('\n');
	table(json_object_get(result, "queues"), queues, "no queues");
}

static const struct column call_columns[] = {{"CALL", "id", false},
					     {"STATE", "state", false},
					     {"FROM", "from", false},
					     {"TO", "to", false},
					     {"MEDIA", "media", false},
					     {"AGE", "age_s", true},
					     {NULL}};

void table_calls(const json_t *result)
{
	table(result, call_columns, "no calls");
}

void table_call(const json_t *result)
{
	static const struct column head[] = {{"call", "id", false},
					     {"state", "state", false},
					     {"from", "from", false},
					     {"site verified", "site_verified", false},
					     {"by certificate", "site_tls", false},
					     {"signature", "identity", false},
					     {"to", "to", false},
					     {"media", "media", false},
					     {"encryption", "encryption", false},
					     {"age", "age_s", true},
					     {NULL}};
	static const struct column legs[] = {
		{"LEG", "direction", false}, {"KIND", "kind", false},
		{"TAG", "tag", false},       {"ADDRESS", "address", false},
		{"NAME", "name", false},     {NULL}};

	fields(result, head);
	putchar('\n');
	table(json_object_get(result, "legs"), legs, "no legs");
}

void table_devices(const json_t *result)
{
	static const struct column columns[] = {{"DEVICE", "id", false},
						{"USER", "user", false},
						{"NAME", "name", false},
						{"STATE", "state", false},
						{"FROM", "address", false},
						{"SINCE", "age_s", true},
						{NULL}};

	table(result, columns, "nobody is online");
}

void table_peers(const json_t *result)
{
	static const struct column columns[] = {{"PEER", "domain", false},
						{"STATE", "state", false},
						{"CONNECTIONS", "connections", false},
						{"CALLS", "calls", false},
						{"LAST ERROR", "last_error", false},
						{NULL}};

	table(result, columns, "no peers");
}

void table_trunks(const json_t *result)
{
	static const struct column columns[] = {{"TRUNK", "name", false},
						{"STATE", "state", false},
						{"BY", "transport", false},
						{"ADDRESS", "address", false},
						{"REGISTRATION", "registration", false},
						{"UNTIL", "until", false},
						{"CALLS", "calls", false},
						{"LAST ERROR", "last_error", false},
						{NULL}};

	table(result, columns, "no trunks");
}

void table_users(const json_t *result)
{
	static const struct column columns[] = {{"USER", NULL, false}, {NULL}};

	table(result, columns, "no users");
}

void table_key(const json_t *result)
{
	static const struct column columns[] = {
		{"site", "site", false}, {"key in use", "kid", false}, {NULL}};

	fields(result, columns);
}
