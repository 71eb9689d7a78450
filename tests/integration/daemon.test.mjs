// limit: 180 s
// slussd as an operator meets it: -t, -V, faults at the start, privileges, slussctl, stop.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { swap } from '../lib/ca.mjs';
import { http } from '../lib/client.mjs';
import { Daemon, twoSites } from '../lib/site.mjs';
import { dial, establish } from '../lib/talk.mjs';
import { BUILD, until } from '../lib/world.mjs';

let world, ca, alpha, beta, n = 0;

before(async () => {
	({ world, ca, alpha, beta } = await twoSites());
});
after(() => world?.close());

/** Another daemon on alpha's host, with other ports, not started. */
function another(change = () => {}) {
	const port = 7000 + ++n * 10;
	const options = {
		sites: [{ domain: 'alpha.test', pair: alpha.sites[0].pair }], trust: ca.root,
		listen: [`tls:198.18.0.10:${port}`], httpListen: [`198.18.0.10:${port + 1}`], mediaPort: port + 2,
	};
	change(options);
	const daemon = new Daemon(world, { ...alpha.host, name: `other${n}` }, options);
	daemon.host = alpha.host;
	return daemon.write();
}

const slussd = (...args) => alpha.host.exec([join(BUILD, 'slussd'), ...args]);

/** Starts it, expects exit 1 and gives what it said. */
async function refused(daemon) {
	const { code, stderr } = await slussd('-c', daemon.config);
	assert.equal(code, 1, stderr);
	return stderr.trim();
}

test('-V says who it is, -t says that a good file is good', async () => {
	for (const option of ['-V', '--version'])
		assert.match((await slussd(option)).stdout, /sluss.* \d+\.\d+/);
	assert.match((await slussd('--help')).stdout, /^usage: slussd /);
	const { code, stdout, stderr } = await slussd('-t', '-c', alpha.config);
	assert.equal(code, 0, stdout + stderr);
});

test('-t gives every error with file, line and what would be right', async () => {
	const daemon = another();
	writeFileSync(daemon.config, readFileSync(daemon.config, 'utf8') + 'nonsense = 3\nlimits { ring-time = 0 }\nsite "not a domain" { }\n');
	const { code, stdout, stderr } = await slussd('-t', '-c', daemon.config);
	assert.equal(code, 1);
	const lines = (stdout + stderr).trim().split('\n').filter((l) => l.startsWith(daemon.config));
	assert.ok(lines.length >= 3, stdout + stderr);
	for (const line of lines)
		assert.match(line, /:\d+: ./);
});

test('-t warns of a private key that everybody can read', async () => {
	const daemon = another();
	const { key } = daemon.sites[0].pair;
	const { mode } = statSync(key);
	chmodSync(key, 0o644);
	const { code, stdout, stderr } = await slussd('-t', '-c', daemon.config);
	chmodSync(key, mode);
	assert.equal(code, 0);
	assert.match(stdout + stderr, /:\d+: warning: \S+ can be read by everybody on this machine; chmod o= would be right/);
	const quiet = await slussd('-t', '-c', daemon.config);
	assert.doesNotMatch(quiet.stdout + quiet.stderr, /everybody/);
});

test('a missing file is one clear line', async () => {
	const { code, stderr } = await slussd('-c', '/nowhere/sluss.conf');
	assert.equal(code, 1);
	assert.match(stderr, /\/nowhere\/sluss\.conf.*(no such file|not there|cannot|does not exist)/i);
});

test('ports in use: SIP, HTTP, control socket', async () => {
	assert.match(await refused(another((o) => (o.listen = ['tls:198.18.0.10:5061']))), /5061.*in use/i);
	assert.match(await refused(another((o) => (o.httpListen = ['198.18.0.10:443']))), /443.*in use/i);
	const daemon = another();
	daemon.socket = alpha.socket;
	daemon.write();
	assert.match(await refused(daemon), /control/);
	assert.equal((await alpha.ctl('status')).code, 0, 'the first one is not hurt');
});

test('certificates: wrong site, wrong key, unreadable key, none, expired', async () => {
	const with_ = (pair) => another((o) => (o.sites[0].pair = pair));
	assert.match(await refused(with_(ca.wrongName('alpha.test'))), /does not cover|covers.*not|alpha\.test/);
	const other = ca.valid('other.test');
	assert.match(await refused(with_({ cert: alpha.sites[0].pair.cert, key: other.key })), /key/);
	assert.match(await refused(with_({ cert: '/nowhere/cert.pem', key: other.key })), /\/nowhere\/cert\.pem/);
	writeFileSync(`${world.dir}/garbage.pem`, 'not a certificate');
	assert.match(await refused(with_({ cert: `${world.dir}/garbage.pem`, key: other.key })), /garbage\.pem/);
});

test('a store that is no database is refused and left alone', async () => {
	const daemon = another();
	writeFileSync(daemon.store, 'precious, but not SQLite\n'.repeat(100));
	assert.match(await refused(daemon), /sluss\.db/);
	assert.match(readFileSync(daemon.store, 'utf8'), /^precious/);
});

test('privileges are dropped after binding, and the key file needs to be readable by root only', async () => {
	const daemon = another((o) => (o.lines = ['run {', '\tuser = "nobody"', '}']));
	chmodSync(daemon.sites[0].pair.key, 0o600);
	await world.here.exec(['chown', '-R', 'nobody', daemon.dir]);
	daemon.proc = daemon.host.spawn(daemon.command(['-c', daemon.config]), { name: 'slussd-nobody' });
	await until(10_000, () => {
		if (daemon.proc.over)
			throw new Error(daemon.proc.text);
		return statSync(daemon.socket, { throwIfNoEntry: false });
	}, 'it starts as nobody');
	await until(10_000, async () => (await daemon.ctl('status')).code === 0, 'it answers');
	const status = readFileSync(`/proc/${daemon.proc.pid}/status`, 'utf8');
	const nobody = statSync(daemon.dir).uid;
	assert.match(status, new RegExp(`^Uid:\\s+${nobody}\\s+${nobody}\\s+${nobody}\\s+${nobody}$`, 'm'));
	assert.match(status, /^CapEff:\s+0+$/m);
	assert.match(status, /^CapPrm:\s+0+$/m);
	for (const task of readdirSync(`/proc/${daemon.proc.pid}/task`))
		assert.match(readFileSync(`/proc/${daemon.proc.pid}/task/${task}/status`, 'utf8'), new RegExp(`^Uid:\\s+${nobody}\\s`, 'm'));
	assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test('SIGTERM with calls: bye to browsers, BYE to the peer, exit 0 in time', async () => {
	const daemon = alpha;
	const alice = await daemon.client('alice');
	const bob = await beta.client('bob');
	const call = await establish(alice, bob, 'bob@beta.test');
	const ringing = await dial(bob, 'alice@alpha.test');
	await alice.event('incoming');
	const start = performance.now();
	const over = daemon.stop();
	assert.equal((await alice.event('bye')).reason, 'shutdown');
	assert.equal((await alice.closed).code, 1001);
	assert.deepEqual(await over, { code: 0, signal: null });
	assert.ok(performance.now() - start < 6000 * Number(process.env.SLUSS_SLOW ?? 1));
	await bob.event('ended', { call: call.b });
	await bob.event('ended', { call: ringing.id });
	await bob.close();
	await daemon.start();
});

test('sign-ins outlive a restart', async () => {
	const before = await alpha.client('alice');
	const { token } = before;
	await alpha.stop();
	await before.closed;
	await alpha.start();
	const who = await http(alpha, 'GET', '/api/v1/session', { token });
	assert.equal(who.json.user, 'alice@alpha.test');
});

test('kill -9: it starts again at once, and the database is whole', async () => {
	await alpha.stop('SIGKILL');
	const start = performance.now();
	await alpha.start();
	assert.ok(performance.now() - start < 5000 * Number(process.env.SLUSS_SLOW ?? 1));
	const { stdout } = await world.here.exec(['sqlite3', alpha.store, 'PRAGMA integrity_check']);
	assert.equal(stdout.trim(), 'ok');
});

test('slussctl reload and SIGHUP read certificates at once; a bad file is named, the old one stays', async () => {
	const daemon = another((options) => {
		options.sites = [{ domain: 'alpha.test', pair: ca.leaf('alpha-reload', { cn: 'alpha.test' }) }];
		writeFileSync(options.trust = join(world.dir, 'trust-reload.pem'), readFileSync(ca.root));
	});
	const { pair } = daemon.sites[0], port = /:(\d+)$/.exec(daemon.listen[0])[1], web = /:(\d+)$/.exec(daemon.httpListen[0])[1];
	const serial = async (at) => (await world.here.exec(['sh', '-c',
		`openssl s_client -connect 198.18.0.10:${at} -servername alpha.test </dev/null 2>/dev/null | openssl x509 -noout -serial`])).stdout;
	const both = async () => [await serial(port), await serial(web)];
	await daemon.start();
	const [first] = await both();
	assert.match(first, /serial=/);
	const next = ca.leaf('alpha-next', { cn: 'alpha.test' });
	swap(pair, next);
	const done = await daemon.ctl('reload');
	assert.equal(done.code, 0, done.stderr);
	const [second, secondWeb] = await both(); // no waiting: when the command ends, it is in use
	assert.notEqual(second, first);
	assert.equal(secondWeb, second);

	writeFileSync(pair.cert, 'garbage');
	const bad = await daemon.ctl('reload');
	assert.equal(bad.code, 1);
	assert.match(bad.stderr, /alpha\.test: .*alpha-reload.* holds no certificate; .*the old certificate stays in service/);
	assert.deepEqual(await both(), [second, second]);
	const { json } = await daemon.ctl('status');
	assert.match(json.certificates[0].trouble, /holds no certificate/);

	swap(pair, next);
	writeFileSync(daemon.trust, 'no certificate at all');
	const distrust = await daemon.ctl('reload');
	assert.equal(distrust.code, 1);
	assert.match(distrust.stderr, /trust-reload\.pem holds no certificate authority; .*what was read before stays in service/);
	writeFileSync(daemon.trust, readFileSync(ca.root));
	assert.equal((await daemon.ctl('reload')).code, 0);

	const third = ca.leaf('alpha-third', { cn: 'alpha.test' });
	swap(pair, third);
	const from = daemon.proc.lines.length;
	process.kill(daemon.proc.pid, 'SIGHUP');
	await daemon.proc.line(/ main\.sighup certificates=read-again/, 5000, from);
	await daemon.proc.line(/ edge cert\.reloaded site=alpha\.test/, 5000, from);
	await daemon.proc.line(/ web cert\.reloaded site=alpha\.test/, 5000, from);
	const [last, lastWeb] = await both();
	assert.notEqual(last, second);
	assert.equal(lastWeb, last);
	assert.equal((await daemon.ctl('status')).json.certificates[0].trouble, '');
	await daemon.stop();
});

test('a certificate near its end: a line in the log at the start, and a date in slussctl status', async () => {
	const to = Date.now() + 5 * 86_400_000 + 3_600_000;
	const daemon = another((options) => {
		options.sites = [{ domain: 'alpha.test', pair: ca.leaf('alpha-ending', { cn: 'alpha.test', from: Date.now() - 86_400_000, to }) }];
	});
	await daemon.start();
	await daemon.proc.line(/ warn sig site\.certificate\.expires site=alpha\.test on=\d{4}-\d\d-\d\d days=5/);
	const { json } = await daemon.ctl('status');
	assert.deepEqual(json.certificates.map(({ site, days, ending }) => ({ site, days, ending })), [{ site: 'alpha.test', days: 5, ending: true }]);
	assert.equal(Date.parse(json.certificates[0].until), Math.floor(to / 1000) * 1000);
	const { stdout } = await alpha.host.exec([join(BUILD, 'slussctl'), '-s', daemon.socket, 'status']);
	assert.match(stdout, /alpha\.test +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +5 +(true|yes)/);
	await daemon.stop();
	const far = await alpha.ctl('status');
	assert.equal(far.json.certificates[0].ending, false);
});

test('slussctl: every command in JSON and in words, clear errors, exit status', async () => {
	const words = async (...args) => alpha.host.exec([join(BUILD, 'slussctl'), '-s', alpha.socket, ...args]);
	const { json: status } = await alpha.ctl('status');
	assert.ok(status && typeof status === 'object');
	for (const command of ['status', 'calls', 'devices', 'peers']) {
		const json = await alpha.ctl(command);
		assert.equal(json.code, 0, json.stderr);
		assert.notEqual(json.json, undefined, `${command} --json is one JSON document: ${json.stdout}`);
		assert.equal((await words(command)).code, 0);
	}
	const { json: users } = await alpha.ctl('user', 'list', 'alpha.test');
	assert.match(JSON.stringify(users), /alice/);
	assert.equal((await alpha.ctl('user', 'add', 'new@alpha.test', { input: 'a good password\n' })).code, 0);
	for (const [args, input] of [
		[['user', 'add', 'new@alpha.test'], 'a good password\n'], [['user', 'add', 'new@else.test'], 'a good password\n'],
		[['user', 'add', 'bad name@alpha.test'], 'a good password\n'], [['user', 'add', 'weak@alpha.test'], 'short\n'],
		[['user', 'remove', 'nobody@alpha.test'], ''], [['call', '0123456789abcdef'], ''], [['hangup', '0123456789abcdef'], ''], [['nonsense'], ''],
	]) {
		const done = await alpha.ctl(...args, { input });
		assert.notEqual(done.code, 0, args.join(' '));
		assert.ok((done.stderr + done.stdout).trim().length > 5, `${args.join(' ')} says why`);
	}
	assert.match((await alpha.ctl('nonsense')).stderr, /^slussctl: there is no command "nonsense"\nusage: /);
	assert.match((await words('--version')).stdout, /^slussctl \d+\.\d+/);
	const passwd = await alpha.ctl('user', 'passwd', 'new@alpha.test', { input: 'a better password\n' });
	assert.equal(passwd.code, 0, passwd.stderr + passwd.stdout);
	assert.equal((await alpha.ctl('user', 'remove', 'new@alpha.test')).code, 0);
	const none = await alpha.host.exec([join(BUILD, 'slussctl'), '-s', '/nowhere/control', 'status']);
	assert.notEqual(none.code, 0);
	assert.match(none.stderr, /\/nowhere\/control/);
	assert.equal(statSync(alpha.socket).mode & 0o777, 0o600);
});

test('slussctl call shows both legs of a call', async () => {
	const alice = await alpha.client('alice');
	const bob = await beta.client('bob');
	const call = await establish(alice, bob, 'bob@beta.test');
	const [{ id }] = await alpha.calls();
	const shown = await alpha.ctl('call', id);
	assert.equal(shown.code, 0, shown.stderr);
	const text = JSON.stringify(shown.json);
	assert.ok(text.includes('alice@alpha.test') && text.includes('beta.test'), text);
	await alice.request('hangup', { call: call.a });
	await alice.event('ended', { call: call.a });
	await Promise.all([alice.close(), bob.close()]);
});

test('two sites in one daemon: each with its own certificate, users and origin', async () => {
	const second = ca.valid('second.test');
	const daemon = another((o) => {
		o.sites.push({ domain: 'second.test', pair: second });
	});
	daemon.proc = daemon.host.spawn(daemon.command(['-c', daemon.config]), { name: 'slussd-two' });
	await until(10_000, async () => (await daemon.ctl('status')).code === 0, 'it answers');
	for (const port of [daemon.httpListen[0].split(':').at(-1), daemon.listen[0].split(':').at(-1)]) {
		const shown = async (name) => (await world.here.exec(['openssl', 's_client', '-connect', `198.18.0.10:${port}`, '-servername', name])).stdout;
		assert.match(await shown('second.test'), /subject=CN = second\.test/, `port ${port}`);
		assert.match(await shown('alpha.test'), /subject=CN = alpha\.test/, `port ${port}`);
		assert.match(await shown('second.test'), /1 s:CN = "?Sluss test root, intermediate/, 'the whole chain is sent');
	}
	await daemon.addUser('alice', { domain: 'second.test' });
	assert.match(JSON.stringify((await daemon.ctl('user', 'list', 'second.test')).json), /alice/);
	assert.doesNotMatch(JSON.stringify((await daemon.ctl('user', 'list', 'alpha.test')).json), /alice/);
	await daemon.stop();
});

test('new certificates are served to new connections; a broken one leaves the old in service', async () => {
	const pair = beta.sites[0].pair;
	const serial = async (port) => (await world.here.exec(['sh', '-c',
		`openssl s_client -connect 198.18.0.20:${port} -servername beta.test </dev/null 2>/dev/null | openssl x509 -noout -serial`])).stdout;
	const before = { web: await serial(443), sip: await serial(5061) };
	assert.match(before.web, /serial=/);
	swap(pair, ca.leaf('beta-renewed', { cn: 'beta.test' }));
	await until(6000, async () => (await serial(443)) !== before.web && (await serial(5061)) !== before.sip, 'both serve the new one');
	const renewed = await serial(443);
	const broken = { cert: `${world.dir}/broken.pem`, key: pair.key };
	writeFileSync(broken.cert, 'garbage');
	const from = beta.proc.lines.length;
	swap({ cert: pair.cert, key: pair.key }, { cert: broken.cert, key: pair.key });
	await beta.proc.line(/ err .*cert/, 8000, from);
	assert.equal(await serial(443), renewed);
	assert.equal(await serial(5061), renewed);
});

test('nothing secret in any log', async () => {
	const logs = readdirSync(process.env.SLUSS_OUT).filter((f) => f.startsWith('slussd') && f.endsWith('.log'));
	for (const file of logs) {
		const text = readFileSync(join(process.env.SLUSS_OUT, file), 'utf8');
		assert.doesNotMatch(text, /correct horse|ice-pwd|a=fingerprint|__Host-sluss/, file);
	}
});
