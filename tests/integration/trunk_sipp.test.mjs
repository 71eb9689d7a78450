// limit: 180 s
// sipp as a trunk, by UDP and by TCP, both ways: a password, an early description with PRACK, refreshes. The caller is a
// program without media: what is looked at is the signalling, with the media plane of the daemon really in between.
//
//   alice ──wss──► alpha.test (.10) ══UDP, TCP══► sipp (.61)
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Client, signIn } from '../lib/client.mjs';
import * as sdp from '../lib/sdp.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';
import { TOP, until } from '../lib/world.mjs';

const ALPHA = '198.18.0.10', CALLS = 10;
let world, alpha, alice, address;

before(async () => {
	const trunk = (name, by, port, numbers) => [`trunk "${name}" {`, `\taddress = "${by}:198.18.0.61:${port}"`, '\tfrom-domain = "provider.test"',
		`\tnumbers = {"${numbers}"}`, '\tusers = {"alice@alpha.test"}', '\tauth-user = "4930"', '\tpassword = "hush hush"', '\tkeep-alive = 0',
		'\tminutes-per-day = 0', '\tcalls-per-user = 50', '}'];
	const set = await twoSites({
		tune: (o, name) => {
			if (name !== 'alpha')
				return;
			o.listen = [`tls:${ALPHA}:5061`, `udp:${ALPHA}:5060`, `tcp:${ALPHA}:5060`];
			o.sites[0].lines = ['country = 49', 'numbers = {"+49301234=alice"}'];
			o.lines = [...trunk('by-udp', 'udp', 5070, '+49'), ...trunk('by-tcp', 'tcp', 5072, '+44')];
			o.limits = { 'calls-per-user': 100, 'ws-rate': 1000 };
		},
	});
	({ world, alpha } = set);
	address = await world.address(61);
	alice = await alpha.client('alice');
});
after(() => world?.close());
afterEach(async () => {
	alice.check();
	await alpha.idle();
});

/** Does something listen at this port of ours? */
const listening = (port, proto) => readFileSync(`/proc/net/${proto}`, 'utf8').split('\n').some((l) =>
	l.trim().split(/\s+/)[1]?.endsWith(`:${port.toString(16).toUpperCase()}`)); // a bucket of five digits has no space before it
const sipp = (name, by, args) => world.here.spawn(['sipp', '-sf', join(TOP, 'tests/integration/sipp', `${name}.xml`), '-nostdin', '-t', by, '-i', address,
	'-timeout', '60s', '-timeout_error', ...args], { name: `sipp-${name}-${by}` });

for (const [by, t, port, number] of [['udp', 'u1', 5070, '+4940567'], ['tcp', 't1', 5072, '0044567']]) {
	test(`a number is called by ${by}, ${CALLS} times`, async () => {
		const proc = sipp('trunk_uas', t, ['-p', String(port), '-m', String(CALLS)]);
		await until(30_000, () => listening(port, by), 'sipp listens');
		for (let i = 0; i < CALLS; i++) {
			const { id } = await dial(alice, `${number}@alpha.test`);
			await alice.event('progress', { call: id, state: 'ringing' });
			const { sdp: answer, remote, rejoin } = await alice.event('answered', { call: id });
			assert.match(answer, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF/m, 'WebRTC is what a browser gets');
			assert.doesNotMatch(answer, /41000/, 'nothing of the trunk’s address');
			const [call] = await alpha.calls();
			assert.equal(call.media, 'anchor');
			assert.equal(call.encryption, 'to-gateway');
			if (i === 0) { /* it stays where it is */
				const hand = new Client(alpha.at(alpha.domain));
				const { token } = await signIn(hand.site, 'alice', PASSWORD);
				await hand.connect();
				await hand.request('hello', { version: 1, device: 'hand', token, elsewhere: true });
				await assert.rejects(hand.request('call', { call: 'take', to: remote.address, sdp: sdp.offer('take'), replaces: rejoin }), { code: 'bad-state' });
				assert.equal(hand.count('elsewhere'), 0, 'and is offered to nobody');
				await hand.close();
			}
			await alice.request('hangup', { call: id });
			await alice.event('ended', { call: id });
		}
		assert.deepEqual(await proc.exited, { code: 0, signal: null }, proc.text.slice(-2000));
		assert.match(alpha.proc.text, new RegExp(`call\\.trunk .*trunk=by-${by} dir=out user="alice@alpha.test" number="\\+44?9?\\d+" talk_s=\\d+ reason=hangup`));
	});

	test(`a call comes by ${by}, ${CALLS} times`, async () => {
		const proc = sipp('trunk_uac', t, [`${ALPHA}:5060`, '-p', String(port + 1), '-m', String(CALLS), '-r', '5', '-l', '1']);
		for (let i = 0; i < CALLS; i++) {
			const incoming = await alice.event('incoming', {}, 20_000);
			assert.equal(incoming.from.address, '+4940567@alpha.test');
			assert.equal(incoming.from.name, 'Gunda');
			assert.match(incoming.sdp, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF/m);
			await alice.request('ringing', { call: incoming.call });
			await alice.request('accept', { call: incoming.call });
			await alice.request('answer', { call: incoming.call, sdp: sdp.answer('for a trunk') });
			await alice.event('established', { call: incoming.call });
			await alice.event('ended', { call: incoming.call });
		}
		assert.deepEqual(await proc.exited, { code: 0, signal: null }, proc.text.slice(-2000));
	});
}
