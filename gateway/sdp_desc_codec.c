/* gateway/sdp_desc_codec.c - the codecs that pass through an anchor, and what a section says of them.
 *
 * Pure. Called by sdp_desc.c and sdp_anchor*.c. RFC 3551 §6 (fixed payload types), RFC 6184 §8.1 (H264), RFC 7587 §7
 * (opus), RFC 4733 §2.5 (telephone-event), RFC 3389 (comfort noise), RFC 4585 §4.2 (rtcp-fb). */
#include "gateway/sdp_desc_own.h"

static const struct sdp_codec_kind kinds[SDP_CODEC_N] = {
	[SDP_OPUS] = {SDP_AUDIO, "opus", 48000, 2, -1, false},
	[SDP_G722] = {SDP_AUDIO, "G722", 8000, 0, 9, false},
	[SDP_PCMU] = {SDP_AUDIO, "PCMU", 8000, 0, 0, false},
	[SDP_PCMA] = {SDP_AUDIO, "PCMA", 8000, 0, 8, false},
	[SDP_VP8] = {SDP_VIDEO, "VP8", 90000, 0, -1, false},
	[SDP_H264] = {SDP_VIDEO, "H264", 90000, 0, -1, false},
	[SDP_CN] = {SDP_AUDIO, "CN", 8000, 0, 13, true},
	[SDP_EVENT_8000] = {SDP_AUDIO, "telephone-event", 8000, 0, -1, true},
	[SDP_EVENT_48000] = {SDP_AUDIO, "telephone-event", 48000, 0, -1, true},
};

const struct sdp_codec_kind *sdp_codec_kind(enum sdp_codec_id id)
{
	return &kinds[id];
}

void sdp_desc_format(struct sdp_formats *f, struct sdp_text name, struct sdp_text v)
{
	static const struct {
		const char *name;
		enum sdp_fb bit;
	} fbs[] = {{"nack", SDP_FB_NACK},
		   {"nack pli", SDP_FB_PLI},
		   {"ccm fir", SDP_FB_FIR},
		   {"goog-remb", SDP_FB_REMB}};
	bool map = sdp_text_is(name, "rtpmap"), fmtp = sdp_text_is(name, "fmtp");
	struct sdp_text pt_text;
	uint8_t *fb;
	int pt;

	if (!map && !fmtp && !sdp_text_is(name, "rtcp-fb"))
		return;
	pt_text = sdp_word(&v, ' ');
	pt = sdp_number(pt_text, SDP_PTS - 1);
	if (map || fmtp) {
		if (pt < 0)
			return;
		if (map && !f->rtpmapv[pt].p)
			f->rtpmapv[pt] = v;
		else if (fmtp && !f->fmtpv[pt].p)
			f->fmtpv[pt] = v;
		return;
	}
	if (pt < 0 && !sdp_text_is(pt_text, "*"))
		return;
	fb = pt < 0 ? &f->fb_all : &f->fbv[pt];
	for (size_t i = 0; i < N_ELEMS(fbs); i++)
		if (sdp_text_is(v, fbs[i].name))
			*fb |= (uint8_t)fbs[i].bit;
}

/** "opus/48000/2", or nothing for a fixed payload type. Gives SDP_CODEC_N for what is not known. */
static enum sdp_codec_id codec_id(enum sdp_kind kind, int pt, struct sdp_text map)
{
	bool mapped = map.p != NULL;
	struct sdp_text name = sdp_word(&map, '/'), clock = sdp_word(&map, '/');
	int rate = sdp_number(clock, 999999), channels = map.n ? sdp_number(map, 99) : 0;

	for (unsigned i = 0; i < SDP_CODEC_N; i++) {
		const struct sdp_codec_kind *k = &kinds[i];

		if (k->kind != kind)
			continue;
		if (mapped ? sdp_text_is_ci(name, k->name) &&
				     rate == (int)k->clock_rate &&
				     (k->channels ? channels == (int)k->channels
						  : channels == 0 || channels == 1)
			   : k->fixed == pt)
			return (enum sdp_codec_id)i;
	}
	return SDP_CODEC_N;
}

/** The value of NAME in "NAME=value;NAME=value". */
static bool parameter(struct sdp_text *value, struct sdp_text fmtp, const char *name)
{
	while (fmtp.n) {
		struct sdp_text one = sdp_word(&fmtp, ';'), key;

		while (one.n && one.p[0] == ' ') {
			one.p++;
			one.n--;
		}
		key = sdp_word(&one, '=');
		if (sdp_text_is_ci(key, name)) {
			*value = one;
			return true;
		}
	}
	return false;
}

/** Level apart, two of them must be alike (RFC 6184 §8.2.2); baseline where nothing is said. */
static bool h264_read(struct sdp_codec *c)
{
	struct sdp_text v;
	struct pl hex;

	c->mode = 0;
	c->profile = 0x4200;
	if (parameter(&v, c->fmtp, "packetization-mode")) {
		int mode = sdp_number(v, 2);

		if (mode < 0 || mode > 1)
			return false; /* interleaved: no browser has it */
		c->mode = (uint8_t)mode;
	}
	if (parameter(&v, c->fmtp, "profile-level-id")) {
		if (v.n != 6)
			return false;
		hex = (struct pl){v.p, 4};
		c->profile = (uint16_t)pl_x32(&hex);
	}
	return true;
}

void sdp_desc_codecs(struct sdp_section *s, const struct sdp_formats *f)
{
	struct sdp_text list = f->list;
	bool seen[SDP_PTS] = {false};

	if (s->kind == SDP_OTHER || s->profile == SDP_PROFILE_OTHER)
		return;
	while (list.n && s->n_codecs < SDP_DESC_CODECS_MAX) {
		int pt = sdp_number(sdp_word(&list, ' '), SDP_PTS - 1);
		struct sdp_codec c = {.pt = (uint8_t)pt};
		uint8_t fb;

		if (pt < 0 || seen[pt])
			continue;
		seen[pt] = true;
		c.id = codec_id(s->kind, pt, f->rtpmapv[pt]);
		c.fmtp = f->fmtpv[pt];
		if (c.id == SDP_CODEC_N || c.fmtp.n > SDP_FMTP_MAX ||
		    (c.id == SDP_H264 && !h264_read(&c)))
			continue;
		fb = f->fbv[pt] | f->fb_all;
		c.nack = fb & SDP_FB_NACK;
		c.pli = fb & SDP_FB_PLI;
		c.fir = fb & SDP_FB_FIR;
		c.remb = fb & SDP_FB_REMB;
		s->codecv[s->n_codecs++] = c;
	}
}

bool sdp_desc_fingerprint(struct sdp_section *s, struct sdp_text v)
{
	struct media_fingerprint f = {0};
	struct sdp_text hash = sdp_word(&v, ' ');
	size_t bytes = sdp_text_is_ci(hash, "sha-256")   ? 32
		       : sdp_text_is_ci(hash, "sha-384") ? 48
		       : sdp_text_is_ci(hash, "sha-512") ? 64
							 : 0;

	if (!bytes || v.n != 3 * bytes - 1)
		return false;
	for (size_t i = 0; i < bytes; i++) {
		struct pl digits = {v.p + 3 * i, 2};

		for (unsigned k = 0; k < 2; k++) {
			char c = digits.p[k], l = (char)(c | 0x20);

			if (!(c >= '0' && c <= '9') && !(l >= 'a' && l <= 'f'))
				return false;
		}
		if (i + 1 < bytes && v.p[3 * i + 2] != ':')
			return false;
		f.v[i] = (uint8_t)pl_x32(&digits);
	}
	f.n_bytes = (uint8_t)bytes;
	if (s->n_fingerprints < MEDIA_FINGERPRINTS_MAX)
		s->fingerprintv[s->n_fingerprints++] = f;
	return true;
}
