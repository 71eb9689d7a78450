/* tests/unit/webrtc/test_media_srtp.c - SRTP and SRTCP: the RFCs' vectors, libsrtp2 bit for bit, replay, roll-over.
 *
 *   ours ──protect──► same bytes as libsrtp2's ──► unprotect by the other one */
#include "webrtc/media/packet.h"
#include "webrtc/media/srtp_own.h"

#include "lib/secret.h"

#include <setjmp.h>
#include <cmocka.h>
#include <srtp2/srtp.h>

static const enum srtp_suite suites[] = {
	SRTP_SUITE_AES_CM_128_HMAC_SHA1_80,
	SRTP_SUITE_AES_CM_128_HMAC_SHA1_32,
	SRTP_SUITE_AES_128_GCM,
	SRTP_SUITE_AES_256_GCM,
};

static uint8_t master[SRTP_KEY_MAX + SRTP_SALT_MAX];

static struct srtp *ours(enum srtp_suite suite)
{
	struct srtp *s;

	assert_int_equal(srtp_alloc(&s, suite, master, master + srtp_key_bytes(suite)),
			 0);
	return s;
}

static srtp_t theirs(enum srtp_suite suite, srtp_ssrc_type_t dir)
{
	srtp_policy_t policy = {.key = master, .window_size = 128, .allow_repeat_tx = 1};
	srtp_t s;

	policy.ssrc.type = dir;
	if (suite == SRTP_SUITE_AES_CM_128_HMAC_SHA1_80) {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	} else if (suite == SRTP_SUITE_AES_CM_128_HMAC_SHA1_32) {
		/* RFC 5764 §4.1.2: a short tag for RTP, the long one for RTCP */
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	} else if (suite == SRTP_SUITE_AES_128_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
	}
	assert_int_equal(srtp_create(&s, &policy), srtp_err_status_ok);
	return s;
}

/** A packet with this sequence number; now and then with CSRCs and an extension. */
static size_t packet_make(uint8_t *p, uint16_t seq, uint32_t ssrc)
{
	size_t n = RTP_HEADER;
	unsigned csrcs = secret_u64() % 4, payload = secret_u64() % 1200;
	bool ext = secret_u64() & 1;

	memset(p, 0, RTP_HEADER);
	p[0] = (uint8_t)(0x80 | (ext ? 0x10 : 0) | csrcs);
	p[1] = 111;
	rtp_seq_set(p, seq);
	rtp_ts_set(p, seq * 960u);
	rtp_ssrc_set(p, ssrc);
	secret_random(p + n, 4 * csrcs);
	n += 4 * csrcs;
	if (ext) {
		be16_put(p + n, 0xbede);
		be16_put(p + n + 2, 1);
		memcpy(p + n + 4,
		       "\x40"
		       "0\0\0",
		       4);
		n += 8;
	}
	secret_random(p + n, payload);
	return n + payload;
}

static void rfc_3711_appendix_b(void **state)
{
	static const uint8_t key[] = {0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0,
				      0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39};
	static const uint8_t salt[] = {0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe,
				       0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6};
	static const uint8_t session_salt[] = {0x30, 0xcb, 0xbc, 0x08, 0x86, 0x3d, 0x8c,
					       0x85, 0xd4, 0x9d, 0xb3, 0x4a, 0x9a, 0xe1};
	static const uint8_t session_key[] = {0xc6, 0x1e, 0x7a, 0x93, 0x74, 0x4f,
					      0x39, 0xee, 0x10, 0x73, 0x4a, 0xfe,
					      0x3f, 0xf7, 0xa0, 0x87};
	static const uint8_t zero[16] = {0};
	struct srtp *s;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t mine[16], want[16];
	int len;

	assert_int_equal(srtp_alloc(&s, SRTP_SUITE_AES_CM_128_HMAC_SHA1_80, key, salt),
			 0);
	assert_memory_equal(s->rtp.salt, session_salt, sizeof(session_salt)); /* B.3 */
	/* the derived key, by what it makes of the same counter block */
	memset(mine, 0, sizeof(mine));
	memset(want, 0, sizeof(want));
	EVP_EncryptInit_ex(s->rtp.cipher, NULL, NULL, NULL, zero);
	EVP_EncryptUpdate(s->rtp.cipher, mine, &len, mine, 16);
	EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, session_key, zero);
	EVP_EncryptUpdate(c, want, &len, want, 16);
	assert_memory_equal(mine, want, 16);
	EVP_CIPHER_CTX_free(c);
	mem_deref(s);
}

static void rfc_7714_section_16(void **state)
{
	static const char plain[] = "\x80\x40\xf1\x7b\x80\x41\xf8\xd3\x55\x01\xa0\xb2"
				    "Gallia est omnis divisa in partes tres";
	static const uint8_t want[] = {
		0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41, 0xf8, 0xd3, 0x55, 0x01, 0xa0,
		0xb2, 0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba,
		0x86, 0x1c, 0x9d, 0x7e, 0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d,
		0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a, 0x51, 0xc7, 0xd1, 0x9b,
		0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27, 0xbe,
		0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
	struct srtp *s = ours(SRTP_SUITE_AES_128_GCM);
	uint8_t p[256], key[16];
	size_t n = sizeof(plain) - 1;

	/* the vector names the session's key and salt, not the master's */
	for (unsigned i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	memcpy(s->rtp.salt, "Quid pro quo", 12);
	assert_int_equal(EVP_CipherInit_ex(s->rtp.cipher, NULL, NULL, key, NULL, 1), 1);
	memcpy(p, plain, n);
	assert_int_equal(srtp_seal(s, p, &n), 0);
	assert_int_equal(n, sizeof(want));
	assert_memory_equal(p, want, n);
	mem_deref(s);
}

static void bit_for_bit_as_libsrtp2(void **state)
{
	uint8_t p[1600], q[1600], plain[1600];

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		struct srtp *out = ours(suites[i]), *in = ours(suites[i]);
		srtp_t t_out = theirs(suites[i], ssrc_any_outbound);
		srtp_t t_in = theirs(suites[i], ssrc_any_inbound);
		uint16_t seq = 65000; /* it rolls over on the way */

		for (unsigned k = 0; k < 2000; k++) {
			size_t n = packet_make(p, seq, 1 + k % 3), n_plain = n, m = n;
			int len = (int)n;

			memcpy(q, p, n);
			memcpy(plain, p, n);
			assert_int_equal(srtp_seal(out, p, &n), 0);
			assert_int_equal(srtp_protect_mki(t_out, q, &len, 0, 0), 0);
			assert_int_equal(n, len);
			assert_memory_equal(p, q, n);
			/* theirs by ours, ours by theirs */
			m = n;
			assert_int_equal(srtp_open(in, q, &m), 0);
			assert_int_equal(m, n_plain);
			assert_memory_equal(q, plain, m);
			len = (int)n;
			assert_int_equal(srtp_unprotect_mki(t_in, p, &len, 0),
					 srtp_err_status_ok);
			seq = (uint16_t)(seq + 1 + secret_u64() % 3);
		}
		srtp_dealloc(t_out);
		srtp_dealloc(t_in);
		mem_deref(out);
		mem_deref(in);
	}
}

static void rtcp_bit_for_bit_as_libsrtp2(void **state)
{
	uint8_t p[1600], q[1600], plain[1600];

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		struct srtp *out = ours(suites[i]), *in = ours(suites[i]);
		srtp_t t_out = theirs(suites[i], ssrc_any_outbound);

		for (unsigned k = 0; k < 500; k++) {
			size_t n = 8 + 4 * (secret_u64() % 200), n_plain = n;
			int len = (int)n;

			secret_random(p, n);
			p[0] = 0x80;
			p[1] = 200 + k % 7;
			be32_put(p + 4, 7);
			memcpy(q, p, n);
			memcpy(plain, p, n);
			assert_int_equal(srtp_seal_rtcp(out, p, &n), 0);
			assert_int_equal(srtp_protect_rtcp_mki(t_out, q, &len, 0, 0), 0);
			assert_int_equal(n, len);
			assert_memory_equal(p, q, n);
			assert_int_equal(srtp_open_rtcp(in, p, &n), 0);
			assert_int_equal(n, n_plain);
			assert_memory_equal(p, plain, n);
			n = (size_t)len;
			assert_int_equal(srtp_open_rtcp(in, q, &n), EALREADY);
		}
		srtp_dealloc(t_out);
		mem_deref(out);
		mem_deref(in);
	}
}

/** Protects a packet with `seq` and hands it to `in`. */
static int pass(struct srtp *out, struct srtp *in, uint16_t seq)
{
	uint8_t p[1600];
	size_t n = packet_make(p, seq, 9);

	assert_int_equal(srtp_seal(out, p, &n), 0);
	return srtp_open(in, p, &n);
}

static void replayed_and_old_packets_are_refused(void **state)
{
	uint8_t kept[200][1600], p[1600];
	size_t nv[200];

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		struct srtp *out = ours(suites[i]), *in = ours(suites[i]);

		for (unsigned k = 0; k < 200; k++) {
			nv[k] = packet_make(kept[k], (uint16_t)(65436 + k), 9);
			assert_int_equal(srtp_seal(out, kept[k], &nv[k]), 0);
		}
		/* every second one, then the others as far as the window goes */
		for (unsigned k = 0; k < 200; k += 2) {
			size_t n = nv[k];

			memcpy(p, kept[k], n);
			assert_int_equal(srtp_open(in, p, &n), 0);
			n = nv[k];
			memcpy(p, kept[k], n);
			assert_int_equal(srtp_open(in, p, &n), EALREADY);
		}
		for (unsigned k = 1; k < 200; k += 2) {
			size_t n = nv[k];

			memcpy(p, kept[k], n);
			assert_int_equal(srtp_open(in, p, &n),
					 198 < k + SRTP_WINDOW ? 0 : EALREADY);
		}
		mem_deref(out);
		mem_deref(in);
	}
}

static void a_long_silence_over_the_roll_over(void **state)
{
	struct srtp *out = ours(SRTP_SUITE_AES_128_GCM),
		    *in = ours(SRTP_SUITE_AES_128_GCM);
	uint8_t p[1600];

	/* the other side sends on through a hold: what it protects never arrives */
	assert_int_equal(pass(out, in, 40000), 0);
	for (unsigned seq = 40001; seq < 65536 + 7000; seq += 997) {
		size_t n = packet_make(p, (uint16_t)seq, 9);

		assert_int_equal(srtp_seal(out, p, &n), 0);
	}
	assert_int_equal(pass(out, in, 7100), 0);
	assert_int_equal(in->rtpv[0].top >> 16, 1);
	mem_deref(out);
	mem_deref(in);
}

/** Seals and lets it go astray. */
static void astray(struct srtp *out, uint32_t from, uint32_t to)
{
	uint8_t p[1600];

	for (uint32_t seq = from; seq < to; seq += 997) {
		size_t n = packet_make(p, (uint16_t)seq, 9);

		assert_int_equal(srtp_seal(out, p, &n), 0);
	}
}

/* five roll-overs while nothing arrives: 20, 109 minutes at 50 packets a second. Sound is back within 2.6 s */
static void a_hold_of_any_length(void **state)
{
	static const uint32_t gaps[] = {60000, 65436, 65536 + 40000, 5 * 65536 + 123};

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		for (size_t g = 0; g < N_ELEMS(gaps); g++) {
			struct srtp *out = ours(suites[i]), *in = ours(suites[i]);
			uint32_t seq = 30000 + gaps[g];
			unsigned n_lost = 0;

			assert_int_equal(pass(out, in, 30000), 0);
			astray(out, 30001, seq);
			while (pass(out, in, (uint16_t)seq++) && n_lost < 1000)
				n_lost++;
			assert_true(n_lost <= 128);
			assert_int_equal(in->rtpv[0].top, out->rtpv[0].top);
			for (unsigned k = 0; k < 100; k++)
				assert_int_equal(pass(out, in, (uint16_t)seq++), 0);
			mem_deref(out);
			mem_deref(in);
		}
	}
}

/* libsrtp2 sends through a network that loses a fifth and mixes up the rest, over two roll-overs */
static void loss_and_reordering_over_roll_overs(void **state)
{
	enum { N = 140000, LATE = 4 };
	static uint8_t late[LATE][1600];
	size_t n_late[LATE] = {0};

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		srtp_t t_out = theirs(suites[i], ssrc_any_outbound);
		struct srtp *in = ours(suites[i]);

		memset(n_late, 0, sizeof(n_late));
		for (unsigned k = 0; k < N; k++) {
			uint8_t p[1600];
			size_t n = packet_make(p, (uint16_t)k, 9);
			unsigned slot = secret_u64() % LATE;
			int len = (int)n;

			if (n > 300) /* the time that it takes, not the bytes */
				n = 300, len = 300;
			assert_int_equal(srtp_protect_mki(t_out, p, &len, 0, 0), 0);
			if (secret_u64() % 5 == 0)
				continue;
			if (n_late[slot])
				assert_int_equal(srtp_open(in, late[slot], &n_late[slot]),
						 0);
			memcpy(late[slot], p, (size_t)len);
			n_late[slot] = (size_t)len;
		}
		assert_int_equal(in->rtpv[0].top >> 16, (N - 1) >> 16);
		srtp_dealloc(t_out);
		mem_deref(in);
	}
}

static void no_number_is_sealed_twice(void **state)
{
	uint8_t p[1600], q[1600];

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		struct srtp *out = ours(suites[i]);
		size_t n = packet_make(p, 77, 9), m = packet_make(q, 77, 9), was = m;

		assert_int_equal(srtp_seal(out, p, &n), 0);
		assert_int_equal(srtp_seal(out, q, &m), EALREADY);
		assert_int_equal(m, was);
		m = packet_make(q, 76, 9);
		assert_int_equal(srtp_seal(out, q, &m), 0); /* only late */
		mem_deref(out);
	}
}

static void a_wrong_tag_changes_nothing(void **state)
{
	uint8_t p[1600];

	for (size_t i = 0; i < N_ELEMS(suites); i++) {
		struct srtp *out = ours(suites[i]), *in = ours(suites[i]);

		for (unsigned k = 0; k < 100; k++) {
			size_t n = packet_make(p, (uint16_t)k, 100 + k), m;

			assert_int_equal(srtp_seal(out, p, &n),
					 k < SRTP_SSRC_MAX ? 0 : ENOSPC);
			if (k >= SRTP_SSRC_MAX)
				continue;
			m = n;
			p[n - 1 - k % 4] ^= 1;
			assert_int_equal(srtp_open(in, p, &m), EACCES);
			assert_int_equal(m, n);
			assert_int_equal(in->n_rtp, 0);
		}
		mem_deref(out);
		out = ours(suites[i]);
		assert_int_equal(pass(out, in, 1), 0);
		assert_int_equal(in->n_rtp, 1);
		mem_deref(out);
		mem_deref(in);
	}
}

static void what_is_no_packet_is_refused(void **state)
{
	struct srtp *s = ours(SRTP_SUITE_AES_CM_128_HMAC_SHA1_80);
	uint8_t p[64];

	/* case 63 of the abuse cases: too short, CSRCs and extension past the end, versions */
	for (size_t n = 0; n < 40; n++) {
		for (unsigned first = 0; first < 256; first++) {
			size_t m = n;

			memset(p, 0xff, sizeof(p));
			p[0] = (uint8_t)first;
			assert_int_not_equal(srtp_open(s, p, &m), 0);
			m = n;
			assert_int_not_equal(srtp_open_rtcp(s, p, &m), 0);
		}
	}
	assert_int_equal(s->n_rtp + s->n_rtcp, 0);
	mem_deref(s);
}

static int setup(void **state)
{
	secret_random(master, sizeof(master));
	return srtp_init() == srtp_err_status_ok ? 0 : -1;
}

static int teardown(void **state)
{
	return srtp_shutdown() == srtp_err_status_ok ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_3711_appendix_b),
		cmocka_unit_test(rfc_7714_section_16),
		cmocka_unit_test(bit_for_bit_as_libsrtp2),
		cmocka_unit_test(rtcp_bit_for_bit_as_libsrtp2),
		cmocka_unit_test(replayed_and_old_packets_are_refused),
		cmocka_unit_test(a_long_silence_over_the_roll_over),
		cmocka_unit_test(a_hold_of_any_length),
		cmocka_unit_test(loss_and_reordering_over_roll_overs),
		cmocka_unit_test(no_number_is_sealed_twice),
		cmocka_unit_test(a_wrong_tag_changes_nothing),
		cmocka_unit_test(what_is_no_packet_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
