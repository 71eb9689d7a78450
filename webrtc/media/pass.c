/* webrtc/media/pass.c - packets from one side of an anchored session to the other.
 *
 * A media thread's. Called by session.c (browsers) and plain.c once a packet is proved and open; calls anchor.c,
 * srtp.c to protect it for the other side, plain.c and side.c to send it. Nothing is allocated, nothing locked. */
#include "webrtc/media/pass.h"

#include "webrtc/media/plain.h"
#include "webrtc/media/session_own.h"

/** What protects what goes out on a side in its stream `k`. False: it cannot go yet. */
static bool out_of(struct srtp **outp, const struct side *sd, unsigned row)
{
	if (sd->state != MS_UP)
		return false;
	*outp = plain_is(sd) ? plain_out(sd, row) : sd->out;
	return *outp || sd->setup.crypt == MEDIA_CLEAR;
}

static unsigned row_of(const struct side *sd, unsigned k)
{
	return plain_is(sd) && sd->told ? sd->told->remote.streamv[k].plain : 0;
}

static void send_on(struct side *sd, unsigned row, bool rtcp, const uint8_t *p, size_t n)
{
	if (plain_is(sd))
		plain_send(sd, row, rtcp, p, n);
	else
		side_send(sd, p, n);
}

/** Reports and feedback that are due, to both. */
static void tell_both(struct session *s, uint64_t now_us)
{
	for (unsigned i = 0; i < s->n_sides; i++) {
		struct side *sd = &s->sidev[i];
		unsigned k;

		for (;;) {
			uint8_t *p = port_scratch(s->home->port);
			size_t n = anchor_rtcp_next(s->anchor, i, &k, p, now_us);
			struct srtp *out;

			if (!n)
				break;
			if (out_of(&out, sd, row_of(sd, k)) &&
			    (!out || !srtp_seal_rtcp(out, p, &n)))
				send_on(sd, row_of(sd, k), true, p, n);
		}
	}
}

void pass_rtp(struct side *sd, int section, uint8_t *p, size_t n, uint64_t now_us)
{
	struct session *s = sd->session;
	struct side *to = &s->sidev[!sd->index];
	struct srtp *out;
	unsigned row;
	int k;

	s->home->counters.n_rtp_in++;
	k = anchor_rtp(s->anchor, sd->index, section, p, &n, now_us);
	if (k >= 0) {
		row = row_of(to, (unsigned)k);
		if (out_of(&out, to, row) && (!out || !srtp_seal(out, p, &n))) {
			s->home->counters.n_rtp_out++;
			send_on(to, row, false, p, n);
		}
	}
	if (anchor_rtcp_waits(s->anchor))
		tell_both(s, now_us);
}

void pass_rtcp(struct side *sd, const uint8_t *p, size_t n, uint64_t now_us)
{
	struct session *s = sd->session;

	anchor_rtcp(s->anchor, sd->index, p, n, now_us);
	if (anchor_rtcp_waits(s->anchor))
		tell_both(s, now_us);
}
