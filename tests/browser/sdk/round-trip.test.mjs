// round-trip.js: how long to wait for the site before it counts as out of reach
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEAST_MS, MOST_MS, RoundTrip, UNKNOWN_MS } from '../../../webrtc/sdk/round-trip.js';

test('what one waits: the round trip and four times how it varies, within limits', () => {
	const trip = new RoundTrip();

	assert.equal(trip.patienceMs, UNKNOWN_MS);
	trip.seen(100);
	assert.equal(trip.patienceMs, 300); // 100 + 4 * 50
	for (let i = 0; i < 50; i++)
		trip.seen(100);
	assert.equal(trip.patienceMs, LEAST_MS);
	trip.seen(900);
	assert.ok(trip.patienceMs > 900, `${trip.patienceMs}`);
	for (let i = 0; i < 10; i++)
		trip.seen(9000);
	assert.equal(trip.patienceMs, MOST_MS);
	trip.forget();
	assert.equal(trip.patienceMs, UNKNOWN_MS);
	trip.seen(3);
	assert.equal(trip.patienceMs, LEAST_MS);
});
