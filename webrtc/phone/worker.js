// worker.js - the service worker: keeps the phone's own files, so that the page comes up and says what
// is wrong when the site is away. Always asks the site first. Caches nothing of calls: no /api, no /ws,
// no address that a link names.
//
// Who uses it: the browser, registered by phone.js. It lies at /worker.js, because it may serve only
// what lies below its own place.

const CACHE = 'sluss-page-1';
const KEPT = /^\/(?:$|phone\/|sdk\/)/;

/** Under which name a request's answer is kept, or null. */
function nameOf(request) {
	const url = new URL(request.url);

	if (request.method !== 'GET' || url.origin !== self.location.origin || url.search)
		return null;
	if (request.mode === 'navigate' && /^\/(?:$|call\/)/.test(url.pathname))
		return '/';
	return KEPT.test(url.pathname) ? url.pathname : null;
}

self.addEventListener('install', (ev) => {
	// The files of a page that is open already came before there was a worker: fetch its first page now.
	ev.waitUntil(caches.open(CACHE).then((cache) => cache.add('/')).catch(() => {}));
	self.skipWaiting();
});

self.addEventListener('activate', (ev) => {
	ev.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n !== CACHE)
		.map((n) => caches.delete(n)))).then(() => self.clients.claim()));
});

self.addEventListener('fetch', (ev) => {
	const name = nameOf(ev.request);

	if (name)
		ev.respondWith(answer(ev, name));
});

async function answer(ev, name) {
	const cache = await caches.open(CACHE);

	try {
		const fresh = await fetch(ev.request);

		if (fresh.ok)
			ev.waitUntil(cache.put(name, fresh.clone()).catch(() => {}));
		return fresh;
	} catch (e) {
		const kept = await cache.match(name);

		if (kept)
			return kept;
		throw e;
	}
}

/** Where the phone is open, the one that was looked at last first. The account page and the pop-up are no phones. */
async function phones() {
	const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });

	return all.filter(({ url }) => /^\/(?:$|call\/)/.test(new URL(url).pathname));
}

self.addEventListener('notificationclick', (ev) => {
	ev.notification.close();
	ev.waitUntil(clicked(ev.action || 'show', ev.notification.tag));
});

/** 'accept' and 'decline' are the buttons of the notification, 'show' is the rest of it. */
async function clicked(action, tag) {
	const [page] = await phones();

	if (!page) {
		await self.clients.openWindow('/');
		return;
	}
	page.postMessage({ type: 'note', action, tag });
	if (action !== 'decline')
		await page.focus().catch(() => {}); // the system may keep its windows where they are
}

/** A page goes in which a call rings: its notification stays only if another page can answer a click. */
self.addEventListener('message', (ev) => {
	if (ev.data?.type === 'gone')
		ev.waitUntil(gone(ev.source?.id, ev.data.tag));
});

async function gone(id, tag) {
	if ((await phones()).some((page) => page.id !== id))
		return;
	for (const note of await self.registration.getNotifications({ tag }))
		note.close();
}
