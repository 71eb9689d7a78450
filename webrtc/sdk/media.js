// media.js - microphone and camera: asking for them, and saying in words why there are none.
//
// Who uses it: call.js. Nothing here touches a peer connection or the network.

import { SlussError } from './errors.js';

/**
 * Gives the tracks that `want` ({audio, video}: true, false or MediaTrackConstraints) asks for.
 * `stream`, when given, is used instead of the microphone and camera and stays the caller's own.
 * -> {tracks, own}: `own` tracks are stopped by the call. Throws SlussError.
 */
export async function openTracks({ audio = false, video = false, stream } = {}) {
	if (stream)
		return { tracks: stream.getTracks(), own: false };
	if (!audio && !video)
		return { tracks: [], own: true };
	if (!globalThis.navigator?.mediaDevices?.getUserMedia)
		throw new SlussError(globalThis.isSecureContext === false ? 'insecure' : 'unsupported');

	try {
		const got = await navigator.mediaDevices.getUserMedia({
			audio,
			video: video === true ? { width: { ideal: 1280 }, height: { ideal: 720 } } : video,
		});
		return { tracks: got.getTracks(), own: true };
	} catch (e) {
		throw new SlussError(await codeOf(e, audio, video), undefined, { cause: e });
	}
}

/** A screen, a window or a tab, as the person picks it. -> {tracks, own}. Throws SlussError. */
export async function openScreen() {
	if (!globalThis.navigator?.mediaDevices?.getDisplayMedia)
		throw new SlussError('screen-missing');
	try {
		const got = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: false });

		return { tracks: got.getTracks(), own: true };
	} catch (e) {
		throw new SlussError(e?.name === 'NotAllowedError' ? 'screen-denied' : 'screen-missing',
			undefined, { cause: e });
	}
}

/** Which device failed, and how. With both wanted the browser does not say which it was. */
async function codeOf(e, audio, video) {
	const how = {
		NotAllowedError: 'denied', SecurityError: 'denied',
		NotFoundError: 'missing', OverconstrainedError: 'missing',
		NotReadableError: 'busy', AbortError: 'busy',
	}[e?.name] ?? 'busy';
	let device = audio ? 'mic' : 'camera';

	if (audio && video && how === 'missing') {
		const devices = await navigator.mediaDevices.enumerateDevices().catch(() => []);

		if (devices.some((d) => d.kind === 'audioinput'))
			device = 'camera';
	}
	return `${device}-${how}`;
}

export function stopTracks(tracks) {
	for (const track of tracks)
		track.stop();
}
