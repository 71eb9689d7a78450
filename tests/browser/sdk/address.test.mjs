// what people type → an address, or a sentence that says what is wrong
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { numberOf, parseAddress, parseDomain, parseNumber } from '../../../webrtc/sdk/address.js';

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
	['+49 30 123 45', '+493012345@alpha.example'],
	['+49 (0)30/123-45', '+493012345@alpha.example'],
	['(030) 123.45', '03012345@alpha.example'],
	['112', '112@alpha.example'],
	['tel:+46123', '+46123@alpha.example'],
	['TEL:+49-30-123;ext=5', '+4930123@alpha.example'],
	['+4930123@beta.example', '+4930123@beta.example'],
	['sip:+4930123@beta.example;user=phone', '+4930123@beta.example'],
	['per@alpha.localhost', 'per@alpha.localhost'],
	[`${'u'.repeat(64)}@x.example`, `${'u'.repeat(64)}@x.example`],
];
const bad = ['', '   ', '@', 'per@', '@beta.example', 'a@b@c', 'tel:', 'tel:per', 'tel:+', '+49 30 a', '1'.repeat(65), 'https://x.example', 'p er@x.example',
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
test('number: what is one, and what an address shows', () => {
	assert.equal(parseNumber('+49 (0) 30'), '+4930');
	assert.equal(parseNumber('0049 (30) 1'), '0049301');
	assert.equal(parseNumber('per'), null);
	assert.equal(parseNumber('1'.repeat(32)), null);
	assert.equal(numberOf('+4930@alpha.example'), '+4930');
	assert.equal(numberOf('per2@alpha.example'), null);
	assert.equal(numberOf('4930a@alpha.example'), null);
});
test('domain: canonical or null', () => {
	assert.equal(parseDomain('BETA.Example'), 'beta.example');
	assert.equal(parseDomain('10.0.0.1'), null);
	assert.equal(parseDomain('ü@x'), null);
});
