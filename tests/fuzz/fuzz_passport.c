/* tests/fuzz/fuzz_passport.c - PASSporTs as JSON, header and claims with a line feed between them (idp/passport.c).
 * What was read and consists of canonical names is printed and read again, and says the same. */
#include "idp/b64url.h"
#include "idp/passport.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool canonical(struct name *name, const struct passport_claim *c)
{
	return !c->tn && !name_parse(name, c->text, strlen(c->text)) &&
	       passport_claim_is(c, name);
}

static void round_trip(const struct passport *p)
{
	static char text[2 * HEADER_BYTES_MAX];
	struct passport again;
	struct name orig, dest;
	const char *why, *dot;
	struct pl header, payload;
	size_t n;

	if (!canonical(&orig, &p->orig) || !canonical(&dest, &p->dest[0]))
		return;
	n = passport_print(text, sizeof(text), p->alg, p->ppt, p->x5u, &orig, &dest,
			   p->iat_s, &p->mky);
	if (!n)
		return;
	dot = memchr(text, '.', n);
	MUST(dot);
	header = (struct pl){text, (size_t)(dot - text)};
	payload = (struct pl){dot + 1, n - header.l - 1};
	MUST(!passport_parse(&again, &why, &header, &payload));
	MUST(!strcmp(again.x5u, p->x5u) && again.iat_s == p->iat_s &&
	     mky_equal(&again.mky, &p->mky) && passport_claim_is(&again.orig, &orig) &&
	     again.n_dest == 1 && passport_claim_is(&again.dest[0], &dest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *lf = size ? memchr(data, '\n', size) : NULL;
	static char b64[2][HEADER_BYTES_MAX * 2];
	struct pl header = {b64[0], 0}, payload = {b64[1], 0};
	struct passport p;
	const char *why = NULL;
	size_t n = lf ? (size_t)(lf - data) : 0;

	if (!lf || size > HEADER_BYTES_MAX)
		return 0;
	header.l = b64url_encode(b64[0], data, n);
	payload.l = b64url_encode(b64[1], lf + 1, size - n - 1);
	if (passport_parse(&p, &why, &header, &payload))
		MUST(why);
	else
		round_trip(&p);
	return 0;
}
