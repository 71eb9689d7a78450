// verifier.js - judges the identity that a description of the other side comes with.
//
// Who uses it: vouched.js. The browser's own judgement decides where it has one; the IdP's frame is asked in every
// browser, and tells the profile. What the IdP says is not believed beyond its own domain, nor for other keys.
//
//   {status: 'verified', name, idp, protocol, profile, by: 'native' | 'frame', contents, value}
//   {status: 'mismatch', why}     the identity is wrong
//   {status: 'unchecked', why}    the IdP did not answer: nothing is known

import { covers, identityOf, mayName, proxyUrl } from './assertion.js';
import { IdpError, silent } from './frame.js';
import { nativeVerdict } from './native.js';

const short = (value, most) => (typeof value === 'string' && value.length > 0 && value.length <= most ? value : undefined);

/** What of a profile is passed on: {name?, picture?, email?, emailVerified?}, or null. Pure. */
export function profileOf(profile) {
	const clean = {
		name: short(profile?.name, 200),
		picture: /^https:\/\//.test(profile?.picture ?? '') ? short(profile.picture, 1000) : undefined,
		email: short(profile?.email, 320),
		emailVerified: profile?.email_verified === true && short(profile?.email, 320) ? true : undefined,
	};
	const told = Object.entries(clean).filter(([, value]) => value !== undefined);

	return told.length ? Object.freeze(Object.fromEntries(told)) : null;
}

export class Verifier {
	#frames;

	constructor(frames) {
		this.#frames = frames;
	}

	/**
	 * @param sdp     as it came, byte for byte: browsers drop what they do not know
	 * @param native  the browser's own promise for it (pc.peerIdentity), or null
	 */
	async judge(sdp, native = null) {
		const claim = identityOf(sdp);

		if (claim.bad)
			return { status: 'mismatch', why: 'the identity cannot be read' };
		const byFrame = this.#byFrame(claim, sdp).catch((e) => e);
		const byBrowser = native && await nativeVerdict(native).catch((e) => e);

		if (byBrowser instanceof IdpError && !silent(byBrowser))
			return { status: 'mismatch', why: byBrowser.message };
		const frame = await byFrame;

		if (byBrowser && !(byBrowser instanceof IdpError))
			return this.#native(byBrowser, frame, claim);
		if (!(frame instanceof Error))
			return { ...frame, status: 'verified', by: 'frame' };
		return { status: silent(frame) ? 'unchecked' : 'mismatch', why: frame.message };
	}

	/** The browser has verified a name, for the keys of this description; the frame adds the profile. */
	#native({ name, idp }, frame, claim) {
		const said = frame instanceof Error ? null : frame;

		if (idp !== claim.idp.domain || !mayName(name, idp) || (said && said.name !== name))
			return { status: 'mismatch', why: 'the identity provider says two things' };
		return {
			status: 'verified', by: 'native', name, idp, protocol: claim.idp.protocol, value: claim.value,
			profile: said?.profile ?? null, contents: said?.contents ?? null,
		};
	}

	async #byFrame({ idp, assertion, value }, sdp) {
		const { domain, protocol } = idp;
		const { identity: name, contents, profile } = await this.#frames.ask(proxyUrl(domain, protocol), 'validate',
			{ assertion, options: { protocol } }) ?? {};

		if (typeof name !== 'string' || typeof contents !== 'string')
			throw new IdpError('IdpError', 'the identity provider gave no name');
		if (!mayName(name, domain))
			throw new IdpError('IdpError', 'the identity provider vouches for a name that is not of its domain');
		if (!covers(contents, sdp))
			throw new IdpError('IdpError', 'the assertion is for other keys than those of this call');
		return { name, idp: domain, protocol, value, contents, profile: profileOf(profile) };
	}
}
