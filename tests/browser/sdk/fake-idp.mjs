// tests/browser/sdk/fake-idp.mjs - a page's document with frames in it, and identity providers that answer in them.
// The test plays the providers: each op is a function of `Idps.by(domain)`.
import { FakePeer } from './fake.mjs';

const FP = (c) => Array(32).fill(c.repeat(2)).join(':');

/** A description as browsers make them: `keys` are letters, each a fingerprint. */
export function sdpOf(keys, more = '') {
	return ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', ...[...keys].map((c) => `a=fingerprint:sha-256 ${FP(c)}`),
		...(more ? [more] : []), 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', ''].join('\r\n');
}

export const line = (idp, assertion) => `a=identity:${btoa(JSON.stringify({ idp, assertion }))}`;
export const contents = (keys) => JSON.stringify({ fingerprint: [...keys].map((c) => ({ algorithm: 'sha-256', digest: FP(c) })) });

/** Domains and what is behind them. */
export const Idps = {
	all: new Map(),
	loaded: [],
	asked: [],
	/** {generate(args), validate(args), challenge(args), redeem(args)}; each gives or throws {name, message, loginUrl}.
	 *  `dead`: a page that says nothing. */
	add(domain, ops) {
		Idps.all.set(domain, ops);
	},
	/** Vouches for one name, in words that the test reads: assertion is NAME|contents. */
	honest(domain, name) {
		Idps.add(domain, {
			generate: ({ contents: what }) => ({ idp: { domain, protocol: 'sluss' }, assertion: `${name}|${what}` }),
			validate: ({ assertion }) => ({ identity: assertion.split('|')[0], contents: assertion.slice(assertion.indexOf('|') + 1),
				profile: { name: 'Per Persson', email: 'per@mail.test', email_verified: true, secret: 'x' } }),
		});
	},
};

class FakeFrame extends EventTarget {
	attributes = {};
	#window;

	constructor(page) {
		super();
		this.page = page;
		const frame = this;

		this.#window = { postMessage(data, origin, [port]) { frame.#got(data, origin, port); } };
	}

	get contentWindow() {
		return this.#window;
	}

	setAttribute(name, value) {
		this.attributes[name] = value;
	}

	/** It is put into the page: loads. */
	load() {
		const { host } = new URL(this.src);
		const ops = Idps.all.get(host);

		Idps.loaded.push(this.src);
		queueMicrotask(() => {
			if (ops && !ops.dead)
				this.page.message({ sluss: 'idp', hello: 1 }, this.#window, `https://idp.${host}`);
			this.dispatchEvent(new Event('load'));
		});
	}

	#got({ sluss, port: given }, origin, port) {
		const { host } = new URL(this.src);

		if (sluss !== 'idp' || given !== port || origin !== `https://idp.${host}`)
			throw new Error('the port went astray');
		port.onmessage = async ({ data: { id, op, args } }) => {
			Idps.asked.push(`${op} ${host}`);
			try {
				port.postMessage({ id, ok: await Idps.all.get(host)[op](args) });
			} catch (e) {
				port.postMessage({ id, error: { name: e.name, message: e.message, loginUrl: e.loginUrl } });
			}
		};
		this.port = port;
	}

	remove() {
		this.port?.close();
		this.removed = true;
	}
}

/** Puts a document in place; -> {frames, message(data, source, origin)}. */
export function installPage() {
	const target = new EventTarget();
	const page = {
		frames: [],
		message: (data, source, origin) => target.dispatchEvent(Object.assign(new Event('message'), { data, source, origin })),
	};

	Idps.all.clear();
	Idps.loaded.length = Idps.asked.length = 0;
	globalThis.addEventListener = (...args) => target.addEventListener(...args);
	globalThis.removeEventListener = (...args) => target.removeEventListener(...args);
	globalThis.document = {
		body: { append(frame) { page.frames.push(frame); frame.load(); } },
		createElement: () => new FakeFrame(page),
	};
	return page;
}

export function removePage() {
	delete globalThis.document;
	delete globalThis.addEventListener;
	delete globalThis.removeEventListener;
	delete FakePeer.generateCertificate;
	FakePeer.prototype.createOffer = original.createOffer;
	FakePeer.prototype.createAnswer = original.createAnswer;
}

const original = { createOffer: FakePeer.prototype.createOffer, createAnswer: FakePeer.prototype.createAnswer };

/** From now on this browser's descriptions have a key, as real ones do; `keys` are used one after the other. */
export function withKeys(keys) {
	const left = [...keys];
	const keyOf = (pc) => (pc.key ??= pc.config.certificates?.[0].letter ?? left.shift() ?? '0');

	FakePeer.prototype.createOffer = async function () { return { type: 'offer', sdp: sdpOf(keyOf(this)) }; };
	FakePeer.prototype.createAnswer = async function () { return { type: 'answer', sdp: sdpOf(keyOf(this)) }; };
	FakePeer.generateCertificate = async () => {
		const letter = left.shift() ?? '0';

		return { letter, getFingerprints: () => [{ algorithm: 'sha-256', value: FP(letter).toLowerCase() }] };
	};
}
