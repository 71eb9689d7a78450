// limit: 180 s
// Kamailio as the far site's SIP proxy: its TLS, its DNS, its Record-Route with two transports.
//
//   bob ──wss──► beta.test (.20) ══TLS══ gamma.test: Kamailio (.61) ──TCP── gunda (.62, scripted)
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import * as sdp from '../lib/sdp.mjs';
import { Incoming, SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';
import { TOP, until } from '../lib/world.mjs';

let world, beta, bob, gunda;

before(async () => {
	// Kamailio, as OpenSSL by default, wants a certificate that is good for clients as well.
	const both = { usage: 'serverAuth,clientAuth' };
	const set = await twoSites({ tune: (o, name, ca) => (o.sites[0].pair = ca.leaf(`${name}.test`, both)) });
	({ world, beta } = set);
	const address = await world.address(61);
	await world.address(62);
	set.dns.site('gamma.test', address);
	await set.dns.serve();
	const pair = set.ca.valid('gamma.test');
	writeFileSync('/run/kamailio-tls.cfg', ['[server:default]', '[client:default]'].map((section) =>
		`${section}\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\nprivate_key = ${pair.key}\n` +
		`certificate = ${pair.cert}\nca_list = ${set.ca.root}\n`).join('\n'));
	world.here.spawn(['kamailio', '-f', join(TOP, 'tests/interop/kamailio.cfg'), '-DD', '-E', '-Y', world.dir, '-P', join(world.dir, 'kamailio.pid'),
		'-m', '64', '-M', '8'], { name: 'kamailio' });
	gunda = await SipSite.listen({ domain: 'gamma.test', address: '198.18.0.62', port: 5070, plain: true });
	await until(15_000, async () => (await gunda.dialPlain('198.18.0.61', 5061)).close().then(() => true), 'Kamailio listens');
	bob = await beta.client('bob');
});
after(async () => {
	await gunda?.close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	await beta.idle();
});

test('a call to a user behind Kamailio: two Record-Routes are followed', async () => {
	const { id, offer } = await dial(bob, 'gunda@gamma.test');
	const invite = await gunda.request('INVITE');
	assert.equal(invite.message.text, offer);
	assert.ok(invite.message.all('Record-Route').join().split(',').length >= 2, 'one for each transport');
	invite.reply(180);
	await bob.event('progress', { call: id, state: 'ringing' });
	const answer = sdp.answer('behind Kamailio');
	invite.reply(200, { body: answer });
	await gunda.request('ACK');
	assert.equal((await bob.event('answered', { call: id })).sdp, answer);
	await bob.request('offer', { call: id, sdp: sdp.offer('more', { video: true }) });
	const again = await gunda.wait((m) => ['INVITE', 'UPDATE'].includes(m.method), 'the new offer');
	new Incoming(again.link, again.message).reply(200, { body: sdp.answer('more', { video: true }) });
	await bob.event('answer', { call: id });
	await bob.request('hangup', { call: id });
	(await gunda.request('BYE')).reply(200);
	await bob.event('ended', { call: id });
});

test('a call from behind Kamailio, which finds us by SRV and shows its certificate', async () => {
	const link = await gunda.dialPlain('198.18.0.61');
	const offer = sdp.offer('from behind Kamailio');
	const call = link.call({ from: 'gunda@gamma.test', to: 'bob@beta.test', body: offer });
	const incoming = await bob.event('incoming', {}, 15_000);
	assert.equal(incoming.sdp, offer);
	assert.deepEqual(incoming.from.site, { domain: 'gamma.test', verified: true, tls: true, identity: 'none' });
	await bob.request('ringing', { call: incoming.call });
	await call.response(180);
	await bob.request('accept', { call: incoming.call });
	await bob.request('answer', { call: incoming.call, sdp: sdp.answer('to Kamailio') });
	const ok = await call.response(200);
	call.ack(ok);
	await bob.event('established', { call: incoming.call });
	await bob.request('hangup', { call: incoming.call });
	const bye = await gunda.request('BYE');
	bye.reply(200);
	await bob.event('ended', { call: incoming.call });
});

test('CANCEL and refusal through Kamailio', async () => {
	const first = await dial(bob, 'gunda@gamma.test');
	const invite = await gunda.request('INVITE');
	invite.reply(180);
	await bob.event('progress', { call: first.id, state: 'ringing' });
	await bob.request('hangup', { call: first.id });
	(await gunda.request('CANCEL')).reply(200);
	invite.reply(487);
	await gunda.request('ACK');
	await bob.event('ended', { call: first.id });
	const second = await dial(bob, 'gunda@gamma.test');
	(await gunda.request('INVITE')).reply(486);
	await gunda.request('ACK');
	assert.equal((await bob.event('ended', { call: second.id })).cause.reason, 'busy');
});
