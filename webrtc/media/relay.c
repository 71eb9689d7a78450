/* webrtc/media/relay.c - the judge of relayed packets.
 *
 * Pure, on its session's thread. Called by session.c; calls packet.c. RFC 6347 §4.1 and RFC 9147 §4 (records),
 * RFC 3711 §3.1, §3.4 (SRTP and SRTCP), RFC 5764 §5.1.2 (they share a port). */
#include "webrtc/media/relay.h"

enum {
	HELD_MAX =
		8, /* datagrams of a flight: a ClientHello is two, a server's first flight four */
	HELD_BYTES = 1500,
	FLIGHT_GAP_US = 30000, /* what comes later is another flight, or the same again */

	RECORD_HEAD = 13,
	TYPE_CIPHER = 20,
	TYPE_DATA = 23,
	TYPE_ACK = 26,  /* RFC 9147 §7 */
	UNIFIED = 0x20, /* 001CSLEE (RFC 9147 §4) */
	UNIFIED_MASK = 0xe0,
	UNIFIED_CID = 0x10,
	UNIFIED_SEQ16 = 0x08,
	UNIFIED_LENGTH = 0x04,
	UNIFIED_BYTES =
		16, /* encrypted, at least: its sequence number's mask is made of them */

	SRTP_TAG_MIN = 4, /* of the shortest suite browsers offer */
	SRTCP_HEAD = 8,
	SRTCP_TAIL = 14, /* index and the shortest tag */
	RTCP_TYPE_MIN = 200,
	RTCP_TYPE_MAX = 213,
};

/** A second's worth of tokens: bits, and packets in thousandths. */
struct bucket {
	uint64_t at_us, bits, millis;
};

struct held {
	uint64_t at_us;
	size_t n, next;
	uint16_t lenv[HELD_MAX];
	uint8_t v[HELD_MAX][HELD_BYTES];
};

/** One direction. */
struct flow {
	struct bucket bucket;
	struct held *held;
};

struct relay {
	struct media_caps caps;
	struct flow flowv[MEDIA_SIDES]; /**< by the side that it comes from */
};

static void destructor(void *arg)
{
	struct relay *r = arg;

	for (size_t i = 0; i < MEDIA_SIDES; i++)
		mem_deref(r->flowv[i].held);
}

int relay_alloc(struct relay **rp, const struct media_caps *caps)
{
	struct relay *r = mem_zalloc(sizeof(*r), destructor);

	if (!r)
		return ENOMEM;
	r->caps = *caps;
	*rp = r;
	return 0;
}

/* ---- shapes ---- */

/** Bytes of the record that begins here; 0: none. */
static size_t record_bytes(const uint8_t *p, size_t n)
{
	size_t head;

	if ((p[0] & UNIFIED_MASK) == UNIFIED) {
		if (p[0] & UNIFIED_CID)
			return 0;
		head = p[0] & UNIFIED_SEQ16 ? 3 : 2;
		if (!(p[0] & UNIFIED_LENGTH))
			return n >= head + UNIFIED_BYTES ? n : 0;
		if (n < head + 2 || be16(p + head) < UNIFIED_BYTES)
			return 0;
		return head + 2 + be16(p + head);
	}
	if (n <= RECORD_HEAD || p[0] < TYPE_CIPHER ||
	    (p[0] > TYPE_DATA && p[0] != TYPE_ACK) || p[1] != 0xfe ||
	    (p[2] != 0xff && p[2] != 0xfd) || !be16(p + 11))
		return 0;
	return RECORD_HEAD + (size_t)be16(p + 11);
}

static bool dtls_ok(const uint8_t *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t record = record_bytes(p + at, n - at);

		if (!record || record > n - at)
			return false;
		at += record;
	}
	return true;
}

static bool srtcp_ok(const uint8_t *p, size_t n)
{
	return rtcp_header_ok(p, n) && n >= SRTCP_HEAD + SRTCP_TAIL &&
	       p[1] >= RTCP_TYPE_MIN && p[1] <= RTCP_TYPE_MAX &&
	       (size_t)4 * (be16(p + 2) + 1u) <= n - SRTCP_TAIL;
}

bool relay_shape_ok(enum packet_kind kind, const uint8_t *p, size_t n)
{
	struct rtp_header h;

	switch (kind) {
	case PACKET_DTLS:
		return dtls_ok(p, n);
	case PACKET_RTP:
		return !rtp_header_read(&h, p, n) && n >= h.n_bytes + SRTP_TAG_MIN;
	case PACKET_RTCP:
		return srtcp_ok(p, n);
	case PACKET_STUN: /* ICE ends here */
	case PACKET_OTHER:
		break;
	}
	return false;
}

/* ---- caps ---- */

static void refill(struct bucket *b, const struct media_caps *caps, uint64_t now_us)
{
	uint64_t us = now_us - b->at_us, full_bits = 1000ull * caps->kbps,
		 full_millis = 1000ull * caps->packets;

	if (!b->at_us || us > 1000000)
		us = 1000000;
	b->at_us = now_us;
	b->bits += us * caps->kbps / 1000;
	b->millis += us * caps->packets / 1000;
	if (b->bits > full_bits)
		b->bits = full_bits;
	if (b->millis > full_millis)
		b->millis = full_millis;
}

static bool within(struct bucket *b, const struct media_caps *caps, size_t n,
		   uint64_t now_us)
{
	/* a fraction of a token is not lost: less than that, and the clock waits */
	if (now_us - b->at_us >= 1000)
		refill(b, caps, now_us);
	if ((caps->kbps && b->bits < 8 * n) || (caps->packets && b->millis < 1000))
		return false;
	b->bits -= caps->kbps ? 8 * n : 0;
	b->millis -= caps->packets ? 1000 : 0;
	return true;
}

/* ---- the flight that is held ---- */

static enum relay_verdict hold(struct flow *f, const uint8_t *p, size_t n,
			       uint64_t now_us)
{
	struct held *h = f->held;

	if (!h)
		h = f->held = mem_zalloc(sizeof(*h), NULL);
	if (!h || n > HELD_BYTES)
		return RELAY_EARLY;
	if (now_us - h->at_us > FLIGHT_GAP_US || h->n == HELD_MAX)
		h->n = 0;
	h->at_us = now_us;
	h->lenv[h->n] = (uint16_t)n;
	memcpy(h->v[h->n++], p, n);
	return RELAY_HELD;
}

const uint8_t *relay_next(struct relay *r, unsigned to, size_t *np)
{
	struct flow *f = &r->flowv[!to];
	struct held *h = f->held;

	if (!h)
		return NULL;
	if (h->next == h->n) {
		f->held = mem_deref(h);
		return NULL;
	}
	*np = h->lenv[h->next];
	return h->v[h->next++];
}

enum relay_verdict relay_take(struct relay *r, unsigned from, bool there,
			      enum packet_kind kind, const uint8_t *p, size_t n,
			      uint64_t now_us)
{
	struct flow *f = &r->flowv[from];

	if (!relay_shape_ok(kind, p, n))
		return RELAY_SHAPE;
	if (!within(&f->bucket, &r->caps, n, now_us))
		return RELAY_OVER;
	if (there)
		return RELAY_PASS;
	return kind == PACKET_DTLS ? hold(f, p, n, now_us) : RELAY_EARLY;
}
