// tests/lib/coturn.mjs - a real TURN server (coturn) on a host of its own, with the secret that slussd has.
//
//   const turn = await Coturn.start(world, await world.host('turn', 70), { secret: 'north' });
//   options.lines = turn.config();           turn { } for slussd.conf
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { until } from './world.mjs';

export class Coturn {
	constructor(host, secret) {
		Object.assign(this, { host, secret });
	}

	static async start(world, host, { secret }) {
		const turn = new Coturn(host, secret);
		const dir = join(world.dir, host.name);
		mkdirSync(dir, { recursive: true });
		turn.proc = host.spawn(['turnserver', '-n', '--use-auth-secret', `--static-auth-secret=${secret}`, '--realm=turn.test',
			`--listening-ip=${host.address}`, `--relay-ip=${host.address}`, '--listening-port=3478', '--no-tls', '--no-dtls', '--no-cli',
			'--min-port=50000', '--max-port=50999', '--log-file=stdout', '--verbose', `--pidfile=${join(dir, 'pid')}`, `--userdb=${join(dir, 'db')}`],
		{ name: 'coturn' });
		await until(10_000, async () => {
			const { stdout } = await host.exec(['ss', '-Hlun', 'sport = :3478']);
			return stdout.includes(':3478');
		}, 'the TURN server listens');
		return turn;
	}

	/** The section of slussd.conf. */
	config({ lifetime = 3600, stun = false } = {}) {
		return ['turn {', `\turis = {"turn:${this.host.address}:3478?transport=udp"}`, ...(stun ? [`\tstun = {"stun:${this.host.address}:3478"}`] : []),
			`\tsecret = "${this.secret}"`, `\tlifetime = ${lifetime}`, '}'];
	}

	/** Allocates a relay with this credential, as coturn's own client does. {ok, text} */
	async allocate({ username, credential }, from) {
		const { code, stdout, stderr } = await from.exec(['turnutils_uclient', '-y', '-c', '-m', '1', '-n', '1', '-u', username, '-w', credential, this.host.address], { ms: 30_000 });
		return { ok: code === 0 && !/error 4\d\d/i.test(stdout + stderr), text: stdout + stderr };
	}
}
