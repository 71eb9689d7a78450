// what people type → an address, or a sentence that says what is wrong
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseAddress, parseDomain } from '../../../webrtc/sdk/address.js';

const good = [
	['per@beta.example', 'per@beta.example'],
	['  Per@Beta.Example  ', 'per@beta.example'],
	['sip:per@beta.example', 'per@beta.example'],
	['SIPS:per@beta.example;transport=tls?Subject=x', 'per@beta.example'],
	['sluss:per@beta.example', 'per@beta.example'],
	['web+sluss:per@beta.example', 'per@beta.example'],
	['per', 'per@alpha.example'],
	['a.b_c-d+e@x.y', 'a.b_c-d+e@x.y'],
	['per@beta.example.', 'per@beta.example'],
	['per@bücher.example', 'per@xn--bcher-kva.example'],
	['per@alpha.localhost', 'per@alpha.localhost'],
	[`${'u'.repeat(64)}@x.example`, `${'u'.repeat(64)}@x.example`],
];
const bad = ['', '   ', '@', 'per@', '@beta.example', 'a@b@c', 'tel:+46123', 'https://x.example', 'p er@x.example',
	'per@x example', 'per@-x.example', 'per@x..example', '.per@x.example', 'per.@x.example', 'pér@x.example',
	'per@192.0.2.1', 'per@[::1]', `${'u'.repeat(65)}@x.example`, 'per@x.example:5061', 'per@x/y', 'per@ü?x',
	`per@${'a'.repeat(64)}.example`, 'per%40x@y.example', 'per\u202e@x.example'];

for (const [typed, address] of good) {
	test(`address: “${typed.slice(0, 40)}” is ${address.slice(0, 40)}`, () => {
		assert.equal(parseAddress(typed, 'alpha.example').address, address);
	});
}
test('address: what is no address is refused in words', () => {
	for (const typed of bad) {
		assert.throws(() => parseAddress(typed, 'alpha.example'),
			(e) => e.code === 'bad-address' && /[a-z].*\.$/.test(e.message), typed);
	}
});
test('address: a bare name needs a site of one’s own', () => {
	assert.throws(() => parseAddress('per', null), { code: 'bad-address' });
});
test('domain: canonical or null', () => {
	assert.equal(parseDomain('BETA.Example'), 'beta.example');
	assert.equal(parseDomain('10.0.0.1'), null);
	assert.equal(parseDomain('ü@x'), null);
});
