// phone.js - the phone page: one session, one call at a time, and which view is shown when.
//
//   loading ─► signin ─► home ◄──► call          incoming cards lie above whichever it is
//
// Who calls it: index.html. What it calls: the SDK, and the views (signin, home, talk, incoming).
// `window.sluss.phone` is the SDK's Phone, for tests and the curious.

import { Phone } from '../sdk/sluss.js';
import { $, announce, fillTexts, focus, say } from './dom.js';
import { Home } from './home.js';
import { Incoming } from './incoming.js';
import { begin } from './language.js';
import { Ringer } from './ring.js';
import { Signin } from './signin.js';
import { Talk } from './talk.js';
import { endWords, errorWords, whoIs, words } from './words.js';

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
let view = null;
let retry = null;
let connecting = false;

const ringer = new Ringer();
const signin = new Signin((user, password) => connect({ user, password }));
const home = new Home(dial);
const talk = new Talk({
	done: () => showHome(),
	again: (address) => dial(address, {}),
	changed: () => {
		incoming.refresh();
		sounds();
		title();
	},
	ended,
});
const incoming = new Incoming({
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
	phone.addEventListener('incoming', ({ call }) => incoming.add(call));
	$('me').textContent = phone.user;
	home.user = phone.user;
	$('who').hidden = false;
	presence();
	showHome();
}

/** The site cannot be reached: say so, and go on trying. */
function cannot(e) {
	show('loading');
	$('loading-text').textContent = errorWords(e);
	$('loading-hint').hidden = false;
	$('loading-retry').hidden = false;
	retry = setTimeout(() => connect(), RETRY_MS);
}

function showSignin(note) {
	$('who').hidden = true;
	say($('banner'), null);
	talk.clear();
	show('signin');
	signin.show(note);
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
	home.forget();
	showSignin(words('signin.signedout'));
}

/* Calls */

async function dial(address, options) {
	if (talk.active)
		return;
	const abort = new AbortController();
	const coming = phone.call(address, { ...options, signal: abort.signal });

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
	talk.attach(call);
	show('call');
	talk.focus();
}

/** The call in the call view is over; it stays to be read. */
function ended(call) {
	home.remember(call);
	if (incoming.ringing.length === 0) {
		ringer.play(call.cause.reason === 'busy' ? 'busy' : 'end');
		focus($('done'));
	}
}

/** An incoming call is over that was not taken here. */
function missed(call, hadFocus) {
	const { reason } = call.cause;
	const who = whoIs(call.remote);

	home.remember(call);
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

begin();
fillTexts(document);
show('loading');
$('loading-text').textContent = words('loading');
$('loading-retry').addEventListener('click', () => connect());
$('signout').addEventListener('click', signOut);
for (const type of ['pointerdown', 'keydown']) {
	document.addEventListener(type, () => {
		if (ringer.silent)
			ringer.unlock().then(() => incoming.refresh(), () => {});
	});
}
connect();
