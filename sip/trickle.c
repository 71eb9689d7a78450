/* sip/trickle.c - candidates inside one dialog: INFOs out with all that was found, INFOs in told once each.
 *
 * Thread: signalling. A fork has one of these while it rings, the winner's becomes the leg's. Called by
 * fork.c, leg_in.c, leg_out.c, reoffer.c (dialog and descriptions), dialog.c (INFO), leg.c (the call's
 * candidates). RFC 8840 §4 (when, what), §10 (package); RFC 6086 (INFO); RFC 8838 §10 (generations). */
#include "sip/trickle.h"

#include <strings.h>

#include "lib/log.h"
#include "sip/leg.h"
#include "sip/peers.h"
#include "sip/trickle_frag.h"

enum { AGAIN_MS = 1000, TRIES = 3 };

struct sip_trickle {
	struct sip_leg *leg; /* not owned; NULL: closed */
	nta_leg_t *dialog;
	/* ours */
	bool open;
	nta_outgoing_t *info; /* one at a time (RFC 8840 §4.4) */
	struct body *of; /* the description whose candidates n_sent and end_sent count */
	size_t n_sent;
	bool end_sent;
	unsigned n_failed;
	struct timer batch;
	/* the peer's */
	struct candidates
		*seen; /* told, of its current generation, which gives it its name */
	struct body
		*early; /* the last fragment of a generation that is not described yet */
};

static void flush(struct sip_trickle *t);

/* ---- knowledge ---- */

bool sip_knows_trickle(const sip_t *s)
{
	return sip_has_feature(s->sip_supported, TRICKLE_PACKAGE) ||
	       sip_has_feature(s->sip_require, TRICKLE_PACKAGE);
}

void sip_trickle_learn(struct sip *sip, const char *domain, const sip_t *s)
{
	peers_trickle_set(sip->peers, domain, sip_knows_trickle(s),
			  timers_now_us(sip->core->loop->timers));
}

enum trickle sip_trickle_known(const struct sip *sip, const char *domain)
{
	const struct peer_config *pc = config_peer_find(sip->core->config, domain);

	if (pc && pc->trickle != TRICKLE_AUTO)
		return pc->trickle;
	return peers_trickle(sip->peers, domain, timers_now_us(sip->core->loop->timers));
}

/* ---- ours ---- */

static bool same_generation(const struct body *a, const struct body *b)
{
	struct sdp_ice ia, ib;
	struct sdp_text ua;

	sdp_ice_read(&ia, a->data, a->len);
	sdp_ice_read(&ib, b->data, b->len);
	ua = sdp_ice_ufrag(&ia);
	return ua.n && sdp_ice_has_ufrag(&ib, ua.p, ua.n);
}

void sip_ours_set(struct sip_ours *o, struct body *sdp, bool sent)
{
	if (o->sdp && o->sdp != sdp && !same_generation(o->sdp, sdp))
		o->all = mem_deref(o->all);
	sip_leg_sdp_set(&o->sdp, sdp);
	o->sent = sent;
}

void sip_ours_clear(struct sip_ours *o)
{
	o->sdp = mem_deref(o->sdp);
	o->all = mem_deref(o->all);
	o->sent = false;
}

/* ---- making and closing ---- */

void trickle_close(struct sip_trickle *t)
{
	if (!t)
		return;
	t->leg = NULL;
	t->open = false;
	timer_cancel(&t->batch);
	nta_outgoing_destroy(t->info);
	t->info = NULL;
}

static void destructor(void *arg)
{
	struct sip_trickle *t = arg;

	trickle_close(t);
	mem_deref(t->of);
	mem_deref(t->seen);
	mem_deref(t->early);
}

int trickle_alloc(struct sip_trickle **tp, struct sip_leg *leg, nta_leg_t *dialog)
{
	struct sip_trickle *t = mem_zalloc(sizeof(*t), destructor);

	if (!t)
		return ENOMEM;
	t->leg = leg;
	t->dialog = dialog;
	*tp = t;
	return 0;
}

/* ---- out ---- */

static void batch_over(void *arg)
{
	flush(arg);
}

static void again(struct sip_trickle *t, uint64_t ms)
{
	if (timer_start(t->leg->sip->core->loop->timers, &t->batch, ms, batch_over, t))
		flush(t);
}

/* Is the dialog at fault, or only this INFO? */
static bool is_passing(unsigned status)
{
	return status == 408 || status == 480 || status == 491 ||
	       (status >= 500 && status != 501);
}

static void info_answered(struct sip_trickle *t, unsigned status)
{
	if (status < 300) {
		t->n_failed = 0;
		flush(t);
	} else if (is_passing(status) && ++t->n_failed < TRIES) {
		t->n_sent = 0;
		t->end_sent = false;
		again(t, AGAIN_MS);
	} else { /* 469 and the like: the peer does not want them; the call goes on without */
		log_debug(sip_leg_call(t->leg), "sip.trickle.refused",
			  "status=%u peer=%s", status, t->leg->hop->domain);
		t->open = false;
	}
}

static int info_response(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_trickle *t = arg;
	struct joint j;

	if (!s || orq != t->info || s->sip_status->st_status < 200 ||
	    (!nta_sip_is_internal(s) && trust_joint(&j, t->leg->sip, s)))
		return 0;
	sip_loop_enter("sip.response.info");
	t->info = NULL;
	info_answered(t, (unsigned)s->sip_status->st_status);
	nta_outgoing_destroy(orq);
	sip_loop_leave();
	return 0;
}

static void info_send(struct sip_trickle *t, const struct body *frag)
{
	struct sip_request rq = {
		.hop = t->leg->hop,
		.dialog = t->dialog,
		.method = sip_method_info,
		.name = "INFO",
		.sdp = frag,
		.content_type = TRICKLE_TYPE,
	};

	t->info = sip_request_send(&rq, info_response, t,
				   SIPTAG_UNKNOWN_STR("Info-Package: " TRICKLE_PACKAGE),
				   SIPTAG_CONTENT_DISPOSITION_STR("Info-Package"),
				   TAG_END());
}

/* Every INFO repeats all before it, so that neither order nor loss matters (RFC 8840 §4.4). */
static void flush(struct sip_trickle *t)
{
	const struct sip_ours *o = t->leg ? &t->leg->ours : NULL;
	struct body *frag = NULL;

	if (!o || !t->open || t->info || !o->sent || !o->all)
		return;
	timer_cancel(&t->batch);
	if (t->of != o->sdp) {
		t->n_sent = 0;
		t->end_sent = false;
		sip_leg_sdp_set(&t->of, o->sdp);
	}
	if (t->n_sent == o->all->n && t->end_sent == o->all->end)
		return;
	if (trickle_frag_print(&frag, o->sdp, o->all)) {
		log_warn(sip_leg_call(t->leg), "sip.memory", "%s", "");
		return;
	}
	t->n_sent = o->all->n;
	t->end_sent = o->all->end;
	log_debug(sip_leg_call(t->leg), "sip.trickle.out", "n=%zu end=%d peer=%s",
		  t->n_sent, t->end_sent, t->leg->hop->domain);
	info_send(t, frag);
	mem_deref(frag);
}

void trickle_open(struct sip_trickle *t, bool knows)
{
	if (!t || t->open || !t->leg || !knows)
		return;
	t->open = true;
	flush(t);
}

void trickle_more(struct sip_trickle *t)
{
	if (t && t->leg && t->open && !t->info && !timer_running(&t->batch))
		again(t, TRICKLE_BATCH_MS);
}

/* ---- in ---- */

/* What the peer has described last. NULL: nothing yet, or not to us. */
static const struct body *described(const struct sip_trickle *t)
{
	const struct sip_leg *leg = t->leg;

	if (leg->trickle != t)
		return NULL;
	return leg->ro.state == OF_REMOTE ? leg->ro.sdp : leg->remote_sdp;
}

static int seen_reset(struct sip_trickle *t, struct sdp_text generation)
{
	if (t->seen && strlen(t->seen->ufrag) == generation.n &&
	    !memcmp(t->seen->ufrag, generation.p, generation.n))
		return 0;
	t->seen = mem_deref(t->seen);
	return candidates_alloc(&t->seen, generation.p, generation.n);
}

/* Tells what is new in it, and takes it over. */
static int tell(struct sip_trickle *t, struct candidates *batch)
{
	struct leg_event ev = {.type = LEG_CANDIDATES};
	struct candidates *fresh = NULL;
	int err;

	err = candidates_join(t->seen, &fresh, batch,
			      t->leg->sip->core->config->limits.candidates);
	mem_deref(batch);
	if (fresh) {
		ev.candidates = fresh;
		call_leg_event(&t->leg->leg, &ev);
		mem_deref(fresh);
	}
	return err;
}

static bool text_is(struct sdp_text t, const char *s)
{
	return t.n == strlen(s) && !memcmp(t.p, s, t.n);
}

static struct sdp_text ufrag_of(const struct trickle_frag *f, size_t i)
{
	return f->mediav[f->v[i].media].ufrag;
}

/* One batch for each user fragment in a row; they may differ where nothing is bundled. */
static int tell_all(struct sip_trickle *t, const struct trickle_frag *f,
		    const struct sdp_ice *ice, struct sdp_text first)
{
	struct candidates *batch = NULL;
	int err = candidates_alloc(&batch, first.p, first.n);

	for (size_t i = 0; !err && i < f->n && t->leg; i++) {
		struct sdp_text u = ufrag_of(f, i);

		if (!sdp_ice_has_ufrag(ice, u.p, u.n))
			continue;
		if (!text_is(u, batch->ufrag)) {
			err = tell(t, batch);
			batch = NULL;
			if (err == ENOSPC)
				err = 0;
			err = err ? err : candidates_alloc(&batch, u.p, u.n);
		}
		err = err ? err : trickle_frag_candidate(batch, f, i);
	}
	if (!batch || err || !t->leg) {
		mem_deref(batch);
		return err;
	}
	batch->end = f->end;
	return tell(t, batch);
}

/* The first user fragment in it that the peer's description has; empty: it is of another generation. */
static struct sdp_text current(const struct trickle_frag *f, const struct sdp_ice *ice)
{
	for (unsigned i = 0; i < f->n_media; i++)
		if (sdp_ice_has_ufrag(ice, f->mediav[i].ufrag.p, f->mediav[i].ufrag.n))
			return f->mediav[i].ufrag;
	if (!f->n_media && sdp_ice_has_ufrag(ice, f->ufrag.p, f->ufrag.n))
		return f->ufrag;
	return (struct sdp_text){"", 0};
}

/* False: it belongs to nothing that is described. */
static bool take(struct sip_trickle *t, const struct trickle_frag *f)
{
	const struct body *sdp = described(t);
	struct sdp_text first = {"", 0};
	struct sdp_ice ice;
	int err;

	if (sdp) {
		sdp_ice_read(&ice, sdp->data, sdp->len);
		first = current(f, &ice);
	}
	if (!first.n)
		return false;
	err = seen_reset(t, sdp_ice_ufrag(&ice));
	err = err ? err : tell_all(t, f, &ice, first);
	if (err)
		log_debug(sip_leg_call(t->leg), "sip.trickle.dropped", "err=%d", err);
	return true;
}

void trickle_described(struct sip_trickle *t)
{
	struct trickle_frag f;
	struct body *early;
	const char *why;

	if (!t || !t->leg || !t->early)
		return;
	mem_ref(t);
	early = t->early;
	t->early = NULL;
	if (!trickle_frag_parse(&f, &why, early->data, early->len))
		take(t, &f);
	mem_deref(early);
	mem_deref(t);
}

static const char *info_package(const sip_t *s)
{
	for (const sip_unknown_t *un = s->sip_unknown; un; un = un->un_next)
		if (un->un_name && !strcasecmp(un->un_name, "Info-Package"))
			return un->un_value ? un->un_value : "";
	return NULL;
}

static bool is_package(const char *value)
{
	size_t n = strlen(TRICKLE_PACKAGE);

	return !strncasecmp(value, TRICKLE_PACKAGE, n) && strchr("; \t", value[n]);
}

/* 0, or the status of the refusal. */
static unsigned judge(struct refusal *r, struct trickle_frag *f,
		      const struct sip_trickle *t, const sip_t *s)
{
	const sip_content_type_t *type = s->sip_content_type;
	const char *why = "there is no body";

	if (!is_package(info_package(s))) {
		refusal_set(r, 469, "Bad Info Package",
			    "Of Info Packages only " TRICKLE_PACKAGE " is taken.");
		snprintf(r->header, sizeof(r->header), "Recv-Info: " TRICKLE_PACKAGE);
		return r->status;
	}
	if (!t)
		return refusal_set(r, 481, "Call/Transaction Does Not Exist",
				   "No such call is known here.");
	if (!type || strcasecmp(type->c_type, TRICKLE_TYPE) != 0) {
		refusal_set(r, 415, "Unsupported Media Type",
			    "The package " TRICKLE_PACKAGE " has bodies of " TRICKLE_TYPE
			    ".");
		snprintf(r->header, sizeof(r->header), "Accept: " TRICKLE_TYPE);
		return r->status;
	}
	if (!s->sip_payload || !s->sip_payload->pl_len ||
	    trickle_frag_parse(f, &why, s->sip_payload->pl_data, s->sip_payload->pl_len))
		return refusal_set(r, 400, "Bad Request",
				   "The candidates are unusable: %s.", why);
	return 0;
}

bool trickle_info(struct sip_trickle *t, struct sip *sip, const struct sip_hop *hop,
		  nta_incoming_t *irq, const sip_t *s)
{
	struct trickle_frag f;
	struct refusal r;

	if (!info_package(s))
		return false;
	if (judge(&r, &f, t, s)) {
		sip_refuse_with(sip, irq, &r);
		return true;
	}
	sip_reply(sip, irq, hop, 200, "OK", NULL, TAG_END());
	if (!t->leg) /* the call has no use for this fork any more */
		return true;
	mem_ref(t);
	log_debug(sip_leg_call(t->leg), "sip.trickle.in", "n=%zu end=%d peer=%s", f.n,
		  f.end, hop->domain);
	if (!take(t, &f)) { /* stale, or it has overtaken its description */
		mem_deref(t->early);
		t->early = NULL;
		if (body_alloc(&t->early, s->sip_payload->pl_data,
			       s->sip_payload->pl_len))
			log_warn(NULL, "sip.memory", "%s", "");
	}
	mem_deref(t);
	return true;
}
