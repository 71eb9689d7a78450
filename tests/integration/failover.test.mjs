// limit: 240 s
// Where a domain's targets fail (each test has a domain of its own: the edge remembers what failed): refused, silent, 503, wrong certificates, no DNS.
//
//                                            ┌─ .71 RST
//   bob ──wss──► beta.test (.20) ══SRV══► gamma ─ .72 takes TCP, never speaks TLS
//                                            ├─ .73 503
//                                            └─ .74 answers
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import * as sdp from '../lib/sdp.mjs';
import { Incoming, SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';
import { SLOW } from '../lib/world.mjs';

let world, ca, dns, beta, bob;
const sites = [];

before(async () => {
	({ world, ca, dns, beta } = await twoSites());
	for (const n of [71, 72, 73, 74])
		await world.address(n);
	bob = await beta.client('bob');
});
after(async () => {
	for (const site of sites)
		await site.close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	await beta.idle();
	while (sites.length > 0)
		await sites.pop().close();
});

const target = (n, priority, extra = {}) => ({ priority, weight: 10, port: 5061, host: `t${n}`, address: `198.18.0.${n}`, ...extra });

async function gammaAt(domain, n, pair = ca.valid(domain)) {
	const site = await SipSite.listen({ domain, pair, ca: ca.root, address: `198.18.0.${n}` });
	sites.push(site);
	return site;
}

/** Takes connections and says nothing, or resets them at once. */
async function mute(n, { reset = false } = {}) {
	const open = new Set();
	const server = createServer((socket) => {
		socket.on('error', () => {});
		open.add(socket);
		if (reset)
			socket.resetAndDestroy();
	});
	await new Promise((resolve) => server.listen(5061, `198.18.0.${n}`, resolve));
	sites.push({ close: () => new Promise((resolve) => {
		for (const socket of open)
			socket.destroy();
		server.close(resolve);
	}) });
	return open;
}

async function ended(id, ms = 36_000) {
	return (await bob.event('ended', { call: id }, ms)).cause;
}

test('RST, then silence after TCP, then 503: the fourth target answers, one dialog', async () => {
	dns.site('gamma0.test', '198.18.0.74', { targets: [target(71, 0), target(72, 1), target(73, 2), target(74, 3)] });
	await dns.serve();
	await mute(71, { reset: true });
	await mute(72);
	const busy = await gammaAt('gamma0.test', 73);
	const good = await gammaAt('gamma0.test', 74);
	const start = performance.now();
	const { id } = await dial(bob, 'gunda@gamma0.test');
	(await busy.request('INVITE', 15_000)).reply(503);
	const invite = await good.request('INVITE', 15_000);
	const took = performance.now() - start;
	assert.ok(took < 9000 * SLOW, `three failures took ${took} ms; 4 s at most for the silent one`);
	const answer = sdp.answer('fourth');
	invite.reply(200, { body: answer });
	await good.request('ACK');
	assert.equal((await bob.event('answered', { call: id })).sdp, answer);
	await busy.request('ACK');
	assert.equal(busy.received('INVITE').length, 1);
	assert.equal(good.received('INVITE').length, 1);
	await bob.request('hangup', { call: id });
	(await good.request('BYE')).reply(200);
	await ended(id);
});

test('a target that shakes hands and is silent: the next one gets a new INVITE, a late 200 gets ACK and BYE', async () => {
	dns.site('gamma1.test', '198.18.0.74', { targets: [target(73, 0), target(74, 1)] });
	await dns.serve();
	const silent = await gammaAt('gamma1.test', 73);
	const good = await gammaAt('gamma1.test', 74);
	const { id } = await dial(bob, 'gunda@gamma1.test');
	const first = await silent.request('INVITE');
	const invite = await good.request('INVITE', 15_000);
	assert.notEqual(invite.message.branch(), first.message.branch());
	invite.reply(200, { body: sdp.answer('good') });
	await good.request('ACK');
	assert.match((await bob.event('answered', { call: id })).sdp, /^s=good/m);
	first.reply(200, { body: sdp.answer('late') });
	const ack = await silent.request('ACK');
	const bye = await silent.request('BYE');
	assert.equal(ack.message.tag('To'), bye.message.tag('To'));
	bye.reply(200);
	assert.equal(bob.count('answered', { call: id }), 1);
	await bob.request('hangup', { call: id });
	(await good.request('BYE')).reply(200);
	await ended(id);
});

test('a target that shakes hands late and then is silent has its four seconds once', async () => {
	dns.site('gamma7.test', '198.18.0.74', { targets: [target(73, 0), target(74, 1)] });
	await dns.serve();
	const silent = await SipSite.listen({ domain: 'gamma7.test', pair: ca.valid('gamma7.test'), ca: ca.root, address: '198.18.0.73', port: 5062 });
	sites.push(silent);
	const open = new Set();
	const late = createServer((socket) => {
		socket.on('error', () => {});
		open.add(socket);
		// The lateness is the fault that is tried; nothing is waited for here.
		setTimeout(() => {
			const on = connect(5062, '198.18.0.73');
			on.on('error', () => {});
			open.add(on);
			socket.pipe(on).pipe(socket);
		}, 3000);
	});
	await new Promise((resolve) => late.listen(5061, '198.18.0.73', resolve));
	sites.push({ close: () => new Promise((resolve) => {
		for (const socket of open)
			socket.destroy();
		late.close(resolve);
	}) });
	const good = await gammaAt('gamma7.test', 74);
	const start = performance.now();
	const { id } = await dial(bob, 'gunda@gamma7.test');
	await silent.request('INVITE', 15_000);
	const invite = await good.request('INVITE', 15_000);
	const took = performance.now() - start;
	assert.ok(took < 5500 + 1000 * (SLOW - 1), `one target took ${took} ms`);
	invite.reply(200, { body: sdp.answer('good') });
	await good.request('ACK');
	await bob.event('answered', { call: id });
	await bob.request('hangup', { call: id });
	(await good.request('BYE')).reply(200);
	await ended(id);
});

test('every target fails: an answer within 32 s that says why', async () => {
	dns.site('gamma2.test', '198.18.0.74', { targets: [target(71, 0), target(72, 1)] });
	await dns.serve();
	await mute(71, { reset: true });
	await mute(72);
	const start = performance.now();
	const { id } = await dial(bob, 'gunda@gamma2.test');
	const cause = await ended(id);
	assert.ok(performance.now() - start < 32_000 * SLOW);
	assert.equal(cause.reason, 'unreachable');
	assert.match(cause.text, /gamma2\.test/);
});

test('why it could not be reached, in words', async () => {
	await gammaAt('expired.test', 71, ca.expired('expired.test'));
	await gammaAt('wrong-name.test', 72, ca.wrongName('wrong-name.test', 'other.test'));
	for (const [domain, n, words] of [['expired.test', 71, /expired\.test.*certificate.*expired/i], ['wrong-name.test', 72, /wrong-name\.test.*certificate/i],
		['nobody-there.test', 73, /nobody-there\.test.*refused/]]) {
		dns.site(domain, '198.18.0.74', { targets: [target(n, 0)] });
		await dns.serve();
		const { id } = await dial(bob, `gunda@${domain}`);
		const cause = await ended(id);
		assert.equal(cause.reason, 'unreachable', JSON.stringify(cause));
		assert.match(cause.text, words);
	}
});

test('a poisoned SRV record ends in a refused handshake', async () => {
	const eve = await gammaAt('gamma4.test', 71, ca.valid('eve.test'));
	dns.site('gamma4.test', '198.18.0.71', { targets: [target(71, 0)] });
	await dns.serve();
	const { id } = await dial(bob, 'gunda@gamma4.test');
	const cause = await ended(id);
	assert.equal(cause.reason, 'unreachable');
	assert.equal(eve.received('INVITE').length, 0, 'nothing of the call reached it');
});

test('weights spread calls over targets of one priority', async () => {
	dns.site('gamma5.test', '198.18.0.74', { targets: [target(73, 0, { weight: 1 }), target(74, 0, { weight: 1 })] });
	await dns.serve();
	const [one, two] = [await gammaAt('gamma5.test', 73), await gammaAt('gamma5.test', 74)];
	const serve = (site) => {
		site.arrived = (link, message) => {
			site.log.push({ link, message });
			if (message.method === 'INVITE')
				new Incoming(link, message).reply(486);
		};
	};
	serve(one);
	serve(two);
	for (let i = 0; i < 24; i++)
		await ended((await dial(bob, 'gunda@gamma5.test')).id);
	const counts = [one, two].map((s) => s.received('INVITE').length);
	assert.equal(counts[0] + counts[1], 24);
	assert.ok(counts.every((c) => c >= 2), `both are used: ${counts}`);
});

test('no NAPTR: SRV is enough; neither: the address record', async () => {
	const good = await gammaAt('gamma6.test', 74);
	for (const lines of [
		['@ A 198.18.0.99', '_sips._tcp SRV 0 0 5061 t74', 't74 A 198.18.0.74'],
		['@ A 198.18.0.74'],
		['@ A 198.18.0.74', '@ NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.gamma6.test.', '@ NAPTR 20 10 "s" "SIPS+D2T" "" _sips._tcp.gamma6.test.',
			'_sips._tcp SRV 0 0 5061 gamma6.test.'],
	]) {
		dns.zone('gamma6.test', lines);
		await dns.serve();
		const { id } = await dial(bob, 'gunda@gamma6.test');
		const invite = await good.request('INVITE');
		invite.reply(486);
		await good.request('ACK');
		assert.equal((await ended(id)).reason, 'busy');
	}
});

test('DNS is down: a clear error in time, and calls work again afterwards', async () => {
	dns.site('gamma7.test', '198.18.0.74', { targets: [target(74, 0)] });
	const good = await gammaAt('gamma7.test', 74);
	await dns.stop();
	const { id } = await dial(bob, 'gunda@other-name.test');
	const cause = await ended(id);
	assert.equal(cause.reason, 'unreachable');
	assert.match(cause.text, /other-name\.test/);
	await dns.serve();
	const second = await dial(bob, 'gunda@gamma7.test');
	(await good.request('INVITE', 15_000)).reply(486);
	await good.request('ACK');
	await ended(second.id);
});
