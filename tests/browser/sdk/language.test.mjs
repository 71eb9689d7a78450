// the message files against each other, which language is picked, and that no text stands anywhere else
import { afterEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { choose, language, languages, pick } from '../../../webrtc/phone/language.js';
import { endWords, errorWords, words } from '../../../webrtc/phone/words.js';
import { SlussError, texts } from '../../../webrtc/sdk/errors.js';

const folder = new URL('../../../webrtc/phone/', import.meta.url);
const read = (file) => readFileSync(new URL(file, folder), 'utf8');
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(([p]) => p).sort();

afterEach(() => choose('en'));

test('messages: every file of messages/ is a language, with the same keys and the same things filled in', () => {
	assert.deepEqual(readdirSync(new URL('messages/', folder)).sort(), Object.keys(languages).map((l) => `${l}.js`).sort());
	for (const [name, other] of Object.entries(languages)) {
		assert.deepEqual(Object.keys(other), Object.keys(languages.en), `${name}: keys and their order`);
		for (const [key, text] of Object.entries(other)) {
			assert.ok(typeof text === 'string' && text.trim(), `${name} ${key}`);
			assert.deepEqual(placeholders(text), placeholders(languages.en[key]), `${name} ${key}`);
		}
	}
});
test('messages: a translation is one', () => {
	const same = Object.keys(languages.en).filter((k) => languages.en[k] === languages.de[k]
		&& /[a-z]/i.test(languages.en[k].replace(/\{\w+\}|\bms\b/g, '')));

	// names, what is the same word in both, and texts that are only something filled in
	assert.deepEqual(same.filter((k) => !/^(title|signin\.user|home\.placeholder)$/.test(k)), []);
});
test('messages: every error the SDK makes has a sentence where a person can meet it', () => {
	// those that only a program can cause
	const programs = ['own-origin', 'bad-site', 'bad-tones', 'no-tones', 'aborted'];

	for (const code of Object.keys(texts))
		assert.ok(languages.de[`error.${code}`] || programs.includes(code), code);
});
test('language: the first wish that can be met', () => {
	assert.equal(pick(['sv-SE', 'de-AT', 'en']), 'de');
	assert.equal(pick(['EN-gb']), 'en');
	assert.equal(pick(['fr']), 'en');
	assert.equal(pick([]), 'en');
	assert.equal(pick(undefined), 'en');
});
test('language: once chosen, everything is said in it; the site’s English only where it says which', () => {
	choose('de');
	assert.equal(language(), 'de');
	assert.equal(words('call.hangup'), 'Auflegen');
	assert.equal(errorWords(new SlussError('limit', 'too many calls')), languages.de['error.limit']);
	assert.match(errorWords(new SlussError('never-heard-of', 'odd')), /^Etwas ging schief\. \(odd\)$/);
	assert.equal(endWords({ cause: { reason: 'declined', text: 'The call was declined.' } }).text, languages.de['explain.declined']);
	assert.match(endWords({ cause: { reason: 'unreachable', text: 'its certificate has expired' } }).text, /Site.*\(its certificate has expired\)$/);
	assert.match(endWords({ cause: { reason: 'glare', text: 'both at once' } }).text, /Grund.*both at once/);
});
test('no text stands in the page: what a person can read or hear comes from messages/', () => {
	const html = ['index.html', 'account.html', 'connect.html'].map(read).join('\n').replace(/<noscript>.*?<\/noscript>/gs, '').replace(/<(title|style|script)\b.*?<\/\1>/gs, '')
		.replace(/<meta name="description"[^>]*>/, '').replace(/<!--.*?-->/gs, '');

	assert.deepEqual(html.replace(/<[^>]*>/g, '\n').match(/[A-Za-z]{2,}.*/g)?.filter((t) => t !== 'Sluss') ?? [], []);
	assert.deepEqual(html.match(/\s(aria-label|title|placeholder|alt)="[^"]*[A-Za-z][^"]*"/g) ?? [], []);
});
test('no text stands in a script: no sentence in quotes', () => {
	for (const file of readdirSync(folder).filter((f) => f.endsWith('.js'))) {
		const code = read(file).replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$|\s\/\/ .*$/gm, '')
			.replace(/^import .*$/gm, '').replace(/new (Type)?Error\('[^']*'\)/g, '').replace(/\$\{[^}]*\}/g, '');

		// A word with a capital, or two words: neither is a key, a class, an event nor a selector.
		for (const [, text] of code.matchAll(/['"`]((?:[A-Z][a-zà-ü]+|[A-Za-zà-ü]+ [a-zà-ü]+)[^'"`\n]*)['"`]/g))
			assert.ok(/^(Tab|Enter|Escape|Home|End|Shift|Arrow[A-Z][a-z]+|NotAllowedError|NotFoundError|OverconstrainedError|SecurityError|AbortError|[A-Z]\w*:? ?)$/.test(text),
				`${file}: “${text}” belongs into messages/`);
	}
});
