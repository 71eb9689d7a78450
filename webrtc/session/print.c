/* webrtc/session/print.c - the site's side of docs/protocol.md: struct server_msg to JSON text.
 *
 * Pure; runs on the web thread; called by ws.c and api.c; uses jansson, but for the description: that is nearly all
 * of a message, and jansson calls back for every few bytes of it. RFC 8259 section 7. */
#include "webrtc/session/print.h"
#include "webrtc/session/utf8.h"
#include <jansson.h>

/* Sets a key; a value that could not be made (not UTF-8, no memory) leaves its mark in *bad. */
static void put(json_t *obj, const char *key, json_t *value, bool *bad)
{
	if (json_object_set_new(obj, key, value))
		*bad = true;
}

static void put_text(json_t *obj, const char *key, const char *text, bool *bad)
{
	put(obj, key, json_string(text), bad);
}

static void put_some(json_t *obj, const char *key, const char *text, bool *bad)
{
	if (text && *text)
		put_text(obj, key, text, bad);
}

static void put_party(json_t *obj, const char *key, const struct web_party *party,
		      bool *bad)
{
	json_t *who = json_object(), *site = json_object();

	put_text(site, "domain", party->domain, bad);
	put(site, "verified", json_boolean(party->verified), bad);
	put(site, "tls", json_boolean(party->tls), bad);
	put_text(site, "identity", party->identity ? party->identity : "none", bad);
	put_text(who, "address", party->address, bad);
	put_text(who, "name", party->name, bad);
	put(who, "site", site, bad);
	put_some(who, "diverted", party->diverted, bad);
	put(obj, key, who, bad);
}

static void put_profile(json_t *obj, const struct identity_person *p, bool *bad)
{
	json_t *profile = json_object();

	put_some(profile, "name", p->display, bad);
	put_some(profile, "picture", p->picture, bad);
	put_some(profile, "email", p->email, bad);
	if (p->email[0])
		put(profile, "email_verified", json_boolean(p->email_verified), bad);
	put(obj, "profile", profile, bad);
}

/* Into the party that has just been put. */
static void put_person(json_t *obj, const char *key, const struct identity_person *p,
		       bool *bad)
{
	json_t *who = json_object();

	put_text(who, "status", identity_status_name(p ? p->status : IDENTITY_NONE), bad);
	if (p) {
		put_some(who, "idp", p->idp, bad);
		put_some(who, "name", p->name, bad);
		put_some(who, "origin", p->origin, bad);
		put_some(who, "ctx", p->ctx, bad);
		put_some(who, "why", p->why, bad);
		if (p->status == IDENTITY_VERIFIED)
			put_profile(who, p, bad);
	}
	put(json_object_get(obj, key), "identity", who, bad);
}

static void put_cause(json_t *obj, const struct cause *cause, bool *bad)
{
	json_t *c = json_object();

	put(c, "code", json_integer(cause->code), bad);
	put_text(c, "reason", cause_reason_name(cause->reason), bad);
	put_text(c, "text", cause->text, bad);
	put(obj, "cause", c, bad);
}

static void put_media(json_t *obj, const struct server_msg *m, bool *bad)
{
	put_text(obj, "media", m->media, bad);
	put_text(obj, "encryption", m->encryption, bad);
}

static void put_rejoin(json_t *obj, const struct server_msg *m, bool *bad)
{
	if (m->rejoin[0])
		put_text(obj, "rejoin", m->rejoin, bad);
}

static void put_identity(json_t *obj, char *const *identityv, bool *bad)
{
	json_t *list = json_array();

	for (; identityv && *identityv; identityv++)
		if (json_array_append_new(list, json_string(*identityv)))
			*bad = true;
	put(obj, "identity", list, bad);
}

static void put_trickle(json_t *obj, const struct server_msg *m, bool *bad)
{
	if (m->sdp && m->sdp->trickle)
		put(obj, "trickle", json_true(), bad);
}

static void put_candidates(json_t *obj, const struct candidates *c, bool *bad)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n; i++) {
		json_t *item = json_object();

		put_text(item, "mid", c->v[i].mid, bad);
		if (c->v[i].mline >= 0)
			put(item, "mline", json_integer(c->v[i].mline), bad);
		put_text(item, "candidate", c->v[i].line, bad);
		if (json_array_append_new(list, item))
			*bad = true;
	}
	put(obj, "candidates", list, bad);
	if (c->ufrag[0])
		put_text(obj, "ufrag", c->ufrag, bad);
	if (c->end)
		put(obj, "end", json_true(), bad);
}

static void put_ongoings(json_t *obj, const struct web_ongoings *o, bool *bad)
{
	json_t *list = json_array();

	for (size_t i = 0; i < o->n; i++) {
		const struct web_ongoing *one = &o->v[i];
		json_t *item = json_object(), *device = json_object();

		put_text(item, "id", one->id, bad);
		put_party(item, "remote", &one->remote, bad);
		put_text(device, "id", one->device, bad);
		put_text(device, "name", one->device_name, bad);
		put(device, "away", json_boolean(one->away), bad);
		put(item, "device", device, bad);
		put(item, "seconds", json_integer(one->seconds), bad);
		if (json_array_append_new(list, item))
			*bad = true;
	}
	put(obj, "calls", list, bad);
}

/* The site's identity provider, as browsers take it. */
static void put_idp(json_t *obj, const char *domain, bool *bad)
{
	json_t *idp = json_object();

	put_text(idp, "domain", domain, bad);
	put_text(idp, "protocol", PROVIDER_PROTOCOL, bad);
	put(obj, "idp", idp, bad);
}

static void put_welcome(json_t *obj, const struct server_msg *m, bool *bad)
{
	json_t *limits = json_object();

	put_text(obj, "user", m->welcome.user, bad);
	put_text(obj, "site", m->welcome.site, bad);
	put_text(obj, "device", m->welcome.device, bad);
	if (m->welcome.echo[0])
		put_text(obj, "echo", m->welcome.echo, bad);
	if (m->welcome.idp[0])
		put_idp(obj, m->welcome.idp, bad);
	put(obj, "ping_s", json_integer(m->welcome.ping_s), bad);
	put(limits, "sdp_bytes", json_integer(m->welcome.sdp_bytes), bad);
	put(limits, "message_bytes", json_integer(m->welcome.message_bytes), bad);
	put(obj, "limits", limits, bad);
	if (m->welcome.session[0]) {
		put_text(obj, "session", m->welcome.session, bad);
		put(obj, "linger_s", json_integer(m->welcome.linger_s), bad);
	}
	if (m->welcome.resumed || m->welcome.forgotten)
		put(obj, "resumed", json_boolean(m->welcome.resumed), bad);
	if (m->welcome.forgotten)
		put_text(obj, "forgotten", m->welcome.forgotten, bad);
}

static void put_error(json_t *obj, const struct server_msg *m, bool *bad)
{
	put_text(obj, "error", web_error_name(m->error.code), bad);
	put_text(obj, "text", m->error.text, bad);
	if (m->error.retry_s)
		put(obj, "retry_s", json_integer(m->error.retry_s), bad);
}

/* The head that all answers and all events have. */
static void put_head(json_t *obj, const struct server_msg *m, bool *bad)
{
	put_text(obj, "type", server_kind_name(m->kind), bad);
	if (m->kind == SERVER_OK || m->kind == SERVER_WELCOME || m->kind == SERVER_ERROR)
		put(obj, "id", json_integer(m->id), bad);
	else
		put(obj, "seq", json_integer((json_int_t)m->seq), bad);
	if (m->call[0])
		put_text(obj, "call", m->call, bad);
}

static int append(const char *p, size_t n, void *arg)
{
	return mbuf_write_mem(arg, (const uint8_t *)p, n) ? -1 : 0;
}

static int print_escaped(struct mbuf *mb, const char *p, const char *end)
{
	static const char names[] =
		"btn?fr"; /* U+0008 to U+000D; the vertical tab has none */
	int err = 0;

	while (p < end && !err) {
		const char *run = p;

		while (p < end && (uint8_t)*p >= 0x20 && *p != '"' && *p != '\\')
			p++;
		err = mbuf_write_mem(mb, (const uint8_t *)run, (size_t)(p - run));
		if (p == end || err)
			break;
		if (*p == '"' || *p == '\\')
			err = mbuf_printf(mb, "\\%c", *p);
		else if (*p >= '\b' && *p <= '\r' && *p != '\v')
			err = mbuf_printf(mb, "\\%c", names[*p - '\b']);
		else
			err = mbuf_printf(mb, "\\u%04x", (unsigned)(uint8_t)*p);
		p++;
	}
	return err;
}

/* Over the brace that ends an object with other members. */
static int print_sdp(struct mbuf *mb, const struct body *sdp)
{
	int err;

	mb->pos = --mb->end;
	err = mbuf_write_str(mb, ",\"sdp\":\"");
	if (!err)
		err = print_escaped(mb, sdp->data, sdp->data + sdp->len);
	return err ? err : mbuf_write_str(mb, "\"}");
}

/* `sdp` NULL: there is none. */
static int finish(struct mbuf *mb, json_t *obj, bool bad, const struct body *sdp)
{
	int err = 0;

	if (bad || (sdp && !utf8_valid(sdp->data, sdp->len)))
		err = EILSEQ;
	else if (json_dump_callback(obj, append, mb, JSON_COMPACT))
		err = ENOMEM;
	else if (sdp)
		err = print_sdp(mb, sdp);
	json_decref(obj);
	return err;
}

int server_msg_print(struct mbuf *mb, const struct server_msg *m)
{
	json_t *obj = json_object();
	const struct body *sdp = NULL;
	bool bad = false;

	if (!obj)
		return ENOMEM;
	put_head(obj, m, &bad);
	switch (m->kind) {
	case SERVER_OK:
	case SERVER_WITHDRAWN:
	case SERVER_KIND_N:
		break;
	case SERVER_WELCOME:
		put_welcome(obj, m, &bad);
		break;
	case SERVER_ERROR:
		put_error(obj, m, &bad);
		break;
	case SERVER_INCOMING:
		put_party(obj, "from", &m->who.party, &bad);
		put_person(obj, "from", m->person, &bad);
		put_text(obj, "to", m->who.to, &bad);
		sdp = m->sdp;
		bad |= !sdp;
		put_trickle(obj, m, &bad);
		put_media(obj, m, &bad);
		put_identity(obj, m->identityv, &bad);
		if (m->who.replaces[0])
			put_text(obj, "replaces", m->who.replaces, &bad);
		break;
	case SERVER_ELSEWHERE:
		put_ongoings(obj, m->ongoings, &bad);
		break;
	case SERVER_PROGRESS:
		put_text(obj, "state", m->state, &bad);
		break;
	case SERVER_EARLY:
		sdp = m->sdp;
		bad |= !sdp;
		put_media(obj, m, &bad);
		break;
	case SERVER_ANSWERED:
		sdp = m->sdp;
		bad |= !sdp;
		put_trickle(obj, m, &bad);
		put_media(obj, m, &bad);
		put_party(obj, "remote", &m->who.party, &bad);
		put_rejoin(obj, m, &bad);
		break;
	case SERVER_ESTABLISHED:
		put_media(obj, m, &bad);
		put_rejoin(obj, m, &bad);
		break;
	case SERVER_KEYS:
		put_text(obj, "keys", m->keys, &bad);
		break;
	case SERVER_AWAY:
		put(obj, "away", json_boolean(m->away), &bad);
		break;
	case SERVER_OFFER:
	case SERVER_ANSWER:
		sdp = m->sdp;
		bad |= !sdp;
		put_trickle(obj, m, &bad);
		break;
	case SERVER_CANDIDATES:
		put_candidates(obj, m->candidates, &bad);
		break;
	case SERVER_REFUSED:
	case SERVER_ENDED:
		put_cause(obj, &m->cause, &bad);
		break;
	case SERVER_BYE:
		put_text(obj, "reason", m->bye.reason, &bad);
		put_text(obj, "text", m->bye.text, &bad);
		break;
	}
	return finish(mb, obj, bad, sdp);
}

static void put_urls(json_t *servers, char *const *uriv, const char *username,
		     const char *credential, bool *bad)
{
	json_t *server, *urls;

	if (!uriv)
		return;
	server = json_object();
	urls = json_array();
	for (; *uriv; uriv++)
		if (json_array_append_new(urls, json_string(*uriv)))
			*bad = true;
	put(server, "urls", urls, bad);
	if (username) {
		put_text(server, "username", username, bad);
		put_text(server, "credential", credential, bad);
	}
	if (json_array_append_new(servers, server))
		*bad = true;
}

/* As RTCConfiguration has it: the page hands it on. */
static void put_ice(json_t *obj, const struct turn_servers *ice, bool *bad)
{
	json_t *servers = json_array();

	put_urls(servers, ice->stunv, NULL, NULL, bad);
	put_urls(servers, ice->uriv, ice->username, ice->credential, bad);
	put(obj, "iceServers", servers, bad);
	put(obj, "ttl_s", json_integer(ice->ttl_s), bad);
}

static void put_devices(json_t *obj, const struct api_devices *devices, bool *bad)
{
	json_t *list = json_array();

	for (size_t i = 0; i < devices->n; i++) {
		const struct api_device *d = &devices->v[i];
		const struct store_sign_in *s = &d->sign_in;
		json_t *one = json_object();

		put_text(one, "id", s->session, bad);
		put_text(one, "name", s->device.name, bad);
		put_text(one, "agent", s->device.agent, bad);
		put_text(one, "scope", s->origin[0] ? "calls" : "account", bad);
		if (s->origin[0])
			put_text(one, "origin", s->origin, bad);
		put(one, "since", json_integer(s->since_s), bad);
		put(one, "seen", json_integer(s->seen_s), bad);
		put(one, "expires", json_integer(s->expires_s), bad);
		put(one, "online", json_integer(d->n_online), bad);
		put(one, "current", json_boolean(d->current), bad);
		if (json_array_append_new(list, one))
			*bad = true;
	}
	put(obj, "devices", list, bad);
}

int api_reply_print(struct mbuf *mb, const struct api_reply *r)
{
	json_t *obj = json_object();
	bool bad = false;

	if (!obj)
		return ENOMEM;
	if (r->error) {
		put_text(obj, "error", r->error, &bad);
		put_text(obj, "text", r->text, &bad);
		if (r->retry_s)
			put(obj, "retry_s", json_integer(r->retry_s), &bad);
	}
	if (r->user[0])
		put_text(obj, "user", r->user, &bad);
	if (r->expires_s)
		put(obj, "expires", json_integer(r->expires_s), &bad);
	if (r->token[0] && r->bearer)
		put_text(obj, "token", r->token, &bad);
	if (r->code[0]) {
		put_text(obj, "code", r->code, &bad);
		put_idp(obj, r->idp, &bad);
	}
	if (r->ice)
		put_ice(obj, r->ice, &bad);
	if (r->ring)
		put_text(obj, "ring", r->ring, &bad);
	if (r->relay)
		put_text(obj, "relay", r->relay, &bad);
	if (r->devices)
		put_devices(obj, r->devices, &bad);
	return finish(mb, obj, bad, NULL);
}
