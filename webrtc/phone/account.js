// account.js - the account page: where one is signed in, the password, deleting the account.
//
// Who calls it: account.html, a page of its own so that a call in the phone goes on. What it calls: the
// SDK's Account. Names that devices give themselves are text from elsewhere and only ever shown as text.

import { Account } from '../sdk/sluss.js';
import { forgetAccount } from './book.js';
import { $, announce, bdi, fillTexts, focus, say } from './dom.js';
import { begin, language } from './language.js';
import { errorWords, words } from './words.js';

const account = new Account();

function view(name) {
	for (const one of ['out', 'account'])
		$(`view-${one}`).hidden = one !== name;
}

/** Nobody is signed in (any more). */
function out(text) {
	$('out-text').textContent = text;
	view('out');
	focus($('out-title'));
}

/** Shows what went wrong where it belongs; a sign-in that has ended leads away. */
function failed(el, e) {
	if (e.code === 'not-signed-in')
		out(words('account.out'));
	else if (e.code === 'bad-login')
		say(el, words('account.wrong'));
	else
		say(el, e.retryS ? words('signin.wait', { seconds: e.retryS }) : errorWords(e));
}

/** Runs what a button asks for; it cannot be pressed twice meanwhile. Gives whether it went well. */
async function doing(button, errorAt, action) {
	if (button.getAttribute('aria-busy') === 'true')
		return false;
	button.setAttribute('aria-busy', 'true');
	say(errorAt, null);
	try {
		await action();
		return true;
	} catch (e) {
		failed(errorAt, e);
		return false;
	} finally {
		button.removeAttribute('aria-busy');
	}
}

function day(seconds) {
	return new Date(seconds * 1000).toLocaleString(language(),
		{ dateStyle: 'medium', timeStyle: 'short' });
}

/** What a person calls it: its page, its name, the program. */
function nameOf(device) {
	return device.origin ?? (device.name || device.agent || words('account.nameless'));
}

function show(device) {
	const el = $('device').content.cloneNode(true).firstElementChild;
	const end = el.querySelector('[data-do=end]');
	const times = [words('account.since', { when: day(device.since) }),
		device.current ? words('account.current')
			: device.online > 0 ? words('account.online')
			: words('account.seen', { when: day(device.seen) })];

	fillTexts(el);
	el.dataset.id = device.id;
	el.dataset.current = String(device.current);
	el.dataset.scope = device.scope;
	bdi(el.querySelector('.device-name'), nameOf(device));
	say(el.querySelector('.device-agent'), device.origin
		? words('account.calls', { when: day(device.expires) }) : device.agent);
	el.querySelector('.device-times').textContent = times.join(' · ');
	end.hidden = device.current;
	end.setAttribute('aria-label', words('account.end.this', { name: nameOf(device) }));
	end.addEventListener('click', async () => {
		if (await doing(end, $('devices-error'), () => account.endDevice(device.id)
			.catch((e) => e.code !== 'not-found' && Promise.reject(e)))) {
			announce(words('account.ended', { name: nameOf(device) }));
			await list();
			focus($('account-title'));
		}
	});
	return el;
}

async function list() {
	try {
		const devices = await account.devices();
		// The newest first, and this one before all.
		const sorted = devices.toReversed().sort((a, b) => b.current - a.current);

		$('devices').replaceChildren(...sorted.map(show));
		$('others').hidden = devices.length < 2;
	} catch (e) {
		failed($('devices-error'), e);
	}
}

/** Whose calls ring, and from whom the address is hidden: as the site has it. */
async function rules() {
	try {
		const { ring, relay } = await account.rules();

		$('ring').value = ring;
		$('relay').value = relay;
	} catch (e) {
		failed($('ring-error'), e);
	}
}

function wire() {
	$('others').addEventListener('click', async () => {
		if (await doing($('others'), $('devices-error'), () => account.endOthers())) {
			announce(words('account.others.done'));
			await list();
			focus($('account-title'));
		}
	});
	for (const rule of ['ring', 'relay'])
		$(rule).addEventListener('change', async () => {
			say($(`${rule}-done`), null);
			if (await doing($(rule), $(`${rule}-error`), () => account.setRules({ [rule]: $(rule).value })))
				say($(`${rule}-done`), words('account.ring.done'));
			else
				await rules();
		});
	$('password-form').addEventListener('submit', async (ev) => {
		ev.preventDefault();
		const [old, fresh] = [$('password-old'), $('password-new')];
		say($('password-done'), null);
		if (await doing(ev.submitter ?? fresh, $('password-error'),
			() => account.changePassword(old.value, fresh.value))) {
			ev.target.reset();
			say($('password-done'), words('account.password.done'));
			await list();
		}
	});
	$('delete-begin').addEventListener('click', () => deleting(true));
	$('delete-cancel').addEventListener('click', () => deleting(false));
	$('delete-form').addEventListener('submit', async (ev) => {
		ev.preventDefault();
		if (await doing(ev.submitter ?? $('delete-password'), $('delete-error'),
			() => account.delete($('delete-password').value))) {
			forgetAccount($('account-me').textContent, storage('localStorage'), storage('sessionStorage'));
			out(words('account.deleted'));
		}
	});
}

function storage(name) {
	try {
		return globalThis[name];
	} catch {
		return null; // forbidden: then there is nothing in it
	}
}

function deleting(on) {
	$('delete-form').hidden = !on;
	$('delete-begin').hidden = on;
	$('delete-begin').setAttribute('aria-expanded', String(on));
	$('delete-password').value = '';
	say($('delete-error'), null);
	(on ? $('delete-password') : $('delete-begin')).focus();
}

/** Has the site an identity provider? Then its address leads there. */
async function identity() {
	const site = await fetch('/api/v1/site').then((response) => response.json()).catch(() => null);

	$('identity').hidden = site?.identity !== true;
}

async function start() {
	begin();
	fillTexts(document);
	document.title = words('account.title');
	wire();
	try {
		const { user } = await account.who();
		$('account-me').textContent = user;
		// Password managers want to know whose password it is.
		for (const field of document.querySelectorAll('.whose'))
			field.value = user;
	} catch (e) {
		out(e.code === 'not-signed-in' ? words('account.out') : errorWords(e));
		return;
	}
	view('account');
	focus($('account-title'));
	await Promise.all([list(), rules(), identity()]);
}

start();
