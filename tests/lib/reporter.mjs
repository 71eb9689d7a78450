// tests/lib/reporter.mjs - node --test's reporter: "ok SUITE/FILE/NAME", "not ok …", "skip …: why" on standard
// output, what went wrong on standard error.
import { inspect } from 'node:util';

const suite = process.env.SLUSS_SUITE ?? 'node';

function words(text) {
	return String(text).replace(/[\r\n]+/g, ' ');
}

function cause(error) {
	const inner = error?.cause ?? error;
	return inner?.stack ?? inspect(inner, { depth: 4 });
}

export default async function* report(source) {
	const path = [];
	for await (const event of source) {
		const { type, data } = event;
		if (type === 'test:start') {
			path.length = data.nesting;
			path[data.nesting] = data.name;
		} else if (type === 'test:pass' || type === 'test:fail') {
			const isFile = data.nesting === 0 && data.name.endsWith('.test.mjs');
			const isSuite = data.details?.type === 'suite';
			if (type === 'test:fail') {
				const kind = data.details?.error?.failureType;
				process.stderr.write(`${data.name}\n${cause(data.details?.error)}\n`);
				if ((isSuite || isFile) && kind === 'subtestsFailed')
					continue;
			} else if (isSuite || isFile) {
				continue;
			}
			const name = isFile ? suite : words([suite, ...path.slice(0, data.nesting), data.name].join('/'));
			if (data.skip !== undefined && data.skip !== false)
				yield `skip ${name}: ${words(data.skip === true || data.skip === '' ? 'no reason given' : data.skip)}\n`;
			else
				yield `${type === 'test:pass' ? 'ok' : 'not ok'} ${name}\n`;
		} else if (type === 'test:stdout' || type === 'test:stderr') {
			process.stderr.write(data.message);
		}
	}
}
