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

/** Dials, rings, accepts, answers. Gives {a, b, offer, answer, incoming, answered}: a and b are the call's
 *  name at either end. */
export async function establish(from, to, address, options = {}) {
	const { id: a, offer } = await dial(from, address, options);
	const incoming = await to.event('incoming');
	assert.equal(incoming.sdp, offer, 'the offer arrives byte for byte');
	const b = incoming.call;
	await to.request('ringing', { call: b });
	await from.event('progress', { call: a, state: 'ringing' });
	await to.request('accept', { call: b });
	const answer = options.answer ?? sdp.answer(`answer ${n_calls}`);
	await to.request('answer', { call: b, sdp: answer });
	const answered = await from.event('answered', { call: a });
	assert.equal(answered.sdp, answer, 'the answer arrives byte for byte');
	const established = await to.event('established', { call: b });
	return { a, b, offer, answer, incoming, answered, established };
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
