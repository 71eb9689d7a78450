// phone.js - a phone: one signed-in connection to a calling site, and its calls.
//
// Who uses it: the page, through sluss.js. What it calls: session.js (HTTP), socket.js (messages),
// call.js (one call each).

import { parseAddress } from './address.js';
import { Account } from './account.js';
import { Call } from './call.js';
import { END, EVENT, ICE, MOVE, NETWORK, REJOIN, START, VOUCHED } from './call-doors.js';
import { Contacts } from './contacts.js';
import { causes, SlussError } from './errors.js';
import { IceServers } from './ice.js';
import { identityOf } from './identity/assertion.js';
import { Frames } from './identity/frame.js';
import { OwnIdentity } from './identity/own.js';
import { Verifier } from './identity/verifier.js';
import { keep, kept } from './reload.js';
import { Ring } from './ring.js';
import { api, siteOrigin, socketUrl } from './session.js';
import { signIn } from './signin.js';
import { Socket } from './socket.js';

/** So many calls are named to a site that was killed. */
const HELD_MAX = 8;
/** A connection that is lost for longer than this is more than a hitch. */
const AWAY_MS = 1500;
/** So soon after a finding there is no other one. */
const MOVING_MS = 300;
/** Sound that stops so soon after our network has changed has stopped because of that. */
const OURS_MS = 5000;
/** A site that answers leaves it to the other side, or to the browser, to mend the path; but not for longer.
 *  More than `reload-linger`: the other side's page may be loading anew, and takes the call up itself. */
export const PATIENCE_MS = { out: 8500, in: 10500 };
/** The path is looked for once more when the site is back later than this after such a finding. */
export const LATER_MS = 1000;

/** A short name for this browser, so that people can tell their devices apart. */
function deviceName() {
	const ua = globalThis.navigator?.userAgent ?? '';
	const browser = /Firefox\//.test(ua) ? 'Firefox' : /Edg\//.test(ua) ? 'Edge'
		: /Chrome\//.test(ua) ? 'Chrome' : /Safari\//.test(ua) ? 'Safari' : 'Browser';
	const system = /Android/.test(ua) ? 'Android' : /iPhone|iPad/.test(ua) ? 'iOS'
		: /Windows/.test(ua) ? 'Windows' : /Mac OS/.test(ua) ? 'macOS'
		: /Linux/.test(ua) ? 'Linux' : '';

	return system ? `${browser} on ${system}` : browser;
}

function callId() {
	const bytes = crypto.getRandomValues(new Uint8Array(12));

	return `c-${[...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')}`;
}

/** As soon as there is something to hold. */
function holdAgain(call) {
	const held = () => {
		if (call.state === 'connected') {
			call.removeEventListener('state', held);
			call.hold().catch(() => {});
		}
	};

	call.addEventListener('state', held);
}

function hush(call) {
	call.mute('audio');
	call.mute('video');
}

export class Phone extends EventTarget {
	#origin;
	#token;
	#socket;
	/** lines whose sound has stopped coming in: name -> what tells this silence from a later one */
	#silent = new Map();
	#movedAt = -Infinity;
	#account;
	#ice;
	#iceTransportPolicy;
	#user = null;
	#echo = null;
	#contacts = null;
	#site = null;
	#device = null;
	#limits = null;
	#calls = new Map();
	#state = 'offline';
	#reason = null;
	#listens = false;
	#elsewhere = Object.freeze([]);
	#ring = new Ring(() => this.dispatchEvent(new Event('ring')));
	#before = kept();
	#unload = [];
	#frames = new Frames();
	#identity;
	#wanted;
	#vouching;
	#early;
	#awayTimer = null;

	/**
	 * No options: the session of this page (its cookie). {user, password}: signs in first.
	 * {site, token}: from another origin, or from a program. Also: {device,
	 * iceServers, iceTransportPolicy, identity, early}.
	 */
	static async connect(options = {}) {
		const { origin, own } = siteOrigin(options.site);

		if (options.password !== undefined) {
			if (!own)
				throw new SlussError('own-origin');
			await api(origin, 'POST', 'session',
				{ body: { user: options.user, password: options.password,
					device: options.device ?? deviceName() } });
		}
		const phone = new Phone(origin, options);
		await phone.#socket.open();
		return phone;
	}

	/** What this site is: {site, registration}. */
	static site({ site } = {}) {
		return api(siteOrigin(site).origin, 'GET', 'site');
	}

	/**
	 * From a page elsewhere, in a click: the site's own window asks the person whether this page may
	 * call as them. -> {site, token, user, expires} for Phone.connect(). Also: {signal}.
	 */
	static async signIn(options) {
		return signIn(options);
	}

	/** Makes an account where the site is open to it; sign in afterwards. */
	static register({ user, password }) {
		return api(siteOrigin().origin, 'POST', 'account',
			{ body: { user, password, device: deviceName() } });
	}

	/** Use Phone.connect(). */
	constructor(origin, { token, device, iceServers, iceTransportPolicy, identity, early }) {
		super();
		this.#origin = origin;
		this.#token = token;
		this.#account = new Account({ site: origin, token });
		this.#iceTransportPolicy = iceTransportPolicy;
		this.#wanted = identity;
		this.#early = early;
		// Only the site's own page may speak for who is signed in at the site.
		this.#identity = new OwnIdentity(this.#frames, token ? null
			: (challenge) => api(origin, 'POST', 'idp-code', { body: { challenge } }));
		this.#vouching = { own: this.#identity, verifier: new Verifier(this.#frames) };
		this.#ice = new IceServers(() => api(origin, 'GET', 'ice', { token }),
			(servers) => this.calls.forEach((call) => call[ICE](servers)), iceServers);
		this.#socket = new Socket(socketUrl(origin), {
			device: device ?? deviceName(),
			elsewhere: true,
			...(token ? { token } : {}),
		}, {
			up: (ok) => this.#up(ok),
			lost: (why, kept) => this.#lost(why, kept),
			overdue: () => this.#signalling('lost'),
			shut: (why) => this.#shut(why),
			event: (msg) => this.#event(msg),
			calls: () => this.calls.map((call) => call[REJOIN].held).filter(Boolean).slice(0, HELD_MAX),
		});
		this.#watch('online', () => this.networkChanged());
		this.#watch('offline', () => this.#setState());
		this.#watch('pageshow', () => this.#socket.hurry());
		this.#watch('pagehide', () => this.#leave());
	}

	get user() { return this.#user; }
	get site() { return this.#site; }
	get device() { return this.#device; }
	/** The address of the site's echo test, where one hears oneself; null: there is none. */
	get echo() { return this.#echo; }
	get limits() { return this.#limits; }
	get state() { return this.#state; }
	get reason() { return this.#reason; }
	/** Who vouches for this user, and how that stands. */
	get identity() { return this.#identity; }
	/** Whom this user knows, kept in this browser. */
	get contacts() { return this.#contacts; }
	get calls() { return [...new Set(this.#calls.values())]; }
	/** This user's calls on other devices: take() brings one here. */
	get elsewhere() { return this.#elsewhere; }
	/** Is it for this tab to make the sound of a call that comes in? Of several tabs one is chosen. */
	get ringing() { return this.#ring.on; }
	/** Can this page be heard? Set it to false as long as the browser keeps its sound back. */
	get audible() { return this.#ring.audible; }
	set audible(can) { this.#ring.audible = can; }

	/**
	 * Calls somebody. Resolves when the site has taken the call; what comes of it is the call's
	 * 'state'. options: {audio, video, data, name, stream, signal}.
	 */
	async call(to, options = {}) {
		return this.#dial(parseAddress(to, this.#site), options);
	}

	/**
	 * Goes on here with a call of this user's other device: `entry` is one of `elsewhere`. Resolves when the
	 * site has taken it; the call there ends when this one has found its way. options: as for call(); what
	 * this tab had before it was loaded anew (`entry.was`) goes on as it was.
	 */
	async take(entry, options = {}) {
		const { address, domain } = parseAddress(entry.remote.address, this.#site);
		const { was } = entry;

		return this.#dial({ address, domain, remote: entry.remote, replaces: entry.id, was },
			was ? { video: was.video, ...options } : options);
	}

	/**
	 * Talks in this call and in no other: it is accepted when it rings (options as for accept()) and resumed when
	 * it is on hold here; the others are held. One that cannot be held, since its site is away, is muted. When
	 * the call is not taken, the others are as they were.
	 */
	async switchTo(call, options) {
		const others = this.calls.filter((one) => one !== call && !(one.direction === 'in' && one.state === 'ringing'));

		if (others.some((one) => !one.connectedAt))
			throw new SlussError('bad-state');
		const talked = others.filter((one) => !one.held.local);
		const held = Promise.all(talked.map((one) => one.hold().catch(() => hush(one))));

		try {
			if (call.direction === 'in' && call.state === 'ringing')
				await call.accept(options);
			else if (call.held.local)
				await call.resume();
		} catch (e) {
			await held;
			await Promise.allSettled(talked.map((one) => one.resume()));
			throw e;
		}
		await held;
	}

	async #dial({ address, domain, remote, replaces, was }, options) {
		if (this.#socket.state !== 'up')
			throw new SlussError('offline');
		if (!globalThis.RTCPeerConnection)
			throw new SlussError('unsupported');

		const call = new Call(this.#link, {
			id: callId(), direction: 'out', to: address,
			remote: remote ?? { address, name: '', site: { domain, verified: false, tls: false, identity: 'none' } }, replaces,
		});
		this.#calls.set(call.id, call);
		this.#identity.prepare().catch(() => {}); // while the microphone is asked for
		for (const kind of ['audio', 'video']) {
			if (was?.muted[kind])
				call.mute(kind);
		}
		if (was?.held)
			holdAgain(call);
		await call[START](options);
		return call;
	}

	/** Changes the password; every other sign-in of this account ends. */
	changePassword(old, password) {
		return this.#account.changePassword(old, password);
	}

	/** The account behind this phone: its sign-ins, its end. */
	get account() {
		return this.#account;
	}

	/** Ends this sign-in for good. */
	async signOut() {
		this.#hangupAll();
		try {
			await this.#identity.forget();
			await api(this.#origin, 'DELETE', 'session', { token: this.#token });
		} finally {
			this.#socket.close();
		}
	}

	/** Switches this phone off; the sign-in stays. */
	close() {
		this.#hangupAll();
		this.#socket.close();
	}

	addEventListener(type, ...rest) {
		if (type === 'incoming')
			this.#listens = true;
		super.addEventListener(type, ...rest);
	}

	get #link() {
		const ice = this.#ice, policy = this.#iceTransportPolicy, own = this.#identity;

		return {
			request: (type, fields) => this.#socket.request(type, fields),
			dial: (to, options) => this.call(to, options),
			site: this.#site,
			silent: (call, yes) => this.#silence(call, yes),
			forget: (call) => this.#calls.forEach((one, id) => {
				if (one === call)
					this.#calls.delete(id);
			}),
			newName: (call) => {
				const id = callId();

				this.#calls.set(id, call);
				return id;
			},
			identity: this.#vouching,
			iceReady: () => (own.idp ? Promise.all([ice.ready(), own.prepare().catch(() => {})]) : ice.ready()),
			get ice() {
				return { iceServers: ice.now, ...(policy ? { iceTransportPolicy: policy } : {}) };
			},
		};
	}

	#watch(type, handler) {
		globalThis.addEventListener?.(type, handler);
		this.#unload.push(() => globalThis.removeEventListener?.(type, handler));
	}

	/**
	 * Another network, or none for a while: the old connections may be dead without knowing it. Called by
	 * itself when the browser says so; a page that knows better may call it.
	 */
	networkChanged() {
		this.#movedAt = performance.now();
		this.#socket.move();
		for (const call of this.calls)
			call[NETWORK](this.#silent.has(call.id));
	}

	/**
	 * A call's sound has stopped, or is back. Is it our network? The site tells, by answering or not; when
	 * it does, the other side has to see to it, whose site does not. Only one path may have gone (IPv6, a port):
	 * then both sites answer, and who made the call begins.
	 */
	async #silence(call, yes) {
		if (!yes) {
			this.#silent.delete(call);
			return;
		}
		const silence = {}, goesOn = () => this.#silent.get(call) === silence;

		this.#silent.set(call, silence);
		const answers = await this.#socket.answers();

		if (!goesOn())
			return;
		if (answers && this.#since() < OURS_MS)
			this.#calls.get(call)?.[NETWORK](true);
		else if (answers)
			setTimeout(() => goesOn() && this.#calls.get(call)?.[NETWORK](true, true),
				PATIENCE_MS[this.#calls.get(call)?.direction]);
		else if (this.#since() >= MOVING_MS)
			this.networkChanged();
	}

	/** Time since our network was last found to be another one, ms. */
	#since() {
		return performance.now() - this.#movedAt;
	}

	/** The page goes away, perhaps to be loaded anew: then calls in talk go on (take()). */
	#leave() {
		const talks = this.calls.filter((call) => call.connectedAt && call.signalling === 'ok');
		const may = talks.length > 0 && keep(this.#device, talks);

		this.#goodbye(may ? talks : []);
		this.#socket.leave(may);
	}

	/** The page goes away: say so, and let a call that only rings ring on elsewhere. */
	#goodbye(kept = []) {
		for (const call of this.calls) {
			if (!kept.includes(call) && (call.direction === 'out' || call.state !== 'ringing'))
				call.hangup();
		}
	}

	#hangupAll() {
		this.#goodbye();
		this.#endAll(causes.hangup);
	}

	#endAll(cause) {
		for (const call of this.calls)
			call[END](cause);
	}

	#up(ok) {
		if (this.#user && this.#user !== ok.user) {
			// Somebody else has signed in to this page's site: this phone is not theirs.
			this.#socket.close(new SlussError('not-signed-in'));
			return;
		}
		this.#user = ok.user;
		this.#contacts ??= new Contacts(ok.user);
		this.#echo = ok.echo ?? null;
		this.#site = ok.site;
		this.#device = ok.device;
		this.#limits = ok.limits ?? null;
		this.#ice.refresh();
		this.#identity.use(this.#wanted ?? (ok.idp ? { ...ok.idp, usernameHint: ok.user } : null));
		if (!ok.resumed)
			this.#setElsewhere([]); // a new session is told anew
		if (ok.resumed) {
			this.#signalling('ok');
			if (this.#since() > LATER_MS) // what was gathered then may be of no network at all
				this.#silent.forEach((_, call) => this.#calls.get(call)?.[NETWORK](true));
		} else if (ok.forgotten === 'unknown') // killed: it tells neither side anything about the calls
			this.#rejoin();
		else
			this.#endAll(causes.lost);
		this.#setState(null);
	}

	#lost(why, kept) {
		// Calls go on as long as the site keeps this session; else it has ended them.
		if (!kept)
			this.#endAll(why.code === 'lost' ? causes.lost
				: { ...causes.lost, reason: 'shutdown', code: 503, text: why.message });
		this.#setState(why);
	}

	#rejoin() {
		this.#signalling('lost');
		for (const call of this.calls)
			call[REJOIN].begin();
	}

	#signalling(state) {
		for (const call of this.calls)
			call[REJOIN].set(state, causes.lost);
	}

	#shut(why) {
		for (const undo of this.#unload)
			undo();
		this.#ice.stop();
		this.#frames.close();
		this.#endAll({ ...causes.lost, text: why.message });
		this.#setState(why);
	}

	#setState(why = this.#reason) {
		const socket = this.#socket.state;
		const state = socket === 'up' ? 'online'
			: socket === 'shut' || globalThis.navigator?.onLine === false ? 'offline'
			: 'reconnecting';

		if (state === this.#state && why === this.#reason)
			return;
		this.#state = state;
		this.#reason = state === 'online' ? null : why;
		this.#siteAway(state);
		this.dispatchEvent(new Event('state'));
	}

	/** A site that does not come back at once is away: the calls say so. With no network at all it is us. */
	#siteAway(state) {
		const tell = (domain) => this.calls.forEach((call) => { call[REJOIN].own = domain; });

		clearTimeout(this.#awayTimer);
		if (state === 'reconnecting')
			this.#awayTimer = setTimeout(() => tell(this.#site), AWAY_MS);
		else
			tell(null);
	}

	#event(msg) {
		if (msg.type === 'elsewhere') {
			this.#setElsewhere(msg.calls);
		} else if (msg.type === 'incoming') {
			this.#incoming(msg);
		} else {
			const call = this.#calls.get(msg.call);

			call?.[EVENT](msg);
			// One that has moved is known by another name now.
			if (msg.type === 'ended' && call?.id !== msg.call)
				this.#calls.delete(msg.call);
		}
	}

	#setElsewhere(calls) {
		if (!calls.length && !this.#elsewhere.length)
			return;
		const now = Date.now();

		this.#elsewhere = Object.freeze(calls.map(({ seconds, ...entry }) =>
			Object.freeze({ ...entry, connectedAt: now - 1000 * seconds, was: this.#before(entry) })));
		this.dispatchEvent(new Event('elsewhere'));
	}

	/** Whoever the call is with goes on from another device: nobody is asked. */
	#moves(msg) {
		const call = this.#calls.get(msg.replaces);

		if (call?.[MOVE](msg))
			this.#calls.set(msg.call, call);
		else
			this.#socket.request('reject', { call: msg.call, reason: 'decline' }).catch(() => {});
	}

	/** An IdP's code is loaded before the call is taken only for people whom the page knows: it shows who we are. */
	#lookEarly(call, { sdp, from }) {
		const idp = from.site?.verified && identityOf(sdp)?.idp;

		if (idp && this.#early?.(call.remote, idp))
			call[VOUCHED].before(sdp).catch(() => {});
	}

	#incoming(msg) {
		if (this.#calls.has(msg.call))
			return;
		if (msg.replaces) {
			this.#moves(msg);
			return;
		}
		const call = new Call(this.#link, {
			id: msg.call, direction: 'in', remote: msg.from, to: msg.to, sdp: msg.sdp,
			media: msg.media, encryption: msg.encryption,
		});

		this.#calls.set(call.id, call);
		this.#lookEarly(call, msg);
		this.#identity.prepare().catch(() => {});
		this.dispatchEvent(Object.assign(new Event('incoming'), { call }));
		if (this.#listens && call.state === 'ringing') {
			this.#ring.add(call, this.#user);
			this.#socket.request('ringing', { call: call.id }).catch(() => {});
		}
	}
}
