// an established Call ◄──► FakePeer's channels: mute seen, text, screen, other devices
import { afterEach, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { BURST, LABEL, MESSAGE_MAX, PROTOCOL, read } from '../../../webrtc/sdk/side.js';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakeChannel, FakePeer, incoming, install, online, settle } from './fake.mjs';

test('side: what comes from the other side is read with care', () => {
	assert.deepEqual(read('{"type":"state","muted":{"audio":true},"screen":1}'),
		{ type: 'state', muted: { audio: true, video: false }, screen: false });
	assert.deepEqual(read('{"type":"state"}'), { type: 'state', muted: { audio: false, video: false }, screen: false });
	assert.deepEqual(read('{"type":"text","text":"hej"}'), { type: 'text', text: 'hej' });
	assert.deepEqual(read('{"type":"state","refer":true}').refer, true);
	assert.deepEqual(read('{"type":"refer","id":"r1","to":"a@b.test","x":1}'), { type: 'refer', id: 'r1', to: 'a@b.test' });
	assert.deepEqual(read('{"type":"referred","id":"r1","state":"failed","reason":"busy"}'), { type: 'referred', id: 'r1', state: 'failed', reason: 'busy' });
	for (const bad of ['{"type":"refer","id":"r1"}', '{"type":"refer","id":7,"to":"a@b.test"}', '{"type":"referred","id":"r1","state":"odd"}', `{"type":"refer","id":"r1","to":"${'x'.repeat(331)}"}`, '', '{', 'null', '[]', '7', '{"type":"text"}', '{"type":"text","text":7}', '{"type":"text","text":"  "}',
		JSON.stringify({ type: 'text', text: 'x'.repeat(4001) }), '{"type":"later"}', new ArrayBuffer(3),
		`{"type":"state","x":"${'x'.repeat(MESSAGE_MAX)}"}`])
		assert.equal(read(bad), null, String(bad).slice(0, 40));
});

describe('side channel', () => {
	let mic, phone, socket, call, peer, channel;
	const events = [];

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
		[channel] = peer.channels;
		events.length = 0;
		call.addEventListener('text', (ev) => events.push(ev.text));
	});
	afterEach(() => phone.close());

	async function agree() {
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: call.id, sdp: 'their answer' });
		await settle();
	}
	const video = () => peer.getTransceivers().find((t) => t.receiver.track.kind === 'video').sender.track;
	const offers = () => socket.sent.filter((m) => m.type === 'offer').length;

	test('goes with the first offer, and says what we are when it opens and when that changes', () => {
		assert.deepEqual([channel.label, channel.protocol, peer.channels.length], [LABEL, PROTOCOL, 1]);
		call.mute('audio');
		assert.deepEqual(channel.sent, []);
		channel.opened();
		assert.deepEqual(channel.sent, [{ type: 'state', muted: { audio: true, video: false }, screen: false }]);
		call.unmute('audio');
		call.unmute('audio');
		assert.equal(channel.sent.length, 2, 'the same is not said twice');
		assert.equal(channel.sent[1].muted.audio, false);
	});
	test('the other side’s state is an event, and unknown before', () => {
		let n = 0;

		channel.opened();
		call.addEventListener('state', () => n++);
		assert.deepEqual([call.remoteMuted, call.remoteScreen], [null, false]);
		channel.say('{"type":"state","muted":{"audio":true,"video":false},"screen":true}');
		assert.deepEqual([call.remoteMuted, call.remoteScreen, n], [{ audio: true, video: false }, true, 1]);
		channel.say('nonsense');
		assert.equal(n, 1);
	});
	test('text goes both ways; without the channel it is refused in words', () => {
		assert.equal(call.canText, false);
		assert.throws(() => call.sendText('hej'), { code: 'no-text' });
		channel.opened();
		assert.equal(call.canText, true);
		call.sendText('hej');
		assert.deepEqual(channel.sent.at(-1), { type: 'text', text: 'hej' });
		channel.say('{"type":"text","text":"tjena"}');
		assert.deepEqual(events, ['tjena']);
		assert.throws(() => call.sendText(' '), { code: 'bad-text' });
		assert.throws(() => call.sendText('x'.repeat(4001)), { code: 'bad-text' });
		call.hangup();
		assert.throws(() => call.sendText('hej'), { code: 'ended' });
	});
	test('a flood is cut off', () => {
		channel.opened();
		for (let i = 0; i < BURST + 50; i++)
			channel.say('{"type":"text","text":"x"}');
		assert.equal(events.length, BURST);
	});
	test('incoming: taken without asking; a channel of the page’s own only when wanted', async () => {
		call.hangup();
		let next;
		phone.addEventListener('incoming', (ev) => { next = ev.call; });
		socket.event('incoming', incoming('c-in'));
		const accepting = next.accept({ data: false });
		await settle();
		socket.ok(socket.got('accept'));
		await settle();
		socket.ok(socket.got('answer'));
		await accepting;
		const ours = new FakeChannel(LABEL, PROTOCOL), theirs = new FakeChannel('data');
		FakePeer.last.channel(ours);
		FakePeer.last.channel(theirs);
		assert.deepEqual([next.canText, next.channel], [true, null]);
		assert.equal(ours.sent[0].type, 'state');
	});

	test('screen: its own offer; takes the camera’s place without one, and gives it back', async () => {
		channel.opened();
		const sharing = call.shareScreen();
		await settle();
		assert.equal(call.screen, true);
		assert.equal(channel.sent.at(-1).screen, true);
		await agree();
		await sharing;
		await assert.rejects(call.shareScreen(), { code: 'bad-state' });

		await call.addVideo();
		assert.deepEqual([call.screen, call.sending.video, offers()], [false, true, 1]);
		const camera = video();
		await call.shareScreen();
		assert.deepEqual([call.screen, camera.readyState, offers()], [true, 'ended', 1]);
		await call.stopScreen();
		assert.deepEqual([call.screen, call.sending.video, video().readyState, offers()], [false, true, 'live', 1]);
		assert.equal(channel.sent.at(-1).screen, false);
	});
	test('screen: stopped in the browser’s bar, it is dropped by an offer', async () => {
		const sharing = call.shareScreen();
		await settle();
		await agree();
		await sharing;
		video().dispatchEvent(new Event('ended'));
		await settle();
		assert.equal(offers(), 2);
		assert.deepEqual([call.screen, call.sending.video], [false, false]);
		await agree();
		assert.equal(call.state, 'connected');
	});
	test('screen: not allowed: said so, nothing changes', async () => {
		mic.fail = 'NotAllowedError';
		await assert.rejects(call.shareScreen(), { code: 'screen-denied' });
		assert.deepEqual([call.screen, offers()], [false, 0]);
	});

	test('microphone: another one without an offer; muted stays muted; the old one is stopped', async () => {
		const before = peer.getTransceivers()[0].sender.track;
		call.mute('audio');
		await call.setMicrophone({ deviceId: { exact: 'two' } });
		const after = peer.getTransceivers()[0].sender.track;
		assert.notEqual(after, before);
		assert.deepEqual([before.readyState, after.enabled, offers()], ['ended', false, 0]);
		assert.deepEqual(mic.asked.at(-1), { audio: { deviceId: { exact: 'two' } }, video: false });
		call.hangup();
		assert.equal(after.readyState, 'ended');
	});
	test('microphone: none to be had: the one in use stays', async () => {
		const before = peer.getTransceivers()[0].sender.track;
		mic.fail = 'NotFoundError';
		await assert.rejects(call.setMicrophone(), { code: 'mic-missing' });
		assert.deepEqual([peer.getTransceivers()[0].sender.track, before.readyState], [before, 'live']);
	});
	test('microphone: unplugged: an event, once, and only for the one in use', async () => {
		const lost = [];
		call.addEventListener('trackended', (ev) => lost.push(ev.track));
		const first = peer.getTransceivers()[0].sender.track;
		first.dispatchEvent(new Event('ended'));
		assert.deepEqual(lost, [first]);
		await call.setMicrophone();
		first.dispatchEvent(new Event('ended'));
		peer.getTransceivers()[0].sender.track.dispatchEvent(new Event('ended'));
		assert.equal(lost.length, 2);
	});
	test('camera: another one while it is on; not while it is off', async () => {
		await assert.rejects(call.setCamera(), { code: 'bad-state' });
		const adding = call.addVideo();
		await settle();
		await agree();
		await adding;
		const before = video();
		await call.setCamera({ deviceId: { exact: 'front' } });
		assert.deepEqual([before.readyState, video().readyState, offers()], ['ended', 'live', 1]);
	});
});
