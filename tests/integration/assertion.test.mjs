// limit: 180 s
// Who calls, in the words of an identity provider that is neither site's: judged by the callee's site before it rings, and
// handed through untouched. No browser: what it does with that is tests/browser's.
//
//   alice ──wss──► alpha.test (.10) ══SIP══► beta.test (.20) ──wss──► bob
//                                               └── https ──► idp.test, slow.test, bare.test (.62, this test)
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { Provider, attach, contents, line, now } from '../lib/assertion.mjs';
import { http } from '../lib/client.mjs';
import * as sdp from '../lib/sdp.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { until } from '../lib/world.mjs';
import { dial, establish, hangUp } from '../lib/talk.mjs';

/** What a page of the provider sends along. */
const PAGE = { 'X-Sluss-IdP': '1', 'Sec-Fetch-Site': 'same-origin', Origin: 'https://idp.alpha.test' };
let world, ca, dns, alpha, beta, idp, silent, alice, bob, berta;

before(async () => {
	({ world, ca, dns, alpha, beta } = await twoSites({ idp: true }));
	const address = await world.address(62);
	for (const domain of ['idp.test', 'other.test'])
		dns.site(domain, address);
	dns.site('down.test', await world.address(64)); // nobody listens there
	const mute = await world.address(63);
	dns.site('silent.test', mute);
	silent = createServer(); // takes connections, and says nothing
	await new Promise((resolve) => silent.listen(443, mute, resolve));
	await dns.serve();
	idp = await Provider.listen({ domain: 'idp.test', pair: ca.leaf('idp', { cn: 'idp.test', san: ['DNS:idp.test', 'DNS:other.test'] }), address });
	alice = await alpha.client('alice');
	bob = await beta.client('bob');
	berta = await beta.client('berta');
});
after(async () => {
	idp?.close();
	silent?.close();
	await world?.close();
});
afterEach(async () => {
	for (const client of [alice, bob, berta])
		client.check();
	await alpha.idle();
	await beta.idle();
});

/** Calls bob; gives what he is told of the caller, and how long it took to ring. */
async function called(offer, from = alice) {
	const begun = performance.now();
	const { id } = await dial(from, 'bob@beta.test', { offer });
	const incoming = await bob.event('incoming', {}, 10_000);
	const ms = performance.now() - begun;
	assert.equal(incoming.sdp, offer, 'byte for byte');
	await bob.request('reject', { call: incoming.call, reason: 'busy' });
	await from.event('ended', { call: id });
	await bob.event('ended', { call: incoming.call });
	return { identity: incoming.from.identity, ms };
}

async function refused(offer, from = alice) {
	const n = bob.count('incoming');
	const { id } = await dial(from, 'bob@beta.test', { offer });
	const { cause } = await from.event('ended', { call: id });
	await bob.settled();
	assert.equal(bob.count('incoming'), n, 'nothing rang');
	return cause;
}

/** What becomes of a call to bob: 438, or what he is told of the identity. */
async function verdict(offer) {
	const rung = bob.count('incoming');
	const { id } = await dial(alice, 'bob@beta.test', { offer });
	await until(5000, () => bob.count('incoming') > rung || alice.count('ended', { call: id }), 'it rings, or is refused');
	if (bob.count('incoming') === rung) {
		const { cause } = await alice.event('ended', { call: id });
		assert.equal(cause.code, 438);
		return cause.code;
	}
	const incoming = await bob.event('incoming');
	await bob.request('reject', { call: incoming.call, reason: 'busy' });
	await alice.event('ended', { call: id });
	await bob.event('ended', { call: incoming.call });
	return incoming.from.identity.status;
}

test('a name of a third domain is verified before it rings, from another site and inside one', async () => {
	const profile = { name: 'Ann Other', email: 'ann@mail.test', email_verified: true };
	for (const from of [alice, berta]) {
		const { identity } = await called(idp.vouch(sdp.offer('who'), { claims: { profile, ctx: 'native' } }), from);
		assert.deepEqual(identity, { status: 'verified', idp: 'idp.test', name: 'ann@idp.test', origin: 'https://shop.test', ctx: 'native', profile });
	}
	assert.deepEqual(idp.asked, ['/.well-known/sluss/jwks.json'], 'asked once');
	assert.deepEqual((await called(sdp.offer('nobody'))).identity, { status: 'none' });
});

test('offer and answer go through byte for byte, and so do those of a change', async () => {
	const offer = idp.vouch(sdp.offer('bytes')), answer = idp.vouch(sdp.answer('bytes too'), { sub: 'bob@idp.test' });
	const call = await establish(alice, bob, 'bob@beta.test', { offer, answer });
	for (const [from, mine, to, theirs] of [[alice, call.a, bob, call.b], [bob, call.b, alice, call.a]]) {
		const more = idp.vouch(sdp.offer('more', { video: true })), less = idp.vouch(sdp.answer('less', { video: true }));
		await from.request('offer', { call: mine, sdp: more });
		assert.equal((await to.event('offer', { call: theirs })).sdp, more);
		await to.request('answer', { call: theirs, sdp: less });
		assert.equal((await from.event('answer', { call: mine })).sdp, less);
	}
	await hangUp(alice, call.a, bob, call.b);
});

test('a fingerprint that was changed on the way is refused with 438', async () => {
	const offer = idp.vouch(sdp.offer('tampered'));
	const other = offer.replace(/(a=fingerprint:sha-256 )(.)/, (m, a, c) => a + (c === '0' ? '1' : '0'));
	assert.notEqual(other, offer);
	for (const from of [alice, berta]) {
		const cause = await refused(other, from);
		assert.deepEqual({ code: cause.code, reason: cause.reason }, { code: 438, reason: 'forbidden' });
	}
});

test('a provider without published keys leaves it open, and so does one of another kind', async () => {
	idp.answer = (request, response) => response.writeHead(404).end();
	const { identity } = await called(idp.vouch(sdp.offer('bare'), { domain: 'other.test', sub: 'ann@other.test', claims: { iss: 'https://other.test' } }));
	assert.equal(identity.status, 'unverified');
	assert.equal(identity.idp, 'other.test');
	assert.equal(identity.name, undefined);
	assert.match(identity.why, /could not be had: the server answered with 404/);
	delete idp.answer;
	const foreign = await called(attach(sdp.offer('foreign'), line('idp.test', '{"anything":"at all"}', 'mine')));
	assert.equal(foreign.identity.status, 'unverified');
	assert.match(foreign.identity.why, /form that is not known/);
});

test('a provider out of reach holds a call up for 3 s at most, once', async () => {
	const offer = () => idp.vouch(sdp.offer('silent'), { domain: 'silent.test', sub: 'ann@silent.test', claims: { iss: 'https://silent.test' } });
	const first = await called(offer());
	assert.equal(first.identity.status, 'unverified');
	assert.ok(first.ms > 1000, `it was waited for: ${first.ms} ms`);
	assert.ok(first.ms < 3600, `${first.ms} ms`);
	const second = await called(offer());
	assert.equal(second.identity.status, 'unverified');
	assert.ok(second.ms < 1000, `known to be out of reach: ${second.ms} ms`);
});

test('a new key of the provider is found when it is used', async () => {
	await called(idp.vouch(sdp.offer('old key')));
	const begun = now();
	idp.rotate();
	const n = idp.asked.length;
	// an unknown key has the set fetched again once what lies there is ten seconds old
	await until(15_000, async () => (await verdict(idp.vouch(sdp.offer('new key')))) === 'verified', 'the new key is known');
	assert.ok(now() - begun < 15, 'in time');
	assert.ok(idp.asked.length - n <= 2, `${idp.asked.length - n} fetches`);
	assert.equal((await called(idp.vouch(sdp.offer('both'), { key: idp.keys[1] }))).identity.status, 'verified', 'the old one is still good');
});

test('bob takes calls of people with a verified name, or e-mail address, alone', async () => {
	const rules = (method, body) => http(beta, method, '/api/v1/account/rules', { token: bob.token, body });
	const set = async (ring) => assert.equal((await rules('POST', { ring })).status, 204);
	const named = idp.vouch(sdp.offer('named'));
	const mailed = idp.vouch(sdp.offer('mailed'), { claims: { profile: { email: 'ann@mail.test', email_verified: true } } });
	const unsure = idp.vouch(sdp.offer('unsure'), { claims: { profile: { email: 'ann@mail.test', email_verified: false } } });
	assert.deepEqual((await rules('GET')).json, { ring: 'anyone', relay: 'site' });
	assert.equal((await rules('POST', { ring: 'friends' })).status, 400);
	await set('verified-name');
	assert.deepEqual((await rules('GET')).json, { ring: 'verified-name', relay: 'site' });
	for (const from of [alice, berta]) {
		const cause = await refused(sdp.offer('nobody'), from);
		assert.equal(cause.reason, 'forbidden');
		assert.equal(cause.code, 403);
		await called(named, from);
	}
	// one whose provider is down, or silent: nobody can tell, so it is not a verified name
	for (const domain of ['down.test', 'silent.test']) {
		const begun = performance.now();
		const cause = await refused(idp.vouch(sdp.offer(domain), { domain, sub: `ann@${domain}`, claims: { iss: `https://${domain}` } }));
		assert.deepEqual([cause.reason, cause.code], ['forbidden', 403]);
		assert.match(cause.text, /only takes calls of people whose identity provider vouches for their name/);
		assert.ok(performance.now() - begun < 3600, `${domain}: ${performance.now() - begun} ms`);
	}
	await set('verified-email');
	await refused(unsure);
	await refused(named);
	await called(mailed);
	// it outlives the daemon
	await bob.close();
	await berta.close();
	await beta.stop();
	await beta.start();
	bob = await beta.client('bob');
	berta = await beta.client('berta');
	await refused(named);
	await called(mailed);
	await set('anyone');
	await called(sdp.offer('anybody'));
});

/** alice's own site vouches for this description. */
async function vouchedByAlpha(cookie, description) {
	const answer = await http(alpha.idp(), 'POST', '/idp/v1/assert', { body: { contents: contents(description), origin: 'https://alpha.test', ctx: 'native' }, headers: { ...PAGE, Cookie: cookie } });
	assert.equal(answer.status, 200, answer.text);
	return attach(description, Buffer.from(JSON.stringify(answer.json)).toString('base64'));
}

test('the identity provider of a site is believed by other sites, and by itself without asking', async () => {
	const session = await http(alpha.idp(), 'POST', '/idp/v1/session', { body: { user: 'alice', password: PASSWORD }, headers: PAGE });
	assert.equal(session.status, 200, session.text);
	const cookie = session.headers['set-cookie'][0].split(';')[0];
	const allowed = await http(alpha.idp(), 'POST', '/idp/v1/consents', { body: { origin: 'https://alpha.test', frames: true }, headers: { ...PAGE, Cookie: cookie } });
	assert.equal(allowed.status, 200, allowed.text);
	const anna = await alpha.client('anna');
	for (const round of ['first', 'rotated']) {
		// beta asks for the keys again, by itself, when one is unknown and what it has is ten seconds old; until then it has to refuse
		if (round === 'rotated')
			await until(15_000, async () => (await verdict(await vouchedByAlpha(cookie, sdp.offer('rotating')))) === 'verified', 'the new key is known');
		const away = await called(await vouchedByAlpha(cookie, sdp.offer(`${round}, away`)));
		assert.equal(away.identity.status, 'verified', JSON.stringify(away.identity));
		assert.equal(away.identity.name, 'alice@alpha.test');
		assert.equal(away.identity.ctx, 'native');
		const { id } = await dial(alice, 'anna@alpha.test', { offer: await vouchedByAlpha(cookie, sdp.offer(`${round}, at home`)) });
		const incoming = await anna.event('incoming');
		assert.equal(incoming.from.identity.status, 'verified', JSON.stringify(incoming.from.identity));
		assert.equal(incoming.from.identity.name, 'alice@alpha.test');
		await anna.request('reject', { call: incoming.call, reason: 'busy' });
		await alice.event('ended', { call: id });
		await anna.event('ended', { call: incoming.call });
		if (round === 'first')
			assert.equal((await alpha.ctl('idp', 'rotate', 'alpha.test')).code, 0);
	}
	assert.equal([...beta.proc.text.matchAll(/idp\.keys\.fetched url="https:\/\/alpha\.test/g)].length, 2, 'once for each key');
	assert.doesNotMatch(alpha.proc.text, /idp\.keys\.fetched/, 'alpha has not asked itself');
	assert.match(beta.proc.text, /idp\.keys\.fetched url="https:\/\/alpha\.test\/\.well-known\/sluss\/jwks\.json"/);
	await anna.close();
});

test('a site may let wrong ones ring, marked', async () => {
	beta.lines = ['identity {', '\tshow-wrong-assertions = true', '}'];
	beta.write();
	await bob.close();
	await berta.close();
	await beta.stop();
	await beta.start();
	bob = await beta.client('bob');
	berta = await beta.client('berta');
	const { identity } = await called(idp.vouch(sdp.offer('wrong'), { sub: 'ann@other.test' }));
	assert.deepEqual(identity, { status: 'failed', idp: 'idp.test', why: 'idp.test does not vouch for names of other.test' });
});
