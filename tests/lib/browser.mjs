// tests/lib/browser.mjs - Chromium and Firefox on hosts of their own, and the phone in them, driven by its
// data-test hooks as a person would: type, click, read.
//
//   const pc = await Browser.start(world, await world.host('pc', 101), 'firefox', { ca, pairs });
//   const alice = await Phone.signIn(pc, site, 'alice', PASSWORD);      await alice.dial('bob@beta.test');
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spkiHash } from './ca.mjs';
import { Proc, SLOW, until, within } from './world.mjs';

const driver = fileURLToPath(new URL('browser-driver.mjs', import.meta.url));

/** Runs in every page before its own scripts: keeps what passes on WebSockets and what RTCPeerConnections
 *  are asked to do, with times, in window.seen; adds nothing and changes nothing. */
const WATCH = `
	const seen = window.seen = { sent: [], received: [], pc: [], peers: [], media: 0, errors: [] };
	window.addEventListener('securitypolicyviolation', (e) => seen.errors.push('CSP: ' + e.violatedDirective + ' ' + e.blockedURI));
	const send = WebSocket.prototype.send;
	WebSocket.prototype.send = function (data) { seen.sent.push({ at: performance.now(), data: String(data) }); return send.call(this, data); };
	const Native = window.WebSocket;
	window.WebSocket = class extends Native {
		constructor(...args) { super(...args); this.addEventListener('message', (e) => seen.received.push({ at: performance.now(), data: String(e.data) })); }
	};
	const Peer = window.RTCPeerConnection;
	window.RTCPeerConnection = class extends Peer {
		constructor(...args) { super(...args); seen.peers.push(this); seen.pc.push({ at: performance.now(), what: 'new' }); }
	};
	for (const what of ['createOffer', 'createAnswer', 'setLocalDescription', 'setRemoteDescription', 'addIceCandidate']) {
		const native = Peer.prototype[what];
		Peer.prototype[what] = function (...args) { seen.pc.push({ at: performance.now(), what }); return native.apply(this, args); };
	}
	/* What goes to the loudspeaker goes to an analyser, too. */
	const connect = AudioNode.prototype.connect, ears = new Map();
	AudioNode.prototype.connect = function (to, ...rest) {
		if (to instanceof AudioDestinationNode) {
			if (!ears.has(this.context)) {
				const ear = this.context.createAnalyser();
				ear.fftSize = 4096;
				ears.set(this.context, ear);
				/* an input of silence: without any, Firefox's keeps its last samples for ever */
				const silence = this.context.createConstantSource();
				silence.offset.value = 0;
				connect.call(silence, ear);
				silence.start();
			}
			connect.call(this, ears.get(this.context));
		}
		return connect.call(this, to, ...rest);
	};
	seen.loudness = () => Math.max(0, ...[...ears.values()].map((ear) => {
		const samples = new Float32Array(ear.fftSize);
		ear.getFloatTimeDomainData(samples);
		return ear.context.state === 'running' ? Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length) : 0;
	}));
	if (navigator.wakeLock) {
		const request = WakeLock.prototype.request;
		seen.wake = [];
		WakeLock.prototype.request = async function (...args) { const lock = await request.apply(this, args); seen.wake.push(lock); return lock; };
	}
	if (window.MediaDevices) {
		const media = MediaDevices.prototype.getUserMedia;
		MediaDevices.prototype.getUserMedia = function (...args) { seen.media++; return media.apply(this, args); };
	}
`;

/** A sound server that plays into nothing: without one Firefox's AudioContext never runs. One for a world. */
async function soundServer(world) {
	const socket = '/run/pulse.sock';
	world.sound ??= world.here.spawn(['pulseaudio', '-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disable-shm=yes',
		'-L', `module-native-protocol-unix auth-anonymous=1 socket=${socket}`, '-L', 'module-null-sink'],
	{ name: 'pulseaudio', env: { HOME: world.dir, XDG_RUNTIME_DIR: world.dir } });
	await until(10_000, () => existsSync(socket), 'the sound server listens');
	return { PULSE_SERVER: `unix:${socket}` };
}

export class Browser {
	constructor(world, host, kind) {
		Object.assign(this, { world, host, kind, ids: 0, answers: new Map(), console: [], pages: [] });
	}

	/** `sound`: whether there is a sound card, with a microphone and a loudspeaker (Firefox). */
	static async start(world, host, kind, { ca, pairs, sound = true, ...options }) {
		const browser = new Browser(world, host, kind);
		const profile = join(world.dir, `${host.name}-${kind}`);
		mkdirSync(profile, { recursive: true });
		const [file, ...args] = host.inside([process.execPath, driver, kind, ca, pairs.map((p) => spkiHash(p.cert)).join(','), profile,
			JSON.stringify(options)]);
		const card = kind !== 'firefox' ? {} : sound ? await soundServer(world) : { PULSE_SERVER: 'unix:/run/no-sound.sock' };
		const child = spawn(file, args, { env: { ...process.env, ...card }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], cwd: world.dir, serialization: 'json' });
		browser.proc = new Proc(`${kind}-${host.name}`, child);
		browser.child = child;
		world.onClose(() => browser.quit());
		const ready = new Promise((resolve, reject) => {
			child.on('message', (m) => {
				if (m.event === 'ready')
					resolve();
				else if (m.event === 'failed')
					reject(new Error(m.text));
				else
					browser.#message(m);
			});
			child.on('exit', (code) => {
				reject(new Error(`${kind} did not start (${code}): ${browser.proc.text.slice(-1000)}`));
				for (const { reject: no } of browser.answers.values())
					no(new Error(`${kind} has ended`));
			});
		});
		await within(60_000, ready, `${kind} starts`);
		return browser;
	}

	#message(m) {
		if (m.event) {
			this.console.push(m);
			return;
		}
		const w = this.answers.get(m.id);
		this.answers.delete(m.id);
		m.error === undefined ? w?.resolve(m.result) : w?.reject(new Error(`${this.kind}: ${m.error}`));
	}

	ask(method, args, ms = 30_000) {
		const id = ++this.ids;
		const answered = new Promise((resolve, reject) => this.answers.set(id, { resolve, reject }));
		this.child.send({ id, method, args });
		return within(ms, answered, `${this.kind}: ${method} ${JSON.stringify(args)?.slice(0, 300)}`);
	}

	async quit() {
		if (!this.proc.over) {
			await this.ask('quit').catch(() => {});
			await within(10_000, this.proc.exited, `${this.kind} ends`).catch(() => this.child.kill('SIGKILL'));
		}
	}

	/** `options`: permissions (default: microphone, camera), locale, size (Chromium). */
	async open(url, options = {}) {
		const page = await this.ask('open', { url, script: WATCH, ...options });
		return new Page(this, page);
	}
}

export class Page {
	constructor(browser, page) {
		Object.assign(this, { browser, page });
	}

	fill(selector, text) {
		return this.browser.ask('fill', { page: this.page, selector, text });
	}

	click(selector) {
		return this.browser.ask('click', { page: this.page, selector });
	}

	press(key) {
		return this.browser.ask('press', { page: this.page, key });
	}

	type(text) {
		return this.browser.ask('type', { page: this.page, text });
	}

	goto(url) {
		return this.browser.ask('goto', { page: this.page, url });
	}

	look(size, scheme) {
		return this.browser.ask('look', { page: this.page, ...size, scheme });
	}

	/** In front of the other tabs of its window. */
	front() {
		return this.browser.ask('front', { page: this.page });
	}

	closeTab() {
		return this.browser.ask('closeTab', { page: this.page });
	}

	/** The DevTools protocol; Chromium. */
	cdp(method, params) {
		return this.browser.ask('cdp', { page: this.page, method, params });
	}

	/** Runs in the service worker of the page; Chromium. */
	worker(f, arg) {
		return this.browser.ask('worker', { page: this.page, source: String(f), arg });
	}

	inject(content) {
		return this.browser.ask('inject', { page: this.page, content });
	}

	evaluate(f, arg) {
		return this.browser.ask('evaluate', { page: this.page, source: String(f), arg });
	}

	/** In each frame that this address has led to. */
	frames(url, f, arg) {
		return this.browser.ask('frames', { page: this.page, url, source: String(f), arg });
	}

	wait(f, arg, ms = 15_000) {
		return this.browser.ask('wait', { page: this.page, source: String(f), arg, ms: ms * SLOW }, ms + 5000);
	}

	screenshot(path, size = {}) {
		return this.browser.ask('screenshot', { page: this.page, path, ...size });
	}

	close() {
		return this.browser.ask('closePage', { page: this.page });
	}

	/** What the page complained of: exceptions, CSP violations, console errors. */
	async complaints() {
		const said = this.browser.console.filter((m) => m.page === this.page && (m.event === 'pageerror' || m.kind === 'error')).map((m) => m.text);
		return [...said, ...(await this.evaluate(() => window.seen.errors))];
	}
}

const hook = (name) => `[data-test="${name}"]`;

export class Phone extends Page {
	static async open(browser, site, options) {
		const { page } = await browser.open(site.url, options);
		return new Phone(browser, page);
	}

	static async signIn(browser, site, user, password, options) {
		const phone = await Phone.open(browser, site, options);
		phone.user = `${user}@${site.domain}`;
		await phone.visible('login-user');
		await phone.fill(hook('login-user'), user);
		await phone.fill(hook('login-password'), password);
		await phone.click(hook('login-submit'));
		await phone.visible('dial-input');
		await phone.wait(() => window.sluss?.phone?.state === 'online');
		return phone;
	}

	/** The window that the page has opened, driven like the page. */
	async popup(ms = 15_000) {
		return new Phone(this.browser, await this.browser.ask('popup', { page: this.page, ms: ms * SLOW }, ms + 5000));
	}

	/** The same person's phone in another tab of the same browser; nobody has touched it yet. */
	async tab(site) {
		const phone = new Phone(this.browser, await this.browser.ask('tab', { page: this.page, url: site.url, script: WATCH }));
		phone.user = this.user;
		await phone.visible('dial-input');
		await phone.wait(() => window.sluss?.phone?.state === 'online');
		return phone;
	}

	/** The loudest that the page itself has made its loudspeaker sound, over `ms`: 0 is silence. */
	sounds(ms = 3200) {
		return this.evaluate(async (time) => {
			let rms = 0;
			for (const end = performance.now() + time; performance.now() < end;) {
				await new Promise((resolve) => setTimeout(resolve, 25));
				rms = Math.max(rms, window.seen.loudness());
			}
			return rms;
		}, ms);
	}

	/** Waits until the element with this hook is shown. */
	visible(name, ms) {
		return this.wait((selector) => {
			const e = document.querySelector(selector);
			return Boolean(e && (e.checkVisibility ? e.checkVisibility() : e.getClientRects().length > 0));
		}, hook(name), ms);
	}

	hidden(name, ms) {
		return this.wait((selector) => {
			const e = document.querySelector(selector);
			return !(e && e.getClientRects().length > 0);
		}, hook(name), ms);
	}

	async text(name) {
		return this.evaluate((selector) => document.querySelector(selector)?.textContent.trim() ?? null, hook(name));
	}

	/** Waits until the text of a hook matches, and gives it. */
	says(name, pattern, ms) {
		return this.wait(({ selector, source, flags }) => {
			const e = document.querySelector(selector);
			const text = e && e.getClientRects().length > 0 ? e.textContent.trim() : '';
			return new RegExp(source, flags).test(text) ? text || ' ' : false;
		}, { selector: hook(name), source: pattern.source, flags: pattern.flags }, ms);
	}

	/** Clicks what has this hook, once it is shown. */
	async push(name, ms) {
		await this.visible(name, ms);
		await this.click(hook(name));
	}

	async dial(address) {
		await this.visible('dial-input');
		await this.fill(hook('dial-input'), address);
		await this.click(hook('dial-submit'));
	}

	/** Waits until a call of this phone is in this state, in the SDK's own word. */
	state(wanted, ms) {
		return this.wait((state) => window.sluss.phone.calls.some((c) => c.state === state), wanted, ms);
	}

	/** Rings, and the person takes it. */
	async accept() {
		await this.push('accept');
	}

	/** The call has ended, and the page says so in words that match: headline and sentence, which it gives. */
	async ended(pattern, ms) {
		const text = await this.wait(({ source, flags }) => {
			if (window.sluss.phone.calls.length > 0)
				return false;
			const shown = ['call-state', 'call-cause'].map((name) => document.querySelector(`[data-test="${name}"]`))
				.filter((e) => e && e.getClientRects().length > 0).map((e) => e.textContent.trim());
			const said = shown.join(': ');
			return new RegExp(source, flags).test(said) && said;
		}, { source: pattern.source, flags: pattern.flags }, ms);
		return text;
	}

	/** What the SDK knows of the call that is on. */
	call() {
		return this.evaluate(() => {
			const call = window.sluss.phone.calls[0];
			return call && { state: call.state, media: call.media, encryption: call.encryption, remote: call.remote, direction: call.direction };
		});
	}

	path() {
		return this.evaluate(async () => (await window.sluss.phone.calls[0].stats()).path);
	}

	/** Back to the page where one dials. */
	async home() {
		if (await this.evaluate((selector) => (document.querySelector(selector)?.getClientRects().length ?? 0) > 0, hook('call-done')))
			await this.click(hook('call-done'));
		await this.visible('dial-input');
	}

	/** The types of the messages that this page has sent. */
	sent() {
		return this.evaluate(() => window.seen.sent.map(({ data }) => JSON.parse(data)));
	}

	/** Audio that comes in: energy seen by WebAudio on the remote track and by the receiver's statistics, over
	 *  `ms`. {rms, energy, packets} */
	hear(ms = 3000) {
		return this.evaluate(async (time) => {
			const peer = window.seen.peers.filter((p) => p.connectionState === 'connected').at(-1);
			if (!peer)
				return { rms: 0, energy: 0, packets: 0, why: window.seen.peers.map((p) => p.connectionState).join() };
			const sum = { energy: 0, packets: 0 };
			let last = null;
			const count = async () => {
				const now = { energy: 0, packets: 0 };
				for (const s of (await peer.getStats()).values()) {
					if (s.type === 'inbound-rtp' && s.kind === 'audio')
						Object.assign(now, { energy: s.totalAudioEnergy ?? 0, packets: s.packetsReceived ?? 0 });
				}
				for (const key of Object.keys(sum)) // less: Firefox counts anew after an offer
					sum[key] += last ? now[key] - (now[key] < last[key] ? 0 : last[key]) : 0;
				last = now;
			};
			const track = peer.getReceivers().map((r) => r.track).find((t) => t.kind === 'audio');
			const context = new AudioContext();
			await context.resume();
			const analyser = context.createAnalyser();
			analyser.fftSize = 2048;
			context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
			await count();
			const samples = new Float32Array(analyser.fftSize);
			let rms = 0;
			for (let end = performance.now() + time, n = 1; performance.now() < end; n++) {
				await new Promise((resolve) => setTimeout(resolve, 40));
				if (n % 10 === 0)
					await count();
				analyser.getFloatTimeDomainData(samples);
				rms = Math.max(rms, Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
			}
			await count();
			await context.close();
			return { rms, ...sum };
		}, ms);
	}
}
