// tests/abuse/lib/vectors.mjs - the RFC 4475 and RFC 5118 messages, byte for byte, and careful variants of
// them: another sender's domain, a description that browsers understand, a branch of our own. A variant
// replaces those bytes and leaves the folding, spacing and spelling of all others as they were.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TOP } from '../../lib/world.mjs';

const DIR = join(TOP, 'tests/abuse/vectors');

/** All of them: name -> Buffer. Throws when a file is not what its SHA256SUMS says. */
export function loadVectors() {
	const all = new Map();
	for (const [sums, dir] of [['rfc4475/SHA256SUMS', 'rfc4475/dat'], ['rfc5118/SHA256SUMS', 'rfc5118']]) {
		for (const line of readFileSync(join(DIR, sums), 'utf8').trim().split('\n')) {
			const [sum, file] = line.split(/\s+/);
			const bytes = readFileSync(join(DIR, dir, file.replace(/^\*/, '')));
			if (createHash('sha256').update(bytes).digest('hex') !== sum)
				throw new Error(`${file} is not the file that it was`);
			all.set(file.replace(/^\*/, '').replace(/\.dat$/, ''), bytes);
		}
	}
	const there = readdirSync(join(DIR, 'rfc4475/dat')).length + readdirSync(join(DIR, 'rfc5118')).filter((f) => !/\.md$|SUMS$/.test(f)).length;
	if (there !== all.size)
		throw new Error(`${there} files, but ${all.size} sums`);
	return all;
}

const text = (bytes) => bytes.toString('latin1');
const bytes = (s) => Buffer.from(s, 'latin1');

/** [head, body] at the first empty line. */
function split(message) {
	const s = text(message);
	const at = s.indexOf('\r\n\r\n');
	return at < 0 ? [s, ''] : [s.slice(0, at + 4), s.slice(at + 4)];
}

/** Another domain in the From header's URI (long, short, folded, any case). */
export function fromDomain(message, domain) {
	const [head, body] = split(message);
	return bytes(head.replace(/(\r\nf(?:rom)?[ \t]*:(?:[^\r]|\r\n[ \t])*?@)[A-Za-z0-9.-]+/i, `$1${domain}`) + body);
}

/** Another body, with its length in the message's own Content-Length header. */
export function withBody(message, body) {
	const [head] = split(message);
	const new_head = head.replace(/(\r\n(?:content-length|l)[ \t]*:[ \t]*)-?\d+/i, `$1${Buffer.byteLength(body)}`);
	return Buffer.concat([bytes(new_head), Buffer.from(body)]);
}

/** A Call-ID of our own behind the message's, so that one run is not a repeat of another. */
export function fresh(message, mark) {
	const [head, body] = split(message);
	return bytes(head.replace(/(\r\n(?:call-id|i)[ \t]*:[ \t]*)/i, `$1${mark}-`)
		.replace(/(branch[ \t]*=(?:[ \t]|\r\n[ \t])*)(z9hG4bK)(?=.)/, `$1$2${mark}`) + body);
}

/** The port that a UDP response goes to: the top Via's, else 5060 (RFC 3261 §18.2.2). */
export function viaPort(message) {
	const via = /\r\nv(?:ia)?[ \t]*:(?:[^\r]|\r\n[ \t])*/i.exec(text(message))?.[0] ?? '';
	const host = /\/\s*(?:UDP|TCP|TLS)\s+(\[[^\]]*\]|[A-Za-z0-9.-]+)\s*(?::\s*(\d+))?/i.exec(via);
	return Number(host?.[2] ?? 5060);
}

export const method = (message) => text(message).split(/[ \t]/)[0];
export const isResponse = (message) => text(message).startsWith('SIP/2.0 ');

/** Pieces to write one after another: whole, in some odd places, or byte by byte. */
export function segments(message, how) {
	switch (how) {
	case 'whole':
		return [message];
	case 'bytes':
		return [...message].map((b) => Buffer.from([b]));
	case 'pieces': {
		// just before and inside line ends, inside the first line, around the end of the headers
		const end = Math.max(text(message).indexOf('\r\n\r\n'), 2);
		const cuts = [3, text(message).indexOf('\r\n') + 1, Math.floor(message.length / 3), end + 1, end + 3, message.length - 1]
			.filter((c) => c > 0 && c < message.length).sort((a, b) => a - b);
		return [0, ...new Set(cuts)].map((c, i, all) => message.subarray(c, all[i + 1] ?? message.length)).filter((p) => p.length > 0);
	}
	default:
		throw new Error(`no segmentation ${how}`);
	}
}
