// two Phones, as in two tabs of one browser ──► FakeLocks (what the browser shares), each ◄──► its FakeSocket
import { afterEach, beforeEach, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { FakeLocks, incoming, install, online, settle } from './fake.mjs';

describe('ring', () => {
	let tabs;

	async function tab() {
		const { phone, socket } = await online(Phone);
		const one = { phone, socket, events: 0, rang: 0 };

		phone.addEventListener('incoming', () => one.rang++);
		phone.addEventListener('ring', () => one.events++);
		tabs.push(one);
		return one;
	}
	beforeEach(() => {
		install();
		tabs = [];
		globalThis.navigator.locks = new FakeLocks();
	});
	afterEach(() => tabs.forEach(({ phone }) => phone.close()));

	const ringing = () => tabs.map(({ phone }) => phone.ringing);

	test('ring: one tab of two; the other when its call is over there; none when it is over everywhere', async () => {
		const [one, two] = [await tab(), await tab()];

		one.socket.event('incoming', incoming('in-1'));
		two.socket.event('incoming', incoming('in-2'));
		await settle();
		assert.deepEqual([ringing(), one.rang, two.rang], [[true, false], 1, 1]);
		one.phone.calls[0].reject('busy');
		await settle();
		assert.deepEqual([ringing(), one.events, two.events], [[false, true], 2, 1]);
		two.socket.event('ended', { call: 'in-2', cause: { code: 487, reason: 'cancelled', text: 'x' } });
		await settle();
		assert.deepEqual([ringing(), two.events], [[false, false], 2]);
	});
	test('ring: as long as one of several calls rings, and again for the next', async () => {
		const one = await tab();

		one.socket.event('incoming', incoming('in-1'));
		one.socket.event('incoming', incoming('in-2'));
		await settle();
		one.phone.calls[0].reject();
		await settle();
		assert.deepEqual([ringing(), one.events], [[true], 1]);
		one.phone.calls[0].reject();
		await settle();
		assert.deepEqual(ringing(), [false]);
		one.socket.event('incoming', incoming('in-3'));
		await settle();
		assert.deepEqual([ringing(), one.events], [[true], 3]);
	});
	test('ring: a page that cannot be heard takes nobody’s turn, gives it up, and takes it when it can', async () => {
		const [one, two] = [await tab(), await tab()];

		one.phone.audible = false;
		one.socket.event('incoming', incoming('in-1'));
		await settle();
		assert.deepEqual([ringing(), one.rang], [[false, false], 1]);
		two.socket.event('incoming', incoming('in-2'));
		await settle();
		assert.deepEqual(ringing(), [false, true]);
		two.phone.audible = false;
		one.phone.audible = true;
		await settle();
		assert.deepEqual([ringing(), one.phone.audible, two.phone.audible], [[true, false], true, false]);
	});
	test('ring: given up before the turn came: nothing is held', async () => {
		const [one, two] = [await tab(), await tab()];

		one.socket.event('incoming', incoming('in-1'));
		two.socket.event('incoming', incoming('in-2'));
		two.phone.calls[0].reject();
		await settle();
		one.phone.calls[0].reject();
		await settle();
		assert.deepEqual([ringing(), two.events], [[false, false], 0]);
		two.socket.event('incoming', incoming('in-3'));
		await settle();
		assert.deepEqual(ringing(), [false, true]);
	});
	test('ring: without Web Locks, or where they are forbidden, every tab rings', async () => {
		delete globalThis.navigator.locks;
		const one = await tab();

		one.socket.event('incoming', incoming('in-1'));
		await settle();
		globalThis.navigator.locks = { request: async () => { throw new DOMException('no', 'SecurityError'); } };
		const two = await tab();

		two.socket.event('incoming', incoming('in-2'));
		await settle();
		assert.deepEqual(ringing(), [true, true]);
		one.phone.calls[0].reject();
		two.phone.calls[0].reject();
		await settle();
		assert.deepEqual(ringing(), [false, false]);
	});
	test('ring: nobody listens to `incoming`: it is not rung for', async () => {
		const { phone, socket } = await online(Phone);

		socket.event('incoming', incoming('in-1'));
		await settle();
		assert.equal(phone.ringing, false);
		phone.close();
	});
});
