// proxy.js - the identity provider's proxy (W3C webrtc-identity): asks its own site for assertions, and about them.
//
// Who runs it: Firefox, in a realm of its own; and worker.js in a frame, for every other browser. The same file does
// both, and makes and judges. The realm is a poor one: no self, no window, no timers, no crypto.subtle, and fetch
// knows no relative addresses. What lets somebody have an assertion is never in here: it is the cookie of this
// origin, or a frame's grant (RFC 8827 §9.4.1: any page can load this script).

/* global rtcIdentityProvider, slussFrame */

(() => {
	const frame = typeof slussFrame === 'undefined' ? null : slussFrame;

	// A plain object: Firefox loses what is added to an Error.
	const fail = (name, message, loginUrl) => ({ name, message, ...(loginUrl ? { loginUrl } : {}) });

	async function post(path, body, grant) {
		let response, answer;

		try {
			response = await fetch(`${location.origin}/idp/v1/${path}`, {
				method: 'POST',
				headers: {
					'Content-Type': 'application/json', 'X-Sluss-IdP': '1',
					...(grant ? { Authorization: `Bearer ${grant}` } : {}),
				},
				body: JSON.stringify(body),
				credentials: 'include', cache: 'no-store', redirect: 'error',
			});
			answer = await response.json();
		} catch {
			throw fail('NetworkError', 'The identity provider could not be reached.');
		}
		if (response.ok)
			return answer;
		if (response.status >= 500 || response.status === 429)
			throw fail('NetworkError', `The identity provider answered with ${response.status}.`);
		if (answer.error === 'peer') // Firefox passes the message on, and not the name
			throw fail('IdpPeerError', `IdpPeerError: ${answer.text}`);
		throw fail(answer.loginUrl ? 'IdpLoginError' : 'IdpError', answer.loginUrl ? answer.error
			: answer.text ?? answer.error, answer.loginUrl);
	}

	rtcIdentityProvider.register({
		async generateAssertion(contents, origin, options) {
			const { usernameHint, peerIdentity } = options ?? {};

			// Firefox adds what it keeps apart to it: ^userContextId=…, ^privateBrowsingId=….
			return post('assert', {
				contents, origin: origin.split('^', 1)[0], ctx: frame ? 'frame' : 'native',
				...(usernameHint ? { usernameHint } : {}), ...(peerIdentity ? { peer: peerIdentity } : {}),
			}, frame?.grant);
		},
		async validateAssertion(assertion) {
			const { identity, contents, profile } = await post('check', { assertion });

			return { identity, contents, ...(profile ? { profile } : {}) };
		},
	});
})();
