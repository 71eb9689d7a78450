// limit: 90 s
// ./dev demo as somebody new meets it: two sites on loopback, what it prints is true, and Ctrl-C leaves nothing.
//
//   alice ──http, ws──► alpha.localhost:8080 ══SIP, mutual TLS══► beta.localhost:8081 ◄── bob
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client } from '../lib/client.mjs';
import { establish, hangUp } from '../lib/talk.mjs';
import { BUILD, TOP, until, World } from '../lib/world.mjs';

test('the demo prints what one needs, calls cross the sites, Ctrl-C removes everything', async () => {
	const world = new World();
	const proc = world.here.spawn([join(TOP, 'tests/lib/demo.sh'), '--ports', '18080,18081'],
		{ name: 'demo', cwd: TOP, env: { SLUSS_TOP: TOP, SLUSS_BUILD: BUILD } });
	await proc.line(/Ctrl-C stops both/, 40_000);
	assert.match(proc.text, /ssh -N -L 18080:127\.0\.0\.1:18080 -L 18081:127\.0\.0\.1:18081 /);
	const said = [...proc.text.matchAll(/^ +([a-z]+)@((?:alpha|beta)\.localhost) +password (\S+)$/gm)];
	assert.deepEqual(said.map(([, user, domain]) => `${user}@${domain}`),
		['alice@alpha.localhost', 'anna@alpha.localhost', 'bob@beta.localhost', 'berta@beta.localhost']);
	const urls = [...proc.text.matchAll(/^ +(http:\/\/\S+)$/gm)].map(([, url]) => url);
	assert.deepEqual(urls, ['http://alpha.localhost:18080/', 'http://beta.localhost:18081/']);
	const signIn = ([, user, domain, password]) => Client.signIn({ domain, address: '127.0.0.1', url: urls.find((u) => u.includes(domain)) }, user, password);
	const alice = await signIn(said[0]);
	const bob = await signIn(said[2]);
	for (const [from, to, address] of [[alice, bob, 'bob@beta.localhost'], [bob, alice, 'alice@alpha.localhost']]) {
		const call = await establish(from, to, address);
		assert.equal(call.established.media, 'direct', 'by ssh no UDP comes to this machine');
		assert.equal(call.incoming.from.site.verified, true);
		await hangUp(from, call.a, to, call.b);
	}
	const dir = /(\S+build\/demo\.\w+)/.exec(proc.text)[1];
	assert.ok(existsSync(dir));
	const { code } = await proc.stop('SIGINT', 15_000);
	assert.equal(code, 0);
	assert.equal(existsSync(dir), false);
	await until(5000, () => readdirSync('/proc').filter((p) => /^\d+$/.test(p)).length <= 4, 'no process is left');
	await world?.close();
});
