// the identity provider's proxy and pages: what the browser's realm has not, words in both languages, files installed
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import vm from 'node:vm';
import { languages, pickWords } from '../../../idp/proxy/words.js';

const folder = new URL('../../../idp/proxy/', import.meta.url);
const read = (file) => readFileSync(new URL(file, folder), 'utf8');

/** Firefox's realm for it: of a page's globals there are fetch, location and a few more. -> {provider, asked} */
function realm(answer, frame) {
	const made = { asked: [] };
	const sandbox = {
		location: { origin: 'https://idp.alpha.test' },
		rtcIdentityProvider: { register(one) { made.provider = one; } },
		async fetch(url, init) {
			made.asked.push({ url, ...init, body: JSON.parse(init.body) });
			const { status = 200, ...body } = answer ?? {};
			if (!answer)
				throw new TypeError('NetworkError');
			return { ok: status < 300, status, json: async () => body };
		},
		...(frame ? { slussFrame: frame } : {}),
	};

	vm.runInNewContext(read('proxy.js'), sandbox);
	return made;
}

test('proxy: registers at once, and asks with whole addresses and the cookie; the origin without what Firefox adds', async () => {
	const { provider, asked } = realm({ idp: { domain: 'alpha.test', protocol: 'sluss' }, assertion: 'x.y.z' });
	const made = await provider.generateAssertion('{"fingerprint":[]}', 'https://calls.test^userContextId=6', { peerIdentity: '', usernameHint: 'al' });

	assert.equal(made.assertion, 'x.y.z');
	assert.equal(asked[0].url, 'https://idp.alpha.test/idp/v1/assert');
	assert.deepEqual(asked[0].body, { contents: '{"fingerprint":[]}', origin: 'https://calls.test', ctx: 'native', usernameHint: 'al' });
	assert.equal(asked[0].credentials, 'include');
	assert.deepEqual({ ...asked[0].headers }, { 'Content-Type': 'application/json', 'X-Sluss-IdP': '1' });
});
test('proxy: in a frame it shows the grant, and says that it is one', async () => {
	const { provider, asked } = realm({ idp: {}, assertion: 'x' }, { grant: 'secret' });

	await provider.generateAssertion('c', 'https://calls.test', { peerIdentity: 'per@beta.test' });
	assert.deepEqual([asked[0].body.ctx, asked[0].body.peer, asked[0].headers.Authorization], ['frame', 'per@beta.test', 'Bearer secret']);
});
test('proxy: judges, and tells no more than it has to', async () => {
	const { provider, asked } = realm({ identity: 'a@alpha.test', contents: 'c', profile: { name: 'A' }, origin: 'https://calls.test', ctx: 'frame' });

	assert.deepEqual({ ...await provider.validateAssertion('x.y.z', 'https://other.test') }, { identity: 'a@alpha.test', contents: 'c', profile: { name: 'A' } });
	assert.deepEqual(asked[0].body, { assertion: 'x.y.z' });
});
test('proxy: nobody is signed in, no consent, the rule says no, it is away: each by its name', async () => {
	const loginUrl = 'https://idp.alpha.test/idp/signin.html?origin=x';

	for (const [answer, name, message] of [[{ status: 401, error: 'sign-in', loginUrl }, 'IdpLoginError', 'sign-in'],
		[{ status: 403, error: 'consent', loginUrl }, 'IdpLoginError', 'consent'], [{ status: 403, error: 'refused', text: 'No.' }, 'IdpError', 'No.'],
		[{ status: 403, error: 'peer', text: 'For whom?' }, 'IdpPeerError', 'IdpPeerError: For whom\\?'],
		[{ status: 503, error: 'busy' }, 'NetworkError', /503/], [null, 'NetworkError', /reached/]]) {
		const { provider } = realm(answer);

		await assert.rejects(() => provider.generateAssertion('c', 'https://calls.test'), (e) => {
			assert.equal(e.name, name);
			assert.match(e.message, new RegExp(message));
			assert.equal(e.loginUrl, answer?.loginUrl);
			assert.ok(!(e instanceof Error), 'Firefox loses what is added to an Error');
			return true;
		});
	}
});
test('words: both languages have the same, and fill in the same', () => {
	const holes = (text) => [...text.matchAll(/\{\w+\}/g)].map(([one]) => one).sort();

	assert.deepEqual(Object.keys(languages.de), Object.keys(languages.en));
	for (const key of Object.keys(languages.en))
		assert.deepEqual(holes(languages.de[key]), holes(languages.en[key]), key);
	assert.equal(pickWords(['fr', 'de-AT']).tag, 'de');
	assert.equal(pickWords(undefined).tag, 'en');
});
test('pages: no text but from words.js, no script or style but from files, each key is there, each file is installed', () => {
	const installed = readFileSync(new URL('../Makefile.inc', folder), 'utf8');

	for (const file of readdirSync(folder)) {
		const text = read(file);

		assert.ok(installed.includes(`idp/proxy/${file}`), file);
		assert.ok(!/innerHTML|insertAdjacentHTML|document\.write/.test(text), file);
		if (!file.endsWith('.html'))
			continue;
		assert.ok(!/ on\w+=| style=|<script>|<style/.test(text), file);
		for (const [, key] of text.matchAll(/data-text="([^"]+)"/g))
			assert.ok(Object.hasOwn(languages.en, key), `${file} ${key}`);
		assert.deepEqual(text.replace(/<title>.*?<\/title>/s, '').replace(/<[^>]*>/g, '\n').match(/[A-Za-z]{2,}.*/g), null, file);
	}
});
