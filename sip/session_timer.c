/* sip/session_timer.c - negotiating and keeping the session interval. Pure but for its timer.
 *
 * Thread: signalling. Called by leg_in.c, leg_out.c, reoffer.c; it calls the leg back when it is time
 * to refresh, or too late. RFC 4028 §4 (headers), §7 (UAC), §9 (UAS), §10 (when). */
#include "sip/session_timer.h"

#include <strings.h>

#include "sip/room.h"

enum {
	/* RFC 4028 §10: the one who does not refresh says BYE min(32, interval/3) s before the end */
	GRACE_S = 32,
	/* nobody needs longer than a day, and milliseconds stay far from any edge */
	INTERVAL_MAX_S = 86400,
};

void session_timer_init(struct session_timer *st, struct timers *timers,
			uint32_t interval_s, void (*refresh_h)(void *arg),
			void (*expired_h)(void *arg), void *arg)
{
	memset(st, 0, sizeof(*st));
	st->timers = timers;
	st->interval_s = interval_s < SIP_MIN_SE_S ? SIP_MIN_SE_S : interval_s;
	st->min_s = SIP_MIN_SE_S;
	st->ours = true;
	st->refresh_h = refresh_h;
	st->expired_h = expired_h;
	st->arg = arg;
}

void session_timer_stop(struct session_timer *st)
{
	timer_cancel(&st->t);
	st->running = false;
}

static void due(void *arg)
{
	struct session_timer *st = arg;

	if (st->ours)
		st->refresh_h(st->arg);
	else
		st->expired_h(st->arg);
}

static void restart(struct session_timer *st)
{
	uint32_t grace_s = st->interval_s / 3 < GRACE_S ? st->interval_s / 3 : GRACE_S;
	uint64_t s = st->ours ? st->interval_s / 2 : st->interval_s - grace_s;

	st->running = true;
	if (timer_start(st->timers, &st->t, s * 1000, due, st))
		st->running = false;
}

void session_timer_again(struct session_timer *st, uint64_t ms)
{
	if (st->ours && timer_start(st->timers, &st->t, ms, due, st))
		st->running = false;
}

static uint32_t clamp(unsigned long s, uint32_t min_s)
{
	if (s > INTERVAL_MAX_S)
		return INTERVAL_MAX_S;
	return s < min_s ? min_s : (uint32_t)s;
}

const char *session_timer_offer(const struct session_timer *st,
				char buf[SESSION_TIMER_TEXT], bool first)
{
	/* In later requests "uac" is who sends this one. */
	const char *refresher = first || st->ours ? "uac" : "uas";

	snprintf(buf, SESSION_TIMER_TEXT, "%u;refresher=%s", (unsigned)st->interval_s,
		 refresher);
	return buf;
}

unsigned session_timer_check(struct refusal *r, const sip_t *request)
{
	const sip_session_expires_t *x = request->sip_session_expires;

	r->status = 0;
	if (!x || x->x_delta >= SIP_MIN_SE_S)
		return 0;
	refusal_set(r, 422, "Session Interval Too Small",
		    "A session interval below %d seconds is not taken.", SIP_MIN_SE_S);
	snprintf(r->header, sizeof(r->header), "Min-SE: %d", SIP_MIN_SE_S);
	return r->status;
}

static bool knows_timer(const sip_t *s)
{
	return sip_has_feature(s->sip_supported, "timer") ||
	       sip_has_feature(s->sip_require, "timer");
}

const char *session_timer_answer(struct session_timer *st, const sip_t *request,
				 char buf[SESSION_TIMER_TEXT], bool *require)
{
	const sip_session_expires_t *x = request->sip_session_expires;
	bool peer_can = knows_timer(request), peer_refreshes = false;

	if (request->sip_min_se && request->sip_min_se->min_delta > st->min_s)
		st->min_s = clamp(request->sip_min_se->min_delta, SIP_MIN_SE_S);
	if (x) {
		/* RFC 4028 §9: never longer than asked, never under Min-SE */
		if (x->x_delta < st->interval_s)
			st->interval_s = clamp(x->x_delta, st->min_s);
		if (peer_can && x->x_refresher)
			peer_refreshes = !strcasecmp(x->x_refresher, "uac");
		else
			peer_refreshes = peer_can;
	}
	if (st->interval_s < st->min_s)
		st->interval_s = st->min_s;
	st->ours = !peer_refreshes;
	*require = peer_refreshes;
	restart(st);
	snprintf(buf, SESSION_TIMER_TEXT, "%u;refresher=%s", (unsigned)st->interval_s,
		 peer_refreshes ? "uac" : "uas");
	return buf;
}

void session_timer_accepted(struct session_timer *st, const sip_t *response)
{
	const sip_session_expires_t *x = response->sip_session_expires;

	if (x && x->x_delta >= SIP_MIN_SE_S) {
		st->interval_s = clamp(x->x_delta, SIP_MIN_SE_S);
		st->ours = !x->x_refresher || strcasecmp(x->x_refresher, "uas") != 0;
	} else {
		st->ours = true; /* the peer keeps no time: it is on us to notice */
	}
	restart(st);
}

bool session_timer_too_short(struct session_timer *st, const sip_t *response)
{
	uint32_t min_s;

	if (!response->sip_min_se)
		return false;
	min_s = clamp(response->sip_min_se->min_delta, SIP_MIN_SE_S);
	if (min_s <= st->interval_s || min_s >= INTERVAL_MAX_S)
		return false;
	st->min_s = st->interval_s = min_s;
	return true;
}
