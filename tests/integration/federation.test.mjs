// limit: 300 s
// A foreign calling site that is not Sluss: SIP over mutual TLS, scripted message by message.
//
//   bob ──wss──► beta.test (.20) ══TLS══ gamma.test (.61, this test)
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { capture } from '../lib/capture.mjs';
import * as sdp from '../lib/sdp.mjs';
import { Incoming, SipSite } from '../lib/sip.mjs';
import { twoSites } from '../lib/site.mjs';
import { dial } from '../lib/talk.mjs';

let world, ca, dns, beta, alpha, gamma, bob, link;

before(async () => {
	({ world, ca, dns, alpha, beta } = await twoSites());
	const address = await world.address(61);
	dns.site('gamma.test', address);
	await dns.serve();
	gamma = await SipSite.listen({ domain: 'gamma.test', pair: ca.valid('gamma.test'), ca: ca.root, address });
	link = await gamma.dial('198.18.0.20', 'beta.test');
	bob = await beta.client('bob');
});
after(async () => {
	await gamma?.close();
	await world?.close();
});
afterEach(async () => {
	bob.check();
	await beta.idle();
});

const from = 'gunda@gamma.test';
const to = 'bob@beta.test';

async function takeCall(client, marker = 'answer') {
	const incoming = await client.event('incoming');
	await client.request('ringing', { call: incoming.call });
	await client.request('accept', { call: incoming.call });
	const answer = sdp.answer(marker);
	await client.request('answer', { call: incoming.call, sdp: answer });
	return { incoming, answer, call: incoming.call };
}

test('a call from a foreign site: nothing of the callee leaves before she accepts', async () => {
	const tap = await capture(beta.host);
	const offer = sdp.offer('from gamma');
	const call = link.call({ from, to, body: offer, headers: [['Identity', '..first;info=<https://a.test/>;ppt=div'], ['Identity', '..second;info=<https://b.test/>;ppt=rph']] });
	const incoming = await bob.event('incoming');
	assert.equal(incoming.sdp, offer);
	assert.equal(incoming.from.address, from);
	assert.deepEqual(incoming.from.site, { domain: 'gamma.test', verified: true, tls: true, identity: 'none' }, 'of another kind, they say nothing');
	assert.deepEqual(incoming.identity, ['..first;info=<https://a.test/>;ppt=div', '..second;info=<https://b.test/>;ppt=rph'], 'Identity travels untouched');
	await bob.request('ringing', { call: incoming.call });
	const ringing = await call.response(180);
	assert.equal(ringing.body.length, 0, '180 has no description');
	assert.ok(ringing.tag('To'), '180 opens the dialog');
	await bob.settled();
	for (const { message } of gamma.log.filter((g) => g.message.get('Call-ID') === call.callId))
		assert.ok(message.status < 200 && message.body.length === 0 && !/198\.18\.0\.1\b|198\.18\.0\.200/.test(message.toString().replace(/^Via:.*$/gm, '')), message.toString());
	const mark = await tap.mark();
	await bob.request('accept', { call: incoming.call });
	const answer = sdp.answer('to gamma');
	await bob.request('answer', { call: incoming.call, sdp: answer });
	const ok = await call.response(200);
	assert.equal(ok.text, answer);
	assert.match(ok.get('Content-Type'), /^application\/sdp/);
	call.ack(ok);
	await bob.event('established', { call: incoming.call });
	await call.bye();
	assert.equal((await bob.event('ended', { call: incoming.call })).cause.reason, 'hangup');
	const early = (await tap.stop()).filter((p) => p.mark < mark && p.src === '198.18.0.20');
	assert.deepEqual(early.filter((p) => p.proto === 'udp' && p.dport !== 53), [], 'no datagram but DNS left the site');
	assert.deepEqual(early.filter((p) => p.proto === 'tcp' && p.data.length > 0 && ![443, 5061].includes(p.sport)), [], 'nothing went anywhere else');
});

test('a call to a foreign site: what is on the wire', async () => {
	const { id, offer } = await dial(bob, 'gunda@gamma.test', { name: 'Bob B.' });
	const invite = await gamma.request('INVITE');
	assert.equal(gamma.servername, 'gamma.test', 'SNI names the domain asked for');
	const m = invite.message;
	assert.equal(m.uri, 'sip:gunda@gamma.test');
	assert.equal(m.text, offer);
	assert.match(m.get('From'), /<sip:bob@beta\.test>;tag=/);
	assert.match(m.get('From'), /Bob B\./);
	assert.match(m.get('To'), /<sip:gunda@gamma\.test>$/);
	assert.match(m.get('Via'), /^SIP\/2\.0\/TLS beta\.test/);
	assert.equal(m.all('Via').length, 1);
	assert.match(m.get('Contact'), /beta\.test/);
	assert.equal(m.get('Max-Forwards'), '70');
	assert.match(m.get('Content-Type'), /^application\/sdp/);
	assert.equal(m.get('Contact').includes('127.0.0.1'), false);
	for (const [name, value] of m.headers)
		assert.ok(!/^x-sluss/i.test(name) && !value.includes('127.0.0.1'), `${name}: ${value} is nobody's business`);
	invite.reply(100);
	invite.reply(180);
	await bob.event('progress', { call: id, state: 'ringing' });
	const answer = sdp.answer('gunda');
	invite.reply(200, { body: answer });
	const ack = await gamma.request('ACK');
	assert.equal(ack.message.cseq.n, m.cseq.n);
	assert.equal((await bob.event('answered', { call: id })).sdp, answer);
	await bob.request('hangup', { call: id });
	const bye = await gamma.request('BYE');
	for (const [name] of bye.message.headers)
		assert.doesNotMatch(name, /^x-sluss/i);
	bye.reply(200);
	await bob.event('ended', { call: id });
});

test('the foreign site refuses: the reason reaches the caller in words', async () => {
	for (const [status, reason] of [[486, 'busy'], [603, 'declined'], [404, 'not-found'], [480, 'no-answer'], [403, 'forbidden'],
		[488, 'media'], [500, 'other'], [302, 'redirect'], [401, 'other'], [407, 'other']]) {
		const { id } = await dial(bob, 'gunda@gamma.test');
		const invite = await gamma.request('INVITE');
		invite.reply(status, { headers: status === 302 ? [['Contact', '<sip:evil@delta.test>']] : [] });
		await gamma.request('ACK');
		const { cause } = await bob.event('ended', { call: id });
		assert.equal(cause.code, status, JSON.stringify(cause));
		if (status === 480)
			assert.ok(['no-answer', 'offline'].includes(cause.reason), cause.reason);
		else if (reason !== 'other')
			assert.equal(cause.reason, reason);
		assert.deepEqual(gamma.inbox.filter((g) => g.message.method).map((g) => g.message.start), [], 'no second try');
	}
});

test('our CANCEL, and the 200 that crosses it', async () => {
	const first = await dial(bob, 'gunda@gamma.test');
	const invite = await gamma.request('INVITE');
	invite.reply(180);
	await bob.event('progress', { call: first.id, state: 'ringing' });
	await bob.request('hangup', { call: first.id });
	const cancel = await gamma.request('CANCEL');
	assert.equal(cancel.message.branch(), invite.message.branch());
	cancel.reply(200);
	invite.reply(487);
	await gamma.request('ACK');
	await bob.event('ended', { call: first.id });

	const second = await dial(bob, 'gunda@gamma.test');
	const late = await gamma.request('INVITE');
	late.reply(180);
	await bob.event('progress', { call: second.id, state: 'ringing' });
	await bob.request('hangup', { call: second.id });
	(await gamma.request('CANCEL')).reply(200);
	late.reply(200, { body: sdp.answer('too late') });
	await gamma.request('ACK');
	(await gamma.request('BYE')).reply(200);
	await bob.event('ended', { call: second.id });
	assert.equal(bob.count('answered', { call: second.id }), 0);
});

test('their CANCEL', async () => {
	const call = link.call({ from, to, body: sdp.offer('cancelled') });
	const incoming = await bob.event('incoming');
	await bob.request('ringing', { call: incoming.call });
	await call.response(180);
	const cancel = call.cancel();
	await call.response(200, { to: cancel });
	const refused = await call.response(487);
	call.ack(refused);
	assert.equal((await bob.event('ended', { call: incoming.call })).cause.reason, 'cancelled');
});

test('answers of several forks: the first is the call, the others get ACK and BYE', async () => {
	const { id } = await dial(bob, 'gunda@gamma.test');
	const invite = await gamma.request('INVITE');
	invite.reply(180, { tag: 'fork-a' });
	invite.reply(180, { tag: 'fork-b' });
	const answer = sdp.answer('fork b');
	invite.reply(200, { tag: 'fork-b', body: answer });
	invite.reply(200, { tag: 'fork-a', body: sdp.answer('fork a') });
	invite.reply(200, { tag: 'fork-c', body: sdp.answer('fork c, never rang') });
	assert.equal((await bob.event('answered', { call: id })).sdp, answer);
	const acks = new Set();
	const byes = new Set();
	for (let i = 0; i < 3; i++)
		acks.add((await gamma.request('ACK')).message.tag('To'));
	for (let i = 0; i < 2; i++) {
		const bye = await gamma.request('BYE');
		byes.add(bye.message.tag('To'));
		bye.reply(200);
	}
	assert.deepEqual([...acks].sort(), ['fork-a', 'fork-b', 'fork-c']);
	assert.deepEqual([...byes].sort(), ['fork-a', 'fork-c']);
	await bob.request('hangup', { call: id });
	const bye = await gamma.request('BYE');
	assert.equal(bye.message.tag('To'), 'fork-b');
	bye.reply(200);
	await bob.event('ended', { call: id });
	assert.equal(bob.count('answered', { call: id }), 1);
});

test('two 200s without an 18x before', async () => {
	const { id } = await dial(bob, 'gunda@gamma.test');
	const invite = await gamma.request('INVITE');
	invite.reply(200, { tag: 'one', body: sdp.answer('one') });
	invite.reply(200, { tag: 'two', body: sdp.answer('two') });
	const answered = await bob.event('answered', { call: id });
	assert.match(answered.sdp, /^s=one/m);
	await gamma.wait((m) => m.method === 'ACK' && m.tag('To') === 'one', 'ACK to one');
	await gamma.wait((m) => m.method === 'ACK' && m.tag('To') === 'two', 'ACK to two');
	const { message, link: on } = await gamma.wait((m) => m.method === 'BYE' && m.tag('To') === 'two', 'BYE to two');
	assert.equal(on.site, gamma);
	assert.ok(message.get('Max-Forwards') === undefined || Number(message.get('Max-Forwards')) > 0);
	await bob.request('hangup', { call: id });
	(await gamma.request('BYE')).reply(200);
	await bob.event('ended', { call: id });
});

test('re-INVITE and UPDATE from the foreign site', async () => {
	const call = link.call({ from, to, body: sdp.offer('first') });
	const { call: id } = await takeCall(bob);
	const ok = await call.response(200);
	call.ack(ok);
	await bob.event('established', { call: id });

	const offer = sdp.offer('by re-INVITE', { video: true });
	const reinvite = call.send('INVITE', { body: offer });
	assert.equal((await bob.event('offer', { call: id })).sdp, offer);
	const answer = sdp.answer('re-answered', { video: true });
	await bob.request('answer', { call: id, sdp: answer });
	const reok = await call.response(200, { to: reinvite });
	assert.equal(reok.text, answer);
	call.ack(reok);

	const update = call.send('UPDATE', { body: sdp.offer('by UPDATE') });
	await bob.event('offer', { call: id });
	await bob.request('answer', { call: id, sdp: sdp.answer('updated') });
	assert.match((await call.response(200, { to: update })).text, /^s=updated/m);

	const refused = call.send('INVITE', { body: sdp.offer('refused') });
	await bob.event('offer', { call: id });
	await bob.request('refuse', { call: id, reason: 'media' });
	const not = await call.response(488, { to: refused });
	call.request('ACK', { cseq: refused.cseq.n, branch: refused.branch(), toHeader: not.get('To') });

	const bare = call.send('UPDATE');
	assert.equal((await call.response(200, { to: bare })).body.length, 0, 'a refresh without description');
	assert.equal(bob.count('offer', { call: id }), 3);
	await call.bye();
	await bob.event('ended', { call: id });
});

test('a re-INVITE that is cancelled when the browser has seen it: the browser is told, and may offer', async () => {
	const call = link.call({ from, to, body: sdp.offer('first') });
	const { call: id } = await takeCall(bob);
	const ok = await call.response(200);
	call.ack(ok);
	await bob.event('established', { call: id });

	const taken = call.send('INVITE', { body: sdp.offer('taken back', { video: true }) });
	await bob.event('offer', { call: id });
	const cancel = call.request('CANCEL', { cseq: taken.cseq.n, branch: taken.branch() });
	await call.response(200, { to: cancel });
	const terminated = await call.response(487, { to: taken });
	call.request('ACK', { cseq: taken.cseq.n, branch: taken.branch(), toHeader: terminated.get('To') });
	await bob.event('withdrawn', { call: id });
	await assert.rejects(bob.request('answer', { call: id, sdp: sdp.answer('too late') }), { code: 'bad-state' });

	await bob.request('offer', { call: id, sdp: sdp.offer('what holds') });
	const ours = await gamma.request('INVITE');
	assert.match(ours.message.text, /^s=what holds/m);
	ours.reply(200, { body: sdp.answer('agreed') });
	await gamma.request('ACK');
	assert.match((await bob.event('answer', { call: id })).sdp, /^s=agreed/m);
	await call.bye();
	await bob.event('ended', { call: id });
});

test('glare with the foreign site: 491 both ways', async () => {
	const { id } = await dial(bob, 'gunda@gamma.test');
	const invite = await gamma.request('INVITE');
	invite.reply(200, { body: sdp.answer('gunda') });
	await gamma.request('ACK');
	await bob.event('answered', { call: id });
	await bob.request('offer', { call: id, sdp: sdp.offer('mine') });
	const theirs = await gamma.wait((m) => ['INVITE', 'UPDATE'].includes(m.method), 'our offer');
	const ours = invite.request('INVITE', { body: sdp.offer('gunda too') });
	const glare = await invite.response(ours);
	assert.equal(glare.status, 491);
	new Incoming(theirs.link, theirs.message).reply(491);
	if (theirs.message.method === 'INVITE')
		await gamma.request('ACK');
	assert.deepEqual((await bob.event('refused', { call: id })).cause.reason, 'glare');
	await bob.request('hangup', { call: id });
	(await gamma.request('BYE')).reply(200);
	await bob.event('ended', { call: id });
});

test('OPTIONS is answered, unknown methods and extensions are refused by name', async () => {
	const options = link.call({ from, to: 'beta.test', uri: 'sip:beta.test', method: 'OPTIONS' });
	const ok = await options.response(200);
	assert.match(ok.get('Allow'), /INVITE.*UPDATE|UPDATE.*INVITE/);
	for (const method of ['MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'REGISTER', 'REFER', 'FOO']) {
		const refused = await link.call({ from, to, method }).response();
		assert.ok([403, 405, 481, 489, 501].includes(refused.status), `${method}: ${refused.start}`);
	}
	const strange = link.call({ from, to, body: sdp.offer('x'), headers: [['Require', 'telepathy']] });
	const bad = await strange.response();
	strange.ack(bad);
	assert.equal(bad.status, 420);
	assert.match(bad.get('Unsupported'), /telepathy/);
});

test('Max-Forwards runs out, and loops are seen', async () => {
	const zero = link.call({ from, to: 'bob@gamma.test', uri: 'sip:bob@gamma.test', body: sdp.offer('x'), maxForwards: 0 });
	const refused = await zero.response();
	zero.ack(refused);
	assert.ok([403, 404, 483].includes(refused.status), refused.start);
	const relay = link.call({ from, to: 'alice@alpha.test', uri: 'sip:alice@alpha.test', body: sdp.offer('relay') });
	const not = await relay.response();
	relay.ack(not);
	assert.ok([403, 404].includes(not.status), `no open relay: ${not.start}`);
});

test('who is not proved is refused: 403, and nothing rings', async () => {
	const plain = new SipSite({ domain: 'gamma.test', ca: ca.root, address: '198.18.0.61' });
	for (const [who, site, caller] of [
		['no certificate', plain, from],
		['another domain', gamma, 'alice@alpha.test'],
	]) {
		const on = await site.dial('198.18.0.20', 'beta.test');
		const call = on.call({ from: caller, to, body: sdp.offer(who) });
		const refused = await call.response();
		call.ack(refused);
		assert.equal(refused.status, 403, `${who}: ${refused.start}`);
		await on.close();
	}
	await bob.settled();
	assert.equal(bob.events.filter((e) => e.type === 'incoming' && !e.taken).length, 0);
});

test('certificates that look like the domain but are not', async () => {
	const kinds = { wildcard: 403, cnOnly: 403, wrongName: 403, uriSan: 180 };
	for (const [kind, wanted] of Object.entries(kinds)) {
		const eve = new SipSite({ domain: 'gamma.test', pair: ca[kind]('gamma.test'), ca: ca.root, address: '198.18.0.61' });
		const on = await eve.dial('198.18.0.20', 'beta.test');
		const call = on.call({ from, to, body: sdp.offer(kind) });
		if (wanted === 180) {
			const incoming = await bob.event('incoming');
			await bob.request('reject', { call: incoming.call, reason: 'decline' });
			call.ack(await call.response(603));
			await bob.event('ended', { call: incoming.call });
		} else {
			const refused = await call.response();
			call.ack(refused);
			assert.equal(refused.status, wanted, `${kind}: ${refused.start}`);
		}
		await eve.close();
	}
	for (const kind of ['expired', 'notYet']) {
		const eve = new SipSite({ domain: 'gamma.test', pair: ca[kind]('gamma.test'), ca: ca.root, address: '198.18.0.61' });
		const outcome = await eve.dial('198.18.0.20', 'beta.test').then(async (on) => {
			const call = on.call({ from, to, body: sdp.offer(kind) });
			return Promise.race([call.response().then((r) => r.status), on.closed.then(() => 'closed')]);
		}, () => 'refused');
		assert.ok(['refused', 'closed', 403].includes(outcome), `${kind}: ${outcome}`);
		await eve.close();
	}
	await bob.settled();
	assert.equal(bob.events.filter((e) => e.type === 'incoming' && !e.taken).length, 0);
});

test('the foreign connection breaks in mid-call: the call is still ended by a new one', async () => {
	const { id } = await dial(bob, 'gunda@gamma.test');
	const invite = await gamma.request('INVITE');
	invite.reply(200, { body: sdp.answer('gunda') });
	await gamma.request('ACK');
	await bob.event('answered', { call: id });
	invite.link.reset();
	await invite.link.closed;
	await bob.request('hangup', { call: id });
	const bye = await gamma.request('BYE');
	assert.notEqual(bye.link, invite.link);
	bye.reply(200);
	await bob.event('ended', { call: id });
});

test('one connection is shared by all calls to a domain', async () => {
	const before = gamma.links.length;
	const calls = [];
	for (let i = 0; i < 4; i++)
		calls.push(await dial(bob, 'gunda@gamma.test'));
	const links = new Set();
	for (let i = 0; i < 4; i++) {
		const invite = await gamma.request('INVITE');
		links.add(invite.link);
		invite.reply(486);
		await gamma.request('ACK');
	}
	for (const { id } of calls)
		await bob.event('ended', { call: id });
	assert.equal(links.size, 1);
	assert.ok(gamma.links.length - before <= 1);
	const { json } = await beta.ctl('peers');
	assert.ok(JSON.stringify(json).includes('gamma.test'), 'slussctl peers shows it');
});
