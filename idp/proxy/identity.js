// identity.js - "Your identity": the pages that have calls vouched for, and what others get to know.
//
// Who calls it: identity.html, for whoever is signed in at the provider; others are sent to signin.html.

import { $, api, element, errorOf, errorWords, fillPage, say, tag, words } from './page.js';

const CLAIMS = ['name', 'picture', 'email'];
let rules = [];

const when = (seconds) => new Date(seconds * 1000).toLocaleString(tag, { dateStyle: 'medium', timeStyle: 'short' });

async function showConsents() {
	const { body } = await api('GET', 'consents');
	const list = Array.isArray(body) ? body : [];

	$('consents-none').hidden = list.length > 0;
	$('consents').replaceChildren(...list.map(({ origin, frames, since, used, claims, own }) => {
		const end = element('button', { type: 'button', 'data-test': 'idp-revoke', 'aria-label': words('consents.end.of', { origin }) },
			words('consents.end'));

		end.addEventListener('click', async () => {
			const answer = await api('DELETE', 'consents', { origin });

			if (answer.status >= 300 || answer.status === 0)
				return say($('status'), errorOf(answer));
			await showConsents();
			$('consents-title').scrollIntoView({ block: 'nearest' });
		});
		const box = element('input', { type: 'checkbox', checked: Boolean(frames), 'data-test': 'idp-consent-frames' });

		box.addEventListener('change', async () => {
			const answer = await api('POST', 'consents', { origin, frames: box.checked, ...(claims ? { claims } : {}) });

			if (answer.status !== 200)
				say($('status'), errorOf(answer));
			await showConsents();
		});
		const more = [own ? words('consents.site') : null, since ? words('consents.since', { when: when(since) }) : null,
			used ? words('consents.used', { when: when(used) }) : null,
			...(claims ?? []).filter((one) => CLAIMS.includes(one)).map((one) => words(`claim.${one}`))].filter(Boolean);

		return element('li', { 'data-test': 'idp-consent' }, element('p', {}, element('bdi', {}, origin)),
			element('p', { class: 'hint' }, more.join(' · ')),
			element('label', { class: 'check' }, box, words('consents.frames')),
			own ? null : end); // the site has the account: what is taken back it says anew
	}));
}

function showRules() {
	$('rules').replaceChildren(...rules.map((rule, i) => {
		const reveal = element('select', { id: `reveal-${i}`, 'data-test': 'idp-rule-reveal' },
			...['full', 'pseudonym', 'none'].map((one) => element('option', { value: one, selected: rule.reveal === one }, words(`rules.${one}`))));
		const boxes = CLAIMS.map((claim) => {
			const box = element('input', { type: 'checkbox', checked: rule.claims?.includes(claim) ?? false });

			box.addEventListener('change', () => {
				rule.claims = CLAIMS.filter((one) => (one === claim ? box.checked : rule.claims?.includes(one)));
			});
			return element('label', { class: 'check' }, box, words(`claim.${claim}`));
		});
		const remove = element('button', { type: 'button' }, words('rules.remove'));

		reveal.addEventListener('change', () => { rule.reveal = reveal.value; });
		remove.addEventListener('click', () => {
			rules.splice(i, 1);
			showRules();
		});
		return element('li', { 'data-test': 'idp-rule' },
			element('p', {}, `${words('rules.for')}: `, element('bdi', {}, rule.for === 'anyone' ? words('rules.anyone') : rule.for)),
			element('label', { for: `reveal-${i}` }, words('rules.reveal')), reveal, ...boxes, rule.for === 'anyone' ? null : remove);
	}));
}

function add(ev) {
	const who = $('who').value.trim().toLowerCase();
	const good = /^https:\/\/[^/\s]+$/.test(who) || /^[^@\s]+@[^@\s/]+$/.test(who);

	ev.preventDefault();
	say($('add-error'), good ? null : words('rules.bad'));
	if (!good || rules.some((one) => one.for === who))
		return;
	rules.unshift({ for: who, reveal: 'pseudonym', claims: [] });
	$('who').value = '';
	showRules();
}

async function save() {
	const answer = await api('PUT', 'rules', rules);

	say($('status'), answer.status >= 200 && answer.status < 300 ? words('rules.saved') : errorOf(answer));
}

async function saveName(ev) {
	const name = $('name').value.trim();

	ev.preventDefault();
	const answer = await api('PUT', 'profile', name ? { name } : {});

	say($('status'), answer.status === 200 ? words('rules.saved') : errorOf(answer));
}

/** The first one, of whoever has always signed in elsewhere: the phone asks for it. */
async function savePassword(ev) {
	ev.preventDefault();
	const answer = await api('PUT', 'password', { password: $('password').value });

	say($('password-error'), answer.status === 200 ? null : answer.status === 400 ? words('password.bad') : errorOf(answer));
	if (answer.status !== 200)
		return;
	$('password').value = '';
	$('password-part').hidden = true;
	say($('status'), words('password.saved'));
}

/** OpenID providers that this account can be signed in by. */
async function showLinks() {
	const { body } = await api('GET', 'providers');
	const list = (Array.isArray(body) ? body : []).filter(({ link }) => link);

	$('links').replaceChildren(...list.map(({ name, title, link, linked }) => {
		if (!linked)
			return element('a', {
				class: 'button', 'data-test': `idp-link-${name}`,
				href: `/idp/v1/oidc/${encodeURIComponent(name)}/start?to=${encodeURIComponent('/idp/identity.html')}&link=${encodeURIComponent(link)}`,
			}, words('links.link', { title }));
		const end = element('button', { type: 'button', 'data-test': `idp-unlink-${name}` }, words('links.end', { title }));

		end.addEventListener('click', async () => {
			const answer = await api('DELETE', 'providers', { name });

			if (answer.status >= 300 || answer.status === 0)
				return say($('status'), errorOf(answer));
			await showLinks();
		});
		return end;
	}));
	$('links-part').hidden = list.length === 0;
}

async function start() {
	fillPage();
	$('domain').textContent = location.hostname.replace(/^idp\./, '');
	const session = await api('GET', 'session');

	if (session.status === 401)
		return location.replace('/idp/signin.html');
	if (session.status !== 200)
		return say($('status'), errorOf(session));
	$('me').textContent = session.body.user;
	$('out').hidden = false;
	$('out').addEventListener('click', async () => {
		await api('DELETE', 'session');
		location.replace('/idp/signin.html');
	});
	$('add').addEventListener('submit', add);
	$('name').value = session.body.name ?? '';
	$('name-form').addEventListener('submit', saveName);
	$('password-form').addEventListener('submit', savePassword);
	$('password-part').hidden = session.body.password !== false;
	$('save').addEventListener('click', save);
	const got = await api('GET', 'rules');

	rules = Array.isArray(got.body) ? got.body : [];
	if (!rules.some((one) => one.for === 'anyone'))
		rules.push({ for: 'anyone', reveal: 'full', claims: ['name'] });
	showRules();
	await Promise.all([showConsents(), showLinks()]);
	const error = new URLSearchParams(location.search).get('error');

	say($('status'), error ? errorWords(error) : null);
	$('all').hidden = false;
}

start();
