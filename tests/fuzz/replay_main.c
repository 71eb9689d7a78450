/* tests/fuzz/replay_main.c - runs a fuzz target over its corpus, without libFuzzer, in make check.
 *
 *   fuzz_NAME CORPUSDIR    or, as a test: fuzz_NAME, which takes $top_srcdir/tests/fuzz/corpus/NAME
 * Every file is given whole, and cut short at each of its first 256 lengths: what ends too early is
 * what parsers read past. Fails when there is no corpus, so that a wrong path is noticed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUT_MAX = 256 };

/** In a block of its own size, so that a sanitizer sees the first byte read too far. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 ||
	    fseek(f, 0, SEEK_SET)) {
		perror(path);
		return 1;
	}
	data = malloc((size_t)size + 1);
	if (!data || fread(data, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		return 1;
	}
	fclose(f);
	run(data, (size_t)size);
	for (long n = 0; n < size && n < CUT_MAX; n++)
		run(data, (size_t)n);
	free(data);
	return 0;
}

/** "…/fuzz_addr" -> "$top_srcdir/tests/fuzz/corpus/addr" */
static void corpus_of(char *dir, size_t size, const char *program)
{
	const char *top = getenv("top_srcdir"), *base = strrchr(program, '/');

	base = base ? base + 1 : program;
	if (!strncmp(base, "fuzz_", 5))
		base += 5;
	snprintf(dir, size, "%s/tests/fuzz/corpus/%s", top ? top : ".", base);
}

int main(int argc, char **argv)
{
	char dir[4096], path[8192];
	struct dirent *de;
	unsigned n = 0;
	int failed = 0;
	DIR *d;

	if (argc > 1)
		snprintf(dir, sizeof(dir), "%s", argv[1]);
	else
		corpus_of(dir, sizeof(dir), argv[0]);
	d = opendir(dir);
	if (!d) {
		perror(dir);
		return 1;
	}
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		failed |= replay(path);
		n++;
	}
	closedir(d);
	printf("%u files of %s\n", n, dir);
	if (!n)
		fprintf(stderr, "%s: no corpus\n", dir);
	return failed || !n;
}
