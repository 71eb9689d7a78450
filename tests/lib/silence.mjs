// tests/lib/silence.mjs - how long a talk is silent: a steady tone at one end, a fine clock at the other.
//
//   await hum(alice); await hum(bob);   …   await listen(bob);   …   const gaps = await silences(bob);
//
// The tone takes the microphone's place (the fake ones beep only now and then). What is played is looked at
// every 10 ms through an analyser of 21 ms, what arrives by the receiver's count of packets, which Chromium
// renews every 50 ms.

/** What a phone that hums sends, in Hz. */
export const HUM_HZ = 440;

/** From now on this phone sends that. */
export const hum = (p) => p.evaluate(async () => {
	const context = window.humming = new AudioContext();
	await context.resume();
	const tone = context.createOscillator(), way = context.createMediaStreamDestination();
	tone.connect(way);
	tone.start();
	await window.sluss.phone.calls[0].setMicrophone(true, { stream: way.stream });
});

/** Begins to watch what this phone gets, over whichever connection; waits until there is sound. */
export const listen = (p) => p.evaluate(async () => {
	const context = new AudioContext();
	await context.resume();
	const analyser = context.createAnalyser();
	analyser.fftSize = 1024;
	const samples = new Float32Array(analyser.fftSize);
	const watch = window.watch = { context, sound: [], packets: [], on: true };
	const ears = new Map(); // receiver -> packets counted so far
	const receivers = () => window.seen.peers.filter((peer) => peer.signalingState !== 'closed')
		.flatMap((peer) => peer.getReceivers()).filter(({ track }) => track.kind === 'audio');
	(async () => {
		while (watch.on) {
			for (const receiver of receivers().filter((one) => !ears.has(one))) {
				ears.set(receiver, -1);
				context.createMediaStreamSource(new MediaStream([receiver.track])).connect(analyser);
			}
			analyser.getFloatTimeDomainData(samples);
			const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
			if (rms > 0.02)
				watch.sound.push(performance.now());
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
	})();
	(async () => {
		while (watch.on) {
			for (const receiver of receivers()) {
				for (const s of (await receiver.getStats()).values()) {
					if (s.type === 'inbound-rtp' && s.packetsReceived > (ears.get(receiver) ?? -1)) {
						ears.set(receiver, s.packetsReceived);
						watch.packets.push(performance.now());
					}
				}
			}
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	})();
	while (watch.sound.length < 20 || watch.packets.length < 10)
		await new Promise((resolve) => setTimeout(resolve, 20));
	watch.sound.splice(0, watch.sound.length - 1);
	watch.packets.splice(0, watch.packets.length - 1);
});

/** Waits until sound has come for `ms` without a longer break than 300 ms, at the latest after `limit` ms; gives
 *  the longest breaks since listen(): {sound, packets} in ms. */
export const silences = (p, ms = 3000, limit = 60_000) => p.evaluate(async ({ ms: steady, limit: most }) => {
	const { watch } = window;
	const longest = (times) => times.reduce((gap, t, i) => Math.max(gap, t - (times[i - 1] ?? t)), 0);
	const flows = (times) => {
		const since = performance.now() - steady, late = times.filter((t) => t >= since);
		return late.length > 0 && late[0] - since < 300 && performance.now() - late.at(-1) < 300 && longest(late) < 300;
	};
	const end = performance.now() + most;
	await new Promise((resolve) => setTimeout(resolve, steady));
	while (!flows(watch.sound) || !flows(watch.packets)) {
		if (performance.now() > end)
			throw new Error(`no sound for ${Math.round(performance.now() - watch.sound.at(-1))} ms, no packet for ${Math.round(performance.now() - watch.packets.at(-1))} ms; ${window.seen.peers.map((peer) => peer.connectionState)}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	watch.on = false;
	await watch.context.close();
	return { sound: Math.round(longest(watch.sound)), packets: Math.round(longest(watch.packets)) };
}, { ms, limit });
