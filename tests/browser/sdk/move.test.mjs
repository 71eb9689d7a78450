// a Call that goes on from another device ◄──► FakeSocket (the site): at the end that stays, and at the
// device that takes it
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { kept } from '../../../webrtc/sdk/reload.js';
import { HANDOVER_MS } from '../../../webrtc/sdk/handover.js';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakeChannel, FakePeer, FakeSocket, incoming, install, KEEPS, online, settle, WELCOME } from './fake.mjs';

const THERE = { id: 'there', remote: { address: 'per@beta.test', name: 'Per', site: { domain: 'beta.test', verified: true, tls: true, identity: 'verified' } },
	device: { id: 'd-2', name: 'desk', away: false }, seconds: 60 };

describe('the end that stays', () => {
	let mic, phone, socket, call, first, heard, name, streams;

	beforeEach(async () => {
		({ mic } = install());
		({ phone, socket } = await online(Phone));
		const coming = phone.call('per@beta.test');
		await settle();
		socket.ok(socket.got('call'));
		call = await coming;
		name = call.id;
		heard = [];
		for (const type of ['state', 'moved', 'streams'])
			call.addEventListener(type, () => heard.push(type === 'state' ? call.state : type));
		phone.addEventListener('incoming', () => heard.push('incoming'));
		socket.event('answered', { call: name, sdp: 'their answer', media: 'direct', encryption: 'claimed', remote: call.remote });
		await settle();
		first = FakePeer.last;
		first.connection('connected');
		streams = call.streams;
	});
	afterEach(() => {
		phone.close();
		mock.timers.reset();
	});

	const of = (type, id) => socket.sent.findLast((m) => m.type === type && m.call === id);

	/** The other side's new device calls, and is answered. */
	async function moves(sdp = 'their offer') {
		socket.event('incoming', incoming('new', { replaces: name, sdp }));
		await settle();
		socket.ok(of('accept', 'new'));
		await settle();
		socket.ok(of('answer', 'new'));
		socket.event('established', { call: 'new', media: 'direct', encryption: 'claimed' });
		await settle();
		return FakePeer.last;
	}

	test('nobody is asked; the new path takes over when it is up, and the call is the same', async () => {
		const second = await moves();

		assert.notEqual(second, first);
		assert.equal(socket.got('ringing'), undefined);
		assert.deepEqual(heard.filter((h) => h === 'incoming' || h === 'moved'), []);
		assert.equal(of('hangup', name), undefined, 'the old call goes on until then');
		assert.equal(call.id, name);

		second.connection('connected');
		assert.equal(of('hangup', name).reason, 'moved');
		assert.equal(call.id, 'new');
		assert.equal(call.state, 'connected');
		assert.equal(first.connectionState, 'closed');
		assert.deepEqual(phone.calls, [call]);
		assert.equal(call.streams.local, streams.local, 'the streams in the page’s hands');
		assert.equal(call.streams.remote, streams.remote);
		assert.deepEqual(call.streams.local.getTracks(), mic.tracks);
		assert.deepEqual(mic.asked.length, 1, 'no second microphone');
		assert.equal(mic.tracks[0].readyState, 'live');
		assert.equal(heard.filter((h) => h === 'moved').length, 1);

		socket.event('ended', { call: name, cause: { code: 200, reason: 'elsewhere', text: '' } });
		assert.equal(call.cause, null);
		socket.event('ended', { call: 'new', cause: { code: 200, reason: 'hangup', text: 'bye' } });
		assert.equal(call.cause.reason, 'hangup');
		assert.deepEqual(phone.calls, []);
	});
	test('sound that is not there yet is waited for a moment', async () => {
		const second = await moves();

		const { track } = second.getTransceivers()[0].receiver;

		track.muted = true;
		second.connection('connected');
		assert.equal(call.id, name);
		track.dispatchEvent(new Event('unmute'));
		assert.equal(call.id, 'new');
	});
	test('muted and on hold: so it stays', async () => {
		call.mute();
		const holding = call.hold();
		await settle();
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: name, sdp: 'their answer' });
		await holding;
		const second = await moves();

		second.connection('connected');
		assert.equal(call.state, 'held');
		assert.deepEqual(call.muted, { audio: true, video: false });
		assert.equal(mic.tracks[0].enabled, false);
		assert.equal(second.getTransceivers()[0].direction, 'sendonly');

		const resuming = call.resume();
		await settle();
		assert.equal(socket.got('offer').call, 'new');
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: 'new', sdp: 'their answer' });
		await resuming;
		assert.equal(second.getTransceivers()[0].direction, 'sendrecv');
		assert.equal(call.state, 'connected');
	});
	test('a change that waits for its answer is made in the new call', async () => {
		const adding = call.addVideo();
		await settle();
		assert.equal(socket.got('offer').call, name);
		const second = await moves();

		second.connection('connected');
		await settle();
		assert.equal(socket.got('offer').call, 'new');
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: 'new', sdp: 'their answer' });
		await adding;
		assert.equal(call.sending.video, true);
		assert.deepEqual(second.getTransceivers().map((t) => t.sender.track?.kind), ['audio', 'video']);
	});
	test('a change in the middle of it waits', async () => {
		const second = await moves();
		const holding = call.hold();

		await settle();
		assert.equal(socket.got('offer'), undefined);
		second.connection('connected');
		await settle();
		assert.equal(socket.got('offer').call, 'new');
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: 'new', sdp: 'their answer' });
		await holding;
	});
	test('no way to the new device: the call goes on as it was', async () => {
		const second = await moves();

		second.connection('failed');
		assert.equal(of('hangup', 'new').reason, 'media');
		assert.equal(second.connectionState, 'closed');
		assert.equal(call.id, name);
		assert.equal(call.state, 'connected');
		assert.equal(first.connectionState, 'connected');
		assert.deepEqual(phone.calls, [call]);
	});
	test('the new device gives up, or its offer is no good: the call goes on', async () => {
		await moves();
		socket.event('ended', { call: 'new', cause: { code: 487, reason: 'cancelled', text: '' } });
		assert.equal(call.state, 'connected');

		socket.event('incoming', incoming('bad', { replaces: name, sdp: 'unusable' }));
		await settle();
		socket.ok(of('accept', 'bad'));
		await settle();
		assert.equal(of('hangup', 'bad').reason, 'media');
		assert.equal(call.state, 'connected');
	});
	test('one that never finds a way', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		socket.event('incoming', incoming('new', { replaces: name }));
		mock.timers.tick(HANDOVER_MS);
		assert.equal(of('hangup', 'new').reason, 'media');
		assert.equal(call.state, 'connected');
	});
	test('the old device is gone before: the call waits for the new one, and ends only without it', async () => {
		const second = await moves();

		socket.event('ended', { call: name, cause: { code: 200, reason: 'elsewhere', text: 'moved' } });
		assert.equal(call.cause, null);
		first.connection('disconnected');
		assert.equal(call.interrupted, true);
		second.connection('connected');
		assert.equal(call.interrupted, false);
		assert.equal(call.id, 'new');
		assert.equal(of('hangup', name), undefined);
	});
	test('… and ends with it', async () => {
		await moves();
		socket.event('ended', { call: name, cause: { code: 200, reason: 'elsewhere', text: 'moved' } });
		socket.event('ended', { call: 'new', cause: { code: 200, reason: 'hangup', text: '' } });
		assert.equal(call.cause.reason, 'elsewhere');
		assert.equal(mic.tracks[0].readyState, 'ended');
	});
	test('hanging up ends both', async () => {
		const second = await moves();

		call.hangup();
		assert.equal(of('hangup', name).reason, 'hangup');
		assert.equal(of('hangup', 'new').reason, 'hangup');
		assert.equal(second.connectionState, 'closed');
		assert.deepEqual(phone.calls, []);
	});
	test('a call that is over, or is none: refused without ringing', async () => {
		call.hangup();
		socket.event('incoming', incoming('late', { replaces: name }));
		assert.equal(of('reject', 'late').reason, 'decline');
		assert.deepEqual(heard.filter((h) => h === 'incoming'), []);
	});
	test('the side channel: the new one counts, and the old one again if it comes to nothing', async () => {
		const old = first.channels[0];

		old.opened();
		const second = await moves();
		const fresh = new FakeChannel('sluss', 'sluss.side.v1');

		second.channel(fresh);
		fresh.say(JSON.stringify({ type: 'state', muted: { audio: true } }));
		assert.equal(call.remoteMuted.audio, true);
		fresh.close();
		fresh.dispatchEvent(new Event('close'));
		second.connection('failed');
		call.sendText('still there?');
		assert.equal(old.sent.at(-1).text, 'still there?');
	});
});

describe('the device that takes it', () => {
	let phone, socket, told;

	beforeEach(async () => {
		install();
		({ phone, socket } = await online(Phone));
		told = 0;
		phone.addEventListener('elsewhere', () => { told++; });
		socket.event('elsewhere', { calls: [THERE] });
	});
	afterEach(() => phone.close());

	test('it hears of the call, and takes it with one word', async () => {
		assert.equal(socket.got('hello').elsewhere, true);
		assert.equal(told, 1);
		const [entry] = phone.elsewhere;

		assert.equal(entry.device.name, 'desk');
		assert.ok(Math.abs(Date.now() - 60_000 - entry.connectedAt) < 1000);
		const taking = phone.take(entry);
		await settle();
		const asked = socket.got('call');
		assert.deepEqual([asked.to, asked.replaces], ['per@beta.test', 'there']);
		socket.ok(asked);
		const call = await taking;
		assert.equal(call.remote.name, 'Per');
		socket.event('answered', { call: call.id, sdp: 'their answer', media: 'direct', encryption: 'claimed', remote: call.remote });
		await settle();
		FakePeer.last.connection('connected');
		assert.equal(call.state, 'connected');
		socket.event('elsewhere', { calls: [] });
		assert.deepEqual(phone.elsewhere, []);
	});
	test('it has ended meanwhile', async () => {
		const taking = phone.take(phone.elsewhere[0]);

		await settle();
		socket.refuse(socket.got('call'), 'no-call', 'there is no such call');
		await assert.rejects(taking, { code: 'no-call' });
		assert.deepEqual(phone.calls, []);
	});
	test('a new session is told anew', async () => {
		phone.networkChanged(); // no session is kept: another connection
		socket.drop();
		phone.networkChanged();
		const next = FakeSocket.last;

		assert.notEqual(next, socket);
		next.open();
		next.ok(next.got('hello'), WELCOME);
		await settle();
		assert.deepEqual(phone.elsewhere, []);
		assert.equal(told, 2);
	});
});

describe('a tab that is loaded anew in mid-call', () => {
	let phone, socket, call, leaving, stored;

	/** A page: what the browser keeps of the last one is `stored`. */
	async function page() {
		const handlers = new Map();

		Object.assign(globalThis, {
			addEventListener: (type, h) => handlers.set(type, h), removeEventListener() {},
			sessionStorage: { setItem: (k, v) => stored.set(k, v), getItem: (k) => stored.get(k) ?? null, removeItem: (k) => stored.delete(k) },
		});
		({ phone, socket } = await online(Phone, { welcome: KEEPS }));
		leaving = handlers.get('pagehide');
	}

	beforeEach(async () => {
		install();
		stored = new Map();
		await page();
		const coming = phone.call('per@beta.test', { video: true });
		await settle();
		socket.ok(socket.got('call'));
		call = await coming;
		socket.event('answered', { call: call.id, sdp: 'their answer', media: 'direct', encryption: 'claimed', remote: call.remote });
		await settle();
		FakePeer.last.connection('connected');
	});
	afterEach(() => {
		phone.close();
		delete globalThis.addEventListener;
		delete globalThis.removeEventListener;
		delete globalThis.sessionStorage;
	});

	const there = (fields = {}) => ({ ...THERE, device: { id: KEEPS.device, name: 'this', away: true }, ...fields });

	test('says that it may be back, and the page that comes takes its call up as it was', async () => {
		call.mute();
		leaving();
		assert.equal(socket.closedWith, 4002);
		assert.equal(socket.got('hangup'), undefined);

		await page();
		socket.event('elsewhere', { calls: [there()] });
		const [entry] = phone.elsewhere;
		assert.deepEqual(entry.was, { muted: { audio: true, video: false }, held: false, video: true });
		const taking = phone.take(entry);
		await settle();
		assert.equal(socket.got('call').replaces, 'there');
		socket.ok(socket.got('call'));
		const again = await taking;
		assert.deepEqual(again.muted, { audio: true, video: false });
		assert.equal(again.sending.video, true);
		assert.equal(again.streams.local.getTracks().find((t) => t.kind === 'audio').enabled, false);
	});
	test('on hold: held again when there is something to hold', async () => {
		const holding = call.hold();
		await settle();
		socket.ok(socket.got('offer'));
		socket.event('answer', { call: call.id, sdp: 'their answer' });
		await holding;
		leaving();

		await page();
		socket.event('elsewhere', { calls: [there()] });
		const taking = phone.take(phone.elsewhere[0]);
		await settle();
		socket.ok(socket.got('call'));
		const again = await taking;
		socket.event('answered', { call: again.id, sdp: 'their answer', media: 'direct', encryption: 'claimed', remote: again.remote });
		await settle();
		assert.equal(socket.got('offer'), undefined);
		FakePeer.last.connection('connected');
		await settle();
		assert.ok(socket.got('offer'));
		assert.equal(again.held.local, true);
	});
	test('calls of other devices, and those of other people, are not this tab’s', async () => {
		leaving();
		await page();
		socket.event('elsewhere', { calls: [THERE, there({ remote: { ...THERE.remote, address: 'eve@beta.test' } })] });
		assert.deepEqual(phone.elsewhere.map(({ was }) => was), [undefined, undefined]);
	});
	test('read once; nonsense is nothing', async () => {
		leaving();
		await page();
		assert.equal(stored.size, 0);
		for (const text of ['{', 'null', '7', '{"at":1}', `{"at":${Date.now()},"calls":7}`]) {
			stored.set('sluss.calls', text);
			assert.equal(kept()(there()), undefined, text);
		}
	});
	test('a call that is not in talk yet is hung up, as before', async () => {
		call.hangup();
		const coming = phone.call('per@beta.test');
		await settle();
		socket.ok(socket.got('call'));
		await coming;
		leaving();
		assert.equal(socket.got('hangup').call, phone.calls[0]?.id ?? socket.got('call').call);
		assert.equal(socket.closedWith, 1000);
		assert.equal(stored.size, 0);
	});
});
