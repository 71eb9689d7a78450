/* webrtc/media/side_dtls.c - a side's DTLS: from the hello to the keys, and the same again.
 *
 * A media thread's. Called by side.c, session.c and plain.c; calls dtls.c, srtp.c and port.c. RFC 5764 §5.1.1 (what is
 * read when), RFC 6347 §4.2.8 (a client that begins anew on the same addresses).
 *
 * Asterisk begins anew when a call is put on hold (re-INVITE with a=setup:actpass), whatever it says of that
 * (a=connection:existing). The old keys serve until the same certificate has been shown again. */
#include "lib/log.h"
#include "lib/secret.h"
#include "webrtc/media/session_own.h"

/* Longer than all repeats of a handshake last; until then one more hello of somebody's changes nothing. */
enum { AGAIN_MS = 10000 };

static void dtls_send(const uint8_t *p, size_t n, void *arg)
{
	struct side *sd = arg;
	uint8_t *copy;

	if (n > PORT_PACKET)
		return;
	copy = port_scratch(sd->session->home->port);
	memcpy(copy, p, n);
	side_send(sd, copy, n);
}

static int begin(struct dtls **dp, struct side *sd, bool client)
{
	return dtls_alloc(dp, sd->session->home->dtls, client, &sd->told->remote,
			  dtls_send, sd);
}

/** Those of before end only when there are others. */
static int keys_begin(struct side *sd, struct dtls *d)
{
	struct srtp *in = NULL, *out = NULL;
	struct dtls_keys k;
	int err = dtls_keys_take(&k, d);

	if (!err)
		err = srtp_alloc(&in, k.suite, k.key_in, k.salt_in);
	if (!err)
		err = srtp_alloc(&out, k.suite, k.key_out, k.salt_out);
	if (err) {
		mem_deref(in);
	} else {
		log_debug(sd->session->call, "media.keys", "side=%u suite=%s", sd->index,
			  srtp_suite_name(k.suite));
		mem_deref(sd->in);
		mem_deref(sd->out);
		sd->in = in;
		sd->out = out;
	}
	secret_wipe(&k, sizeof(k));
	return err;
}

static void on_dtls_timer(void *arg);

static void timer_follow(struct side *sd)
{
	uint64_t ms = dtls_next_ms(sd->dtls_again ? sd->dtls_again : sd->dtls);

	if (ms == UINT64_MAX)
		timer_cancel(&sd->dtls_timer);
	else
		side_timer(sd, &sd->dtls_timer, ms, on_dtls_timer);
}

static void step(struct side *sd, enum dtls_state state)
{
	timer_follow(sd);
	if (sd->state != MS_SHAKING)
		return;
	if (state == DTLS_FOREIGN)
		side_event(sd, MS_FOREIGN);
	else if (state == DTLS_DONE && keys_begin(sd, sd->dtls))
		side_event(sd, MS_BROKEN);
	else if (state == DTLS_DONE) {
		side_event(sd, MS_KEYS);
		side_on_life(sd);
	}
}

/** What becomes of the second handshake never ends the first. */
static void step_again(struct side *sd, enum dtls_state state)
{
	bool late = session_now_ms(sd->session) - sd->again_ms >= AGAIN_MS;

	if (state == DTLS_DONE && !keys_begin(sd, sd->dtls_again)) {
		mem_deref(sd->dtls);
		sd->dtls = sd->dtls_again; /* repeats its last flight */
		sd->dtls_again = NULL;
	} else if (state != DTLS_SHAKING || late) {
		log_debug(sd->session->call, "media.again", "side=%u failed", sd->index);
		sd->dtls_again = mem_deref(sd->dtls_again);
	}
	timer_follow(sd);
}

static void on_dtls_timer(void *arg)
{
	struct side *sd = arg;
	uint64_t now_ms = session_now_ms(sd->session);

	if (sd->dtls_again)
		step_again(sd, dtls_tick(sd->dtls_again, now_ms));
	else
		step(sd, dtls_tick(sd->dtls, now_ms));
	port_flush(sd->session->home->port);
}

void side_dtls_begin(struct side *sd)
{
	bool client = sd->setup.dtls_client || sd->told->remote.dtls_server;

	if (begin(&sd->dtls, sd, client))
		side_event(sd, MS_BROKEN);
	else if (client) /* who hears says hello */
		step(sd, dtls_tick(sd->dtls, session_now_ms(sd->session)));
}

void side_dtls(struct side *sd, const uint8_t *p, size_t n)
{
	uint64_t now_ms = session_now_ms(sd->session);

	if (!sd->dtls)
		return;
	if (sd->state == MS_UP && !sd->dtls_again && dtls_is_anew(sd->dtls, p, n) &&
	    !begin(&sd->dtls_again, sd, false))
		sd->again_ms = now_ms;
	if (sd->dtls_again)
		step_again(sd, dtls_take(sd->dtls_again, p, n, now_ms));
	else
		step(sd, dtls_take(sd->dtls, p, n, now_ms));
}
