// the tables of a call's phases, and the state a page sees
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { events, phases, shown, step } from '../../../webrtc/sdk/call-state.js';

const all = Object.keys(phases);

test('call state: every phase knows what every event does', () => {
	const expected = {
		calling: ['ringing', 'accepted', 'calling', 'established', 'ended'],
		ringing: ['ringing', 'accepted', 'ringing', 'established', 'ended'],
		accepted: ['accepted', 'accepted', 'ringing', 'established', 'ended'],
		established: ['established', 'established', 'established', 'established', 'ended'],
		ended: ['ended', 'ended', 'ended', 'ended', 'ended'],
	};

	assert.deepEqual(Object.keys(expected), all);
	for (const phase of all)
		assert.deepEqual(events.map((e) => step(phase, e)), expected[phase], phase);
});
test('call state: the page sees only the six states of the contract', () => {
	const contract = new Set(['calling', 'ringing', 'connecting', 'connected', 'held', 'ended']);

	for (const phase of all) {
		for (const media of ['none', 'up', 'down']) {
			for (const local of [false, true]) {
				for (const remote of [false, true])
					assert.ok(contract.has(shown(phase, media, { local, remote })));
			}
		}
	}
});
test('call state: connected only when answered and the path is up', () => {
	const free = { local: false, remote: false };

	assert.equal(shown('accepted', 'up', free), 'connecting');
	assert.equal(shown('established', 'none', free), 'connecting');
	assert.equal(shown('established', 'up', free), 'connected');
	assert.equal(shown('established', 'down', free), 'connected');
	assert.equal(shown('established', 'up', { local: true, remote: false }), 'held');
	assert.equal(shown('established', 'up', { local: false, remote: true }), 'held');
	assert.equal(shown('established', 'none', { local: true, remote: true }), 'connecting');
	assert.equal(shown('ended', 'up', { local: true, remote: false }), 'ended');
});
