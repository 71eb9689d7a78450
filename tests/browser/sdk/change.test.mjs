// an established Call ◄──► FakeSocket (the site): camera, hold, keys, offers that meet
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakePeer, install, online, settle } from './fake.mjs';

describe('changes', () => {
	let mic, phone, socket, call, peer;

	beforeEach(async () => {
		({ mic } = install());
		({ phone, socket } = await online(Phone));
		const coming = phone.call('per@beta.test');
		await settle();
		socket.ok(socket.got('call'));
		call = await coming;
		socket.event('answered', { call: call.id, sdp: 'their answer', media: 'direct', encryption: 'claimed',
			remote: call.remote });
		await settle();
		peer = FakePeer.last;
		peer.connection('connected');
		peer.did.length = 0;
	});
	afterEach(() => {
		phone.close();
		mock.timers.reset();
	});

	const did = () => peer.did.map(([what]) => what);

	/** Takes the newest offer of ours as the site does, and answers it. */
	async function agree() {
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: call.id, sdp: 'their answer' });
		await settle();
	}

	test('camera: a new offer, and there when the other side has agreed', async () => {
		const adding = call.addVideo();

		await settle();
		assert.equal(call.sending.video, true);
		assert.equal(socket.got('offer').sdp, 'offer 2');
		await agree();
		await adding;
		assert.deepEqual(did(), ['local offer', 'remote answer']);
	});
	test('camera: refused by the other side: off again, the call goes on', async () => {
		const adding = call.addVideo();

		await settle();
		socket.ok(socket.got('offer'));
		socket.event('refused', { call: call.id, cause: { code: 488, reason: 'media', text: 'no pictures here' } });
		await assert.rejects(adding, { code: 'refused', message: 'no pictures here' });
		assert.deepEqual(did(), ['local offer', 'local rollback']);
		assert.equal(call.sending.video, false);
		assert.equal(mic.tracks.find((t) => t.kind === 'video').readyState, 'ended');
		assert.equal(call.state, 'connected');
	});
	test('camera: refused by the site: its words', async () => {
		const adding = call.addVideo();

		await settle();
		socket.refuse(socket.got('offer'), 'rate', 'too many messages');
		await assert.rejects(adding, { code: 'rate', message: 'too many messages' });
		assert.deepEqual(did(), ['local offer', 'local rollback']);
	});
	test('camera: off stops it at once, and says so in a new offer', async () => {
		const adding = call.addVideo();
		await settle();
		await agree();
		await adding;

		const removing = call.removeVideo();
		await settle();
		assert.equal(mic.tracks.find((t) => t.kind === 'video').readyState, 'ended');
		assert.equal(peer.getTransceivers()[1].direction, 'recvonly');
		await agree();
		await removing;

		const again = call.addVideo();
		await settle();
		assert.equal(peer.getTransceivers().length, 2, 'the same place again');
		assert.equal(peer.getTransceivers()[1].direction, 'sendrecv');
		await agree();
		await again;
	});
	test('camera: a stream of the page’s own is sent and never stopped; ours beside it is', async () => {
		call.hangup();
		const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
		const coming = phone.call('per@beta.test', { stream });
		await settle();
		socket.ok(socket.got('call'));
		call = await coming;
		socket.event('answered', { call: call.id, sdp: 'their answer', media: 'direct', encryption: 'claimed',
			remote: call.remote });
		await settle();
		const adding = call.addVideo();
		await settle();
		await agree();
		await adding;
		call.hangup();
		assert.deepEqual(mic.tracks.slice(1).map((t) => [t.kind, t.readyState]), [['audio', 'live'], ['video', 'ended']]);
	});
	test('camera: there is none', async () => {
		mic.fail = 'NotFoundError';
		await assert.rejects(call.addVideo(), { code: 'camera-missing' });
		assert.equal(socket.got('offer'), undefined);
	});
	test('theirs: an offer is answered; our camera stays off', async () => {
		socket.event('offer', { call: call.id, sdp: 'v=0\r\nm=audio 9 X 1\r\nm=video 9 X 2\r\n' });
		await settle();
		assert.deepEqual(did(), ['remote offer', 'local answer']);
		assert.equal(socket.got('answer').sdp, 'answer 2');
		assert.equal(call.sending.video, false);
		assert.deepEqual(call.streams.remote.getTracks().map((t) => t.kind), ['audio', 'video']);
	});
	test('theirs: taken back when our answer is out: an offer of ours brings both together again', async () => {
		socket.event('offer', { call: call.id, sdp: 'v=0\r\nm=audio 9 X 1\r\n' });
		await settle();
		assert.equal(socket.got('answer').sdp, 'answer 2');
		socket.event('withdrawn', { call: call.id });
		socket.refuse(socket.got('answer'), 'bad-state');
		await settle();
		assert.deepEqual(did(), ['remote offer', 'local answer', 'local offer']);
		await agree();
		assert.deepEqual(did(), ['remote offer', 'local answer', 'local offer', 'remote answer']);
		assert.equal(call.state, 'connected');
	});
	test('theirs: taken back before it was looked at: nothing is answered, nothing has changed', async () => {
		socket.event('offer', { call: call.id, sdp: 'v=0\r\nm=audio 9 X 1\r\n' });
		socket.event('withdrawn', { call: call.id });
		await settle();
		assert.deepEqual(did().filter((what) => !what.startsWith('remote')), []);
		assert.equal(peer.signalingState, 'stable');
		assert.equal(socket.got('answer'), undefined);
		assert.equal(socket.got('offer'), undefined);
		socket.event('offer', { call: call.id, sdp: 'v=0\r\nm=audio 9 X 1\r\n' });
		await settle();
		assert.match(socket.got('answer').sdp, /^answer/);
	});
	test('theirs: an offer that cannot be used is refused, the call goes on', async () => {
		socket.event('offer', { call: call.id, sdp: 'unusable' });
		await settle();
		assert.equal(socket.got('refuse').reason, 'media');
		assert.equal(call.state, 'connected');
	});

	test('glare: theirs meets ours on the way: ours steps back, and goes out again 2.1 to 4.0 s after', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		const adding = call.addVideo();

		await settle();
		const first = socket.got('offer');
		socket.event('offer', { call: call.id, sdp: 'their offer' });
		await settle();
		assert.deepEqual(did(), ['local offer', 'local rollback', 'remote offer', 'local answer']);
		socket.ok(first);
		socket.event('refused', { call: call.id, cause: { code: 491, reason: 'glare', text: 'both at once' } });
		socket.ok(socket.got('answer'));
		await settle();
		mock.timers.tick(2090);
		await settle();
		assert.equal(socket.got('offer'), first);
		mock.timers.tick(1920);
		await settle();
		assert.notEqual(socket.got('offer'), first);
		await agree();
		await adding;
		assert.equal(call.sending.video, true);
	});
	test('glare: a site that refuses the offer itself means the same', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		const adding = call.addVideo();

		await settle();
		const first = socket.got('offer');
		socket.event('offer', { call: call.id, sdp: 'their offer' });
		socket.refuse(first, 'bad-state');
		await settle();
		socket.ok(socket.got('answer'));
		await settle();
		mock.timers.tick(4010);
		await settle();
		assert.notEqual(socket.got('offer'), first);
		await agree();
		await adding;
	});
	test('glare: only refused: ours again after the timer', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		const adding = call.addVideo();

		await settle();
		const first = socket.got('offer');
		socket.ok(first);
		socket.event('refused', { call: call.id, cause: { code: 491, reason: 'glare', text: 'both at once' } });
		await settle();
		assert.deepEqual(did(), ['local offer', 'local rollback']);
		mock.timers.tick(4010);
		await settle();
		assert.notEqual(socket.got('offer'), first);
		await agree();
		await adding;
	});
	test('changes that come together go out one after the other', async () => {
		const adding = call.addVideo();
		await settle();
		const holding = call.hold();
		await settle();
		assert.equal(socket.sent.filter((m) => m.type === 'offer').length, 1);
		await agree();
		await adding;
		assert.equal(socket.sent.filter((m) => m.type === 'offer').length, 2);
		await agree();
		await holding;
	});

	test('hold: directions, silence and state; and back', async () => {
		const audio = peer.getTransceivers()[0];
		const holding = call.hold();

		await settle();
		assert.equal(audio.direction, 'sendonly');
		assert.equal(audio.sender.track.enabled, false);
		assert.equal(call.state, 'held');
		await agree();
		await holding;
		const resuming = call.resume();
		await settle();
		await agree();
		await resuming;
		assert.equal(audio.direction, 'sendrecv');
		assert.equal(audio.sender.track.enabled, true);
		assert.equal(call.state, 'connected');
	});
	test('hold: refused: not held', async () => {
		const holding = call.hold();

		await settle();
		socket.ok(socket.got('offer'));
		socket.event('refused', { call: call.id, cause: { code: 488, reason: 'media', text: 'no' } });
		await assert.rejects(holding, { code: 'refused' });
		assert.equal(call.state, 'connected');
		assert.equal(peer.getTransceivers()[0].direction, 'sendrecv');
	});
	test('hold: by the other side is seen', async () => {
		socket.event('offer', { call: call.id, sdp: 'their offer' });
		await settle();
		peer.getTransceivers()[0].currentDirection = 'recvonly';
		socket.ok(socket.got('answer'));
		await settle();
		assert.deepEqual([call.state, call.held], ['held', { local: false, remote: true }]);
	});
	test('mute: silence here, nothing on the wire; kept over a hold', async () => {
		const track = peer.getTransceivers()[0].sender.track;
		const before = socket.sent.length;

		call.mute('audio');
		assert.deepEqual([track.enabled, call.muted.audio], [false, true]);
		assert.equal(socket.sent.length, before);
		const holding = call.hold();
		await settle();
		await agree();
		await holding;
		const resuming = call.resume();
		await settle();
		await agree();
		await resuming;
		assert.equal(track.enabled, false);
		call.unmute('audio');
		assert.equal(track.enabled, true);
	});
	test('keys: sent, or refused in words', () => {
		call.sendDtmf('12#');
		assert.deepEqual(peer.did.at(-1), ['dtmf', '12#', 100, 70]);
		call.sendDtmf('aD*,9', { toneMs: 200, gapMs: 50 });
		assert.deepEqual(peer.did.at(-1), ['dtmf', 'aD*,9', 200, 50]);
		const { dtmf } = peer.getTransceivers()[0].sender;

		dtmf.toneBuffer = '34';
		call.sendDtmf('5');
		assert.deepEqual(peer.did.at(-1), ['dtmf', '345', 100, 70], 'what waits is not lost');
		const before = peer.did.length;

		for (const bad of ['12x', '', '+1', '1 2', '1'.repeat(65)])
			assert.throws(() => call.sendDtmf(bad), { code: 'bad-tones' }, bad);
		dtmf.canInsertDTMF = false;
		assert.throws(() => call.sendDtmf('1'), { code: 'no-tones' });
		dtmf.canInsertDTMF = true;
		assert.equal(peer.did.length, before, 'nothing of it was sent');
		let told;

		call.addEventListener('tones', (ev) => (told = ev.tones), { once: true });
		socket.event('keys', { call: call.id, keys: '5#' });
		assert.equal(told, '5#');
	});
	test('after the end every change is refused', async () => {
		const adding = call.addVideo();

		await settle();
		call.hangup();
		await assert.rejects(adding, { code: 'ended' });
		await assert.rejects(call.hold(), { code: 'ended' });
		await assert.rejects(call.addVideo(), { code: 'ended' });
		await assert.rejects(call.stats(), { code: 'ended' });
		assert.throws(() => call.sendDtmf('1'), { code: 'ended' });
		assert.ok(mic.tracks.every((t) => t.readyState === 'ended'));
	});
});
