// show.js - the verified name, drawn by the frame of the provider that vouches for it: the page cannot change it.
//
// Who uses it: the page. What it calls: frame.js, with a frame that is in sight.

import { VOUCHED } from '../call-doors.js';
import { SlussError } from '../errors.js';
import { identityOf, proxyUrl } from './assertion.js';
import { Frame } from './frame.js';

/**
 * Puts the frame into `element` (and nothing else into it). -> the <iframe>; whoever is done with it removes it. Rejects
 * with SlussError: 'bad-state' while the call's identity is not verified, 'refused' when the provider does not show it.
 */
export async function showIdentity(call, element) {
	const { value } = call[VOUCHED].proof ?? {};
	const claim = value && identityOf(`a=identity:${value}`);

	if (!claim?.idp)
		throw new SlussError('bad-state');
	element.replaceChildren();
	const frame = new Frame(proxyUrl(claim.idp.domain, claim.idp.protocol), element, claim.idp.domain);

	try {
		await frame.ask('show', { assertion: claim.assertion, language: document.documentElement.lang || navigator.language });
		return frame.element;
	} catch (e) {
		frame.close();
		throw new SlussError('refused', e.message, { cause: e });
	}
}
