// meter.js - how loud a stream is, ten times a second, in a <meter>. Nothing is recorded or sent.
//
// Who uses it: settings.js and incoming.js (one's own microphone before a call), talk.js (both ends).
// What it calls: the one AudioContext of ring.js, which may run only after somebody has used the page.

const EVERY_MS = 100;
/** Quieter than this is nothing. */
const FLOOR_DB = -60;

/** Samples -> 0 to 1 on a scale of decibels, as an ear would have it. Pure. */
export function loudness(samples) {
	const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / (samples.length || 1));
	const db = rms > 0 ? 20 * Math.log10(rms) : -Infinity;

	return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}

export class Meter {
	#el;
	#context;
	#stream = null;
	#track = null;
	#source = null;
	#analyser = null;
	#timer = null;

	/** @param context  () => the AudioContext, or null while there is none */
	constructor(el, context) {
		this.#el = el;
		this.#context = context;
	}

	/** Shows this stream's sound; null: none. The same one again changes nothing. */
	watch(stream) {
		const track = stream?.getAudioTracks()[0] ?? null;

		if (track === this.#track && (this.#source || !track))
			return;
		this.#stop();
		this.#stream = stream;
		this.#track = track;
		if (track)
			this.#timer = setInterval(() => this.#tick(), EVERY_MS);
	}

	#stop() {
		clearInterval(this.#timer);
		this.#source?.disconnect();
		this.#source = null;
		this.#track = null;
		this.#el.value = 0;
	}

	#tick() {
		const context = this.#context();

		if (!context || context.state !== 'running')
			return;
		if (!this.#source) {
			this.#analyser = context.createAnalyser();
			this.#analyser.fftSize = 1024;
			this.#source = context.createMediaStreamSource(new MediaStream([this.#track]));
			this.#source.connect(this.#analyser);
		}
		const samples = new Float32Array(this.#analyser.fftSize);

		this.#analyser.getFloatTimeDomainData(samples);
		// Falls more slowly than it rises: a word is seen, not a flicker.
		this.#el.value = Math.max(loudness(samples), this.#el.value - 0.06);
	}
}
