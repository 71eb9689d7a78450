// errors.js - SlussError, and the English words for everything the SDK itself has to say.
//
// Who uses it: every module of the SDK. An error has a `code` for programs and a `message` for
// people; what the site says in its own words (`text` of an error or a cause) is passed on as it is.
// A page in another language maps `code` (or `cause.reason`) to words of its own.

export const texts = {
	// addresses
	'bad-address': 'An address looks like name@site.example.',
	// microphone and camera
	'insecure': 'Browsers give the microphone only to pages that came over HTTPS.',
	'mic-denied': 'This page is not allowed to use the microphone. Allow it in the browser’s '
		+ 'address bar, then try again.',
	'mic-missing': 'No microphone was found. Plug one in, then try again.',
	'mic-busy': 'The microphone could not be started. Another program may be using it.',
	'camera-denied': 'This page is not allowed to use the camera. Allow it in the browser’s '
		+ 'address bar, then try again.',
	'camera-missing': 'No camera was found. Plug one in, then try again.',
	'camera-busy': 'The camera could not be started. Another program may be using it.',
	'screen-denied': 'No screen was shared: the browser did not allow it, or nothing was picked.',
	'screen-missing': 'This browser cannot share a screen.',
	// the connection to the site
	'unreachable': 'The calling site could not be reached. Check the network connection.',
	'timeout': 'The calling site did not answer in time.',
	'lost': 'The connection to the calling site was lost.',
	'offline': 'There is no connection to the calling site at the moment.',
	'closed': 'The phone is switched off.',
	'taken-over': 'This phone goes on in another window.',
	'not-signed-in': 'You are not signed in any more. Please sign in again.',
	'own-origin': 'A password may be sent only to the site that this page came from.',
	'bad-site': 'The site must be a domain name or an https address.',
	'popup-blocked': 'The browser did not open the sign-in window. Allow pop-ups for this page, then '
		+ 'try again.',
	'not-allowed': 'You have not allowed this page to call as you.',
	'unsupported-popup': 'This browser cannot open the sign-in window.',
	'unsupported': 'This browser cannot make calls: it has no WebRTC.',
	// calls
	'aborted': 'The call was given up before it began.',
	'bad-state': 'That is not possible in this state of the call.',
	'ended': 'The call has ended.',
	'bad-tones': 'Only the keys 0 to 9, * and #, A to D and a comma for a pause can be sent.',
	'no-tones': 'Tones cannot be sent in this call.',
	'bad-text': 'A text has 1 to 4000 characters.',
	'no-text': 'The other side’s phone takes no text.',
	'refused': 'The other side did not take the change.',
	'no-transfer': 'The other side’s phone cannot be asked to call somebody else.',
	'refused-transfer': 'The other side does not want to call them.',
	'failed-transfer': 'The other side could not reach them.',
};

// Causes that the SDK makes itself, because it ends the call before the site says anything.
export const causes = {
	hangup: { code: 200, reason: 'hangup', text: 'You ended the call.' },
	cancelled: { code: 487, reason: 'cancelled', text: 'You gave up the call.' },
	busy: { code: 486, reason: 'busy', text: 'You are busy on this device.' },
	declined: { code: 603, reason: 'declined', text: 'You declined the call.' },
	elsewhere: { code: 200, reason: 'elsewhere', text: 'Answered on another device.' },
	gone: { code: 487, reason: 'cancelled', text: 'The caller has given up.' },
	lost: { code: 480, reason: 'lost', text: 'The connection to your calling site was lost, '
		+ 'and the call with it.' },
	noPath: { code: 488, reason: 'media', text: 'No sound could get through between the two '
		+ 'browsers: every network path that was tried failed. A firewall may be in the way.' },
	pathLost: { code: 488, reason: 'media', text: 'The direct connection between the two '
		+ 'browsers broke and did not come back.' },
	badMedia: { code: 488, reason: 'media', text: 'The two browsers could not agree on how to '
		+ 'send sound and picture.' },
	mismatch: { code: 438, reason: 'mismatch', text: 'The key of this call is not the one that the other '
		+ 'side’s identity provider vouches for. Somebody may be in between, so the call was ended.' },
};

export class SlussError extends Error {
	/**
	 * @param code    one of the protocol's error codes or of `texts` above
	 * @param text    words for people; the default is the SDK's own
	 */
	constructor(code, text, { retryS, cause } = {}) {
		super(text || texts[code] || code, cause === undefined ? undefined : { cause });
		this.name = 'SlussError';
		this.code = code;
		if (retryS !== undefined)
			this.retryS = retryS;
	}
}

/** The promise, or a rejection as soon as the signal is given. */
export function abortable(promise, signal) {
	if (!signal)
		return promise;
	return new Promise((resolve, reject) => {
		const stop = () => reject(signal.reason);

		promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
		signal.addEventListener('abort', stop, { once: true });
		if (signal.aborted)
			stop();
	});
}

/** Anything that went wrong, as an error with words. */
export function wordy(e) {
	return e instanceof SlussError ? e : new SlussError('internal', e?.message, { cause: e });
}
