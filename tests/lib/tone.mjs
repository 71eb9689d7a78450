// tests/lib/tone.mjs - what a page hears, by its pitch.
//
//   assert.ok(near(await hears(alice), 1004));

/** What the page's call hears most of, in Hz, once it hears something, or once that is `wanted` (what was played before may
 *  still be in a buffer); after ten seconds whatever it is, 0: nothing. A call that comes back from a hold has no track until
 *  both sides have agreed. */
export const hears = (p, wanted) => p.evaluate(async (goal) => {
	const call = window.sluss.phone.calls[0];
	while (!call.streams.remote.getAudioTracks()[0])
		await new Promise((resolve) => call.addEventListener('streams', resolve, { once: true }));
	const track = call.streams.remote.getAudioTracks()[0];
	const context = new AudioContext();
	await context.resume();
	const analyser = context.createAnalyser();
	analyser.fftSize = 8192;
	analyser.smoothingTimeConstant = 0;
	context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
	const bins = new Float32Array(analyser.frequencyBinCount);
	let hz = 0;
	for (const end = performance.now() + 10_000; performance.now() < end && !(hz && (!goal || Math.abs(hz - goal) < 15));) {
		await new Promise((resolve) => setTimeout(resolve, 200));
		analyser.getFloatFrequencyData(bins);
		const loudest = bins.indexOf(Math.max(...bins));
		if (bins[loudest] > -50)
			hz = loudest * context.sampleRate / analyser.fftSize;
	}
	await context.close();
	return hz;
}, wanted);

/** An analyser's bins are 6 Hz wide; a telephone's clock is not the page's. */
export const near = (hz, wanted) => Math.abs(hz - wanted) < 15;
