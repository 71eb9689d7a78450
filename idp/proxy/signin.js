// signin.js - the window that a calling site opens in a click: who is it, and may that site have calls vouched for?
//
//   wait ─► signin ─► consent ─allow─► a code for the site's frame, to that origin alone ─► closed
//             │          └─ given before: at once
//             └─ an OpenID provider, and back
//
// Who calls it: signin.html, with `origin` and `challenge` in its address. The code is of use to the frame alone,
// which has the verifier; a page that gets hold of it can do nothing with it.

import { $, api, element, errorOf, errorWords, fillPage, say, view, words } from './page.js';

const PAGE = /^(https:\/\/[^/]+|http:\/\/([a-z0-9-]+\.)*localhost(:\d+)?)$/;
/** Somebody who is clicking elsewhere, where this window has opened, has not allowed anything. */
const CALM_MS = 700;

const asked = new URLSearchParams(location.search);
const origin = asked.get('origin');
const challenge = asked.get('challenge');

/** Where a sign-in elsewhere leads back to: here, without what went wrong before. */
function here() {
	const query = new URLSearchParams(asked);

	query.delete('error');
	return query.size ? `${location.pathname}?${query}` : location.pathname;
}

function over(text) {
	$('wait-text').textContent = text;
	view('wait');
}

/** Who is it? */
async function step() {
	const session = await api('GET', 'session');

	if (session.status === 401)
		return signin();
	if (session.status !== 200)
		return over(errorOf(session));
	if (!origin)
		return location.replace('/idp/identity.html');
	const consents = await api('GET', 'consents');
	const given = consents.body?.find?.((one) => one.origin === origin);

	// To allow frames, too, is another question than the one that was answered.
	if (given && (given.frames || !challenge))
		return tell();
	$('consent-text').textContent = words('consent.text', { user: session.body.user });
	view('consent');
	setTimeout(() => { $('allow').disabled = false; }, CALM_MS);
}

async function signin() {
	const { body } = await api('GET', 'providers');

	$('providers').replaceChildren(...(Array.isArray(body) ? body : []).map(({ name, title }) => element('a', {
		class: 'button', 'data-test': `idp-with-${name}`,
		href: `/idp/v1/oidc/${encodeURIComponent(name)}/start?to=${encodeURIComponent(here())}`,
	}, words('signin.with', { title }))));
	$('elsewhere').hidden = !$('providers').childElementCount;
	if (asked.get('error'))
		say($('signin-error'), errorWords(asked.get('error')));
	view('signin');
	$('user').focus();
}

async function submit(ev) {
	ev.preventDefault();
	say($('signin-error'), null);
	const answer = await api('POST', 'session', { user: $('user').value.trim(), password: $('password').value });

	if (answer.status === 200) {
		$('password').value = '';
		return step();
	}
	say($('signin-error'), answer.status === 401 ? words('signin.bad') : answer.status === 429 ? words('signin.later')
		: errorOf(answer));
	$('password').focus();
}

async function allow() {
	$('allow').disabled = true;
	const claims = [...document.querySelectorAll('[name=claim]:checked')].map((box) => box.value);
	const answer = await api('POST', 'consents', { origin, frames: $('frames').checked, claims });

	if (answer.status === 401)
		return signin();
	if (answer.status !== 200) {
		say($('consent-error'), errorOf(answer));
		$('allow').disabled = false;
		return;
	}
	tell();
}

/** The page may go on; its frame gets a code. */
async function tell() {
	if (challenge && $('frames').checked) {
		const answer = await api('POST', 'codes', { origin, challenge });

		if (answer.status === 200)
			window.opener?.postMessage({ sluss: 'idp', code: answer.body.code }, origin);
	}
	window.opener?.postMessage('WEBRTC-LOGINDONE', origin);
	window.close();
	over(words('close'));
}

fillPage();
$('domain').textContent = location.hostname.replace(/^idp\./, '');
if (origin !== null && !PAGE.test(origin)) {
	over(words('insecure'));
} else {
	if (origin) {
		$('origin').textContent = origin;
		say($('why'), words('signin.why', { origin }));
	}
	$('form').addEventListener('submit', submit);
	$('allow').addEventListener('click', allow);
	$('refuse').addEventListener('click', () => {
		window.close();
		over(words('close'));
	});
	$('other').addEventListener('click', async () => {
		await api('DELETE', 'session');
		signin();
	});
	step();
}
