// ring.js - the sounds of the phone, made on the spot by WebAudio: no files, nothing to load.
//
// Who uses it: phone.js. Most browsers let a page make sound only after somebody has used it: unlock() is called
// at the beginning, for those that do not mind, and on a key or click; `silent` tells when a ring could not be heard.

/** Each pattern: how often it repeats, how loud, and its notes [at s, for s, Hz]. */
const PATTERNS = {
	incoming: {
		everyMs: 2800, gain: 0.22, soft: true,
		notes: [[0, 0.5, 659.3], [0.18, 0.5, 784], [0.36, 0.9, 987.8],
			[0.9, 0.5, 659.3], [1.08, 0.5, 784], [1.26, 0.9, 987.8]],
	},
	waiting: { everyMs: 4000, gain: 0.06, notes: [[0, 0.15, 620], [0.3, 0.15, 620]] },
	ringback: { everyMs: 5000, gain: 0.05, notes: [[0, 1, 425]] },
	busy: { times: 3, everyMs: 1000, gain: 0.05, notes: [[0, 0.5, 425]] },
	end: { times: 1, everyMs: 1000, gain: 0.08, soft: true, notes: [[0, 0.25, 523.3], [0.16, 0.4, 392]] },
};

export class Ringer {
	#context = null;
	#playing = null;
	#timer = null;
	#left = 0;
	#out = null;
	#changed;

	/** @param changed  () when `silent` may have changed */
	constructor(changed) {
		this.#changed = changed;
	}

	/** Makes sound possible, where the browser lets it: surely from a click or a key press. */
	unlock() {
		if (!this.#context && globalThis.AudioContext) {
			this.#context = new AudioContext();
			this.#context.addEventListener('statechange', () => this.#changed());
		}
		if (this.silent)
			this.#context?.resume().catch(() => {});
		this.#changed();
	}

	/** The one context of the page; null where there is none. */
	get context() {
		return this.#context;
	}

	get silent() {
		return this.#context?.state !== 'running';
	}

	/** Plays a pattern until stop() or its end. The one that plays already goes on. */
	play(name) {
		if (this.#playing === name)
			return;
		this.stop();
		this.#playing = name;
		this.#left = PATTERNS[name].times ?? Infinity;
		this.#round();
	}

	stop() {
		clearTimeout(this.#timer);
		this.#playing = null;
		this.#out?.disconnect();
		this.#out = null;
	}

	#round() {
		const pattern = PATTERNS[this.#playing];

		if (this.#left-- <= 0) {
			this.#playing = null;
			return;
		}
		if (!this.silent)
			this.#notes(pattern);
		// A context that is unlocked in the meantime is heard from the next round on.
		this.#timer = setTimeout(() => this.#round(), this.silent ? 300 : pattern.everyMs);
	}

	#notes({ notes, gain, soft }) {
		const context = this.#context;
		const out = context.createGain();

		out.gain.value = gain;
		out.connect(context.destination);
		this.#out?.disconnect();
		this.#out = out;
		for (const [at, length, hz] of notes) {
			const from = context.currentTime + 0.02 + at;
			const tone = context.createOscillator();
			const shape = context.createGain();

			tone.type = soft ? 'triangle' : 'sine';
			tone.frequency.value = hz;
			shape.gain.setValueAtTime(0, from);
			shape.gain.linearRampToValueAtTime(1, from + 0.015);
			if (soft) {
				shape.gain.exponentialRampToValueAtTime(0.001, from + length);
			} else {
				shape.gain.setValueAtTime(1, from + length - 0.02);
				shape.gain.linearRampToValueAtTime(0, from + length);
			}
			tone.connect(shape).connect(out);
			tone.start(from);
			tone.stop(from + length);
		}
	}
}
