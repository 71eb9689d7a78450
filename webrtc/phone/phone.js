// phone.js - the phone page: one session, one call at a time, and which view is shown when.
//
//   loading ─► signin ─► home ◄──► call          incoming cards lie above whichever it is
//
// Who calls it: index.html. What it calls: the SDK, and the views (signin, home, lists, talk, incoming,
// settings).
// `window.sluss.phone` is the SDK's Phone, for tests and the curious.

import { Phone } from '../sdk/sluss.js';
import { Book } from './book.js';
import { Devices } from './devices.js';
import { $, announce, fillTexts, focus, say } from './dom.js';
import { Home } from './home.js';
import { Incoming } from './incoming.js';
import { begin } from './language.js';
import { Links } from './links.js';
import { Lists } from './lists.js';
import { askToNotify, callTaken, mayOffer, notifyCall, putOff } from './notify.js';
import { Ringer } from './ring.js';
import { Settings } from './settings.js';
import { Signin } from './signin.js';
import { Talk } from './talk.js';
import { stayAwake } from './wake.js';
import { endWords, errorWords, nameBy, whoIs, words } from './words.js';

const VIEWS = ['loading', 'signin', 'home', 'call'];
/** A call that fails at once (an address that is none) does not flash the call view. */
const AT_ONCE_MS = 40;
const RETRY_MS = 5000;
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

const ringer = new Ringer();
const signin = new Signin((user, password) => connect({ user, password }));
const home = new Home(dial);
const lists = new Lists(dial);
const links = new Links((address) => dial(address, {}));
const devices = new Devices();
const talk = new Talk(devices, {
	context: () => ringer.context,
	done: () => showHome(),
	again: (address) => dial(address, {}),
	changed: () => {
		incoming.refresh();
		sounds();
		title();
		stayAwake(talk.active);
	},
	ended,
});
const settings = new Settings(devices, {
	call: () => (talk.active ? talk.call : null),
	context: () => ringer.context,
	ring: () => ringer.play('end'),
	language: texts,
	notify: askToNotify,
	links: () => Links.register(),
});
const incoming = new Incoming(devices, {
	context: () => ringer.context,
	busy: () => talk.active,
	silent: () => ringer.silent,
	changed: () => {
		sounds();
		title();
	},
	take,
	over: missed,
});

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
		phone = await Phone.connect(options);
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
	phone.addEventListener('state', presence);
	phone.addEventListener('incoming', ({ call }) => {
		incoming.add(call);
		notifyCall(call, whoIs(call.remote));
	});
	book = new Book(phone.user, storage());
	lists.show(book, phone.site);
	$('me').textContent = phone.user;
	home.user = phone.user;
	$('who').hidden = false;
	presence();
	showHome();
	silence();
	$('ask-notify').hidden = !mayOffer();
	links.offer();
}

function storage() {
	try {
		return localStorage;
	} catch {
		return null; // forbidden: the lists last as long as the page
	}
}

/** Says so as long as a ring could not be heard. */
function silence() {
	$('silent').hidden = !ringer.silent;
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
	book = null;
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

async function dial(address, options) {
	if (talk.active)
		return;
	const abort = new AbortController();
	const coming = phone.call(address, { ...devices.media(options), signal: abort.signal });

	const settled = await Promise.race([
		coming.then(() => true, () => true),
		new Promise((resolve) => { setTimeout(resolve, AT_ONCE_MS, false); }),
	]);
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
		showHome();
		if (e.code !== 'aborted')
			home.failed(e, address, options);
	}
	incoming.refresh();
	sounds();
}

/** An incoming call has been accepted on this device. */
function take(call) {
	if (talk.active)
		talk.hangup();
	callTaken(call);
	$('settings-dialog').close();
	talk.attach(call);
	show('call');
	talk.focus();
}

/** The call in the call view is over; it stays to be read. */
function ended(call) {
	remember(call);
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

	callTaken(call);
	remember(call);
	if (reason === 'elsewhere')
		home.notice(words('notice.elsewhere'), reason);
	else if (reason === 'cancelled' || reason === 'no-answer' || reason === 'timeout')
		home.notice(words('notice.missed', { who }), reason);
	else if (reason !== 'declined' && reason !== 'busy' && reason !== 'hangup')
		home.notice(`${words('notice.ended', { who })}: ${call.cause.text}`, reason);
	if (view !== 'home')
		announce(reason === 'elsewhere' ? words('notice.elsewhere') : endWords(call).title);
	if (hadFocus) {
		if (view === 'home')
			home.focus();
		else
			talk.focus();
	}
}

/** Into the history. */
function remember({ remote, direction, cause: { reason }, connectedAt }) {
	const refused = reason === 'elsewhere' || reason === 'declined' || reason === 'busy';

	book?.remember({
		address: remote.address, name: remote.name, reason, at: Date.now(),
		kind: direction === 'in' && !connectedAt && !refused ? 'missed' : direction,
		seconds: connectedAt ? (Date.now() - connectedAt) / 1000 : null,
	});
}

function sounds() {
	const state = talk.call?.state;

	if (incoming.ringing.length)
		ringer.play(talk.active ? 'waiting' : 'incoming');
	else if (state === 'ringing')
		ringer.play('ringback');
	else if (state !== 'ended')
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
	talk.refresh();
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
		if (ringer.silent) {
			ringer.unlock().then(() => {
				devices.route(ringer.context);
				incoming.refresh();
				silence();
			}, () => {});
		}
	});
}
devices.addEventListener('chosen', () => devices.route(ringer.context));
devices.refresh();
// The worker keeps the page's own files for when the site is away, and nothing of calls.
navigator.serviceWorker?.register('/worker.js').catch(() => {});
connect();
