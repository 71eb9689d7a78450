// signin.js - the first view: signing in, and making an account where the site is open to it.
//
// Who uses it: phone.js. What it calls: the SDK's Phone.register(), and what phone.js gives it to
// sign in with.

import { Phone } from '../sdk/sluss.js';
import { $, focus, pressed, say } from './dom.js';
import { errorWords, words } from './words.js';

export class Signin {
	#signIn;
	#site = null;
	#registering = false;
	#busy = false;
	#wait = null;
	/** the Book of whoever has just left, or null */
	#left = null;

	/** @param signIn  async (user, password): throws a SlussError */
	constructor(signIn) {
		this.#signIn = signIn;
		$('signin-form').addEventListener('submit', (ev) => {
			ev.preventDefault();
			this.#submit();
		});
		$('signin-toggle').addEventListener('click', () => {
			this.#registering = !this.#registering;
			this.#render();
			this.#error(null);
			focus($('signin-title'));
		});
		$('forget').addEventListener('click', () => this.#forget());
		$('signin-show').addEventListener('click', () => this.#reveal());
		$('signin-user').addEventListener('input', () => this.#hint());
	}

	/**
	 * @param note  why one has to sign in (again), or nothing
	 * @param left  {user, book}: who has left, and may want to leave nothing here
	 */
	async show(note, left = null) {
		this.#left = left;
		$('signin-forget').hidden = !left;
		if (left)
			$('forget').textContent = words('signin.forget', { user: left.user });
		this.#registering = false;
		say($('signin-note'), note);
		$('signin-password').value = '';
		this.#error(null);
		this.#render();
		$('signin-user').focus();
		if (!this.#site) {
			this.#site = await Phone.site().catch(() => null);
			this.#render();
		}
	}

	#forget() {
		const { user, book } = this.#left;

		book.forget();
		this.#left = null;
		$('signin-forget').hidden = true;
		say($('signin-note'), words('signin.forgotten', { user }));
		$('signin-user').focus();
	}

	#render() {
		const kind = this.#registering ? 'register' : 'signin';
		const password = $('signin-password');

		$('signin-title').textContent = words(`${kind}.title`);
		say($('signin-site'), this.#site ? words(`${kind}.site`, { site: this.#site.site }) : '');
		$('signin-submit').textContent = words(`${kind}.submit`);
		$('signin-other').textContent = words(this.#registering ? 'register.other' : 'signin.other');
		$('signin-toggle').textContent = words(this.#registering ? 'register.tosignin'
			: 'signin.toregister');
		$('signin-switch').hidden = !this.#site?.registration;
		$('signin-password-hint').hidden = !this.#registering;
		password.autocomplete = this.#registering ? 'new-password' : 'current-password';
		this.#hint();
	}

	#hint() {
		const user = this.#user();

		say($('signin-hint'), this.#registering && user && this.#site
			? words('register.hint', { address: `${user.toLowerCase()}@${this.#site.site}` }) : '');
	}

	/** The name before the @: people may type their whole address. */
	#user() {
		const typed = $('signin-user').value.trim();
		const at = typed.lastIndexOf('@');

		return this.#site && at > 0 && typed.slice(at + 1).toLowerCase() === this.#site.site
			? typed.slice(0, at) : typed;
	}

	#reveal() {
		const field = $('signin-password');
		const shown = field.type === 'password';

		field.type = shown ? 'text' : 'password';
		pressed($('signin-show'), shown);
		for (const attribute of ['aria-label', 'title'])
			$('signin-show').setAttribute(attribute, words(shown ? 'signin.hide' : 'signin.show'));
	}

	#error(text, field) {
		clearInterval(this.#wait);
		say($('signin-error'), text);
		for (const one of [$('signin-user'), $('signin-password')])
			one.setAttribute('aria-invalid', String(one === field));
		field?.focus();
	}

	async #submit() {
		const user = this.#user();
		const password = $('signin-password').value;

		if (this.#busy)
			return;
		if (!user)
			return this.#error(words('signin.need.user'), $('signin-user'));
		if (user.includes('@') && this.#site)
			return this.#error(words('signin.othersite', { site: this.#site.site }), $('signin-user'));
		if (!password)
			return this.#error(words('signin.need.password'), $('signin-password'));

		this.#error(null);
		this.#busy = true;
		$('signin-submit').setAttribute('aria-busy', 'true');
		try {
			if (this.#registering) {
				await Phone.register({ user, password });
				this.#registering = false;
				this.#render();
			}
			await this.#signIn(user, password);
			$('signin-password').value = '';
			if ($('signin-password').type === 'text')
				this.#reveal();
		} catch (e) {
			this.#failed(e);
		} finally {
			this.#busy = false;
			$('signin-submit').removeAttribute('aria-busy');
		}
	}

	#failed(e) {
		if (e.retryS)
			this.#countDown(e.retryS);
		else if (e.code === 'bad-login')
			this.#error(words('signin.bad'), $('signin-password'));
		else
			this.#error(errorWords(e));
	}

	#countDown(seconds) {
		const until = Date.now() + seconds * 1000;
		const tick = () => {
			const left = Math.ceil((until - Date.now()) / 1000);

			if (left <= 0)
				this.#error(null);
			else
				say($('signin-error'), words('signin.wait', { seconds: left }));
		};

		this.#error(null);
		tick();
		this.#wait = setInterval(tick, 1000);
	}
}
