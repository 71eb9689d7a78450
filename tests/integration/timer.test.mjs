// limit: 240 s
// Session timers (RFC 4028) at their shortest, 90 s: who refreshes, and what happens when nobody does.
//
//   bob ──wss──► beta.test (.20) ══TLS══ gamma.test (.61, this test)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as sdp from '../lib/sdp.mjs';
import { SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';

let world, beta, gamma, bob, link;

before(async () => {
	const set = await twoSites({ tune: (o) => (o.limits = { 'session-expires': 90 }) });
	({ world, beta } = set);
	const address = await world.address(61);
	set.dns.site('gamma.test', address);
	await set.dns.serve();
	gamma = await SipSite.listen({ domain: 'gamma.test', pair: set.ca.valid('gamma.test'), ca: set.ca.root, address });
	link = await gamma.dial('198.18.0.20', 'beta.test');
	bob = await beta.client('bob');
});
after(async () => {
	await gamma?.close();
	await world?.close();
});

const ofCall = (callId, method) => gamma.wait((m) => m.method === method && m.get('Call-ID') === callId, `${method} in the call`, 100_000);

async function outgoing(refresher) {
	const { id } = await dial(bob, 'gunda@gamma.test');
	const invite = await gamma.request('INVITE');
	assert.match(invite.message.get('Session-Expires'), /^90/);
	assert.match(invite.message.all('Supported').join(), /timer/);
	invite.reply(200, { body: sdp.answer('timed'), headers: [['Session-Expires', `90;refresher=${refresher}`], ['Require', 'timer']] });
	await gamma.request('ACK');
	await bob.event('answered', { call: id });
	return { id, invite, callId: invite.message.get('Call-ID'), start: performance.now() };
}

async function incoming() {
	const call = link.call({ from: 'gunda@gamma.test', to: 'bob@beta.test', body: sdp.offer('timed'),
		headers: [['Supported', 'timer'], ['Session-Expires', '90;refresher=uas']] });
	const { call: id } = await bob.event('incoming');
	await bob.request('accept', { call: id });
	await bob.request('answer', { call: id, sdp: sdp.answer('timed') });
	const ok = await call.response(200);
	call.ack(ok);
	assert.match(ok.get('Session-Expires'), /^90\s*;\s*refresher=uas/);
	await bob.event('established', { call: id });
	return { id, call, start: performance.now() };
}

test('too short a timer is refused with 422 and Min-SE', async () => {
	const call = link.call({ from: 'gunda@gamma.test', to: 'bob@beta.test', body: sdp.offer('hasty'),
		headers: [['Supported', 'timer'], ['Session-Expires', '30;refresher=uas']] });
	const refused = await call.response();
	call.ack(refused);
	assert.equal(refused.status, 422);
	assert.ok(Number(refused.get('Min-SE')) >= 90);
});

test('the refresher refreshes at half time without a new description; who is not refreshed hangs up', async () => {
	const ours = await outgoing('uac');
	const theirs = await outgoing('uas');
	const taken = await incoming();
	const refreshed = ofCall(ours.callId, 'UPDATE').then(({ link: on, message }) => {
		const after = performance.now() - ours.start;
		assert.ok(after > 30_000 && after < 60_000, `refreshed after ${after} ms`);
		assert.equal(message.body.length, 0);
		assert.match(message.get('Session-Expires'), /^90/);
		on.send(reply(message));
	});
	const alsoRefreshed = ofCall(taken.call.callId, 'UPDATE').then(({ link: on, message }) => {
		assert.equal(message.body.length, 0);
		on.send(reply(message));
	});
	const dropped = ofCall(theirs.callId, 'BYE').then(({ link: on, message }) => {
		const after = performance.now() - theirs.start;
		assert.ok(after > 50_000 && after < 92_000, `given up after ${after} ms`);
		on.send(reply(message));
	});
	await Promise.all([refreshed, alsoRefreshed, dropped]);
	assert.equal((await bob.event('ended', { call: theirs.id })).cause.reason, 'lost');
	assert.equal(bob.count('offer'), 0, 'browsers hear nothing of it');
	assert.equal((await beta.calls()).length, 2);
	await bob.request('hangup', { call: ours.id });
	(await gamma.request('BYE')).reply(200);
	await taken.call.bye();
	await bob.event('ended', { call: taken.id });
	await bob.event('ended', { call: ours.id });
	bob.check();
});

function reply(m) {
	return ['SIP/2.0 200 OK', ...m.all('Via').map((v) => `Via: ${v}`), `From: ${m.get('From')}`, `To: ${m.get('To')}`, `Call-ID: ${m.get('Call-ID')}`,
		`CSeq: ${m.get('CSeq')}`, 'Contact: <sip:198.18.0.61:5061;transport=tls>', 'Session-Expires: 90;refresher=uac', 'Content-Length: 0', '', ''].join('\r\n');
}
