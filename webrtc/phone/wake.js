// wake.js - keeps the screen on while there is a call: a phone that locks itself may cut the sound.
//
// Who uses it: phone.js. The lock goes whenever the page is hidden; it is taken again when it is seen.

let wanted = false;
let lock = null;

async function take() {
	if (!wanted || lock || document.hidden || !navigator.wakeLock)
		return;
	try {
		const got = await navigator.wakeLock.request('screen');

		if (!wanted) {
			await got.release();
			return;
		}
		lock = got;
		got.addEventListener('release', () => {
			if (lock === got)
				lock = null;
		});
	} catch {
		// Battery saver, or hidden meanwhile: the call goes on without.
	}
}

/** Is there a call? */
export function stayAwake(on) {
	wanted = on;
	if (on) {
		take();
	} else {
		lock?.release().catch(() => {});
		lock = null;
	}
}

document.addEventListener('visibilitychange', take);
