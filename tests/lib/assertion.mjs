// tests/lib/assertion.mjs - an identity provider of the tests' own: it signs who made a description (a=identity, RFC 8827),
// and shows its keys over HTTPS. Independent of slussd: Node's crypto alone.
//
//   const idp = await Provider.listen({ domain: 'idp.test', pair: ca.valid('idp.test'), address });
//   const offer = idp.vouch(sdp.offer('hello'), { sub: 'ann@idp.test' });
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

export const now = () => Math.floor(Date.now() / 1000);
const b64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** All fingerprints of a description, as `contents` names them. */
export function contents(description) {
	const all = [...description.matchAll(/^a=fingerprint:(\S+) (\S+)\r?$/gm)].map(([, algorithm, digest]) => `${algorithm} ${digest}`);
	return JSON.stringify({ fingerprint: [...new Set(all)].map((f) => ({ algorithm: f.split(' ')[0], digest: f.split(' ')[1] })) });
}

/** Puts an a=identity into the session part. */
export function attach(description, value) {
	return description.replace(/\r\nm=/, `\r\na=identity:${value}\r\nm=`);
}

/** The value of a=identity. */
export const line = (domain, assertion, protocol = 'sluss') => Buffer.from(JSON.stringify({ idp: { domain, protocol }, assertion })).toString('base64');

export class Provider {
	constructor(domain, port = 443) {
		this.host = domain;
		this.domain = port === 443 ? domain : `${domain}:${port}`;
		this.keys = [];
		this.asked = [];
		this.maxAge = 300;
		this.rotate();
	}

	static async listen({ domain, pair, address, port = 443 }) {
		const idp = new Provider(domain, port);
		idp.server = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, (request, response) => {
			idp.asked.push(request.url);
			idp.answer(request, response);
		});
		await new Promise((resolve) => idp.server.listen(port, address, resolve));
		return idp;
	}

	/** What it says to a request; tests put their own here. */
	answer(request, response) {
		if (request.url !== '/.well-known/sluss/jwks.json')
			response.writeHead(404).end();
		else
			response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': `max-age=${this.maxAge}` }).end(this.jwks());
	}

	/** A new key signs from now on; old ones stay published. */
	rotate() {
		const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
		this.keys.unshift({ kid: randomBytes(6).toString('hex'), ...pair });
	}

	jwks() {
		return JSON.stringify({ keys: this.keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' })) });
	}

	/** A token over these contents. `header` and `claims` change what is in it; undefined takes a member out. */
	token(text, { sub = `ann@${this.host}`, header = {}, claims = {}, key = this.keys[0] } = {}) {
		const h = { alg: 'ES256', kid: key.kid, typ: 'webrtc-id+jwt', ...header };
		const c = {
			iss: `https://${this.host}`, sub, iat: now(), nbf: now(), exp: now() + 300, jti: randomBytes(16).toString('hex'), contents: text,
			origin: 'https://shop.test', ctx: 'frame', ...claims,
		};
		const input = `${b64url(h)}.${b64url(c)}`;
		return `${input}.${sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
	}

	/** The description with a=identity over all its media keys. `text`: other contents; `domain`, `protocol`: of the idp. */
	vouch(description, { text = contents(description), domain = this.domain, protocol = 'sluss', ...more } = {}) {
		return attach(description, line(domain, this.token(text, more), protocol));
	}

	close() {
		this.server?.closeAllConnections();
		this.server?.close();
	}
}
