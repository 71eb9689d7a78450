// sdp.js - the little that is read from a description as text, before any browser object exists.
//
// Who uses it: call.js, to say what an incoming call offers; peer.js, to know a connection again. A description
// of ours goes out as it is; of one of theirs a single line is mended, which says nothing: see legible().
// RFC 8866 §5.14, RFC 9143 §6 (a bundled section may carry port 0).

/** Which kinds of media a description really has. -> {audio, video, data} */
export function kinds(sdp) {
	const found = { audio: false, video: false, data: false };
	let kind = null;

	for (const line of String(sdp).split(/\r?\n/)) {
		const m = /^m=([a-z]+) (\d+)/.exec(line);

		if (m) {
			kind = m[1] === 'application' ? 'data' : m[1];
			if (!Object.hasOwn(found, kind))
				kind = null;
			else if (m[2] !== '0')
				found[kind] = true;
		} else if (kind && line === 'a=bundle-only') {
			found[kind] = true;
		}
	}
	return found;
}

/** The keys that a description promises, each once, in order. RFC 8122 §5: case does not matter. */
export function fingerprints(sdp) {
	return [...new Set([...(sdp ?? '').matchAll(/^a=fingerprint:(.*?)\s*$/gm)]
		.map(([, value]) => value.toLowerCase()))].sort();
}

/** Which connection a description is of: its session id stays, whatever else changes (RFC 8829 §5.2.1); '' for none. */
export function origin(sdp) {
	return /^o=(\S+ \S+) /m.exec(sdp ?? '')?.[1] ?? '';
}

/** A description without the line that counts its versions: what it says. */
export function body(sdp) {
	return String(sdp).replace(/^o=.*$/m, '');
}

/** A description of theirs as every browser reads it: a data channel that is refused has the format of one that is
 *  not. Peers that know none repeat the line with another word, to which RFC 3264 §6 gives no meaning; Firefox
 *  refuses the description for it. */
export function legible(sdp) {
	return String(sdp).replace(/^(m=application 0 (?:UDP|TCP)\/DTLS\/SCTP) .*$/gm, '$1 webrtc-datachannel');
}
