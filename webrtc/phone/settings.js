// settings.js - the settings: try the microphone and loudspeaker, choose devices, language, notifications.
//
// Who uses it: phone.js. The microphone is on only while the dialog is open and no call uses it; a
// device that is chosen in a call is taken by the call at once.

import { $, focus, say } from './dom.js';
import { choose, language, languages } from './language.js';
import { Meter } from './meter.js';
import { canNotify } from './notify.js';
import { errorWords, words } from './words.js';
import { SlussError } from '../sdk/sluss.js';

const PICKS = { audioinput: 'pick-microphone', videoinput: 'pick-camera', audiooutput: 'pick-speaker' };

export class Settings {
	#hooks;
	#devices;
	#meter;
	#stream = null;
	#turn = 0;
	#installer = null;

	/** @param hooks  {call(), phone(), context(), ring(), language(), notify(), links()} */
	constructor(devices, hooks) {
		this.#hooks = hooks;
		this.#devices = devices;
		this.#meter = new Meter($('meter-check'), hooks.context);
		for (const id of ['settings-open', 'dial-check', 'call-devices'])
			$(id).addEventListener('click', () => this.open());
		$('settings-close').addEventListener('click', () => $('settings-dialog').close());
		$('settings-dialog').addEventListener('close', () => this.#closed());
		$('check-again').addEventListener('click', () => this.#listen());
		$('ring-test').addEventListener('click', () => hooks.ring());
		for (const [kind, id] of Object.entries(PICKS))
			$(id).addEventListener('change', () => this.#picked(kind));
		$('pick-language').addEventListener('change', () => {
			choose($('pick-language').value);
			hooks.language();
			this.render();
		});
		$('notify-ask').addEventListener('click', async () => {
			await hooks.notify();
			this.render();
		});
		$('links-register').addEventListener('click', () => hooks.links());
		$('idp-use').addEventListener('click', () => this.#use($('pick-idp').value.trim().toLowerCase()));
		$('idp-signin').addEventListener('click', () => this.#signIn());
		$('install').addEventListener('click', () => this.#install());
		addEventListener('beforeinstallprompt', (ev) => {
			ev.preventDefault();
			this.#installer = ev;
			$('install').hidden = false;
		});
		devices.addEventListener('change', () => this.render());
	}

	open() {
		$('settings-dialog').showModal();
		focus($('settings-title'));
		this.render();
		this.#listen();
	}

	/** All that can be chosen, and what is chosen. */
	render() {
		for (const [kind, id] of Object.entries(PICKS)) {
			const list = this.#devices.of(kind).map((d) => [d.deviceId, d.label || words('settings.unnamed')]);

			options($(id), [['', words('settings.default')], ...list], this.#devices.chosen(kind));
		}
		$('pick-speaker').hidden = !this.#devices.canChooseSpeaker;
		options($('pick-language'), Object.keys(languages).map((l) => [l, languages[l].language]), language());
		const can = canNotify();

		say($('notify-state'), words(`notify.${can}`));
		$('notify-ask').hidden = can !== 'default';
		$('links-register').hidden = !navigator.registerProtocolHandler;
		$('pick-idp').value = this.#hooks.phone()?.identity.idp?.domain ?? '';
		this.identity();
	}

	/** Who vouches for this user, as it stands. */
	identity() {
		const { idp, state } = this.#hooks.phone()?.identity ?? { state: 'off' };

		$('idp-state').textContent = words(`idp.${state}`, { idp: idp?.domain ?? '' });
		$('idp-state').dataset.state = state;
		$('idp-signin').hidden = state !== 'sign-in' && state !== 'consent';
	}

	/** Another identity provider; an empty field: the site's own again, where it has one, at the next start. */
	#use(domain) {
		keepIdp(domain);
		this.#hooks.phone()?.identity.use(domain ? { domain } : null);
		this.identity();
	}

	async #signIn() {
		try {
			await this.#hooks.phone().identity.signIn();
		} catch (e) {
			$('idp-state').textContent = errorWords(e);
		}
	}

	async #picked(kind) {
		const call = this.#hooks.call();

		this.#devices.choose(kind, $(PICKS[kind]).value);
		say($('check-error'), null);
		try {
			if (kind === 'audioinput' && call?.sending.audio)
				await call.setMicrophone(this.#devices.constraints(kind));
			else if (kind === 'videoinput' && call?.sending.video)
				await call.setCamera(this.#devices.constraints(kind));
		} catch (e) {
			say($('check-error'), errorWords(e));
		}
		if (kind === 'audioinput')
			this.#listen();
	}

	/** The level of one's own microphone: the call's, or one that is opened to try it. */
	async #listen() {
		const turn = ++this.#turn;
		const call = this.#hooks.call();

		this.#release();
		say($('check-error'), null);
		$('check-again').hidden = true;
		if (call?.streams.local) {
			this.#meter.watch(call.streams.local);
			return;
		}
		try {
			const stream = await tryMicrophone(this.#devices);

			if (turn !== this.#turn || !$('settings-dialog').open) {
				stop(stream);
				return;
			}
			this.#stream = stream;
			this.#meter.watch(stream);
			this.#devices.refresh();
		} catch (e) {
			say($('check-error'), errorWords(e));
			$('check-again').hidden = false;
		}
	}

	#release() {
		this.#meter.watch(null);
		stop(this.#stream);
		this.#stream = null;
	}

	#closed() {
		this.#turn++;
		this.#release();
	}

	async #install() {
		const installer = this.#installer;

		this.#installer = null;
		$('install').hidden = true;
		await installer?.prompt();
	}
}

const IDP = 'sluss.idp';

function keepIdp(domain) {
	try {
		if (domain)
			localStorage.setItem(IDP, domain);
		else
			localStorage.removeItem(IDP);
	} catch {
		// It holds until the page is left.
	}
}

/** The identity provider that was chosen here, for Phone.connect(); none: the site's own. */
export function chosenIdp() {
	try {
		const domain = localStorage.getItem(IDP);

		return domain ? { identity: { domain } } : {};
	} catch {
		return {};
	}
}

/** One's own microphone, to see that it works. Throws a SlussError that says what to do. */
export async function tryMicrophone(devices) {
	if (!navigator.mediaDevices?.getUserMedia)
		throw new SlussError(isSecureContext ? 'unsupported' : 'insecure');
	try {
		return await navigator.mediaDevices.getUserMedia({ audio: devices.constraints('audioinput') });
	} catch (e) {
		const how = { NotAllowedError: 'denied', SecurityError: 'denied', NotFoundError: 'missing',
			OverconstrainedError: 'missing' }[e.name] ?? 'busy';

		throw new SlussError(`mic-${how}`, undefined, { cause: e });
	}
}

export function stop(stream) {
	for (const track of stream?.getTracks() ?? [])
		track.stop();
}

function options(select, list, chosen) {
	select.replaceChildren(...list.map(([value, text]) => {
		const option = document.createElement('option');

		option.value = value;
		option.textContent = text;
		option.selected = value === chosen;
		return option;
	}));
}
