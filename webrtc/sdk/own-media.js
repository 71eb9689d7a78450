// own-media.js - what this end sends in an established call: microphone, camera or screen, and their
// change. One picture goes out at a time: the screen takes the camera's place and gives it back.
//
// Who uses it: call.js. What it calls: media.js to open devices, and by way of `link` the Peer and the
// Negotiator. A device that only takes another's place needs no new offer (replaceTrack).

import { SlussError } from './errors.js';
import { openScreen, openTracks, stopTracks } from './media.js';

export class OwnMedia {
	#link;
	/** what is sent as the picture: null, 'camera', 'screen' */
	#picture = null;
	/** how the camera was opened before the screen took its place, or null */
	#after = null;

	/**
	 * @param link  {peer, over, change(), run(f), opened(track), closed(track), changed(), streams()}
	 */
	constructor(link) {
		this.#link = link;
	}

	get screen() {
		return this.#picture === 'screen' && this.#link.peer.sends('video');
	}

	/** Turns the camera on. Resolves when the other side has agreed to the picture. */
	async addVideo({ video = true, stream } = {}) {
		const { tracks, own } = await openTracks({ video, stream });
		const track = pictureOf(tracks);

		if (!track)
			throw new SlussError('camera-missing');
		this.#check(track, own, this.#link.peer.sends('video') && this.#picture !== 'screen');
		this.#after = null;
		await this.#show('camera', track, own);
	}

	/** Shares a screen, a window or a tab: the browser asks which. */
	async shareScreen({ stream } = {}) {
		const { tracks, own } = stream ? { tracks: stream.getTracks(), own: false }
			: await openScreen();
		const track = pictureOf(tracks);

		if (!track)
			throw new SlussError('screen-missing');
		this.#check(track, own, this.screen);
		this.#after = this.#link.peer.sends('video') ? { video: true } : null;
		if ('contentHint' in track)
			track.contentHint = 'detail';
		// Stopped in the browser's own bar.
		track.addEventListener('ended', () => {
			if (!this.#link.over && this.#link.peer.track('video') === track)
				this.stopScreen().catch(() => {});
		});
		await this.#show('screen', track, own);
	}

	/** Back to the camera if it was on before, else no picture. */
	async stopScreen() {
		const back = this.#after;

		if (!this.screen)
			return;
		this.#after = null;
		if (back) {
			try {
				const { tracks, own } = await openTracks(back);

				this.#check(pictureOf(tracks), own, false);
				return await this.#show('camera', pictureOf(tracks), own);
			} catch (e) {
				await this.removeVideo();
				throw e;
			}
		}
		await this.removeVideo();
	}

	/** No picture any more: the camera's light goes out at once. */
	async removeVideo() {
		if (!this.#link.peer.sends('video'))
			return;
		await this.#unsend();
		await this.#link.change();
	}

	/** Another microphone, without a break; or one in a call that had none. */
	async setMicrophone(audio, stream) {
		const { tracks, own } = await openTracks({ audio, stream });
		const track = tracks.find((t) => t.kind === 'audio');

		if (!track)
			throw new SlussError('mic-missing');
		this.#check(track, own, false);
		await this.#send(track, own);
	}

	/** Another camera; only while one is on. */
	async setCamera(video) {
		if (this.#picture === 'screen') {
			this.#after = this.#after && { video };
			return;
		}
		if (!this.#link.peer.sends('video'))
			throw new SlussError('bad-state');
		const { tracks, own } = await openTracks({ video });

		this.#check(pictureOf(tracks), own, false);
		await this.#show('camera', pictureOf(tracks), own);
	}

	/** The call was begun with these. */
	began(tracks) {
		if (pictureOf(tracks))
			this.#picture = 'camera';
	}

	/** The browser has asked a person meanwhile: is there still a place for this track? */
	#check(track, own, taken) {
		if (!this.#link.over && !taken)
			return;
		if (own)
			stopTracks([track]);
		throw new SlussError(this.#link.over ? 'ended' : 'bad-state');
	}

	async #show(picture, track, own) {
		const before = this.#picture;

		this.#picture = picture;
		try {
			await this.#send(track, own);
		} catch (e) {
			this.#picture = before;
			if (!this.#link.over)
				await this.#unsend();
			throw e;
		}
	}

	async #send(track, own) {
		const { peer } = this.#link;

		if (own)
			this.#link.opened(track);
		if (peer.sends(track.kind)) {
			this.#link.closed(await peer.swap(track));
			this.#link.changed();
			this.#link.streams();
			return;
		}
		await this.#link.run(() => peer.send(track));
		this.#link.changed();
		await this.#link.change();
	}

	async #unsend() {
		this.#link.closed(await this.#link.peer.unsend('video'));
		this.#picture = null;
		this.#link.changed();
		this.#link.streams();
	}
}

const pictureOf = (tracks) => tracks.find((t) => t.kind === 'video');
