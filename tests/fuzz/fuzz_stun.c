/* tests/fuzz/fuzz_stun.c - a datagram that may be a Binding request: read, judged, answered. */
#include "webrtc/media/binding.h"
#include "webrtc/media/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
