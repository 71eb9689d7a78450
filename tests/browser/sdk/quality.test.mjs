// two looks at a call's statistics → what is wrong, in words; levels; links; what is kept in the browser
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { languages } from '../../../webrtc/phone/language.js';
import { JITTER_MS, judge, lossPercent, pathKind, ROUND_TRIP_BAD_MS, ROUND_TRIP_MS } from '../../../webrtc/phone/quality.js';
import { words } from '../../../webrtc/phone/words.js';

/** A look: sound sent (with the loss the other side reports) and received. */
function look({ sent = 0, up, received = 0, down = 0, jitterMs = 2, roundTripMs = 20, local = 'host', remote = 'host' } = {}) {
	return {
		sent: { audio: { packets: sent, ...(up === undefined ? {} : { lost: up }) } },
		received: { audio: { packets: received, lost: down, jitterMs } },
		roundTripMs, path: { local: { type: local }, remote: { type: remote } },
	};
}
const keys = ({ problems }) => problems.map((p) => p.key);
const before = look({ sent: 1000, up: 5, received: 900, down: 7 });
const then = (what) => look({ sent: 1100, up: 5, received: 1000, down: 7, ...what });

test('quality: nothing wrong', () => {
	const { tone, problems, facts } = judge(before, then({}));

	assert.deepEqual([tone, problems], ['good', []]);
	assert.deepEqual(facts.map((f) => [f.key, ...Object.values(f.fill)]),
		[['fact.path.direct'], ['fact.round', 20], ['fact.jitter', 2], ['fact.up', 0], ['fact.down', 0]]);
});
test('quality: “your uplink loses 8 %”', () => {
	const { tone, problems: [p] } = judge(before, then({ up: 13 }));

	assert.equal(tone, 'bad');
	assert.match(words(p.key, p.fill), /^Your uplink loses 8 %/);
	assert.equal(judge(before, then({ up: 7 })).tone, 'fair');
	assert.equal(judge(before, then({ up: 6 })).tone, 'good');
});
test('quality: a report that covers more than one look is not taken for the loss of that look', () => {
	const reported = (up, lossFraction) => {
		const now = then({ up });

		now.sent.audio.lossFraction = lossFraction;
		return judge(before, now);
	};

	assert.deepEqual(reported(30, 0.1).problems, [{ key: 'health.up', fill: { percent: 10 } }], '25 of 250 packets, not of 100');
	assert.deepEqual(reported(5, 0.1).problems, [{ key: 'health.up', fill: { percent: 10 } }], 'the next report is not there yet');
	assert.deepEqual(reported(30, 0).problems, []);
});
test('quality: loss on the way in; counted anew at each look, never below nothing', () => {
	assert.deepEqual(keys(judge(before, then({ down: 17 }))), ['health.down']);
	assert.deepEqual(keys(judge(before, then({ down: 3 }))), [], 'late packets are counted back by browsers');
});
test('quality: too few packets say nothing; no report, nothing of the uplink', () => {
	assert.equal(lossPercent(5, 10), null);
	assert.equal(lossPercent(1, 49), 2);
	assert.deepEqual(judge(look({ sent: 0 }), look({ sent: 100, received: 100 })).facts.map((f) => f.key),
		['fact.path.direct', 'fact.round', 'fact.jitter', 'fact.down']);
});
test('quality: far away, and uneven', () => {
	assert.deepEqual(keys(judge(before, then({ roundTripMs: ROUND_TRIP_MS }))), ['health.slow']);
	assert.deepEqual(keys(judge(before, then({ roundTripMs: ROUND_TRIP_MS - 1 }))), []);
	assert.equal(judge(before, then({ roundTripMs: ROUND_TRIP_BAD_MS })).tone, 'bad');
	assert.deepEqual(keys(judge(before, then({ jitterMs: JITTER_MS }))), ['health.jitter']);
});
test('quality: no sound at all comes first; on hold it is not missed', () => {
	const none = then({ received: 900, roundTripMs: 400 });

	assert.deepEqual(keys(judge(before, none)), ['health.silent', 'health.slow']);
	assert.deepEqual(keys(judge(before, none, { sound: false })), ['health.slow']);
});
test('quality: which way the sound goes', () => {
	assert.equal(pathKind({ local: { type: 'host' }, remote: { type: 'srflx' } }), 'direct');
	assert.equal(pathKind({ local: { type: 'relay' }, remote: { type: 'host' } }), 'relay');
	assert.equal(pathKind({ local: { type: 'host' }, remote: { type: 'relay' } }), 'relay');
	assert.equal(pathKind(null), null);
	assert.equal(pathKind({ local: undefined, remote: { type: 'host' } }), null);
	assert.deepEqual(judge({ sent: {}, received: {}, path: null }, { sent: {}, received: {}, path: null }, { sound: false }).facts, []);
});
test('quality: every key it can give is in every language', () => {
	const all = [...['good', 'silent', 'up', 'down', 'slow', 'jitter'].map((k) => `health.${k}`),
		...['direct', 'relay'].map((k) => `fact.path.${k}`), ...['round', 'jitter', 'up', 'down'].flatMap((k) => [`fact.${k}`, `fact.${k}.name`])];

	for (const messages of Object.values(languages))
		assert.deepEqual(all.filter((k) => !messages[k]), []);
});
