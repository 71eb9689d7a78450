/* gateway/cause.c - the one table of why calls end: cause <-> SIP status <-> words for people.
 *
 * Pure; any thread. Called by call.c, the legs and slussctl; calls addr_name_clean().
 * RFC 3261 §21 (status codes) and §16.7 step 6 (which refusal to pass on), RFC 8224 §6.2.2, RFC 8197. */
#include "gateway/cause.h"
#include "gateway/addr.h"

struct cause_row {
	const char *token;
	unsigned code; /**< what cause_set() fills in */
	unsigned sip;  /**< the status for a SIP peer that has not been answered */
	const char *phrase;
	unsigned rank;
	const char *text;
};

/* clang-format off */
static const struct cause_row rows[CAUSE_N] = {
	[CAUSE_NONE] = {"none", 500, 500, "Call Failed", 120, "The call failed."},
	[CAUSE_HANGUP] = {"hangup", 200, 480, "Hung Up", 115, "The call has ended."},
	[CAUSE_CANCELLED] = {"cancelled", 487, 487, "Request Terminated", 70,
			     "The caller gave up."},
	[CAUSE_ELSEWHERE] = {"elsewhere", 200, 480, "Answered Elsewhere", 116,
			     "The call was answered on another device."},
	[CAUSE_BUSY] = {"busy", 486, 486, "Busy Here", 10, "The other side is busy."},
	[CAUSE_DECLINED] = {"declined", 603, 603, "Decline", 0, "The call was declined."},
	[CAUSE_NO_ANSWER] = {"no-answer", 480, 480, "No Answer", 80, "Nobody answered."},
	[CAUSE_OFFLINE] = {"offline", 480, 480, "Not Online", 75,
			   "The person you called is not online at the moment."},
	[CAUSE_NOT_FOUND] = {"not-found", 404, 404, "Not Found", 45,
			     "Nobody has this address."},
	[CAUSE_NO_ROUTE] = {"no-route", 404, 404, "No Route", 46,
			    "This address cannot be called from here."},
	[CAUSE_UNREACHABLE] = {"unreachable", 503, 503, "Service Unavailable", 100,
			       "The other site could not be reached."},
	[CAUSE_TIMEOUT] = {"timeout", 408, 408, "Request Timeout", 110,
			   "The other side did not answer in time."},
	[CAUSE_FORBIDDEN] = {"forbidden", 403, 403, "Forbidden", 30,
			     "This call is not allowed."},
	[CAUSE_MEDIA] = {"media", 488, 488, "Not Acceptable Here", 20,
			 "The two sides have no audio or video format in common."},
	[CAUSE_GLARE] = {"glare", 491, 491, "Request Pending", 50,
			 "Both sides changed the call at the same moment."},
	[CAUSE_LOOP] = {"loop", 482, 482, "Loop Detected", 51,
			"The call came back to where it had been before."},
	[CAUSE_BAD_REQUEST] = {"bad-request", 400, 400, "Bad Request", 52,
			       "The call was not understood."},
	[CAUSE_LIMIT] = {"limit", 503, 503, "Limit Reached", 98,
			 "There are too many calls at the moment; please try again later."},
	[CAUSE_LOST] = {"lost", 480, 480, "Connection Lost", 90,
			"The connection to the other side was lost."},
	[CAUSE_SHUTDOWN] = {"shutdown", 503, 503, "Shutting Down", 99,
			    "The calling site is being stopped."},
	[CAUSE_INTERNAL] = {"internal", 500, 500, "Server Internal Error", 95,
			    "Something went wrong at the calling site."},
	[CAUSE_GONE] = {"gone", 410, 410, "Gone", 40, "This address is not in use any more."},
	[CAUSE_REDIRECT] = {"redirect", 302, 480, "Redirection Not Followed", 53,
			    "The other site pointed to another address, which is not followed."},
	[CAUSE_OTHER] = {"other", 500, 500, "Call Failed", 60, "The call failed."},
};

/* What a peer's status means. A row covers from..to; the first that fits counts. */
static const struct {
	unsigned from, to;
	enum cause_reason reason;
} statuses[] = {
	{300, 399, CAUSE_REDIRECT},
	{400, 400, CAUSE_BAD_REQUEST},
	{401, 401, CAUSE_FORBIDDEN},   /* we have no password for anybody */
	{403, 403, CAUSE_FORBIDDEN},
	{404, 404, CAUSE_NOT_FOUND},
	{405, 406, CAUSE_BAD_REQUEST},
	{407, 407, CAUSE_FORBIDDEN},
	{408, 408, CAUSE_NO_ANSWER},
	{410, 410, CAUSE_GONE},
	{413, 414, CAUSE_BAD_REQUEST},
	{415, 415, CAUSE_MEDIA},
	{416, 417, CAUSE_BAD_REQUEST},
	{420, 423, CAUSE_BAD_REQUEST},
	{428, 429, CAUSE_FORBIDDEN},   /* RFC 8224, RFC 3892: identity missing */
	{433, 433, CAUSE_FORBIDDEN},   /* RFC 5079: anonymous */
	{436, 438, CAUSE_FORBIDDEN},   /* RFC 8224: identity not believed */
	{480, 480, CAUSE_OFFLINE},     /* unless its phrase says that it rang */
	{481, 481, CAUSE_LOST},
	{482, 483, CAUSE_LOOP},
	{484, 485, CAUSE_NOT_FOUND},
	{486, 486, CAUSE_BUSY},
	{487, 487, CAUSE_CANCELLED},
	{488, 488, CAUSE_MEDIA},
	{491, 491, CAUSE_GLARE},
	{494, 494, CAUSE_FORBIDDEN},
	{502, 504, CAUSE_UNREACHABLE},
	{580, 580, CAUSE_MEDIA},
	{600, 600, CAUSE_BUSY},
	{603, 603, CAUSE_DECLINED},
	{604, 604, CAUSE_GONE},
	{606, 606, CAUSE_MEDIA},
	{607, 608, CAUSE_DECLINED},    /* RFC 8197 unwanted, RFC 8688 rejected */
};
/* clang-format on */

static const struct cause_row *row(enum cause_reason reason)
{
	return &rows[(unsigned)reason < CAUSE_N ? reason : CAUSE_NONE];
}

const char *cause_reason_name(enum cause_reason reason)
{
	return row(reason)->token;
}

int cause_reason_parse(enum cause_reason *reason, const char *token)
{
	for (unsigned i = CAUSE_NONE + 1; token && i < CAUSE_N; i++) {
		if (!strcmp(rows[i].token, token)) {
			*reason = (enum cause_reason)i;
			return 0;
		}
	}
	return EINVAL;
}

struct cause *cause_set(struct cause *c, enum cause_reason reason, const char *fmt, ...)
{
	const struct cause_row *r = row(reason);

	c->reason = (unsigned)reason < CAUSE_N ? reason : CAUSE_NONE;
	c->code = r->code;
	if (fmt) {
		/* longer than the field: a character cut in two by vsnprintf must not stay in */
		char text[2 * CAUSE_TEXT_BYTES];
		va_list ap;

		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		addr_name_clean(c->text, sizeof(c->text), text, strlen(text));
	} else {
		addr_name_clean(c->text, sizeof(c->text), r->text, strlen(r->text));
	}
	return c;
}

static bool phrase_is(const char *phrase, const char *ours)
{
	return phrase && !strcmp(phrase, ours);
}

static enum cause_reason reason_of_status(unsigned status, const char *phrase)
{
	if (status == 480 && phrase_is(phrase, rows[CAUSE_NO_ANSWER].phrase))
		return CAUSE_NO_ANSWER;
	for (size_t i = 0; i < N_ELEMS(statuses); i++)
		if (status >= statuses[i].from && status <= statuses[i].to)
			return statuses[i].reason;
	return CAUSE_OTHER;
}

/** Do the words of the far side say more than ours? For these they name what was wrong. */
static bool phrase_helps(enum cause_reason reason)
{
	switch (reason) {
	case CAUSE_FORBIDDEN:
	case CAUSE_BAD_REQUEST:
	case CAUSE_UNREACHABLE:
	case CAUSE_OTHER:
		return true;
	default:
		return false;
	}
}

struct cause *cause_from_sip(struct cause *c, unsigned status, const char *phrase)
{
	char words[81];
	size_t len, start = 0;

	if (status < 300 || status > 699)
		status = 500;
	cause_set(c, reason_of_status(status, phrase), NULL);
	c->code = status;
	if (!phrase_helps(c->reason))
		return c;

	addr_name_clean(words, sizeof(words), phrase,
			phrase ? strnlen(phrase, 4 * sizeof(words)) : 0);
	for (len = 0; words[len]; len++)
		if (words[len] == '"')
			words[len] = '\'';
	while (len && words[len - 1] == ' ')
		words[--len] = '\0';
	while (words[start] == ' ')
		start++;
	if (words[start])
		snprintf(c->text, sizeof(c->text), "%s The other site says %u \"%s\".",
			 row(c->reason)->text, status, words + start);
	else if (c->reason == CAUSE_OTHER)
		snprintf(c->text, sizeof(c->text), "%s The other site says %u.",
			 row(c->reason)->text, status);
	return c;
}

unsigned cause_sip_status(const struct cause *c, const char **phrasep)
{
	const struct cause_row *r = row(c->reason);
	unsigned status = r->sip;
	const char *phrase = r->phrase;

	/* Where several codes share a cause the peer gets the one that was meant. Not so where a code
	 * means something hop by hop only (401, 407, 420, 421, 422: they need headers of their own). */
	switch (c->reason) {
	case CAUSE_OTHER:
		if (c->code >= 400 && c->code <= 699)
			status = c->code;
		break;
	case CAUSE_LOOP:
		if (c->code == 483) {
			status = 483;
			phrase = "Too Many Hops";
		}
		break;
	case CAUSE_BUSY:
		if (c->code == 600) {
			status = 600;
			phrase = "Busy Everywhere";
		}
		break;
	case CAUSE_MEDIA:
		if (c->code == 606) {
			status = 606;
			phrase = "Not Acceptable";
		}
		break;
	case CAUSE_GONE:
		if (c->code == 604) {
			status = 604;
			phrase = "Does Not Exist Anywhere";
		}
		break;
	case CAUSE_DECLINED:
		if (c->code == 607) {
			status = 607;
			phrase = "Unwanted";
		}
		break;
	case CAUSE_FORBIDDEN:
		if (c->code == 428 || c->code == 436 || c->code == 437 ||
		    c->code == 438) {
			status = c->code;
			phrase = "Identity Not Accepted";
		}
		break;
	default:
		break;
	}
	if (phrasep)
		*phrasep = phrase;
	return status;
}

unsigned cause_rank(const struct cause *c)
{
	const struct cause_row *r = row(c->reason);

	if (cause_is_final(c))
		return 0;
	/* RFC 3261 §16.7: a 4xx before a 5xx; a plain timeout says least of all */
	if (c->reason == CAUSE_OTHER && c->code >= 500)
		return 92;
	if (c->reason == CAUSE_NO_ANSWER && c->code == 408)
		return 109;
	return r->rank;
}

bool cause_is_final(const struct cause *c)
{
	return c->reason == CAUSE_DECLINED || c->code >= 600;
}
