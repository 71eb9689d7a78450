// badge.js - who somebody is, shown by the provider's own frame: the page around it cannot change what stands here.
//
// Who uses it: shim.js. Text only, as text.

import { pickWords } from './words.js';

/** @param identity  user@domain, the user percent-encoded as it came: what is shown cannot look like another name */
export function show(document, { identity, profile, language }) {
	const words = pickWords([language]);
	const badge = document.createElement('main');
	const name = document.createElement('bdi'), who = document.createElement('bdi'), by = document.createElement('p');
	const top = document.createElement('p');

	document.documentElement.lang = words.tag;
	badge.className = 'badge';
	name.className = 'badge-name';
	name.textContent = profile?.name ?? identity;
	who.className = 'badge-who';
	who.textContent = profile?.name ? identity : '';
	by.className = 'badge-by';
	by.textContent = words.fill('badge.by', { idp: location.hostname });
	top.append(name, who);
	badge.append(top, by);
	document.body.replaceChildren(badge);
}
