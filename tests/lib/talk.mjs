// tests/lib/talk.mjs - the usual steps of a call between two raw clients, each checked on the way.
import assert from 'node:assert/strict';
import * as sdp from './sdp.mjs';

let n_calls = 0;

/** `from` dials `to` (an address); gives {id, offer, events to come}. Each call has an id of its own. */
export async function dial(from, to, { offer = sdp.offer(`offer ${++n_calls}`), name } = {}) {
	const id = `c${++n_calls}`;
	await from.request('call', { call: id, to, sdp: offer, ...(name ? { name } : {}) });
	return { id, offer };
}

/** A description came as it was; of a `relayed` call with the other party's keys, and the site's address in it. */
function arrives(came, went, what, relayed) {
	const keys = (text) => text.match(/^a=(?:fingerprint|setup):.*$/gm);

	if (!relayed) {
		assert.equal(came, went, `the ${what} arrives byte for byte`);
		return;
	}
	assert.deepEqual(keys(came), keys(went), `the ${what}'s keys arrive byte for byte`);
	assert.ok(!came.includes(/^c=IN IP4 (.*)$/m.exec(went)[1]), `no address of who made the ${what}`);
}

/** Dials, rings, accepts, answers. Gives {a, b, offer, answer, incoming, answered}: a and b are the call's
 *  name at either end. `relayed`: an address is to be hidden. */
export async function establish(from, to, address, options = {}) {
	const { id: a, offer } = await dial(from, address, options);
	const incoming = await to.event('incoming');
	arrives(incoming.sdp, offer, 'offer', options.relayed);
	const b = incoming.call;
	await to.request('ringing', { call: b });
	await from.event('progress', { call: a, state: 'ringing' });
	await to.request('accept', { call: b });
	const answer = options.answer ?? sdp.answer(`answer ${n_calls}`);
	await to.request('answer', { call: b, sdp: answer });
	const answered = await from.event('answered', { call: a });
	arrives(answered.sdp, answer, 'answer', options.relayed);
	const established = await to.event('established', { call: b });
	return { a, b, offer, answer, incoming, answered, established };
}

/** Makes sure that each ACK of an established call is there, so that it is in talk at both sites: a change goes there and
 *  back, and another one comes from who `stays`, whose site then has the last word. Whoever kills or stops the site of who
 *  `goes` waits for this first: a site that never hears the ACK to its 200 ends the call after 32 s (RFC 3261 §13.3.1.4). */
export async function settled(goes, goesCall, stays, staysCall) {
	for (const [from, fromCall, to, toCall] of [[goes, goesCall, stays, staysCall], [stays, staysCall, goes, goesCall]]) {
		await from.request('offer', { call: fromCall, sdp: sdp.offer('change') });
		await to.event('offer', { call: toCall });
		await to.request('answer', { call: toCall, sdp: sdp.answer('change') });
		await from.event('answer', { call: fromCall });
	}
}

/** `from` hangs up and both see the end. */
export async function hangUp(from, fromCall, to, toCall) {
	await from.request('hangup', { call: fromCall });
	const ours = await from.event('ended', { call: fromCall });
	const theirs = await to.event('ended', { call: toCall });
	assert.equal(ours.cause.reason, 'hangup');
	assert.equal(theirs.cause.reason, 'hangup');
	return { ours, theirs };
}
