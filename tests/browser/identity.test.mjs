// limit: 600 s
// Who is calling, by identity providers that are no calling site's: Firefox by itself, every browser by a frame; and
// what becomes of a call when somebody tampers, lies or is away.
//
//   alice (Chromium .101, Firefox .102) ── alpha.test ══ SIP ══ beta.test ── bob (Chromium .111, Firefox .112)
//        └──https──► people.test (.1, address 71)      folk.test (72)      lodge.test (73) ◄──https──┘
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { ForeignIdp } from '../lib/foreign-idp.mjs';
import { phone, sitesWithBrowsers } from '../lib/phones.mjs';

let set, people, folk, lodge;
const open = {};

before(async () => {
	set = await sitesWithBrowsers([['alpha', 'chromium'], ['alpha', 'firefox'], ['beta', 'chromium'], ['beta', 'firefox']], {
		onWorld: async ({ world, ca, dns }) => {
			[people, folk, lodge] = await Promise.all([['people.test', 71], ['folk.test', 72], ['lodge.test', 73]].map(async ([domain, n]) => {
				const address = await world.address(n);
				dns.zone(domain, [`@ A ${address}`]);
				return ForeignIdp.listen({ domain, address, pair: ca.valid(domain) });
			}));
			await dns.serve();
		},
	});
});
after(async () => {
	await people?.close();
	await folk?.close();
	await lodge?.close();
	await set?.world.close();
});
afterEach(async () => {
	for (const idp of [people, folk, lodge])
		Object.assign(idp, { lie: null, slow: 0, down: false, profile: null });
	for (const p of Object.values(open)) {
		await p.evaluate(() => window.honest?.());
		await p.home();
	}
});

/** A phone whose owner has signed in at a provider, in the window that it opens. */
async function person(site, kind, user, idp, key = `${user}-${kind}`) {
	if (open[key])
		return open[key];
	const p = await phone(set.browsers[site][kind], set[site], user);
	await p.evaluate((identity) => window.sluss.phone.identity.use(identity), idp.identity);
	await p.wait(() => window.sluss.phone.identity.state === 'sign-in');
	await p.evaluate(() => {
		const button = document.createElement('button');
		button.id = 'identity-test';
		button.textContent = 'sign in';
		button.onclick = () => { window.signed = window.sluss.phone.identity.signIn().then(() => 'done', (e) => e.code + ' ' + e.message); };
		document.body.prepend(button);
	});
	await p.click('#identity-test');
	const window = await p.popup();
	await window.fill('#name', user);
	await window.click('#yes');
	assert.equal(await p.evaluate(() => window.signed), 'done');
	await p.wait(() => window.sluss.phone.identity.state === 'ready');
	return (open[key] = p);
}

const alice = (kind) => person('alpha', kind, 'alice', people);
const bob = (kind) => person('beta', kind, 'bob', folk);

async function connected(caller, callee) {
	await caller.dial(callee.user);
	await callee.accept();
	await caller.state('connected', 20_000);
	await callee.state('connected', 20_000);
}

const identity = (p) => p.wait(() => {
	const call = window.sluss.phone.calls[0];
	return call && !call.remote.identity.checking && { ...call.remote.identity, encryption: call.encryption };
}, null, 20_000);

for (const [here, there] of [['chromium', 'firefox'], ['firefox', 'chromium'], ['firefox', 'firefox'], ['chromium', 'chromium']]) {
	test(`${here} calls ${there}: each knows the other by the name of their own provider, and the key is theirs`, async () => {
		const caller = await alice(here), callee = await bob(there);
		await connected(caller, callee);
		const [ofCallee, ofCaller] = [await identity(caller), await identity(callee)];
		assert.deepEqual([ofCaller.status, ofCaller.name, ofCaller.idp, ofCaller.encryption], ['verified', 'alice@people.test', 'people.test', 'end-to-end']);
		assert.deepEqual([ofCallee.status, ofCallee.name, ofCallee.idp, ofCallee.encryption], ['verified', 'bob@folk.test', 'folk.test', 'end-to-end']);
		assert.equal(ofCallee.by, here === 'firefox' ? 'native' : 'frame', 'the browser itself where it can');
		assert.equal(ofCaller.by, there === 'firefox' ? 'native' : 'frame');
		await caller.push('hangup');
		await callee.ended(/call ended/i);
		for (const p of [caller, callee])
			assert.deepEqual((await p.complaints()).filter((text) => !/401/.test(text)), []); // before they had signed in there
	});
}

test('addresses are hidden at both sites: the names are verified all the same, and the key is theirs', async () => {
	for (const [caller, callee] of [[await alice('chromium'), await bob('firefox')], [await alice('firefox'), await bob('chromium')]]) {
		const hide = (relay) => Promise.all([caller, callee].map((p) => p.evaluate((rule) => window.sluss.phone.account.setRules({ relay: rule }), relay)));
		await hide('always');
		await connected(caller, callee);
		for (const p of [caller, callee]) {
			const { status, encryption } = await identity(p);
			assert.deepEqual([status, encryption], ['verified', 'end-to-end']);
			assert.equal((await p.call()).media, 'relay');
		}
		await caller.push('hangup');
		await callee.ended(/call ended/i);
		await Promise.all([caller.home(), callee.home()]);
		await hide('site');
	}
});

/** From now on what leaves this page is as a site would change it that lies: one hex digit of each fingerprint. */
async function tamper(p, types) {
	await p.evaluate((which) => {
		const send = WebSocket.prototype.send;
		window.honest = () => { WebSocket.prototype.send = send; };
		WebSocket.prototype.send = function (data) {
			const msg = JSON.parse(data);
			if (which.includes(msg.type))
				msg.sdp = msg.sdp.replace(/^(a=fingerprint:sha-256 )(.)/gm, (all, begin, digit) => begin + (digit === '0' ? '1' : '0'));
			return send.call(this, JSON.stringify(msg));
		};
	}, types);
}

test('three domains, none of them a calling site’s: each of three people is known by the name of their own', async () => {
	const three = [await alice('chromium'), await bob('firefox'), await person('beta', 'chromium', 'berta', lodge)];
	const names = ['alice@people.test', 'bob@folk.test', 'berta@lodge.test'];
	for (const [i, caller] of three.entries()) {
		const next = (i + 1) % 3, callee = three[next];
		await connected(caller, callee);
		const seen = [await identity(callee), await identity(caller)].map(({ status, name, idp, encryption }) => [status, name, idp, encryption]);
		assert.deepEqual(seen, [names[i], names[next]].map((name) => ['verified', name, name.split('@')[1], 'end-to-end']));
		assert.match(await callee.says('call-identity', /./), new RegExp(names[i].replace('@', '.*@')));
		await caller.push('hangup');
		await callee.ended(/call ended/i);
		await Promise.all([caller.home(), callee.home()]);
	}
});

test('a contact for whom somebody else vouches than before is flagged; kept on purpose, no more', async () => {
	const callee = await bob('chromium'), first = await alice('chromium');
	const once = async (caller, read) => {
		await caller.dial(callee.user);
		await callee.visible('accept');
		await callee.accept();
		await callee.wait(() => window.sluss.phone.calls[0]?.encryption === 'end-to-end', null, 20_000);
		const got = await read();
		await caller.push('hangup');
		await callee.ended(/call ended/i);
		await Promise.all([caller.home(), callee.home()]);
		return got;
	};
	const shown = async () => [await callee.says('call-identity', /./), await callee.evaluate(() => document.querySelector('[data-test="call-identity"]').dataset.tone)];
	await callee.push('tab-contacts');
	await callee.push('contact-add');
	await callee.fill('[data-test="contact-name"]', 'Alice');
	await callee.fill('[data-test="contact-address"]', first.user);
	await callee.push('contact-save');
	assert.equal((await once(first, shown))[1], 'good');
	assert.equal((await once(first, shown))[1], 'good', 'the same again');

	// the same account at the calling site; the person is vouched for by somebody else
	const second = await person('alpha', 'firefox', 'alice', lodge, 'alice-elsewhere');
	const [text, tone] = await once(second, async () => {
		const seen = await shown();
		await callee.push('identity-keep');
		return seen;
	});
	assert.match(text, /lodge\.test.*until now somebody else vouched for this contact/i);
	assert.equal(tone, 'warn');
	assert.equal((await once(second, shown))[1], 'good', 'it is known now');
	// and when nobody vouches any more
	await second.evaluate(() => window.sluss.phone.identity.use(null));
	await second.dial(callee.user);
	await callee.accept();
	assert.match(await callee.says('call-identity', /until now an identity provider vouched for this contact. Now none does/), /Caution/);
	await second.push('hangup');
	await callee.ended(/call ended/i);
	await callee.home();
	await second.close();
	delete open['alice-elsewhere'];
	// forgotten, for the other tests
	await callee.push('tab-contacts');
	await callee.push('contact-edit');
	await callee.push('contact-remove');
});

test('the picture of who calls: not asked for before the call is taken; then shown, and asked for without a word of who looks', async () => {
	const caller = await alice('chromium'), callee = await bob('chromium');
	people.profile = { name: 'Alice', picture: 'https://people.test/face.svg' };
	people.asked.length = 0;
	await caller.dial(callee.user);
	await callee.visible('accept');
	await caller.says('call-state', /ringing/i);
	const faces = () => people.asked.filter((what) => /^face/.test(what));
	assert.deepEqual(faces(), []);
	await callee.accept();
	await callee.wait(() => document.querySelector('#call-avatar img')?.naturalWidth === 64, null, 20_000);
	assert.deepEqual(faces(), ['face cookie=undefined referer=undefined origin=https://beta.test']);
	await caller.push('hold');
	await callee.state('held');
	await caller.push('hold');
	await callee.state('connected');
	await callee.wait(() => Boolean(document.querySelector('#call-avatar img')));
	assert.equal(faces().length, 1, 'once');
	await caller.push('hangup');
	await callee.ended(/call ended/i);
	assert.deepEqual((await callee.complaints()).filter((text) => !/401/.test(text)), []);
});

/** Of a call whose identity is wrong: who has found that, the browser itself or a frame. */
const watched = (p) => p.evaluate(() => { [window.judged] = window.sluss.phone.calls; });
async function found(p, kind, words) {
	const { status, why } = await p.evaluate(() => window.judged.remote.identity);
	assert.equal(status, 'mismatch');
	if (kind === 'firefox')
		assert.match(why, words, 'in Firefox’s own words');
}

for (const kind of ['firefox', 'chromium']) {
	test(`${kind}: a fingerprint of the offer was changed by one digit: the callee ends the call and is told why`, async () => {
		const caller = await alice(kind), callee = await bob(kind);
		await tamper(caller, ['call']);
		await caller.dial(callee.user);
		await callee.visible('accept');
		await watched(callee);
		await callee.accept();
		await callee.ended(/in between/i);
		await found(callee, kind, /^(IdP validation error|invalid identity assertion)/);
		await caller.ended(/./);
	});
	test(`${kind}: a fingerprint of the answer was changed by one digit: the caller ends the call and is told why`, async () => {
		const caller = await alice(kind), callee = await bob(kind);
		await tamper(callee, ['answer']);
		await caller.dial(callee.user);
		await callee.visible('accept');
		await watched(caller);
		await callee.accept();
		await caller.ended(/in between/i);
		await found(caller, kind, /^(IdP validation error|invalid identity assertion)/);
		await callee.ended(/./);
	});
	test(`${kind}: the provider lies about a user of another domain: refused`, async () => {
		const caller = await alice('chromium'), callee = await bob(kind);
		people.lie = 'alice@folk.test';
		await caller.dial(callee.user);
		await callee.visible('accept');
		await watched(callee);
		await callee.accept();
		await callee.ended(/in between/i);
		await found(callee, kind, /^assertion name error/);
		await caller.ended(/./);
	});
	for (const [what, fault] of [['down', { down: true }], ['slow', { slow: 40_000 }]])
		test(`${kind}: the provider is ${what}: its word is refused, in words; the call goes on, and nothing is claimed`, async () => {
			const caller = await alice('chromium'), callee = await bob(kind);
			await caller.evaluate(() => window.sluss.phone.identity.use(null));
			await caller.evaluate((identity) => window.sluss.phone.identity.use(identity), people.identity);
			await caller.wait(() => window.sluss.phone.identity.state === 'ready');
			Object.assign(people, fault);
			await connected(caller, callee);
			if (fault.slow)
				await callee.says('call-identity', /being checked/i);
			await callee.says('call-identity', /could not be checked: only the calling site says who this is/, 25_000);
			const seen = await identity(callee);
			assert.deepEqual([seen.status, seen.name, seen.encryption], ['domain', null, 'claimed']);
			assert.match(seen.why, /./);
			assert.match(await callee.text('call-encryption'), /not yet proved/i);
			await caller.push('hangup');
			await callee.ended(/call ended/i);
		});
}

test('who takes calls of people with a verified name alone is not rung by one whose name cannot be checked; the caller is told so', async () => {
	const caller = await alice('chromium'), callee = await bob('firefox');
	const ring = (rule) => callee.evaluate((body) => fetch('/api/v1/account/rules', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }).then(({ status }) => status), JSON.stringify({ ring: rule }));
	assert.equal(await ring('verified-name'), 204);
	for (const fault of [{ down: true }, { slow: 40_000 }]) {
		Object.assign(people, fault);
		await caller.dial(callee.user);
		await caller.ended(/only takes calls of people whose identity provider vouches for their name/);
		await caller.home();
		assert.equal(await callee.evaluate(() => window.sluss.phone.calls.length), 0, 'nothing rang');
		Object.assign(people, { down: false, slow: 0 });
	}
	assert.equal(await ring('anyone'), 204);
	// and a page that says whom it wants
	folk.down = true;
	await caller.evaluate((to) => { window.wanted = window.sluss.phone.call(to, { peerIdentity: 'bob@folk.test' }).then((call) => new Promise((resolve) => {
		call.addEventListener('state', () => call.cause && resolve(call.cause.reason));
	}), (e) => e.code); }, callee.user);
	await callee.accept();
	assert.equal(await caller.evaluate(() => window.wanted), 'mismatch');
	await callee.ended(/./);
});

test('hold and back, and the camera: each new description carries the identity, in Firefox, too', async () => {
	const caller = await alice('firefox'), callee = await bob('firefox');
	await connected(caller, callee);
	for (const p of [caller, callee])
		assert.equal((await identity(p)).status, 'verified');
	await caller.push('hold');
	await callee.state('held');
	await caller.push('hold');
	await callee.state('connected');
	await callee.push('camera');
	await caller.visible('far-video');
	for (const p of [caller, callee])
		assert.equal((await identity(p)).encryption, 'end-to-end');
	await caller.push('hangup');
	await callee.ended(/call ended/i);
});

test('nothing of a caller’s provider is loaded before the call is taken', async () => {
	const caller = await alice('chromium'), callee = await bob('chromium');
	people.judges.length = 0; // a Firefox may still be at the name that it shows of the call before
	await caller.dial(callee.user);
	await callee.visible('accept');
	await caller.says('call-state', /ringing/i);
	assert.ok(!people.judges.includes('chromium'), people.asked.join());
	await callee.push('decline');
	await caller.ended(/declined/i);
	assert.ok(!people.judges.includes('chromium'), people.asked.join());
});
