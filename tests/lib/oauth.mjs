// tests/lib/oauth.mjs - a service that speaks OAuth 2.0 and no OpenID Connect, and does it as GitHub does: JSON only for who asks
// for it, refusals of a code with HTTP 200, a document about the person at an address of its API.
//
//   const hub = openHub({ clients: { sluss: { secret, back, iss } }, people: { 7: { id: 7, login } }, who: () => 7 });
//   await listen(ca.leaf('hub', { cn: 'hub.test' }), address, hub.handler);
import { createHash, randomBytes } from 'node:crypto';

const random = () => randomBytes(20).toString('hex');
const challengeOf = (verifier) => createHash('sha256').update(verifier).digest('base64url');

async function formOf(request) {
	let text = '';
	for await (const part of request)
		text += part;
	return Object.fromEntries(new URLSearchParams(text));
}

/** RFC 6749 2.3.1: both halves are form-encoded. */
function basicOf(header) {
	const [, encoded] = /^Basic (.+)$/.exec(header ?? '') ?? [];
	return encoded && Buffer.from(encoded, 'base64').toString().split(':').map((half) => decodeURIComponent(half.replaceAll('+', ' ')));
}

/** -> {handler, asked: [{path, query, form, headers}], odd: {[path]: {status, text, location}} what is answered instead} */
export function openHub({ clients, people, who }) {
	const hub = { asked: [], odd: {} }, codes = new Map(), tokens = new Map();

	const authorize = (query, response) => {
		const client = clients[query.client_id];
		if (client?.back !== query.redirect_uri)
			return response.writeHead(404).end();
		const to = new URL(client.back);
		if (who()) {
			const code = random();
			codes.set(code, { client: query.client_id, challenge: query.code_challenge, id: who() });
			to.searchParams.set('code', code);
		} else {
			to.searchParams.set('error', 'access_denied');
			to.searchParams.set('error_description', 'The user has denied your application access.');
		}
		to.searchParams.set('state', query.state);
		if (client.iss)
			to.searchParams.set('iss', client.iss);
		return response.writeHead(302, { Location: to.href }).end();
	};

	const tokenFor = (form, headers) => {
		const [id, secret] = basicOf(headers.authorization) ?? [form.client_id, form.client_secret];
		if (!clients[id] || clients[id].secret !== secret)
			return { error: 'incorrect_client_credentials', error_description: 'The client_id and/or client_secret passed are incorrect.' };
		const code = codes.get(form.code);
		codes.delete(form.code);
		if (code?.client !== id || clients[id].back !== form.redirect_uri || challengeOf(form.code_verifier ?? '') !== code.challenge)
			return { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' };
		const token = `gho_${random()}`;
		tokens.set(token, code.id);
		return { access_token: token, token_type: 'bearer', scope: '' };
	};

	hub.handler = async (request, response) => {
		const url = new URL(request.url, 'https://hub.test'), { pathname: path } = url, { headers } = request;
		const query = Object.fromEntries(url.searchParams), form = await formOf(request), odd = hub.odd[path];
		const say = (value, status = 200) => response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
		hub.asked.push({ path, query, form, headers });
		if (odd)
			return response.writeHead(odd.status ?? 200, odd.location ? { Location: odd.location } : {}).end(odd.text);
		if (path === '/login/oauth/authorize')
			return authorize(query, response);
		if (path === '/login/oauth/access_token' && request.method === 'POST') {
			const answer = tokenFor(form, headers);
			return headers.accept === 'application/json' ? say(answer) : response.end(new URLSearchParams(answer).toString());
		}
		if (path === '/user' && headers['user-agent']) {
			const id = tokens.get(/^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1]);
			return id ? say(people[id]) : say({ message: 'Bad credentials' }, 401);
		}
		return say({ message: 'Not Found' }, 404);
	};
	return hub;
}
