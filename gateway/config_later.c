/* gateway/config_later.c - the section that a later version uses (trunk): it may stand in the file, so that
 * one file serves for both, and what is wrong in it is said; its values go nowhere.
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
	for (size_t i = 0; i < s->n; i++) {
		if (config_net_parse(s->v[i].text))
			spot_fault(s, &s->v[i],
				   "write an address or a network, \"192.0.2.0/24\"");
	}
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

const struct key_row config_trunk_rows[] = {
	{"address", check_sip_address}, {"numbers", check_numbers, 0, true},
	{"trust-identity", check_bool}, {"match", check_nets, 0, true},
	{"proxy", check_text},          {"auth-user", check_text},
	{"password", check_text},       {"from-domain", check_domain},
	{"register", check_bool},       {"caller-id", check_text, 0, true},
	{"media", check_media_kind},    {NULL},
};
