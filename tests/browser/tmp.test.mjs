import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Authority } from '/work/main/tests/lib/ca.mjs';
import { Browser } from '/work/main/tests/lib/browser.mjs';
import { Dns } from '/work/main/tests/lib/dns.mjs';
import { World } from '/work/main/tests/lib/world.mjs';
let world, ca, pair;
before(async () => {
	world = new World(); ca = new Authority(`${world.dir}/ca`); pair = ca.valid('alpha.test');
	const dns = new Dns(world); dns.site('alpha.test', '198.18.0.1'); await dns.serve();
	createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, (q, r) => { r.setHeader('content-type', 'text/html'); r.end('<input data-test=x><button data-test=y onclick="this.textContent=document.querySelector(\'input\').value">b</button>'); }).listen(443, '198.18.0.1');
});
after(() => world.close());
for (const kind of ['chromium', 'firefox']) test(kind, async () => {
	const t0 = performance.now();
	const b = await Browser.start(world, await world.host(`pc-${kind}`, kind === 'chromium' ? 101 : 102), kind, { ca: ca.root, pairs: process.env.NOSPKI ? [] : [pair] });
	console.error(kind, 'started', performance.now() - t0);
	const p = await b.open('https://alpha.test/');
	await p.fill('[data-test=x]', 'hello'); await p.click('[data-test=y]');
	assert.equal(await p.wait(() => document.querySelector('button').textContent === 'hello' && 'yes'), 'yes');
	const c = await p.evaluate(async () => { const pc = new RTCPeerConnection(); const s = await navigator.mediaDevices.getUserMedia({ audio: true }); s.getTracks().forEach((t) => pc.addTrack(t, s)); await pc.setLocalDescription(); await new Promise((r) => { pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && r(); if (pc.iceGatheringState === 'complete') r(); }); return pc.localDescription.sdp.match(/a=candidate.*/g); });
	console.error(c, await p.evaluate(() => window.seen.pc.map((x) => x.what)), await p.complaints());
	assert.ok(c.length > 0);
	console.error(kind, performance.now() - t0);
});
