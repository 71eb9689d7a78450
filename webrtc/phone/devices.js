// devices.js - which microphone, camera and loudspeaker are used: chosen here, kept in this browser.
//
// Who uses it: phone.js for new calls, settings.js to choose, talk.js when one is unplugged. A chosen
// device that is not there now is passed over, not forgotten: it may come back.

const KEY = 'sluss.devices';

export class Devices extends EventTarget {
	#chosen = { audioinput: '', videoinput: '', audiooutput: '' };
	#list = [];

	constructor() {
		super();
		try {
			const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');

			for (const kind of Object.keys(this.#chosen)) {
				if (typeof kept?.[kind] === 'string')
					this.#chosen[kind] = kept[kind];
			}
		} catch {
			// Nothing kept, or nothing readable: the browser's own choice.
		}
		navigator.mediaDevices?.addEventListener?.('devicechange', () => this.refresh());
	}

	/** Looks again at what is plugged in; names are known once a microphone was allowed. */
	async refresh() {
		this.#list = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
		this.dispatchEvent(new Event('change'));
	}

	/** Those of a kind that have an id of their own; Chromium's "default" doubles another. */
	of(kind) {
		return this.#list.filter((d) => d.kind === kind && d.deviceId && d.deviceId !== 'default'
			&& d.deviceId !== 'communications');
	}

	/** '' is the browser's own choice. */
	chosen(kind) {
		const id = this.#chosen[kind];

		return this.of(kind).some((d) => d.deviceId === id) ? id : '';
	}

	choose(kind, id) {
		this.#chosen[kind] = id;
		try {
			localStorage.setItem(KEY, JSON.stringify(this.#chosen));
		} catch {
			// Then it holds until the page is left.
		}
		this.dispatchEvent(Object.assign(new Event('chosen'), { kind }));
	}

	/** For getUserMedia: the chosen one where it is there, else any. Without permission nobody knows. */
	constraints(kind) {
		const id = this.#chosen[kind];
		const known = this.of(kind).length > 0;
		const deviceId = this.chosen(kind) ? { exact: id } : id && !known ? { ideal: id } : null;
		const size = kind === 'videoinput' ? { width: { ideal: 1280 }, height: { ideal: 720 } } : null;

		return deviceId || size ? { ...(deviceId ? { deviceId } : {}), ...size } : true;
	}

	/** What call() and accept() take: {audio, video} with the chosen devices for those that are wanted. */
	media({ audio = true, video = false, ...rest } = {}) {
		return {
			...rest,
			audio: audio === true ? this.constraints('audioinput') : audio,
			video: video === true ? this.constraints('videoinput') : video,
		};
	}

	get canChooseSpeaker() {
		return 'setSinkId' in HTMLMediaElement.prototype;
	}

	/** Sends an element's sound to the chosen loudspeaker, or to the system's own when it is gone. */
	async route(...sinks) {
		for (const sink of sinks) {
			if (!sink?.setSinkId)
				continue;
			await sink.setSinkId(this.chosen('audiooutput')).catch(() => sink.setSinkId('').catch(() => {}));
		}
	}
}
