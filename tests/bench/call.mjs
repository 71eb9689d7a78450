// tests/bench/call.mjs - what a person waits for: the rows of `./dev bench call`. Run by tests/bench/call.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, OUT, TOP, World } from '../lib/world.mjs';
import { clickToAudioRows } from './click_to_audio.mjs';
import { Table } from './measure.mjs';

const quick = process.env.SLUSS_BENCH_QUICK === '1';
const table = new Table('call');

if (!existsSync(join(TOP, 'tests/node_modules/playwright-core')) || !existsSync('/usr/bin/chromium')) {
	console.error('bench call: it needs chromium and playwright-core (./dev test browser installs both)');
	process.exit(2);
}
const world = new World();
console.log(`slussd from ${BUILD}; logs in ${OUT}`);
table.head();
await clickToAudioRows(world, table, quick ? 2 : 15);
const well = table.write();
await world.close();
process.exit(well ? 0 : 1);
