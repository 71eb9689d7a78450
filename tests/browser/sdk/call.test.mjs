// Phone and Call ◄──► FakeSocket (the site), FakePeer (the browser): beginnings and ends of calls
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakePeer, FakeSocket, incoming, install, online, SDP, settle } from './fake.mjs';

describe('calls', () => {
	let mic, phone, socket;

	beforeEach(async () => {
		({ mic } = install());
		({ phone, socket } = await online(Phone));
	});
	afterEach(() => {
		mock.timers.reset();
		phone.close();
	});

	/** An incoming call, with the states it goes through. */
	async function ring(fields) {
		let call;
		phone.addEventListener('incoming', (ev) => { call = ev.call; }, { once: true });
		socket.event('incoming', incoming('i1', fields));
		call.states = [call.state];
		call.addEventListener('state', () => {
			if (call.states.at(-1) !== call.state)
				call.states.push(call.state);
		});
		await settle();
		return call;
	}

	/** An outgoing call that the site has taken. */
	async function dial(options) {
		const coming = phone.call('per@beta.test', options);
		await settle();
		socket.ok(socket.got('call'));
		return coming;
	}

	const answer = { sdp: 'their answer', media: 'direct', encryption: 'claimed',
		remote: { address: 'per@beta.test', name: 'Per', site: { domain: 'beta.test', verified: true, tls: true, identity: 'verified' } } };

	test('phone: who and where, and the token goes into hello', () => {
		assert.equal(socket.url, 'wss://alpha.test/ws');
		assert.equal(socket.got('hello').token, 'secret');
		assert.equal(socket.got('hello').device, 'Firefox on Linux');
		assert.deepEqual([phone.user, phone.site, phone.state], ['alice@alpha.test', 'alpha.test', 'online']);
	});
	test('phone: switched off in mid-call it leaves no timer behind', async () => {
		const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;

		phone.close();
		const before = timers();
		({ phone, socket } = await online(Phone));
		const call = await dial();

		socket.event('answered', { call: call.id, ...answer });
		await settle();
		FakePeer.last.connection('connected');
		await settle();
		assert.ok(timers() > before);
		call.hold().catch(() => {}); // waits for an answer
		FakePeer.last.connection('disconnected'); // is to be mended
		await settle();
		phone.close();
		await settle();
		assert.ok(timers() <= before, `${before} before, ${timers()} now`);
	});
	test('phone: a password goes to the page’s own site only', async () => {
		await assert.rejects(Phone.connect({ site: 'beta.test', user: 'a', password: 'b' }), { code: 'own-origin' });
	});

	test('privacy: before the `ok` to accept there is no peer connection, no description, no candidate', async () => {
		const call = await ring();

		assert.deepEqual(call.offered, { audio: true, video: false, data: false });
		assert.equal(FakePeer.all.length, 0, 'after incoming');
		const accepting = call.accept();
		await settle();
		assert.ok(socket.got('accept'));
		assert.equal(FakePeer.all.length, 0, 'after accept was asked');
		socket.ok(socket.got('accept'));
		await settle();
		assert.equal(FakePeer.all.length, 1);
		assert.deepEqual(FakePeer.last.did.map(([what]) => what), ['remote offer', 'local answer']);
		socket.ok(socket.got('answer'));
		await accepting;
		assert.equal(socket.got('answer').sdp, 'answer 1');
		assert.equal(FakePeer.last.did[0][1], SDP);
	});
	test('incoming: rings, is accepted, is connected when the path is up', async () => {
		const call = await ring();

		assert.equal(socket.got('ringing').call, 'i1');
		const accepting = call.accept();
		await settle();
		socket.ok(socket.got('accept'));
		await settle();
		socket.ok(socket.got('answer'));
		await accepting;
		socket.event('established', { call: 'i1', media: 'direct', encryption: 'claimed' });
		assert.equal(call.state, 'connecting');
		FakePeer.last.connection('connected');
		assert.deepEqual(call.states, ['ringing', 'connecting', 'connected']);
		assert.equal(call.remote.name, 'Per');
		assert.ok(call.connectedAt > 0);
	});
	test('incoming: nobody listens, so nothing rings', async () => {
		socket.event('incoming', incoming('i9'));
		await settle();
		assert.equal(socket.got('ringing'), undefined);
		assert.equal(phone.calls.length, 1);
	});
	test('incoming: rejected at once, and nothing of it rings', async () => {
		phone.addEventListener('incoming', ({ call }) => call.reject('busy'), { once: true });
		socket.event('incoming', incoming('i1'));
		await settle();
		assert.equal(socket.got('reject').reason, 'busy');
		assert.equal(socket.got('ringing'), undefined);
		assert.equal(phone.calls.length, 0);
	});
	test('incoming: the microphone is refused: it rings on, and accept says why', async () => {
		const call = await ring();

		mic.fail = 'NotAllowedError';
		await assert.rejects(call.accept(), { code: 'mic-denied' });
		assert.equal(socket.got('accept'), undefined);
		assert.equal(call.state, 'ringing');
		mic.fail = null;
		call.accept().catch(() => {});
		await settle();
		assert.ok(socket.got('accept'));
	});
	test('incoming: another device was quicker', async () => {
		const call = await ring();
		const accepting = call.accept();

		await settle();
		socket.refuse(socket.got('accept'), 'elsewhere');
		await assert.rejects(accepting, { code: 'elsewhere' });
		assert.equal(call.cause.reason, 'elsewhere');
		assert.equal(FakePeer.all.length, 0);
		assert.ok(mic.tracks.every((t) => t.readyState === 'ended'));
	});
	test('incoming: it ends while the browser asks for the microphone', async () => {
		const call = await ring();
		let allow;

		mic.wait = new Promise((resolve) => { allow = resolve; });
		const accepting = call.accept();
		await settle();
		socket.event('ended', { call: 'i1', cause: { code: 487, reason: 'cancelled', text: 'given up' } });
		allow();
		await assert.rejects(accepting, { code: 'ended' });
		assert.equal(socket.got('accept'), undefined);
		assert.equal(call.cause.text, 'given up');
		assert.ok(mic.tracks.every((t) => t.readyState === 'ended'));
	});
	test('incoming: an offer that the browser cannot use ends the call with `media`', async () => {
		const call = await ring({ sdp: 'unusable' });
		const accepting = call.accept();

		await settle();
		socket.ok(socket.got('accept'));
		await assert.rejects(accepting, { code: 'media' });
		assert.equal(socket.got('hangup').reason, 'media');
		assert.equal(call.cause.reason, 'media');
	});
	test('incoming: accept twice is refused, reject after accept too', async () => {
		const call = await ring();
		const first = call.accept();

		await assert.rejects(call.accept(), { code: 'bad-state' });
		await settle();
		socket.ok(socket.got('accept'));
		await settle();
		assert.throws(() => call.reject(), { code: 'bad-state' });
		call.hangup();
		socket.refuse(socket.got('answer'), 'no-call');
		await assert.rejects(first, { code: 'ended' });
	});

	test('outgoing: the description goes out at once, before anything was found', async () => {
		FakePeer.autoGather = false;
		const coming = phone.call('per@beta.test');

		await settle();
		const asked = socket.got('call');
		assert.equal(asked.to, 'per@beta.test');
		assert.equal(asked.sdp, 'offer 1');
		assert.equal(asked.trickle, true);
		assert.match(asked.call, /^[A-Za-z0-9_-]{1,64}$/);
		socket.ok(asked);
		assert.equal((await coming).state, 'calling');
	});
	test('outgoing: a description that is whole says nothing of candidates, and none follow', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		phone.call('per@beta.test').catch(() => {});

		await settle();
		assert.equal(socket.got('call').trickle, undefined);
		mock.timers.tick(1000);
		await settle();
		assert.equal(socket.got('candidates'), undefined);
	});
	test('outgoing: calling, ringing, connecting, connected', async () => {
		const call = await dial();
		const states = [call.state];

		call.addEventListener('state', () => states.at(-1) === call.state || states.push(call.state));
		socket.event('progress', { call: call.id, state: 'ringing' });
		socket.event('progress', { call: call.id, state: 'accepted' });
		socket.event('answered', { call: call.id, ...answer });
		await settle();
		FakePeer.last.connection('connected');
		assert.deepEqual(states, ['calling', 'ringing', 'connecting', 'connected']);
		assert.deepEqual([call.media, call.encryption, call.remote.name], ['direct', 'claimed', 'Per']);
		assert.deepEqual(FakePeer.last.did.at(-1), ['remote answer', 'their answer']);
	});
	test('outgoing: what a telephone network lets hear first; silence goes out until somebody answers', async () => {
		const call = await dial();
		const early = { call: call.id, sdp: 'v=0\r\no=- 1 1 IN IP4 a\r\ntones', media: 'anchor', encryption: 'to-gateway' };
		const told = () => FakePeer.last.did.map(([what]) => what);

		assert.throws(() => call.sendDtmf('1'), { code: 'bad-state' });
		socket.event('progress', { call: call.id, state: 'ringing' });
		socket.event('early', early);
		await settle();
		FakePeer.last.connection('connected');
		assert.deepEqual([call.state, call.early, call.media, call.encryption, call.connectedAt], ['ringing', true, 'anchor', 'to-gateway', null]);
		assert.equal(mic.tracks[0].enabled, false);
		call.sendDtmf('1');
		// the same with another version is the same; another one takes its place
		socket.event('early', { ...early, sdp: early.sdp.replace('1 1', '1 2') });
		await settle();
		assert.deepEqual(told(), ['local offer', 'remote answer', 'dtmf']);
		socket.event('answered', { call: call.id, ...answer, media: 'anchor' });
		await settle();
		assert.deepEqual(told().slice(3), ['local offer', 'remote answer']);
		assert.deepEqual([call.state, call.early, mic.tracks[0].enabled], ['connected', false, true]);
		assert.equal(socket.got('offer'), undefined);
	});
	test('outgoing: an early description that is of no use is left out', async () => {
		const call = await dial();

		socket.event('early', { call: call.id, sdp: 'unusable', media: 'anchor', encryption: 'to-gateway' });
		await settle();
		assert.deepEqual([call.state, call.early], ['calling', false]);
		socket.event('answered', { call: call.id, ...answer });
		await settle();
		FakePeer.last.connection('connected');
		assert.deepEqual([call.state, mic.tracks[0].enabled], ['connected', true]);
	});
	test('outgoing: refused: the site’s own words, and all is let go', async () => {
		const call = await dial();
		const cause = { code: 503, reason: 'unreachable', text: 'beta.test: its certificate expired yesterday' };

		socket.event('ended', { call: call.id, cause });
		assert.deepEqual(call.cause, cause);
		assert.equal(FakePeer.last.signalingState, 'closed');
		assert.ok(mic.tracks.every((t) => t.readyState === 'ended'));
		assert.equal(phone.calls.length, 0);
	});
	test('outgoing: an address that is none is refused without a microphone', async () => {
		await assert.rejects(phone.call('a@b@c'), { code: 'bad-address' });
		assert.equal(mic.asked.length, 0);
	});
	test('outgoing: no microphone: an error, and no peer connection', async () => {
		mic.fail = 'NotFoundError';
		await assert.rejects(phone.call('per@beta.test'), { code: 'mic-missing' });
		assert.equal(FakePeer.all.length, 0);
		assert.equal(phone.calls.length, 0);
	});
	test('outgoing: a name goes along when there is one', async () => {
		await dial();
		assert.ok(!('name' in socket.got('call')));
		await dial({ name: 'Alice' });
		assert.equal(socket.got('call').name, 'Alice');
	});
	test('outgoing: without a microphone one can still listen', async () => {
		await dial({ audio: false });
		assert.equal(mic.asked.length, 0);
		assert.equal(FakePeer.last.getTransceivers()[0].direction, 'recvonly');
	});
	test('outgoing: refused by the site: the promise says so', async () => {
		const coming = phone.call('per@beta.test');

		await settle();
		socket.refuse(socket.got('call'), 'limit', 'too many calls');
		await assert.rejects(coming, { code: 'limit', message: 'too many calls' });
		assert.equal(phone.calls.length, 0);
		assert.equal(FakePeer.last.signalingState, 'closed');
	});
	test('outgoing: given up while the browser asks for the microphone', async () => {
		const abort = new AbortController();
		let allow;

		mic.wait = new Promise((resolve) => { allow = resolve; });
		const coming = phone.call('per@beta.test', { signal: abort.signal });
		await settle();
		abort.abort();
		await assert.rejects(coming, { code: 'aborted' });
		allow();
		await settle();
		assert.equal(socket.got('call'), undefined);
		assert.equal(FakePeer.all.length, 0);
		assert.ok(mic.tracks.every((t) => t.readyState === 'ended'));
	});
	test('outgoing: given up after it has left: cancelled', async () => {
		const abort = new AbortController();
		const coming = phone.call('per@beta.test', { signal: abort.signal });

		await settle();
		abort.abort();
		await assert.rejects(coming, { code: 'aborted' });
		assert.equal(socket.got('hangup').call, socket.got('call').call);
	});
	test('outgoing: an answer that the browser cannot use ends the call with `media`', async () => {
		const call = await dial();

		socket.event('answered', { call: call.id, ...answer, sdp: 'unusable' });
		await settle();
		assert.equal(socket.got('hangup').reason, 'media');
		assert.equal(call.cause.reason, 'media');
	});

	test('path: none is found: hangup with `media`, in words', async () => {
		const call = await dial();

		socket.event('answered', { call: call.id, ...answer });
		await settle();
		FakePeer.last.connection('failed');
		assert.equal(socket.got('hangup').reason, 'media');
		assert.match(call.cause.text, /No sound could get through/);
	});
	test('path: none is found and nobody says so: given up after 30 s', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		const call = await dial();

		socket.event('answered', { call: call.id, ...answer });
		await settle();
		mock.timers.tick(29000);
		assert.equal(call.state, 'connecting');
		socket.sent.filter((m) => m.type === 'ping').forEach((m) => socket.ok(m));
		mock.timers.tick(1100);
		assert.equal(call.cause?.reason, 'media');
	});
	test('path: interrupted, back, and lost for good', async () => {
		const call = await dial();

		socket.event('answered', { call: call.id, ...answer });
		await settle();
		FakePeer.last.connection('connected');
		mock.timers.enable({ apis: ['setTimeout'] });
		FakePeer.last.connection('disconnected');
		assert.deepEqual([call.state, call.interrupted], ['connected', true]);
		FakePeer.last.connection('connected');
		assert.equal(call.interrupted, false);
		FakePeer.last.connection('disconnected');
		FakePeer.last.connection('failed');
		assert.equal(call.interrupted, true);
		mock.timers.tick(40000);
		assert.match(call.cause.text, /broke/);
	});

	test('hang up: at once here, said to the site, and its echo is not heard', async () => {
		const call = await dial();

		call.hangup();
		assert.deepEqual(socket.got('hangup'), { type: 'hangup', id: socket.got('hangup').id, call: call.id,
			reason: 'hangup' });
		assert.equal(call.cause.reason, 'cancelled');
		socket.event('ended', { call: call.id, cause: { code: 500, reason: 'other', text: 'x' } });
		assert.equal(call.cause.reason, 'cancelled');
		call.hangup();
		assert.equal(socket.sent.filter((m) => m.type === 'hangup').length, 1);
	});
	test('hang up: an incoming call that rings is declined', async () => {
		const call = await ring();

		call.hangup();
		assert.equal(socket.got('reject').reason, 'decline');
		assert.equal(call.cause.reason, 'declined');
	});
	test('lost: the socket goes, and every call ends with a clear cause', async () => {
		const one = await dial();
		const two = await ring();

		socket.drop();
		assert.deepEqual([one.cause.reason, two.cause.reason], ['lost', 'lost']);
		assert.equal(phone.state, 'reconnecting');
		assert.equal(phone.calls.length, 0);
	});
	test('lost: the site stops: its calls end with `shutdown`', async () => {
		const call = await dial();

		socket.event('bye', { reason: 'shutdown', text: 'The site stops.' });
		socket.drop(1001);
		assert.deepEqual([call.cause.reason, call.cause.text], ['shutdown', 'The site stops.']);
		assert.equal(phone.state, 'reconnecting');
	});
	test('lost: another user’s session is not this phone’s', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		socket.drop();
		mock.timers.tick(500);
		const again = FakeSocket.last;
		assert.notEqual(again, socket);
		again.open();
		again.ok(again.got('hello'), { user: 'mallory@alpha.test', site: 'alpha.test', device: 'd-1', ping_s: 25 });
		await settle();
		assert.deepEqual([phone.state, phone.reason.code, phone.user], ['offline', 'not-signed-in', 'alice@alpha.test']);
	});
});
