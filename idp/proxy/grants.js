// grants.js - what lets this frame ask for assertions: one grant for each origin that may show the frame.
//
// Who uses it: shim.js. Kept in this origin's IndexedDB, which the page around the frame cannot read; browsers keep it
// apart for each site that shows the frame. A grant that is gone is asked for again.

const NAME = 'sluss-idp', STORE = 'grants';

function done(request) {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

async function store(mode) {
	const opening = indexedDB.open(NAME, 1);

	opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
	return (await done(opening)).transaction(STORE, mode).objectStore(STORE);
}

/** Where storage is forbidden a grant lasts as long as the frame. */
const here = new Map();

export async function grantOf(origin) {
	try {
		return await done((await store('readonly')).get(origin)) ?? here.get(origin) ?? null;
	} catch {
		return here.get(origin) ?? null;
	}
}

export async function keepGrant(origin, grant) {
	if (grant)
		here.set(origin, grant);
	else
		here.delete(origin);
	try {
		const grants = await store('readwrite');

		await done(grant ? grants.put(grant, origin) : grants.delete(origin));
	} catch {
		// It lasts as long as the frame.
	}
}
