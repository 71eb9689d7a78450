/* idp/judge.c - see judge.h. Called by worker.c; calls header.c, passport.c, name.c, mky.c, shelf.c, copies.c.
 * RFC 8224 §6.2, §8; RFC 8225 §5; RFC 8588 §5 (shaken). */
#include "idp/judge.h"

#include "idp/b64url.h"
#include "lib/clock.h"

/* How far a header came; what is due when it came no further. */
enum row {
	ROW_IGNORED,
	ROW_CALLER,
	ROW_FETCH,
	ROW_CREDENTIAL,
	ROW_FRESH,
	ROW_SIGNED,
	ROW_GOOD,
	ROW_N
};
static const struct {
	unsigned status;
	const char *phrase;
} rows[ROW_N] = {
	[ROW_IGNORED] = {428, "Use Identity Header"},
	[ROW_CALLER] = {438, "Invalid Identity Header"},
	[ROW_FETCH] = {436, "Bad Identity Info"},
	[ROW_CREDENTIAL] = {437, "Unsupported Credential"},
	[ROW_FRESH] = {403, "Stale Date"},
	[ROW_SIGNED] = {438, "Invalid Identity Header"},
	[ROW_GOOD] = {0, "OK"},
};

/* One header of the case. */
struct line {
	struct judge_case *c;
	struct header header;
	struct passport *passport; /* NULL: compact */
	struct shelf_ask ask;
	enum row row;
	char why[CAUSE_TEXT_BYTES];
	bool waits, over;
};

struct judge_case {
	char *textv[JUDGE_HEADERS_MAX];
	struct line linev[JUDGE_HEADERS_MAX];
	size_t n;
	struct name from, to;
	bool to_known;
	char home[ADDR_HOST_MAX +
		  1]; /* the host in From, a number's, too; tel: has none */
	int64_t date_s;
	struct mky mky;
	int mky_err;
	char *call_id;
	struct judge_court *court;
	identity_judged_h *h;
	void *arg;
	bool told;
};

static void case_destructor(void *arg)
{
	struct judge_case *c = arg;

	for (size_t i = 0; i < c->n; i++) {
		shelf_forget(&c->linev[i].ask);
		mem_deref(c->linev[i].passport);
		mem_deref(c->textv[i]);
	}
	mem_deref(c->call_id);
}

int judge_case_alloc(struct judge_case **cp, const struct identity_case *from)
{
	struct judge_case *c = mem_zalloc(sizeof(*c), case_destructor);
	struct addr a;

	if (!c)
		return ENOMEM;
	c->call_id = base_dup(from->call_id, strlen(from->call_id));
	for (char *const *v = from->headerv; v && *v && c->n < JUDGE_HEADERS_MAX; v++) {
		c->textv[c->n] = base_dup(*v, strlen(*v));
		if (!c->textv[c->n]) {
			mem_deref(c);
			return ENOMEM;
		}
		c->linev[c->n].c = c;
		c->n++;
	}
	if (!c->call_id) {
		mem_deref(c);
		return ENOMEM;
	}
	/* What cannot be parsed stays empty, and is nobody's name. */
	(void)name_parse(&c->from, from->from, strlen(from->from));
	c->to_known = !name_parse(&c->to, from->to, strlen(from->to));
	if (!addr_parse_uri(&a, from->from, strlen(from->from)))
		snprintf(c->home, sizeof(c->home), "%s", a.host);
	c->date_s = from->date_s;
	if (from->sdp)
		c->mky_err = mky_read(&c->mky, from->sdp, from->sdp_len);
	*cp = c;
	return 0;
}

static int64_t now_s(const struct judge_case *c)
{
	return c->court->now_s ? c->court->now_s() : clock_wall_s();
}

static bool PRINTF_LIKE(3, 4) fails(struct line *l, enum row row, const char *fmt, ...)
{
	va_list ap;

	l->row = row;
	l->over = true;
	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool is_shaken(const char *ppt)
{
	return !strcmp(ppt, "shaken");
}

/* ---- up to the certificate ---- */

static bool read_token(struct line *l)
{
	const char *why;
	int err;

	if (l->header.compact)
		return !is_shaken(l->header.ppt) ||
		       fails(l, ROW_CALLER,
			     "a \"shaken\" PASSporT must be there in full");
	l->passport = mem_alloc(sizeof(*l->passport), NULL);
	if (!l->passport)
		return fails(l, ROW_CALLER, "out of memory");
	err = passport_parse(l->passport, &why, &l->header.header, &l->header.payload);
	return !err || fails(l, ROW_CALLER, "invalid PASSporT: %s", why);
}

static bool begin(struct line *l, const char *text)
{
	struct judge_case *c = l->c;
	const char *why;

	if (header_parse(&l->header, &why, text, strlen(text)))
		return fails(l, ROW_CALLER, "the Identity header is malformed: %s", why);
	if (*l->header.ppt && !is_shaken(l->header.ppt))
		return fails(l, ROW_IGNORED,
			     "no PASSporT of a kind that is known here: use one without "
			     "extension, or \"shaken\"");
	if (!*c->from.text)
		return fails(l, ROW_CALLER, "From is no name that anybody vouches for");
	if (!read_token(l))
		return false;
	if (l->passport && !passport_claim_is(&l->passport->orig, &c->from))
		return fails(l, ROW_CALLER, "the PASSporT is not from the caller");
	if (c->from.tn && !c->court->numbers)
		return fails(l, ROW_CREDENTIAL,
			     "nobody is trusted here to vouch for telephone numbers");
	return true;
}

static void settled(void *arg);

/* Where a number's certificate lies nobody can tell by the number. Whose caller it is counts all the same: a stranger
 * who names a thousand hosts gets no more than his few fetches. */
static void ask(struct line *l)
{
	const struct judge_case *c = l->c;
	const char *domain = c->from.tn ? NULL : c->home;

	if (!fetch_url_ok(l->header.info, domain)) {
		fails(l, ROW_FETCH,
		      domain ? "info is no https address in the caller's domain"
			     : "info is no https address");
		return;
	}
	l->ask.h = settled;
	l->ask.arg = l;
	switch (shelf_get(c->court->shelf, &l->ask, l->header.info, c->home)) {
	case SHELF_COMES:
		l->waits = true;
		break;
	case SHELF_FAILED:
		fails(l, ROW_FETCH, "the certificate could not be fetched: %s",
		      l->ask.why);
		break;
	case SHELF_HERE:
		break;
	}
}

/* ---- with the certificate ---- */

static bool fresh(struct line *l)
{
	const struct judge_case *c = l->c;
	const struct credential *cr = l->ask.thing;
	int64_t t_s = l->passport ? l->passport->iat_s : c->date_s;
	int64_t now = now_s(c), fresh_s = (int64_t)c->court->fresh_s;

	if (!t_s)
		return fails(l, ROW_FRESH, "there is no Date");
	/* as differences, but not of what could overflow */
	if (t_s < now - fresh_s || t_s > now + fresh_s)
		return fails(l, ROW_FRESH, "its time is more than %lld s from ours",
			     (long long)fresh_s);
	if (t_s < cr->from_s || t_s > cr->until_s)
		return fails(l, ROW_FRESH, "its certificate was not valid at its time");
	return true;
}

static bool claims(struct line *l)
{
	const struct judge_case *c = l->c;
	const struct passport *p = l->passport;
	bool shaken = is_shaken(p->ppt), dest = false;

	if (strcmp(p->typ, "passport") != 0 || strcmp(p->alg, l->header.alg) != 0 ||
	    strcmp(p->x5u, l->header.info) != 0 || strcmp(p->ppt, l->header.ppt) != 0)
		return fails(l, ROW_SIGNED, "the PASSporT and its header do not agree");
	for (size_t i = 0; i < p->n_dest; i++)
		dest = dest || (c->to_known && passport_claim_is(&p->dest[i], &c->to));
	if (!dest)
		return fails(l, ROW_SIGNED, "the PASSporT is for somebody else");
	if (p->has_mky ? c->mky_err || !mky_equal(&p->mky, &c->mky)
		       : (c->mky_err || c->mky.n) && !shaken)
		return fails(l, ROW_SIGNED,
			     p->has_mky
				     ? "the media keys are not those that were signed"
				     : "invalid PASSporT: the media keys are not signed");
	if (shaken &&
	    (!p->orig.tn || !p->attest || !strchr("ABC", p->attest) || !*p->origid))
		return fails(l, ROW_SIGNED,
			     "invalid PASSporT: a claim of \"shaken\" is missing");
	return true;
}

static bool signature(struct line *l)
{
	char rebuilt[2 * HEADER_BYTES_MAX];
	struct judge_case *c = l->c;
	const struct header *h = &l->header;
	const char *input = h->header.p;
	uint8_t sig[ES256_BYTES];
	size_t n = h->header.l + 1 + h->payload.l, len;

	if (b64url_decode(sig, sizeof(sig), &len, h->signature.p, h->signature.l) ||
	    len != sizeof(sig))
		return fails(l, ROW_SIGNED, "the signature is none of ES256");
	if (h->compact) {
		if (c->mky_err || !c->to_known)
			return fails(l, ROW_SIGNED, "the PASSporT cannot be made up");
		input = rebuilt;
		n = passport_print(rebuilt, sizeof(rebuilt), h->alg, h->ppt, h->info,
				   &c->from, &c->to, c->date_s, &c->mky);
	}
	if (!n || es256_verify(((struct credential *)l->ask.thing)->key, sig, input, n))
		return fails(l, ROW_SIGNED, "the signature is not of this request");
	switch (copies_see(c->court->copies, sig, c->call_id, clock_us())) {
	case 0:
		return true;
	case EALREADY:
		return fails(l, ROW_SIGNED, "the signature was used in another call");
	default:
		return fails(l, ROW_SIGNED, "out of memory");
	}
}

static void finish(struct line *l)
{
	struct judge_case *c = l->c;
	char why[CREDENTIAL_WHY_BYTES];

	if (l->over)
		return;
	if (strcmp(l->header.alg, "ES256") != 0) {
		fails(l, ROW_CREDENTIAL, "ES256 is the only algorithm that is taken");
	} else if (!credential_covers(l->ask.thing, why, &c->from)) {
		fails(l, ROW_CREDENTIAL, "the certificate does not do: %s", why);
	} else if (fresh(l) && (!l->passport || claims(l)) && signature(l)) {
		l->row = ROW_GOOD;
		l->over = true;
	}
}

/* ---- the verdict ---- */

static void tell(struct judge_case *c, const struct line *best)
{
	enum row row = best ? best->row : ROW_IGNORED;
	struct identity_verdict v = {
		.status = rows[row].status,
		.phrase = rows[row].phrase,
		.number = c->from.tn,
	};

	snprintf(v.why, sizeof(v.why), "%s",
		 best ? best->why : "the request has no Identity header");
	c->told = true;
	c->h(&v, c->arg); /* c may be gone */
}

/* Everything that can be said without waiting; a good header need not wait for the others. */
static void look(struct judge_case *c)
{
	const struct line *best = NULL;
	bool waits = false;

	for (size_t i = 0; i < c->n; i++) {
		struct line *l = &c->linev[i];

		waits = waits || l->waits;
		if (l->waits)
			continue;
		finish(l);
		if (!best || l->row > best->row)
			best = l;
		if (best->row == ROW_GOOD)
			break;
	}
	if (!waits || (best && best->row == ROW_GOOD))
		tell(c, best);
}

static void settled(void *arg)
{
	struct line *l = arg;

	l->waits = false;
	if (!l->ask.thing)
		fails(l, ROW_FETCH, "the certificate could not be fetched: %s",
		      l->ask.why);
	if (!l->c->told)
		look(l->c);
}

void judge_begin(struct judge_case *c, struct judge_court *court, identity_judged_h *h,
		 void *arg)
{
	c->court = court;
	c->h = h;
	c->arg = arg;
	for (size_t i = 0; i < c->n; i++)
		if (begin(&c->linev[i], c->textv[i]))
			ask(&c->linev[i]);
	look(c);
}
