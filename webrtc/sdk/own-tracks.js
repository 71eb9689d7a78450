// own-tracks.js - the tracks that a call has opened itself: they are stopped when it lets go of them.
//
// Who uses it: call.js. What it calls: media.js.

import { openTracks, stopTracks } from './media.js';

export class OwnTracks {
	#ended;
	#tracks = [];

	/** @param ended  (track): unplugged, or stopped in the browser's own bar */
	constructor(ended) {
		this.#ended = ended;
	}

	/** -> the tracks to send: the page's own when it gives a stream. Throws SlussError. */
	async open(want) {
		const { tracks, own } = await openTracks(want);

		this.#tracks = own ? [...tracks] : [];
		for (const track of tracks)
			this.#watch(track);
		return tracks;
	}

	opened(track) {
		this.#tracks.push(track);
		this.#watch(track);
	}

	closed(track) {
		const at = this.#tracks.indexOf(track);

		if (at >= 0)
			stopTracks(this.#tracks.splice(at, 1));
	}

	drop() {
		stopTracks(this.#tracks.splice(0));
	}

	#watch(track) {
		track.addEventListener('ended', () => {
			if (this.#tracks.includes(track))
				this.#ended(track);
		});
	}
}
