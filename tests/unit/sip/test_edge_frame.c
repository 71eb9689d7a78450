/* test_edge_frame.c - cutting streams into messages, in every segmentation; the RFC 4475
 * and RFC 5118 messages too. */
#include "lib/base.h"

#include <dirent.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/frame.h"

enum { MAX_BYTES = 2048 };

static struct message room;

struct seen {
	char text[65536]; /* what came: "M", "P", "B", then the bytes */
	size_t n;
	int stop;
};

static int take(enum frame_kind kind, const struct message *m, int why, void *arg)
{
	struct seen *s = arg;

	(void)why;
	s->text[s->n++] = "MPB"[kind];
	if (m) {
		assert_true(s->n + m->n < sizeof(s->text));
		memcpy(s->text + s->n, m->p, m->n);
		s->n += m->n;
		s->text[s->n++] = '|';
	}
	s->text[s->n] = '\0';
	return s->stop;
}

/* Feeds it in pieces of `piece` bytes, each in memory of its own size. */
static int feed(struct seen *s, const char *p, size_t n, size_t piece, size_t max_bytes)
{
	struct frame f;
	int err = 0;

	memset(s, 0, sizeof(*s));
	frame_init(&f, max_bytes);
	for (size_t at = 0; at < n && !err; at += piece) {
		size_t len = n - at < piece ? n - at : piece;
		char *copy = malloc(len);

		memcpy(copy, p + at, len);
		err = frame_feed(&f, &room, copy, len, take, s);
		free(copy);
	}
	frame_clear(&f);
	return err;
}

static void every_way(const char *stream, int err, const char *seen)
{
	static struct seen s;
	size_t n = strlen(stream);

	for (size_t piece = 1; piece <= n; piece++) {
		int got = feed(&s, stream, n, piece, MAX_BYTES);

		if (got != err || strcmp(s.text, seen))
			fail_msg("piece %zu: err %d, saw %s\nof %s", piece, got, s.text,
				 stream);
	}
}

#define A "A sip:b SIP/2.0\r\nl: 3\r\n\r\nabc"
#define B "SIP/2.0 200 OK\r\nContent-Length:\r\n 0\r\n\r\n"

static void streams(void **state)
{
	(void)state;
	every_way(A, 0, "M" A "|");
	every_way(A B A, 0, "M" A "|M" B "|M" A "|");
	every_way("\r\n\r\n" A "\r\n" B "\r\n\r\n\r\n\r\n" A "\r\n", 0,
		  "PM" A "|M" B "|PPM" A "|");
	/* Five empty lines: a double, a double, a single. */
	every_way("\r\n\r\n\r\n\r\n\r\n" A, 0, "PPM" A "|");
	/* A body that looks like a head. */
	every_way("A sip:b SIP/2.0\r\nl: 4\r\n\r\n\r\n\r\n" B, 0,
		  "MA sip:b SIP/2.0\r\nl: 4\r\n\r\n\r\n\r\n|M" B "|");
}

static void errors(void **state)
{
	(void)state;
	every_way(B "A sip:b SIP/2.0\r\nX: 1\r\n\r\n" B, EBADMSG,
		  "M" B "|BA sip:b SIP/2.0\r\nX: 1\r\n\r\n|");
	every_way("A sip:b SIP/2.0\r\nl: x\r\n\r\n", EBADMSG,
		  "BA sip:b SIP/2.0\r\nl: x\r\n\r\n|");
	every_way("A sip:b SIP/2.0\r\nl: 1\r\nl: 1\r\n\r\n", EBADMSG,
		  "BA sip:b SIP/2.0\r\nl: 1\r\nl: 1\r\n\r\n|");
	every_way("A sip:b SIP/2.0\r\nl: 999999\r\n\r\n", EMSGSIZE,
		  "BA sip:b SIP/2.0\r\nl: 999999\r\n\r\n|");
	/* Lone line ends: a second parser might see other lines. */
	every_way("A sip:b SIP/2.0\nl: 0\n\n", EBADMSG, "");
	every_way("A sip:b SIP/2.0\r\nX: y\nl: 0\r\n\r\n", EBADMSG, "");
	every_way("A sip:b SIP/2.0\r\nX: y\rl: 0\r\n\r\n", EBADMSG, "");
	every_way("\r\r\n", EBADMSG, "");
	every_way("\r\n\rA", EBADMSG, "");
	every_way("\n" B, EBADMSG, "");
	every_way("\x16\x03\x01\x02", EBADMSG, "");
	every_way(" " B, EBADMSG, "");
}

static void http_is_no_sip(void **state)
{
	static struct seen s;
	const char *get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

	(void)state;
	assert_int_equal(feed(&s, get, strlen(get), 1000, MAX_BYTES), EBADMSG);
}

static void heads_without_end(void **state)
{
	static struct seen s;
	char noise[3 * MAX_BYTES];

	(void)state;
	memset(noise, 'A', sizeof(noise));
	assert_int_equal(feed(&s, noise, sizeof(noise), 1, MAX_BYTES), EMSGSIZE);
	assert_int_equal(feed(&s, noise, sizeof(noise), 700, MAX_BYTES), EMSGSIZE);
	assert_int_equal(s.n, 0);
}

/* Exactly at the limit it passes, one byte more does not. */
static void the_limit(void **state)
{
	static struct seen s;
	char text[MAX_BYTES + 64];
	int n;

	(void)state;
	for (int over = 0; over < 2; over++) {
		n = snprintf(text, sizeof(text), "A sip:b SIP/2.0\r\nl: %d\r\n\r\n",
			     MAX_BYTES - 28 + over);
		assert_int_equal(n, 28);
		memset(text + n, 'x', sizeof(text) - (size_t)n);
		assert_int_equal(feed(&s, text, MAX_BYTES + (size_t)over, 100, MAX_BYTES),
				 over ? EMSGSIZE : 0);
		assert_int_equal(s.text[0], over ? 'B' : 'M');
	}
}

/* A large Content-Length alone takes no memory. */
static void promises_cost_nothing(void **state)
{
	static const char head[] = "A sip:b SIP/2.0\r\nl: 100000\r\n\r\n";
	static struct seen s;
	struct frame f;

	(void)state;
	memset(&s, 0, sizeof(s));
	frame_init(&f, 131072);
	assert_int_equal(frame_feed(&f, &room, head, sizeof(head) - 1, take, &s), 0);
	assert_true(frame_partial(&f));
	assert_true(f.size < 1024);
	frame_clear(&f);
	assert_false(frame_partial(&f));
}

static void the_handler_stops_it(void **state)
{
	static struct seen s;
	struct frame f;

	(void)state;
	memset(&s, 0, sizeof(s));
	s.stop = ECONNABORTED;
	frame_init(&f, MAX_BYTES);
	assert_int_equal(frame_feed(&f, &room, A A, 2 * strlen(A), take, &s),
			 ECONNABORTED);
	assert_string_equal(s.text, "M" A "|");
	frame_clear(&f);
}

/* abuse_019: the same verdict in every segmentation. */
static void torture_file(const char *dir, const char *name)
{
	static struct seen whole, cut;
	static char text[65536];
	char path[1024];
	FILE *f;
	size_t n;
	int err;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	err = feed(&whole, text, n, n, 65536);
	for (size_t piece = 1; piece < n; piece += piece < 40 ? 1 : 37) {
		if (feed(&cut, text, n, piece, 65536) != err || cut.n != whole.n ||
		    memcmp(cut.text, whole.text, whole.n))
			fail_msg("%s in pieces of %zu", name, piece);
	}
}

static void torture(void **state)
{
	static const char *const dirs[] = {"tests/abuse/vectors/rfc4475/dat",
					   "tests/abuse/vectors/rfc5118"};
	const char *top = getenv("top_srcdir");
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(dirs); i++) {
		char path[512];
		struct dirent *de;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/%s", top ? top : ".", dirs[i]);
		dir = opendir(path);
		if (!dir)
			fail_msg("%s is not there", path);
		while ((de = readdir(dir))) {
			if (de->d_type != DT_REG || !strcmp(de->d_name, "ORIGIN.md") ||
			    !strcmp(de->d_name, "SHA256SUMS"))
				continue;
			torture_file(path, de->d_name);
			n++;
		}
		closedir(dir);
	}
	assert_true(n >= 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams),
		cmocka_unit_test(errors),
		cmocka_unit_test(http_is_no_sip),
		cmocka_unit_test(heads_without_end),
		cmocka_unit_test(the_limit),
		cmocka_unit_test(promises_cost_nothing),
		cmocka_unit_test(the_handler_stops_it),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
