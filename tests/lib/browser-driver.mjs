// tests/lib/browser-driver.mjs - a browser inside a host's network, driven over node's IPC channel. Started by
// browser.mjs as: node browser-driver.mjs chromium|firefox CA-FILE SPKI-HASHES PROFILE-DIR OPTIONS
//
// Chromium by playwright-core, Firefox by puppeteer-core and WebDriver BiDi; what the parent asks of either is the
// same handful of methods below. Pages are known by number.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const [, , kind, ca, spki, profile, options] = process.argv;
/** strict: sound only after somebody has used the page, as browsers come; devices: of the fake ones (Chromium), such
 *  as '=device-count=3'; prefs: further ones, or others (Firefox); args: further ones (Chromium). */
const { strict = false, devices = '', prefs = {}, args = [] } = JSON.parse(options ?? '{}');
const pages = new Map();
let browser, n_pages = 0;

function trust(dir) {
	mkdirSync(dir, { recursive: true });
	execFileSync('certutil', ['-N', '-d', `sql:${dir}`, '--empty-password']);
	execFileSync('certutil', ['-A', '-d', `sql:${dir}`, '-n', 'test root', '-t', 'C,,', '-i', ca]);
}

async function launchChromium() {
	const { chromium } = await import('playwright-core');
	process.env.HOME = profile;
	trust(join(profile, '.pki/nssdb'));
	return chromium.launch({
		executablePath: '/usr/bin/chromium', headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync', `--use-fake-device-for-media-stream${devices}`, '--use-fake-ui-for-media-stream',
			'--disable-features=WebRtcHideLocalIpsWithMdns',
			`--autoplay-policy=${strict ? 'document-user-activation-required' : 'no-user-gesture-required'}`,
			`--ignore-certificate-errors-spki-list=${spki}`, ...args],
	});
}

async function launchFirefox() {
	const { default: puppeteer } = await import('puppeteer-core');
	process.env.HOME = profile;
	trust(profile);
	return puppeteer.launch({
		browser: 'firefox', protocol: 'webDriverBiDi', executablePath: '/usr/bin/firefox-esr', headless: true, userDataDir: profile,
		extraPrefsFirefox: {
			'media.navigator.permission.disabled': true, 'media.navigator.streams.fake': true, 'media.autoplay.default': strict ? 1 : 0,
			'media.autoplay.blocking_policy': 0, 'media.autoplay.block-webaudio': strict, 'media.peerconnection.ice.obfuscate_host_addresses': false,
			'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false, 'network.proxy.type': 0,
			'browser.safebrowsing.malware.enabled': false, 'browser.safebrowsing.phishing.enabled': false, 'app.normandy.enabled': false,
			'datareporting.healthreport.uploadEnabled': false, 'toolkit.telemetry.enabled': false, 'services.settings.server': 'data:,',
			'network.trr.mode': 5, 'network.dns.disableIPv6': true, ...prefs,
		},
	});
}

function say(event, fields) {
	process.send?.({ event, ...fields });
}

async function show(id, context, script, url) {
	const page = await context.newPage();
	page.on('console', (m) => say('console', { page: id, kind: m.type(), text: m.text() }));
	page.on('pageerror', (e) => say('pageerror', { page: id, text: String(e?.stack ?? e) }));
	if (script) {
		if (kind === 'chromium')
			await page.addInitScript({ content: script });
		else
			await page.evaluateOnNewDocument(`(() => {${script}})()`);
	}
	const popups = [];
	page.on('popup', (p) => p && popups.push(p));
	pages.set(id, { page, context, popups });
	await page.goto(url, { waitUntil: 'load' });
}

/** Nobody clicks in a page that is behind another one; and a hidden one is drawn ever less often by Firefox, for which its
 *  driver waits before it clicks: 2 s, half a minute later 25 s, then minutes. */
async function inFront(n) {
	const { page } = pages.get(n);
	if (kind === 'firefox' && await page.evaluate('document.hidden'))
		await page.bringToFront();
	return page;
}

const methods = {
	async open({ url, script, permissions, locale, size }) {
		const id = ++n_pages;
		const context = kind === 'chromium' ? await browser.newContext({ permissions: permissions ?? ['microphone', 'camera'], locale,
				...(size ? { viewport: size } : {}) })
			: await browser.createBrowserContext();
		await show(id, context, script, url);
		return id;
	},
	/** Another tab beside a page: the same cookies, storage and permissions. */
	async tab({ page, url, script }) {
		const id = ++n_pages;
		await show(id, pages.get(page).context, script, url);
		return id;
	},
	async closeTab({ page }) {
		const { page: p } = pages.get(page);
		pages.delete(page);
		await p.close();
	},
	/** In front of the others of its window; in Firefox those are hidden then. */
	async front({ page }) {
		await pages.get(page).page.bringToFront();
	},
	/** The DevTools protocol; Chromium. */
	async cdp({ page, method, params }) {
		const { page: p, context } = pages.get(page);
		const session = await context.newCDPSession(p);
		try {
			return await session.send(method, params);
		} finally {
			await session.detach();
		}
	},
	/** Permits what the driver has no name for, by the browser's own (W3C Permissions); Chromium. */
	async allow({ page, name }) {
		const { page: p, context } = pages.get(page);
		const one = await context.newCDPSession(p), all = await browser.newBrowserCDPSession();
		try {
			const { targetInfo: { browserContextId } } = await one.send('Target.getTargetInfo');
			await all.send('Browser.setPermission', { permission: { name }, setting: 'granted', browserContextId });
		} finally {
			await one.detach();
			await all.detach();
		}
	},
	/** Runs in the page's service worker; Chromium. */
	async worker({ page, source, arg }) {
		const { context } = pages.get(page);
		const [worker] = context.serviceWorkers();
		if (!worker)
			throw new Error('there is no service worker');
		return worker.evaluate(`(${source})(${JSON.stringify(arg ?? null)})`);
	},
	/** The window that this page has opened; waits for it. Its number is a page's. */
	async popup({ page, ms }) {
		const { popups, context } = pages.get(page);
		for (const end = Date.now() + ms; popups.length === 0;) {
			if (Date.now() > end)
				throw new Error(`no window was opened within ${ms} ms`);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		const id = ++n_pages;
		pages.set(id, { page: popups.shift(), context, popups: [] });
		return id;
	},
	async goto({ page, url }) {
		await pages.get(page).page.goto(url, { waitUntil: 'load' });
	},
	async fill({ page, selector, text }) {
		const p = await inFront(page);
		if (kind === 'chromium') {
			await p.fill(selector, text);
		} else {
			await p.locator(selector).fill(text);
		}
	},
	async click({ page, selector }) {
		const p = await inFront(page);
		await (kind === 'chromium' ? p.click(selector) : p.locator(selector).click());
	},
	async press({ page, key }) {
		await pages.get(page).page.keyboard.press(key);
	},
	async type({ page, text }) {
		await pages.get(page).page.keyboard.type(text);
	},
	/** Size, and 'dark' or 'light'; motion is reduced, so that pictures of the page stand still. Chromium. */
	async look({ page, width, height, scheme }) {
		const { page: p } = pages.get(page);
		await p.setViewportSize({ width, height });
		await p.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
	},
	/** Runs a script of ours in the page, past its Content-Security-Policy. */
	async inject({ page, content }) {
		await pages.get(page).page.evaluate(`${content}; undefined`);
	},
	async evaluate({ page, source, arg }) {
		return pages.get(page).page.evaluate(`(${source})(${JSON.stringify(arg ?? null)})`);
	},
	/** Runs in each frame of the page that this address has led to; gives the answers of those that are still there. */
	async frames({ page, url, source, arg }) {
		const call = `location.href.startsWith(${JSON.stringify(url)}) ? (${source})(${JSON.stringify(arg ?? null)}) : undefined`;
		const answers = await Promise.allSettled(pages.get(page).page.frames().map((frame) => frame.evaluate(call)));
		return answers.map(({ value }) => value).filter((value) => value !== undefined && value !== null);
	},
	/** Waits until the function gives something true, and gives that. By asking again: the drivers' own waiting
	 *  evaluates text inside the page, which the phone's Content-Security-Policy forbids. */
	async wait({ page, source, arg, ms }) {
		const { page: p } = pages.get(page);
		const call = `(${source})(${JSON.stringify(arg ?? null)})`;
		for (const end = Date.now() + ms; ;) {
			const got = await p.evaluate(call).catch((error) => {
				if (!/context|navigat|detached/i.test(error.message))
					throw error;
			});
			if (got)
				return got;
			if (Date.now() > end)
				throw new Error(`not within ${ms} ms; the page shows: ${await p.evaluate('document.body.innerText.slice(0, 500)')}`);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	},
	async screenshot({ page, path, width, height }) {
		const { page: p } = pages.get(page);
		if (width)
			await (kind === 'chromium' ? p.setViewportSize({ width, height }) : p.setViewport({ width, height }));
		await p.screenshot({ path });
	},
	async closePage({ page }) {
		const { context } = pages.get(page);
		pages.delete(page);
		await context.close();
	},
	async version() {
		return browser.version();
	},
	async quit() {
		await browser.close();
	},
};

try {
	browser = await (kind === 'chromium' ? launchChromium() : launchFirefox());
	say('ready', {});
} catch (error) {
	say('failed', { text: String(error?.stack ?? error) });
	process.exit(1);
}
process.on('message', async ({ id, method, args }) => {
	try {
		const result = await methods[method](args ?? {});
		process.send({ id, result });
	} catch (error) {
		process.send({ id, error: `${method}: ${error?.message ?? error}` });
	}
	if (method === 'quit')
		process.exit(0);
});
process.on('disconnect', () => process.exit(0));
