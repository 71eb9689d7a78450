// tests/bench/reconnect.mjs - a site goes down under 2,000 devices: the rows of `./dev bench reconnect`.
//
//   sluss_load reconnect ══ 2,000 × WSS ══► slussd, kill -9, one second of nothing, slussd again
//
// Each device comes back by itself as the SDK does. Reported and gated: how long after the restart the last
// one is back, and that the site refuses nobody twice. Run by tests/bench/reconnect.
import { BUILD, OUT, World } from '../lib/world.mjs';
import { PASSWORD } from '../lib/site.mjs';
import { Load, pause, Table } from './measure.mjs';
import { site } from './pair.mjs';

const quick = process.env.SLUSS_BENCH_QUICK === '1';
const DEVICES = quick ? 200 : 2000;
const USERS = DEVICES / 10;
const ROUNDS = quick ? 1 : 3;
const table = new Table('reconnect');
const world = new World();

console.log(`slussd from ${BUILD}; logs in ${OUT}`);
table.head();
const s = await site(world, 'many.test', 23_000);
await s.start();
for (let i = 0; i < USERS; i++)
	await s.addUser(`u${i}`);
const load = { a: s.spec, password: PASSWORD, users: USERS, devices: DEVICES, timeout: 60 };
const last = [], away = [], once = [], twice = [];
for (let i = 0; i < ROUNDS; i++) {
	const crowd = await Load.start('reconnect', load);
	const done = crowd.go();
	s.proc.clean = false; // on purpose
	await s.proc.stop('SIGKILL');
	await pause(1000);
	const begin = performance.now();
	const serving = s.start();
	const result = await done;
	last.push((performance.now() - begin) / 1000);
	await serving;
	if (result.lost !== DEVICES || result.back !== DEVICES)
		throw new Error(`not all came back: ${JSON.stringify(result)}`);
	away.push(result.away.p50_us / 1e6);
	once.push(result.refused_once);
	twice.push(result.refused_more);
	const online = (await s.ctl('status')).json.devices;
	if (online !== DEVICES)
		throw new Error(`the site counts ${online} devices`);
	await crowd.quit();
}
table.row(`${DEVICES} devices after a restart: until the last is back`, 's', Math.max(...last), { against: 'the stated goal', theirs: 20, must: 1.0 });
table.row('  refused twice', 'devices', Math.max(...twice), { against: 'the stated goal: none', theirs: 1, must: 0 });
table.row('  refused once', 'devices', Math.max(...once));
table.row('  away, the middle one, with the second that the site was down', 's', away);
await s.stop();
const well = table.write();
await world.close();
process.exit(well ? 0 : 1);
