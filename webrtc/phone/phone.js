// phone.js - the phone page: one session, one call in view and others on hold, and which view is shown when.
//
//   loading ─► signin ─► home ◄──► call          incoming cards lie above whichever it is
//
// Who calls it: index.html. What it calls: the SDK, and the views (signin, home, lists, talk, others,
// incoming, settings).
// `window.sluss.phone` is the SDK's Phone, for tests and the curious.

import { Phone } from '../sdk/sluss.js';
import { Book, forgetAccount } from './book.js';
import { Devices } from './devices.js';
import { $, announce, fillTexts, focus, say } from './dom.js';
import { Elsewhere } from './elsewhere.js';
import { Home } from './home.js';
import { Incoming } from './incoming.js';
import { changeOf, knownOf } from './known.js';
import { begin } from './language.js';
import { Links } from './links.js';
import { Lists } from './lists.js';
import { askToNotify, mayOffer, Notes, putOff } from './notify.js';
import { Others } from './others.js';
import { Ringer } from './ring.js';
import { chosenIdp, Settings } from './settings.js';
import { Signin } from './signin.js';
import { Tabs } from './tabs.js';
import { Talk } from './talk.js';
import { Transfer } from './transfer.js';
import { stayAwake } from './wake.js';
import { endWords, errorWords, nameBy, whoIs, words } from './words.js';

const VIEWS = ['loading', 'signin', 'home', 'call'];
/** A call that fails at once (an address that is none) does not flash the call view. */
const AT_ONCE_MS = 40;
const RETRY_MS = 5000;
/** So long after another tab has said that it takes a call, `elsewhere` means that tab. */
const TAKEN_MS = 5000;
/** So long a browser may take to begin with sound, before the page says that it keeps it back. */
const SOUND_MS = 500;
/** Reasons after which one has to sign in again, and what to say about them. */
const SIGN_IN_AGAIN = {
	'not-signed-in': 'signin.again',
	'signed-out': 'signin.signedout',
	password: 'signin.password-changed',
	removed: 'signin.removed',
};

let phone = null;
let book = null;
let view = null;
let retry = null;
let connecting = false;
let tabs = null;
/** The page is being left: what rings here rings on elsewhere. */
let leaving = false;
let tried = false;
/** Is there talk in any tab of this browser? Then a call is only knocked for. */
let talking = false;
/** Calls that another tab has just taken, by address: ours ends with `elsewhere` in a moment. */
const taken = new Map();
/** the calls of before that were taken up: once */
const takenUp = new Set();
/** one after the other */
let taking = Promise.resolve();

const ringer = new Ringer(audible);
const signin = new Signin((user, password) => connect({ user, password }));
const home = new Home(dial);
const lists = new Lists(dial);
const elsewhere = new Elsewhere(takeHere);
const links = new Links((address) => dial(address, {}));
const devices = new Devices();
const transfer = new Transfer({ site: () => phone.site, accept: passOn });
const talk = new Talk(devices, {
	began: (call) => transfer.listen(call),
	up: (call) => transfer.watch(call),
	context: () => ringer.context,
	done: () => showHome(),
	change,
	keep: (remote) => book.know(remote.address, knownOf(remote), true),
	again: (address) => dial(address, {}),
	changed: () => {
		incoming.refresh();
		sounds();
		title();
		stayAwake(talk.active);
		tabs?.is('talk', talk.active);
	},
	ended,
});
const others = new Others({
	show: switchTo,
	over(call) {
		remember(call);
		others.note(words('others.over', { who: whoIs(call.remote) }));
	},
});
const settings = new Settings(devices, {
	call: () => (talk.active ? talk.call : null),
	phone: () => phone,
	context: () => ringer.context,
	ring: () => ringer.play('end'),
	language: texts,
	notify: askToNotify,
	links: () => Links.register(),
});
const incoming = new Incoming(devices, {
	context: () => ringer.context,
	busy: () => talk.active,
	canHold,
	hold: (call, media) => phone.switchTo(call, media),
	silent: () => ringer.silent,
	change,
	changed: () => {
		sounds();
		title();
	},
	take,
	over: missed,
	notHere: (call) => {
		tabs.tell({ type: 'busy', address: call.remote.address });
		call.reject('busy');
	},
});
const notes = new Notes({
	seen: async () => tabs?.elsewhere('seen'),
	act: (action, call) => incoming.act(action, call),
});

/** What is not as it was with a contact, or null. */
function change(remote) {
	return changeOf(book?.contact(remote.address), remote);
}

function show(name) {
	if (view === name)
		return;
	if (view === 'home')
		lists.left();
	view = name;
	for (const one of VIEWS)
		$(`view-${one}`).hidden = one !== name;
	document.body.dataset.view = name;
	scrollTo(0, 0);
}

function showHome() {
	talk.clear();
	others.note(null);
	show('home');
	home.focus();
	title();
	stayAwake(false);
}

/* The session */

/** Comes up with the cookie's session, or with a name and a password. Throws only for the latter. */
async function connect(options) {
	if (connecting)
		return;
	clearTimeout(retry);
	connecting = true;
	try {
		phone = await Phone.connect({ ...options, ...chosenIdp(),
			early: ({ address }, { domain }) => book?.contact(address)?.idp === domain });
	} catch (e) {
		if (options?.password)
			throw e;
		if (e.code === 'not-signed-in')
			return showSignin();
		return cannot(e);
	} finally {
		connecting = false;
	}
	window.sluss = { phone };
	tabs = new Tabs(phone.user, heard);
	inSight();
	phone.addEventListener('state', presence);
	phone.addEventListener('ring', turn);
	phone.identity.addEventListener('state', () => settings.identity());
	phone.addEventListener('elsewhere', takeAgain);
	phone.addEventListener('incoming', ({ call }) => {
		incoming.add(call);
		notes.add(call, whoIs(call.remote));
	});
	ringer.unlock();
	setTimeout(() => {
		tried = true;
		audible();
	}, SOUND_MS);
	book = new Book(phone.user, storage(), phone.contacts);
	lists.show(book, phone.site);
	$('me').textContent = phone.user;
	home.user = phone.user;
	home.echo = phone.echo;
	$('who').hidden = false;
	presence();
	showHome();
	$('ask-notify').hidden = !mayOffer();
	links.offer();
	takeAgain();
}

function storage() {
	try {
		return localStorage;
	} catch {
		return null; // forbidden: the lists last as long as the page
	}
}

/** Whether a ring can be heard has changed: said as long as it cannot; another tab rings in the place of this one. */
function audible() {
	if (phone)
		phone.audible = !ringer.silent;
	devices.route(ringer.context);
	incoming.refresh();
	$('silent').hidden = !ringer.silent || !tried;
}

/** It is this tab's turn to ring, or is not any more. */
async function turn() {
	talking = Boolean(await tabs?.elsewhere('talk'));
	sounds();
}

function inSight() {
	tabs?.is('seen', !document.hidden);
}

/** What another tab of this browser says: there is one person before all of them. */
function heard({ type, address }) {
	if (type === 'taken') {
		taken.set(address, Date.now());
		if (talk.call?.state === 'connected')
			talk.call.hold().catch(() => {});
	} else if (type === 'busy') {
		incoming.ringing.filter((call) => call.remote.address === address)
			.forEach((call) => call.reject('busy'));
	}
}

/** The site cannot be reached: say so, and go on trying. */
function cannot(e) {
	show('loading');
	$('loading-text').textContent = errorWords(e);
	$('loading-hint').hidden = false;
	$('loading-retry').hidden = false;
	retry = setTimeout(() => connect(), RETRY_MS);
}

function showSignin(note, left) {
	lists.show(null);
	elsewhere.show([]);
	book = null;
	tabs?.close();
	tabs = null;
	$('who').hidden = true;
	say($('banner'), null);
	talk.clear();
	show('signin');
	signin.show(note, left);
	title();
}

/** Online, reconnecting, offline: the dot beside the name, and a line when calls do not work. */
function presence() {
	const { state, reason } = phone;

	$('presence').dataset.state = state;
	$('presence-text').textContent = words(`bar.${state}`);
	if (state === 'online')
		return say($('banner'), null);
	if (reason?.code in SIGN_IN_AGAIN) {
		home.forget();
		if (reason.code === 'removed') // what ended with the account is in the lists, too
			forgetAccount(phone.user, storage(), null);
		return showSignin(words(SIGN_IN_AGAIN[reason.code]));
	}
	if (reason?.code === 'too-many')
		return say($('banner'), reason.message);
	say($('banner'), words(state === 'offline' ? 'banner.offline' : 'banner.reconnecting',
		{ site: phone.site }));
}

async function signOut() {
	try {
		await phone.signOut();
	} catch {
		// The site is away; this device forgets the session all the same.
	}
	const left = { user: phone.user, book };

	home.forget();
	showSignin(words('signin.signedout'), left);
}

/* Calls */

function dial(address, options) {
	return place(address, options, (media) => phone.call(address, media),
		(e) => home.failed(e, address, options));
}

/** A call of this user's other device goes on here. */
function takeHere(entry, options = {}) {
	return place(entry.remote.address, options, (media) => phone.take(entry, media),
		(e) => home.notice(`${words('elsewhere.failed')}: ${errorWords(e)}`, e.code));
}

/** Calls on other devices; those that this very tab had before it was loaded anew go on by themselves. */
function takeAgain() {
	const mine = phone.elsewhere.filter(({ id, was }) => was && !takenUp.has(id));

	elsewhere.show(phone.elsewhere);
	for (const entry of mine) {
		takenUp.add(entry.id);
		taking = taking.then(() => takeOne(entry));
	}
}

/** Of several the one that was not on hold comes into view, in whichever order they come. */
async function takeOne(entry) {
	if (!talk.active)
		return takeHere(entry, { video: entry.was.video });
	try {
		const call = await phone.take(entry, devices.media({}));

		if (entry.was.held || !talk.call || talk.call.cause)
			return others.add(call);
		others.add(talk.call);
		inView(call);
	} catch (e) {
		others.note(`${words('elsewhere.failed')}: ${errorWords(e)}`);
	}
}

async function place(address, options, start, failed) {
	if (talk.active)
		return;
	const abort = new AbortController();
	const coming = start({ ...devices.media(options), signal: abort.signal });

	const settled = await Promise.race([
		coming.then(() => true, () => true),
		new Promise((resolve) => { setTimeout(resolve, AT_ONCE_MS, false); }),
	]);
	others.note(null);
	if (!settled) {
		talk.prepare(address.trim(), options, abort);
		show('call');
		talk.focus();
	}
	try {
		const call = await coming;

		talk.attach(call);
		home.dialled();
		if (view !== 'call') {
			show('call');
			talk.focus();
		}
	} catch (e) {
		if (!talk.call || talk.call.cause) // else another one has been taken meanwhile
			showHome();
		if (e.code !== 'aborted')
			failed(e);
	}
	incoming.refresh();
	sounds();
}

/** Is there a call that can wait while another is taken? */
function canHold() {
	return Boolean(talk.call?.connectedAt) && !talk.call.cause;
}

/** An incoming call has been accepted on this device; the one in view is held, or is to end. */
function take(call, held) {
	const before = canHold() ? talk.call : null;

	if (before)
		others.add(before);
	else if (talk.active)
		talk.hangup();
	notes.remove(call);
	tabs.tell({ type: 'taken', address: call.remote.address });
	$('settings-dialog').close();
	inView(call);
	if (!held)
		before?.hangup();
}

function inView(call) {
	others.note(null);
	others.remove(call);
	talk.attach(call);
	if (talk.call !== call)
		return; // it was over already, and one on hold has taken its place
	show('call');
	talk.focus();
}

/** To a call that is on hold, from the one in view. */
async function switchTo(call) {
	if (!canHold())
		return;
	others.add(talk.call);
	inView(call);
	try {
		await phone.switchTo(call);
	} catch (e) {
		talk.failed(call, e);
	}
}

/** The other side of a call would like us to go on with somebody else; that call is held meanwhile. */
async function passOn(call, what) {
	try {
		const next = await what.accept(devices.media({}));

		if (canHold()) {
			others.add(talk.call);
			if (talk.call !== call)
				talk.call.hold().catch(() => {});
		}
		inView(next);
	} catch (e) {
		talk.failed(call, e);
	}
}

/** The call in the call view is over; it stays to be read, or makes place for one on hold, which stays on hold. */
function ended(call) {
	const next = others.calls.at(-1);

	remember(call);
	if (next) {
		ringer.play('end');
		inView(next);
		others.note(words('others.back', { who: whoIs(call.remote) }));
		focus($('hold'));
		return;
	}
	stayAwake(false);
	if (incoming.ringing.length === 0) {
		ringer.play(call.cause.reason === 'busy' ? 'busy' : 'end');
		focus($('done'));
	}
}

/** An incoming call is over that was not taken here. */
function missed(call, hadFocus) {
	const { reason } = call.cause;
	const who = whoIs(call.remote);
	const inTab = reason === 'elsewhere' && Date.now() - (taken.get(call.remote.address) ?? 0) < TAKEN_MS;
	const took = inTab ? 'notice.tab' : 'notice.elsewhere';

	notes.remove(call);
	if (!inTab && !leaving) // else another tab has the rest of it, and the history is ours, too
		remember(call);
	if (reason === 'elsewhere')
		home.notice(words(took), reason);
	else if (reason === 'cancelled' || reason === 'no-answer' || reason === 'timeout')
		home.notice(words('notice.missed', { who }), reason);
	else if (reason !== 'declined' && reason !== 'busy' && reason !== 'hangup')
		home.notice(`${words('notice.ended', { who })}: ${call.cause.text}`, reason);
	if (view !== 'home')
		announce(reason === 'elsewhere' ? words(took) : endWords(call).title);
	if (hadFocus) {
		if (view === 'home')
			home.focus();
		else
			talk.focus();
	}
}

/** Into the history. */
function remember({ remote, direction, cause: { reason }, connectedAt }) {
	if (connectedAt && reason !== 'mismatch' && !change(remote))
		book?.know(remote.address, knownOf(remote));
	const refused = reason === 'elsewhere' || reason === 'declined' || reason === 'busy';

	book?.remember({
		address: remote.address, name: remote.name, reason, at: Date.now(),
		kind: direction === 'in' && !connectedAt && !refused ? 'missed' : direction,
		seconds: connectedAt ? (Date.now() - connectedAt) / 1000 : null,
	});
}

function sounds() {
	const state = talk.call?.state;

	if (incoming.ringing.length && phone.ringing)
		ringer.play(talk.active || talking ? 'waiting' : 'incoming');
	else if (state === 'ringing' && !talk.call.early)
		ringer.play('ringback');
	else if (state !== 'ended' || incoming.ringing.length)
		ringer.stop();
}

function title() {
	const [call] = incoming.ringing;

	if (call)
		document.title = words('title.incoming', { who: whoIs(call.remote) });
	else if (view === 'call' && talk.active && talk.call)
		document.title = words('title.call', { who: whoIs(talk.call.remote) });
	else
		document.title = words('title');
}

/* The beginning */

/** All words of the page, in the language that is chosen now. */
function texts() {
	fillTexts(document);
	lists.render();
	elsewhere.render();
	talk.refresh();
	others.refresh();
	incoming.refresh();
	title();
	if (phone)
		presence();
}

begin();
nameBy((remote) => book?.contact(remote.address)?.name);
fillTexts(document);
show('loading');
$('loading-text').textContent = words('loading');
$('loading-retry').addEventListener('click', () => connect());
$('signout').addEventListener('click', signOut);
$('ask-notify-yes').addEventListener('click', async () => {
	await askToNotify();
	$('ask-notify').hidden = true;
	settings.render();
});
$('ask-notify-no').addEventListener('click', () => {
	putOff();
	$('ask-notify').hidden = true;
	home.focus();
});
for (const type of ['pointerdown', 'keydown']) {
	document.addEventListener(type, () => {
		if (ringer.silent)
			ringer.unlock();
	});
}
document.addEventListener('visibilitychange', inSight);
for (const type of ['pagehide', 'pageshow'])
	addEventListener(type, () => { leaving = type === 'pagehide'; });
devices.addEventListener('chosen', () => devices.route(ringer.context));
devices.refresh();
// The worker keeps the page's own files for when the site is away, and nothing of calls.
navigator.serviceWorker?.register('/worker.js').catch(() => {});
connect();
