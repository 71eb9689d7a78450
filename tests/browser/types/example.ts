// what a page in TypeScript does with the SDK; compiled, not run (types.test.mjs)
import { Phone, SlussError, type Call, type CallStats } from '../../../webrtc/sdk/sluss.js';

async function talk(audio: HTMLAudioElement): Promise<void> {
	const phone: Phone = await Phone.connect({ device: 'Example', identity: { domain: 'beta.example' }, early: (remote, idp) => remote.site.verified && idp.domain === 'beta.example' });

	phone.addEventListener('incoming', ({ call }) => answer(call, audio));
	phone.addEventListener('ring', () => (phone.ringing ? audio.play() : audio.pause()));
	phone.audible = navigator.userActivation.hasBeenActive;
	// @ts-expect-error: whose turn it is is not the page's to say
	phone.ringing = true;
	try {
		const call = await phone.call('per@beta.example', { audio: { noiseSuppression: true }, data: true });

		audio.srcObject = call.streams.remote;
		call.addEventListener('state', () => {
			const muted: boolean | undefined = call.remoteMuted?.audio;

			console.log(call.state, muted, call.cause?.reason);
		});
		if (call.remote.identity?.status === 'verified' && phone.identity.state === 'ready')
			console.log(call.remote.identity.name, call.remote.identity.profile?.email, call.encryption);
		call.addEventListener('text', ({ text }) => console.log(text.length));
		call.addEventListener('transfer', async ({ to, accept, refuse }) => {
			if (!phone.contacts.get(to))
				return refuse();
			await phone.switchTo(await accept({ video: false }));
		});
		if (call.canTransfer)
			await call.transfer(phone.contacts.search('per')[0]?.address ?? 'per');
		// @ts-expect-error: contacts come and go by put() and remove()
		phone.contacts.all = [];
		call.addEventListener('trackended', ({ track }) => console.log(track.label));
		if (call.canText)
			call.sendText('hej');
		await call.addVideo();
		await call.shareScreen();
		await call.setMicrophone({ deviceId: 'x' });
		const stats: CallStats = await call.stats();

		console.log(stats.sent.audio?.lossFraction, stats.path?.local?.type);
		// @ts-expect-error: there is no such state
		console.log(call.state === 'sleeping');
	} catch (e) {
		if (e instanceof SlussError && e.code === 'mic-denied')
			console.log(e.message, e.retryS);
	}
}

async function answer(call: Call, audio: HTMLAudioElement): Promise<void> {
	await call.accept({ audio: true });
	audio.srcObject = call.streams.remote;
	// @ts-expect-error: only 'busy' and 'decline'
	call.reject('later');
}

export { talk };
