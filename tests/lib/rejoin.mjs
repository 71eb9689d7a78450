// tests/lib/rejoin.mjs - what a client does when its site has been killed and is there again: it signs in as
// before, says which calls it still has, and joins them again with an offer of the connection that it has.
import assert from 'node:assert/strict';
import * as sdp from './sdp.mjs';
import { Client } from './client.mjs';

/** kill -9, and the daemon is started again. Gives how long it took to serve, in ms. */
export async function crash(site) {
	await site.stop('SIGKILL');
	const from = performance.now();
	await site.start();
	return performance.now() - from;
}

/** `before` comes back with its token; `held`: [{call, rejoin}]. */
export async function comeBack(before, held = []) {
	const client = new Client(before.site);
	client.token = before.token;
	await client.connect();
	client.hello = await client.request('hello', { version: 1, device: 'back', token: before.token, resume: {}, calls: held });
	return client;
}

/** `who` joins `id` again under the name `call`; gives the offer. */
export async function rejoin(who, call, to, id) {
	const offer = sdp.offer(`rejoin ${call}`);
	await who.request('call', { call, to, sdp: offer, rejoin: id });
	return offer;
}

/** `to`, whose call is `held`, takes what joins it again. Gives its new name. */
export async function takeBack(to, held, from, fromCall, offer) {
	const incoming = await to.event('incoming', { replaces: held }, 15_000);
	assert.equal(incoming.sdp, offer, 'the offer arrives byte for byte');
	await to.request('accept', { call: incoming.call });
	const answer = sdp.answer(`back ${incoming.call}`);
	await to.request('answer', { call: incoming.call, sdp: answer });
	const answered = await from.event('answered', { call: fromCall });
	assert.equal(answered.sdp, answer);
	const established = await to.event('established', { call: incoming.call });
	return { a: fromCall, b: incoming.call, answered, established };
}
