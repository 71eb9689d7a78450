// tests/abuse/strangers.test.mjs - a flood over connections without a certificate. Each refusal of Sofia's is a
// transaction of up to 32 s, so only a few get one; the rest is refused by the edge, which remembers nothing.
// limit: 120 s
//
//   stranger 198.18.0.77, no certificate ══ TLS, many connections ══╗
//   peer.test 198.18.0.77, its certificate ══ TLS ══════════════════╩══► slussd alpha.test ◄── WSS ── bob
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { offer } from '../lib/sdp.mjs';
import { SLOW } from '../lib/world.mjs';
import { Stand } from './lib/stand.mjs';
import { plain, verdict } from './lib/wire.mjs';

const RATE = 10, BURST = 4 * RATE, CONNECTIONS = 20, EACH = 1000;
let stand;

before(async () => {
	stand = await Stand.start({ users: ['bob@alpha.test'], peers: ['peer.test'], limits: { 'sip-unproved-rate': RATE } });
});
after(async () => {
	await stand?.close();
});

const invite = (from) => plain('INVITE', { uri: 'sip:bob@alpha.test', from, address: stand.attacker, transport: 'TLS', body: offer('flood') });

/** Everything at once on one connection; gives what came back, once it is closed. */
async function flood() {
	const wire = await stand.tls({ pair: undefined });
	await wire.send(Buffer.concat(Array.from({ length: EACH }, () => invite('sip:eve@peer.test'))));
	await wire.find(() => false, 10_000);
	assert.ok(wire.down, 'the connection is closed');
	return wire.messages.map((m) => m.status);
}

test('a flood of those who prove nobody', async () => {
	const one = await stand.tls({ pair: undefined });
	assert.equal((await verdict(one, invite('sip:eve@peer.test'), stand.target, { expectAnswer: true })).status, 403, 'a single request is judged');
	one.close();
	const start = performance.now();
	const floods = Promise.all(Array.from({ length: CONNECTIONS }, flood));
	// meanwhile, from the same address, somebody who proves who he is
	let worst = 0, calls = 0;
	const known = await stand.tls();
	for (let over = false; !over || calls < 5; calls++) {
		const before = performance.now();
		assert.equal((await verdict(known, invite('sip:alice@peer.test'), stand.target, { expectAnswer: true })).status, 486, 'bob is rung, and busy');
		known.messages.length = 0;
		worst = Math.max(worst, performance.now() - before);
		over = await Promise.race([floods.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);
	}
	known.close();
	assert.ok(worst < 1000 * SLOW, `the longest a known peer waited: ${worst} ms`);
	const statuses = (await floods).flat();
	const took_s = (performance.now() - start) / 1000;
	const bySofia = statuses.filter((s) => s === 403).length;
	assert.ok(bySofia <= BURST + RATE * (took_s + 1), `${bySofia} transactions in ${took_s} s; ${BURST} at once and ${RATE} a second may be`);
	assert.ok(statuses.filter((s) => s === 503).length >= CONNECTIONS * 50, 'the others hear of it, until their connection is closed');
	assert.deepEqual([...new Set(statuses)].filter((s) => ![100, 403, 503].includes(s)), []);
	await stand.rung();
	await stand.healthy();
	assert.match(stand.log(), /edge\.excess/);
	assert.match(stand.log(), /it proves no domain and sends too many requests/);
});
