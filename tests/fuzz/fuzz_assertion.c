/* tests/fuzz/fuzz_assertion.c - descriptions with an a=identity, and the tokens in it (idp/assertion.c): the input as a
 * description, as an attribute, and as header and claims of a token with a line feed between them. */
#include "idp/assertion.h"
#include "idp/b64url.h"

#include <strings.h>

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct assertion *a, const struct assertion_line *l,
		  const char *token)
{
	char why[ASSERTION_WHY_BYTES] = "";
	struct mky keys = a->keys;

	MUST(a->n_signed < strlen(token) && token[a->n_signed] == '.');
	MUST(*a->kid && *a->iss && *a->said.name && *a->said.origin && a->keys.n);
	MUST(!a->said.email_verified || *a->said.email);
	MUST(!*a->said.picture || !strncmp(a->said.picture, "https://", 8));
	if (!assertion_judge(a, why, l, &keys, "bob@beta.example", a->iat_s, 60)) {
		const char *at = strchr(a->said.name, '@');

		MUST(!strcasecmp(a->iss, l->host) && !strcasecmp(at + 1, l->host));
		/* no key more than was signed */
		keys.v[0].dig[0] = keys.v[0].dig[0] == '0' ? '1' : '0';
		if (!mky_within(&keys, &a->keys))
			MUST(assertion_judge(a, why, l, &keys, "bob@beta.example",
					     a->iat_s, 60) == EBADMSG);
	} else {
		MUST(*why);
	}
}

static void read_token(const char *token, const struct assertion_line *l)
{
	static struct assertion a;
	const char *why = NULL;
	int err = assertion_read(&a, &why, token);

	MUST(err ? why != NULL : why == NULL);
	if (!err)
		judge(&a, l, token);
}

static void open_line(const char *p, size_t n)
{
	static struct assertion_line l;
	const char *why = NULL;

	if (assertion_open(&l, &why, p, n)) {
		MUST(why);
		return;
	}
	MUST(*l.host && *l.token && !strncmp(l.domain, l.host, strlen(l.host)));
	read_token(l.token, &l);
}

/* With a signature of the right length: the rest is what is read. */
static void print_token(const char *p, size_t n)
{
	static char token[4 * ASSERTION_TOKEN_MAX];
	struct assertion_line l = {.domain = "idp.example", .host = "idp.example"};
	const char *lf = n ? memchr(p, '\n', n) : NULL;
	uint8_t sig[ES256_BYTES] = {1};
	size_t at;

	if (!lf || n > 2 * ASSERTION_TOKEN_MAX)
		return;
	at = b64url_encode(token, p, (size_t)(lf - p));
	token[at++] = '.';
	at += b64url_encode(token + at, lf + 1, n - (size_t)(lf - p) - 1);
	token[at++] = '.';
	at += b64url_encode(token + at, sig, sizeof(sig));
	token[at] = '\0';
	read_token(token, &l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct pl value;

	if (assertion_find(&value, p, size)) {
		MUST(value.p >= p && value.p + value.l <= p + size);
		open_line(value.p, value.l);
	}
	open_line(p, size);
	print_token(p, size);
	return 0;
}
