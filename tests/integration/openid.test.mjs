// limit: 180 s
// Signing in at a site's identity provider by another provider, which speaks OpenID Connect: a real one (npm oidc-provider);
// and by one that speaks OAuth 2.0 alone, as GitHub does (tests/lib/oauth.mjs).
//
//   a browser (.1) ──https──► idp.alpha.test (.10) ── code, keys, userinfo ──► id.test (.64, this test)
//                  └─────────────────── signs in ──────────────────────────────┘
//                                          └───────── code, document ────────► hub.test (.66, this test)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { http } from '../lib/client.mjs';
import { openHub } from '../lib/oauth.mjs';
import { listen, openProvider } from '../lib/openid.mjs';
import { PASSWORD, twoSites } from '../lib/site.mjs';
import { until } from '../lib/world.mjs';

const ISSUER = 'https://id.test';
const BACK = /^https:\/\/idp\.alpha\.test\/idp\/v1\/oidc\/[a-z-]+\/callback\?/;
const PEOPLE = {
	'1001': { name: 'Alice Example', preferred_username: 'alice.e', email: 'alice@mail.test', email_verified: true, picture: 'https://id.test/alice.png' },
	'1002': { name: 'Zoe', preferred_username: 'Zoe@id.test' },
	'1003': { name: 'Another Alice', preferred_username: 'alice' },
	'1004': { email: 'yan@mail.test', email_verified: true },
	'1006': { preferred_username: 'abcdefghijklmnopqrstuvwxyz' },
	'1005': { email: 'bea@mail.test', email_verified: false },
};
const asked = []; // of the provider
let world, ca, dns, alpha, server, mean, provider, hubServer, who = '1001', held = null;

const HUB = 'https://hub.test/login/oauth';
const HUB_PEOPLE = {
	2001: { id: 2001, login: 'Carol-Codes', name: 'Carol Coder', avatar_url: 'https://hub.test/u/2001', email: 'carol@hub.test', email_verified: true },
	2002: { id: '2002', login: 'Dan', name: null, avatar_url: 'https://hub.test/u/2002', email: 'dan@hub.test', verified: true },
	2003: { id: 2003, login: 'carol' },
	2004: { id: 2004, login: 'not a name!', email: 'Eve@hub.test', verified: 'true' },
};
const hubClient = (name, secret, more) => ({ secret, back: `https://idp.alpha.test/idp/v1/oidc/${name}/callback`, ...more });
const hub = openHub({ people: HUB_PEOPLE, who: () => who,
	clients: { linker: hubClient('hub', 'a secret: with/odd&chars', { iss: HUB }), maker: hubClient('hub-new', 'other & odd'), wrong: hubClient('hub-wrong', 'the right one') } });

const open = () => openProvider({ issuer: ISSUER, callback: (name) => `https://idp.alpha.test/idp/v1/oidc/${name}/callback`, people: PEOPLE, who: () => who });

before(async () => {
	({ world, ca, dns, alpha } = await twoSites({
		start: false, idp: true,
		tune: (options, name, authority) => {
			const openid = (label, client, ...lines) => [`openid "${label}" {`, `\ttrust = "${authority.root}"`, `\tclient-id = ${client}`, ...lines, '}'];
			const service = (...rest) => [...openid(...rest).slice(0, -1), `authorization-endpoint = "${HUB}/authorize"`, `token-endpoint = "${HUB}/access_token"`,
				'userinfo-endpoint = "https://hub.test/user"', '}'];
			options.limits = { 'idp-rate': 500 }; // one address asks all of this, in less than two seconds
			if (name === 'alpha')
				options.lines = [
					...openid('corp', 'linker', `issuer = "${ISSUER}"`, 'client-secret = "a secret: with/odd&chars"', 'title = "The Company"'),
					...openid('new', 'maker', `issuer = "${ISSUER}"`, 'client-secret = other', 'accounts = create'),
					...openid('public', 'public', `issuer = "${ISSUER}"`),
					...openid('mean', 'x', 'issuer = "https://mean.test"'),
					...openid('gone', 'x', 'issuer = "https://gone.test"'),
					...service('hub', 'linker', `issuer = "${HUB}"`, 'client-secret = "a secret: with/odd&chars"', 'title = "The Hub"', 'scopes = {"read:user", "user:email"}'),
					...service('hub-new', 'maker', 'issuer = "https://hub.test/new"', 'client-secret = "other & odd"', 'client-auth = basic', 'accounts = create',
						'claim-email-verified = verified'),
					...service('hub-wrong', 'wrong', 'issuer = "https://hub.test/wrong"', 'client-secret = "a wrong one"'),
				];
		},
	}));
	const address = await world.address(64), other = await world.address(65), third = await world.address(66);
	dns.site('id.test', address);
	dns.site('mean.test', other);
	dns.site('hub.test', third);
	await dns.serve();
	provider = open();
	server = await listen(ca.leaf('id', { cn: 'id.test' }), address, async (request, response) => {
		asked.push(request.url);
		await held;
		provider(request, response);
	});
	mean = await listen(ca.leaf('mean', { cn: 'mean.test' }), other, (request, response) => {
		asked.push(`mean.test${request.url}`);
		response.setHeader('Content-Type', 'application/json');
		response.end(JSON.stringify({ issuer: 'https://id.test', authorization_endpoint: 'https://mean.test/a', token_endpoint: 'https://mean.test/t',
			jwks_uri: 'https://mean.test/k' }));
	});
	hubServer = await listen(ca.leaf('hub', { cn: 'hub.test' }), third, hub.handler);
	await alpha.start();
	for (const user of ['alice', 'carol'])
		await alpha.addUser(user);
});
after(async () => {
	server?.close();
	mean?.close();
	hubServer?.close();
	await world?.close();
});

/** As a browser: keeps cookies per host, follows redirects. */
class Surfer {
	jar = new Map();

	async ask(method, address, { body, headers = {} } = {}) {
		const url = new URL(address);
		const jar = this.jar.get(url.host) ?? new Map();
		const cookie = [...jar].map(([k, v]) => `${k}=${v}`).join('; ');
		const answer = await http({ url: url.origin, ca: alpha.ca }, method, url.pathname + url.search, { body, headers: { ...(cookie ? { Cookie: cookie } : {}), ...headers } });
		for (const line of answer.headers['set-cookie'] ?? []) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
			if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line))
				jar.delete(name);
			else
				jar.set(name, value);
		}
		this.jar.set(url.host, jar);
		return { ...answer, url };
	}

	/** Follows until a page of the identity provider's own; gives where it ended. */
	async go(address) {
		for (let n = 0; n < 12; n++) {
			const answer = await this.ask('GET', address);
			if (![302, 303].includes(answer.status))
				return answer;
			address = new URL(answer.headers.location, address).href;
			if (address.startsWith('https://idp.alpha.test/idp/') && !BACK.test(address))
				return { ...answer, status: 'there', url: new URL(address) };
			if (BACK.test(address))
				this.back = address;
		}
		throw new Error(`too many redirects: ${address}`);
	}

	start(name, query = '') {
		return this.go(`https://idp.alpha.test/idp/v1/oidc/${name}/start${query}`);
	}

	async me() {
		return (await this.ask('GET', 'https://idp.alpha.test/idp/v1/session')).json;
	}
}

const errorOf = ({ url }) => `${url.pathname} ${url.searchParams.get('error')}`;

test('what a provider is, is asked for once, however many wait for it', async () => {
	const start = () => http(alpha.idp(), 'GET', '/idp/v1/oidc/public/start?to=%2Fidp%2Fidentity.html');
	let release;
	held = new Promise((resolve) => { release = resolve; });
	const starts = Array.from({ length: 20 }, start);
	await until(5000, () => asked.length > 0, 'it is asked');
	for (let i = 0; i < 3; i++) // answered by the same thread, after those
		assert.equal((await http(alpha.idp(), 'GET', '/idp/v1/providers')).status, 200);
	release();
	held = null;
	for (const answer of await Promise.all(starts)) {
		assert.equal(answer.status, 302);
		assert.match(answer.headers.location, /^https:\/\/id\.test\/auth\?/);
	}
	assert.deepEqual(asked, ['/.well-known/openid-configuration']);
});

test('the list of providers; a proof for linking only for who is signed in', async () => {
	const surfer = new Surfer();
	const list = async () => (await surfer.ask('GET', 'https://idp.alpha.test/idp/v1/providers')).json;
	assert.deepEqual((await list()).map(({ name, title, link }) => [name, title, link]), [['corp', 'The Company', undefined], ['new', 'new', undefined],
		['public', 'public', undefined], ['mean', 'mean', undefined], ['gone', 'gone', undefined], ['hub', 'The Hub', undefined], ['hub-new', 'hub-new', undefined],
		['hub-wrong', 'hub-wrong', undefined]]);
	await signIn(surfer, 'alice');
	const links = (await list()).map(({ link }) => link);
	assert.equal(new Set(links).size, 8);
	assert.ok(links.every((l) => /^[\w-]{43}$/.test(l)), links);
});

async function signIn(surfer, user) {
	const answer = await surfer.ask('POST', 'https://idp.alpha.test/idp/v1/session', { body: { user, password: PASSWORD }, headers: { 'X-Sluss-IdP': '1' } });
	assert.equal(answer.status, 200, answer.text);
}

test('who has no account linked is told so, and the page keeps what it needs', async () => {
	who = '1001';
	const surfer = new Surfer();
	const end = await surfer.start('corp', `?to=${encodeURIComponent('/idp/signin.html?origin=https%3A%2F%2Fshop.test')}`);
	assert.equal(errorOf(end), '/idp/signin.html not-linked');
	assert.equal(end.url.searchParams.get('origin'), 'https://shop.test');
	assert.equal((await surfer.me()).error, 'sign-in');
});

test('linked once, by who is signed in; from then on the provider signs in, and says e-mail and picture', async () => {
	who = '1001';
	const surfer = new Surfer();
	await signIn(surfer, 'alice');
	const forged = await surfer.start('corp', `?link=${'A'.repeat(43)}`);
	assert.equal(errorOf(forged), '/idp/signin.html not-linked', 'a link that somebody else wrote joins nothing');
	const [{ link }] = (await surfer.ask('GET', 'https://idp.alpha.test/idp/v1/providers')).json;
	const end = await surfer.start('corp', `?link=${link}`);
	assert.deepEqual([end.status, end.url.pathname, end.url.search], ['there', '/idp/identity.html', '']);

	const other = new Surfer();
	const there = await other.start('corp', `?to=${encodeURIComponent('/idp/signin.html?origin=https%3A%2F%2Fshop.test&x=1')}`);
	assert.equal(there.url.href, 'https://idp.alpha.test/idp/signin.html?origin=https%3A%2F%2Fshop.test&x=1');
	assert.deepEqual(await other.me(), { user: 'alice@alpha.test', name: 'Alice Example', email: 'alice@mail.test', email_verified: true,
		picture: 'https://id.test/alice.png' });
	assert.ok(other.jar.get('idp.alpha.test').get('__Host-sluss-idp'));

	const mine = async () => (await surfer.ask('GET', 'https://idp.alpha.test/idp/v1/providers')).json.slice(0, 5).map(({ linked }) => linked);
	assert.deepEqual(await mine(), [true, true, true, false, false], 'all three are one issuer');

	const carol = new Surfer();
	await signIn(carol, 'carol');
	const hers = (await carol.ask('GET', 'https://idp.alpha.test/idp/v1/providers')).json[0].link;
	assert.equal(errorOf(await carol.start('corp', `?link=${hers}`)), '/idp/signin.html other-account');
	assert.equal((await carol.me()).user, 'carol@alpha.test');

	const byPublic = await new Surfer().start('public');
	assert.equal(byPublic.url.pathname, '/idp/identity.html', 'the same issuer, so the same person; a client without a secret, PS256');

	const unlink = () => surfer.ask('DELETE', 'https://idp.alpha.test/idp/v1/providers', { body: { name: 'corp' }, headers: { 'X-Sluss-IdP': '1' } });
	assert.equal((await unlink()).status, 200);
	assert.equal((await unlink()).status, 404);
	assert.deepEqual(await mine(), [false, false, false, false, false]);
	assert.deepEqual(await surfer.me(), { user: 'alice@alpha.test', name: 'Alice Example' }, 'the provider\'s word goes with it');
	assert.equal(errorOf(await new Surfer().start('corp')), '/idp/signin.html not-linked');
	assert.equal((await new Surfer().ask('DELETE', 'https://idp.alpha.test/idp/v1/providers', { body: { name: 'corp' }, headers: { 'X-Sluss-IdP': '1' } })).status, 401);
	const anew = (await surfer.ask('GET', 'https://idp.alpha.test/idp/v1/providers')).json[0].link;
	assert.equal((await surfer.start('corp', `?link=${anew}`)).url.pathname, '/idp/identity.html');
});

test('accounts that are made for who comes: names, once, never anybody else\'s', async () => {
	const comes = async (id) => {
		who = id;
		const surfer = new Surfer();
		return { surfer, end: await surfer.start('new') };
	};
	const zoe = await comes('1002');
	assert.equal(zoe.end.url.pathname, '/idp/identity.html', errorOf(zoe.end));
	assert.equal((await zoe.surfer.me()).user, 'zoe@alpha.test');
	assert.equal((await (await comes('1002')).surfer.me()).user, 'zoe@alpha.test');
	assert.equal((await (await comes('1004')).surfer.me()).user, 'yan@alpha.test', 'by an address that is proved');
	assert.equal(errorOf((await comes('1003')).end), '/idp/signin.html name-taken');
	assert.equal(errorOf((await comes('1005')).end), '/idp/signin.html name-taken', 'an address that is not proved names nobody');
	assert.equal(errorOf((await comes('1006')).end), '/idp/signin.html name-taken', 'what could be somebody\'s pseudonym');
	const { json } = await alpha.ctl('user', 'list', 'alpha.test');
	assert.deepEqual(json.map((u) => u.user ?? u).toSorted().map((u) => u.split('@')[0]), ['alice', 'carol', 'yan', 'zoe']);
	const guess = await new Surfer().ask('POST', 'https://idp.alpha.test/idp/v1/session', { body: { user: 'zoe', password: 'x' }, headers: { 'X-Sluss-IdP': '1' } });
	assert.equal(guess.status, 401);
});

test('such an account has no password until the person chooses one, once; then the phone takes it', async () => {
	const set = (surfer, password) => surfer.ask('PUT', 'https://idp.alpha.test/idp/v1/password', { body: { password }, headers: { 'X-Sluss-IdP': '1' } });
	const phone = (password) => http(alpha, 'POST', '/api/v1/session', { body: { user: 'zoe', password, bearer: true } });
	who = '1002';
	const zoe = new Surfer();
	await zoe.start('new');
	assert.equal((await zoe.me()).password, false);
	for (const guess of ['none', '', 'a guess of 8'])
		assert.notEqual((await phone(guess)).status, 200, guess);
	assert.equal((await set(zoe, '7 bytes')).status, 400);
	assert.equal((await set(new Surfer(), 'not signed in')).status, 401);
	const first = await set(zoe, 'her very own');
	assert.equal(first.status, 200, first.text);
	assert.equal((await zoe.me()).password, undefined);
	const signedIn = await until(20_000, async () => { // after the guesses: slowed
		const answer = await phone('her very own');
		return answer.status !== 429 && answer;
	}, 'the phone may ask again');
	assert.equal(signedIn.status, 200, signedIn.text);
	assert.equal((await set(zoe, 'another one')).json.error, 'exists');
	const alice = new Surfer();
	await signIn(alice, 'alice');
	assert.equal((await set(alice, 'a new one of hers')).status, 409, 'who has one says the old one, at the site');
});

test('who says no at the provider is back at the page, which says so', async () => {
	who = null;
	assert.equal(errorOf(await new Surfer().start('corp')), '/idp/signin.html denied');
	who = '1001';
});

test('the second half belongs to the browser of the first; a code is good once', async () => {
	who = '1001';
	const surfer = new Surfer();
	assert.equal((await surfer.start('corp')).url.pathname, '/idp/identity.html');
	const back = new URL(surfer.back);
	assert.equal(errorOf(await new Surfer().go(back.href)), '/idp/signin.html expired', 'another browser');
	assert.equal(errorOf(await surfer.go(back.href)), '/idp/signin.html provider', 'the provider takes its code once');
	back.searchParams.set('state', `${back.searchParams.get('state').slice(0, -1)}_`);
	assert.equal(errorOf(await surfer.go(back.href)), '/idp/signin.html expired');
	const mixed = new URL(surfer.back);
	mixed.searchParams.delete('iss');
	assert.equal(errorOf(await surfer.go(mixed.href)), '/idp/signin.html provider', 'this provider always says who it is');
	mixed.searchParams.set('iss', 'https://mean.test');
	assert.equal(errorOf(await surfer.go(mixed.href)), '/idp/signin.html provider', 'RFC 9207');
	const n = asked.length;
	assert.equal(errorOf(await surfer.go(surfer.back.replace('/corp/', '/mean/'))), '/idp/signin.html provider', 'begun with one, back from another: RFC 9700 4.4');
	assert.equal(asked.length, n, 'and nobody was given the code');
	assert.equal(errorOf(await surfer.go('https://idp.alpha.test/idp/v1/oidc/corp/callback')), '/idp/signin.html expired');
});

test('bad questions, and providers that are none', async () => {
	const surfer = new Surfer();
	assert.equal((await surfer.start('nobody')).status, 404);
	for (const to of ['https://evil.test/', '//evil.test/', '/idp/../x', '/api/v1/config'])
		assert.equal((await surfer.start('corp', `?to=${encodeURIComponent(to)}`)).status, 400, to);
	assert.equal((await surfer.ask('POST', `https://idp.alpha.test/idp/v1/oidc/corp/start`, { body: {} })).status, 405);
	assert.equal(errorOf(await surfer.start('mean')), '/idp/signin.html provider', 'its configuration names another issuer');
	assert.equal(errorOf(await surfer.start('gone')), '/idp/signin.html provider');
});

const startAs = async (id, name, surfer = new Surfer(), query = '') => {
	who = id;
	hub.asked.length = 0;
	const end = await surfer.start(name, query);
	return { surfer, end, error: end.url.searchParams.get('error') };
};
const linkOf = async (surfer, name) => (await surfer.ask('GET', 'https://idp.alpha.test/idp/v1/providers')).json.find((p) => p.name === name).link;

test('OAuth 2.0 alone: linked once, then the service signs in; what it is asked, and what counts of its document', async () => {
	assert.equal((await startAs(2001, 'hub')).error, 'not-linked');
	const carol = new Surfer();
	await signIn(carol, 'carol');
	const linked = await startAs(2001, 'hub', carol, `?link=${await linkOf(carol, 'hub')}`);
	assert.equal(linked.end.url.pathname, '/idp/identity.html');
	const [authorize, token, user] = hub.asked;
	assert.deepEqual(hub.asked.map(({ path }) => path), ['/login/oauth/authorize', '/login/oauth/access_token', '/user']);
	assert.deepEqual(Object.keys(authorize.query).toSorted(), ['client_id', 'code_challenge', 'code_challenge_method', 'redirect_uri', 'response_type', 'scope', 'state']);
	assert.deepEqual([authorize.query.scope, authorize.query.code_challenge_method], ['read:user user:email', 'S256']);
	assert.deepEqual(Object.keys(token.form).toSorted(), ['client_id', 'client_secret', 'code', 'code_verifier', 'grant_type', 'redirect_uri']);
	assert.deepEqual([token.headers.accept, token.headers.authorization], ['application/json', undefined]);
	assert.match(user.headers.authorization, /^Bearer gho_/);

	const { surfer } = await startAs(2001, 'hub');
	assert.deepEqual(await surfer.me(), { user: 'carol@alpha.test', name: 'Carol Coder', email: 'carol@hub.test', email_verified: false, picture: 'https://hub.test/u/2001' },
		'no member is named that proves the address');
});

test('OAuth 2.0 alone: a person is who has the id, as a number or a text, by whatever name', async () => {
	const one = HUB_PEOPLE[2001];
	Object.assign(one, { id: '2001', login: 'somebody-new' });
	assert.equal((await (await startAs(2001, 'hub')).surfer.me()).user, 'carol@alpha.test');
	HUB_PEOPLE[2003].login = 'Carol-Codes';
	assert.equal((await startAs(2003, 'hub')).error, 'not-linked', 'her name there is another one\'s now');
	for (const id of [undefined, null, true, 2001.5, 0, -2001, '', [2001], { id: 2001 }]) {
		one.id = id;
		const { surfer, error } = await startAs(2001, 'hub');
		assert.equal(error, 'provider', JSON.stringify(id));
		assert.equal((await surfer.me()).error, 'sign-in');
	}
	Object.assign(one, { id: 2001, login: 'Carol-Codes' });
	HUB_PEOPLE[2003].login = 'carol';
});

test('OAuth 2.0 alone: accounts that are made; the secret in the header; an e-mail address that a member proves', async () => {
	const { surfer } = await startAs(2002, 'hub-new');
	assert.deepEqual(await surfer.me(), { user: 'dan@alpha.test', name: 'dan', email: 'dan@hub.test', email_verified: true, picture: 'https://hub.test/u/2002', password: false });
	const [authorize, token] = hub.asked;
	assert.equal('scope' in authorize.query, false, 'none was asked for');
	assert.match(token.headers.authorization, /^Basic /);
	assert.deepEqual(Object.keys(token.form).toSorted(), ['code', 'code_verifier', 'grant_type', 'redirect_uri']);
	assert.equal((await (await startAs(2002, 'hub-new')).surfer.me()).user, 'dan@alpha.test');
	assert.equal((await startAs(2003, 'hub-new')).error, 'name-taken', 'carol is somebody else');
	assert.equal((await startAs(2004, 'hub-new')).error, 'name-taken', 'a text that says true proves no address');
	assert.equal((await startAs(2001, 'hub-wrong')).error, 'provider', 'the wrong secret, which is said with HTTP 200');
	assert.deepEqual(hub.asked.map(({ path }) => path), ['/login/oauth/authorize', '/login/oauth/access_token']);
});

test('OAuth 2.0 alone: who says no is back at the page; answers that prove nothing sign nobody in', async () => {
	assert.equal((await startAs(null, 'hub')).error, 'denied');
	const token = '/login/oauth/access_token', odd = [
		[token, { text: 'access_token=gho_1&scope=&token_type=bearer' }],
		[token, { text: '{"access_token":"gho_1","token_type":"mac"}' }],
		[token, { text: '{"access_token":"gho_1","token_type":"bearer"}' }], // which the service itself does not know
		[token, { text: '{"id_token":"a.b.c"}' }],
		[token, { status: 302, location: `${HUB}/elsewhere` }],
		[token, { status: 500, text: '{}' }],
		['/user', { text: 'Carol' }],
		['/user', { text: JSON.stringify({ ...HUB_PEOPLE[2001], bio: 'x'.repeat(65536) }) }],
		['/user', { status: 302, location: 'https://hub.test/user/2001' }],
		['/user', { status: 403, text: JSON.stringify(HUB_PEOPLE[2001]) }],
	];
	for (const [path, answer] of odd) {
		hub.odd = { [path]: answer };
		const { surfer, error } = await startAs(2001, 'hub');
		assert.equal(error, 'provider', JSON.stringify(answer).slice(0, 100));
		assert.equal((await surfer.me()).error, 'sign-in');
		assert.equal(hub.asked.filter((a) => a.path === '/user').length, path === '/user' || answer.text?.includes('"bearer"') ? 1 : 0);
	}
	hub.odd = {};
});

test('OAuth 2.0 alone: a code is good once, in the browser that began, for the provider that gave it', async () => {
	const { surfer, end } = await startAs(2001, 'hub');
	assert.equal(end.url.pathname, '/idp/identity.html');
	const go = async (browser, address) => {
		hub.asked.length = 0;
		return { error: errorOf(await browser.go(address)).split(' ')[1], asked: hub.asked.map(({ path }) => path) };
	};
	assert.deepEqual(await go(surfer, surfer.back), { error: 'provider', asked: ['/login/oauth/access_token'] }, 'spent');
	assert.deepEqual(await go(new Surfer(), surfer.back), { error: 'expired', asked: [] });
	for (const name of ['hub-new', 'corp'])
		assert.deepEqual(await go(surfer, surfer.back.replace('/hub/', `/${name}/`)), { error: 'provider', asked: [] }, 'nobody is given the code');
	assert.deepEqual(await go(surfer, surfer.back.replace(/iss=[^&]*/, `iss=${encodeURIComponent('https://mean.test')}`)), { error: 'provider', asked: [] });

	/* a code of carol's that was caught on its way, put into a sign-in that somebody else has begun: PKCE */
	hub.odd = { '/login/oauth/access_token': { status: 500 } };
	const caught = new URL((await startAs(2001, 'hub')).surfer.back).searchParams.get('code');
	const thief = (await startAs(2002, 'hub')).surfer;
	hub.odd = {};
	const begun = new URL(thief.back);
	begun.searchParams.set('code', caught);
	assert.deepEqual(await go(thief, begun.href), { error: 'provider', asked: ['/login/oauth/access_token'] });
	assert.equal((await thief.me()).error, 'sign-in');
});

test('the provider changes its keys: the new ones are fetched', async () => {
	who = '1001';
	provider = open();
	let last;
	await until(25_000, async () => {
		last = await new Surfer().start('corp');
		return last.url.pathname === '/idp/identity.html';
	}, () => `it signs in again: ${last.url}`);
});
