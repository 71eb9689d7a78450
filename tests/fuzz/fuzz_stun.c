/* tests/fuzz/fuzz_stun.c - a datagram that may be a Binding request: read, judged, answered; or a response; or what a
 * relay would let through; or a candidate. */
#include "webrtc/media/binding.h"
#include "webrtc/media/ice_candidate.h"
#include "webrtc/media/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What is let through does not step past its end, and is of the kind that its first byte says. */
static void relayed(const uint8_t *data, size_t size)
{
	enum packet_kind kind = packet_kind(data, size);

	if (relay_shape_ok(kind, data, size) &&
	    (kind == PACKET_STUN || kind == PACKET_OTHER))
		abort();
}

static void candidate(const uint8_t *data, size_t size)
{
	struct media_candidate c;
	char *line = base_dup(data, size);

	if (line && ice_candidate_read(&c, line, false) &&
	    (sa_is_loopback(&c.addr) || sa_is_any(&c.addr) || !sa_port(&c.addr)))
		abort();
	mem_deref(line);
}

static void reply(struct binding_codec *codec, const uint8_t *data, size_t size)
{
	struct binding_reply r;

	if (binding_reply_read(&r, codec, data, size))
		return;
	(void)binding_reply_proved(&r, "theirpasswordtheirpasswo");
	mem_deref(r.msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char pwd[] = "ourpasswordourpassword12";
	static struct binding_codec codec;
	uint8_t out[BINDING_ANSWER_MAX];
	struct binding b;
	struct sa sa;
	size_t n;

	if (!codec.in && binding_codec_init(&codec))
		abort();
	if (size)
		relayed(data, size);
	candidate(data, size);
	reply(&codec, data, size);
	if (packet_kind(data, size) != PACKET_STUN ||
	    binding_read(&b, &codec, data, size))
		return 0;
	(void)binding_proved(&b, pwd);
	sa_set_str(&sa, "2001:db8::7", 65535);
	n = binding_answer(out, &codec, &b, NULL, &sa);
	/* no amplifier: 2.5 times what was asked at most (case 54) */
	if (!n || 2 * n > 5 * size)
		abort();
	if (!binding_answer(out, &codec, &b, pwd, &sa) ||
	    !binding_refuse(out, &codec, &b, pwd, 420) ||
	    !binding_refuse(out, &codec, &b, pwd, 487))
		abort();
	mem_deref(b.msg);
	return 0;
}
