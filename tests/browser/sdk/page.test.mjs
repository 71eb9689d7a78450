// the phone's words, and what its page may not contain
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { languages } from '../../../webrtc/phone/language.js';
import { changeOf, knownOf } from '../../../webrtc/phone/known.js';
import { duration, endWords, errorWords, identityWords, initials, securityWords, siteWords, words } from '../../../webrtc/phone/words.js';
import { SlussError } from '../../../webrtc/sdk/errors.js';

const folder = new URL('../../../webrtc/phone/', import.meta.url);
const html = readFileSync(new URL('index.html', folder), 'utf8');
const pages = ['index.html', 'account.html', 'connect.html'].map((f) => readFileSync(new URL(f, folder), 'utf8')).join('\n');
const scripts = readdirSync(folder).filter((f) => f.endsWith('.js'))
	.map((f) => readFileSync(new URL(f, folder), 'utf8'));

const REASONS = ['hangup', 'cancelled', 'elsewhere', 'busy', 'declined', 'no-answer', 'offline', 'not-found',
	'no-route', 'unreachable', 'timeout', 'forbidden', 'media', 'glare', 'loop', 'bad-request', 'limit', 'lost',
	'shutdown', 'internal', 'gone', 'redirect', 'other'];

test('words: every reason of the protocol has a headline, and the site’s sentence below it', () => {
	for (const reason of REASONS) {
		const { title, text } = endWords({ cause: { code: 500, reason, text: 'The site says why.' }, connectedAt: null });

		assert.ok(title, reason);
		assert.ok(reason === 'elsewhere' || text === 'The site says why.', reason);
	}
	assert.equal(endWords({ cause: { reason: 'elsewhere', text: 'x' } }).title, 'Answered on another device');
	assert.equal(endWords({ cause: { reason: 'offline', text: 'x' }, connectedAt: 1 }).title, 'The call was cut off');
});
test('words: every media mode and encryption is said, and none is said too well', () => {
	for (const media of ['direct', 'relay', 'anchor']) {
		for (const encryption of ['end-to-end', 'claimed', 'to-gateway']) {
			const said = securityWords({ media, encryption });

			assert.ok(said.title && said.text && said.media, `${media} ${encryption}`);
			if (encryption === 'claimed')
				assert.match(said.text, /Not yet proved/);
		}
	}
	assert.equal(securityWords({ media: 'direct', encryption: 'claimed' }).text,
		'Both sites say the sound goes straight between the two browsers, encrypted. Not yet proved.');
	assert.equal(securityWords({ media: null, encryption: null }), null);
});
test('words: an error says what the site said, else what the SDK says', () => {
	assert.equal(errorWords(new SlussError('limit', 'too many calls')), 'Too many calls');
	assert.match(errorWords(new SlussError('mic-denied')), /address bar/);
	assert.ok(errorWords(new SlussError('never-heard-of')).length > 0);
});
test('words: names are isolated, numbers are not', () => {
	assert.equal(words('notice.missed', { who: 'Per' }), 'Missed call from \u2068Per\u2069');
	assert.equal(words('signin.wait', { seconds: 7 }), 'Too many tries. Try again in 7 s.');
	assert.equal(words('no such key'), undefined);
});
test('words: what is proved of where a call comes from: its site, its number, nothing', () => {
	const said = (address, verified, identity) => siteWords({ address, site: { domain: 'beta.test', verified, identity } }).replace(/[\u2068\u2069]/g, '');

	assert.match(said('per@beta.test', true, 'verified'), /^beta\.test has proved its name$/);
	assert.match(said('per@beta.test', false, 'none'), /not proved/);
	assert.match(said('+4912@alpha.test', false, 'none'), /number is not proved/);
	assert.match(said('+4912@alpha.test', false, 'failed'), /number is not proved/);
	assert.match(said('+4912@alpha.test', false, 'verified'), /authority for numbers vouches/);
});
test('words: who somebody is, by whose word, and no more than is known', () => {
	const of = (identity, change) => identityWords({ identity }, change);
	const plain = (what) => what?.text.replace(/[\u2068\u2069]/g, '');
	const good = { status: 'verified', name: 'per%40x@beta.test', idp: 'beta.test', by: 'native', profile: { name: 'Per', email: 'p@mail.test', emailVerified: true } };

	assert.equal(plain(of(good)), 'beta.test vouches: this is Per (per%40x@beta.test). E-mail: p@mail.test.');
	assert.equal(of(good).tone, 'good');
	assert.match(plain(of({ ...good, by: 'site' })), /your browser does when you accept/);
	assert.equal(of({ ...good, by: 'site' }).tone, 'plain');
	assert.match(plain(of({ ...good, profile: { email: 'p@mail.test' } })), /not proved/);
	assert.equal(of({ status: 'domain' }), null);
	assert.equal(of(undefined), null);
	assert.match(plain(of({ status: 'domain', checking: true })), /Being checked/);
	assert.match(plain(of({ status: 'domain', why: 'x' })), /could not be checked/);
	assert.equal(of({ status: 'mismatch' }).tone, 'warn');
	for (const change of ['person', 'missing', 'site']) {
		assert.equal(of(good, change).tone, 'warn', change);
		assert.match(plain(of({ status: 'domain' }, change)), /^Caution/);
	}
});
test('contacts: who vouched for them is kept; another provider, name or site, or none any more, is said', () => {
	const site = { domain: 'beta.test', verified: true };
	const per = { status: 'verified', name: 'per@beta.test', idp: 'beta.test', by: 'frame' };
	const known = knownOf({ site, identity: per });

	assert.deepEqual(known, { idp: 'beta.test', idName: 'per@beta.test', site: 'beta.test' });
	assert.deepEqual(knownOf({ site, identity: { ...per, by: 'site' } }), { site: 'beta.test' }, 'the site’s word alone is not kept as the provider’s');
	assert.equal(knownOf({ site: { domain: 'x', verified: false }, identity: { status: 'none' } }), null);
	assert.equal(changeOf(known, { site, identity: per }), null);
	assert.equal(changeOf(known, { site, identity: { ...per, idp: 'evil.test' } }), 'person');
	assert.equal(changeOf(known, { site, identity: { ...per, name: 'pia@beta.test' } }), 'person');
	assert.equal(changeOf(known, { site, identity: { status: 'domain' } }), 'missing');
	assert.equal(changeOf(known, { site, identity: { status: 'domain', checking: true } }), null);
	assert.equal(changeOf(known, { site: { domain: 'other.test', verified: true }, identity: per }), 'site');
	assert.equal(changeOf(known, { site: { domain: 'beta.test', verified: false }, identity: per }), 'site');
	assert.equal(changeOf(null, { site, identity: per }), null);
	assert.equal(changeOf({ site: 'beta.test' }, { site, identity: { status: 'none' } }), null);
});
test('words: times and initials', () => {
	assert.deepEqual([0, 7.9, 754, 3723, -5].map(duration), ['0:00', '0:07', '12:34', '1:02:03', '0:00']);
	const of = (name, address = 'per.o@beta.test') => initials({ name, address });
	assert.deepEqual([of('Per Öberg'), of('per'), of(''), of('“Ann” B. C'), of('👩‍🚀')], ['PÖ', 'P', 'PO', 'AC', '?']);
});

test('page: every text it names is there', () => {
	for (const [, key] of pages.matchAll(/data-text(?:-[a-z-]+)?="([^"]*)"/g))
		assert.ok(words(key), key);
	for (const [, key] of scripts.join('\n').matchAll(/words\('([a-z.-]+)'/g))
		assert.ok(words(key), key);
});
test('page: every text it has is used', () => {
	const all = pages + scripts.join('\n');
	// put together from a word and a value
	const made = /^(end\.|security\.|media\.|state\.(?!muted|nomic|allow|dial)|bar\.|(register|signin)\.(title|site|submit)$|error\.|fact\.|notify\.(granted|denied|default|unsupported)$|idp\.|identity\.(changed|site|verified|email)|explain\.|language$|keypad\.(star|hash)$)/;

	for (const key of Object.keys(languages.en))
		assert.ok(made.test(key) || all.includes(key), key);
});
test('page: every icon that a script names is drawn', () => {
	for (const [, name] of scripts.join('\n').matchAll(/icon\([^,]+, '([a-z-]+)'/g))
		assert.ok(html.includes(`id="i-${name}"`), name);
	for (const [, name] of html.matchAll(/href="#(i-[a-z-]+)"/g))
		assert.ok(html.includes(`id="${name}"`), name);
});
test('page: nothing that a strict Content-Security-Policy forbids, and no HTML made of text', () => {
	assert.doesNotMatch(pages, /\sstyle=|\son[a-z]+=|javascript:|<style|<script(?![^>]*\ssrc=)/i);
	assert.doesNotMatch(scripts.join('\n'),
		/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.style\b|setAttribute\('style/);
	assert.doesNotMatch(pages, /https?:\/\/(?!www\.w3\.org)/, 'nothing from elsewhere');
});
test('page: the hooks that browser tests hold on to', () => {
	for (const hook of ['login-user', 'login-password', 'login-submit', 'dial-input', 'dial-submit', 'call-state',
		'call-remote', 'call-encryption', 'call-media', 'call-cause', 'accept', 'decline', 'busy', 'mute', 'camera',
		'hangup', 'incoming-from', 'incoming-site', 'me'])
		assert.equal(html.split(`data-test="${hook}"`).length, 2, hook);
});
test('page: every field and button has a name', () => {
	for (const [, id] of pages.matchAll(/<(?:input|select) id="([^"]+)"/g))
		assert.match(pages, new RegExp(`<label [^>]*for="${id}"`), id);
	for (const [tag] of html.matchAll(/<button[^>]*class="[^"]*round[^"]*"[^>]*>/g))
		assert.ok(/data-text-aria-label=/.test(tag) || /data-do="(again|contact)"/.test(tag), tag);
});

test('page: every file of the SDK and the phone is installed', () => {
	const fragment = readFileSync(new URL('../../../webrtc/Makefile.inc', import.meta.url), 'utf8');

	for (const room of ['sdk', 'sdk/identity', 'phone']) {
		for (const file of readdirSync(new URL(`../${room}/`, folder)))
			assert.ok(fragment.includes(`webrtc/${room}/${file}`), `webrtc/${room}/${file}`);
	}
});
test('page: every script that it needs is asked for at once, not import by import', () => {
	const top = new URL('../../../webrtc/', import.meta.url), needed = ['/phone/phone.js'];

	for (const path of needed) { // grows
		for (const [, from] of readFileSync(new URL(`.${path}`, top), 'utf8').matchAll(/^(?:import|export)\b[^;']*?'(\.[^']+)';/gm)) {
			const { pathname } = new URL(from, `https://x${path}`);

			if (!needed.includes(pathname))
				needed.push(pathname);
		}
	}
	assert.ok(needed.length > 50);
	assert.deepEqual([...html.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(([, href]) => href).sort(), needed.slice(1).sort());
});
