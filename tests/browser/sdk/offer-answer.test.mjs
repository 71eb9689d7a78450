// the table of offers and answers: all that can be reached, and the ways through a glare
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { events, glareMs, start, step, table } from '../../../webrtc/sdk/offer-answer.js';

const ACTIONS = new Set(['make', 'send', 'apply', 'take', 'refuse', 'rollback', 'wait', 'fail']);

/** Runs events from the start; -> [state, all actions]. */
function run(...list) {
	let state = start;
	const actions = [];

	for (const event of list) {
		const [next, ...did] = step(state, event);
		state = next;
		actions.push(...did);
	}
	return [state, actions.join(' ')];
}

test('offers: every reachable state takes every event', () => {
	const seen = new Map([[JSON.stringify(start), start]]);

	for (const state of seen.values()) {
		for (const event of events) {
			const [next, ...actions] = step(state, event);

			assert.ok(next.at in table, `${state.at} ${event}`);
			actions.forEach((a) => assert.ok(ACTIONS.has(a), a));
			// The peer connection's own state must allow what is asked of it.
			if (actions.includes('make') || actions.includes('take'))
				assert.ok(!['making', 'sent'].includes(state.at) || actions[0] === 'rollback'
					|| actions[0] === 'apply', `${state.at} ${event}: ${actions}`);
			assert.ok(!(next.timer && ['stable', 'making', 'sent'].includes(next.at)), 'a timer that nobody heeds');
			assert.ok(!(next.at === 'stable' && next.wanted), 'a change that nobody offers');
			seen.set(JSON.stringify(next), next);
		}
	}
	assert.ok(seen.size > 8 && seen.size < 64, String(seen.size));
});
test('offers: no event leads into a state that a few ordinary ones do not lead out of', () => {
	const seen = new Map([[JSON.stringify(start), start]]);
	const out = ['made', 'answer', 'done', 'glare', 'timer', 'made', 'answer', 'timer', 'made', 'answer'];

	for (const state of seen.values()) {
		for (const event of events)
			seen.set(...((s) => [JSON.stringify(s), s])(step(state, event)[0]));
		const end = out.reduce((s, event) => step(s, event)[0], state);
		assert.equal(end.at, 'stable', JSON.stringify(state));
	}
});
test('offers: ours, answered', () => {
	assert.deepEqual(run('change', 'made', 'answer'), [start, 'make send apply']);
});
test('offers: theirs, answered', () => {
	assert.deepEqual(run('offer', 'done'), [start, 'take']);
});
test('offers: theirs, answered but taken back: ours follows', () => {
	const [state, actions] = run('offer', 'withdrawn', 'done', 'made', 'answer');

	assert.deepEqual(state, start);
	assert.equal(actions, 'take make send apply');
});
test('offers: a change while ours is out goes out after it', () => {
	const [state, actions] = run('change', 'made', 'change', 'answer');

	assert.equal(state.at, 'making');
	assert.equal(actions, 'make send apply make');
});
test('offers: theirs while ours is being made: ours steps back and follows at once', () => {
	const [state, actions] = run('change', 'offer', 'done', 'made');

	assert.equal(state.at, 'sent');
	assert.equal(actions, 'make rollback take make send');
});
test('offers: theirs meets ours on the way: answered, and ours again after refusal and timer', () => {
	assert.equal(run('change', 'made', 'offer', 'done')[0].at, 'waiting');
	const [state, actions] = run('change', 'made', 'offer', 'done', 'glare', 'timer', 'made', 'answer');

	assert.deepEqual(state, start);
	assert.equal(actions, 'make send rollback take wait make send apply');
});
test('offers: the refusal may come before our answer is out', () => {
	const [state, actions] = run('change', 'made', 'offer', 'glare', 'done', 'timer', 'made', 'answer');

	assert.deepEqual(state, start);
	assert.equal(actions, 'make send rollback take wait make send apply');
});
test('offers: refused for glare: taken back, offered again after the timer', () => {
	const [state, actions] = run('change', 'made', 'glare', 'timer', 'made', 'answer');

	assert.deepEqual(state, start);
	assert.equal(actions, 'make send rollback wait make send apply');
});
test('offers: theirs while the timer runs is taken; ours waits on', () => {
	const [state, actions] = run('change', 'made', 'glare', 'offer', 'done', 'timer', 'made', 'answer');

	assert.deepEqual(state, start);
	assert.equal(actions, 'make send rollback wait take make send apply');
});
test('offers: refused for good: taken back, and whoever asked is told', () => {
	assert.deepEqual(run('change', 'made', 'refused'), [start, 'make send rollback fail']);
});
test('offers: a second offer of theirs before our answer is refused', () => {
	assert.equal(run('offer', 'offer')[1], 'take refuse');
});
test('offers: RFC 3261 §14.1: 2.1 to 4.0 s for who made the call, 0 to 2.0 s for the other', () => {
	assert.equal(glareMs(true, () => 0), 2100);
	assert.equal(glareMs(true, () => 0.999999), 4000);
	assert.equal(glareMs(false, () => 0), 0);
	assert.equal(glareMs(false, () => 0.999999), 2000);
	for (let i = 0; i < 50; i++)
		assert.equal(glareMs(i % 2 === 0) % 10, 0);
});
