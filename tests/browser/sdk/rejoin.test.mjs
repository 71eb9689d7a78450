// a Call whose site was killed ◄──► FakeSocket (the site): at the end that joins it again, and at the other
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { AGAIN_MS } from '../../../webrtc/sdk/rejoin.js';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakePeer, FakeSocket, incoming, install, KEEPS, online, settle, WELCOME } from './fake.mjs';

const KEY = 'a=fingerprint:sha-256 AA:BB\r\n';
const ID = '0123456789abcdef';
let phone, socket, call, peer, states;

const of = (type, id) => socket.sent.findLast((m) => m.type === type && m.call === id);

beforeEach(async () => {
	install();
	({ phone, socket } = await online(Phone, { welcome: KEEPS }));
	const coming = phone.call('per@beta.test');
	await settle();
	socket.ok(socket.got('call'));
	call = await coming;
	socket.event('answered', { call: call.id, sdp: `their answer\r\n${KEY}`, media: 'direct', encryption: 'claimed', remote: call.remote, rejoin: ID });
	await settle();
	peer = FakePeer.last;
	peer.connection('connected');
	states = [];
	call.addEventListener('state', () => states.push(call.away ?? call.signalling));
});
afterEach(() => {
	phone.close();
	mock.timers.reset();
});

/** The site is killed and has started again. */
async function killed() {
	mock.timers.enable({ apis: ['setTimeout', 'Date'] });
	socket.drop();
	mock.timers.tick(1000);
	socket = FakeSocket.last;
	socket.open();
	socket.ok(socket.got('hello'), { ...WELCOME, ...KEEPS, session: 'ffffffffffffffffffffffffffffffff', resumed: false, forgotten: 'unknown' });
	await settle();
}

describe('the end whose site was killed', () => {
	test('whose other side has a relay: its end of the path is a new one, and ICE restarts behind the answer', async () => {
		const name = call.id;

		await killed();
		socket.ok(socket.got('call'));
		peer.remoteDescription = { type: 'answer', sdp: 'a=ice-ufrag:before\r\n' };
		socket.event('answered', { call: name, sdp: `a=ice-ufrag:after\r\n${KEY}`, media: 'direct', encryption: 'claimed', remote: call.remote, rejoin: 'fedcba9876543210' });
		await settle();
		assert.ok(peer.did.some(([what]) => what === 'restart'));
		assert.ok(of('offer', name), 'and the other side hears of it');
	});
	test('says which calls it has, and joins them again with the connection that it has', async () => {
		const name = call.id;

		await killed();
		assert.deepEqual(socket.got('hello').calls, [{ call: name, rejoin: ID }]);
		const asked = socket.got('call');
		assert.deepEqual([asked.call, asked.to, asked.rejoin], [name, 'per@beta.test', ID]);
		assert.equal(asked.sdp, peer.localDescription.sdp);
		assert.equal(FakePeer.all.length, 1, 'no second connection');
		assert.equal(call.signalling, 'lost');
		socket.ok(asked);
		socket.event('answered', { call: name, sdp: `again\r\n${KEY}`, media: 'direct', encryption: 'claimed', remote: call.remote, rejoin: 'fedcba9876543210' });
		await settle();
		assert.equal(call.signalling, 'ok');
		assert.equal(call.state, 'connected');
		assert.equal(peer.signalingState, 'stable');
		// the call is whole: what changes is an ordinary offer again
		const held = call.hold();
		await settle();
		socket.ok(of('offer', name));
		socket.event('answer', { call: name, sdp: `held\r\n${KEY}` });
		await held;
	});

	test('the other side has it no more: it is over, with that cause', async () => {
		await killed();
		socket.ok(socket.got('call'));
		socket.event('ended', { call: call.id, cause: { code: 410, reason: 'gone', text: 'The call has ended at beta.test meanwhile.' } });
		await settle();
		assert.equal(call.state, 'ended');
		assert.equal(call.cause.reason, 'gone');
	});

	test('the other side is not there yet: it is tried again', async () => {
		await killed();
		socket.ok(socket.got('call'));
		socket.event('ended', { call: call.id, cause: { code: 503, reason: 'unreachable', text: 'beta.test could not be reached.' } });
		await settle();
		assert.equal(call.state, 'connected');
		assert.equal(call.signalling, 'lost');
		const before = socket.sent.length;
		mock.timers.tick(AGAIN_MS[0]);
		await settle();
		assert.equal(socket.sent.length, before + 1);
		assert.equal(socket.got('call').rejoin, ID);
	});

	test('the site does not know it: the talk goes on', async () => {
		await killed();
		socket.refuse(socket.got('call'), 'no-call');
		await settle();
		mock.timers.tick(60000);
		await settle();
		assert.equal(call.state, 'connected');
		assert.equal(call.signalling, 'lost');
		assert.equal(peer.signalingState, 'stable');
		// and when it breaks, it is the site that was missing
		peer.connection('failed');
		await settle();
		assert.equal(call.state, 'ended');
		assert.equal(call.cause.reason, 'lost');
		assert.match(call.cause.text, /your calling site/);
	});

	test('the other side is joining it already: then it is the one that answers', async () => {
		const name = call.id;

		await killed();
		socket.event('incoming', incoming('in-2', { replaces: name, sdp: `theirs\r\n${KEY}` }));
		socket.refuse(socket.got('call'), 'elsewhere');
		await settle();
		socket.ok(of('accept', 'in-2'));
		await settle();
		assert.ok(of('answer', 'in-2'), 'ours was taken back');
		socket.ok(of('answer', 'in-2'));
		socket.event('established', { call: 'in-2', media: 'direct', encryption: 'claimed', rejoin: 'fedcba9876543210' });
		await settle();
		assert.equal(call.signalling, 'ok');
		assert.equal(call.id, 'in-2');
		assert.equal(FakePeer.all.length, 1);
	});

	test('its own site is away for longer than a moment: the call names it, until it is back', async () => {
		mock.timers.enable({ apis: ['setTimeout', 'Date'] });
		socket.drop();
		assert.equal(call.away, null);
		mock.timers.tick(1500);
		assert.equal(call.away, 'alpha.test');
		socket = FakeSocket.last;
		socket.open();
		socket.ok(socket.got('hello'), { ...KEEPS, resumed: true });
		await settle();
		assert.equal(call.away, null);
	});
});

describe('the other end', () => {
	async function comesBack(sdp = `theirs\r\n${KEY}`) {
		socket.event('incoming', incoming('new', { replaces: call.id, sdp }));
		await settle();
		socket.ok(of('accept', 'new'));
		await settle();
	}

	test('hears which site is away; the same keys come back: the same connection goes on', async () => {
		const name = call.id;

		socket.event('away', { call: name, away: true });
		assert.equal(call.away, 'beta.test');
		await comesBack();
		assert.equal(FakePeer.all.length, 1, 'no second connection');
		assert.equal(peer.signalingState, 'stable');
		assert.ok(of('answer', 'new'));
		assert.equal(of('hangup', name), undefined, 'the old call goes on until then');
		socket.ok(of('answer', 'new'));
		socket.event('established', { call: 'new', media: 'direct', encryption: 'claimed', rejoin: ID });
		await settle();
		assert.equal(of('hangup', name).reason, 'moved');
		socket.ok(of('hangup', name));
		socket.event('ended', { call: name, cause: { code: 200, reason: 'elsewhere', text: 'The call goes on on another device.' } });
		assert.equal(call.away, null);
		assert.equal(call.state, 'connected');
		assert.equal(call.id, 'new');
		assert.deepEqual(phone.calls, [call]);
		socket.event('ended', { call: 'new', cause: { code: 200, reason: 'hangup', text: 'x' } });
		assert.equal(call.state, 'ended');
		assert.deepEqual(phone.calls, []);
	});

	test('whoever joined it is gone before that is done: it is as it was', async () => {
		const name = call.id;

		socket.event('away', { call: name, away: true });
		await comesBack();
		socket.event('ended', { call: 'new', cause: { code: 480, reason: 'lost', text: 'x' } });
		await settle();
		assert.equal(call.state, 'connected');
		assert.equal(call.id, name);
		await comesBack();
		assert.ok(of('answer', 'new'), 'and may be joined once more');
	});

	test('other keys are another device: a second connection', async () => {
		await comesBack('theirs\r\na=fingerprint:sha-256 CC:DD\r\n');
		assert.equal(FakePeer.all.length, 2);
	});
});
