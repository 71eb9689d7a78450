/* gateway/config_later.c - the sections that later versions use (media, trunk): they may stand in the
 * file, so that one file serves for both, and what is wrong in them is said; their values go nowhere.
 * Rows of the table in config_keys.c; called from there. */
#include "gateway/config_keys.h"
#include "gateway/config_value.h"

static int check_text(struct spot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!*s->v[i].text)
			spot_fault(s, &s->v[i], "it must not be empty");
	}
	return 0;
}

static int check_bool(struct spot *s)
{
	bool v;

	if (config_bool_parse(&v, s->v->text))
		spot_fault(s, s->v, "write true or false");
	return 0;
}

static int check_nets(struct spot *s)
{
	bool bare = !strcmp(s->row->name, "advertise");

	for (size_t i = 0; i < s->n; i++) {
		if (config_net_parse(s->v[i].text) || (bare && strchr(s->v[i].text, '/')))
			spot_fault(
				s, &s->v[i],
				bare ? "write an address, \"203.0.113.5\""
				     : "write an address or a network, \"192.0.2.0/24\"");
	}
	return 0;
}

static int check_number(struct spot *s)
{
	uint32_t v, max = !strcmp(s->row->name, "port") ? UINT16_MAX : 1024;

	if (config_uint_parse(&v, s->v->text) || v > max)
		config_fault(
			s->b->report, s->v->line,
			"%s: \"%.40s\" is not usable; a number from 0 to %u would be "
			"right",
			s->row->name, s->v->text, max);
	return 0;
}

static int check_ports(struct spot *s)
{
	uint16_t first, last;

	if (config_ports_parse(&first, &last, s->v->text))
		spot_fault(s, s->v, "write the first and the last port, \"20000-29999\"");
	return 0;
}

static int check_sip_address(struct spot *s)
{
	struct listen_config l;

	if (config_sip_parse(&l, s->v->text))
		spot_fault(s, s->v, "write \"udp:127.0.0.1:5070\"; tcp and tls likewise");
	return 0;
}

static int check_numbers(struct spot *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *t = s->v[i].text;

		t += *t == '+';
		if (!*s->v[i].text || t[strspn(t, "0123456789*#")])
			spot_fault(s, &s->v[i],
				   "write how the numbers begin, \"+\" or \"1\"");
	}
	return 0;
}

static int check_domain(struct spot *s)
{
	char host[ADDR_HOST_MAX + 1];

	if (addr_host_parse(host, s->v->text, strlen(s->v->text)))
		spot_fault(s, s->v, "write a domain, \"alpha.example\"");
	return 0;
}

static int check_media_kind(struct spot *s)
{
	static const char *const kinds[] = {"rtp", "sdes", "dtls"};

	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		if (!strcmp(s->v->text, kinds[i]))
			return 0;
	}
	spot_fault(s, s->v, "write \"rtp\", \"sdes\" or \"dtls\"");
	return 0;
}

const struct key_row config_media_rows[] = {
	{"advertise", check_nets, 0, true},
	{"port", check_number},
	{"rtp-ports", check_ports},
	{"workers", check_number},
	{NULL},
};
const struct key_row config_trunk_rows[] = {
	{"address", check_sip_address}, {"numbers", check_numbers, 0, true},
	{"trust-identity", check_bool}, {"match", check_nets, 0, true},
	{"proxy", check_text},          {"auth-user", check_text},
	{"password", check_text},       {"from-domain", check_domain},
	{"register", check_bool},       {"caller-id", check_text, 0, true},
	{"media", check_media_kind},    {NULL},
};
