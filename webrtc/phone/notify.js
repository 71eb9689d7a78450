// notify.js - a call rings while nobody sees the page: the system says so, where it was allowed to, and the call
// can be taken or declined from there.
//
// Who uses it: phone.js, settings.js. Permission is asked for by a click only. A notification names the caller, who
// is seen on the lock screen too: docs/sdk.md "What is kept, what is shown". It is shown by the service worker
// (worker.js), which hands a click back to a page. All tabs give it the same tag, so that there is one of it.

import { words } from './words.js';

const LATER = 'sluss.notify-later';

/** 'granted', 'denied', 'default' (not asked yet), or 'unsupported'. */
export function canNotify() {
	return globalThis.Notification?.permission ?? 'unsupported';
}

export async function askToNotify() {
	await globalThis.Notification?.requestPermission();
	return canNotify();
}

/** Should the page offer it? Not asked yet, and not put off. */
export function mayOffer() {
	try {
		return canNotify() === 'default' && !localStorage.getItem(LATER);
	} catch {
		return false;
	}
}

export function putOff() {
	try {
		localStorage.setItem(LATER, 'yes');
	} catch {
		// It is offered again next time.
	}
}

const tagOf = (call) => `sluss.call.${call.remote.address}`;

export class Notes {
	#hooks;
	/** call -> who, for as long as it rings */
	#calls = new Map();
	/** tag -> Notification of this page's own, where there is no worker */
	#plain = new Map();

	/** @param hooks  {seen(): is another tab in sight? a promise; act('accept' | 'decline' | 'show', call)} */
	constructor(hooks) {
		this.#hooks = hooks;
		document.addEventListener('visibilitychange', () => {
			for (const call of this.#calls.keys())
				this.#look(call);
		});
		navigator.serviceWorker?.addEventListener('message', ({ data }) => {
			if (data?.type === 'note')
				this.#clicked(data.tag, data.action);
		});
		addEventListener('pagehide', () => {
			for (const call of this.#calls.keys())
				navigator.serviceWorker?.controller?.postMessage({ type: 'gone', tag: tagOf(call) });
		});
	}

	/** It rings. */
	add(call, who) {
		this.#calls.set(call, who);
		this.#look(call);
	}

	/** It does not ring any more. */
	remove(call) {
		const tag = tagOf(call);

		this.#calls.delete(call);
		if (![...this.#calls.keys()].some((other) => tagOf(other) === tag))
			this.#close(tag);
	}

	#clicked(tag, action) {
		for (const call of this.#calls.keys()) {
			if (tagOf(call) === tag) {
				this.#hooks.act(action, call);
				return;
			}
		}
	}

	async #look(call) {
		if (!document.hidden || canNotify() !== 'granted' || await this.#hooks.seen())
			return;
		const tag = tagOf(call);

		if (this.#calls.has(call))
			await this.#show(tag, call).catch(() => {});
		if (!this.#calls.has(call))
			this.#close(tag);
	}

	async #show(tag, call) {
		const title = words('title.incoming', { who: this.#calls.get(call) });
		const options = {
			tag, body: call.remote.address, icon: '/phone/icon-192.png', requireInteraction: true,
		};
		const actions = ['accept', 'decline'].map((action) => ({ action, title: words(`incoming.${action}`) }));
		const shown = (await registration())?.showNotification(title, { ...options, actions })
			.then(() => true, () => false);

		if (await shown)
			return;
		const note = new Notification(title, options);

		note.addEventListener('click', () => {
			focus();
			note.close();
			this.#clicked(tag, 'show');
		});
		this.#plain.set(tag, note);
	}

	async #close(tag) {
		this.#plain.get(tag)?.close();
		this.#plain.delete(tag);
		for (const note of await (await registration())?.getNotifications({ tag }) ?? [])
			note.close();
	}
}

/** The service worker's, once it works. */
async function registration() {
	const found = await navigator.serviceWorker?.getRegistration('/').catch(() => null);

	return found?.active ? found : null;
}
