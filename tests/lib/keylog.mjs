// tests/lib/keylog.mjs - what passes between sites and browsers inside TLS, read from a capture: the daemons give
// their secrets away (keylog.c), tshark does the rest.
//
//   const keys = keylog(world);   await alpha.start({ env: keys.env });   const tap = await capture(alpha.host);   …
//   await tap.stop();             const messages = await keys.read(tap);
//
// Messages in their order: {at_us, src, dst, sip: Message} or {at_us, src, dst, ws: the JSON of a WebSocket's text}.
import { join } from 'node:path';
import { takeMessage } from './sip.mjs';
import { witness } from './witness.mjs';
import { compiled } from './world.mjs';

export function keylog(world) {
	const file = join(world.dir, 'tls.keys');
	return {
		env: { LD_PRELOAD: compiled(world, 'keylog', ['-shared', '-fPIC']), SSLKEYLOGFILE: file },
		read: (tap) => read(world, tap, file),
	};
}

/** tshark's raw bytes of a protocol in one packet: of one message, or of several. */
const raw = (value) => (value === undefined ? [] : Array.isArray(value[0]) ? value : [value]).map(([hex]) => Buffer.from(hex, 'hex'));

async function read(world, tap, keys) {
	const { code, stdout, stderr } = await world.here.exec(['tshark', '-r', tap.file, '-o', `tls.keylog_file:${keys}`, '-Y', 'sip or websocket',
		'-T', 'json', '-x', '--no-duplicate-keys', '-J', 'frame ip sip data-text-lines'], { ms: 60_000 });
	if (code !== 0)
		throw new Error(`tshark: ${stderr}`);
	const messages = JSON.parse(stdout).flatMap(({ _source: { layers } }) => {
		const from = { at_us: Math.round(Number(layers.frame['frame.time_epoch']) * 1e6), src: layers.ip['ip.src'], dst: layers.ip['ip.dst'] };
		return [...raw(layers.sip_raw).map((bytes) => ({ ...from, sip: takeMessage(bytes).message })),
			...raw(layers['data-text-lines_raw']).map((bytes) => ({ ...from, ws: JSON.parse(bytes.toString()) }))];
	});
	for (const { sip, src } of messages.filter((m) => m.sip))
		witness(sip, src);
	return messages;
}
