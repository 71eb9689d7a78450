// quality.js - from two looks at call.stats() to what is wrong, in keys of the message files. Pure.
//
// Who uses it: health.js, every two seconds of a call. The limits are those at which people begin to
// notice: ITU-T G.114 (delay), RFC 3611 and common practice (loss of 2 % and jitter of 30 ms with Opus).

export const LOSS_PERCENT = 2;
export const LOSS_BAD_PERCENT = 8;
export const ROUND_TRIP_MS = 300;
export const ROUND_TRIP_BAD_MS = 600;
export const JITTER_MS = 30;

/** Of what was sent between two looks, how many of a hundred were lost; null when too few to say. */
export function lossPercent(lost, arrived) {
	const all = lost + arrived;

	return all >= 20 && lost >= 0 && arrived >= 0 ? Math.round((100 * lost) / all) : null;
}

const grew = (now, before, key) => (now?.[key] ?? 0) - (before?.[key] ?? 0);

/** Loss on the way out, by what the other side reports; on the way in, by what came here. */
function losses(before, now) {
	const up = now.sent.audio, down = now.received.audio;
	const sent = grew(up, before.sent.audio, 'packets');
	const lost = Math.max(0, grew(up, before.sent.audio, 'lost'));
	// Reports come every few seconds, not with every look: their own share is the true one (RFC 3550 §6.4.1).
	const share = up?.lossFraction === undefined ? null : Math.round(100 * up.lossFraction);

	return {
		up: up?.lost === undefined || lossPercent(0, sent) === null ? null
			: share ?? lossPercent(lost, sent - lost),
		down: down === undefined ? null : lossPercent(Math.max(0, grew(down, before.received.audio, 'lost')),
			grew(down, before.received.audio, 'packets')),
	};
}

/** 'direct' or 'relay', from the pair of candidates in use; null when unknown. */
export function pathKind(path) {
	if (!path?.local?.type || !path.remote?.type)
		return null;
	return path.local.type === 'relay' || path.remote.type === 'relay' ? 'relay' : 'direct';
}

/**
 * -> {tone: 'good' | 'fair' | 'bad', problems: [{key, fill}], facts: [{key, fill}]}
 * @param before, now  of call.stats()
 * @param expect       {sound: should sound be coming in?}
 */
export function judge(before, now, { sound = true } = {}) {
	const { up, down } = losses(before, now);
	const jitter = now.received.audio?.jitterMs;
	const path = pathKind(now.path);
	const problems = [];
	let tone = 'good';
	const problem = (bad, key, fill) => {
		problems.push({ key, fill });
		tone = bad || tone === 'bad' ? 'bad' : 'fair';
	};

	if (sound && grew(now.received.audio, before.received.audio, 'packets') <= 0)
		problem(true, 'health.silent', {});
	if (up !== null && up >= LOSS_PERCENT)
		problem(up >= LOSS_BAD_PERCENT, 'health.up', { percent: up });
	if (down !== null && down >= LOSS_PERCENT)
		problem(down >= LOSS_BAD_PERCENT, 'health.down', { percent: down });
	if (now.roundTripMs >= ROUND_TRIP_MS)
		problem(now.roundTripMs >= ROUND_TRIP_BAD_MS, 'health.slow', { ms: now.roundTripMs });
	if (jitter >= JITTER_MS)
		problem(false, 'health.jitter', { ms: jitter });

	const facts = [
		path && { key: `fact.path.${path}`, fill: {} },
		now.roundTripMs !== undefined && { key: 'fact.round', fill: { ms: now.roundTripMs } },
		jitter !== undefined && { key: 'fact.jitter', fill: { ms: jitter } },
		up !== null && { key: 'fact.up', fill: { percent: up } },
		down !== null && { key: 'fact.down', fill: { percent: down } },
	].filter(Boolean);

	return { tone, problems, facts };
}
