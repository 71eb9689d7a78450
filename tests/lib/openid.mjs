// tests/lib/openid.mjs - a real provider of OpenID Connect (npm oidc-provider) in the test's own process.
//
//   const handler = openProvider({ issuer, callback: (name) => address, people: { '1001': { name } }, who: () => '1001' });
//   await listen(ca.leaf('id', { cn: 'id.test' }), address, handler);
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Provider } from 'oidc-provider';

const keysOf = () => [
	{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: `r${Math.random()}` },
	{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: `e${Math.random()}` },
];

/** It asks for no password: who() it is, or nobody, decides the test. Clients: linker (of the section corp) and maker (of new) have secrets,
 *  public has none; their tokens are signed in three ways. -> a request handler for https. */
export function openProvider({ issuer, callback: back, people, who }) {
	const client = (client_id, name, more) => ({ client_id, redirect_uris: [back(name)], response_types: ['code'],
		grant_types: ['authorization_code'], id_token_signed_response_alg: 'RS256', ...more });
	const op = new Provider(issuer, {
		clients: [
			client('linker', 'corp', { client_secret: 'a secret: with/odd&chars', token_endpoint_auth_method: 'client_secret_basic' }),
			client('maker', 'new', { client_secret: 'other', token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: 'ES256' }),
			client('public', 'public', { token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'PS256' }),
		],
		jwks: { keys: [...keysOf(), { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'PS256', kid: 'p' }] },
		cookies: { keys: ['k'] },
		claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'picture'], email: ['email', 'email_verified'] },
		features: { devInteractions: { enabled: false } },
		pkce: { required: () => true },
		interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
		enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'PS256'] },
		findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
		loadExistingGrant: async (ctx) => {
			const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
			grant.addOIDCScope('openid profile email');
			await grant.save();
			return grant;
		},
	});
	op.on('server_error', (ctx, error) => console.error(error));
	const callback = op.callback();
	return (request, response) => {
		if (!request.url.startsWith('/interaction/'))
			return callback(request, response);
		return op.interactionFinished(request, response, who() ? { login: { accountId: who(), remember: false } } : { error: 'access_denied' });
	};
}

export const listen = (pair, address, handler) => new Promise((resolve) => {
	const s = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, handler);
	s.listen(443, address, () => resolve(s));
});
