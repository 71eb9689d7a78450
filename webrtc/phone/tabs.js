// tabs.js - what the tabs of one browser know of each other, while the same person is signed in in them.
//
// Who uses it: phone.js, notify.js. Standing facts ("somebody looks at me", "there is talk here") are Web Locks held
// in shared mode: the browser drops those of a tab that is closed or dies, so none is ever stale. Doings are
// messages on a BroadcastChannel. Which tab rings is the SDK's business: sdk/ring.js.
//
//   seen    the tab is in sight            {type: 'taken', address}   I have accepted this call
//   talk    a call is on in it             {type: 'busy', address}    not in this browser

export class Tabs {
	#user;
	#channel;
	/** the name of a lock that is this tab's alone: by it the tab finds itself among the others */
	#own = `sluss.tab.${crypto.randomUUID()}`;
	/** name of a lock -> how to let go of it */
	#held = new Map();

	/** @param heard  (message) from another tab of this user */
	constructor(user, heard) {
		this.#user = user;
		this.#channel = globalThis.BroadcastChannel ? new BroadcastChannel(`sluss.${user}`) : null;
		this.#channel?.addEventListener('message', ({ data }) => heard(data));
		this.#hold(this.#own, 'exclusive');
	}

	#name(flag) {
		return `sluss.${flag}.${this.#user}`;
	}

	#hold(name, mode) {
		const until = new Promise((resolve) => { this.#held.set(name, resolve); });

		navigator.locks?.request(name, { mode }, () => until).catch(() => {});
	}

	/** Is this so here? */
	is(flag, on) {
		const name = this.#name(flag);

		if (on === this.#held.has(name))
			return;
		if (on)
			this.#hold(name, 'shared');
		else
			this.#drop(name);
	}

	#drop(name) {
		this.#held.get(name)();
		this.#held.delete(name);
	}

	/** Is it so in another tab? */
	async elsewhere(flag) {
		const { held = [] } = await navigator.locks?.query().catch(() => ({})) ?? {};
		const me = held.find(({ name }) => name === this.#own)?.clientId;

		return held.some(({ name, clientId }) => name === this.#name(flag) && clientId !== me);
	}

	tell(message) {
		this.#channel?.postMessage(message);
	}

	/** Signed out here. */
	close() {
		this.#channel?.close();
		for (const name of [...this.#held.keys()])
			this.#drop(name);
	}
}
