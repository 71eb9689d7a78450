// tests/lib/phones.mjs - two sites and a browser of each kind at either: what the browser tests begin with.
//
//   chromium .101 ─┐                                                    ┌─ chromium .111
//                  ├─https─► alpha.test .10 ══SIP══► beta.test .20 ◄─────┤
//   firefox  .102 ─┘                                                    └─ firefox  .112
import { Browser, Phone } from './browser.mjs';
import { isMedia } from './capture.mjs';
import { PASSWORD, twoSites } from './site.mjs';

const OCTETS = { alpha: { chromium: 101, firefox: 102 }, beta: { chromium: 111, firefox: 112 } };

/** `wanted`: [['alpha', 'chromium'], …]. Gives the sites and browsers.alpha.chromium and so on. `browser`: how the
 *  browsers are started, see browser-driver.mjs; `onHost(host)`: done before (a browser drops what it is loading
 *  when its network changes); `onWorld(set)`: done when there are the sites and no browser. */
export async function sitesWithBrowsers(wanted, { browser, onHost, onWorld, ...options } = {}) {
	const set = await twoSites(options);
	await onWorld?.(set);
	set.browsers = { alpha: {}, beta: {} };
	const pairs = [set.alpha, set.beta].flatMap((d) => d.sites.map((s) => s.pair));
	for (const [site, kind] of wanted) {
		const host = await set.world.host(`${site}-${kind}`, OCTETS[site][kind]);
		await onHost?.(host);
		set.browsers[site][kind] = await Browser.start(set.world, host, kind, { ...browser, ca: set.ca.root, pairs });
	}
	return set;
}

/** Of a site with an identity provider (`idp`): that one vouches for the phone. */
export async function phone(browser, site, user, options) {
	const signed = await Phone.signIn(browser, site, user, PASSWORD, options);
	if (site.hasIdp)
		await signed.wait(() => window.sluss.phone.identity.state === 'ready');
	signed.vouched = site.hasIdp === true;
	return signed;
}

/** Both are connected and hear each other; the call is what the house promises. Gives what each heard. `media`: what
 *  each site says of the mode; `via`: whom each sends to, the other browser unless said. */
export async function talk(assert, one, other, { media = ['direct', 'direct'], via = [other.browser.host.address, one.browser.host.address], encryption = one.vouched && other.vouched ? 'end-to-end' : 'claimed' } = {}) {
	await one.state('connected', 20_000);
	await other.state('connected', 20_000);
	const heard = await Promise.all([one.hear(), other.hear()]);
	for (const [i, h] of heard.entries()) {
		const who = [one, other][i];
		assert.ok(h.packets > 50, `${who.user} gets audio packets: ${JSON.stringify(h)}`);
		assert.ok(h.rms > 0.001, `${who.user} hears something: ${JSON.stringify(h)}`);
		assert.ok(h.energy > 0, `${who.user}'s receiver counts energy: ${JSON.stringify(h)}`);
	}
	for (const [i, [who, far]] of [[one, other], [other, one]].entries()) {
		await who.wait(() => !window.sluss.phone.calls[0].remote.identity.checking);
		const call = await who.call();
		assert.equal(call.remote.address, far.user);
		assert.equal(call.remote.site.verified, true);
		assert.equal(call.media, media[i]);
		assert.equal(call.encryption, encryption);
		const path = await who.path();
		assert.equal(path.remote.address, via[i], 'where the media go');
	}
	return heard;
}

/** Packets of a capture that are media, or any datagram but DNS and the marks. */
export const datagrams = (packets) => packets.filter((p) => p.proto === 'udp' && p.sport !== 53 && p.dport !== 53);
export { isMedia };
