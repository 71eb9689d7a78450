/* gateway/config_media.c - the section media { }: where media that end here come in. Rows of the table in
 * config_keys.c; called from there, before there are threads. What the values are used for is in webrtc/media/. */
#include "gateway/config_keys.h"
#include "gateway/config_value.h"

enum { WORKERS_MAX = 64, RTP_PORT_MIN = 1024, RTP_PORTS_MIN = 16 };

/* Addresses without a port, each once. */
static int addrs_take(struct spot *s, struct sa *v, size_t *np, bool any)
{
	*np = 0;
	if (s->n > MEDIA_CONFIG_ADDRS)
		config_fault(s->b->report, s->v->line, "%s: %zu addresses; %d at most",
			     s->row->name, s->n, MEDIA_CONFIG_ADDRS);
	for (size_t i = 0; i < s->n; i++) {
		struct sa sa;

		if (sa_set_str(&sa, s->v[i].text, 0) || (!any && sa_is_any(&sa)) ||
		    sa_is_linklocal(&sa)) {
			spot_fault(s, &s->v[i],
				   any ? "write an address, \"0.0.0.0\", \"::\" or "
					 "\"192.0.2.5\""
				       : "write the address that others reach, "
					 "\"203.0.113.5\"");
			continue;
		}
		for (size_t k = 0; k < *np; k++)
			if (sa_cmp(&v[k], &sa, SA_ADDR))
				spot_fault(s, &s->v[i], "it is there twice");
		if (*np < MEDIA_CONFIG_ADDRS)
			v[(*np)++] = sa;
	}
	return 0;
}

static int set_listen(struct spot *s)
{
	struct config *c = s->base;

	if (!s->n) {
		config_fault(
			s->b->report, config_line(s->b, "media", 0, "listen"),
			"listen: no address; site { echo = \"\"  relay = never } turns "
			"off what uses them");
		return 0;
	}
	return addrs_take(s, c->media.listenv, &c->media.n_listen, true);
}

static int set_advertise(struct spot *s)
{
	struct config *c = s->base;

	return addrs_take(s, c->media.advertisev, &c->media.n_advertise, false);
}

static int number(struct spot *s, uint32_t max, uint32_t *v)
{
	uint32_t n;

	if (config_uint_parse(&n, s->v->text) || n > max)
		config_fault(
			s->b->report, s->v->line,
			"%s: \"%.40s\" is not usable; a number from 0 to %u would be "
			"right",
			s->row->name, s->v->text, max);
	else
		*v = n;
	return 0;
}

static int set_port(struct spot *s)
{
	struct config *c = s->base;
	uint32_t port = c->media.port;
	int err = number(s, UINT16_MAX - WORKERS_MAX, &port);

	c->media.port = (uint16_t)port;
	return err;
}

static int set_workers(struct spot *s)
{
	struct config *c = s->base;

	return number(s, WORKERS_MAX, &c->media.workers);
}

static int set_ports(struct spot *s)
{
	struct config *c = s->base;
	uint16_t first, last;

	/* they are bound when privileges are gone */
	if (config_ports_parse(&first, &last, s->v->text) || first < RTP_PORT_MIN ||
	    last - first < RTP_PORTS_MIN - 1) {
		spot_fault(
			s, s->v,
			"write the first and the last port, 1024 or higher and 16 or more "
			"of them, \"20000-29999\"");
		return 0;
	}
	c->media.rtp_first = first;
	c->media.rtp_last = last;
	return 0;
}

const struct key_row config_media_rows[] = {
	{"listen", set_listen, 0, true},
	{"advertise", set_advertise, 0, true},
	{"port", set_port},
	{"rtp-ports", set_ports},
	{"workers", set_workers},
	{NULL},
};
