// tests/abuse/lib/pinger.mjs - a quiet client that only wants its pings answered, on a thread of its own, so
// that what the test itself does in the meantime is not measured.
//
//   const ms = await pinged(slussd, token, async () => { … });    the answers' times, sorted
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Talker } from './talker.mjs';

const EVERY_MS = 20;

/** Pings while `busy` runs. */
export async function pinged(site, token, busy) {
	const worker = new Worker(new URL(import.meta.url), { workerData: { site: { url: site.url, ca: site.ca }, token } });

	await once(worker, 'message');
	try {
		await busy();
	} finally {
		worker.postMessage('enough');
	}
	const [{ ms, error }] = await once(worker, 'message');
	if (error)
		throw new Error(error);
	return ms.sort((a, b) => a - b);
}

/** Nineteen of twenty are answered within this. */
export const p95 = (sorted) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];

async function ping() {
	const quiet = await Talker.open(workerData.site, workerData.token);
	const ms = [];
	let over = false;

	parentPort.once('message', () => { over = true; });
	parentPort.postMessage('ready');
	while (!over) {
		const start = performance.now();
		const { type } = await quiet.ask({ type: 'ping' }) ?? {};

		if (type !== 'ok')
			return parentPort.postMessage({ error: `a ping was answered with ${type}` });
		ms.push(performance.now() - start);
		await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
	}
	quiet.close();
	parentPort.postMessage({ ms });
}

if (!isMainThread && workerData?.token)
	ping().catch((e) => parentPort.postMessage({ error: e.stack }));
