// offer-answer.js - whose turn it is to describe the media in an established call. A pure table.
//
// Who uses it: negotiator.js, which does what the actions say. The site lets one offer through at a
// time. When ours meets theirs, ours is taken back (rollback), theirs is answered, and ours goes out
// again later: at once if it had never left, else after the 491 timer that starts when the site
// refuses ours with `glare` (RFC 3261 §14.1; RFC 8829 §4.1.10.2 for the rollback).
//
//            change            made                 answer
//   stable ─────────► making ───────► sent ───────────────────► stable
//     ▲                 │ offer         │ offer   │ glare
//     │ done            ▼               ▼         ▼
//     └────────────── answering ◄───────┘      waiting ─timer─► making
//
// State: { at, wanted, owed, timer }
//   wanted  something changed since the last offer was made: offer again when it is our turn
//   owed    an offer of ours was taken back after it had been sent; the site will refuse it
//   timer   the 491 timer runs
// withdrawn: they took their offer back when our answer was already set. The peer connection cannot
// undo that, so an offer of ours follows and brings both sides together again.
// Actions: make, send, apply, take (answer theirs), refuse (theirs, glare), rollback, wait (start the
// 491 timer), fail (tell those who asked for the change).

export const start = Object.freeze({ at: 'stable', wanted: false, owed: false, timer: false });

export const events = ['change', 'made', 'make-failed', 'offer', 'done', 'answer', 'glare',
	'refused', 'withdrawn', 'timer'];

/** What comes after a turn has ended: wait for our refusal or timer, offer again, or rest. */
function next(s, ...actions) {
	if (s.owed || s.timer)
		return [{ ...s, at: 'waiting' }, ...actions];
	if (s.wanted)
		return [{ ...s, at: 'making', wanted: false }, ...actions, 'make'];
	return [{ ...s, at: 'stable' }, ...actions];
}

const want = (s) => [{ ...s, wanted: true }];
const glareOwed = (s) => (s.owed ? [{ ...s, owed: false, timer: true, wanted: true }, 'wait'] : [s]);
const refusedOwed = (s) => (s.owed ? [{ ...s, owed: false }] : [s]);

export const table = {
	stable: {
		change: (s) => [{ ...s, at: 'making' }, 'make'],
		offer: (s) => [{ ...s, at: 'answering' }, 'take'],
	},
	making: {
		change: want,
		made: (s) => [{ ...s, at: 'sent' }, 'send'],
		'make-failed': (s) => next(s, 'rollback', 'fail'),
		offer: (s) => [{ ...s, at: 'answering', wanted: true }, 'rollback', 'take'],
	},
	sent: {
		change: want,
		answer: (s) => next(s, 'apply'),
		glare: (s) => [{ ...s, at: 'waiting', wanted: true, timer: true }, 'rollback', 'wait'],
		refused: (s) => next(s, 'rollback', 'fail'),
		offer: (s) => [{ ...s, at: 'answering', wanted: true, owed: true }, 'rollback', 'take'],
	},
	waiting: {
		change: want,
		glare: glareOwed,
		refused: (s) => next({ ...s, owed: false }),
		timer: (s) => next({ ...s, timer: false }),
		offer: (s) => [{ ...s, at: 'answering' }, 'take'],
	},
	answering: {
		change: want,
		done: (s) => next(s),
		withdrawn: want,
		glare: glareOwed,
		refused: refusedOwed,
		timer: (s) => [{ ...s, timer: false }],
		offer: (s) => [s, 'refuse'],
	},
};

/** -> [next state, action, …]. An event without an entry changes nothing. */
export function step(state, event) {
	const row = table[state.at][event];

	return row ? row(state) : [state];
}

/**
 * How long to wait after a refusal for glare: whoever made the call 2.1 to 4.0 s, the other 0 to
 * 2.0 s, in steps of 10 ms (RFC 3261 §14.1).
 */
export function glareMs(madeTheCall, random = Math.random) {
	return madeTheCall ? 2100 + 10 * Math.floor(random() * 191) : 10 * Math.floor(random() * 201);
}
