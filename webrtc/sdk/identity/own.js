// own.js - our own identity: which IdP vouches for us, and its assertions for the keys of our calls.
//
// Who uses it: phone.js makes one and shows it as `phone.identity`; the lines of calls ask it for keys and values of
// a=identity. It never stops a call: where nobody vouches, or not in time, the call goes without, as today.
//
//   off ─an IdP is named─► asking ─► ready          sign-in, consent: signIn() opens the IdP's own window, in a click
//                            ├─► sign-in, consent ─signIn()─► asking …
//                            └─► refused, unreachable
//
// The site's own page needs no window where the IdP is the site's: the site gives it a code for the IdP's frame.

import { SlussError } from '../errors.js';
import { contentsOf, encode, proxyUrl } from './assertion.js';
import { IdpError, silent } from './frame.js';
import { hasNative, nativeAssertion } from './native.js';

/** A call waits so long for what vouches for it. */
export const WAIT_MS = 4000;
/** An assertion may be verified for the first time for five minutes; we do not give out older ones than this. */
export const FRESH_MS = 240000;
/** An IdP that did not answer is not waited for again for so long. */
const AWAY_MS = 60000;
/** Keys of calls that go on, a few at most. */
const GIVEN_MAX = 32;
/** Signing out does not wait for an IdP that does not answer. */
const FORGET_MS = 2000;
const LOOK_MS = 250;
/** A message may be on its way from a window that has closed. */
const LAST_WORDS_MS = 1000;

export class OwnIdentity extends EventTarget {
	#frames;
	#code;
	#idp = null;
	#state = 'off';
	#why = null;
	#loginUrl = null;
	#peer = undefined;
	/** contents -> {made: Promise of a value or null, at} */
	#made = new Map();
	/** contents -> the last value: for a key that others have seen vouched for */
	#given = new Map();
	#key = null;
	#away = -Infinity;
	/** it has to know whom an assertion is for: its person has rules for single persons */
	#asksWhom = false;

	/**
	 * @param frames  Frames
	 * @param code    async (challenge) -> {code, idp}: the site's word for us, on its own page; or null
	 */
	constructor(frames, code) {
		super();
		this.#frames = frames;
		this.#code = code;
	}

	/** {domain, protocol, usernameHint?} or null. */
	get idp() { return this.#idp; }
	/** 'off', 'asking', 'ready', 'sign-in', 'consent', 'refused', 'unreachable' */
	get state() { return this.#state; }
	/** What the IdP says about it, or null. */
	get why() { return this.#why; }

	/** Names the IdP, or none. Asks it at once for a first key, so that the first call need not wait. */
	use(idp) {
		const { domain, protocol = 'sluss', usernameHint } = idp || {};
		const before = this.#idp;

		if (domain === before?.domain && protocol === before?.protocol && usernameHint === before?.usernameHint)
			return;
		if (before)
			this.#frames.drop(this.#url);
		this.#made.clear();
		this.#given.clear();
		this.#key = null;
		this.#away = -Infinity;
		this.#asksWhom = false;
		this.#idp = idp && proxyUrl(domain, protocol)
			? Object.freeze({ domain, protocol, ...(usernameHint ? { usernameHint } : {}) }) : null;
		this.#set(this.#idp ? 'asking' : 'off');
		if (this.#idp)
			this.prepare().catch(() => {});
	}

	get #url() {
		return proxyUrl(this.#idp.domain, this.#idp.protocol);
	}

	/** Keys and values, for the lines of calls */

	/** Makes a key for the next call, and has it vouched for meanwhile. */
	async prepare() {
		const { RTCPeerConnection: Peer } = globalThis;

		this.#forgetOld();
		if (!this.#idp || this.#key || !Peer?.generateCertificate)
			return;
		const idp = this.#idp;
		const certificate = await Peer.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
		const contents = asserts(certificate);

		if (idp !== this.#idp || this.#key)
			return;
		this.#key = { certificate, at: performance.now() };
		if (contents)
			this.#begin(contents, certificate);
	}

	/** The key for a call's lines: an RTCCertificate, or null: the browser makes one. */
	takeKey() {
		const certificate = this.#key?.certificate ?? null;

		this.#key = null;
		return certificate;
	}

	/**
	 * What goes into a description of ours as a=identity, or null.
	 * @param peer  who gets it, user@domain: the IdP is told when it asks
	 */
	async value(sdp, certificate, peer) {
		const contents = contentsOf(sdp);

		this.#forgetOld();
		if (!this.#idp || !contents)
			return null;
		const entry = this.#made.get(contents) ?? this.#begin(contents, certificate, peer);
		// One that was begun before it was known who gets it.
		const made = entry.made.then((one) => (entry.forWhom && peer ? this.#begin(contents, certificate, peer).made : one));
		const before = this.#given.get(contents) ?? null;
		let timer;
		const late = new Promise((resolve) => {
			timer = setTimeout(resolve, before || performance.now() - this.#away < AWAY_MS ? 0 : WAIT_MS, null);
		});

		// The same as before, where a new one is not at hand: who has verified it does so once, and without any the call
		// would end. A path that is looked for anew does not wait for an IdP.
		const value = await Promise.race([made, late]).finally(() => clearTimeout(timer)) ?? before;

		this.#remember(contents, value);
		return value;
	}

	#remember(contents, value) {
		this.#given.delete(contents);
		if (value)
			this.#given.set(contents, value);
		if (this.#given.size > GIVEN_MAX)
			this.#given.delete(this.#given.keys().next().value);
	}

	#forgetOld() {
		const now = performance.now();

		for (const [contents, { at }] of this.#made) {
			if (now - at > FRESH_MS)
				this.#made.delete(contents);
		}
		if (this.#key && now - this.#key.at > FRESH_MS)
			this.#key = null;
	}

	/** @param peer  for whom; undefined: nobody in particular, as long as the IdP does not ask */
	#begin(contents, certificate, peer) {
		const idp = this.#idp;
		const entry = { at: performance.now(), forWhom: false };

		entry.made = this.#forAny(contents, certificate, peer).then((value) => {
			if (idp === this.#idp)
				this.#set('ready');
			return value;
		}, (e) => {
			if (this.#made.get(contents) === entry)
				this.#made.delete(contents); // the next description asks again
			entry.forWhom = e.name === 'IdpPeerError' && !peer;
			if (idp === this.#idp)
				this.#failed(e, peer);
			return null;
		});
		this.#made.set(contents, entry);
		return entry;
	}

	/** For anybody; where the IdP has to know for whom, and this is known, for them. */
	async #forAny(contents, certificate, peer) {
		const idp = this.#idp;

		if (!this.#asksWhom || !peer) {
			try {
				const value = await this.#make(contents, certificate);

				if (idp === this.#idp)
					this.#asksWhom = false;
				return value;
			} catch (e) {
				if (e.name !== 'IdpPeerError' || idp !== this.#idp)
					throw e;
				this.#asksWhom = true;
				if (!peer)
					throw e;
			}
		}
		return this.#make(contents, certificate, peer);
	}

	/** By the browser where it can, else by the frame; signed in silently first, where the site may say who we are. */
	async #make(contents, certificate, peer) {
		let quiet = Boolean(this.#code);

		if (certificate && hasNative()) {
			try {
				return await this.#native(certificate, peer);
			} catch (e) {
				if (e.name === 'IdpPeerError')
					throw e;
				if (e.name === 'IdpLoginError' && quiet && await this.#quietly()) {
					quiet = false;
					const again = await this.#native(certificate, peer).catch((why) => why);

					if (again.name === 'IdpPeerError')
						throw again;
					if (typeof again === 'string')
						return again;
				}
			}
		}
		try {
			return await this.#byFrame(contents, peer);
		} catch (e) {
			if (e.name !== 'IdpLoginError' || !quiet || !await this.#quietly())
				throw e;
			return this.#byFrame(contents, peer);
		}
	}

	#native(certificate, peer) {
		return nativeAssertion(certificate, this.#idp, peer);
	}

	async #byFrame(contents, peerIdentity) {
		const { protocol, usernameHint } = this.#idp;
		const { idp, assertion } = await this.#frames.ask(this.#url, 'generate',
			{ contents, options: { protocol, ...(usernameHint ? { usernameHint } : {}), ...(peerIdentity ? { peerIdentity } : {}) } });

		if (typeof assertion !== 'string' || !proxyUrl(idp?.domain, idp.protocol))
			throw new IdpError('IdpError', 'the identity provider gave no assertion');
		return encode({ idp, assertion });
	}

	/** The person goes: the site's own IdP is not to vouch for the next one as for this one. */
	async forget() {
		if (!this.#idp || !this.#code)
			return;
		let timer;
		const late = new Promise((resolve) => { timer = setTimeout(resolve, FORGET_MS); });

		await Promise.race([this.#frames.ask(this.#url, 'forget').catch(() => {}), late]);
		clearTimeout(timer);
		this.use(null);
	}

	/** The site's own word for who we are goes to its own IdP's frame. */
	async #quietly() {
		try {
			const { challenge } = await this.#frames.ask(this.#url, 'challenge');
			const { code, idp } = await this.#code(challenge);

			if (idp.domain !== this.#idp.domain)
				return false;
			await this.#frames.ask(this.#url, 'redeem', { code });
			return true;
		} catch {
			return false;
		}
	}

	/** That somebody does not get a name, by the person's own rule, or that it depends on who it is, is no fault. */
	#failed(e, peer) {
		if (e.name === 'IdpPeerError' || (peer && this.#asksWhom && e.name === 'IdpError')) {
			this.#set('ready');
			return;
		}
		this.#loginUrl = e.name === 'IdpLoginError' ? safe(e.loginUrl) : null;
		if (silent(e))
			this.#away = performance.now();
		this.#set(this.#loginUrl ? (e.message === 'consent' ? 'consent' : 'sign-in')
			: silent(e) ? 'unreachable' : 'refused', e.message);
	}

	#set(state, why = null) {
		if (state === this.#state && why === this.#why)
			return;
		this.#state = state;
		this.#why = why;
		this.dispatchEvent(new Event('state'));
	}

	/**
	 * In a click: the IdP's own window asks who one is, and whether this page may have calls vouched for. Resolves
	 * when that is done; rejects with SlussError: 'popup-blocked', 'not-allowed', 'bad-state' (there is nothing to ask).
	 */
	async signIn() {
		if (!this.#loginUrl)
			throw new SlussError('bad-state');
		const popup = globalThis.open(this.#loginUrl, 'sluss-idp', 'popup,width=460,height=700');

		if (!popup)
			throw new SlussError('popup-blocked');
		await this.#done(popup);
		this.#loginUrl = null;
		this.#made.clear();
		this.#key = null;
		this.#set('asking');
		await this.prepare();
		await Promise.all([...this.#made.values()].map(({ made }) => made));
	}

	/** The window says so, or gives a code that is of use to the frame alone. */
	#done(popup) {
		return new Promise((resolve, reject) => {
			let closing = null;
			const end = (settle, value) => {
				clearInterval(watch);
				clearTimeout(closing);
				globalThis.removeEventListener('message', heard);
				settle(value);
			};
			const watch = setInterval(() => {
				if (popup.closed)
					closing ??= setTimeout(() => end(reject, new SlussError('not-allowed')), LAST_WORDS_MS);
			}, LOOK_MS);
			const heard = ({ source, data }) => {
				if (source !== popup)
					return;
				if (data?.sluss === 'idp' && typeof data.code === 'string')
					this.#frames.ask(this.#url, 'redeem', { code: data.code }).then(() => end(resolve),
						(e) => end(reject, new SlussError('refused', e.message, { cause: e })));
				else if (data === 'WEBRTC-LOGINDONE')
					closing ??= setTimeout(() => end(resolve), LAST_WORDS_MS);
			};

			globalThis.addEventListener('message', heard);
		});
	}
}

/** What has to be asserted of a key, as its description will say it; null: the browser does not tell. */
function asserts(certificate) {
	const fingerprint = (certificate.getFingerprints?.() ?? []).filter(({ algorithm }) => algorithm === 'sha-256')
		.map(({ algorithm, value }) => ({ algorithm, digest: value.toUpperCase() }));

	return fingerprint.length === 1 ? JSON.stringify({ fingerprint }) : null;
}

function safe(url) {
	return typeof url === 'string' && /^https:\/\/|^http:\/\/([^/@]+\.)?localhost(:\d+)?\//.test(url) ? url : null;
}
