// notify.js - a call rings while the page is hidden: the system says so, where it was allowed to.
//
// Who uses it: phone.js, settings.js. Permission is asked for by a click only. A notification names
// the caller, who is seen on the lock screen too: docs/sdk.md "What is kept, what is shown".

import { words } from './words.js';

const LATER = 'sluss.notify-later';
const open = new Map();

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

/** Says that somebody calls, when nobody sees the page. */
export async function notifyCall(call, who) {
	if (!document.hidden || canNotify() !== 'granted')
		return;
	const title = words('title.incoming', { who });
	const options = { tag: call.id, body: call.remote.address, icon: '/phone/icon-192.png', requireInteraction: true };

	try {
		const note = new Notification(title, options);

		note.addEventListener('click', () => {
			focus();
			note.close();
		});
		open.set(call.id, note);
	} catch {
		// Android gives notifications to service workers only.
		const worker = await navigator.serviceWorker?.getRegistration('/').catch(() => null);

		await worker?.showNotification(title, options).catch(() => {});
		open.set(call.id, { close: async () => {
			for (const note of await worker?.getNotifications({ tag: call.id }) ?? [])
				note.close();
		} });
	}
}

/** It does not ring any more. */
export function callTaken(call) {
	open.get(call.id)?.close();
	open.delete(call.id);
}
