// tests/browser/sdk/fake.mjs - what a browser gives the SDK, as far as the SDK uses it: WebSocket,
// getUserMedia, RTCPeerConnection. The test plays the site: it reads `socket.sent` and says things.

/** Lets everything that is ready run: microtasks, and what they start. */
export async function settle(rounds = 20) {
	for (let i = 0; i < rounds; i++)
		await new Promise((resolve) => { setImmediate(resolve); });
}

export class FakeSocket {
	static all = [];
	static get last() {
		return FakeSocket.all.at(-1);
	}

	sent = [];
	readyState = 0;
	seq = 0;

	constructor(url, protocol) {
		Object.assign(this, { url, protocol });
		FakeSocket.all.push(this);
	}

	send(text) {
		this.sent.push(JSON.parse(text));
	}

	close(code) {
		this.readyState = 3;
		this.closedWith = code ?? 'nothing';
	}

	/** What the site does. */
	open() {
		this.readyState = 1;
		this.onopen?.({});
	}

	say(message) {
		this.onmessage?.({ data: JSON.stringify(message) });
	}

	event(type, fields) {
		this.say({ type, seq: ++this.seq, ...fields });
	}

	drop(code = 1006) {
		this.readyState = 3;
		this.onclose?.({ code });
	}

	/** The newest message of a type, or undefined. */
	got(type) {
		return this.sent.findLast((m) => m.type === type);
	}

	ok(message, fields = {}) {
		this.say({ type: 'ok', id: message.id, ...fields });
	}

	refuse(message, error, text = `said ${error}`) {
		this.say({ type: 'error', id: message.id, error, text });
	}
}

export const WELCOME = { user: 'alice@alpha.test', site: 'alpha.test', device: 'd-0123456789abcdef', ping_s: 25,
	limits: { sdp_bytes: 65536, message_bytes: 131072 } };
/** Of a site that keeps sessions. */
export const KEEPS = { ...WELCOME, session: '00112233445566778899aabbccddeeff', linger_s: 30 };

class FakeTrack extends EventTarget {
	enabled = true;
	muted = false;
	readyState = 'live';

	constructor(kind) {
		super();
		this.kind = kind;
	}

	stop() {
		this.readyState = 'ended';
	}
}

export class FakeStream {
	#tracks;

	constructor(tracks = []) {
		this.#tracks = new Set(tracks);
	}

	getTracks() {
		return [...this.#tracks];
	}

	getVideoTracks() {
		return this.getTracks().filter((t) => t.kind === 'video');
	}

	addTrack(track) {
		this.#tracks.add(track);
	}

	removeTrack(track) {
		this.#tracks.delete(track);
	}
}

export class FakeChannel extends EventTarget {
	readyState = 'connecting';
	sent = [];

	constructor(label, protocol = '') {
		super();
		Object.assign(this, { label, protocol });
	}

	send(text) {
		if (this.readyState !== 'open')
			throw new DOMException('not open', 'InvalidStateError');
		this.sent.push(JSON.parse(text));
	}

	close() {
		this.readyState = 'closed';
	}

	opened() {
		this.readyState = 'open';
		this.dispatchEvent(new Event('open'));
	}

	/** What the other side says, as text. */
	say(data) {
		this.dispatchEvent(Object.assign(new Event('message'), { data }));
	}
}

/** Signalling states of W3C webrtc §4.4.1; gathering ends at once, or when the test says gathered(). */
export class FakePeer extends EventTarget {
	static all = [];
	static autoGather = true;
	static get last() {
		return FakePeer.all.at(-1);
	}

	signalingState = 'stable';
	iceGatheringState = 'new';
	connectionState = 'new';
	localDescription = null;
	remoteDescription = null;
	did = [];
	/** of sound that came in */
	packets = 0;
	channels = [];
	#transceivers = [];
	#n = 0;

	constructor(config) {
		super();
		this.config = config;
		FakePeer.all.push(this);
	}

	getConfiguration() {
		return this.config;
	}

	setConfiguration(config) {
		this.config = config;
	}

	#transceiver(kind, direction, track = null) {
		const t = { mid: null, direction, currentDirection: null, receiver: { track: new FakeTrack(kind) } };

		t.sender = { track, replaceTrack: async (other) => { t.sender.track = other; },
			dtmf: { canInsertDTMF: true, toneBuffer: '', insertDTMF: (...tones) => this.did.push(['dtmf', ...tones]) } };
		this.#transceivers.push(t);
		return t;
	}

	addTrack(track) {
		const free = this.#transceivers.find((t) => t.receiver.track.kind === track.kind && !t.sender.track);

		if (!free)
			return this.#transceiver(track.kind, 'sendrecv', track).sender;
		free.sender.track = track;
		free.direction = 'sendrecv';
		return free.sender;
	}

	addTransceiver(kind, { direction }) {
		return this.#transceiver(kind, direction);
	}

	getReceivers() {
		return this.#transceivers.map(({ receiver }) => ({ track: receiver.track,
			getStats: async () => new Map([['in', { type: 'inbound-rtp', packetsReceived: this.packets }]]) }));
	}

	getTransceivers() {
		return this.#transceivers;
	}

	createDataChannel(label, { protocol = '' } = {}) {
		const channel = new FakeChannel(label, protocol);

		this.channels.push(channel);
		return channel;
	}

	/** The other side has opened one. */
	channel(channel) {
		this.dispatchEvent(Object.assign(new Event('datachannel'), { channel }));
		channel.opened();
	}

	async createOffer() {
		return { type: 'offer', sdp: `offer ${++this.#n}` };
	}

	async createAnswer() {
		return { type: 'answer', sdp: `answer ${++this.#n}` };
	}

	#turn(side, { type, sdp }) {
		const offered = `have-${side}-offer`;
		const theirs = `have-${side === 'local' ? 'remote' : 'local'}-offer`;
		const next = {
			offer: { stable: offered, [offered]: offered },
			answer: { [theirs]: 'stable' },
			rollback: { [offered]: 'stable' },
		}[type][this.signalingState];

		if (!next)
			throw new DOMException(`${side} ${type} in ${this.signalingState}`, 'InvalidStateError');
		this.did.push([`${side} ${type}`, sdp]);
		this.signalingState = next;
		if (type === 'answer') {
			this.#transceivers.forEach((t, i) => {
				t.mid = String(i);
				t.currentDirection = t.direction;
			});
		}
	}

	async setLocalDescription(description) {
		this.#turn('local', description);
		if (description.type === 'rollback')
			return;
		this.localDescription = description;
		this.iceGatheringState = 'gathering';
		if (FakePeer.autoGather)
			this.gathered();
	}

	async setRemoteDescription(description) {
		if (description.sdp === 'unusable')
			throw new DOMException('no', 'InvalidAccessError');
		this.#turn('remote', description);
		if (description.type !== 'rollback')
			this.remoteDescription = description;
		if (description.type === 'offer' && /m=video/.test(description.sdp)
		    && !this.#transceivers.some((t) => t.receiver.track.kind === 'video'))
			this.#transceiver('video', 'recvonly');
	}

	gathered() {
		this.iceGatheringState = 'complete';
		this.dispatchEvent(new Event('icegatheringstatechange'));
		this.found(null);
	}

	/** The browser has found a candidate ({candidate, sdpMid, …}), or all of them (null). */
	found(candidate) {
		this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }));
	}

	async addIceCandidate(candidate) {
		if (!this.remoteDescription)
			throw new DOMException('no remote description', 'InvalidStateError');
		if (candidate?.candidate === 'unusable')
			throw new DOMException('no', 'OperationError');
		this.did.push(['candidate', candidate]);
	}

	restartIce() {
		this.did.push(['restart']);
	}

	connection(state) {
		this.connectionState = state;
		this.dispatchEvent(new Event('connectionstatechange'));
	}

	close() {
		this.signalingState = 'closed';
		this.connectionState = 'closed';
	}
}

/** The site's HTTP API: what it was asked, as "GET https://alpha.test/api/v1/ice Bearer secret", and how it answers. */
export const FakeApi = {
	asked: [],
	answer: null,
	reset() {
		this.asked = [];
		this.answer = () => ({ iceServers: [], ttl_s: 3600 });
	},
	async fetch(url, { method, headers }) {
		FakeApi.asked.push([method, url, headers.Authorization].filter(Boolean).join(' '));
		const { status = 200, ...json } = await FakeApi.answer(url);
		return { ok: status < 300, status, headers: new Headers(), json: async () => json };
	},
};

/** Puts the fakes in place; -> {mic}: mic.fail is the name of the DOMException to answer with. */
export function install() {
	const mic = { fail: null, asked: [], tracks: [] };
	const mediaDevices = {
		async getUserMedia({ audio, video }) {
			mic.asked.push({ audio, video });
			await mic.wait;
			if (mic.fail)
				throw new DOMException('fake', mic.fail);
			const tracks = [...(audio ? ['audio'] : []), ...(video ? ['video'] : [])].map((k) => new FakeTrack(k));

			mic.tracks.push(...tracks);
			return new FakeStream(tracks);
		},
		async getDisplayMedia() {
			if (mic.fail)
				throw new DOMException('fake', mic.fail);
			const track = new FakeTrack('video');

			mic.tracks.push(track);
			return new FakeStream([track]);
		},
		enumerateDevices: async () => [],
	};

	FakeSocket.all = [];
	FakePeer.all = [];
	FakePeer.autoGather = true;
	FakeApi.reset();
	Object.defineProperty(globalThis, 'navigator', { configurable: true,
		value: { mediaDevices, userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', onLine: true } });
	Object.assign(globalThis, { WebSocket: FakeSocket, RTCPeerConnection: FakePeer, MediaStream: FakeStream, fetch: FakeApi.fetch });
	return { mic };
}

/** A phone that is online at alpha.test. -> {phone, socket} */
export async function online(Phone, options = {}) {
	const coming = Phone.connect({ site: 'alpha.test', token: 'secret', ...options });
	await settle();
	const socket = FakeSocket.last;
	socket.open();
	socket.ok(socket.got('hello'), options.welcome ?? WELCOME);
	return { phone: await coming, socket };
}

export const SDP = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n';

export function incoming(call, fields = {}) {
	return { call, from: { address: 'per@beta.test', name: 'Per', site: { domain: 'beta.test', verified: true, tls: true, identity: 'verified' } },
		to: 'alice@alpha.test', sdp: SDP, media: 'direct', encryption: 'claimed', identity: [], ...fields };
}

/** Web Locks of one origin, for the tabs that a test plays: W3C web-locks §2.4, exclusive ones. */
export class FakeLocks {
	#queues = new Map();

	request(name, { signal } = {}, granted) {
		return new Promise((resolve, reject) => {
			const queue = this.#queues.get(name) ?? [];
			const mine = { started: false };

			mine.go = async () => {
				mine.started = true;
				resolve(await granted({ name }));
				queue.shift();
				queue[0]?.go();
			};
			signal?.addEventListener('abort', () => {
				if (mine.started)
					return;
				queue.splice(queue.indexOf(mine), 1);
				reject(new DOMException('aborted', 'AbortError'));
			});
			this.#queues.set(name, queue);
			queue.push(mine);
			if (queue.length === 1)
				queueMicrotask(mine.go);
		});
	}
}
