// tests/bench/kamailio.mjs - Kamailio with the dialog module between two sipp, over UDP.
//
//   sipp UAC 127.0.0.1:5080 ──► kamailio :5060 ──► sipp UAS :5070       INVITE 180 200 ACK … BYE 200
//
// The descriptions are the ones that our load driver's devices send.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { BUILD, OUT, TOP, within } from '../lib/world.mjs';
import { pause } from './measure.mjs';

const uac = (sdp) => `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:[service]@beta.example SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:u[call_number]@alpha.example>;tag=[pid]t[call_number]
To: <sip:[service]@beta.example>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:u[call_number]@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

${sdp}]]></send>
<recv response="100" optional="true"></recv>
<recv response="180" optional="true"></recv>
<recv response="200" rrs="true"></recv>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:u[call_number]@alpha.example>;tag=[pid]t[call_number]
To: <sip:[service]@beta.example>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<pause milliseconds="200"/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:u[call_number]@alpha.example>;tag=[pid]t[call_number]
To: <sip:[service]@beta.example>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"></recv>
</scenario>
`;

const reply = (line, body) => `<send${body ? ' retrans="500"' : ''}><![CDATA[
SIP/2.0 ${line}
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:];tag=[pid]u[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
${body ? `Content-Type: application/sdp\nContent-Length: [len]\n\n${body}` : 'Content-Length: 0\n\n'}]]></send>
`;

const uas = (sdp) => `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="callee">
<recv request="INVITE"></recv>
${reply('180 Ringing')}${reply('200 OK', sdp)}<recv request="ACK"></recv>
<recv request="BYE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
`;

export class Kamailio {
	static async start(world) {
		const k = new Kamailio();
		k.world = world;
		k.dir = join(OUT, 'kamailio');
		mkdirSync(k.dir, { recursive: true });
		const sdp = JSON.parse(execFileSync(join(BUILD, 'tests/bench/sluss_load'), ['sdp'], { encoding: 'utf8' }).slice(4));
		const lf = (text) => text.replace(/\r\n/g, '\n');
		writeFileSync(join(k.dir, 'uac.xml'), uac(lf(sdp.offer)));
		writeFileSync(join(k.dir, 'uas.xml'), uas(lf(sdp.answer)));
		k.proc = world.here.spawn(['kamailio', '-DD', '-E', '-m', '256', '-f', join(TOP, 'tests/bench/kamailio.cfg'),
			'-Y', k.dir, '-P', join(k.dir, 'pid')], { name: 'kamailio' });
		await pause(1500);
		if (k.proc.over)
			throw new Error(`kamailio: ${k.proc.text}`);
		k.version = /version: kamailio (\S+)/.exec(execFileSync('kamailio', ['-v'], { encoding: 'utf8' }))?.[1];
		k.callee = world.here.spawn(['sipp', '-nostdin', '-sf', join(k.dir, 'uas.xml'), '-i', '127.0.0.1', '-p', '5070', '-mp', '30000',
			'-aa', '-trace_err', '-error_file', join(k.dir, 'uas.err')], { name: 'sipp-uas', stdio: ['ignore', 'ignore', 'pipe'] });
		await pause(500);
		return k;
	}

	get pid() {
		return this.proc.pid;
	}

	/** Gives {ok, failed}. */
	async calls(n, rate) {
		const stat = join(this.dir, 'stat.csv');
		const proc = this.world.here.spawn(['sipp', '-nostdin', '127.0.0.1:5060', '-sf', join(this.dir, 'uac.xml'), '-s', 'u1', '-i', '127.0.0.1', '-p', '5080',
			'-mp', '31000', '-m', String(n), '-r', String(rate), '-l', '100000', '-trace_stat', '-stf', stat, '-fd', '1',
			'-trace_err', '-error_file', join(this.dir, 'uac.err')], { name: 'sipp-uac', stdio: ['ignore', 'ignore', 'pipe'] });
		await within(120_000, proc.exited, 'sipp ends');
		const lines = readFileSync(stat, 'utf8').trim().split('\n').map((l) => l.split(';'));
		const at = (name) => Number(lines.at(-1)[lines[0].indexOf(name)]);
		return { ok: at('SuccessfulCall(C)'), failed: at('FailedCall(C)') };
	}

	async stop() {
		await this.callee.stop('SIGKILL');
		await this.proc.stop();
	}
}
