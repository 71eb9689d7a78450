// tests/lib/ca.mjs - certificate authorities for a test: a root, an intermediate below it, and every kind of
// leaf a SIP site may show. Files are PEM; a leaf's file carries the whole chain but the root.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync, mkdirSync, copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const DAY_MS = 86_400_000;

function stamp(ms) {
	return new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14) + 'Z';
}

export class Authority {
	/** @param dir  made if missing   @param name  for the root's subject */
	constructor(dir, name = 'Sluss test root') {
		this.dir = dir;
		this.serial = 1;
		mkdirSync(join(dir, 'new'), { recursive: true });
		this.root = this.#file('root.pem');
		this.intermediate = this.#file('intermediate.pem');
		this.#key('root');
		this.#openssl(['req', '-x509', '-new', '-key', this.#file('root.key'), '-subj', `/CN=${name}`, '-days', '30',
			'-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-out', this.root]);
		this.#key('intermediate');
		this.#issue({
			name: 'intermediate', issuer: 'root', subject: `/CN=${name}, intermediate`,
			extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign,cRLSign'],
		});
	}

	#file(name) {
		return join(this.dir, name);
	}

	#openssl(args) {
		return execFileSync('openssl', args, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] });
	}

	#key(name, kind = 'P-256') {
		const how = kind === 'RSA' ? ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] : ['EC', '-pkeyopt', `ec_paramgen_curve:${kind}`];
		this.#openssl(['genpkey', '-algorithm', ...how, '-out', this.#file(`${name}.key`)]);
	}

	#issue({ name, issuer, subject, extensions, from, to }) {
		const conf = this.#file(`${name}.cnf`);
		writeFileSync(this.#file('index.txt'), '');
		writeFileSync(this.#file('serial'), (this.serial++ + 4096).toString(16));
		writeFileSync(conf, `[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=new\n` +
			`default_md=sha256\npolicy=p\nunique_subject=no\ncopy_extensions=none\n[p]\ncommonName=supplied\n[x]\n` +
			`${extensions.join('\n')}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`);
		this.#openssl(['req', '-new', '-key', this.#file(`${name}.key`), '-subj', subject, '-out', this.#file(`${name}.csr`)]);
		this.#openssl(['ca', '-batch', '-notext', '-config', conf, '-extensions', 'x', '-cert', this.#file(`${issuer}.pem`),
			'-keyfile', this.#file(`${issuer}.key`), '-in', this.#file(`${name}.csr`), '-out', this.#file(`${name}.pem`),
			'-startdate', stamp(from ?? Date.now() - DAY_MS), '-enddate', stamp(to ?? Date.now() + 30 * DAY_MS)]);
	}

	/** A leaf. `san`: ["DNS:alpha.test", "URI:sip:alpha.test"], empty for none. Times in ms since 1970.
	 *  `kind`: "P-256", another
	 *  curve or "RSA"; `extra`: lines of openssl's extensions. Gives {cert, key, name}: cert is leaf and intermediate, or the leaf alone with chain: false. */
	leaf(name, { cn = name, san = [`DNS:${cn}`], from, to, chain = true, usage = 'serverAuth', kind = 'P-256', extra = [] } = {}) {
		this.#key(name, kind);
		const extensions = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];
		if (usage)
			extensions.push(`extendedKeyUsage=${usage}`);
		if (san.length > 0)
			extensions.push(`subjectAltName=${san.join(',')}`);
		extensions.push(...extra);
		this.#issue({ name, issuer: 'intermediate', subject: `/CN=${cn}`, extensions, from, to });
		if (chain) {
			writeFileSync(this.#file(`${name}.pem`),
				readFileSync(this.#file(`${name}.pem`)) + readFileSync(this.intermediate, 'utf8'));
		}
		return { name, cert: this.#file(`${name}.pem`), key: this.#file(`${name}.key`) };
	}

	valid(domain) {
		return this.leaf(domain);
	}

	/** For a site and its identity provider. */
	withIdp(domain) {
		return this.leaf(domain, { san: [`DNS:${domain}`, `DNS:idp.${domain}`] });
	}

	expired(domain, days = 1) {
		const to = Date.now() - days * DAY_MS + 3_600_000;
		return this.leaf(`${domain}-expired`, { cn: domain, from: to - 30 * DAY_MS, to });
	}

	notYet(domain) {
		return this.leaf(`${domain}-not-yet`, { cn: domain, from: Date.now() + DAY_MS, to: Date.now() + 10 * DAY_MS });
	}

	rsa(domain) {
		return this.leaf(`${domain}-rsa`, { cn: domain, kind: 'RSA' });
	}

	wrongName(domain, other = 'wrong.test') {
		return this.leaf(`${domain}-wrong`, { cn: other });
	}

	wildcard(domain) {
		return this.leaf(`${domain}-wildcard`, { cn: domain, san: [`DNS:*.${domain.replace(/^[^.]*\./, '')}`, `DNS:*.${domain}`] });
	}

	cnOnly(domain) {
		return this.leaf(`${domain}-cn`, { cn: domain, san: [] });
	}

	uriSan(domain) {
		return this.leaf(`${domain}-uri`, { cn: 'sip proxy', san: [`URI:sip:${domain}`, 'DNS:proxy.test'] });
	}
}

/** The sha-256 of the key in a certificate file, base64: Chromium's --ignore-certificate-errors-spki-list. */
export function spkiHash(cert) {
	const key = execFileSync('openssl', ['x509', '-in', cert, '-noout', '-pubkey']);
	const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], { input: key });
	return execFileSync('openssl', ['dgst', '-sha256', '-binary'], { input: der }).toString('base64');
}

/** Puts one pair in the place of another, as an operator's renewal does: both files by rename. */
export function swap(place, pair) {
	for (const kind of ['key', 'cert']) {
		copyFileSync(pair[kind], `${place[kind]}.new`);
		renameSync(`${place[kind]}.new`, place[kind]);
	}
}
