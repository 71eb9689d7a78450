// call-doors.js - the names under which phone.js alone reaches into a call.
//
// Who uses them: phone.js and call.js.

/** An event from the site, the start of an outgoing call, new STUN and TURN servers, the end of all. */
export const EVENT = Symbol('event');
export const START = Symbol('start');
export const ICE = Symbol('ice');
export const END = Symbol('end');
/** `incoming` with `replaces`: the other side goes on from another device, or joins again. -> taken? */
export const MOVE = Symbol('move');
/** Its Rejoin: is the site there for this call? And: this machine's network has changed. */
export const REJOIN = Symbol('rejoin');
export const NETWORK = Symbol('network');
/** What is known of who the other side is. */
export const VOUCHED = Symbol('vouched');
