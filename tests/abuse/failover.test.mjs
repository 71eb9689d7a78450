// tests/abuse/failover.test.mjs - case 96: a domain whose machines are down, mute, half dead or busy.
// limit: 420 s
//
//   alice ── WSS ──► slussd ══► .80 nobody listens (RST)      .81 accepts TCP, says nothing
//                           ══► .82 TLS, never answers SIP    .83 RST in mid-message    .84 answers 503
//                           ══► .85 the one that works
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import * as tls from 'node:tls';
import { after, before, test } from 'node:test';
import { offer } from '../lib/sdp.mjs';
import { SipSite, token } from '../lib/sip.mjs';
import { SLOW, until } from '../lib/world.mjs';
import { DnsFaults } from './lib/dns_faults.mjs';
import { Stand } from './lib/stand.mjs';

const BAD = { down: 80, mute: 81, silent: 82, reset: 83, busy: 84 };
const HOP_MS = 4000;
let stand, dns, alice, works, servers, tried;

before(async () => {
	stand = await Stand.start({
		users: ['alice@alpha.test', 'anna@alpha.test', 'arne@alpha.test'], peers: ['peer.test'],
		limits: { 'calls-per-user': 1000, 'calls-per-user-minute': 10_000, 'ws-rate': 10_000 },
	});
	dns = await DnsFaults.listen(await stand.world.address(54));
	alice = stand.device('alice@alpha.test');
	const names = Object.keys(BAD).flatMap((a) => [`${a}.test`, `${a}-then.test`]);
	const pair = stand.ca.leaf('everybody', { cn: 'site', san: ['all-bad.test', 'works.test', 'back.test', ...names].map((n) => `DNS:${n}`) });
	servers = [];
	tried = Object.fromEntries(Object.keys(BAD).map((k) => [k, 0]));
	for (const n of [...Object.values(BAD), 85])
		await stand.world.address(n);
	const mute = createServer((s) => { tried.mute++; s.on('error', () => {}); servers.push(s); });
	const options = { cert: readFileSync(pair.cert), key: readFileSync(pair.key), requestCert: true, rejectUnauthorized: false };
	const silent = tls.createServer(options, (s) => { tried.silent++; s.on('error', () => {}).on('data', () => {}); servers.push(s); });
	const reset = tls.createServer(options, (s) => {
		tried.reset++;
		s.on('error', () => {}).once('data', () => (s._parent ?? s).resetAndDestroy?.() ?? s.destroy());
	});
	for (const [server, n] of [[mute, 81], [silent, 82], [reset, 83]]) {
		server.on('tlsClientError', () => {});
		server.listen(5061, `198.18.0.${n}`);
		await once(server, 'listening');
		servers.push(server);
	}
	const site = (n) => SipSite.listen({ domain: 'site', pair, ca: stand.ca.root, address: `198.18.0.${n}` });
	const busy = await site(84);
	busy.arrived = (link, message) => {
		if (message.method !== 'INVITE')
			return;
		tried.busy++;
		SipSite.prototype.arrived.call(busy, link, message);
		busy.request('INVITE').then((i) => i.reply(503, { headers: [['Retry-After', '60']] }));
	};
	works = await site(85);
	servers.push(busy, works);
	const srv = (domain, list) => {
		dns.records(domain, 'NAPTR', [{ replacement: `_sips._tcp.${domain}` }])
			.records(`_sips._tcp.${domain}`, 'SRV', list.map((n, i) => ({ priority: i, target: `h${n}.${domain}` })));
		for (const n of list)
			dns.records(`h${n}.${domain}`, 'A', [{ address: `198.18.0.${n}` }]);
	};
	for (const [name, n] of Object.entries(BAD)) {
		srv(`${name}.test`, [n]);
		srv(`${name}-then.test`, [n, 85]);
	}
	srv('all-bad.test', Object.values(BAD));
	srv('works.test', [85]);
	srv('back.test', [80]);
	await stand.level();
	stand.base.fds += 14; // connections to those that take one are kept for the next call
});
after(async () => {
	for (const s of servers ?? []) {
		s.destroy?.();
		await s.close?.();
	}
	dns?.close();
	await stand?.close();
});

function abuse(name, run) {
	test(name, async () => {
		await run();
		await until(10_000, async () => (await stand.slussd.calls()).length === 0, 'no call is left');
		await stand.healthy();
	});
}

async function dial(to, who = alice) {
	const call = `f${token()}`;
	const start = performance.now();
	await who.request('call', { call, to, sdp: offer('failover') });
	return { call, start };
}

for (const name of Object.keys(BAD)) {
	abuse(`abuse_096_${name}`, async () => {
		// alone: the caller hears of it in time, and why
		const { call, start } = await dial(`x@${name}.test`);
		const { cause } = await alice.event('ended', { call }, 34_000);
		const ms = performance.now() - start;
		assert.ok(ms <= 32_500 * SLOW, `${name}: ended after ${ms} ms`);
		assert.ok(['unreachable', 'timeout', 'limit', 'other'].includes(cause.reason), `${name}: ${cause.reason}`);
		assert.ok([408, 480, 503, 504].includes(cause.code), `${name}: ${cause.code}`);
		assert.ok(cause.text.length > 10, cause.text);
		// before one that works: that one rings within 4 s
		const then = await dial(`x@${name}-then.test`);
		const invite = await works.request('INVITE', HOP_MS + 3000);
		const hop = performance.now() - then.start;
		assert.ok(hop <= (HOP_MS + 800) * SLOW, `${name}: the next one was reached after ${hop} ms`);
		invite.reply(486);
		assert.equal((await alice.event('ended', { call: then.call })).cause.reason, 'busy');
		assert.equal(works.received('INVITE').filter((m) => m.get('Call-ID') === invite.message.get('Call-ID')).length, 1, 'one INVITE');
	});
}

abuse('abuse_096_all_bad', async () => {
	const { call, start } = await dial('x@all-bad.test');
	const { cause } = await alice.event('ended', { call }, 34_000);
	const ms = performance.now() - start;
	assert.ok(ms <= 32_500 * SLOW, `five dead machines: ended after ${ms} ms`);
	assert.ok([408, 503].includes(cause.code), `${cause.code} ${cause.text}`);
});

abuse('abuse_096_hung_up_while_trying', async () => {
	for (const name of ['mute', 'silent', 'all-bad']) {
		const { call } = await dial(`x@${name}.test`);
		await alice.request('hangup', { call });
		assert.equal((await alice.event('ended', { call }, 3000)).cause.reason, 'cancelled', name);
	}
});

abuse('abuse_096_comes_back', async () => {
	const first = await dial('x@back.test');
	assert.equal((await alice.event('ended', { call: first.call }, 10_000)).cause.reason, 'unreachable');
	dns.records('h80.back.test', 'A', [{ address: '198.18.0.85' }]);
	works.request('INVITE', 12_000).then((i) => i.reply(486)).catch(() => {});
	await until(10_000, async () => {
		const again = await dial('x@back.test');
		return (await alice.event('ended', { call: again.call }, 8000)).cause.reason === 'busy';
	}, 'a domain that is back is reached again within 10 s');
});

/** `n` calls that fail, at most 60 at a time, from several users; gives how long they took. */
async function failing(n, domain) {
	const callers = [...stand.devices.values()];
	let left = n;
	const start = performance.now();
	await Promise.all(Array.from({ length: 60 }, async (_, i) => {
		const who = callers[i % callers.length];
		while (left-- > 0) {
			const { call } = await dial(`x@${domain}`, who);
			const { cause } = await who.event('ended', { call }, 34_000);
			assert.ok(['unreachable', 'limit'].includes(cause.reason), `${cause.reason}: ${cause.text}`);
			who.events.length = 0; // the client keeps all: not its memory is measured here
			who.log.length = 0;
		}
	}));
	return performance.now() - start;
}

abuse('abuse_096_ten_thousand', async () => {
	const n = SLOW > 1 ? 500 : 5000;
	const ms = await failing(n, 'down.test');
	const rss = stand.slussd.rssKib();
	await new Promise((resolve) => setTimeout(resolve, 36_000)); // transactions stay for 32 s: RFC 3261 §17, timers D and J
	await failing(n, 'down.test');
	if (SLOW === 1)
		assert.ok(stand.slussd.rssKib() < rss * 1.05 + 2048, `the second ${n} tries: ${stand.slussd.rssKib()} KiB, after the first ${rss} KiB`);
	assert.ok(ms < 100_000 * SLOW, `they took ${ms} ms`);
	// and a machine that resets every connection is not hammered: tries back off
	const before = tried.reset;
	await failing(200, 'reset.test');
	assert.ok(tried.reset - before <= 250, `200 calls made ${tried.reset - before} connections`);
});
