// sluss.js - the Sluss SDK: make and take calls from a web page. One ES module, no build step.
//
//   import { Phone } from '/sdk/sluss.js';
//   const phone = await Phone.connect();
//   const call = await phone.call('per@beta.example');
//
// The types are in sluss.d.ts, the explanation with examples in docs/sdk.md.

export { Account } from './account.js';
export { Phone } from './phone.js';
export { SlussError } from './errors.js';
export { showIdentity } from './identity/show.js';
