// shim.js - the identity provider in a frame: between the page that shows it and proxy.js, which runs in a worker.
//
// Who uses it: shim.html, loaded by the SDK of any calling site. What the page can have is an assertion, when the
// person has agreed to it; never a grant, a cookie or a verifier. Who asks is what the browser says (the origin of the
// page's one message), and never what the message says.
//
//   hello ──► page ── port ──►  generate, validate, challenge, redeem, forget, show

import { show } from './badge.js';
import { grantOf, keepGrant } from './grants.js';

const PAGE = /^(https:\/\/[^/]+|http:\/\/([a-z0-9-]+\.)*localhost(:\d+)?)$/;
/** What a page may have asked at once. */
const PENDING_MAX = 32;

const worker = new Worker('/idp/worker.js');
const waiting = new Map();
let ids = 0, pending = 0, origin = null, verifier = null;

worker.onmessage = ({ data: { id, ok, error } }) => {
	const { resolve, reject } = waiting.get(id) ?? {};

	waiting.delete(id);
	if (error)
		reject?.(error);
	else
		resolve?.(ok);
};
worker.onerror = () => {
	for (const { reject } of waiting.values())
		reject({ name: 'NetworkError', message: 'The identity provider’s script could not be loaded.' });
	waiting.clear();
};

const b64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');

function ask(op, args, grant = null) {
	return new Promise((resolve, reject) => {
		const id = ++ids;

		waiting.set(id, { resolve, reject });
		worker.postMessage({ id, op, args, grant });
	});
}

/** What a code has to be asked for with: whoever carries the code cannot use it without what stays in here. */
async function challenge() {
	verifier ??= b64url(crypto.getRandomValues(new Uint8Array(32)));
	return b64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

const text = (value, most) => (typeof value === 'string' && value.length <= most ? value : '');

const ops = {
	async generate({ contents, options }) {
		const { usernameHint, peerIdentity } = options ?? {};
		const args = { contents: text(contents, 4096), origin,
			options: { usernameHint: text(usernameHint, 320), peerIdentity: text(peerIdentity, 320) } };
		const grant = await grantOf(origin);

		try {
			return await ask('generate', args, grant);
		} catch (e) {
			// A grant that has ended; there may be a session of this browser's own all the same.
			if (e.name === 'IdpLoginError' && grant) {
				await keepGrant(origin, null);
				return ops.generate({ contents, options });
			}
			if (e.name === 'IdpLoginError')
				throw { ...e, loginUrl: `${e.loginUrl}${e.loginUrl.includes('?') ? '&' : '?'}challenge=${await challenge()}` };
			throw e;
		}
	},
	validate({ assertion }) {
		return ask('validate', { assertion: text(assertion, 8192), origin });
	},
	async challenge() {
		return { challenge: await challenge() };
	},
	async redeem({ code }) {
		const mine = verifier;

		if (!mine)
			throw { name: 'IdpError', message: 'Nothing was asked for.' };
		verifier = null;
		const response = await fetch('/idp/v1/redeem', {
			method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Sluss-IdP': '1' },
			body: JSON.stringify({ code: text(code, 200), verifier: mine, origin }), cache: 'no-store', redirect: 'error',
		}).catch(() => null);
		const answer = await response?.json().catch(() => null);

		if (!response?.ok)
			throw { name: response ? 'IdpError' : 'NetworkError', message: answer?.text ?? answer?.error ?? 'The code was not taken.' };
		await keepGrant(origin, answer.grant);
		return { user: answer.user };
	},
	/** Whoever has a grant here may sign this browser out: the next person at it is another one. */
	async forget() {
		if (await grantOf(origin)) {
			await keepGrant(origin, null);
			await fetch('/idp/v1/session', { method: 'DELETE', headers: { 'X-Sluss-IdP': '1' }, cache: 'no-store' }).catch(() => {});
		}
		return {};
	},
	/** The verified name, in sight, where the page cannot change it. */
	async show({ assertion, language }) {
		const { identity, profile } = await ops.validate({ assertion });

		show(document, { identity, profile, language: text(language, 35) });
		return { identity };
	},
};

async function asked(port, { id, op, args }) {
	let answer;

	if (pending >= PENDING_MAX) {
		port.postMessage({ id, error: { name: 'NetworkError', message: 'Too much at once.' } });
		return;
	}
	pending++;
	try {
		if (!Object.hasOwn(ops, op))
			throw { name: 'NotSupportedError', message: 'There is no such operation.' };
		answer = { id, ok: await ops[op](args ?? {}) };
	} catch ({ name, message, loginUrl }) {
		answer = { id, error: { name, message, ...(loginUrl ? { loginUrl } : {}) } };
	}
	pending--;
	port.postMessage(answer);
}

function begin(ev) {
	const port = ev.ports[0];

	if (origin || ev.source !== window.parent || ev.data?.sluss !== 'idp' || !port || !PAGE.test(ev.origin))
		return;
	origin = ev.origin;
	port.onmessage = ({ data }) => asked(port, data ?? {});
}

if (window.parent !== window) {
	window.addEventListener('message', begin);
	window.parent.postMessage({ sluss: 'idp', hello: 1 }, '*');
}
