// tests/lib/foreign-idp.mjs - a small identity provider that is none of ours, written for the tests alone: other
// assertions (sealed by its own server, no published keys), another sign-in, and the same two doors: a script for a
// browser's own realm, a page for frames (docs/sdk.md "Identity").
//
//   browser ──https──► DOMAIN (its own address)        ForeignIdp.listen({ domain, address, pair })
//
// What it does wrong is up to the test: idp.lie, idp.slow, idp.down. `/face.svg` is a picture, idp.asked says how it was asked for.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const PROTOCOL = 'simple';

/** For both realms: what asks the server. The token is the frame's; the browser's own realm has the cookie. */
const SCRIPT = `
	const ask = async (path, body) => {
		const answer = await fetch(location.origin + path, { method: 'POST', credentials: 'include', body: JSON.stringify(body) })
			.catch(() => { throw { name: 'NetworkError', message: 'away' }; });
		const json = await answer.json();
		if (!answer.ok)
			throw { name: json.login ? 'IdpLoginError' : 'IdpError', message: json.error, loginUrl: json.login };
		return json;
	};
	rtcIdentityProvider.register({
		generateAssertion: (contents, origin, options) => ask('/assert', { contents, origin, token: options && options.token }),
		validateAssertion: (assertion) => ask('/verify', { assertion }),
	});`;

/** The frame: no worker, no IndexedDB; it keeps its token in localStorage and judges who asks by the event's origin. */
const PAGE = `<!doctype html><title>idp</title><script>
	let idp, origin, secret;
	const rtcIdentityProvider = { register(it) { idp = it; } };
	${SCRIPT}
	const hash = async (text) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))].map((b) => b.toString(16).padStart(2, '0')).join('');
	const ops = {
		async generate({ contents, options }) {
			try {
				return await idp.generateAssertion(contents, origin, { ...options, token: localStorage.getItem(origin) });
			} catch (e) {
				if (e.loginUrl) {
					secret ??= crypto.randomUUID();
					e.loginUrl += '?origin=' + encodeURIComponent(origin) + '&hash=' + await hash(secret);
				}
				throw e;
			}
		},
		validate: ({ assertion }) => idp.validateAssertion(assertion),
		async redeem({ code }) {
			localStorage.setItem(origin, (await ask('/redeem', { code, secret, origin })).token);
			return {};
		},
	};
	addEventListener('message', (ev) => {
		if (ev.source !== parent || !ev.data || ev.data.sluss !== 'idp' || origin)
			return;
		origin = ev.origin;
		const [port] = ev.ports;
		port.onmessage = async ({ data: { id, op, args } }) => {
			try {
				port.postMessage({ id, ok: await ops[op](args) });
			} catch (e) {
				port.postMessage({ id, error: { name: e.name, message: e.message, loginUrl: e.loginUrl } });
			}
		};
	});
	parent.postMessage({ sluss: 'idp', hello: 1 }, '*');
</script>`;

const LOGIN = `<!doctype html><title>sign in</title><form><input id="name"><button id="yes">Yes</button></form><script>
	const asked = new URLSearchParams(location.search);
	document.querySelector('form').onsubmit = async (ev) => {
		ev.preventDefault();
		const answer = await fetch('/enter', { method: 'POST', body: JSON.stringify({ user: document.querySelector('#name').value,
			origin: asked.get('origin'), hash: asked.get('hash') }) });
		const { code } = await answer.json();
		opener.postMessage({ sluss: 'idp', code }, asked.get('origin'));
		opener.postMessage('WEBRTC-LOGINDONE', asked.get('origin'));
		window.close();
	};
</script>`;

export class ForeignIdp {
	#seal = randomBytes(32);
	#codes = new Map();
	#tokens = new Map();
	#sessions = new Map();
	/** ops as they were asked: "assert native https://alpha.test", "load iframe", … */
	asked = [];
	/** the browsers whose frames or realms have asked for a verdict: "firefox", "chromium" */
	judges = [];
	/** a name that it vouches for instead of the right one; ms before each answer; nothing is answered; what it tells of them */
	lie = null;
	slow = 0;
	down = false;
	profile = null;

	constructor(domain) {
		this.domain = domain;
	}

	static async listen({ domain, address, pair }) {
		const idp = new ForeignIdp(domain);
		idp.server = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, (request, response) => {
			const chunks = [];
			request.on('data', (chunk) => chunks.push(chunk));
			request.on('end', () => {
				if (idp.down)
					return request.socket.destroy();
				setTimeout(() => idp.#answer(request, Buffer.concat(chunks).toString(), response), idp.slow);
			});
		});
		await new Promise((resolve, reject) => idp.server.once('error', reject).listen(443, address, resolve));
		return idp;
	}

	get identity() {
		return { domain: this.domain, protocol: PROTOCOL };
	}

	#sealed(text) {
		return `${Buffer.from(text).toString('base64')}.${createHmac('sha256', this.#seal).update(text).digest('hex')}`;
	}

	#open(sealed) {
		const text = Buffer.from(String(sealed).split('.')[0], 'base64').toString();
		return this.#sealed(text) === sealed ? JSON.parse(text) : null;
	}

	#answer(request, body, response) {
		const { pathname } = new URL(request.url, 'https://x');
		const json = (value, status = 200, headers = {}) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value));
		const page = (text, type = 'text/html') => response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(text);

		if (pathname === `/.well-known/idp-proxy/${PROTOCOL}`) {
			this.asked.push(`load ${request.headers['sec-fetch-dest']}`);
			return request.headers['sec-fetch-dest'] === 'iframe' ? page(PAGE) : page(SCRIPT, 'text/javascript');
		}
		if (pathname === '/face.svg') {
			const { cookie, referer, origin } = request.headers;
			this.asked.push(`face cookie=${cookie} referer=${referer} origin=${origin}`);
			return response.writeHead(200, { 'Content-Type': 'image/svg+xml', 'Access-Control-Allow-Origin': '*' })
				.end('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="32"/></svg>');
		}
		if (pathname === '/login')
			return page(LOGIN);
		if (request.method !== 'POST')
			return json({ error: 'not found' }, 404);
		return this.#asked(pathname, JSON.parse(body), request, json);
	}

	#asked(path, msg, { headers }, json) {
		const session = this.#sessions.get(/(?:^|; )in=(\w+)/.exec(headers.cookie ?? '')?.[1]);

		if (path === '/enter') {
			const id = randomBytes(8).toString('hex'), code = randomBytes(8).toString('hex');
			this.#sessions.set(id, msg.user);
			this.#codes.set(code, msg);
			return json({ code }, 200, { 'Set-Cookie': `in=${id}; Secure; HttpOnly; SameSite=None; Path=/` });
		}
		if (path === '/redeem') {
			const given = this.#codes.get(msg.code);
			this.#codes.delete(msg.code);
			if (!given || given.origin !== msg.origin || createHash('sha256').update(String(msg.secret)).digest('hex') !== given.hash)
				return json({ error: 'no such code' }, 400);
			const token = randomBytes(8).toString('hex');
			this.#tokens.set(token, given);
			return json({ token });
		}
		if (path === '/assert') {
			const granted = this.#tokens.get(msg.token);
			const user = granted?.origin === msg.origin ? granted.user : session;
			this.asked.push(`assert ${msg.token === undefined ? 'native' : 'frame'} ${msg.origin}`);
			if (!user)
				return json({ error: 'sign in', login: `https://${this.domain}/login` }, 401);
			return json({ idp: this.identity, assertion: this.#sealed(JSON.stringify({ identity: `${user}@${this.domain}`, contents: msg.contents })) });
		}
		if (path === '/verify') {
			const said = this.#open(msg.assertion);
			this.asked.push('verify');
			this.judges.push(/Firefox/.test(headers['user-agent']) ? 'firefox' : 'chromium');
			return said ? json({ ...said, ...(this.lie ? { identity: this.lie } : {}), ...(this.profile ? { profile: this.profile } : {}) }) : json({ error: 'not ours' }, 400);
		}
		return json({ error: 'not found' }, 404);
	}

	close() {
		this.server.closeAllConnections();
		return new Promise((resolve) => this.server.close(resolve));
	}
}
