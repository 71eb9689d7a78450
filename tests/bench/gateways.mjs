// tests/bench/gateways.mjs - two other ways from a browser to Asterisk, for first_audio.mjs: its own WebRTC, and Janus.
//
//   page ── WSS (RFC 7118), ICE, DTLS-SRTP ──► Asterisk                       Echo()
//   page ── WSS (Janus's JSON), ICE, DTLS-SRTP ──► Janus ── SIP, RTP ──► Asterisk     Echo()
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from '../lib/world.mjs';

export const WSS_PORT = 8089, JANUS_PORT = 8989;

/** What Asterisk needs for browsers of its own and for Janus, beside conf/asterisk/: gives `edit` and `more` for Asterisk.start(). */
export function webrtcOfAsterisk(host, pair, janus) {
	const more = {
		'web.pem': () => readFileSync(pair.cert, 'utf8'),
		'web.key': () => readFileSync(pair.key, 'utf8'),
		'http.conf': (etc) => ['[general]', 'enabled = yes', 'bindaddr = 127.0.0.1', 'tlsenable = yes', `tlsbindaddr = ${host.address}:${WSS_PORT}`,
			`tlscertfile = ${etc}/web.pem`, `tlsprivatekey = ${etc}/web.key`, ''].join('\n'),
	};
	const edit = (text, name) => (name !== 'pjsip.conf' ? text : [text, '[transport-wss]', 'type = transport', 'protocol = wss', 'bind = 0.0.0.0', '',
		'[web]', 'type = endpoint', 'context = from-sluss', 'webrtc = yes', 'dtls_auto_generate_cert = yes', 'disallow = all', 'allow = opus,ulaw', '',
		'[janus]', 'type = endpoint', 'transport = transport-udp', 'context = from-sluss', 'disallow = all', 'allow = opus,ulaw', 'direct_media = no', '',
		'[janus]', 'type = identify', 'endpoint = janus', `match = ${janus}`, ''].join('\n'));
	return { edit, more };
}

/** Does somebody listen there? */
const open = (host, port) => new Promise((resolve) => {
	const socket = connect(port, host, () => resolve(true));
	socket.on('error', () => resolve(false));
	socket.on('connect', () => socket.destroy());
});

export class Janus {
	/** Its version; null: it is not there. */
	static installed() {
		const { error, stdout, stderr } = spawnSync('janus', ['--version'], { encoding: 'utf8' });
		return error ? null : (/\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? '');
	}

	static async start(world, host, pair) {
		const dir = join(world.dir, 'janus'), me = new Janus();
		mkdirSync(dir, { recursive: true });
		for (const [name, text] of Object.entries({
			'janus.jcfg': `general: { configs_folder = "${dir}" debug_level = 3 admin_secret = "bench" }\nnat: { ice_enforce_list = "${host.address}" }\n`
				+ 'plugins: { disable = "libjanus_audiobridge.so,libjanus_videoroom.so,libjanus_streaming.so,libjanus_recordplay.so,libjanus_nosip.so,libjanus_lua.so,libjanus_duktape.so" }\n'
				+ 'transports: { disable = "libjanus_http.so,libjanus_rabbitmq.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so" }\n',
			'janus.transport.websockets.jcfg': `general: { ws = false wss = true wss_port = ${JANUS_PORT} }\ncertificates: { cert_pem = "${pair.cert}" cert_key = "${pair.key}" }\n`,
			'janus.plugin.sip.jcfg': `general: { local_ip = "${host.address}" rtp_port_range = "20000-29999" }\n`,
		}))
			writeFileSync(join(dir, name), text);
		me.proc = host.spawn(['janus', '-F', dir], { name: 'janus' });
		await until(20_000, () => open(host.address, JANUS_PORT), `janus is up; it said ${me.proc.text.slice(-1500)}`);
		return me;
	}

	stop() {
		return this.proc.stop();
	}
}

/** In the page: waits until `pc` has received sound; gives when. */
async function heard(pc) {
	for (;;) {
		for (const s of (await pc.getStats()).values()) {
			if (s.type === 'inbound-rtp' && s.packetsReceived > 0)
				return performance.now();
		}
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
}

/** In the page: signs a SIP client in, as far as a caller needs one; window.overSip() is a call, and gives its ms. */
async function sipClient({ url, domain, target, heardText }) {
	const soon = eval(`(${heardText})`), ws = new WebSocket(url, 'sip'), random = () => Math.random().toString(36).slice(2);
	const host = `${random()}.invalid`;
	let told = () => {};
	await new Promise((resolve, reject) => Object.assign(ws, { onopen: resolve, onerror: () => reject(new Error(`no WebSocket to ${url}`)) }));
	ws.onmessage = ({ data }) => {
		if (data.startsWith('SIP/2.0'))
			return told(String(data));
		const heads = data.match(/^(Via|From|To|Call-ID|CSeq):.*$/gmi).join('\r\n');
		ws.send(`SIP/2.0 200 OK\r\n${heads}\r\nContent-Length: 0\r\n\r\n`);
	};
	window.overSip = async () => {
		const start = performance.now(), id = random(), tag = random();
		const pc = new RTCPeerConnection(), mic = await navigator.mediaDevices.getUserMedia({ audio: true });
		pc.addTrack(mic.getAudioTracks()[0], mic);
		const gathered = new Promise((resolve) => { pc.onicecandidate = ({ candidate }) => candidate || resolve(); });
		await pc.setLocalDescription();
		await gathered; // it takes no candidates later
		const from = `From: <sip:web@${domain}>;tag=${tag}`;
		const say = (method, uri, to, cseq, body = '') => ws.send([`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/WSS ${host};branch=z9hG4bK${random()}`, 'Max-Forwards: 70', from,
			`To: ${to}`, `Call-ID: ${id}`, `CSeq: ${cseq} ${method}`, `Contact: <sip:web@${host};transport=ws>`, ...(body ? ['Content-Type: application/sdp'] : []),
			`Content-Length: ${new TextEncoder().encode(body).length}`, '', body].join('\r\n'));
		const answered = new Promise((resolve, reject) => {
			told = (text) => {
				const code = Number(text.slice(8, 11));
				if (text.includes(id) && /^CSeq:.*INVITE/mi.test(text) && code >= 200)
					(code < 300 ? resolve : reject)(code < 300 ? text : new Error(text.split('\r\n')[0]));
			};
		});
		say('INVITE', target, `<${target}>`, 1, pc.localDescription.sdp);
		const ok = await answered, to = /^To: *(.*)$/mi.exec(ok)[1].trim(), contact = /^Contact:.*<([^>]*)>/mi.exec(ok)[1];
		say('ACK', contact, to, 1);
		await pc.setRemoteDescription({ type: 'answer', sdp: ok.slice(ok.indexOf('\r\n\r\n') + 4) });
		const ms = await soon(pc) - start;
		const over = new Promise((resolve) => { told = (text) => /^CSeq:.*BYE/mi.test(text) && resolve(); });
		say('BYE', contact, to, 2);
		await over;
		pc.close();
		mic.getTracks().forEach((track) => track.stop());
		return ms;
	};
}

/** In the page: a session at Janus's SIP plug-in; window.overJanus() is a call, and gives its ms. */
async function janusClient({ url, user, target, heardText }) {
	const soon = eval(`(${heardText})`), ws = new WebSocket(url, 'janus-protocol'), waiting = new Map(), events = [];
	let session, handle, n = 0, woken = () => {};
	await new Promise((resolve, reject) => Object.assign(ws, { onopen: resolve, onerror: () => reject(new Error(`no WebSocket to ${url}`)) }));
	ws.onmessage = ({ data }) => {
		const m = JSON.parse(data);
		if (m.janus === 'event' && m.sender === handle) {
			events.push(m);
			woken();
		} else if (m.janus === 'success') {
			waiting.get(m.transaction)?.(m);
		}
	};
	const say = (m) => ws.send(JSON.stringify({ transaction: String(++n), ...(session && { session_id: session }), ...(handle && { handle_id: handle }), ...m }));
	const ask = (m) => new Promise((resolve) => {
		waiting.set(String(n + 1), resolve);
		say(m);
	});
	/** Takes the first event that is `what` out. */
	const event = async (what) => {
		for (;;) {
			const wrong = events.find((m) => m.plugindata?.data?.error);
			if (wrong)
				throw new Error(`Janus: ${wrong.plugindata.data.error}`);
			const at = events.findIndex((m) => m.plugindata?.data?.result?.event === what);
			if (at >= 0)
				return events.splice(at, 1)[0];
			await new Promise((resolve) => { woken = resolve; });
		}
	};
	session = (await ask({ janus: 'create' })).data.id;
	setInterval(() => ws.send(JSON.stringify({ janus: 'keepalive', session_id: session, transaction: 'keepalive' })), 20_000);
	/* Each call has a handle of its own, signed in before the clock runs. */
	window.overJanus = async () => {
		handle = (await ask({ janus: 'attach', plugin: 'janus.plugin.sip' })).data.id;
		say({ janus: 'message', body: { request: 'register', type: 'guest', username: user } });
		await event('registered');
		const start = performance.now();
		const pc = new RTCPeerConnection(), mic = await navigator.mediaDevices.getUserMedia({ audio: true });
		pc.addTrack(mic.getAudioTracks()[0], mic);
		const found = [];
		let sent = false;
		const trickle = (candidate) => say({ janus: 'trickle', candidate });
		pc.onicecandidate = ({ candidate }) => {
			const one = candidate ? candidate.toJSON() : { completed: true };
			if (sent)
				trickle(one);
			else
				found.push(one);
		};
		await pc.setLocalDescription();
		say({ janus: 'message', body: { request: 'call', uri: target }, jsep: { type: 'offer', sdp: pc.localDescription.sdp, trickle: true } });
		sent = true;
		found.forEach(trickle);
		const { jsep } = await event('accepted');
		await pc.setRemoteDescription(jsep);
		const ms = await soon(pc) - start;
		say({ janus: 'message', body: { request: 'hangup' } });
		await event('hangup');
		await ask({ janus: 'detach' });
		handle = undefined;
		events.length = 0;
		pc.close();
		mic.getTracks().forEach((track) => track.stop());
		return ms;
	};
}

export const inPage = { sipClient, janusClient, heardText: heard.toString() };
