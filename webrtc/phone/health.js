// health.js - says under a call how its connection does: a verdict in one line, figures on request.
//
// Who uses it: talk.js. It asks call.stats() every two seconds and lets quality.js judge; only a
// verdict that has held twice replaces the one that is read, so that nothing flickers.

import { $, say } from './dom.js';
import { judge } from './quality.js';
import { words } from './words.js';

export const LOOK_MS = 2000;

export class Health {
	#call = null;
	#timer = null;
	#before = null;
	#next = null;

	/** Begins to look at a call, or stops with null. */
	watch(call) {
		if (call === this.#call)
			return;
		clearInterval(this.#timer);
		this.#call = call;
		this.#before = null;
		this.#next = null;
		$('health').hidden = true;
		say($('health-verdict'), null);
		if (call)
			this.#timer = setInterval(() => this.#look(call), LOOK_MS);
	}

	async #look(call) {
		const now = await call.stats().catch(() => null);

		if (call !== this.#call || !now)
			return;
		const before = this.#before;

		this.#before = now;
		if (!before || call.interrupted)
			return;
		this.#show(judge(before, now, { sound: !call.held.local && !call.held.remote }));
	}

	#show({ tone, problems, facts }) {
		const verdict = problems.length ? words(problems[0].key, problems[0].fill) : words('health.good');
		const kind = problems[0]?.key ?? 'good';

		$('health').hidden = false;
		$('health-facts').replaceChildren(...facts.flatMap(({ key, fill }) => [
			line('dt', words(key.startsWith('fact.path') ? 'fact.path' : `${key}.name`)), line('dd', words(key, fill)),
		]));
		if (kind !== this.#next && $('health-verdict').textContent) {
			this.#next = kind;
			return;
		}
		this.#next = kind;
		$('health').dataset.tone = tone;
		if ($('health-verdict').textContent !== verdict)
			say($('health-verdict'), verdict);
		$('health-more').replaceChildren(...problems.slice(1).map((p) => line('li', words(p.key, p.fill))));
	}
}

function line(tag, text) {
	const el = document.createElement(tag);

	el.textContent = text;
	return el;
}
