// IceServers and Phone ◄──► FakeApi (the site's HTTP API), with a clock that the test turns
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { IceServers, WAIT_MS } from '../../../webrtc/sdk/ice.js';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakeApi, FakePeer, install, online, settle } from './fake.mjs';

const servers = (n) => [{ urls: ['turn:t.test'], username: `${n}:abc`, credential: `sig${n}` }];

describe('STUN and TURN servers', () => {
	let now, asked, got, ice, answer;
	const performanceNow = performance.now;

	beforeEach(() => {
		now = 1000;
		asked = 0;
		got = [];
		answer = async () => ({ iceServers: servers(asked), ttl_s: 100 });
		performance.now = () => now;
		mock.timers.enable({ apis: ['setTimeout'] });
		ice = new IceServers(() => {
			asked++;
			return answer();
		}, (list) => got.push(list));
	});
	afterEach(() => {
		ice.stop();
		mock.timers.reset();
		performance.now = performanceNow;
	});

	async function pass(ms) {
		now += ms;
		mock.timers.tick(ms);
		await settle();
	}

	test('ice: asked once, renewed before the credentials end, and the calls are told', async () => {
		ice.refresh();
		ice.refresh();
		await settle();
		assert.equal(asked, 1);
		assert.deepEqual(ice.now, servers(1));
		await pass(60_000);
		assert.equal(asked, 1, 'not at once');
		await pass(20_000);
		assert.equal(asked, 2, 'before four fifths of their time are over');
		assert.deepEqual(ice.now, servers(2));
		assert.deepEqual(got, [servers(1), servers(2)]);
	});
	test('ice: a site that does not answer is asked again, and the old servers serve as long as they hold', async () => {
		ice.refresh();
		await settle();
		answer = async () => {
			throw Object.assign(new Error('no'), { code: 'unreachable' });
		};
		await pass(80_000);
		assert.deepEqual(ice.now, servers(1));
		await pass(21_000);
		assert.ok(asked > 2, String(asked));
		assert.deepEqual(ice.now, [], 'none rather than those that are over');
		answer = async () => ({ iceServers: servers('new'), ttl_s: 100 });
		await pass(31_000);
		assert.deepEqual(ice.now, servers('new'));
	});
	test('ice: nobody signed in: not asked again', async () => {
		answer = async () => {
			throw Object.assign(new Error('no'), { code: 'not-signed-in' });
		};
		ice.refresh();
		await settle();
		await pass(3600_000);
		ice.refresh();
		await settle();
		assert.equal(asked, 1);
	});
	test('ice: a computer that slept past the end waits for new ones before it calls', async () => {
		ice.refresh();
		await settle();
		now += 200_000; // the timers slept as well
		let ready = false;
		const waiting = ice.ready().then(() => { ready = true; });
		assert.deepEqual(ice.now, []);
		await settle();
		await waiting;
		assert.ok(ready);
		assert.deepEqual(ice.now, servers(2));
	});
	test('ice: a call does not wait for ever', async () => {
		let ready = false;
		answer = () => new Promise(() => {});
		ice.ready().then(() => { ready = true; });
		await pass(WAIT_MS - 1);
		assert.equal(ready, false);
		await pass(1);
		assert.equal(ready, true);
	});
});

describe('a phone’s servers', () => {
	let phone, socket;

	beforeEach(() => install());
	afterEach(() => phone.close());

	async function dial() {
		const coming = phone.call('per@beta.test');
		await settle();
		socket.ok(socket.got('call'));
		return coming;
	}

	test('phone: the site’s servers, asked with the token after signing in, go into the connection', async () => {
		FakeApi.answer = () => ({ iceServers: servers(1), ttl_s: 100 });
		({ phone, socket } = await online(Phone));
		await dial();
		assert.deepEqual(FakeApi.asked, ['GET https://alpha.test/api/v1/ice Bearer secret']);
		assert.deepEqual(FakePeer.last.config.iceServers, servers(1));
		assert.equal(FakePeer.last.config.iceTransportPolicy, undefined);
	});
	test('phone: new credentials reach a call that is on, and change nothing else of it', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		const performanceNow = performance.now;
		let now = performance.now();
		performance.now = () => now;
		try {
			let n = 0;
			FakeApi.answer = () => ({ iceServers: servers(++n), ttl_s: 100 });
			({ phone, socket } = await online(Phone, { iceTransportPolicy: 'relay' }));
			await dial();
			const before = FakePeer.last.config;
			now += 80_000;
			mock.timers.tick(80_000);
			await settle();
			assert.deepEqual(FakePeer.last.config, { ...before, iceServers: servers(2) });
			assert.equal(before.iceTransportPolicy, 'relay');
		} finally {
			performance.now = performanceNow;
			mock.timers.reset();
		}
	});
	test('phone: the page’s own servers win, and nothing is asked', async () => {
		({ phone, socket } = await online(Phone, { iceServers: [{ urls: 'stun:mine.test' }] }));
		await dial();
		assert.deepEqual(FakeApi.asked, []);
		assert.deepEqual(FakePeer.last.config.iceServers, [{ urls: 'stun:mine.test' }]);
	});
});
