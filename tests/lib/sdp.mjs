// tests/lib/sdp.mjs - descriptions such as browsers make, for clients that have no browser. Each carries a
// marker, so that a test can see whose description arrived, byte for byte.
import { randomBytes } from 'node:crypto';

function fingerprint() {
	return randomBytes(32).toString('hex').toUpperCase().match(/../g).join(':');
}

function section(kind, mid, { address, ufrag, pwd, print, setup, direction = 'sendrecv', port }) {
	const formats = kind === 'audio' ? '111 0' : '96';
	const maps = kind === 'audio' ? ['a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', 'a=rtpmap:0 PCMU/8000']
		: ['a=rtpmap:96 VP8/90000', 'a=rtcp-fb:96 nack pli'];
	return [`m=${kind} ${port} UDP/TLS/RTP/SAVPF ${formats}`, `c=IN IP4 ${address}`, `a=rtcp:9 IN IP4 0.0.0.0`,
		`a=candidate:1 1 udp 2122260223 ${address} ${port} typ host generation 0 network-id 1`, 'a=end-of-candidates',
		`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, 'a=ice-options:trickle', `a=fingerprint:sha-256 ${print}`,
		`a=setup:${setup}`, `a=mid:${mid}`, `a=${direction}`, 'a=rtcp-mux', ...maps];
}

let versions = 0;

/** A complete description. `setup`: actpass for an offer, active for an answer. Its version in o= rises by itself:
 *  one that does not says that nothing has changed (RFC 3264 §8). */
export function description(marker, { setup = 'actpass', version = ++versions, video = false, address = '198.18.0.200', extra = [] } = {}) {
	const common = { address, ufrag: randomBytes(3).toString('hex'), pwd: randomBytes(12).toString('hex'), print: fingerprint(), setup, port: 50_000 };
	const media = [...section('audio', '0', common), ...(video ? section('video', '1', common) : [])];
	return [`v=0`, `o=- 4611731400430051336 ${version} IN IP4 127.0.0.1`, `s=${marker}`, 't=0 0',
		`a=group:BUNDLE 0${video ? ' 1' : ''}`, 'a=extmap-allow-mixed', 'a=msid-semantic: WMS', ...extra, ...media, ''].join('\r\n');
}

export const offer = (marker, options) => description(marker, options);
export const answer = (marker, options) => description(marker, { setup: 'active', ...options });
