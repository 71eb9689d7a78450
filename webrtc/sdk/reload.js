// reload.js - what a tab remembers of its calls while it is loaded anew, so that the page that comes can
// take them up: by whom, and whether muted, on hold, with a picture.
//
// Who uses it: phone.js. It lies in the tab's sessionStorage, is read once, and names nobody's keys. The
// site keeps the calls meanwhile (docs/protocol.md, close code 4002).

const KEY = 'sluss.calls';
/** What is older was kept by a tab that has come back too late: no site keeps a call so long. */
const MAX_MS = 600000;

/** -> is it kept? */
export function keep(device, calls, storage = tab()) {
	try {
		storage.setItem(KEY, JSON.stringify({ at: Date.now(), device, calls: calls.map((call) => ({
			address: call.remote.address, muted: call.muted, held: call.held.local,
			video: call.sending.video && !call.screen,
		})) }));
		return true;
	} catch {
		return false;
	}
}

/** -> (entry of `elsewhere`) => what it was here, or undefined. Forgets it. */
export function kept(storage = tab()) {
	let was = null;

	try {
		was = JSON.parse(storage.getItem(KEY));
		storage.removeItem(KEY);
	} catch {
		was = null;
	}
	const fresh = was?.at > Date.now() - MAX_MS && Array.isArray(was.calls) ? was.calls : [];

	return ({ device, remote }) => {
		const one = device.id === was?.device
			&& fresh.find(({ address }) => address === remote.address);

		return one ? Object.freeze({ held: one.held === true, video: one.video === true,
			muted: Object.freeze({ audio: one.muted?.audio === true, video: one.muted?.video === true }),
		}) : undefined;
	};
}

/** A program has no tab, and a page may be forbidden to keep anything. */
function tab() {
	try {
		return globalThis.sessionStorage;
	} catch {
		return undefined;
	}
}
