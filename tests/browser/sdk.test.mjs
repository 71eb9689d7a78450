// tests/browser/sdk.test.mjs - the SDK's and the phone's modules without a browser: pure ones directly, the
// rest between a fake socket, a fake microphone and fake peer connections (sdk/fake.mjs).
//
//   sdk/*.test.mjs ──► webrtc/sdk/*.js, webrtc/phone/*.js ──► sdk/fake.mjs
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import './sdk/address.test.mjs';
import './sdk/state.test.mjs';
import './sdk/offer-answer.test.mjs';
import './sdk/reading.test.mjs';
import './sdk/refer.test.mjs';
import './sdk/socket.test.mjs';
import './sdk/rejoin.test.mjs';
import './sdk/resume.test.mjs';
import './sdk/call.test.mjs';
import './sdk/change.test.mjs';
import './sdk/trickle.test.mjs';
import './sdk/side.test.mjs';
import './sdk/ice.test.mjs';
import './sdk/identity.test.mjs';
import './sdk/idp-pages.test.mjs';
import './sdk/ring.test.mjs';
import './sdk/move.test.mjs';
import './sdk/quality.test.mjs';
import './sdk/book.test.mjs';
import './sdk/page.test.mjs';
import './sdk/language.test.mjs';
import './sdk/types.test.mjs';
import './sdk/exports.test.mjs';
import './sdk/round-trip.test.mjs';
import './sdk/switch.test.mjs';

test('no file of this folder is left out', () => {
	const here = readFileSync(new URL(import.meta.url), 'utf8');
	for (const name of readdirSync(new URL('sdk/', import.meta.url)))
		assert.ok(!name.endsWith('.test.mjs') || here.includes(`import './sdk/${name}';`), name);
});
