// sluss.d.ts - the types of the Sluss SDK. What they mean stands in docs/sdk.md.

/** 'online': calls come and go. 'reconnecting': being tried again. 'offline': no network, or over. */
export type PhoneState = 'online' | 'reconnecting' | 'offline';

export type CallState = 'calling' | 'ringing' | 'connecting' | 'connected' | 'held' | 'ended';

/** How the media travel. */
export type MediaMode = 'direct' | 'relay' | 'anchor';

/** 'end-to-end': proved. 'claimed': both sites say so. 'to-gateway': the gateway can hear. */
export type Encryption = 'end-to-end' | 'claimed' | 'to-gateway';

export type MediaKind = 'audio' | 'video';

export type CauseReason =
	| 'hangup' | 'cancelled' | 'elsewhere' | 'busy' | 'declined' | 'no-answer' | 'offline'
	| 'not-found' | 'no-route' | 'unreachable' | 'timeout' | 'forbidden' | 'media' | 'glare'
	| 'loop' | 'bad-request' | 'limit' | 'lost' | 'shutdown' | 'internal' | 'gone' | 'redirect'
	| 'mismatch' | 'other';

/** Why a call ended. 'mismatch': the identity that came with it is wrong, or is another one than before. */
export interface Cause {
	/** A SIP status code. */
	readonly code: number;
	readonly reason: CauseReason;
	/** A sentence for people. */
	readonly text: string;
}

/** Who is at the other end. */
export interface Remote {
	/** user@domain */
	readonly address: string;
	/** What they call themselves; nobody vouches for it. May be empty. */
	readonly name: string;
	readonly site: {
		readonly domain: string;
		/** The site has proved its domain. Known for an outgoing call only once it is answered. */
		readonly verified: boolean;
		/** … by the certificate of the connection between the sites. */
		readonly tls: boolean;
		/** What a signature on the call came to (RFC 8224). */
		readonly identity: 'none' | 'verified' | 'failed';
	};
	/** Of a call: who they are, as far as their identity provider (IdP) vouches for it. */
	readonly identity?: Identity;
	/** Of a call by a telephone line: whose call it was before it was diverted here; nobody vouches for it. */
	readonly diverted?: string;
}

/** What is known of who somebody is. */
export interface Identity {
	/**
	 * 'verified': the IdP has confirmed this name for the key of this call. 'domain': only the calling site vouches
	 * for them. 'none': nobody does. 'mismatch': what came is wrong; the call ends.
	 */
	readonly status: 'verified' | 'domain' | 'none' | 'mismatch';
	/** user@domain, of the IdP's own domain; an @ within the user is %40. null unless verified. */
	readonly name: string | null;
	/** The IdP's domain. */
	readonly idp: string | null;
	/** What they let others know. */
	readonly profile: { readonly name?: string; readonly picture?: string; readonly email?: string;
		readonly emailVerified?: true } | null;
	/** Who has verified it: the browser itself, the IdP's frame, or, before the call is taken, only our own site. */
	readonly by: 'native' | 'frame' | 'site' | null;
	/** It is being verified now. */
	readonly checking?: true;
	/** Why it is not verified; for programs and logs, in English. */
	readonly why?: string;
}

export interface IdentityProvider {
	/** Its domain, with a port where it is not 443. */
	domain: string;
	/** Default: 'sluss'. */
	protocol?: string;
	usernameHint?: string;
}

/**
 * Shows the verified name of a call's other side in a frame of their identity provider, in `element`. Rejects with
 * 'bad-state' while nothing is verified, 'refused' when the provider does not show it.
 */
export function showIdentity(call: Call, element: HTMLElement): Promise<HTMLIFrameElement>;

/** Who vouches for this user. */
export interface OwnIdentity extends EventTarget {
	/** null: nobody. */
	readonly idp: Readonly<IdentityProvider> | null;
	/**
	 * 'off': no IdP. 'asking': not known yet. 'ready': it vouches. 'sign-in', 'consent': it wants to be asked by the
	 * person, signIn() does that. 'refused', 'unreachable': calls go without.
	 */
	readonly state: 'off' | 'asking' | 'ready' | 'sign-in' | 'consent' | 'refused' | 'unreachable';
	readonly why: string | null;
	/** Another IdP, or none. */
	use(idp: IdentityProvider | null): void;
	/** In a click: opens the IdP's own window. Resolves when the person is done there. */
	signIn(): Promise<void>;
}

export type ErrorCode =
	// the site's own, see docs/protocol.md
	| 'bad-json' | 'too-deep' | 'bad-message' | 'unknown-type' | 'replayed' | 'not-signed-in'
	| 'bad-login' | 'too-soon' | 'no-call' | 'bad-state' | 'call-exists' | 'elsewhere' | 'gone'
	| 'bad-address' | 'bad-sdp' | 'limit' | 'rate' | 'stopping' | 'internal'
	// why the site closed the connection
	| 'signed-out' | 'removed' | 'password' | 'shutdown' | 'too-many'
	// the SDK's
	| 'popup-blocked' | 'not-allowed' | 'unsupported-popup' | 'insecure' | 'unsupported' | 'own-origin' | 'bad-site'
	| 'mic-denied' | 'mic-missing' | 'mic-busy'
	| 'camera-denied' | 'camera-missing' | 'camera-busy' | 'screen-denied' | 'screen-missing'
	| 'unreachable' | 'timeout' | 'lost' | 'offline' | 'closed' | 'taken-over'
	| 'aborted' | 'ended' | 'refused' | 'media' | 'bad-tones' | 'no-tones'
	| 'bad-text' | 'no-text' | 'no-transfer' | 'refused-transfer' | 'failed-transfer';

/** What every method of the SDK rejects with or throws. `message` is for people. */
export class SlussError extends Error {
	constructor(code: ErrorCode | (string & {}), text?: string,
		options?: { retryS?: number; cause?: unknown });
	readonly code: ErrorCode | (string & {});
	/** Try again after so many seconds. */
	readonly retryS?: number;
}

export interface MediaOptions {
	/** The microphone; default true. With false you hear and are not heard. */
	audio?: boolean | MediaTrackConstraints;
	/** The camera; default false. */
	video?: boolean | MediaTrackConstraints;
	/** Sent instead of the microphone and camera; it stays yours and is not stopped. */
	stream?: MediaStream;
}

export interface CallOptions extends MediaOptions {
	/** Opens a data channel as well: `call.channel`. */
	data?: boolean;
	/** What the callee is shown beside your address. */
	name?: string;
	/** The verified name that the other side has to have, or the call ends with 'mismatch'. */
	peerIdentity?: string;
	/** Gives up a call that phone.call() has not yet resolved with. */
	signal?: AbortSignal;
}

export interface AcceptOptions extends MediaOptions {
	/** Take the data channel that the caller offers; default: yes when there is one. */
	data?: boolean;
}

export interface ConnectOptions {
	/** Another site than this page's own: 'beta.example' or 'https://beta.example'. */
	site?: string;
	/** A bearer token, for use from another origin. */
	token?: string;
	/** Signs in first; on this page's own origin only. */
	user?: string;
	password?: string;
	/** What this device calls itself; default: browser and system. */
	device?: string;
	/** STUN and TURN servers; default: those of the site, renewed before their credentials end. */
	iceServers?: RTCIceServer[];
	/** 'relay': through a TURN server only, so that nobody sees this browser's address. */
	iceTransportPolicy?: RTCIceTransportPolicy;
	/** Who vouches for this user; default: the site's own IdP. null: nobody. */
	identity?: IdentityProvider | null;
	/**
	 * May this caller's IdP be asked while the call rings? It shows this browser's address to the IdP, so only for
	 * people whom one knows. Default: never; it is asked when the call is taken.
	 */
	early?: (remote: Remote, idp: { domain: string; protocol: string }) => boolean;
}

export interface SiteInfo {
	site: string;
	/** May anybody make an account here? */
	registration: boolean;
}

export interface Limits {
	readonly sdp_bytes: number;
	readonly message_bytes: number;
}

export interface IncomingEvent extends Event {
	readonly call: Call;
}

export interface PhoneEventMap {
	incoming: IncomingEvent;
	/** `phone.state` or `phone.reason` has changed. */
	state: Event;
	/** `phone.elsewhere` has changed. */
	elsewhere: Event;
	/** `phone.ringing` has changed. */
	ring: Event;
}

/** A call of this user that another device has. */
export interface ElsewhereCall {
	readonly id: string;
	readonly remote: Remote;
	/** `away`: it has lost its connection to the site. */
	readonly device: { readonly id: string; readonly name: string; readonly away: boolean };
	/** As Date.now(). */
	readonly connectedAt: number;
	/** This tab had the call before it was loaded anew: take() brings it back as it was. */
	readonly was?: { readonly muted: { readonly audio: boolean; readonly video: boolean };
		readonly held: boolean; readonly video: boolean };
}

/** One sign-in of an account. Times are seconds since 1970. */
export interface SignIn {
	readonly id: string;
	/** What it calls itself; may be empty. */
	readonly name: string;
	/** The program, as it says. */
	readonly agent: string;
	/** 'calls': for the pages of `origin`, which can do nothing else with it. */
	readonly scope: 'account' | 'calls';
	readonly origin?: string;
	readonly since: number;
	/** To five minutes. */
	readonly seen: number;
	readonly expires: number;
	/** How many connections it has now. */
	readonly online: number;
	/** The one that asks. */
	readonly current: boolean;
}

/** Whose calls ring, and from whom the network address is hidden. */
export interface Rules {
	/** 'verified-name': only of people whose identity provider vouches for their name; 'verified-email': and for an
	 *  e-mail address that is theirs. */
	readonly ring: 'anyone' | 'verified-name' | 'verified-email';
	/** 'site': as the site has it, which is the least that holds. 'strangers': in calls of people whom one has neither
	 *  called nor answered before; 'always': in one's own calls, too. */
	readonly relay: 'site' | 'never' | 'strangers' | 'always';
}

/** A person's account at a site. */
export class Account {
	constructor(options?: { site?: string; token?: string });
	who(): Promise<{ user: string }>;
	/** Oldest first. */
	devices(): Promise<SignIn[]>;
	endDevice(id: string): Promise<unknown>;
	endOthers(): Promise<unknown>;
	changePassword(old: string, password: string): Promise<unknown>;
	delete(password: string): Promise<unknown>;
	rules(): Promise<Rules>;
	/** From the next call on. */
	setRules(rules: Partial<Rules>): Promise<unknown>;
	/** On the site's own page only. */
	connect(origin: string): Promise<{ user: string; token: string; expires: number }>;
}

/** Somebody whom this user knows. */
export interface Contact {
	/** user@domain */
	readonly address: string;
	readonly name: string;
	/** Who vouched for them, and by which name; the site that their calls came from. */
	readonly idp?: string;
	readonly idName?: string;
	readonly site?: string;
}

/** Kept in this browser for this origin, and nowhere else. Its event is `change`, also when another tab changes them. */
export interface Contacts extends EventTarget {
	/** By name. */
	readonly all: Contact[];
	get(address: string): Contact | null;
	/** Adds or changes one; `before` is the address that it had. false: there are as many as are kept (1000). Throws
	 *  'bad-address'. */
	put(contact: { address: string; name?: string }, before?: string): boolean;
	remove(address: string): void;
	/** Every word is found in the name or the address, whatever its case and accents. */
	search(text: string): Contact[];
	/** Keeps who vouches for a contact, unless that is kept already, or `anew`. */
	know(address: string, known: { idp?: string; idName?: string; site?: string }, anew?: boolean): void;
	/** Takes them all out of this browser. */
	forget(): void;
}

/** What Phone.connect() takes from a page elsewhere. */
export interface Given {
	readonly site: string;
	readonly token: string;
	readonly user: string;
	readonly expires: number;
}

export class Phone extends EventTarget {
	private constructor();
	/** From a page elsewhere, in a click: the site's own window asks the person. */
	static signIn(options: { site: string; signal?: AbortSignal }): Promise<Given>;
	static connect(options?: ConnectOptions): Promise<Phone>;
	static site(options?: { site?: string }): Promise<SiteInfo>;
	/** Makes an account where the site is open to it; sign in afterwards. */
	static register(account: { user: string; password: string }): Promise<unknown>;

	/** user@domain */
	readonly user: string;
	/** The site's domain. */
	readonly site: string;
	/** The address of the site's echo test, where one hears oneself; null: there is none. */
	readonly echo: string | null;
	/** This device's id. */
	readonly device: string;
	readonly limits: Limits | null;
	readonly state: PhoneState;
	/** Why the phone is not online. */
	readonly reason: SlussError | null;
	/** Who vouches for this user; its event is `state`. */
	readonly identity: OwnIdentity;
	readonly contacts: Contacts;
	/** Calls that have not ended. */
	readonly calls: Call[];
	/** This user's established calls on other devices. */
	readonly elsewhere: readonly ElsewhereCall[];
	/** Is it for this tab to make the sound of a call that comes in? Of a browser's tabs one is chosen. */
	readonly ringing: boolean;
	/** Can this page be heard? Default true; false as long as the browser keeps its sound back. */
	audible: boolean;

	/** `to`: `name@site`, a `sip:`, `sluss:` or `tel:` address, a bare name or a telephone number ("+49 30 123", which the
	 *  own site calls by a trunk). Resolves when the site has taken the call. */
	call(to: string, options?: CallOptions): Promise<Call>;
	/** Goes on here with a call of this user's other device; resolves when the site has taken it. */
	take(call: ElsewhereCall, options?: CallOptions): Promise<Call>;
	/**
	 * Talks in this call and in no other: accepts it when it rings, resumes it when it is on hold here; holds the
	 * others. Rejects with 'bad-state' while another call is only being made, and as accept() and resume() do: then
	 * the others go on.
	 */
	switchTo(call: Call, options?: AcceptOptions): Promise<void>;
	changePassword(old: string, password: string): Promise<unknown>;
	/** The network is another one: connects anew, and looks for new paths. Happens by itself as a rule. */
	networkChanged(): void;
	readonly account: Account;
	/** Ends this sign-in for good. */
	signOut(): Promise<void>;
	/** Switches this phone off; the sign-in stays. */
	close(): void;

	addEventListener<K extends keyof PhoneEventMap>(type: K,
		listener: (this: Phone, ev: PhoneEventMap[K]) => unknown,
		options?: boolean | AddEventListenerOptions): void;
	addEventListener(type: string, listener: EventListenerOrEventListenerObject | null,
		options?: boolean | AddEventListenerOptions): void;
	removeEventListener<K extends keyof PhoneEventMap>(type: K,
		listener: (this: Phone, ev: PhoneEventMap[K]) => unknown,
		options?: boolean | EventListenerOptions): void;
	removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null,
		options?: boolean | EventListenerOptions): void;
}

export interface Received {
	packets?: number;
	lost?: number;
	bytes?: number;
	jitterMs?: number;
	/** audio: loudness now, 0 to 1, and all sound energy so far */
	level?: number;
	energy?: number;
	/** video */
	frames?: number;
	width?: number;
	height?: number;
}

export interface Sent {
	packets?: number;
	bytes?: number;
	frames?: number;
	/** As the other side reports it: packets lost so far, and the share lost lately, 0 to 1. */
	lost?: number;
	lossFraction?: number;
	jitterMs?: number;
}

export interface PathEnd {
	type?: RTCIceCandidateType;
	protocol?: string;
	address?: string;
	port?: number;
}

export interface CallStats {
	received: { audio?: Received; video?: Received };
	sent: { audio?: Sent; video?: Sent };
	roundTripMs?: number;
	/** The pair of network addresses in use. */
	path: { local?: PathEnd; remote?: PathEnd } | null;
	security: { dtls?: string; cipher?: string; srtp?: string } | null;
	/** The browser's own report. */
	report: RTCStatsReport;
}

export interface CallEventMap {
	/** state, remote, media, encryption, held, muted, sending, early, interrupted, signalling or away has changed. */
	state: Event;
	/** A track has come or gone, or begun or ceased to carry something. */
	streams: Event;
	/** `call.channel` is there. */
	channel: Event & { readonly channel: RTCDataChannel };
	/** Text from the other side. */
	text: Event & { readonly text: string };
	/** Keys that somebody has pressed, as a telephone line tells them beside its sound. */
	tones: Event & { readonly tones: string };
	/** The other side goes on from another device; `id` is another one now, all else is the same. */
	moved: Event;
	/** The other side asks that we go on with `to` instead. Whoever listens to this is asked; answer one way. */
	transfer: Event & {
		/** user@domain */
		readonly to: string;
		/** Calls `to`, with this call on hold; resolves when the site has taken the call. This one ends when that
		 *  one is up, and stays on hold when it comes to nothing. */
		accept(options?: CallOptions): Promise<Call>;
		refuse(): void;
	};
	/** A microphone or camera was unplugged. */
	trackended: Event & { readonly track: MediaStreamTrack };
}

export class Call extends EventTarget {
	private constructor();
	readonly id: string;
	readonly direction: 'in' | 'out';
	readonly state: CallState;
	readonly remote: Remote;
	/** The address that was called. */
	readonly to: string;
	/** null until known. */
	readonly media: MediaMode | null;
	readonly encryption: Encryption | null;
	/** null until the call has ended. */
	readonly cause: Cause | null;
	/** What an incoming call offers; null for an outgoing one. `data`: also the SDK's own channel. */
	readonly offered: { readonly audio: boolean; readonly video: boolean;
		readonly data: boolean } | null;
	/** null until there is a connection; then the same two streams to the end. */
	readonly streams: { readonly local: MediaStream | null; readonly remote: MediaStream | null };
	readonly held: { local: boolean; remote: boolean };
	readonly muted: { audio: boolean; video: boolean };
	/** What goes out: is there a microphone, a camera? */
	readonly sending: { audio: boolean; video: boolean };
	/** What the other side says of itself; null when its phone does not. */
	readonly remoteMuted: { audio: boolean; video: boolean } | null;
	/** The other side says that its picture is a screen. */
	readonly remoteScreen: boolean;
	/** Can text be sent? */
	readonly canText: boolean;
	/** Is our picture a screen? */
	readonly screen: boolean;
	/**
	 * What is heard comes from a telephone network (tones, an announcement): nobody has answered yet, and silence goes
	 * out. Only while 'calling' or 'ringing'; keys can be sent.
	 */
	readonly early: boolean;
	/** The path between the browsers is broken at the moment; it may come back. */
	readonly interrupted: boolean;
	/**
	 * 'lost': the site knows nothing of this call any more, or cannot be reached for long; the talk goes on
	 * between the browsers, hangup() works, nothing else can be changed. After the site was killed the call is
	 * joined again by itself: then it is 'ok' again.
	 */
	readonly signalling: 'ok' | 'lost';
	/** The domain of the site, ours or the other side's, that is away while the talk goes on; null: none is. */
	readonly away: string | null;
	/** Date.now() of the first 'connected'. */
	readonly connectedAt: number | null;
	readonly channel: RTCDataChannel | null;

	/** Rejects without ending the call when there is no microphone. */
	accept(options?: AcceptOptions): Promise<void>;
	/** 'busy': this device only. 'decline' (the default): all of the user's devices. */
	reject(reason?: 'busy' | 'decline'): void;
	hangup(): void;
	mute(kind?: MediaKind): void;
	unmute(kind?: MediaKind): void;
	addVideo(options?: { video?: boolean | MediaTrackConstraints; stream?: MediaStream }):
		Promise<void>;
	removeVideo(): Promise<void>;
	/** Shares a screen, a window or a tab; it takes the camera's place. */
	shareScreen(options?: { stream?: MediaStream }): Promise<void>;
	/** Back to the camera if it was on before. */
	stopScreen(): Promise<void>;
	/** Another microphone without a break, or one in a call that had none. */
	setMicrophone(audio?: boolean | MediaTrackConstraints, options?: { stream?: MediaStream }): Promise<void>;
	/** Another camera, while one is on. */
	setCamera(video?: boolean | MediaTrackConstraints): Promise<void>;
	/** 1 to 4000 characters. */
	sendText(text: string): void;
	hold(): Promise<void>;
	resume(): Promise<void>;
	/** Can the other side be asked to go on with somebody else? */
	readonly canTransfer: boolean;
	/**
	 * Asks the other side to call somebody else. Resolves when they talk, and this call is over; rejects with
	 * 'no-transfer', 'refused-transfer', 'failed-transfer' or 'ended', and this call goes on.
	 */
	transfer(to: string): Promise<void>;
	/** 0-9, *, #, A-D and a comma for a pause. A promise where the site tells them to a telephone line. */
	sendDtmf(tones: string, options?: { toneMs?: number; gapMs?: number }): void | Promise<void>;
	stats(): Promise<CallStats>;

	addEventListener<K extends keyof CallEventMap>(type: K,
		listener: (this: Call, ev: CallEventMap[K]) => unknown,
		options?: boolean | AddEventListenerOptions): void;
	addEventListener(type: string, listener: EventListenerOrEventListenerObject | null,
		options?: boolean | AddEventListenerOptions): void;
	removeEventListener<K extends keyof CallEventMap>(type: K,
		listener: (this: Call, ev: CallEventMap[K]) => unknown,
		options?: boolean | EventListenerOptions): void;
	removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null,
		options?: boolean | EventListenerOptions): void;
}
