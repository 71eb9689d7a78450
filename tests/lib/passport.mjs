// tests/lib/passport.mjs - tests/lib/passport.py from JavaScript: an independent signer and verifier of SIP Identity.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { http } from './client.mjs';
import { OUT, TOP } from './world.mjs';

function ask(question) {
	return JSON.parse(execFileSync('/usr/bin/python3', [join(TOP, 'tests/lib/passport.py')], { input: JSON.stringify(question), encoding: 'utf8' }));
}

/** TNAuthList (RFC 8226 §9) of one number, as openssl wants an extension. */
export function numberList(number) {
	const text = Buffer.from(number).toString('hex');
	const length = (hex) => (hex.length / 2).toString(16).padStart(2, '0');
	const one = `16${length(text)}${text}`, choice = `A2${length(one)}${one}`;
	return `1.3.6.1.5.5.7.1.26=DER:30${length(choice)}${choice}`;
}

export const now = () => Math.floor(Date.now() / 1000);

/** An Identity header's value. See passport.py for the fields. */
export function sign({ key, x5u, from, to, sdp, iat = now(), orig = { uri: `sip:${from}` }, dest = { uri: [`sip:${to}`] }, ...more }) {
	return ask({ do: 'sign', key, x5u, orig, dest, iat, sdp, ...more }).identity;
}

/** Faulty headers with the answer that is due to each: rows of RFC 8224 §6.2, and pairs of them. */
export function cases({ key, x5u, from, to, sdp, absent, wrong }) {
	return ask({ do: 'cases', key, x5u, orig: { uri: `sip:${from}` }, dest: { uri: [`sip:${to}`] }, iat: now(), sdp, absent, wrong }).cases;
}

export const date = (seconds = now()) => new Date(seconds * 1000).toUTCString();

/** What stands in quotes is a name, whatever it looks like. */
const uri = (header) => /<([^>]+)>/.exec(header.replace(/"(?:[^"\\]|\\.)*"/g, ''))?.[1] ?? header.split(';')[0];

/** Checks the one Identity header of a request that came from the site `daemon`, with the chain that it shows. Gives
 *  what it says: {info, payload, iat}. */
export async function check(daemon, message) {
	const values = message.all('Identity');
	assert.equal(values.length, 1, `${message.start} has one Identity: ${values}`);
	const [identity] = values;
	const info = new URL(/;info=<([^>]+)>/.exec(identity)[1]);
	assert.equal(info.hostname, daemon.domain);
	const got = await http(daemon, 'GET', info.pathname);
	assert.equal(got.status, 200, got.text);
	assert.equal(got.headers['content-type'], 'application/pem-certificate-chain');
	assert.equal(info.pathname, `/.well-known/sluss/sip/${createHash('sha256').update(got.text).digest('hex')}.pem`);
	const verdict = ask({
		do: 'verify', identity, from: uri(message.get('From')), to: uri(message.get('To')), date: message.get('Date'),
		sdp: message.text, chain: got.text, now: now(),
	});
	assert.equal(verdict.status, 200, `${verdict.why}: ${message}`);
	assert.equal(verdict.iat, verdict.date, 'Date and iat are the same time');
	return { ...verdict, identity, chain: got.text };
}

/** Does Debian's secsipidx take it? Gives its words. */
export function secsipidx(identity, chain) {
	const file = join(OUT, 'secsipidx.pem');
	writeFileSync(file, chain);
	try {
		return { ok: true, said: execFileSync('secsipidx', ['-check', '-identity', identity, '-fpubkey', file, '-expire', '60', '-cert-verify', '0'], { encoding: 'utf8', stdio: 'pipe' }) };
	} catch (error) {
		return { ok: false, said: `${error.stdout}${error.stderr}` };
	}
}
