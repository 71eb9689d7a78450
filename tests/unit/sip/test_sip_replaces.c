/* test_sip_replaces.c - INVITE with Replaces, both ways: who may, what is refused, what is written.
 *
 *   peer.example ══ INVITE, Replaces ══► leg ──► call_alloc(invite->replaces = the old leg) */
#include "gateway/kept.h"
#include "tests/unit/sip/trickle_peer.h"

#include "gateway/identity.h"

/* An INVITE of a new dialog with this Replaces header. */
static void invite(struct dialog *d, const char *id, const char *names,
		   const char *replaces)
{
	char extra[500];

	dialog_init(d, id);
	snprintf(extra, sizeof(extra), "Require: replaces\nReplaces: %s\n", replaces);
	dialog_send(d, "INVITE", 1, id, names, extra, peer_sdp_b);
}

/* The tag in a From or To value. */
static const char *tag_of(const char *name_addr)
{
	const char *p = strstr(name_addr, ";tag=");

	assert_non_null(p);
	return p + 5;
}

/* The header that replaces `d`, as the peer writes it: To tag ours, From tag the peer's. */
static const char *replaces_of(const struct dialog *d, const char *more)
{
	static char text[400];

	snprintf(text, sizeof(text), "%s;to-tag=%s;from-tag=%s%s", d->call_id,
		 tag_of(d->local), tag_of(d->remote), more);
	return text;
}

static void refused(struct dialog *d, unsigned status)
{
	struct message m;
	char start[32];

	snprintf(start, sizeof(start), "SIP/2.0 %u ", status);
	peer_expect(&m, start);
	dialog_send(d, "ACK", 1, d->call_id, PEER_DOMAIN, "", NULL);
	peer_settle();
}

static void taken_in(void **state)
{
	struct dialog old, d;
	struct leg *leg = peer_call_in_talking(&old), *fresh;
	struct message m;

	(void)state;
	invite(&d, "new1", PEER_DOMAIN, replaces_of(&old, ""));
	peer_expect(&m, "SIP/2.0 100 ");
	fresh = peer_call_last()->leg;
	assert_ptr_not_equal(fresh, leg);
	assert_ptr_equal(peer_call_last()->invite->replaces, leg);
	assert_string_equal(peer_call_of(leg)->trace, "");
	peer_end(fresh, CAUSE_BUSY);
	refused(&d, 486);
	peer_end(leg, CAUSE_ELSEWHERE);
	peer_expect(&m, "BYE ");
	assert_non_null(strstr(HEADER(&m, "Reason"), "cause=200"));
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
}

/* The dialog was begun from here: only tags and directions change places. */
static void taken_in_of_our_own(void **state)
{
	struct dialog old, d;
	struct leg *leg = peer_call_out_talking(&old);
	struct message m;

	(void)state;
	invite(&d, "new2", PEER_DOMAIN, replaces_of(&old, ""));
	peer_expect(&m, "SIP/2.0 100 ");
	assert_ptr_equal(peer_call_last()->invite->replaces, leg);
	peer_end(peer_call_last()->leg, CAUSE_DECLINED);
	refused(&d, 603);
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
}

static void not_taken(void **state)
{
	struct dialog old, d;
	struct leg *leg = peer_call_in_talking(&old);
	size_t n_calls = peer->n_calls;
	struct message m;
	char text[300];

	(void)state;
	invite(&d, "no1", PEER_DOMAIN, "unknown@peer.example;to-tag=a;from-tag=b");
	refused(&d, 481);
	/* the tags the wrong way round are another dialog */
	snprintf(text, sizeof(text), "%s;to-tag=%s;from-tag=%s", old.call_id,
		 tag_of(old.remote), tag_of(old.local));
	invite(&d, "no2", PEER_DOMAIN, text);
	refused(&d, 481);
	snprintf(text, sizeof(text), "%s;to-tag=%s", old.call_id, tag_of(old.local));
	invite(&d, "no3", PEER_DOMAIN, text);
	refused(&d, 400);
	snprintf(text, sizeof(text), "%s;to-tag=%s;to-tag=x;from-tag=%s", old.call_id,
		 tag_of(old.local), tag_of(old.remote));
	invite(&d, "no4", PEER_DOMAIN, text);
	refused(&d, 400);
	/* more than one (§3) */
	snprintf(text, sizeof(text), "%s\nReplaces: x@peer.example;to-tag=a;from-tag=b",
		 replaces_of(&old, ""));
	invite(&d, "no4b", PEER_DOMAIN, text);
	refused(&d, 400);
	invite(&d, "no5", PEER_DOMAIN, replaces_of(&old, ";early-only"));
	refused(&d, 486);
	/* another user of the same site */
	dialog_init(&d, "no6");
	snprintf(d.remote, sizeof(d.remote), "<sip:eve@%s>;tag=eves", PEER_DOMAIN);
	snprintf(text, sizeof(text), "Replaces: %s\n", replaces_of(&old, ""));
	dialog_send(&d, "INVITE", 1, "no6", PEER_DOMAIN, text, peer_sdp_b);
	refused(&d, 403);
	/* another user here */
	dialog_init(&d, "no7");
	snprintf(d.local, sizeof(d.local), "<sip:carol@%s>", PEER_SITE);
	snprintf(d.target, sizeof(d.target), "sip:carol@%s", PEER_SITE);
	dialog_send(&d, "INVITE", 1, "no7", PEER_DOMAIN, text, peer_sdp_b);
	refused(&d, 403);
	/* another site, which has learnt the identifiers */
	dialog_init(&d, "no8");
	snprintf(d.remote, sizeof(d.remote), "<sip:bob@other.example>;tag=bobs");
	dialog_send(&d, "INVITE", 1, "no8", "other.example", text, peer_sdp_b);
	peer_expect(&m, "SIP/2.0 403 ");
	dialog_send(&d, "ACK", 1, "no8", "other.example", "", NULL);
	/* what the call says */
	peer->call_err = EBUSY;
	invite(&d, "no9", PEER_DOMAIN, replaces_of(&old, ""));
	refused(&d, 486);
	peer->call_err = ENOENT;
	invite(&d, "no10", PEER_DOMAIN, replaces_of(&old, ""));
	refused(&d, 481);
	peer->call_err = 0;
	assert_int_equal(peer->n_calls, n_calls);
	assert_string_equal(peer_call_of(leg)->trace, ""); /* untouched */
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	invite(&d, "no11", PEER_DOMAIN, replaces_of(&old, ""));
	refused(&d, 603); /* it has just ended */
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
}

static void not_before_the_answer(void **state)
{
	struct dialog old, d;
	struct leg *leg = peer_call_in(&old);
	struct message m;

	(void)state;
	leg->ops->ringing(leg);
	peer_expect(&m, "SIP/2.0 180 ");
	dialog_learn(&old, &m);
	invite(&d, "early1", PEER_DOMAIN, replaces_of(&old, ""));
	refused(&d, 481);
	assert_string_equal(peer_call_of(leg)->trace, "");
	peer_end(leg, CAUSE_BUSY);
	peer_expect(&m, "SIP/2.0 486 ");
	dialog_send(&old, "ACK", 1, "in1", PEER_DOMAIN, "", NULL);
	peer_settle();
}

static void only_an_invite(void **state)
{
	struct dialog old, d;
	struct leg *leg = peer_call_in_talking(&old);
	struct message m;
	char text[300];

	(void)state;
	dialog_init(&d, "opt1");
	snprintf(text, sizeof(text), "Replaces: %s\n", replaces_of(&old, ""));
	dialog_send(&d, "OPTIONS", 1, "opt1", PEER_DOMAIN, text, NULL);
	peer_expect(&m, "SIP/2.0 400 ");
	dialog_send(&d, "OPTIONS", 2, "opt2", PEER_DOMAIN, "Require: replaces\n", NULL);
	peer_expect(&m, "SIP/2.0 200 ");
	assert_non_null(strstr(HEADER(&m, "Supported"), "replaces"));
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
}

/* Ours: the From tag is ours now, the To tag the peer's. */
static void written(void **state)
{
	struct dialog old;
	struct leg *leg = peer_call_out_talking(&old), *fresh = NULL;
	const struct invite *was = peer_call_of(leg)->invite;
	struct invite *invite = NULL;
	struct call *call = &peer->callv[peer->n_calls++];
	struct message m;
	char want[300];

	(void)state;
	assert_int_equal(invite_alloc(&invite, &was->from, &was->to, was->offer, 69), 0);
	invite->replaced = mem_ref(leg);
	assert_int_equal(peer->core.federation->leg_alloc(
				 &fresh, peer->core.federation_arg, call,
				 core_site_find(&peer->core, PEER_SITE), PEER_DOMAIN),
			 0);
	call->leg = fresh;
	call->invite = invite;
	assert_int_equal(fresh->ops->invite(fresh, invite), 0);
	peer_expect(&m, "INVITE ");
	snprintf(want, sizeof(want), "%s;", old.call_id);
	assert_int_equal(strncmp(HEADER(&m, "Replaces"), want, strlen(want)), 0);
	snprintf(want, sizeof(want), "to-tag=%s", tag_of(old.remote));
	assert_non_null(strstr(HEADER(&m, "Replaces"), want));
	snprintf(want, sizeof(want), "from-tag=%s", tag_of(old.local));
	assert_non_null(strstr(HEADER(&m, "Replaces"), want));
	assert_null(strstr(HEADER(&m, "Replaces"), "early-only"));
	message_answer(&m, 486, "Busy Here", "x", "", NULL);
	peer_expect(&m, "ACK ");
	assert_string_equal(call->trace, "ended(busy) ");
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
}

/* An identity room that answers a little later. */
struct identity_wait {
	struct timer timer;
	identity_signed_h *h;
	void *arg;
};

static void wait_destructor(void *arg)
{
	timer_cancel(&((struct identity_wait *)arg)->timer);
}

static void wait_over(void *arg)
{
	static const struct identity_signed done = {
		.header = "a.b.c;info=<https://alpha.example/x.pem>",
		.date = "Fri, 25 Sep 2015 19:12:25 GMT"};
	struct identity_wait *w = arg;

	w->h(&done, w->arg);
}

static int sign_later(void *arg, struct identity_wait **wp,
		      const struct identity_claim *c, identity_signed_h *h, void *harg)
{
	struct identity_wait *w = mem_zalloc(sizeof(*w), wait_destructor);

	(void)arg;
	(void)c;
	w->h = h;
	w->arg = harg;
	*wp = w;
	return timer_start(peer->loop->timers, &w->timer, 20, wait_over, w);
}

/* It ends while the INVITE of its successor waits for its signature. */
static void nothing_left_when_signed(void **state)
{
	static const struct identity_ops later = {.sign = sign_later};
	struct dialog old;
	struct leg *leg = peer_call_out_talking(&old), *fresh = NULL;
	const struct invite *was = peer_call_of(leg)->invite;
	struct call *call = &peer->callv[peer->n_calls++];
	struct invite *invite = NULL;
	struct message m;

	(void)state;
	peer->core.identity = &later;
	assert_int_equal(invite_alloc(&invite, &was->from, &was->to, was->offer, 69), 0);
	invite->replaced = mem_ref(leg);
	assert_int_equal(peer->core.federation->leg_alloc(
				 &fresh, peer->core.federation_arg, call,
				 core_site_find(&peer->core, PEER_SITE), PEER_DOMAIN),
			 0);
	call->leg = fresh;
	call->invite = invite;
	assert_int_equal(fresh->ops->invite(fresh, invite), 0);
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_advance_ms(100);
	assert_true(peer_quiet());
	assert_string_equal(call->trace, "ended(gone) ");
	peer->core.identity = NULL;
}

/* The dialog ends while its successor still waits for candidates: no INVITE may go that names none, or the user
 * there is rung anew, on all devices. */
static void nothing_left_to_replace(void **state)
{
	struct dialog old;
	struct leg *leg = peer_call_out_talking(&old), *fresh = NULL;
	const struct invite *was = peer_call_of(leg)->invite;
	struct call *call = &peer->callv[peer->n_calls++];
	struct body *offer = peer_body(offer_a);
	struct invite *invite = NULL;
	struct message m;

	(void)state;
	knows(false);
	offer->trickle = true;
	assert_int_equal(invite_alloc(&invite, &was->from, &was->to, offer, 69), 0);
	mem_deref(offer);
	invite->replaced = mem_ref(leg);
	assert_int_equal(peer->core.federation->leg_alloc(
				 &fresh, peer->core.federation_arg, call,
				 core_site_find(&peer->core, PEER_SITE), PEER_DOMAIN),
			 0);
	call->leg = fresh;
	call->invite = invite;
	assert_int_equal(fresh->ops->invite(fresh, invite), 0);
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();
	found(fresh, "aaaa", CAND("1"), true);
	assert_true(peer_quiet());
	assert_string_equal(call->trace, "ended(gone) ");
}

/* An outgoing leg that joins again a call with this dialog. */
static struct call *rejoin(struct kept_call *kept)
{
	struct leg *leg = peer_call_out(), *fresh = NULL;
	const struct invite *was = peer_call_of(leg)->invite;
	struct call *call = &peer->callv[peer->n_calls++];
	struct message m;

	peer_expect(&m, "INVITE ");
	message_answer(&m, 486, "Busy Here", "x", "", NULL);
	peer_expect(&m, "ACK ");
	assert_int_equal(
		invite_alloc(&call->invite, &was->from, &was->to, was->offer, 69), 0);
	call->invite->rejoins = mem_ref(kept);
	assert_int_equal(peer->core.federation->leg_alloc(
				 &fresh, peer->core.federation_arg, call,
				 core_site_find(&peer->core, PEER_SITE), PEER_DOMAIN),
			 0);
	call->leg = fresh;
	assert_int_equal(fresh->ops->invite(fresh, call->invite), 0);
	return call;
}

/* What is kept of an established dialog is what names it to the peer after a restart. */
static void kept_and_joined_again(void **state)
{
	struct kept_call *kept = mem_zalloc(sizeof(*kept), NULL);
	struct dialog old;
	struct leg *leg = peer_call_out_talking(&old);
	struct call *call;
	struct message m;
	char want[300];

	(void)state;
	assert_true(leg->ops->dialog(leg, kept->row.dialog, sizeof(kept->row.dialog)));
	snprintf(want, sizeof(want), "%s;to-tag=%s;from-tag=%s", old.call_id,
		 tag_of(old.remote), tag_of(old.local));
	assert_string_equal(kept->row.dialog, want);
	assert_false(leg->ops->dialog(leg, want, strlen(want))); /* one byte short */
	peer_end(leg, CAUSE_HANGUP);
	peer_expect(&m, "BYE ");
	message_answer(&m, 200, "OK", NULL, "", NULL);
	peer_settle();

	call = rejoin(kept);
	peer_expect(&m, "INVITE ");
	assert_string_equal(HEADER(&m, "Replaces"), kept->row.dialog);
	message_answer(&m, 481, "Call/Transaction Does Not Exist", "x", "", NULL);
	peer_expect(&m, "ACK ");
	assert_string_equal(call->trace, "ended(gone) ");
	assert_non_null(strstr(call->cause.text, PEER_DOMAIN));
	peer_settle();
	mem_deref(kept);
}

/* Both sides were killed: the peer names a dialog that only the store knows. */
static void joined_again_from_there(void **state)
{
	struct kept_call *kept = mem_zalloc(sizeof(*kept), NULL);
	struct dialog d;
	struct message m;

	(void)state;
	invite(&d, "again1", PEER_DOMAIN, "old@call;to-tag=ours;from-tag=theirs");
	refused(&d, 481);
	assert_string_equal(peer->kept_asked,
			    "old@call;to-tag=theirs;from-tag=ours bob@" PEER_DOMAIN
			    " alice@" PEER_SITE);
	peer->kept = kept;
	invite(&d, "again2", PEER_DOMAIN, "old@call;to-tag=ours;from-tag=theirs");
	peer_expect(&m, "SIP/2.0 100 ");
	assert_ptr_equal(peer_call_last()->invite->rejoins, kept);
	assert_null(peer_call_last()->invite->replaces);
	peer_end(peer_call_last()->leg, CAUSE_BUSY);
	refused(&d, 486);
	peer->call_err = EBUSY; /* somebody is at it already */
	invite(&d, "again3", PEER_DOMAIN, "old@call;to-tag=ours;from-tag=theirs");
	refused(&d, 486);
	mem_deref(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(taken_in, peer_setup, peer_teardown),
		cmocka_unit_test_setup_teardown(taken_in_of_our_own, peer_setup,
						peer_teardown),
		cmocka_unit_test_setup_teardown(not_taken, peer_setup, peer_teardown),
		cmocka_unit_test_setup_teardown(not_before_the_answer, peer_setup,
						peer_teardown),
		cmocka_unit_test_setup_teardown(only_an_invite, peer_setup,
						peer_teardown),
		cmocka_unit_test_setup_teardown(written, peer_setup, peer_teardown),
		cmocka_unit_test_setup_teardown(nothing_left_to_replace, peer_setup,
						peer_teardown),
		cmocka_unit_test_setup_teardown(nothing_left_when_signed, peer_setup,
						peer_teardown),
		cmocka_unit_test_setup_teardown(kept_and_joined_again, peer_setup,
						peer_teardown),
		cmocka_unit_test_setup_teardown(joined_again_from_there, peer_setup,
						peer_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
