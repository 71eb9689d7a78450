// what is read and made of text and reports: descriptions, statistics, site addresses
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { kinds, legible } from '../../../webrtc/sdk/sdp.js';
import { siteOrigin, socketUrl } from '../../../webrtc/sdk/session.js';
import { summary } from '../../../webrtc/sdk/stats.js';

const none = { audio: false, video: false, data: false };

test('sdp: which kinds are offered', () => {
	assert.deepEqual(kinds('v=0\r\nm=audio 9 X 1\r\nm=video 9 X 2\r\n'), { ...none, audio: true, video: true });
	assert.deepEqual(kinds('m=audio 9 X 1\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\n'),
		{ ...none, audio: true, data: true });
});
test('sdp: port 0 is no medium, unless the section is bundled', () => {
	assert.deepEqual(kinds('m=audio 9 X 1\r\nm=video 0 X 2\r\na=inactive\r\n'), { ...none, audio: true });
	assert.deepEqual(kinds('m=audio 9 X 1\r\nm=video 0 X 2\r\na=mid:1\r\na=bundle-only\r\n'),
		{ ...none, audio: true, video: true });
});
test('sdp: kinds nobody knows are left out', () => {
	assert.deepEqual(kinds('m=image 9 udptl t38\r\na=bundle-only\r\nm=message 9 X 1\r\nm=__proto__ 9 X\r\n'), none);
	assert.deepEqual(kinds(''), none);
});
test('sdp: a data channel that is refused with any word for its format is a refused data channel', () => {
	const sdp = (line) => `v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n${line}\r\na=mid:1\r\n`;
	const refused = sdp('m=application 0 UDP/DTLS/SCTP webrtc-datachannel');

	for (const word of ['0', 'webrtc-datachannel', '5000 x', '$1'])
		assert.equal(legible(sdp(`m=application 0 UDP/DTLS/SCTP ${word}`)), refused, word);
	assert.equal(legible(refused.replaceAll('\r', '').replace('webrtc-datachannel', '0')), refused.replaceAll('\r', ''));
	for (const line of ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'm=application 0 DTLS/SCTP 5000', 'm=video 0 UDP/DTLS/SCTP 0',
		'a=m=application 0 UDP/DTLS/SCTP 0'])
		assert.equal(legible(sdp(line)), sdp(line), line);
});

test('site: a page’s own origin, a domain, an https address', () => {
	assert.deepEqual(siteOrigin(undefined, 'https://a.example'), { origin: 'https://a.example', own: true });
	assert.deepEqual(siteOrigin('b.example', 'https://a.example'), { origin: 'https://b.example', own: false });
	assert.deepEqual(siteOrigin('a.example', 'https://a.example'), { origin: 'https://a.example', own: true });
	assert.equal(siteOrigin('b.example:8443').origin, 'https://b.example:8443');
	assert.equal(siteOrigin('http://alpha.localhost:8080').origin, 'http://alpha.localhost:8080');
	assert.equal(socketUrl('https://a.example'), 'wss://a.example/ws');
	assert.equal(socketUrl('http://alpha.localhost:8080'), 'ws://alpha.localhost:8080/ws');
});
test('site: plain http only to this machine, and nothing but an origin', () => {
	for (const site of ['http://b.example', 'b.example/path', 'https://u:p@b.example', 'b.example?x',
		'http://localhost.example', 'https://192.0.2.1', '', ' '])
		assert.throws(() => siteOrigin(site, 'https://a.example'), { code: 'bad-site' }, site);
	assert.throws(() => siteOrigin(undefined, 'null'), { code: 'bad-site' });
});

const report = new Map([
	{ id: 'i', type: 'inbound-rtp', kind: 'audio', packetsReceived: 50, packetsLost: 1, bytesReceived: 900,
		jitter: 0.0042, audioLevel: 0.5, totalAudioEnergy: 1.5 },
	{ id: 'i2', type: 'inbound-rtp', kind: 'audio', packetsReceived: 5, totalAudioEnergy: 0.5 },
	{ id: 'o', type: 'outbound-rtp', kind: 'video', packetsSent: 7, bytesSent: 70, framesEncoded: 3 },
	{ id: 'p0', type: 'candidate-pair', nominated: true, state: 'failed' },
	{ id: 'p', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.0214,
		localCandidateId: 'l', remoteCandidateId: 'r' },
	{ id: 'l', type: 'local-candidate', candidateType: 'host', protocol: 'udp', address: '192.0.2.1', port: 1 },
	{ id: 'r', type: 'remote-candidate', candidateType: 'prflx', protocol: 'udp', address: '192.0.2.2', port: 2 },
].map((s) => [s.id, s]));

test('stats: what counts, in one object', () => {
	const s = summary(report);

	assert.equal(s.received.audio.packets, 55);
	assert.equal(s.received.audio.energy, 2);
	assert.equal(s.received.audio.jitterMs, 4);
	assert.deepEqual(s.sent.video, { packets: 7, bytes: 70, frames: 3 });
	assert.equal(s.sent.audio, undefined);
	assert.equal(s.roundTripMs, 21);
	assert.equal(s.path.remote.type, 'prflx');
	assert.equal(s.security, null);
	assert.equal(s.report, report);
});
test('stats: Chromium names the pair on the transport', () => {
	const s = summary(new Map([...report, ['t', { id: 't', type: 'transport', selectedCandidatePairId: 'p',
		dtlsState: 'connected', dtlsCipher: 'C', srtpCipher: 'S' }]]));

	assert.equal(s.path.local.address, '192.0.2.1');
	assert.deepEqual(s.security, { dtls: 'connected', cipher: 'C', srtp: 'S' });
});
test('stats: what the other side reports of our sound', () => {
	const s = summary(new Map([...report, ['oa', { id: 'oa', type: 'outbound-rtp', kind: 'audio', packetsSent: 90 }],
		['ri', { id: 'ri', type: 'remote-inbound-rtp', kind: 'audio', packetsLost: 8, fractionLost: 0.08, jitter: 0.01 }]]));

	assert.deepEqual(s.sent.audio, { packets: 90, bytes: undefined, lost: 8, lossFraction: 0.08, jitterMs: 10 });
});
test('stats: an empty report is no error', () => {
	assert.deepEqual(summary(new Map()).received, {});
	assert.equal(summary(new Map()).path, null);
});
