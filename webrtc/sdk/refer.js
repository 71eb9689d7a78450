// refer.js - passing a call on: the other side is asked to call somebody else, and tells what comes of it.
//
//   we                                                they
//   transfer(to) ── refer ───────────────────────────► event `transfer`: a person is asked
//        ◄── referred: refused ────────────────────── refuse()
//        ◄── referred: trying, ringing, failed ────── accept(): a call to `to`, this one on hold
//   hangup() ◄── referred: connected ──────────────── it is up
//
// Who uses it: call.js. What REFER and NOTIFY are to SIP (RFC 3515) goes by the side channel, so between phones of this
// kind alone: no site takes part, and nobody is called whom the person at the phone has not said yes to.

import { parseAddress } from './address.js';
import { SlussError } from './errors.js';

const STATES = ['trying', 'ringing', 'connected', 'refused', 'failed'];
export const isReferred = (state) => STATES.includes(state);

export class Refer {
	#hooks;
	/** what we have asked for: {id, resolve, reject} */
	#asked = null;
	/** what we are asked for and have not finished: its id */
	#theirs = null;
	#n = 0;

	/** @param hooks  side(): {can, send(message)}; site(); dial(to, options): a Call; hold(); hangup(); listens();
	 *                ask(what): tell the page; over(): has the call ended */
	constructor(hooks) {
		this.#hooks = hooks;
	}

	/** Resolves when they talk to `to`; this call ends then. */
	ask(to) {
		const { address } = parseAddress(to, this.#hooks.site());

		if (!this.#hooks.side().can)
			throw new SlussError('no-transfer');
		if (this.#asked)
			throw new SlussError('bad-state');
		const id = `r${++this.#n}`;

		return new Promise((resolve, reject) => {
			this.#asked = { id, resolve, reject };
			this.#hooks.side().send({ type: 'refer', id, to: address });
		});
	}

	/** From the other side. */
	take(msg) {
		if (msg.type === 'refer')
			this.#asks(msg);
		else if (msg.id === this.#asked?.id)
			this.#answers(msg);
	}

	/** The call is over. */
	end() {
		this.#asked?.reject(new SlussError('ended'));
		this.#asked = null;
	}

	#answers({ state, reason }) {
		const { resolve, reject } = this.#asked;

		if (state === 'trying' || state === 'ringing')
			return;
		this.#asked = null;
		if (state === 'connected') {
			resolve();
			this.#hooks.hangup();
		} else {
			reject(new SlussError(state === 'refused' ? 'refused-transfer' : 'failed-transfer', undefined,
				{ cause: reason }));
		}
	}

	#asks({ id, to }) {
		const tell = (state, reason) => this.#hooks.side().send({ type: 'referred', id, state, ...(reason ? { reason } : {}) });
		let address;

		try {
			({ address } = parseAddress(to));
		} catch {
			return tell('failed', 'bad-address');
		}
		if (this.#theirs || !this.#hooks.listens())
			return tell('refused');
		this.#theirs = id;
		const answer = () => {
			if (this.#theirs !== id || this.#hooks.over())
				throw new SlussError(this.#hooks.over() ? 'ended' : 'bad-state');
			this.#theirs = null;
		};

		this.#hooks.ask({
			to: address,
			refuse: () => {
				answer();
				tell('refused');
			},
			accept: async (options) => {
				answer();
				tell('trying');
				return this.#dial(address, options, tell);
			},
		});
	}

	async #dial(to, options, tell) {
		let call;

		try {
			[call] = await Promise.all([this.#hooks.dial(to, options), this.#hooks.hold()]);
		} catch (e) {
			tell('failed', e.code);
			throw e;
		}
		let said = null;
		const look = () => {
			const now = call.cause ? 'failed' : call.state;

			if (now === said || !isReferred(now))
				return;
			said = now;
			tell(now, call.cause?.reason);
			if (now !== 'ringing')
				call.removeEventListener('state', look);
		};

		call.addEventListener('state', look);
		look();
		return call;
	}
}
