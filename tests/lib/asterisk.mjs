// tests/lib/asterisk.mjs - a real Asterisk 22 on a host of its own, with the files of conf/asterisk/ as they stand: only
// the addresses, the two passwords and what it speaks with Sluss are put in.
//
//   const why = Asterisk.missing();                             // a sentence, where there is none
//   const ast = await Asterisk.start(world, host, { sluss: '198.18.0.10', media: 'sdes' });
//   await ast.run('pjsip show endpoints');                      await ast.says(/keys 1234/);
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { TOP, until } from './world.mjs';

const DIR = join(TOP, 'build/asterisk'), ROOT = join(DIR, 'root'), FILES = join(TOP, 'conf/asterisk');
export const TRUNK_SECRET = 'trunk-secret', PHONE_SECRET = 'phone-secret';
/** media of a trunk -> media_encryption of pjsip.conf. */
const ENCRYPTION = { rtp: 'no', sdes: 'sdes', dtls: 'dtls' };

export class Asterisk {
	constructor(host, dir) {
		Object.assign(this, { host, dir, inside: dir.slice(ROOT.length) });
	}

	/** Why there is none here; undefined: there is one. */
	static missing() {
		if (existsSync(join(DIR, 'complete')))
			return undefined;
		const why = join(DIR, 'why');
		return existsSync(why) ? `no Asterisk here: ${readFileSync(why, 'utf8').trim()}` : 'no Asterisk here: tests/lib/asterisk.sh has not been run';
	}

	/** `media`: rtp, sdes or dtls; `edit(text, name)`: a last change to a file, for a test that needs one; `more`: name ->
	 *  text(etc) of files beside them, in the folder that Asterisk knows as `etc`. */
	static async start(world, host, { sluss, media = 'rtp', edit = (text) => text, more = {} }) {
		mkdirSync(join(ROOT, 'run'), { recursive: true });
		const me = new Asterisk(host, mkdtempSync(join(ROOT, 'run', `${host.name}-`))); // in another world is one of the same name and pid
		for (const d of ['etc', 'run', 'log', 'spool', 'db', 'keys'])
			mkdirSync(join(me.dir, d), { recursive: true });
		for (const name of ['pjsip.conf', 'extensions.conf', 'modules.conf', 'rtp.conf']) {
			const text = readFileSync(join(FILES, name), 'utf8').replaceAll('192.0.2.20', host.address).replaceAll('192.0.2.10', sluss)
				.replaceAll('PHONE-SECRET', PHONE_SECRET).replaceAll('SECRET', TRUNK_SECRET)
				.replace('\nmedia_encryption = no\nuse_avpf = no\n', `\nmedia_encryption = ${ENCRYPTION[media]}\nuse_avpf = ${media === 'dtls' ? 'yes' : 'no'}\n`);
			writeFileSync(join(me.dir, 'etc', name), edit(text, name));
		}
		const at = (d) => join(me.inside, d);
		for (const [name, text] of Object.entries(more))
			writeFileSync(join(me.dir, 'etc', name), text(at('etc')), { mode: 0o600 });
		writeFileSync(join(me.dir, 'etc/asterisk.conf'), ['[directories]', `astetcdir => ${at('etc')}`, `astrundir => ${at('run')}`,
			`astlogdir => ${at('log')}`, `astspooldir => ${at('spool')}`, `astdbdir => ${at('db')}`, `astkeydir => ${at('keys')}`,
			'astdatadir => /usr/share/asterisk', 'astvarlibdir => /var/lib/asterisk', 'astagidir => /usr/share/asterisk/agi-bin',
			'[options]', 'verbose = 5', 'documentation_language = en_US', ''].join('\n'));
		writeFileSync(join(me.dir, 'etc/logger.conf'), '[general]\n[logfiles]\nfull => notice,warning,error,verbose,dtmf\n');
		/* It looks its own name up at each call. */
		const hosts = join(ROOT, 'etc/hosts'), line = `127.0.0.1 localhost ${hostname()}\n`;
		if (!existsSync(hosts) || readFileSync(hosts, 'utf8') !== line)
			writeFileSync(hosts, line);
		me.proc = host.spawn(['chroot', ROOT, '/usr/sbin/asterisk', '-f', '-C', at('etc/asterisk.conf')], { name: `asterisk-${host.name}` });
		await until(30_000, async () => {
			if (me.proc.over)
				throw Object.assign(new Error(`asterisk ended: ${me.proc.text.slice(-1500)}${me.log().slice(-1500)}`), { fatal: true });
			return /fully booted/i.test(await me.run('core waitfullybooted'));
		}, 'asterisk is up');
		return me;
	}

	/** A command of its prompt; gives what it prints. */
	async run(command) {
		const done = await this.host.exec(['chroot', ROOT, '/usr/sbin/asterisk', '-C', join(this.inside, 'etc/asterisk.conf'), '-rx', command]);
		return done.stdout;
	}

	/** What it has logged so far. */
	log() {
		const file = join(this.dir, 'log/full');
		return existsSync(file) ? readFileSync(file, 'utf8') : '';
	}

	/** The first line of its log, from byte `from` on, that matches; it writes a file, which sends no event. */
	says(pattern, { ms = 15_000, from = 0 } = {}) {
		return until(ms, () => this.log().slice(from).split('\n').find((l) => pattern.test(l)), `asterisk says ${pattern}`);
	}

	/** Its log goes to where the test's other logs are. */
	async stop() {
		await this.run('core stop now');
		await this.proc.exited;
		appendFileSync(this.proc.file, this.log());
		rmSync(this.dir, { recursive: true });
	}
}
