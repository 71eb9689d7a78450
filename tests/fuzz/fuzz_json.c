/* tests/fuzz/fuzz_json.c - the messages of browsers and the bodies of the HTTP API: whatever comes, an error
 * in words or a message that keeps its own rules; and the error can be printed. */
#include "webrtc/session/api_parse.h"
#include "webrtc/session/gate.h"
#include "webrtc/session/print.h"
#include "webrtc/session/utf8.h"

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct limits limits = {
	.sdp_bytes = 4096, .ws_json_depth = 16, .ws_rate = 50};

static void printable(const struct parse_fault *fault)
{
	struct server_msg *m = server_msg_new(SERVER_ERROR);
	struct mbuf *mb = mbuf_alloc(256);

	m->id = fault->id;
	m->error.code = fault->code;
	memcpy(m->error.text, fault->text, sizeof(m->error.text));
	MUST(fault->code < ERROR_N && fault->text[0] && fault->id <= 2147483647);
	MUST(!server_msg_print(mb, m));
	mem_deref(mb);
	mem_deref(m);
}

static void has_its_fields(const struct client_msg *m)
{
	bool about_a_call = m->kind != CLIENT_HELLO && m->kind != CLIENT_PING;

	MUST(m->kind < CLIENT_KIND_N && m->id >= 1 && m->id <= 2147483647);
	MUST(about_a_call == (m->call[0] != '\0'));
	MUST((m->kind == CLIENT_CALL) == (m->to != NULL));
	MUST((m->kind == CLIENT_CALL || m->kind == CLIENT_ANSWER ||
	      m->kind == CLIENT_OFFER) == (m->sdp != NULL));
	MUST(!m->sdp || (m->sdp->len && m->sdp->len <= limits.sdp_bytes));
	MUST((m->kind == CLIENT_CANDIDATES) == (m->candidates != NULL));
	MUST(!m->candidates || m->candidates->n <= CANDIDATES_MAX);
	for (size_t i = 0; m->candidates && i < m->candidates->n; i++)
		MUST(candidate_line_ok(m->candidates->v[i].line,
				       strlen(m->candidates->v[i].line)) &&
		     candidate_mid_ok(m->candidates->v[i].mid,
				      strlen(m->candidates->v[i].mid)));
	MUST(m->kind != CLIENT_REJECT || m->reason == REASON_BUSY ||
	     m->reason == REASON_DECLINE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct client_msg *m = NULL;
	struct api_request *r = NULL;
	struct parse_fault fault;
	struct api_fault api_fault;
	struct gate gate;

	if (!utf8_valid(p, size)) /* closed with 1007 before the parser */
		return 0;
	gate_init(&gate, &limits, 0);
	if (gate_take(&gate, &m, &fault, p, size, 0))
		printable(&fault);
	else
		has_its_fields(m);
	mem_deref(m);
	for (enum api_kind k = 0; k < API_KIND_N; k++) {
		if (api_request_parse(&r, &api_fault, k, p, size, 16))
			MUST(api_fault.text[0]);
		r = mem_deref(r);
	}
	return 0;
}
