// worker.js - runs proxy.js for a frame (shim.js), in a realm as poor as the browser's own.
//
//   shim.js ── {id, op: 'generate' | 'validate', args, grant} ──►  ── {id, ok} or {id, error} ──►

let provider = null;

self.slussFrame = { grant: null };
self.rtcIdentityProvider = { register(one) { provider ??= one; } };
importScripts('/.well-known/idp-proxy/sluss');

const ops = {
	generate: ({ contents, origin, options }) => provider.generateAssertion(contents, origin, options),
	validate: ({ assertion, origin }) => provider.validateAssertion(assertion, origin),
};

self.onmessage = async ({ data: { id, op, args, grant } }) => {
	try {
		self.slussFrame.grant = grant;
		self.postMessage({ id, ok: await ops[op](args) });
	} catch ({ name, message, loginUrl }) {
		self.postMessage({ id, error: { name, message, loginUrl } });
	}
};
