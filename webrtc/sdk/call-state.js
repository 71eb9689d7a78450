// call-state.js - where a call is. Pure tables, no browser objects.
//
// Who uses it: call.js. Three facts that do not depend on each other: the signalling phase (a
// table), whether the media path is up, and who holds. What the page sees as call.state is made
// from the three by shown() and kept nowhere else.
//
//   outgoing   calling ─ringing─► ringing ─accepted─► accepted ─established─► established
//   incoming                      ringing ─accepted─► accepted ─established─► established
//                                    ◄── unaccepted ───┘            ended from everywhere

/** phase -> event -> next phase. An event that has no entry changes nothing. */
export const phases = {
	calling: {
		ringing: 'ringing', accepted: 'accepted', established: 'established', ended: 'ended',
	},
	ringing: { accepted: 'accepted', established: 'established', ended: 'ended' },
	accepted: { unaccepted: 'ringing', established: 'established', ended: 'ended' },
	established: { ended: 'ended' },
	ended: {},
};

export const events = ['ringing', 'accepted', 'unaccepted', 'established', 'ended'];

export function step(phase, event) {
	return phases[phase][event] ?? phase;
}

/**
 * The state that the page sees.
 * @param media  'none' (never up), 'up', 'down' (was up, is interrupted)
 * @param hold   {local, remote}
 */
export function shown(phase, media, hold) {
	switch (phase) {
	case 'accepted':
		return 'connecting';
	case 'established':
		if (media === 'none')
			return 'connecting';
		return hold.local || hold.remote ? 'held' : 'connected';
	default:
		return phase;
	}
}
