/* webrtc/media/plain.c - a side without ICE.
 *
 * A media thread's. Called by side.c, session.c and pass.c; calls latch.c, srtp.c, port.c. For a packet nothing is
 * allocated and nothing locked. RFC 3605 (a=rtcp), RFC 4568 §6 (keys), RFC 4961 (symmetric RTP), RFC 5761 (mux). */
#include "webrtc/media/plain.h"

#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/media/latch.h"
#include "webrtc/media/pass.h"
#include "webrtc/media/session_own.h"

/** One m= section. */
struct row {
	struct latch latch;
	bool mux, rtcp_learned;
	struct port_path rtp, rtcp; /**< where to; fd < 0: nowhere yet */
	struct media_sdes own, theirs;
	struct srtp *in, *out; /**< SDES; with DTLS they are the side's */
};

/* A party that is the client says hello as soon as it has answered: before the answer is here. Asterisk does, and
 * repeats itself after a second. A ClientHello is two datagrams at most. */
enum { EARLY_MAX = 4, EARLY_BYTES = 1500 };

/** Handshakes that came before the description, the last ones. */
struct early {
	size_t n; /**< how many there were */
	struct {
		struct port_path path;
		size_t n;
		uint8_t v[EARLY_BYTES];
	} datagramv[EARLY_MAX];
};

struct plain {
	size_t n_rows;
	bool expects; /**< its party is to be heard: nobody is on hold */
	struct row rowv[MEDIA_PLAIN_MAX];
	struct early *early; /**< NULL: none */
};

static void destructor(void *arg)
{
	struct plain *pl = arg;

	mem_deref(pl->early);
	for (size_t i = 0; i < MEDIA_PLAIN_MAX; i++) {
		mem_deref(pl->rowv[i].in);
		mem_deref(pl->rowv[i].out);
	}
	secret_wipe(pl, sizeof(*pl));
}

int plain_open(struct plain **pp, struct side *sd, const struct media_sdes *ownv)
{
	struct plain *pl = mem_zalloc(sizeof(*pl), destructor);

	if (!pl)
		return ENOMEM;
	pl->n_rows = sd->setup.reach == MEDIA_PLAIN ? sd->setup.n_plain : 1;
	for (size_t i = 0; i < pl->n_rows; i++) {
		pl->rowv[i].own = ownv[i];
		pl->rowv[i].rtp.fd = pl->rowv[i].rtcp.fd = -1;
	}
	*pp = pl;
	return 0;
}

bool plain_is(const struct side *sd)
{
	const struct media_remote *r = sd->told ? &sd->told->remote : NULL;

	if (sd->setup.reach == MEDIA_PLAIN)
		return true;
	return sd->plain && r && !*r->ufrag && r->n_plain;
}

/* ---- the description ---- */

/** By that socket of ours which speaks the family. */
static void path_set(struct port_path *path, const struct side *sd, unsigned row,
		     bool rtcp, const struct sa *to)
{
	memset(path, 0, sizeof(*path));
	path->fd = -1;
	path->peer = *to;
	for (size_t i = 0; i < sd->n_own; i++) {
		const struct port_own *o = &sd->ownv[i];

		if (o->row != row || o->rtcp != rtcp || o->af != sa_af(to))
			continue;
		path->fd = o->fd;
		path->own = o;
		return;
	}
}

static void rtcp_aim(struct row *w, const struct side *sd, unsigned row,
		     const struct sa *told)
{
	struct sa to = *told;

	w->rtcp_learned = false;
	if (!sa_isset(&to, SA_ALL)) {
		to = w->rtp.peer;
		sa_set_port(&to, (uint16_t)(sa_port(&to) + 1));
	}
	path_set(&w->rtcp, sd, row, true, &to);
}

static int keys_take(struct srtp **sp, const struct media_sdes *k)
{
	struct srtp *fresh = NULL;
	int err = srtp_alloc(&fresh, (enum srtp_suite)k->suite, k->key, k->salt);

	if (err)
		return err;
	mem_deref(*sp);
	*sp = fresh;
	return 0;
}

/** The same keys as before go on with their roll-over counters. */
static int sdes_take(struct row *w, const struct media_sdes *theirs)
{
	int err = 0;

	if (!theirs->suite || !memcmp(theirs, &w->theirs, sizeof(*theirs)))
		return 0;
	if (!w->out || theirs->suite != w->theirs.suite) {
		w->own.suite = theirs->suite;
		err = keys_take(&w->out, &w->own);
	}
	if (!err)
		err = keys_take(&w->in, theirs);
	if (!err)
		w->theirs = *theirs;
	return err;
}

static int row_remote(struct side *sd, unsigned row, const struct media_plain *told)
{
	struct row *w = &sd->plain->rowv[row];
	const struct sa *to;

	latch_describe(&w->latch, &told->rtp);
	to = latch_to(&w->latch);
	w->mux = told->rtcp_mux;
	if (to && (w->rtp.fd < 0 || !sa_cmp(&w->rtp.peer, to, SA_ALL))) {
		path_set(&w->rtp, sd, row, false, to);
		rtcp_aim(w, sd, row, &told->rtcp);
	}
	return sd->setup.crypt == MEDIA_SDES ? sdes_take(w, &told->sdes) : 0;
}

static bool ready(const struct side *sd)
{
	return sd->setup.crypt != MEDIA_DTLS || sd->plain->rowv[0].rtp.fd >= 0;
}

uint64_t plain_patience_ms(const struct side *sd, uint64_t now_ms)
{
	uint64_t silent_ms = now_ms - sd->heard_ms, most = sd->session->home->silence_ms;

	if (!most || !sd->plain->expects)
		return UINT64_MAX;
	return silent_ms >= most ? 0 : most - silent_ms;
}

/* ---- out ---- */

struct srtp *plain_out(const struct side *sd, unsigned row)
{
	if (sd->setup.crypt == MEDIA_DTLS)
		return row ? NULL : sd->out;
	return row < sd->plain->n_rows ? sd->plain->rowv[row].out : NULL;
}

void plain_send(struct side *sd, unsigned row, bool rtcp, const uint8_t *p, size_t n)
{
	struct row *w = &sd->plain->rowv[row];
	const struct port_path *path = rtcp && !w->mux ? &w->rtcp : &w->rtp;

	if (row < sd->plain->n_rows && path->fd >= 0)
		port_send(sd->session->home->port, path, p, n);
}

/* ---- in ---- */

static void moved(struct side *sd, struct row *w, const struct port_path *path)
{
	const struct sa none = {0};

	log_debug(sd->session->call, "media.latch", "side=%u row=%u state=%d", sd->index,
		  path->own->row, w->latch.state);
	w->rtp = *path;
	if (!w->rtcp_learned && !sa_cmp(&w->rtcp.peer, &path->peer, SA_ADDR))
		rtcp_aim(w, sd, path->own->row, &none);
}

static struct srtp *in_of(const struct side *sd, const struct row *w)
{
	return sd->setup.crypt == MEDIA_DTLS ? sd->in : w->in;
}

/** Is it the party's? Unprotects it. */
static bool rtp_proved(struct side *sd, struct row *w, const struct port_path *path,
		       uint8_t *p, size_t *n, uint64_t now_ms)
{
	struct session_counters *c = &sd->session->home->counters;
	bool other = false;

	if (sd->setup.crypt == MEDIA_CLEAR) {
		if (!latch_rtp(&w->latch, &path->peer, be32(p + 8), be16(p + 2), now_ms,
			       &other)) {
			c->n_foreign++;
			return false;
		}
	} else {
		struct srtp *in = in_of(sd, w);

		if (!in || srtp_open(in, p, n)) {
			c->n_refused++;
			return false;
		}
		other = latch_proved(&w->latch, &path->peer, now_ms);
	}
	if (other)
		moved(sd, w, path);
	return true;
}

static bool rtcp_proved(struct side *sd, struct row *w, const struct port_path *path,
			uint8_t *p, size_t *n)
{
	struct session_counters *c = &sd->session->home->counters;

	if (sd->setup.crypt == MEDIA_CLEAR) {
		if (!latch_rtcp(&w->latch, &path->peer)) {
			c->n_foreign++;
			return false;
		}
	} else {
		struct srtp *in = in_of(sd, w);

		if (!in || srtp_open_rtcp(in, p, n)) {
			c->n_refused++;
			return false;
		}
	}
	if (path->own->rtcp) {
		w->rtcp = *path;
		w->rtcp_learned = true;
	}
	return true;
}

/** A handshake comes from the described address; as long as that is silent, from the first other one: whose
 *  certificate it is, is asked anyway. */
static void dtls_take_from(struct side *sd, struct row *w, const struct port_path *path,
			   const uint8_t *p, size_t n)
{
	struct latch *l = &w->latch;
	bool described = sa_cmp(&l->described, &path->peer, SA_ALL);

	if (sd->state == MS_SHAKING && l->state != LATCH_FIXED &&
	    (described ||
	     (l->state == LATCH_OPEN && sa_isset(&l->described, SA_ALL) && !l->strict))) {
		latch_proved(l, &path->peer, session_now_ms(sd->session));
		w->rtp = *path;
	}
	if (sa_cmp(&w->rtp.peer, &path->peer, SA_ALL))
		side_dtls(sd, p, n);
}

static void early_hold(struct plain *pl, const struct port_path *path, const uint8_t *p,
		       size_t n)
{
	size_t i;

	if (n > EARLY_BYTES)
		return;
	if (!pl->early)
		pl->early = mem_zalloc(sizeof(*pl->early), NULL);
	if (!pl->early)
		return; /* it will be said again */
	i = pl->early->n++ % EARLY_MAX;
	pl->early->datagramv[i].path = *path;
	pl->early->datagramv[i].n = n;
	memcpy(pl->early->datagramv[i].v, p, n);
}

/** What came before it was known whose it is. */
static void early_take(struct side *sd)
{
	struct early *e = sd->plain->early;

	sd->plain->early = NULL;
	for (size_t k = 0; e && k < EARLY_MAX; k++) {
		size_t i = (e->n + k) % EARLY_MAX; /* the oldest first */

		if (e->datagramv[i].n)
			dtls_take_from(sd, &sd->plain->rowv[0], &e->datagramv[i].path,
				       e->datagramv[i].v, e->datagramv[i].n);
	}
	mem_deref(e);
}

int plain_remote(struct side *sd, const struct media_remote *r)
{
	struct plain *pl = sd->plain;
	int err = 0;

	pl->expects = false;
	for (size_t i = 0; i < r->n_streams; i++)
		pl->expects |= r->streamv[i].sends;
	for (unsigned i = 0; i < pl->n_rows && i < r->n_plain && !err; i++)
		err = row_remote(sd, i, &r->plainv[i]);
	sd->heard_ms = session_now_ms(sd->session); /* its patience begins anew */
	if (!err && ready(sd)) {
		side_event(sd, MS_CHECKED);
		early_take(sd);
	}
	return err;
}

void plain_take(struct side *sd, enum packet_kind kind, const struct port_path *path,
		uint8_t *p, size_t n)
{
	uint64_t now_us = timers_now_us(sd->session->home->timers);
	struct row *w = &sd->plain->rowv[path->own->row];

	if (sd->state == MS_OVER || path->own->row >= sd->plain->n_rows)
		return;
	switch (kind) {
	case PACKET_RTP:
		if (path->own->rtcp || !rtp_proved(sd, w, path, p, &n, now_us / 1000))
			return;
		sd->heard_ms = now_us / 1000;
		pass_rtp(sd, path->own->row, p, n, now_us);
		break;
	case PACKET_RTCP:
		if (!rtcp_proved(sd, w, path, p, &n))
			return;
		sd->heard_ms = now_us / 1000;
		pass_rtcp(sd, p, n, now_us);
		break;
	case PACKET_DTLS:
		if (sd->setup.crypt != MEDIA_DTLS || path->own->row || path->own->rtcp)
			break;
		if (sd->state == MS_CHECKING)
			early_hold(sd->plain, path, p, n);
		else
			dtls_take_from(sd, w, path, p, n);
		break;
	case PACKET_STUN:
	case PACKET_OTHER:
		break;
	}
}
