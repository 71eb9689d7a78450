// stats.js - a getStats() report made short. Pure.
//
// Who uses it: peer.js. Field names of the report are those of W3C webrtc-stats; what a browser
// does not say stays undefined here, and is not made up.

const sum = (a, b) => (b === undefined ? a : (a ?? 0) + b);

function inbound(s, was = {}) {
	return {
		packets: sum(was.packets, s.packetsReceived),
		lost: sum(was.lost, s.packetsLost),
		bytes: sum(was.bytes, s.bytesReceived),
		jitterMs: s.jitter === undefined ? was.jitterMs : Math.round(s.jitter * 1000),
		...(s.kind === 'audio'
			? { level: s.audioLevel, energy: sum(was.energy, s.totalAudioEnergy) }
			: { frames: sum(was.frames, s.framesDecoded), width: s.frameWidth,
				height: s.frameHeight }),
	};
}

function outbound(s, was = {}) {
	return {
		packets: sum(was.packets, s.packetsSent),
		bytes: sum(was.bytes, s.bytesSent),
		...(s.kind === 'video' ? { frames: sum(was.frames, s.framesEncoded) } : {}),
	};
}

/** What the other side reports of what we send (RTCP). */
function reported(s) {
	return {
		lost: s.packetsLost,
		lossFraction: s.fractionLost,
		jitterMs: s.jitter === undefined ? undefined : Math.round(s.jitter * 1000),
	};
}

/** The pair of candidates in use: Chromium names it on the transport, Firefox marks it. */
function pairOf(all) {
	for (const s of all) {
		if (s.type === 'transport' && s.selectedCandidatePairId)
			return all.find((p) => p.id === s.selectedCandidatePairId) ?? null;
	}
	return all.find((s) => s.type === 'candidate-pair' && (s.selected
		|| (s.nominated && s.state === 'succeeded'))) ?? null;
}

function pathOf(all, pair) {
	const end = (id) => {
		const c = all.find((s) => s.id === id);

		return c && { type: c.candidateType, protocol: c.protocol, address: c.address, port: c.port };
	};
	return pair && { local: end(pair.localCandidateId), remote: end(pair.remoteCandidateId) };
}

/**
 * -> {received: {audio, video}, sent: {audio, video}, roundTripMs, path, security, report}
 * @param report  an RTCStatsReport or any Map of its entries
 */
export function summary(report) {
	const all = [...report.values()];
	const out = { received: {}, sent: {} };

	for (const s of all) {
		if (s.type === 'inbound-rtp' && !s.isRemote)
			out.received[s.kind] = inbound(s, out.received[s.kind]);
		else if (s.type === 'outbound-rtp' && !s.isRemote)
			out.sent[s.kind] = outbound(s, out.sent[s.kind]);
	}

	for (const s of all) {
		if (s.type === 'remote-inbound-rtp' && out.sent[s.kind])
			Object.assign(out.sent[s.kind], reported(s));
	}

	const pair = pairOf(all);
	const transport = all.find((s) => s.type === 'transport');
	if (pair?.currentRoundTripTime !== undefined)
		out.roundTripMs = Math.round(pair.currentRoundTripTime * 1000);
	out.path = pathOf(all, pair);
	out.security = transport
		? { dtls: transport.dtlsState, cipher: transport.dtlsCipher, srtp: transport.srtpCipher }
		: null;
	out.report = report;
	return out;
}
