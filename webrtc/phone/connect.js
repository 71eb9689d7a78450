// connect.js - the pop-up in which a person allows a page elsewhere to call as them (SDK: Phone.signIn()).
//
//   wait ─ready─► (the page asks) ─► signin, if need be ─► ask ─allow─► token to that page ─► closed
//                                                           └─refuse─► `refused` to it     ─► closed
//
// Who calls it: connect.html. Who the page is says the browser, in the origin of its message; the token
// goes to exactly that origin. It is for calls only, and ends; the password never leaves this window.

import { Account, Phone } from '../sdk/sluss.js';
import { api } from '../sdk/session.js';
import { $, fillTexts, focus, say } from './dom.js';
import { begin } from './language.js';
import { errorWords, words } from './words.js';

/** Somebody who is clicking elsewhere, where this window has opened, has not allowed anything. */
const CALM_MS = 700;
/** https, or this very machine: what the site would bind a sign-in to. */
const PAGE = /^(https:\/\/[^/]+|http:\/\/([a-z0-9-]+\.)*localhost(:\d+)?)$/;

const account = new Account();
const state = /^#([0-9a-f]{32})$/.exec(location.hash)?.[1];
let asking = null;

function view(name) {
	for (const one of ['wait', 'signin', 'ask'])
		$(`view-${one}`).hidden = one !== name;
}

function wait(text) {
	$('wait-text').textContent = text;
	view('wait');
}

function tell(message) {
	window.opener?.postMessage({ ...message, state }, asking);
	window.close();
	wait(words('connect.over'));
}

function heard(ev) {
	if (asking || ev.source !== window.opener || ev.data?.sluss !== 'ask' || ev.data.state !== state)
		return;
	if (!PAGE.test(ev.origin)) {
		wait(words('connect.insecure'));
		return;
	}
	asking = ev.origin;
	step();
}

/** Who is it? Then the question. */
async function step() {
	try {
		const { user } = await account.who();
		ask(user);
	} catch (e) {
		if (e.code !== 'not-signed-in') {
			wait(errorWords(e));
			return;
		}
		$('signin-why').textContent = words('connect.signin', { origin: asking });
		view('signin');
		$('signin-user').focus();
	}
}

function ask(user) {
	$('ask-origin').textContent = asking;
	$('ask-text').textContent = words('connect.text', { user });
	view('ask');
	focus($('ask-title'));
	setTimeout(() => { $('allow').disabled = false; }, CALM_MS);
}

async function signIn(ev) {
	const button = $('signin-submit');

	ev.preventDefault();
	if (button.getAttribute('aria-busy') === 'true')
		return;
	button.setAttribute('aria-busy', 'true');
	say($('signin-error'), null);
	try {
		await api(location.origin, 'POST', 'session',
			{ body: { user: $('signin-user').value.trim(), password: $('signin-password').value } });
		$('signin-password').value = '';
		await step();
	} catch (e) {
		say($('signin-error'), e.retryS ? words('signin.wait', { seconds: e.retryS })
			: e.code === 'bad-login' ? words('signin.bad') : errorWords(e));
		$('signin-password').focus();
	} finally {
		button.removeAttribute('aria-busy');
	}
}

async function allow() {
	$('allow').disabled = true;
	say($('ask-error'), null);
	try {
		const { token, user, expires } = await account.connect(asking);
		tell({ sluss: 'token', token, user, expires });
	} catch (e) {
		$('allow').disabled = false;
		if (e.code === 'not-signed-in')
			step();
		else
			say($('ask-error'), errorWords(e));
	}
}

async function start() {
	begin();
	fillTexts(document);
	history.replaceState(null, '', location.pathname);
	$('signin-form').addEventListener('submit', signIn);
	$('allow').addEventListener('click', allow);
	$('refuse').addEventListener('click', () => tell({ sluss: 'refused' }));
	if (!window.opener || !state) {
		wait(words('connect.nobody'));
	} else {
		wait(words('loading'));
		window.addEventListener('message', heard);
		// To whomever has opened this window: nothing but what it has made up itself.
		window.opener.postMessage({ sluss: 'ready', state }, '*');
	}
	const { site } = await Phone.site().catch(() => ({ site: location.host }));
	$('connect-site').textContent = site;
	document.title = site;
}

start();
