// identities: a=identity read and written, who may be called what, and what becomes of a call when they are right,
// wrong, away, or missing later.   Phone and Call ◄──► FakeSocket, FakePeer, FakeFrame (the providers)
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { Phone } from '../../../webrtc/sdk/sluss.js';
import { contentsOf, covers, encode, identityOf, keysOf, mayName, proxyUrl, withIdentity } from '../../../webrtc/sdk/identity/assertion.js';
import { profileOf } from '../../../webrtc/sdk/identity/verifier.js';
import { FakePeer, FakeApi, incoming, install, online, settle } from './fake.mjs';
import { contents, Idps, installPage, line, removePage, sdpOf, withKeys } from './fake-idp.mjs';

const BETA = { domain: 'beta.test', protocol: 'sluss' };
const PER = 'per@beta.test';

describe('a=identity', () => {
	test('written as the last line before the first section, and read back; nothing else changes', () => {
		const sdp = sdpOf('A');
		const value = encode({ idp: BETA, assertion: 'ø' });
		const sent = withIdentity(sdp, value);

		assert.equal(sent.replace(`a=identity:${value}\r\n`, ''), sdp);
		assert.match(sent, /a=identity:\S+\r\nm=audio/);
		assert.deepEqual(identityOf(sent), { idp: BETA, assertion: 'ø', value });
		assert.equal(withIdentity(sdp, null), sdp);
	});
	test('the example of RFC 8827 §5 is read; extensions are skipped; the protocol has a default', () => {
		const example = 'eyJpZHAiOnsiZG9tYWluIjoiZXhhbXBsZS5vcmciLCJwcm90b2NvbCI6ImJvZ3VzIn0sImFzc2VydGlvbiI6IntcImlkZW50aXR5XCI6'
			+ 'XCJib2JAZXhhbXBsZS5vcmdcIixcImNvbnRlbnRzXCI6XCJhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3l6XCIsXCJzaWduYXR1cmVcIjpcIjAxMDIwMzA0MDUwNlwifSJ9';

		assert.deepEqual(identityOf(sdpOf('A', `a=identity:${example} x=1`)).idp, { domain: 'example.org', protocol: 'bogus' });
		assert.equal(identityOf(sdpOf('A', line({ domain: 'beta.test' }, 'x'))).idp.protocol, 'default');
	});
	test('none, one in a section, and such as cannot be read', () => {
		assert.equal(identityOf(sdpOf('A')), null);
		assert.equal(identityOf(`${sdpOf('A')}${line(BETA, 'x')}\r\n`), null);
		for (const bad of ['a=identity:%%%', `a=identity:${btoa('{')}`, `a=identity:${btoa('{"idp":{"domain":"b.test"}}')}`,
			`a=identity:${btoa('null')}`, line({ domain: 'b.test/x' }, 'y'), line({ domain: 'b.test', protocol: '../x' }, 'y'),
			line(BETA, 'x'.repeat(20000))])
			assert.deepEqual(identityOf(sdpOf('A', bad)), { bad: true }, bad.slice(0, 60));
	});
	test('keys: each once, of all levels; one that is written oddly makes all of them unknown', () => {
		assert.deepEqual(keysOf(sdpOf('AAB')).map(({ digest }) => digest.slice(0, 2)), ['AA', 'BB']);
		assert.equal(contentsOf(sdpOf('A')), contents('A'));
		assert.equal(contentsOf('v=0\r\nm=audio 9 x 0\r\n'), null);
		for (const odd of ['a=fingerprint:sha-256 AA:BB more', ' a=fingerprint:sha-256 AA:BB', 'a=FINGERPRINT:sha-256 AA:BB', 'a=fingerprint:sha-256'])
			assert.equal(keysOf(sdpOf('A', odd)), null, odd);
	});
	test('SDP ⊆ contents: letter by letter, and never nothing', () => {
		assert.ok(covers(contents('AB'), sdpOf('A')));
		assert.ok(covers(contents('AB'), sdpOf('AB')));
		assert.ok(!covers(contents('A'), sdpOf('AB')), 'a second key');
		assert.ok(!covers(contents('A').toLowerCase(), sdpOf('A')), 'another case');
		assert.ok(!covers(contents('A'), sdpOf('')), 'no key');
		assert.ok(!covers('[]', sdpOf('A')) && !covers('{', sdpOf('A')) && !covers('null', sdpOf('A')));
	});
	test('names: only of the IdP’s own domain, and none that looks like another', () => {
		assert.ok(mayName('per@beta.test', 'beta.test:8443'));
		assert.ok(mayName('user%40133@beta.test', 'BETA.test'));
		assert.ok(mayName('per@bücher.test', 'xn--bcher-kva.test'));
		for (const bad of ['per@alpha.test', 'per@beta.test@alpha.test', 'per@alpha.test@beta.test', '@beta.test', 'per', 'per@', 'per@idp.beta.test',
			'pe r@beta.test', 'per\n@beta.test', null, 7])
			assert.ok(!mayName(bad, 'beta.test'), String(bad));
	});
	test('where a proxy is: a domain, perhaps a port; no address of numbers, no path, no other place', () => {
		assert.equal(proxyUrl('beta.test:8443', 'sluss'), 'https://beta.test:8443/.well-known/idp-proxy/sluss');
		assert.equal(proxyUrl('beta.localhost:8080', 'sluss', true), 'http://beta.localhost:8080/.well-known/idp-proxy/sluss');
		for (const [domain, protocol] of [['192.168.1.1'], ['[::1]'], ['router'], ['user@beta.test'], ['beta.test/x'], ['beta.test#x'], [''], [7],
			['beta.test', '../up'], ['beta.test', '..'], ['beta.test', 'a%2Fb'], ['beta.test', 'a\\b'], ['0x7f.1']])
			assert.equal(proxyUrl(domain, protocol), null, `${domain} ${protocol}`);
	});
	test('a profile has four things, and nothing that is none of them', () => {
		assert.deepEqual(profileOf({ name: 'Per', email: 'p@x', email_verified: true, picture: 'https://x/y', other: 1 }),
			{ name: 'Per', picture: 'https://x/y', email: 'p@x', emailVerified: true });
		assert.equal(profileOf({ name: 7, picture: 'http://x', email_verified: true }), null);
		assert.equal(profileOf(undefined), null);
	});
});

describe('identity in calls', () => {
	let phone, socket, page;

	async function begin(options = {}) {
		({ phone, socket } = await online(Phone, { identity: { domain: 'mine.test' }, ...options }));
		await settle();
	}
	beforeEach(() => {
		install();
		page = installPage();
		Idps.honest('mine.test', 'alice@mine.test');
		Idps.honest('beta.test', PER);
	});
	afterEach(() => {
		mock.timers.reset();
		phone.close();
		removePage();
	});

	const vouched = (keys, name = PER, of = keys, idp = BETA) => sdpOf(keys, line(idp, `${name}|${contents(of)}`));
	const answer = (sdp) => ({ sdp, media: 'direct', encryption: 'claimed',
		remote: { address: PER, name: 'Per', site: { domain: 'beta.test', verified: true, tls: true, identity: 'verified' } } });
	const claims = (sdp) => identityOf(sdp)?.assertion;

	async function dial(options, to = PER) {
		const coming = phone.call(to, options);

		await settle();
		socket.ok(socket.got('call'));
		return coming;
	}
	async function talk(sdp, options) {
		const call = await dial(options);

		socket.event('answered', { call: call.id, ...answer(sdp) });
		await settle();
		return call;
	}
	async function ring(sdp, fields = {}) {
		let call;

		phone.addEventListener('incoming', (ev) => { call = ev.call; }, { once: true });
		socket.event('incoming', incoming('i1', { sdp, ...fields }));
		await settle();
		return call;
	}
	async function take(call) {
		const accepting = call.accept();

		accepting.catch(() => {});
		await settle();
		socket.ok(socket.got('accept'));
		await settle();
		if (socket.got('answer'))
			socket.ok(socket.got('answer'));
		await settle();
		return accepting;
	}

	test('ours: asked for once at the start, in a frame without rights; the offer carries it, the browser’s own description does not', async () => {
		withKeys('CD');
		await begin();
		assert.deepEqual(page.frames[0].attributes, { sandbox: 'allow-scripts allow-same-origin', referrerpolicy: 'no-referrer', 'aria-hidden': 'true' });
		assert.deepEqual(Idps.asked, ['generate mine.test']);
		assert.equal(phone.identity.state, 'ready');
		await dial();
		assert.equal(claims(socket.got('call').sdp), `alice@mine.test|${contents('C')}`);
		assert.doesNotMatch(FakePeer.last.localDescription.sdp, /identity/);
		assert.deepEqual(Idps.asked, ['generate mine.test'], 'the first call need not wait');
	});
	test('ours: each call has its own key; a re-offer carries the same assertion, one of more than four minutes a new one', async () => {
		mock.timers.enable({ apis: ['setTimeout'] });
		withKeys('CDE');
		await begin();
		const first = await talk(sdpOf('B'));
		const one = claims(socket.got('call').sdp);

		first.hangup();
		const call = await talk(sdpOf('B'));
		assert.notEqual(claims(socket.got('call').sdp), one);
		FakePeer.last.connection('connected');
		call.hold().catch(() => {});
		await settle();
		assert.equal(claims(socket.got('offer').sdp), `alice@mine.test|${contents('D')}`);
		assert.equal(Idps.asked.filter((a) => a === 'generate mine.test').length, 2);
		socket.event('answer', { call: call.id, sdp: sdpOf('B') });
		await settle();
		const now = performance.now();
		const late = mock.method(performance, 'now', () => now + 250000);
		call.resume().catch(() => {});
		await settle();
		late.mock.restore();
		assert.equal(Idps.asked.filter((a) => a === 'generate mine.test').length, 3);
		socket.event('answer', { call: call.id, sdp: sdpOf('B') });
		await settle();
		Idps.add('mine.test', { generate() { throw { name: 'NetworkError', message: 'away' }; } });
		const later = mock.method(performance, 'now', () => now + 600000);
		call.hold().catch(() => {});
		await settle();
		later.mock.restore();
		assert.equal(Idps.asked.filter((a) => a === 'generate mine.test').length, 4);
		assert.equal(claims(socket.got('offer').sdp), `alice@mine.test|${contents('D')}`, 'the provider is away: as before, for the same key');
	});
	test('ours: a connection that takes the place of another has its key; what vouches for it is there at once', async () => {
		withKeys('CDE');
		await begin();
		const call = await talk(sdpOf('B'));
		const old = FakePeer.last;

		old.connection('connected');
		Idps.add('mine.test', { generate: () => new Promise(() => {}) });
		const now = performance.now();
		const late = mock.method(performance, 'now', () => now + 250000);
		socket.event('incoming', incoming('m1', { sdp: sdpOf('B').replace('o=- 1 1', 'o=- 2 1'), replaces: call.id }));
		await settle();
		await new Promise((resolve) => setTimeout(resolve, 1)); // a turn of the clock, no wait for the IdP
		await settle();
		late.mock.restore();
		assert.notEqual(FakePeer.last, old);
		assert.equal(FakePeer.last.config.certificates[0], old.config.certificates[0]);
		assert.equal(claims(socket.got('answer').sdp), claims(socket.got('call').sdp));
	});
	test('ours: the IdP has to know who gets it: it is told so in the call, and only when it asks', async () => {
		const asked = [];
		withKeys('CDEFGH');
		Idps.add('mine.test', { generate({ contents: what, options: { peerIdentity } }) {
			asked.push(peerIdentity);
			if (!peerIdentity)
				throw { name: 'IdpPeerError', message: 'IdpPeerError: whom is it for?' };
			if (peerIdentity.startsWith('eve@'))
				throw { name: 'IdpError', message: 'nothing for her' };
			return { idp: { domain: 'mine.test', protocol: 'sluss' }, assertion: `for ${peerIdentity}|${what}` };
		} });
		await begin();
		assert.equal(phone.identity.state, 'ready', 'nothing is wrong');
		(await talk(sdpOf('B'))).hangup();
		assert.equal(claims(socket.got('call').sdp), `for ${PER}|${contents('C')}`);
		await take(await ring(sdpOf('B')));
		assert.match(claims(socket.got('answer').sdp), new RegExp(`^for ${PER.replace('.', '\\.')}\\|`), 'the answer is for who calls');
		phone.calls[0].hangup();
		await dial({}, 'eve@beta.test');
		assert.equal(claims(socket.got('call').sdp), undefined);
		assert.equal(phone.identity.state, 'ready', 'she gets none: that is no fault');
		phone.calls[0].hangup();

		assert.deepEqual(asked.filter(Boolean), [PER, PER, 'eve@beta.test'], 'each once');
		assert.equal(asked[0], undefined, 'before there is a call it is for nobody');

		// the rules are gone
		Idps.honest('mine.test', 'alice@mine.test');
		const now = performance.now();
		const later = mock.method(performance, 'now', () => now + 600000);

		await dial();
		later.mock.restore();
		assert.match(claims(socket.got('call').sdp), /^alice@mine\.test\|/);
	});
	test('ours: the answer carries it, too', async () => {
		withKeys('C');
		await begin();
		await take(await ring(sdpOf('B')));
		assert.equal(claims(socket.got('answer').sdp), `alice@mine.test|${contents('C')}`);
	});
	test('ours: no IdP, one that does not answer, one that refuses: the call goes without', async () => {
		await begin({ identity: null });
		await dial();
		assert.equal(phone.identity.state, 'off');
		assert.doesNotMatch(socket.got('call').sdp, /identity/);
		assert.equal(page.frames.length, 0, 'and nothing is loaded');
		for (const [ops, state] of [[{ dead: true }, 'unreachable'], [{ generate: () => { throw Object.assign(new Error('no'), { name: 'IdpError' }); } }, 'refused']]) {
			mock.timers.enable({ apis: ['setTimeout'] });
			withKeys('CD');
			Idps.add('mine.test', ops);
			await begin();
			mock.timers.tick(15000);
			await settle();
			assert.equal(phone.identity.state, state);
			const coming = phone.call(PER);
			await settle();
			mock.timers.tick(4000);
			await settle();
			assert.ok(socket.got('call'), state);
			assert.doesNotMatch(socket.got('call').sdp, /identity/);
			coming.catch(() => {});
			mock.timers.reset();
		}
	});
	test('ours: on the site’s own page the site says who we are, without a window', async () => {
		const redeemed = [];
		let signedIn = false;

		withKeys('C');
		Idps.honest('mine.test', 'alice@mine.test');
		const { generate } = Idps.all.get('mine.test');
		Object.assign(Idps.all.get('mine.test'), {
			generate: (args) => {
				if (!signedIn)
					throw Object.assign(new Error('sign in'), { name: 'IdpLoginError', loginUrl: 'https://idp.mine.test/idp/signin.html' });
				return generate(args);
			},
			challenge: () => ({ challenge: 'what only the frame knows' }),
			redeem: ({ code }) => { redeemed.push(code); signedIn = true; return {}; },
		});
		FakeApi.answer = (url) => (url.endsWith('/idp-code') ? { code: 'one-time', idp: { domain: 'mine.test', protocol: 'sluss' } }
			: { iceServers: [], ttl_s: 3600 });
		globalThis.location = { origin: 'https://alpha.test', protocol: 'https:' };
		await begin({ site: undefined, token: undefined });
		delete globalThis.location;
		assert.deepEqual(redeemed, ['one-time']);
		assert.equal(phone.identity.state, 'ready');
	});
	test('ours: nobody is signed in at the IdP: the window is the IdP’s, its code goes to the frame alone', async () => {
		let signedIn = false;
		const redeemed = [], opened = [];

		withKeys('CD');
		const { generate } = Idps.all.get('mine.test');
		Object.assign(Idps.all.get('mine.test'), {
			generate: (args) => {
				if (!signedIn)
					throw Object.assign(new Error('sign in'), { name: 'IdpLoginError', loginUrl: 'https://idp.mine.test/idp/signin.html' });
				return generate(args);
			},
			redeem: ({ code }) => { redeemed.push(code); signedIn = true; return {}; },
		});
		await begin();
		assert.equal(phone.identity.state, 'sign-in');
		const popup = { closed: false };
		globalThis.open = (url) => { opened.push(url); return popup; };
		const done = phone.identity.signIn();
		page.message({ sluss: 'idp', code: 'forged' }, {}, 'https://evil.test');
		page.message({ sluss: 'idp', code: 'good' }, popup, 'https://idp.mine.test');
		await done;
		delete globalThis.open;
		assert.deepEqual([opened, redeemed, phone.identity.state], [['https://idp.mine.test/idp/signin.html'], ['good'], 'ready']);
		await assert.rejects(phone.identity.signIn(), { code: 'bad-state' });
	});

	test('theirs: nothing of the IdP is loaded before the call is taken; then it is verified, and proved', async () => {
		withKeys('C');
		await begin({ identity: null });
		const call = await ring(vouched('B'));

		assert.deepEqual(Idps.loaded, []);
		assert.equal(call.remote.identity.status, 'domain');
		await take(call);
		socket.event('established', { call: 'i1', media: 'direct', encryption: 'claimed' });
		assert.deepEqual(call.remote.identity, { status: 'verified', name: PER, idp: 'beta.test', by: 'frame',
			profile: { name: 'Per Persson', email: 'per@mail.test', emailVerified: true } });
		assert.equal(call.encryption, 'end-to-end');
		assert.equal(call.remote.address, PER);
	});
	test('theirs: what the browser gets is what came', async () => {
		withKeys('C');
		await begin({ identity: null });
		const sdp = vouched('B');

		await take(await ring(sdp));
		assert.deepEqual(FakePeer.last.did[0], ['remote offer', sdp]);
	});
	test('theirs: a contact’s is verified while it rings, by the frame, with no connection', async () => {
		const asked = [];

		await begin({ identity: null, early: (remote, idp) => { asked.push(`${remote.address} ${idp.domain}`); return true; } });
		const call = await ring(vouched('B'));
		assert.deepEqual(asked, [`${PER} beta.test`]);
		assert.equal(call.remote.identity.status, 'verified');
		assert.equal(call.encryption, 'claimed', 'no key is in use');
		assert.equal(FakePeer.all.length, 0);
		call.reject();
		await ring(vouched('B'), { call: 'i2', from: { address: PER, name: '', site: { domain: 'beta.test', verified: false, tls: false, identity: 'none' } } });
		assert.equal(asked.length, 1, 'not one whose site has proved nothing');
	});
	test('theirs: the site’s word before the call is taken, and what the page is told of it', async () => {
		await begin({ identity: null });
		const from = (identity) => ({ from: { ...incoming('x').from, identity } });
		let call = await ring(vouched('B'), from({ status: 'verified', name: PER, idp: 'beta.test', profile: { name: 'Per', email_verified: true }, ctx: 'frame' }));

		assert.deepEqual(call.remote.identity, { status: 'verified', name: PER, idp: 'beta.test', profile: { name: 'Per' }, by: 'site' });
		assert.equal(call.encryption, 'claimed');
		call.reject();
		call = await ring(vouched('B'), { call: 'i2', ...from({ status: 'unverified', why: 'no published keys' }) });
		assert.deepEqual([call.remote.identity.status, call.remote.identity.why], ['domain', 'no published keys']);
		call.reject();
		call = await ring(vouched('B'), { call: 'i3', ...from({ status: 'failed' }) });
		assert.equal(call.remote.identity.status, 'mismatch');
	});
	for (const [what, sdp] of [
		['other keys than were asserted', () => vouched('B', PER, 'A')],
		['a second key that was not', () => vouched('BE', PER, 'B')],
		['a name of another domain', () => vouched('B', 'per@alpha.test')],
		['an identity that cannot be read', () => sdpOf('B', 'a=identity:%%%')],
	]) {
		test(`mismatch, ${what}: the call ends, and says so`, async () => {
			withKeys('C');
			await begin({ identity: null });
			const call = await talk(sdp());

			assert.equal(call.remote.identity.status, 'mismatch');
			assert.equal(socket.got('hangup').reason, 'mismatch');
			assert.deepEqual([call.cause.reason, call.state], ['mismatch', 'ended']);
			assert.match(call.cause.text, /somebody may be in between/i);
		});
	}
	test('frames: eight of them are kept, those asked last', async () => {
		withKeys('CDEFABCDEFA');
		await begin({ identity: null });
		for (let n = 0; n < 10; n++) {
			Idps.honest(`idp${n}.test`, `per@idp${n}.test`);
			(await talk(vouched('B', `per@idp${n}.test`, 'B', { domain: `idp${n}.test`, protocol: 'sluss' }))).hangup();
		}
		assert.deepEqual(page.frames.map(({ removed }) => Boolean(removed)), [true, true, ...Array(8).fill(false)]);
		phone.close();
		assert.ok(page.frames.every(({ removed }) => removed));
	});
	test('no path comes up while the identity is being checked: the call ends with what that finds', async () => {
		let say;

		withKeys('CD');
		Idps.add('beta.test', { validate: () => new Promise((_, reject) => { say = () => reject(Object.assign(new Error('no'), { name: 'IdpError' })); }) });
		await begin({ identity: null });
		let call = await talk(vouched('B'));
		FakePeer.last.connection('failed');
		assert.equal(call.cause, null);
		say();
		await settle();
		assert.equal(call.cause.reason, 'mismatch');

		call = await talk(vouched('B'));
		socket.event('ended', { call: call.id, cause: { code: 488, reason: 'media', text: 'no path' } });
		assert.equal(call.cause, null);
		say();
		await settle();
		assert.equal(call.cause.reason, 'mismatch');
	});
	test('the IdP says no: a mismatch. It says nothing: the call goes on, unproved', async () => {
		withKeys('CD');
		Idps.add('beta.test', { validate: () => { throw Object.assign(new Error('bad signature'), { name: 'IdpError' }); } });
		await begin({ identity: null });
		let call = await talk(vouched('B'));
		assert.equal(call.cause.reason, 'mismatch');

		mock.timers.enable({ apis: ['setTimeout'] });
		Idps.add('beta.test', { dead: true });
		phone.close();
		await begin({ identity: null });
		call = await talk(vouched('B'));
		assert.equal(call.remote.identity.checking, true);
		mock.timers.tick(2000);
		await settle();
		assert.deepEqual([call.remote.identity.status, call.encryption, call.cause], ['domain', 'claimed', null]);
		assert.match(call.remote.identity.why, /cannot be reached/);
	});
	test('peerIdentity: somebody else, or nobody, is refused', async () => {
		withKeys('CDE');
		await begin({ identity: null });
		assert.equal((await talk(vouched('B'), { peerIdentity: PER })).remote.identity.status, 'verified');
		assert.equal((await talk(vouched('B'), { peerIdentity: 'pia@beta.test' })).cause.reason, 'mismatch');
		assert.equal((await talk(sdpOf('B'), { peerIdentity: PER })).cause.reason, 'mismatch');
	});
	describe('once verified', () => {
		let call;

		beforeEach(async () => {
			withKeys('C');
			await begin({ identity: null });
			call = await talk(vouched('B'));
			FakePeer.last.connection('connected');
		});
		const offer = async (sdp) => {
			socket.event('offer', { call: call.id, sdp });
			await settle();
		};

		test('a re-offer with the same assertion is taken, and nobody is asked again', async () => {
			await offer(vouched('B'));
			assert.ok(socket.got('answer'));
			assert.deepEqual(Idps.asked, ['validate beta.test']);
		});
		test('a re-offer with a newer one of the same name is taken', async () => {
			await offer(vouched('B', PER, 'BE'));
			assert.ok(socket.got('answer'));
			assert.equal(Idps.asked.length, 2);
			assert.equal(call.encryption, 'end-to-end');
		});
		test('a re-offer without ends the call', async () => {
			await offer(sdpOf('B'));
			assert.equal(call.cause.reason, 'mismatch');
			assert.equal(socket.got('answer'), undefined);
		});
		test('a re-offer of another name ends the call', async () => {
			await offer(vouched('B', 'pia@beta.test'));
			assert.equal(call.cause.reason, 'mismatch');
		});
		test('a re-offer of another IdP ends the call', async () => {
			await offer(vouched('B', 'per@mine.test', 'B', { domain: 'mine.test', protocol: 'sluss' }));
			assert.equal(call.cause.reason, 'mismatch');
		});
		test('other keys under the same name are taken when they are vouched for, and not before', async () => {
			await offer(vouched('E'));
			assert.ok(socket.got('answer'));
			assert.equal(call.encryption, 'end-to-end');
			socket.ok(socket.got('answer'));
			await settle();
			await offer(vouched('F', PER, 'E'));
			assert.equal(call.cause.reason, 'mismatch');
			assert.ok(!FakePeer.last.did.some(([, sdp]) => sdp?.includes('FF:FF')), 'the browser has never seen them');
		});
		test('a device that goes on has to be the same person’s', async () => {
			const moves = async (id, sdp) => {
				socket.event('incoming', incoming(id, { sdp, replaces: call.id }));
				await settle();
				socket.ok(socket.got('accept'));
				await settle();
				socket.ok(socket.got('answer'));
				socket.event('established', { call: id, media: 'direct', encryption: 'claimed' });
				await settle();
				FakePeer.last.connection('connected');
				FakePeer.last.getTransceivers()[0]?.receiver.track.dispatchEvent(new Event('unmute'));
				await settle();
			};
			const { id } = call;
			mock.timers.enable({ apis: ['setTimeout'] });

			await moves('m1', sdpOf('E'));
			mock.timers.tick(400);
			await settle();
			assert.equal(call.id, id, 'nobody vouches for it');
			assert.equal(socket.got('hangup').reason, 'mismatch');
			await moves('m2', vouched('E'));
			mock.timers.tick(400);
			await settle();
			assert.equal(call.id, 'm2');
			assert.deepEqual([call.encryption, call.cause], ['end-to-end', null]);

			// Another connection of the same device, whose network has changed: the same key, which nobody is asked about again.
			const before = FakePeer.last, { length } = Idps.asked;
			await moves('m3', vouched('E').replace('o=- 1 1', 'o=- 2 1'));
			assert.equal(call.id, 'm3');
			assert.notEqual(FakePeer.last, before);
			assert.equal(Idps.asked.length, length);
			assert.deepEqual([call.encryption, call.cause], ['end-to-end', null]);
		});
	});
	describe('with the browser’s own machinery', () => {
		const natives = { verdict: null, asked: [] };

		beforeEach(() => {
			natives.asked = [];
			FakePeer.prototype.setIdentityProvider = function (...args) { this.idp = args; };
			FakePeer.prototype.getIdentityAssertion = async function () {
				natives.asked.push([...this.idp, this.config.certificates[0].letter]);
				return encode({ idp: { domain: 'mine.test', protocol: 'sluss' }, assertion: 'native' });
			};
			Object.defineProperty(FakePeer.prototype, 'peerIdentity', { configurable: true, get: () => natives.verdict() });
		});
		afterEach(() => {
			for (const name of ['setIdentityProvider', 'getIdentityAssertion', 'peerIdentity'])
				delete FakePeer.prototype[name];
		});

		test('ours: by the browser, for the key of the call, by a connection that does nothing else', async () => {
			withKeys('CD');
			await begin();
			await dial();
			assert.deepEqual(natives.asked, [['mine.test', { protocol: 'sluss' }, 'C']]);
			assert.equal(claims(socket.got('call').sdp), 'native');
			assert.equal(FakePeer.last.config.certificates[0].letter, 'C');
			assert.deepEqual(Idps.asked, []);
			assert.equal(FakePeer.last.idp, undefined, 'the call’s connection knows of no IdP');
		});
		test('theirs: the browser decides, the frame tells the profile', async () => {
			withKeys('C');
			natives.verdict = async () => ({ idp: 'beta.test', name: PER });
			await begin({ identity: null });
			const call = await talk(vouched('B'));

			assert.deepEqual([call.remote.identity.status, call.remote.identity.by, call.remote.identity.profile.name], ['verified', 'native', 'Per Persson']);
		});
		test('theirs: the browser says no; or the two do not agree', async () => {
			withKeys('CD');
			natives.verdict = async () => { throw new DOMException('IdP validation error: the fingerprints must be covered by the assertion', 'IdpError'); };
			await begin({ identity: null });
			assert.equal((await talk(vouched('B'))).cause.reason, 'mismatch');
			natives.verdict = async () => ({ idp: 'beta.test', name: 'pia@beta.test' });
			assert.equal((await talk(vouched('B'))).cause.reason, 'mismatch');
		});
		test('theirs: the IdP’s script does not run there: the frame judges', async () => {
			withKeys('CD');
			natives.verdict = async () => { throw new DOMException('Error in IdP, check console for details', 'IdpError'); };
			await begin({ identity: null });
			assert.equal((await talk(vouched('B'))).remote.identity.by, 'frame');
			assert.equal((await talk(vouched('B', PER, 'A'))).cause.reason, 'mismatch');
		});
	});
});
