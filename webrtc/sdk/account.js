// account.js - a person's account at a site: who is signed in where, the password, the end of it all.
//
// Who uses it: phone.js (Phone.account), the account page. HTTP only (docs/protocol.md "Signing in");
// works without a phone being connected. A sign-in that is for calls only gets `forbidden`.

import { api, siteOrigin } from './session.js';

export class Account {
	#origin;
	#token;

	/** This page's own site and sign-in, or {site, token}. */
	constructor({ site, token } = {}) {
		this.#origin = siteOrigin(site).origin;
		this.#token = token;
	}

	#ask(method, path, body) {
		return api(this.#origin, method, path, { body, token: this.#token });
	}

	/** {user}: who is signed in. */
	who() {
		return this.#ask('GET', 'session');
	}

	/** All sign-ins, oldest first: [{id, name, agent, scope, origin?, since, seen, expires, online, current}]. */
	async devices() {
		return (await this.#ask('GET', 'account/devices')).devices;
	}

	/** Ends one of them; its phones are switched off at once. */
	endDevice(id) {
		return this.#ask('DELETE', `account/devices/${encodeURIComponent(id)}`);
	}

	/** Ends all but this one. */
	endOthers() {
		return this.#ask('DELETE', 'account/devices');
	}

	/** Every other sign-in ends. */
	changePassword(old, password) {
		return this.#ask('POST', 'account/password', { old, new: password });
	}

	/** The account, its sign-ins, everything that the site keeps of it: gone for good. */
	delete(password) {
		return this.#ask('POST', 'account/delete', { password });
	}

	/** {ring}: whose calls ring: 'anyone', 'verified-name' or 'verified-email'; {relay}: from whom the network address
	 *  is hidden: 'site' (as the site has it), 'never', 'strangers' or 'always'. */
	rules() {
		return this.#ask('GET', 'account/rules');
	}

	/** {ring, relay}, either or both: from the next call on. */
	setRules({ ring, relay }) {
		return this.#ask('POST', 'account/rules', { ring, relay });
	}

	/** Only on the site's own page: a sign-in for calls from the pages of `origin`. -> {user, token, expires} */
	connect(origin) {
		return this.#ask('POST', 'connect', { origin });
	}
}
