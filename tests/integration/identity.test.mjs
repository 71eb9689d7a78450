// limit: 240 s
// What a site signs (RFC 8224): every description that goes to another domain, checked by a verifier of the tests' own.
//
//   bob ──wss──► beta.test (.20) ══TLS══ gamma.test (.61, this test)
//   alice ─wss─► alpha.test (.10), an RSA certificate
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { swap } from '../lib/ca.mjs';
import { http } from '../lib/client.mjs';
import { check, secsipidx } from '../lib/passport.mjs';
import * as sdp from '../lib/sdp.mjs';
import { Message, SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';
import { judge, serves, witness } from '../lib/witness.mjs';

let world, ca, dns, alpha, beta, gamma, alice, bob, link;

before(async () => {
	({ world, ca, dns, alpha, beta } = await twoSites({
		users: { alpha: ['alice'], beta: ['bob', '+4930123456'] },
		tune: (options, name, authority) => {
			if (name === 'alpha')
				options.sites[0].pair = authority.rsa('alpha.test');
		},
	}));
	const address = await world.address(61);
	dns.site('gamma.test', address);
	await dns.serve();
	gamma = await SipSite.listen({ domain: 'gamma.test', pair: ca.valid('gamma.test'), ca: ca.root, address });
	link = await gamma.dial('198.18.0.20', 'beta.test');
	bob = await beta.client('bob');
	alice = await alpha.client('alice');
});
after(async () => {
	await gamma?.close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	alice.check();
	await beta.idle();
});

/** bob calls gunda; gives the INVITE, unanswered. */
async function called(client = bob) {
	const { id, offer } = await dial(client, 'gunda@gamma.test');
	return { id, offer, invite: await gamma.request('INVITE') };
}

async function refuse({ invite, id }, client = bob) {
	invite.reply(486);
	await gamma.request('ACK');
	await client.event('ended', { call: id });
}

test('an INVITE is signed by its site, with the media key that is in it', async () => {
	const call = await called();
	const { payload, identity, chain } = await check(beta, call.invite.message);
	assert.deepEqual(payload.orig, { uri: 'sip:bob@beta.test' });
	assert.deepEqual(payload.dest, { uri: ['sip:gunda@gamma.test'] });
	assert.equal(payload.mky.length, 1);
	assert.match(payload.mky[0].dig, /^[0-9A-F]{64}$/);
	const theirs = secsipidx(identity, chain);
	assert.ok(theirs.ok, `secsipidx takes it: ${theirs.said}`);
	const tampered = identity.replace(/\.([^.;]{10})/, (m, p) => `.${p.split('').reverse().join('')}`);
	assert.ok(!secsipidx(tampered, chain).ok, 'and refuses another');
	await refuse(call);
});

test('what any test sees of signatures is judged when its world closes: one hex digit of a description, one letter of a name', async () => {
	const call = await called();
	await judge(); // this one, and those before it
	const { start, headers, body } = call.invite.message;
	const changed = (edit) => new Message(start, headers.map(([name, value]) => [name, edit[name]?.(value) ?? value]), Buffer.from(edit.body?.(String(body)) ?? body));
	for (const [edit, why] of [[{ body: (text) => text.replace(/(fingerprint:\S+ )(.)/, (all, begin, digit) => begin + (digit === '0' ? '1' : '0')) }, /438 mky/],
		[{ From: (value) => value.replace('bob@', 'bub@') }, /438 orig/], [{ To: (value) => value.replace('gunda@', 'gunde@') }, /438 dest/]]) {
		witness(changed(edit), '198.18.0.20');
		await assert.rejects(judge(), why);
	}
	serves('beta.test', '198.18.0.77');
	witness(call.invite.message, '198.18.0.20');
	serves('beta.test', '198.18.0.20');
	await assert.rejects(judge(), /436 info/, 'a chain that cannot be had');
	witness(changed({}), '198.18.0.20');
	await judge();
	await refuse(call);
});

test('each INVITE has a signature of its own, also when a target is tried after another', async () => {
	const first = await called();
	const before = await check(beta, first.invite.message);
	first.invite.reply(422, { headers: [['Min-SE', '1900']] });
	await gamma.request('ACK');
	const again = await gamma.request('INVITE');
	assert.equal(again.message.get('Call-ID'), first.invite.message.get('Call-ID'));
	const after422 = await check(beta, again.message);
	assert.notEqual(after422.identity, before.identity);
	await refuse({ ...first, invite: again });
});

test('re-INVITEs are signed, whichever side made the call', async () => {
	const out = await called();
	out.invite.reply(200, { body: sdp.answer('gunda') });
	await gamma.request('ACK');
	await bob.event('answered', { call: out.id });
	await bob.request('offer', { call: out.id, sdp: sdp.offer('video', { video: true }) });
	const ours = await gamma.request('INVITE');
	const one = await check(beta, ours.message);
	assert.deepEqual(one.payload.orig, { uri: 'sip:bob@beta.test' });
	ours.reply(200, { body: sdp.answer('gunda', { video: true }) });
	await gamma.request('ACK');
	await bob.event('answer', { call: out.id });
	await bob.request('hangup', { call: out.id });
	(await gamma.request('BYE')).reply(200);
	await bob.event('ended', { call: out.id });

	const call = link.call({ from: 'gunda@gamma.test', to: 'Bob@BETA.test:5061', uri: 'sip:bob@beta.test', body: sdp.offer('gunda') });
	const { call: id } = await bob.event('incoming');
	await bob.request('accept', { call: id });
	await bob.request('answer', { call: id, sdp: sdp.answer('bob') });
	call.ack(await call.response(200));
	await bob.event('established', { call: id });
	await bob.request('offer', { call: id, sdp: sdp.offer('video', { video: true }) });
	const theirs = await gamma.request('INVITE');
	const two = await check(beta, theirs.message);
	assert.deepEqual(two.payload.orig, { uri: 'sip:bob@beta.test' }, 'as From is, canonical');
	assert.deepEqual(two.payload.dest, { uri: ['sip:gunda@gamma.test'] });
	theirs.reply(488);
	await gamma.request('ACK');
	await bob.event('refused', { call: id });
	await bob.request('hangup', { call: id });
	(await gamma.request('BYE')).reply(200);
	await bob.event('ended', { call: id });
});

test('what has no description, and who is a telephone number, is not signed', async () => {
	const number = await beta.client('+4930123456');
	const call = await called(number);
	assert.deepEqual(call.invite.message.all('Identity'), [], 'a domain vouches for no number');
	await refuse(call, number);
	await number.close();

	const asked = await called();
	asked.invite.reply(180);
	await bob.request('hangup', { call: asked.id });
	const cancel = await gamma.request('CANCEL');
	assert.deepEqual(cancel.message.all('Identity'), []);
	cancel.reply(200);
	asked.invite.reply(487);
	await gamma.request('ACK');
	await bob.event('ended', { call: asked.id });
});

test('fingerprints that are not spelled as they must be are not signed, and not sent', async () => {
	const offer = sdp.offer('lower').replace(/(a=fingerprint:sha-256 )(.*)/g, (m, p, hex) => p + hex.toLowerCase());
	const { id } = await dial(bob, 'gunda@gamma.test', { offer }).catch(() => ({}));
	if (id) {
		const { cause } = await bob.event('ended', { call: id });
		assert.equal(cause.reason, 'media', JSON.stringify(cause));
	}
	assert.equal(gamma.inbox.filter((g) => g.message.method === 'INVITE').length, 0);
});

test('a renewed certificate: a new address, and the old one goes on', async () => {
	const old = await called();
	const was = await check(beta, old.invite.message);
	await refuse(old);
	swap(beta.sites[0].pair, ca.leaf('beta-renewed', { cn: 'beta.test' }));
	await beta.ctl('reload');
	const fresh = await called();
	const is = await check(beta, fresh.invite.message);
	assert.notEqual(is.info, was.info);
	await refuse(fresh);
	const still = await http(beta, 'GET', new URL(was.info).pathname);
	assert.equal(still.status, 200);
	assert.equal(still.text, was.chain);
	assert.equal((await http(beta, 'GET', '/.well-known/sluss/sip/none.pem')).status, 404);
	assert.equal((await http(beta, 'POST', new URL(was.info).pathname, { body: {} })).status, 405);
});

test('a site whose key is none of P-256 says so and calls unsigned; a second pair signs for it', async () => {
	assert.match(alpha.proc.text, /idp\.unsigned site=alpha\.test/);
	const test1 = await alpha.host.exec([...alpha.command(['-t', '-c', alpha.config])]);
	assert.match(test1.stderr, /warning: its key is none of P-256/);
	const call = await called(alice);
	assert.deepEqual(call.invite.message.all('Identity'), []);
	await refuse(call, alice);

	const second = ca.leaf('alpha-signs', { cn: 'alpha.test' });
	alpha.sites[0].lines = [`identity-certificate = "${second.cert}"`, `identity-key = "${second.key}"`];
	alpha.write();
	await alice.close();
	await alpha.stop();
	await alpha.start();
	alice = await alpha.client('alice');
	const signed = await called(alice);
	const { chain } = await check(alpha, signed.invite.message);
	assert.equal(chain, readFileSync(second.cert, 'utf8'));
	await refuse(signed, alice);
	assert.match(execFileSync('openssl', ['x509', '-noout', '-text'], { input: readFileSync(alpha.sites[0].pair.cert) }).toString(), /rsaEncryption/);
});
