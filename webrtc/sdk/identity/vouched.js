// vouched.js - who the other side of one call is, as far as it is proved, and what that does to the call.
//
// Who uses it: call.js has one; each line of the call has one LineIdentity from it, which its peer connection asks.
// What it calls: verifier.js for theirs, own.js for ours.
//
// Once a name is verified the connection keeps it (RFC 8827 §5.1.4): each later description has to come with an
// identity of the same name, whatever else it changes; else the call ends. A line that takes another's place has to
// be of the same name too.

import { covers, identityOf } from './assertion.js';
import { hasNative } from './native.js';
import { FRESH_MS } from './own.js';
import { profileOf } from './verifier.js';

/** Firefox's own words when a later description is not of the name that it knows. */
const NOT_THE_SAME = /Peer Identity mismatch|IdP validation error|assertion name error/;

/** A call that finds no path waits so long for what is being verified: that may be why. */
const WHY_MS = 5000;

export class Mismatch extends Error {}

/** One peer connection's: what Peer asks. */
class LineIdentity {
	#call;
	#own;
	#verifier;
	#before;
	#certificate;
	#good = null;
	/** what could not be checked: {value, at} */
	#tried = null;
	#checking = Promise.resolve();

	/** @param before  the line whose place this one may take: it has the same key, so that nobody has to be asked anew */
	constructor(call, own, verifier, before) {
		this.#call = call;
		this.#own = own;
		this.#verifier = verifier;
		this.#before = before;
		this.#certificate = before ? before.#certificate : own?.takeKey() ?? null;
	}

	/** What is verified of the other end, or null. */
	get good() { return this.#good; }
	/** Settles when nothing is being checked. */
	get settled() { return this.#checking; }

	/** For the configuration of the connection. */
	get keys() {
		return this.#certificate ? { certificates: [this.#certificate] } : {};
	}

	/** a=identity for a description of ours, or null. */
	async own(sdp) {
		return await this.#own?.value(sdp, this.#certificate, this.#call.peer) ?? null;
	}

	/** A description of theirs, as it came. @param set  async (): gives it to the connection */
	async given(sdp, pc, set) {
		const claim = identityOf(sdp);

		this.#good ??= this.#known(claim, sdp);
		const good = this.#good;

		if (good && !this.#same(claim))
			this.#break('a description came without the identity that was verified');
		if (!claim && this.#call.expected)
			this.#break('nobody vouches for who this is');
		if (good && !this.#covered(sdp)) {
			// Other keys under the same name: not before that is verified.
			await this.#check(sdp, null);
			if (!this.#good || !this.#covered(sdp))
				this.#break('a description came with other keys, and nobody vouches for them');
		}
		// Taken before: Firefox puts another promise in its place.
		const native = claim && !good && hasNative() ? pc.peerIdentity : null;

		native?.catch(() => {});
		try {
			await set();
		} catch (e) {
			if (good && NOT_THE_SAME.test(e?.message ?? ''))
				this.#break(e.message);
			throw e;
		}
		if (good?.by === 'native') // the browser has waited for its own judgement
			this.#good = Object.freeze({ ...good, value: claim.value });
		else if (claim && (claim.bad || (claim.value !== this.#good?.value && !this.#tooLate(claim))))
			this.#check(sdp, native).catch(() => {});
	}

	/** The very assertion, for the very keys, that has been verified at the line before, or null. */
	#known(claim, sdp) {
		const good = this.#before?.good;

		return good && claim && claim.value === good.value && good.contents !== null && covers(good.contents, sdp) ? good : null;
	}

	/** An assertion is verified for the first time while it is fresh, or not at all. */
	#tooLate({ value }) {
		return value === this.#tried?.value && performance.now() - this.#tried.at > FRESH_MS;
	}

	#same(claim) {
		return Boolean(claim?.idp) && claim.idp.domain === this.#good.idp && claim.idp.protocol === this.#good.protocol;
	}

	/** By a browser's own check alone the keys are not known here; the browser holds on to them itself. */
	#covered(sdp) {
		return this.#good.contents === null ? this.#good.by === 'native' : covers(this.#good.contents, sdp);
	}

	/** One after the other. */
	#check(sdp, native) {
		const mine = this.#checking.then(async () => {
			const verdict = await this.#verifier.judge(sdp, native);
			const { value } = identityOf(sdp);

			if (verdict.status === 'unchecked' && value !== this.#tried?.value)
				this.#tried = { value, at: performance.now() };
			this.#judged(verdict);
		});

		this.#checking = mine.catch(() => {});
		this.#call.checks(1, this.#checking);
		return mine;
	}

	#judged(verdict) {
		const before = this.#good;

		if (verdict.status === 'mismatch')
			this.#break(verdict.why);
		if (verdict.status === 'verified') {
			if (before && before.name !== verdict.name)
				this.#break('the name has changed');
			this.#good = Object.freeze({ ...verdict, by: before?.by === 'native' ? 'native' : verdict.by });
		}
		this.#call.judged(this, verdict);
	}

	#break(why) {
		this.#call.broken(this, why);
		throw new Mismatch(why);
	}
}

export class Vouched {
	#own;
	#verifier;
	#hooks;
	#base;
	#shown = null;
	#line = null;
	/** verified before there was a connection: a contact's */
	#early = null;
	#wrong = null;
	#unchecked = null;
	#under = 0;
	#checking = Promise.resolve();
	#expected;

	/**
	 * @param link   phone.js's: {own, verifier, early(remote, idp)}, or undefined: there are no identities
	 * @param hooks  changed(); mismatch(line, why): somebody has tampered; line: the LineIdentity it was found at
	 */
	constructor(link, remote, hooks) {
		this.#own = link?.own ?? null;
		this.#verifier = link?.verifier ?? null;
		this.#hooks = hooks;
		this.#base = remote;
	}

	/** Who it is, for the page: what the site says, and `identity`. */
	get remote() {
		this.#shown ??= Object.freeze({ ...this.#base, identity: Object.freeze(this.#identity()) });
		return this.#shown;
	}

	set remote(remote) {
		this.#base = remote ?? this.#base;
		this.#shown = null;
	}

	/** What is verified of the line in use, with the assertion that says so, or null. */
	get proof() {
		return this.#line?.good ?? null;
	}

	/** What the page may be told, of what the site says of the keys. */
	encryption(site) {
		if (site !== 'claimed' && site !== 'end-to-end')
			return site;
		return this.#line?.good ? 'end-to-end' : 'claimed';
	}

	/** The name that has to be the other side's, or the call ends. */
	expect(name) {
		this.#expected = name;
	}
	get expected() { return this.#expected; }

	/** Whom our descriptions are for: user@domain. */
	get peer() { return this.#base.address; }

	/** For a line that opens its connection. */
	line() {
		const line = this.#verifier ? new LineIdentity(this, this.#own, this.#verifier, this.#line) : null;

		this.#line ??= line;
		return line;
	}

	/** This line is the call's now. */
	over(line) {
		this.#line = line;
		this.#changed();
	}

	/** May this line take the place of the one in use? true, or a promise of the answer. */
	follows(line) {
		const before = this.#line?.good;

		if (!before)
			return true;
		return (line?.settled ?? Promise.resolve()).then(() => line?.good?.name === before.name && line.good.idp === before.idp);
	}

	/** The offer of a contact, before the call is taken: by the frame alone, there is no connection yet. */
	async before(sdp) {
		const verdict = await this.#verifier.judge(sdp);

		if (this.#line)
			return;
		if (verdict.status === 'verified')
			this.#early = Object.freeze(verdict);
		else if (verdict.status === 'mismatch')
			this.broken(null, verdict.why);
		this.#changed();
	}

	/** With a wrong key no path comes up, and that shows sooner than why: what is being checked goes first. */
	first(what, reason = 'media') {
		if (!this.#under || reason !== 'media')
			return what();
		return Promise.race([this.#checking, new Promise((resolve) => { setTimeout(resolve, WHY_MS); })]).then(what);
	}

	/** From a line */

	checks(n, done) {
		this.#under += n;
		this.#checking = Promise.all([this.#checking, done]);
		this.#changed();
		done.then(() => {
			this.#under -= n;
			this.#changed();
		});
	}

	judged(line, verdict) {
		if (this.#expected && verdict.name !== this.#expected)
			this.broken(line, verdict.why ?? 'it is somebody else');
		this.#unchecked = verdict.status === 'unchecked' ? verdict.why : null;
		this.#changed();
	}

	broken(line, why) {
		// A second line that is wrong is not taken; the call itself goes on.
		if (!line || !this.#line || line === this.#line)
			this.#wrong = why;
		this.#changed();
		this.#hooks.mismatch(line, why);
	}

	#changed() {
		this.#shown = null;
		this.#hooks.changed();
	}

	/** {status, name, idp, profile, by, why?, checking?} */
	#identity() {
		const { site, identity: said } = this.#base;
		const none = { name: null, idp: null, profile: null, by: null };
		const good = this.#line?.good ?? this.#early;

		if (this.#wrong)
			return { status: 'mismatch', ...none, why: this.#wrong };
		if (good)
			return { status: 'verified', name: good.name, idp: good.idp, profile: good.profile, by: good.by };
		const more = { ...(this.#under ? { checking: true } : {}), ...(this.#unchecked ? { why: this.#unchecked } : {}) };

		if (said?.status === 'verified')
			return { status: 'verified', name: said.name, idp: said.idp, profile: profileOf(said.profile), by: 'site', ...more };
		if (said?.status === 'failed')
			return { status: 'mismatch', ...none, by: 'site', why: said.why ?? 'the site says that the identity is wrong' };
		return { status: site?.verified ? 'domain' : 'none', ...none, ...(said?.why ? { why: said.why } : {}), ...more };
	}
}
