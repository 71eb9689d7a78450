// known.js - is a contact still the one whom one knows? Pure.
//
// Who uses it: the views, by way of phone.js. With a contact it is kept who vouched for them first (their identity
// provider and the name it gave) and which site had proved that it was the calling one. Later calls are held against that:
// whoever takes over a domain, a provider or a site cannot take a contact's place without a word.

/** What is kept of a call with somebody, or null. @param remote  of a call */
export function knownOf({ site, identity }) {
	const vouched = identity?.status === 'verified' && identity.by !== 'site';

	if (!vouched && !site?.verified)
		return null;
	return {
		...(vouched ? { idp: identity.idp, idName: identity.name } : {}),
		...(site?.verified ? { site: site.domain } : {}),
	};
}

/**
 * What has changed: 'person' (another provider, or another name of the same), 'missing' (nobody vouches any more),
 * 'site' (the calling site is another one, or has not proved that it is itself), or null.
 * @param known  what knownOf() gave before, or null
 */
export function changeOf(known, { site, identity }) {
	if (known?.idp && identity?.status === 'verified')
		return identity.idp === known.idp && identity.name === known.idName ? siteOf(known, site) : 'person';
	if (known?.idp && identity && !identity.checking && identity.status !== 'mismatch')
		return 'missing';
	return siteOf(known, site);
}

function siteOf(known, site) {
	// An outgoing call learns of the site when it is answered; the echo test and the like have none.
	return known?.site && site?.domain && (site.domain !== known.site || !site.verified) ? 'site' : null;
}
