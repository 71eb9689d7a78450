/* webrtc/http/chain.c - the certificate chains that our sites' calls are signed with, for whoever checks them.
 *
 * Web thread. server.c brings them, api.c asks for them. A chain's name is its hash, so what lies at an address never
 * changes; the one before stays for limits.identity_keep_s, for calls that are still on their way. RFC 8224 §7.4,
 * RFC 8555 §9.1 (the media type). */
#include "gateway/identity.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "webrtc/http/own.h"

#include <strings.h>

enum { CHAINS_PER_SITE = 16, CHAIN_US = 1000000 };

struct chain {
	struct le le;
	char *site, *name;
	struct mbuf *text;
	uint64_t until_us; /* 0: it is the site's newest */
};

static void chain_destructor(void *arg)
{
	struct chain *ch = arg;

	list_unlink(&ch->le);
	mem_deref(ch->site);
	mem_deref(ch->name);
	mem_deref(ch->text);
}

/* Those whose time is over go, and the oldest of a site that has too many. */
static void tidy(struct server *s, const char *site, uint64_t now_us)
{
	struct chain *first = NULL;
	unsigned n = 0;

	for (struct le *le = s->chains.head, *next; le; le = next) {
		struct chain *ch = le->data;

		next = le->next;
		if (ch->until_us && ch->until_us <= now_us) {
			mem_deref(ch);
		} else if (!strcasecmp(ch->site, site)) {
			first = first ? first : ch;
			n++;
		}
	}
	if (n > CHAINS_PER_SITE)
		mem_deref(first);
}

void web_chain_add(struct server *s, struct web_chain *from)
{
	struct chain *ch = mem_zalloc(sizeof(*ch), chain_destructor);
	uint64_t now_us = clock_us();

	if (ch)
		ch->text = mbuf_alloc(strlen(from->text) + 1);
	if (!ch || !ch->text || mbuf_write_str(ch->text, from->text)) {
		mem_deref(ch);
		log_err(NULL, "web.memory", "%s", "");
		return;
	}
	for (struct le *le = s->chains.head, *next; le; le = next) {
		struct chain *old = le->data;

		next = le->next;
		if (strcasecmp(old->site, from->site) != 0)
			continue;
		if (!strcmp(old->name, from->name))
			mem_deref(old); /* read again, and the same */
		else if (!old->until_us)
			old->until_us =
				now_us +
				(uint64_t)s->config->limits.identity_keep_s * CHAIN_US;
	}
	ch->site = from->site;
	ch->name = from->name;
	from->site = from->name = NULL;
	list_append(&s->chains, &ch->le, ch);
	tidy(s, ch->site, now_us);
}

static struct chain *find(const struct server *s, const char *site, const char *path)
{
	const char *name = path + strlen(IDENTITY_CHAIN_PATH), *dot = strchr(name, '.');
	size_t n = dot && !strcmp(dot, ".pem") ? (size_t)(dot - name) : 0;

	for (struct le *le = n ? s->chains.head : NULL; le; le = le->next) {
		struct chain *ch = le->data;

		if (strlen(ch->name) == n && !memcmp(ch->name, name, n) &&
		    !strcasecmp(ch->site, site) &&
		    (!ch->until_us || ch->until_us > clock_us()))
			return ch;
	}
	return NULL;
}

int web_chain_reply(struct conn *c)
{
	struct chain *ch = find(c->server, c->request.site->domain, c->request.path);

	if (!ch)
		return web_reply_error(c, 404, "not-found",
				       "No certificate of this name is in use here.",
				       NULL);
	c->request.shared = true; /* everybody may know */
	return web_reply_start(c, 200, "application/pem-certificate-chain", ch->text,
			       "Cache-Control: public, max-age=86400\r\n");
}
