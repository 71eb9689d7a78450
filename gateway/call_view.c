/* gateway/call_view.c - what others may see of a call: logs, slussctl, legs. Reads only.
 *
 * Signalling thread. Called by every room of it; calls nothing but the clock. */
#include "gateway/call_own.h"

const char *media_mode_name(enum media_mode mode)
{
	switch (mode) {
	case MODE_DIRECT:
		return "direct";
	case MODE_RELAY:
		return "relay";
	case MODE_ANCHOR:
		return "anchor";
	}
	return "?";
}

struct call *call_find(const struct core *core, const char *id)
{
	struct le *le;

	LIST_FOREACH(&core->calls, le)
	{
		struct call *call = le->data;

		if (call->state != CALL_ENDED && !strcmp(call->invite->call_id, id))
			return call;
	}
	return NULL;
}

const char *call_id(const struct call *call)
{
	return call->invite->call_id;
}

enum call_state call_state(const struct call *call)
{
	return call->state;
}

enum media_mode call_media_mode(const struct call *call)
{
	const struct leg *b = call_leg_b(call);

	if (call->path)
		return call->path->mode;
	return b && b->anchored ? MODE_ANCHOR : MODE_DIRECT;
}

const struct invite *call_invite(const struct call *call)
{
	return call->invite;
}

struct leg *call_leg_a(const struct call *call)
{
	return call->a;
}

struct leg *call_leg_b(const struct call *call)
{
	const struct le *first = call->legs_b.head;

	if (call->winner)
		return call->winner;
	return first && !first->next ? first->data : NULL;
}

uint64_t call_age_s(const struct call *call)
{
	return (timers_now_us(call->core->loop->timers) - call->started_us) / 1000000;
}

const struct party *call_other_party(const struct leg *leg)
{
	const struct call *call = leg->call;

	if (!call)
		return NULL;
	if (leg != call->a)
		return &call->invite->from;
	if (call->winner && call->winner->remote.addr.user[0])
		return &call->winner->remote;
	return &call->callee;
}

const struct identity_person *call_caller(const struct call *call)
{
	return call->caller;
}

const char *call_encryption_name(const struct call *call)
{
	if (call_media_mode(call) == MODE_ANCHOR)
		return "to-gateway";
	/* Every description that passes in direct and relay mode has DTLS fingerprints (call_sdp_check), and both
	 * sites hand them on unchanged, so they claim. No assertion over them is verified here. */
	return "claimed";
}
