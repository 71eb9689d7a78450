// native.js - the browser's own identity machinery (W3C webrtc-identity): Firefox has it, others do not.
//
// Who uses it: vouch.js. The browser runs the IdP's script in a realm of its own, tells it the true origin of this
// page, and makes the contents from its own key: a page cannot ask for anything else.
//
// Our assertion is got by a second RTCPeerConnection that has the call's key and does nothing else: one that has
// been told of an IdP makes no description any more when that IdP does not answer.

import { proxyUrl } from './assertion.js';
import { IdpError } from './frame.js';

/** What the browser itself says of an assertion that is wrong; everything else may be an IdP that is away. */
const WRONG = /^(IdP validation error|assertion name error|invalid identity assertion|assertion missing)/;

/** Of an IdP's own error the browser passes on what it says, and no name but that of a login. */
function nameOf({ name, message }) {
	if (name === 'IdpLoginError')
		return name;
	return /\bIdpPeerError\b/.test(message) ? 'IdpPeerError' : 'NetworkError';
}

export function hasNative() {
	return typeof globalThis.RTCPeerConnection?.prototype?.setIdentityProvider === 'function';
}

/**
 * The value of a=identity for a key of ours, by the browser. Rejects with IdpError.
 * @param certificate  RTCCertificate   @param idp  {domain, protocol, usernameHint?}   @param peer  for whom, or undefined
 */
export async function nativeAssertion(certificate, { domain, protocol, usernameHint }, peer) {
	if (!proxyUrl(domain, protocol)?.startsWith('https:'))
		throw new IdpError('NetworkError', 'not https');
	const pc = new RTCPeerConnection({ certificates: [certificate] });

	try {
		pc.setIdentityProvider(domain, {
			protocol, ...(usernameHint ? { usernameHint } : {}), ...(peer ? { peerIdentity: peer } : {}),
		});
		return await pc.getIdentityAssertion();
	} catch (e) {
		throw new IdpError(nameOf(e), e.message, pc.idpLoginUrl ?? undefined);
	} finally {
		pc.close();
	}
}

/**
 * What the browser makes of the identity in the description that a connection is given: {name, idp}; rejects with
 * IdpError. To be called before it is given, with peerIdentity as it is then: Firefox puts another promise in its
 * place when that fails.
 */
export async function nativeVerdict(peerIdentity) {
	try {
		const { idp, name } = await peerIdentity;

		return { idp, name };
	} catch (e) {
		throw new IdpError(WRONG.test(e?.message ?? '') ? 'IdpError' : 'NetworkError', e?.message ?? String(e));
	}
}
