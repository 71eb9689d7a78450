/* tests/unit/gateway/test_sdp_golden.c - descriptions of real browsers and telephone systems, and what an anchor makes of
 * them: tests/golden/README.md says who they are from.
 *
 *   NAME/speaks             "webrtc sdes": what the caller speaks, then the callee
 *   NAME/offer.in.sdp   ──► offer.out.sdp      for the callee
 *   NAME/answer.in.sdp  ──► answer.out.sdp     for the caller
 *
 * SLUSS_GOLDEN=write writes the .out files anew; look at the difference before you commit it. */
#include "tests/unit/gateway/anchor_world.h"

#include <dirent.h>

static char folder[512];

static bool load(char *text, size_t size, const char *name, const char *file)
{
	char path[1024];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
	f = fopen(path, "rb");
	if (f) {
		n = fread(text, 1, size - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	return f != NULL;
}

static enum leg_media speaks(const char *word)
{
	static const char *const words[] = {
		[LEG_WEBRTC] = "webrtc",
		[LEG_RTP] = "rtp",
		[LEG_SDES] = "sdes",
		[LEG_DTLS] = "dtls",
	};

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (!strcmp(word, words[i]))
			return (enum leg_media)i;
	fail_msg("speaks: %s", word);
	return LEG_WEBRTC;
}

static bool writes(void)
{
	const char *mode = getenv("SLUSS_GOLDEN");

	return mode && !strcmp(mode, "write");
}

static void compare(const char *name, const char *file, const char *out)
{
	char path[1024], want[W_TEXT];

	if (writes()) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
		f = fopen(path, "wb");
		assert_non_null(f);
		fputs(out, f);
		fclose(f);
		return;
	}
	assert_true(load(want, sizeof(want), name, file));
	if (strcmp(want, out) != 0)
		fail_msg("%s/%s is\n%s\nand was\n%s", name, file, out, want);
}

static void one(const char *name)
{
	char text[W_TEXT], a[16], b[16];
	struct world w;

	assert_true(load(text, sizeof(text), name, "speaks"));
	if (writes() && !load(text, sizeof(text), name, "offer.in.sdp"))
		return; /* not recorded yet */
	assert_true(load(text, sizeof(text), name, "speaks"));
	assert_int_equal(sscanf(text, "%15s %15s", a, b), 2);
	w_init(&w, speaks(a), speaks(b));
	assert_true(load(text, sizeof(text), name, "offer.in.sdp"));
	w.icev[A] |= speaks(a) == LEG_DTLS && strstr(text, "ice-ufrag");
	w.icev[B] |= speaks(b) == LEG_DTLS;
	if (w_offer(&w, A, text))
		fail_msg("%s: the offer: %s", name, w.why);
	compare(name, "offer.out.sdp", w.out);
	if (load(text, sizeof(text), name, "answer.in.sdp")) {
		if (w_answer(&w, B, text))
			fail_msg("%s: the answer: %s", name, w.why);
		compare(name, "answer.out.sdp", w.out);
	} else {
		assert_true(writes());
	}
	w_done(&w);
}

static void golden_pairs(void **state)
{
	const char *top = getenv("top_srcdir");
	unsigned n = 0;
	struct dirent *e;
	DIR *d;

	snprintf(folder, sizeof(folder), "%s/tests/golden", top ? top : ".");
	d = opendir(folder);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (!strstr(e->d_name, "-calls-"))
			continue;
		one(e->d_name);
		n++;
	}
	closedir(d);
	assert_true(n >= 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(golden_pairs)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
