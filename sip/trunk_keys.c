/* sip/trunk_keys.c - keys that are pressed in a call with a trunk that has them in INFO (trunk { dtmf = info }).
 *
 *   INFO sip:…                              one key a request, one request at a time: their order counts
 *   Content-Type: application/dtmf-relay    Signal=5 CRLF Duration=160 CRLF
 * The type is nobody's standard and everybody's habit; what comes may also be application/dtmf, the key alone.
 * Thread: signalling. Called by leg.c (the call's keys) and dialog.c (INFO). RFC 6086 §4 (legacy INFO). */
#include "sip/trunk.h"

#include <strings.h>

#include "lib/log.h"

static const char type_relay[] = "application/dtmf-relay",
		  type_plain[] = "application/dtmf";

enum { TEXT_BYTES = 64 };

/* ---- out ---- */

static void next(struct sip_leg *leg);

static int answered(void *arg, nta_outgoing_t *orq, const sip_t *s)
{
	struct sip_leg *leg = arg;
	struct joint j;
	int status = s ? s->sip_status->st_status : 0;

	if (!s || orq != leg->keys.info || status < 200 ||
	    (!nta_sip_is_internal(s) && trust_joint(&j, leg->sip, s)))
		return 0;
	sip_loop_enter("sip.response.keys");
	leg->keys.info = NULL;
	if (status >= 300) {
		log_warn(sip_leg_call(leg), "sip.keys", "trunk=%s status=%d",
			 leg->hop->trunk->config->name, status);
		leg->keys.waiting[0] = '\0';
	}
	next(leg);
	nta_outgoing_destroy(orq);
	sip_loop_leave();
	return 0;
}

static void next(struct sip_leg *leg)
{
	struct sip_keys *k = &leg->keys;
	char text[TEXT_BYTES];
	struct body *body = NULL;
	struct sip_request rq = {
		.hop = leg->hop,
		.dialog = leg->dialog,
		.method = sip_method_info,
		.name = "INFO",
		.content_type = type_relay,
	};

	if (k->info || !k->waiting[0] || !leg->dialog)
		return;
	snprintf(text, sizeof(text), "Signal=%c\r\nDuration=160\r\n", k->waiting[0]);
	memmove(k->waiting, k->waiting + 1, strlen(k->waiting));
	if (!body_alloc(&body, text, strlen(text))) {
		rq.sdp = body;
		k->info = sip_request_send(&rq, answered, leg, TAG_END());
	}
	mem_deref(body);
	if (!k->info)
		log_warn(sip_leg_call(leg), "sip.keys", "err=unsent");
}

void trunk_keys_send(struct sip_leg *leg, const char *keys)
{
	struct sip_keys *k = &leg->keys;
	size_t n = strlen(k->waiting);

	if (!leg->leg.keys_apart || n + strlen(keys) >= sizeof(k->waiting))
		return; /* somebody leans on the keypad */
	snprintf(k->waiting + n, sizeof(k->waiting) - n, "%s", keys);
	next(leg);
}

void trunk_keys_close(struct sip_leg *leg)
{
	nta_outgoing_destroy(leg->keys.info);
	leg->keys.info = NULL;
	leg->keys.waiting[0] = '\0';
}

/* ---- in ---- */

/* "5", "*", "10" (*), "11" (#), "a". False: no key. */
static bool key_read(char *key, const char *p, size_t n)
{
	while (n && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n && strchr(" \t\r\n", p[n - 1]) && p[n - 1])
		n--;
	if (n == 2 && p[0] == '1' && (p[1] == '0' || p[1] == '1'))
		*key = p[1] == '0' ? '*' : '#';
	else if (n == 1 && *p && strchr("0123456789*#ABCD", *p))
		*key = *p;
	else if (n == 1 && *p >= 'a' && *p <= 'd')
		*key = (char)(*p - 'a' + 'A');
	else
		return false;
	return true;
}

static bool relay_read(char *key, const char *p, size_t n)
{
	static const char name[] = "Signal";
	const char *end = p + n;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *to = nl ? nl : end,
			   *eq = memchr(p, '=', (size_t)(to - p));

		if (eq && (size_t)(eq - p) == sizeof(name) - 1 &&
		    !strncasecmp(p, name, sizeof(name) - 1))
			return key_read(key, eq + 1, (size_t)(to - eq - 1));
		p = nl ? nl + 1 : end;
	}
	return false;
}

bool trunk_keys_info(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *s)
{
	struct leg_event ev = {.type = LEG_KEYS};
	const sip_content_type_t *type = s->sip_content_type;
	const sip_payload_t *pl = s->sip_payload;
	char keys[2] = "";
	struct refusal r;
	bool relay;

	if (!leg->leg.keys_apart || !type || !pl || !pl->pl_len)
		return false;
	relay = !strcasecmp(type->c_type, type_relay);
	if (!relay && strcasecmp(type->c_type, type_plain) != 0)
		return false;
	if (!(relay ? relay_read(keys, pl->pl_data, pl->pl_len)
		    : key_read(keys, pl->pl_data, pl->pl_len))) {
		refusal_set(&r, 400, "Bad Request", "The body names no key.");
		sip_refuse_with(leg->sip, irq, &r);
		return true;
	}
	sip_reply(leg->sip, irq, leg->hop, 200, "OK", NULL, TAG_END());
	ev.keys = keys;
	call_leg_event(&leg->leg, &ev);
	return true;
}
