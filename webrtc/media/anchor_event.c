/* webrtc/media/anchor_event.c - a key that is pressed, between clocks of 8000 and 48000.
 *
 * Pure, on its session's thread. Called by anchor.c. RFC 4733 §2.3 (the payload), §2.5.1.3 (long ones are sent
 * in segments: sixteen bits of duration end after 1.4 s at 48000), RFC 7160 §4.1 (one time line, whatever the
 * clock rate).
 *
 *      0 event │ 1 E R volume │ 2 duration 2            its RTP timestamp is when it, or its segment, began   */
#include "webrtc/media/anchor_own.h"

enum { PAYLOAD = 4, END = 0x80, SEGMENT = 0xffff, JOIN_MS = 60, NEAR_S = 10 };

/** Where on the other side's time line does it begin? */
static uint32_t begins(const struct anchor_flow *f, const struct media_type *in,
		       const struct media_type *out, uint32_t ts, uint64_t now_us)
{
	int32_t step = (int32_t)(ts - f->in_ts);
	int32_t near = (int32_t)(NEAR_S * f->clock);

	if (f->fresh || !f->clock || in->clock_rate != f->clock)
		return f->out_ts + anchor_elapsed(f, out->clock_rate, now_us);
	near += (int32_t)(anchor_elapsed(f, f->clock, now_us) & 0x3fffffff);
	if (step < -near || step > near)
		return f->out_ts + anchor_elapsed(f, out->clock_rate, now_us);
	return f->out_ts + (uint32_t)((int64_t)step * out->clock_rate / in->clock_rate);
}

/** The next segment of the same key begins where the one before ends. */
static bool continues(const struct anchor_event *e, uint8_t code, uint32_t ts,
		      uint32_t clock)
{
	int32_t off = (int32_t)(ts - e->in_ts - e->in_dur);
	int32_t room = (int32_t)(clock / 1000 * JOIN_MS);

	return e->on && !e->ended && e->code == code && e->in_dur && off <= room &&
	       off >= -room;
}

static void segment_take(struct anchor_flow *f, const struct media_type *in,
			 const struct media_type *out, uint8_t code, uint32_t ts,
			 uint64_t now_us)
{
	struct anchor_event *e = &f->event;

	if (e->on && e->in_ts == ts)
		return;
	if (continues(e, code, ts, in->clock_rate)) {
		e->acc += ts - e->in_ts;
		e->in_ts = ts;
		e->in_dur = 0;
		return;
	}
	*e = (struct anchor_event){
		.on = true,
		.code = code,
		.in_ts = ts,
		.out_ts = begins(f, in, out, ts, now_us),
	};
}

bool anchor_event(struct anchor_flow *f, const struct media_type *in,
		  const struct media_type *out, uint32_t ts, uint8_t *payload, size_t n,
		  uint64_t now_us, uint32_t *tsp)
{
	struct anchor_event *e = &f->event;
	uint16_t dur;
	uint64_t total;
	uint32_t number;
	bool end;

	if (n < PAYLOAD)
		return false;
	dur = be16(payload + 2);
	end = payload[1] & END;
	/* one that comes late, of a key before: its place is not known any more */
	if (e->on && (int32_t)(ts - e->in_ts) < 0)
		return false;
	segment_take(f, in, out, payload[0], ts, now_us);
	if (dur > e->in_dur)
		e->in_dur = dur;
	e->ended |= end;
	if (in->clock_rate == out->clock_rate) {
		*tsp = e->out_ts + e->acc;
		return true;
	}
	total = ((uint64_t)e->acc + dur) * out->clock_rate / in->clock_rate;
	number = total ? (uint32_t)((total - 1) / SEGMENT) : 0;
	if (number > e->segment && !end) { /* the one before is told to its end first */
		*tsp = e->out_ts + e->segment * SEGMENT;
		be16_put(payload + 2, SEGMENT);
		e->segment++;
		return true;
	}
	e->segment = number;
	*tsp = e->out_ts + number * SEGMENT;
	be16_put(payload + 2, (uint16_t)(total - (uint64_t)number * SEGMENT));
	return true;
}
