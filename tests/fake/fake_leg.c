/* tests/fake/fake_leg.c - a leg that writes down what it is told, says what the test wants, and aborts
 * when a rule of gateway/leg.h is broken. With it devices and a federation that make such legs. */
#include "tests/fake/fake.h"

static void broken(const struct fake_leg *fl, const char *what)
{
	fprintf(stderr, "fake_leg %s: %s, after: %s\n", fl->leg.tag, what, fl->trace);
	abort();
}

static void trace(struct fake_leg *fl, const char *op, const struct cause *cause)
{
	size_t n = strlen(fl->trace);

	snprintf(fl->trace + n, sizeof(fl->trace) - n, cause ? "%s%s(%s)" : "%s%s",
		 n ? " " : "", op, cause ? cause_reason_name(cause->reason) : "");
	if (cause)
		fl->cause = *cause;
}

static void op_begins(struct fake_leg *fl, const char *op)
{
	if (fl->over)
		broken(fl, op);
}

static void op_ends(struct fake_leg *fl, const char *op)
{
	if (fl->on_op)
		fl->on_op(fl, op);
}

static void body_keep(struct fake_leg *fl, struct body *body)
{
	mem_deref(fl->body);
	fl->body = mem_ref(body);
}

static int op_invite(struct leg *leg, const struct invite *invite)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "invite");
	if (leg->dir != LEG_OUT || fl->invite)
		broken(fl, "invite to an incoming leg, or twice");
	trace(fl, "invite", NULL);
	fl->invite = mem_ref((void *)invite);
	body_keep(fl, invite->offer);
	fl->owes_answer = true;
	if (fl->err_invite)
		fl->over = true;
	op_ends(fl, "invite");
	return fl->err_invite;
}

static void op_ringing(struct leg *leg)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "ringing");
	if (leg->dir != LEG_IN || !fl->awaits_answer)
		broken(fl, "ringing to a leg that is answered");
	trace(fl, "ringing", NULL);
	op_ends(fl, "ringing");
}

static void op_accepted(struct leg *leg)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "accepted");
	if (leg->dir != LEG_IN || !fl->awaits_answer)
		broken(fl, "accepted to a leg that is answered");
	trace(fl, "accepted", NULL);
	op_ends(fl, "accepted");
}

static void op_early(struct leg *leg, struct body *answer)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "early");
	if (leg->dir != LEG_IN || !fl->awaits_answer)
		broken(fl, "early media to a leg that is answered");
	trace(fl, "early", NULL);
	body_keep(fl, answer);
	op_ends(fl, "early");
}

static int op_answer(struct leg *leg, struct body *answer)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "answer");
	if (!fl->awaits_answer)
		broken(fl, "an answer to no offer");
	trace(fl, "answer", NULL);
	if (!fl->err_answer) {
		fl->awaits_answer = false;
		body_keep(fl, answer);
	}
	op_ends(fl, "answer");
	return fl->err_answer;
}

static int op_offer(struct leg *leg, struct body *offer)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "offer");
	if (fl->owes_answer)
		broken(fl, "an offer before the last one was answered");
	trace(fl, "offer", NULL);
	if (!fl->err_offer) {
		fl->owes_answer = true;
		body_keep(fl, offer);
	}
	op_ends(fl, "offer");
	return fl->err_offer;
}

static void op_offer_refuse(struct leg *leg, const struct cause *cause)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "offer_refuse");
	if (!fl->awaits_answer)
		broken(fl, "a refusal of no offer");
	trace(fl, "refuse", cause);
	fl->awaits_answer = false;
	op_ends(fl, "refuse");
}

static void op_candidates(struct leg *leg, const struct candidates *c)
{
	struct fake_leg *fl = (struct fake_leg *)leg;
	size_t n;

	op_begins(fl, "candidates");
	if (leg->dir == LEG_OUT && !fl->invite)
		broken(fl, "candidates before the invite");
	if (leg->dir == LEG_IN && fl->awaits_answer)
		broken(fl, "candidates before the answer");
	trace(fl, "candidates", NULL);
	n = strlen(fl->trace);
	snprintf(fl->trace + n, sizeof(fl->trace) - n, "(%zu%s)", c->n,
		 c->end ? ",end" : "");
	mem_deref(fl->candidates);
	fl->candidates = mem_ref((void *)c);
	op_ends(fl, "candidates");
}

static void op_offer_withdraw(struct leg *leg)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "offer_withdraw");
	if (!fl->owes_answer)
		broken(fl, "no offer is there to be taken back");
	trace(fl, "withdraw", NULL);
	fl->owes_answer = false;
	op_ends(fl, "withdraw");
}

static void op_away(struct leg *leg, bool away)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "away");
	trace(fl, away ? "away" : "back", NULL);
	op_ends(fl, "away");
}

static bool op_dialog(const struct leg *leg, char *buf, size_t size)
{
	int n = snprintf(buf, size, "dialog-with-%s;to-tag=theirs;from-tag=ours",
			 leg->tag);

	return n > 0 && (size_t)n < size;
}

static void op_end(struct leg *leg, const struct cause *cause)
{
	struct fake_leg *fl = (struct fake_leg *)leg;

	op_begins(fl, "end");
	if (leg->call)
		broken(fl, "ended while still in its call");
	trace(fl, "end", cause);
	fl->over = true;
	op_ends(fl, "end");
}

static void destructor(void *arg)
{
	struct fake_leg *fl = arg;

	if (fl->leg.le.list)
		broken(fl, "freed while in a list");
	mem_deref(fl->invite);
	mem_deref(fl->body);
	mem_deref(fl->candidates);
}

struct fake_leg *fake_leg_alloc(enum leg_dir dir, const char *kind, const char *tag)
{
	static const struct leg_ops browser_ops = {
		.kind = "browser",
		.away = op_away,
		.invite = op_invite,
		.ringing = op_ringing,
		.accepted = op_accepted,
		.early = op_early,
		.answer = op_answer,
		.offer = op_offer,
		.offer_refuse = op_offer_refuse,
		.candidates = op_candidates,
		.offer_withdraw = op_offer_withdraw,
		.end = op_end,
	};
	static const struct leg_ops sip_ops = {
		.kind = "sip",
		.dialog = op_dialog,
		.invite = op_invite,
		.ringing = op_ringing,
		.accepted = op_accepted,
		.early = op_early,
		.answer = op_answer,
		.offer = op_offer,
		.offer_refuse = op_offer_refuse,
		.candidates = op_candidates,
		.offer_withdraw = op_offer_withdraw,
		.end = op_end,
	};
	struct fake_leg *fl = mem_zalloc(sizeof(*fl), destructor);

	if (!fl)
		return NULL;
	fl->leg.ops = strcmp(kind, "sip") ? &browser_ops : &sip_ops;
	fl->leg.dir = dir;
	fl->awaits_answer = dir == LEG_IN;
	snprintf(fl->leg.tag, sizeof(fl->leg.tag), "%s", tag);
	return fl;
}

static void say(struct fake_leg *fl, enum leg_event_type type, struct body *body,
		const struct cause *cause)
{
	struct leg_event ev = {.type = type, .body = body, .cause = cause};

	/* a real one would end with the event; the test may speak on to see that nobody listens */
	if (type == LEG_ENDED)
		fl->over = true;
	else if (type == LEG_OFFER)
		fl->awaits_answer = true;
	else if (type == LEG_ANSWER || type == LEG_OFFER_REFUSED)
		fl->owes_answer = false;
	else if (type == LEG_OFFER_WITHDRAWN)
		fl->awaits_answer = false;
	mem_ref(fl);
	call_leg_event(&fl->leg, &ev);
	mem_deref(fl);
}

void fake_leg_say(struct fake_leg *fl, enum leg_event_type type)
{
	say(fl, type, NULL, NULL);
}

void fake_leg_say_sdp(struct fake_leg *fl, enum leg_event_type type, unsigned version)
{
	struct body *body = fake_sdp(version);

	say(fl, type, body, NULL);
	mem_deref(body);
}

void fake_leg_say_away(struct fake_leg *fl, bool away)
{
	struct leg_event ev = {.type = LEG_AWAY, .away = away};

	mem_ref(fl);
	call_leg_event(&fl->leg, &ev);
	mem_deref(fl);
}

void fake_leg_say_text(struct fake_leg *fl, enum leg_event_type type, const char *text)
{
	struct body *body = fake_body(text);

	say(fl, type, body, NULL);
	mem_deref(body);
}

void fake_leg_say_cause(struct fake_leg *fl, enum leg_event_type type,
			enum cause_reason reason)
{
	struct cause c;

	say(fl, type, NULL, cause_set(&c, reason, NULL));
}

void fake_leg_say_status(struct fake_leg *fl, unsigned status, const char *phrase)
{
	struct cause c;

	say(fl, LEG_ENDED, NULL, cause_from_sip(&c, status, phrase));
}

void fake_leg_say_candidates(struct fake_leg *fl, const char *ufrag, unsigned first,
			     unsigned n, bool end)
{
	struct leg_event ev = {.type = LEG_CANDIDATES};
	struct candidates *c = NULL;
	char line[80];

	if (candidates_alloc(&c, ufrag, strlen(ufrag)))
		abort();
	for (unsigned i = 0; i < n; i++) {
		snprintf(line, sizeof(line),
			 "candidate:%u 1 udp 2122260223 192.0.2.%u 50000 typ host",
			 first + i, (first + i) % 256);
		if (candidates_add(c, "0", 1, 0, line, strlen(line)))
			abort();
	}
	c->end = end;
	ev.candidates = c;
	mem_ref(fl);
	call_leg_event(&fl->leg, &ev);
	mem_deref(fl);
	mem_deref(c);
}

void fake_leg_trace_clear(struct fake_leg *fl)
{
	fl->trace[0] = '\0';
}
