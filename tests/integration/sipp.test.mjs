// limit: 180 s
// sipp as a foreign SIP site, both ways. Debian's sipp has no TLS: a bridge of bytes does it for it.
//
//   bob ──wss──► beta.test (.20) ══mutual TLS══► bridge gamma.test (.61) ──TCP──► sipp
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import * as sdp from '../lib/sdp.mjs';
import { tlsInward, tlsOutward } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';
import { TOP, until } from '../lib/world.mjs';

const closing = [];
let world, beta, bob;

before(async () => {
	const set = await twoSites({ tune: (o) => (o.limits = { 'calls-per-user': 100, 'ws-rate': 1000 }) });
	({ world, beta } = set);
	const address = await world.address(61);
	set.dns.site('gamma.test', address);
	await set.dns.serve();
	const pair = set.ca.valid('gamma.test');
	closing.push(
		await tlsOutward({ listenPort: 6000, to: '198.18.0.20', servername: 'beta.test', pair, ca: set.ca.root, localAddress: address }),
		await tlsInward({ address, toPort: 6001, pair, ca: set.ca.root }),
	);
	bob = await beta.client('bob');
});
after(async () => {
	for (const close of closing)
		close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	await beta.idle();
});

/** Does something listen on this TCP port of ours? */
const listening = (port) => readFileSync('/proc/net/tcp', 'utf8').split('\n').some((l) =>
	l.split(/\s+/)[2]?.endsWith(`:${port.toString(16).toUpperCase()}`) && l.split(/\s+/)[4] === '0A');

const scenario = (name) => join(TOP, 'tests/integration/sipp', `${name}.xml`);
const sipp = (name, args) => world.here.spawn(['sipp', '-sf', scenario(name), '-nostdin', '-t', 't1', '-i', '127.0.0.1', '-timeout', '60s', ...args],
	{ name: `sipp-${name}` });

test('sipp calls, fifty times, ten a second', async () => {
	const calls = 50;
	const proc = sipp('uac', ['127.0.0.1:6000', '-p', '6010', '-m', String(calls), '-r', '10', '-l', '20']);
	for (let i = 0; i < calls; i++) {
		const incoming = await bob.event('incoming', {}, 30_000);
		assert.equal(incoming.from.address, 'gunda@gamma.test');
		assert.equal(incoming.from.name, 'Gunda');
		await bob.request('ringing', { call: incoming.call });
		await bob.request('accept', { call: incoming.call });
		await bob.request('answer', { call: incoming.call, sdp: sdp.answer('for sipp') });
	}
	assert.deepEqual(await proc.exited, { code: 0, signal: null }, proc.text.slice(-2000));
	assert.equal(bob.count('established'), calls);
});

test('sipp is called, twenty times', async () => {
	const calls = 20;
	const proc = sipp('uas', ['-p', '6001', '-m', String(calls)]);
	await until(10_000, () => listening(6001), 'sipp listens');
	for (let i = 0; i < calls; i++) {
		const { id } = await dial(bob, 'gunda@gamma.test');
		await bob.event('progress', { call: id, state: 'ringing' });
		assert.match((await bob.event('answered', { call: id })).sdp, /^s=sipp answers/m);
		await bob.request('hangup', { call: id });
		await bob.event('ended', { call: id });
	}
	assert.deepEqual(await proc.exited, { code: 0, signal: null }, proc.text.slice(-2000));
});
