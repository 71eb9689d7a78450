// tests/lib/witness.mjs - every Identity header that a test sees on the wire is judged, whatever the test is about.
//
//   sip.mjs, keylog.mjs ── each request with a site's signature ──► witness ── when its world closes ──► passport.py
//
// Whoever scripts a SIP peer, or reads a capture, need do nothing for it: World.close() fails where the independent
// verifier does not find what a site has signed. The chain is fetched from the site when its address is seen first.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { OUT, TOP } from './world.mjs';

const OURS = /;info=<(https:\/\/([^/:>]+)(?::(\d+))?(\/\.well-known\/sluss\/sip\/[0-9a-f]{64}\.pem))>/;
/** What stands in quotes is a name, whatever it looks like. */
const uri = (header) => /<([^>]+)>/.exec(header.replace(/"(?:[^"\\]|\\.)*"/g, ''))?.[1] ?? header.split(';')[0];

/** what is to be judged; info -> the promise of its chain */
let heard = [];
const chains = new Map();
/** domain -> the address where it is served: others pass messages on (a proxy) */
const homes = new Map();

/** This domain is served at that address. */
export const serves = (domain, address) => homes.set(domain, address);

function fetched(address, name, port, path) {
	return new Promise((resolve) => {
		const asked = get({ host: address, port: port ?? 443, servername: name, path, headers: { Host: name }, rejectUnauthorized: false, agent: false, timeout: 10_000 }, (answer) => {
			const chunks = [];
			answer.on('data', (chunk) => chunks.push(chunk));
			answer.on('end', () => {
				const text = Buffer.concat(chunks).toString();
				const named = path.includes(createHash('sha256').update(text).digest('hex'));
				resolve(answer.statusCode === 200 && named ? text : null);
			});
		}).on('timeout', () => asked.destroy()).on('error', () => resolve(null));
	});
}

/** A request that has come from `address`, the site's or that of who has passed it on. Others' signatures, and none, are nobody's business here. */
export function witness(message, address) {
	for (const identity of message.method ? message.all('Identity') : []) {
		const [, info, name, port, path] = OURS.exec(identity) ?? [];
		if (!info)
			continue;
		const home = homes.get(name) ?? address, again = () => fetched(home, name, port, path);
		chains.set(info, (chains.get(info) ?? Promise.resolve(null)).then((chain) => chain ?? again()));
		heard.push({
			do: 'verify', identity, from: uri(message.get('From')), to: uri(message.get('To')), date: message.get('Date'),
			sdp: message.text, now: Math.floor(Date.now() / 1000), info, start: message.start,
		});
	}
}

/** Judges all of them. Rejects with what is wrong with each that is. */
export async function judge() {
	const questions = heard;
	heard = [];
	for (const question of questions)
		question.chain = await chains.get(question.info) ?? '';
	chains.clear();
	if (questions.length === 0)
		return;
	const answers = JSON.parse(execFileSync('/usr/bin/python3', [join(TOP, 'tests/lib/passport.py')],
		{ input: JSON.stringify({ do: 'all', questions }), encoding: 'utf8', maxBuffer: 1 << 26 }));
	const faults = answers.flatMap(({ status, why }, i) => (status === 200 ? [] : [`${status} ${why}: ${questions[i].start}, ${questions[i].identity}`]));
	appendFileSync(join(OUT, 'identities.txt'), `${process.argv[1]}: ${questions.length} Identity headers, ${faults.length} wrong\n`);
	if (faults.length > 0)
		throw new Error(`the tests' own verifier refuses ${faults.length} of ${questions.length} Identity headers: ${faults.slice(0, 5).join('\n')}`);
}
