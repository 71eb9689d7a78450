/* tests/fake/fake_core.c - a core with two sites, default limits and fake rooms around it. */
#include "tests/fake/fake.h"
#include "tests/fake/fake_own.h"

#define FINGERPRINT                                                                            \
	"6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:" \
	"A1:2C:19:08"
#define SDP(version, setup)                                                              \
	"v=0\r\no=- 4611731400430051336 " version                                        \
	" IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"                                          \
	"a=group:BUNDLE 0\r\n"                                                           \
	"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"             \
	"a=ice-ufrag:F7gI\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\n"                       \
	"a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:" setup "\r\n"                 \
	"a=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"                      \
	"a=candidate:1 1 udp 2113937151 198.18.0.1 50000 typ host\r\n"

const char fake_sdp_offer[] = SDP("1", "actpass");
const char fake_sdp_answer[] = SDP("1", "active");

struct body *fake_body(const char *text)
{
	struct body *body = NULL;

	if (body_alloc(&body, text, strlen(text))) {
		fprintf(stderr, "fake_body: out of memory\n");
		abort();
	}
	return body;
}

struct body *fake_sdp(unsigned version)
{
	char text[sizeof(fake_sdp_offer) + 16];
	const char *at = strstr(fake_sdp_offer, " 1 IN");

	snprintf(text, sizeof(text), "%.*s %u%s", (int)(at - fake_sdp_offer),
		 fake_sdp_offer, version, at + 2);
	return fake_body(text);
}

struct addr fake_addr(const char *text)
{
	struct addr a;

	if (addr_parse(&a, text, strlen(text))) {
		fprintf(stderr, "fake_addr: not an address: %s\n", text);
		abort();
	}
	return a;
}

void fake_core_open(struct fake_core *fc)
{
	static const char *const domains[] = {"alpha.example", "beta.example"};
	int err;

	memset(fc, 0, sizeof(*fc));
	for (size_t i = 0; i < config_limits_n; i++)
		*(uint32_t *)(void *)((char *)&fc->config.limits +
				      config_limits[i].offset) = config_limits[i].def;
	for (size_t i = 0; i < N_ELEMS(domains); i++)
		snprintf(fc->sitev[i].domain, sizeof(fc->sitev[i].domain), "%s",
			 domains[i]);
	fc->config.media.rtp_first = RTP_FIRST;
	fc->config.media.rtp_last = RTP_LAST;
	for (size_t i = 0; i < N_ELEMS(domains); i++)
		fc->sitev[i].relay = RELAY_NEVER;
	fc->config.sitev = fc->sitev;
	fc->config.n_sites = N_ELEMS(domains);
	err = fake_loop_alloc(&fc->loop);
	err = err ? err : core_init(&fc->core, &fc->config, fc->loop);
	err = err ? err : account_service_alloc(&fc->core.accounts, &fc->core);
	if (err) {
		fprintf(stderr, "fake_core: error %d\n", err);
		abort();
	}
	fc->core.federation = &fake_federation_ops;
	fc->core.federation_arg = &fc->federation;
	fc->core.path_relay = fake_path_relay;
	fc->core.path_anchor = fake_path_anchor;
}

void fake_core_close(struct fake_core *fc)
{
	fake_loop_settle(fc->loop);
	if (fc->core.n_calls || fc->core.calls.head) {
		fprintf(stderr, "fake_core: a call is left behind\n");
		abort();
	}
	fake_federation_forget(&fc->federation);
	fc->core.accounts = mem_deref(fc->core.accounts);
	core_close(&fc->core);
	fc->loop = mem_deref(fc->loop);
}

int fake_core_call(struct fake_core *fc, struct call **callp, struct fake_leg **legp,
		   const char *from, const char *to)
{
	struct addr dialled = fake_addr(to);
	struct party party = {.addr = fake_addr(from ? from : "eve@peer.example"),
			      .name = "A. Caller",
			      .site_verified = true};
	struct body *offer = fake_body(fake_sdp_offer);
	struct invite *invite = NULL;
	int err;

	*legp = fake_leg_alloc(LEG_IN, from ? "browser" : "sip",
			       from ? "d-caller" : "peer.example");
	err = invite_alloc(&invite, &party, &dialled, offer, 70);
	if (!err)
		err = call_alloc(callp, &fc->core, &(*legp)->leg, invite,
				 from ? &party.addr : NULL, from ? NULL : "peer.example");
	mem_deref(invite);
	mem_deref(offer);
	return err;
}
