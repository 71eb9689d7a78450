// tests/lib/sdp.mjs - descriptions such as browsers make, for clients that have no browser. Each carries a
// marker, so that a test can see whose description arrived, byte for byte.
import { randomBytes } from 'node:crypto';

function fingerprint() {
	return randomBytes(32).toString('hex').toUpperCase().match(/../g).join(':');
}

function section(kind, mid, { address, ufrag, pwd, print, setup, direction = 'sendrecv', port, trickle }) {
	const formats = kind === 'audio' ? '111 0' : '96';
	const maps = kind === 'audio' ? ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', 'a=rtpmap:0 PCMU/8000']
		: ['a=rtpmap:96 VP8/90000', 'a=rtcp-fb:96 nack pli'];
	return [`m=${kind} ${port} UDP/TLS/RTP/SAVPF ${formats}`, `c=IN IP4 ${address}`, `a=rtcp:9 IN IP4 0.0.0.0`,
		...(trickle ? [] : [`a=candidate:1 1 udp 2122260223 ${address} ${port} typ host generation 0 network-id 1`, 'a=end-of-candidates']),
		`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, 'a=ice-options:trickle', `a=fingerprint:sha-256 ${print}`,
		`a=setup:${setup}`, `a=mid:${mid}`, `a=${direction}`, 'a=rtcp-mux', ...maps];
}

let versions = 0;

/** A complete description; with `trickle` one without candidates. `setup`: actpass for an offer, active for an answer. Its version in o= rises by itself:
 *  one that does not says that nothing has changed (RFC 3264 §8). */
export function description(marker, { setup = 'actpass', version = ++versions, video = false, trickle = false, address = trickle ? '0.0.0.0' : '198.18.0.200', extra = [] } = {}) {
	const common = { address, ufrag: randomBytes(3).toString('hex'), pwd: randomBytes(12).toString('hex'), print: fingerprint(), setup, port: trickle ? 9 : 50_000, trickle };
	const media = [...section('audio', '0', common), ...(video ? section('video', '1', common) : [])];
	return [`v=0`, `o=- 4611731400430051336 ${version} IN IP4 127.0.0.1`, `s=${marker}`, 't=0 0',
		`a=group:BUNDLE 0${video ? ' 1' : ''}`, 'a=extmap-allow-mixed', 'a=msid-semantic: WMS', ...extra, ...media, ''].join('\r\n');
}

export const offer = (marker, options) => description(marker, options);
export const answer = (marker, options) => description(marker, { setup: 'active', ...options });

/** The user fragment of a description: its generation of candidates. */
export const ufrag = (text) => /^a=ice-ufrag:(\S+)/m.exec(text)[1];
/** Candidate lines as a browser finds them, told apart by `n`. */
export const candidate = (n, address = '192.0.2.77') => `candidate:${n} 1 udp 2122260223 ${address} ${50_000 + n} typ host generation 0`;
/** The fields of a `candidates` message. */
export const candidates = (text, ...ns) => ({ ufrag: ufrag(text), candidates: ns.map((n) => ({ mid: '0', mline: 0, candidate: candidate(n) })) });
/** The body of an INFO with them (RFC 8840 §4.4). */
export function fragment(text, ns, { end = false } = {}) {
	return [...(end ? ['a=end-of-candidates'] : []), 'm=audio 9 RTP/AVP 0', 'a=mid:0', `a=ice-ufrag:${ufrag(text)}`, /^a=ice-pwd:\S+/m.exec(text)[0],
		...ns.map((n) => `a=${candidate(n)}`), ''].join('\r\n');
}
