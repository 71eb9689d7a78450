// sluss.d.ts beside what sluss.js really exports: the same names, and on each class the same members
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import * as sdk from '../../../webrtc/sdk/sluss.js';
import { Call } from '../../../webrtc/sdk/call.js';

const ts = createRequire(import.meta.url)('typescript');
const file = fileURLToPath(new URL('../../../webrtc/sdk/sluss.d.ts', import.meta.url));
const program = ts.createProgram([file], { noLib: true });
const checker = program.getTypeChecker();
const declared = new Map(checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file))).map((s) => [s.name, s]));

/** Listeners are EventTarget's, with types of their own. */
const NOT_COMPARED = /^(__constructor|constructor|length|name|prototype|addEventListener|removeEventListener)$/;
/** Names that a class has at run time (on its prototype, or its own), and those that are declared. */
const members = (object) => Object.getOwnPropertyNames(object).filter((name) => !NOT_COMPARED.test(name)).sort();
const names = (table) => [...table?.keys() ?? []].filter((name) => !NOT_COMPARED.test(name)).sort();

test('exports: what sluss.js exports is declared, with its kind; what is declared as a value is there', () => {
	const values = [...declared.values()].filter((s) => s.flags & ts.SymbolFlags.Value).map((s) => s.name);

	// A Call comes from a Phone only: its class is a type of the page's, and no export of the module.
	assert.deepEqual(values.filter((name) => name !== 'Call').sort(), Object.keys(sdk).sort());
});

for (const [name, type] of Object.entries({ Phone: sdk.Phone, Account: sdk.Account, Call })) {
	test(`exports: ${name} has the members that sluss.d.ts gives it`, () => {
		const symbol = declared.get(name);

		assert.ok(names(symbol.members).length > 3, 'there is something to compare');
		assert.deepEqual(names(symbol.members), members(type.prototype));
		assert.deepEqual(names(symbol.exports), members(type));
	});
}
