/* gateway/config_trunk.c - trunk "NAME" { }: telephone systems and providers that are reached by SIP. Rows of the table
 * in config_keys.c; called from there and from config.c, before there are threads. What belongs together is looked at in
 * config_number.c. */
#include "gateway/config_keys.h"
#include "gateway/config_value.h"
#include "lib/secret.h"

enum {
	SIP_PORT = 5060,
	EXPIRES_S = 600,
	KEEPALIVE_S = 60,
	CALLS_PER_USER = 2,
	MINUTES_A_DAY = 120,
	CALLS = 100,
};

static bool is_name(const char *t)
{
	size_t n = strspn(t, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && n <= TRUNK_NAME_MAX && !t[n];
}

int config_trunk_open(struct config_build *b, const struct config_section *sec,
		      void **basep)
{
	struct config *c = b->config;
	const char *t = sec->title ? sec->title : "";
	struct trunk_config *trunk;

	if (config_grow(&c->trunkv, &c->n_trunks, sizeof(*c->trunkv)))
		return ENOMEM;
	*basep = trunk = &c->trunkv[c->n_trunks - 1];
	trunk->index = (unsigned)c->n_trunks - 1;
	trunk->expires_s = EXPIRES_S;
	trunk->keepalive_s = KEEPALIVE_S;
	trunk->calls_per_user = CALLS_PER_USER;
	trunk->minutes_a_day = MINUTES_A_DAY;
	trunk->calls = CALLS;
	trunk->media = LEG_RTP;
	if (is_name(t))
		snprintf(trunk->name, sizeof(trunk->name), "%s", t);
	else
		config_fault(b->report, sec->line,
			     "\"%.80s\" is no name for a trunk; up to %d of a-z, 0-9 and "
			     "-, \"asterisk\", would be right",
			     t, TRUNK_NAME_MAX);
	return 0;
}

/* ---- where it is ---- */

/* "tls:192.0.2.7:5061", "tls:sip.provider.example", "udp:sip.provider.example:5060" */
static int address_parse(struct trunk_address *a, enum transport *transport,
			 const char *text)
{
	static const char *const names[] = {
		[TRANSPORT_UDP] = "udp:",
		[TRANSPORT_TCP] = "tcp:",
		[TRANSPORT_TLS] = "tls:",
	};
	struct listen_config l;
	const char *colon;
	uint32_t port = 0;
	size_t n;

	memset(a, 0, sizeof(*a));
	sa_init(&a->sa, AF_UNSPEC);
	if (!config_sip_parse(&l, text)) {
		a->sa = l.sa;
		a->port = sa_port(&l.sa);
		*transport = l.transport;
		return a->port ? 0 : EINVAL;
	}
	for (n = 0; n < N_ELEMS(names); n++)
		if (!strncmp(text, names[n], 4))
			break;
	if (n == N_ELEMS(names))
		return EINVAL;
	*transport = (enum transport)n;
	text += 4;
	colon = strchr(text, ':');
	if (colon && (config_uint_parse(&port, colon + 1) || !port || port > UINT16_MAX))
		return EINVAL;
	a->port = (uint16_t)port;
	if (!a->port && *transport != TRANSPORT_TLS)
		a->port = SIP_PORT;
	n = colon ? (size_t)(colon - text) : strlen(text);
	/* what looks like an address and is none would be no name either */
	if (!text[strspn(text, "0123456789.:")])
		return EINVAL;
	return addr_host_parse(a->host, text, n);
}

static int set_addresses(struct spot *s)
{
	static const char right[] =
		"write \"udp:192.0.2.7:5060\" or \"tls:sip.provider.example\"; tcp "
		"likewise";
	struct trunk_config *t = s->base;
	enum transport transport;

	t->n_addresses = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct trunk_address a;

		if (t->n_addresses == TRUNK_ADDRESSES_MAX) {
			config_fault(s->b->report, s->v[i].line,
				     "address: %d of them are the most",
				     TRUNK_ADDRESSES_MAX);
			return 0;
		}
		if (address_parse(&a, &transport, s->v[i].text)) {
			spot_fault(s, &s->v[i], right);
			continue;
		}
		if (t->n_addresses && transport != t->transport)
			spot_fault(s, &s->v[i],
				   "all addresses of a trunk have one transport");
		t->transport = transport;
		t->addressv[t->n_addresses++] = a;
	}
	return 0;
}

static int set_proxy(struct spot *s)
{
	struct trunk_config *t = s->base;
	enum transport transport;

	if (address_parse(&t->proxy, &transport, s->v->text))
		spot_fault(s, s->v,
			   "write \"udp:192.0.2.7:5060\" or "
			   "\"tls:proxy.provider.example\"; tcp likewise");
	else {
		t->has_proxy = true;
		t->transport = transport;
	}
	return 0;
}

static int set_match(struct spot *s)
{
	struct trunk_config *t = s->base;

	for (size_t i = 0; i < s->n; i++) {
		struct net_config net;

		if (config_net_parse(&net, s->v[i].text)) {
			spot_fault(s, &s->v[i],
				   "write an address or a network, \"192.0.2.0/24\"");
			continue;
		}
		if (config_grow(&t->matchv, &t->n_match, sizeof(net)))
			return ENOMEM;
		t->matchv[t->n_match - 1] = net;
	}
	return 0;
}

/* A name or an address without port, as it stands in Via and Contact. */
static int set_advertise(struct spot *s)
{
	struct trunk_config *t = s->base;
	const char *text = s->v->text;
	struct sa sa;

	if (!sa_set_str(&sa, text, 0)) {
		snprintf(t->advertise, sizeof(t->advertise),
			 sa_af(&sa) == AF_INET6 ? "[%s]" : "%s", text);
		t->seen = sa;
	} else if (!text[strspn(text, "0123456789.")] ||
		   addr_host_parse(t->advertise, text, strlen(text)))
		spot_fault(s, s->v,
			   "write the address or the name by which the trunk reaches "
			   "this machine, \"203.0.113.5\"");
	return 0;
}

static int set_domain(struct spot *s)
{
	char *host = (char *)((uint8_t *)s->base + s->row->offset);

	if (addr_host_parse(host, s->v->text, strlen(s->v->text)))
		spot_fault(s, s->v, "write a domain, \"provider.example\"");
	return 0;
}

/* ---- who and where to ---- */

static bool is_prefix(const char *t)
{
	return (*t == '+' && !t[1]) || number_is(t);
}

static bool is_user(const char *t)
{
	struct addr a;

	return !addr_parse(&a, t, strlen(t));
}

static bool is_domain(const char *t)
{
	char host[ADDR_HOST_MAX + 1];

	return !addr_host_parse(host, t, strlen(t));
}

/* A list of texts of one kind, in their canonical form. */
static int set_list(struct spot *s, bool (*is_one)(const char *t), const char *right)
{
	char ***vp = (char ***)(void *)((uint8_t *)s->base + s->row->offset);
	char **v = config_strings_alloc(s->n);
	size_t n = 0;

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const char *text = s->v[i].text;

		if (!is_one(text)) {
			spot_fault(s, &s->v[i], right);
			continue;
		}
		v[n] = base_dup(text, strlen(text));
		if (!v[n])
			return mem_deref(v), ENOMEM;
		for (char *p = v[n++]; *p; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p + ('a' - 'A'));
	}
	mem_deref(*vp);
	*vp = v;
	return 0;
}

static int set_prefixes(struct spot *s)
{
	return set_list(s, is_prefix, "write how the numbers begin, \"+\" or \"1\"");
}

static int set_users(struct spot *s)
{
	return set_list(s, is_user, "write a user's address, \"alice@alpha.example\"");
}

static int set_sites(struct spot *s)
{
	return set_list(s, is_domain, "write domains of sites in this file");
}

static int set_caller_id(struct spot *s)
{
	struct trunk_config *t = s->base;

	t->n_caller_ids = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct caller_id id = {.kind = CALLER_ID_OWN};
		const char *text = s->v[i].text;

		if (!strcmp(text, "name"))
			id.kind = CALLER_ID_NAME;
		else if (!strcmp(text, "hidden"))
			id.kind = CALLER_ID_HIDDEN;
		else if (number_is(text))
			id.kind = CALLER_ID_NUMBER;
		else if (strcmp(text, "own") != 0) {
			spot_fault(s, &s->v[i],
				   "write \"own\", \"name\", \"hidden\" or a number");
			continue;
		}
		if (t->n_caller_ids == TRUNK_CALLER_IDS_MAX) {
			config_fault(s->b->report, s->v[i].line,
				     "caller-id: %d of them are the most",
				     TRUNK_CALLER_IDS_MAX);
			return 0;
		}
		if (id.kind == CALLER_ID_NUMBER)
			snprintf(id.number, sizeof(id.number), "%s", text);
		t->caller_idv[t->n_caller_ids++] = id;
	}
	return 0;
}

static int set_format(struct spot *s)
{
	static const char *const words[] = {
		[NUMBER_E164] = "e164",
		[NUMBER_PLAIN] = "plain",
		[NUMBER_INTERNATIONAL] = "international",
		[NUMBER_NATIONAL] = "national",
	};
	struct trunk_config *t = s->base;

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (!strcmp(s->v->text, words[i])) {
			t->format = (enum number_format)i;
			return 0;
		}
	spot_fault(s, s->v,
		   "write \"e164\" (+49301234567), \"plain\" (49301234567), "
		   "\"international\" (0049301234567) or \"national\" (0301234567)");
	return 0;
}

static int set_media(struct spot *s)
{
	static const char *const kinds[] = {
		[LEG_RTP] = "rtp",
		[LEG_SDES] = "sdes",
		[LEG_DTLS] = "dtls",
	};
	struct trunk_config *t = s->base;

	for (size_t i = LEG_RTP; i < N_ELEMS(kinds); i++)
		if (!strcmp(s->v->text, kinds[i])) {
			t->media = (enum leg_media)i;
			return 0;
		}
	spot_fault(s, s->v, "write \"rtp\", \"sdes\" or \"dtls\"");
	return 0;
}

static int set_dtmf(struct spot *s)
{
	struct trunk_config *t = s->base;

	if (!strcmp(s->v->text, "info") || !strcmp(s->v->text, "rtp"))
		t->keys_by_info = s->v->text[0] == 'i';
	else
		spot_fault(s, s->v, "write \"rtp\" (telephone-event) or \"info\"");
	return 0;
}

/* ---- proving oneself ---- */

/* What stands in a quoted string of a header. */
static int set_word(struct spot *s)
{
	char **at = (char **)(void *)((uint8_t *)s->base + s->row->offset);

	for (const char *p = s->v->text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\' || *p == 0x7f) {
			spot_fault(s, s->v, "it may hold no quotes and no backslash");
			return 0;
		}
	if (!*s->v->text) {
		spot_fault(s, s->v, "it must not be empty");
		return 0;
	}
	return config_text_set(at, s->v->text);
}

/* Never named in a fault. */
static int set_password(struct spot *s)
{
	struct trunk_config *t = s->base;
	char *secret;

	if (!*s->v->text || s->v->text[strcspn(s->v->text, "\r\n")]) {
		config_fault(s->b->report, s->v->line,
			     "password: it must not be empty, and is one line; leave it "
			     "out for a trunk that asks for none");
		return 0;
	}
	secret = secret_dup(s->v->text, strlen(s->v->text));
	if (!secret)
		return ENOMEM;
	mem_deref(t->password);
	t->password = secret;
	return 0;
}

/* ---- how much ---- */

static int set_number(struct spot *s, uint32_t min, uint32_t max, bool zero, uint32_t def)
{
	uint32_t *at = (uint32_t *)(void *)((uint8_t *)s->base + s->row->offset), v;

	if (config_uint_parse(&v, s->v->text) || v > max || (v < min && !(zero && !v)))
		config_fault(s->b->report, s->v->line,
			     "%s: \"%.40s\" is not usable; a number from %u to %u%s "
			     "would be right, %u is the default",
			     s->row->name, s->v->text, min, max, zero ? ", or 0," : "",
			     def);
	else
		*at = v;
	return 0;
}

static int set_expires(struct spot *s)
{
	return set_number(s, 30, 86400, false, EXPIRES_S);
}

static int set_keepalive(struct spot *s)
{
	return set_number(s, 5, 3600, true, KEEPALIVE_S);
}

static int set_calls(struct spot *s)
{
	return set_number(s, 1, 100000, false, CALLS);
}

static int set_user_calls(struct spot *s)
{
	return set_number(s, 1, 1000, false, CALLS_PER_USER);
}

static int set_minutes(struct spot *s)
{
	return set_number(s, 1, 1440000, true, MINUTES_A_DAY);
}

#define IN(field) offsetof(struct trunk_config, field)
const struct key_row config_trunk_rows[] = {
	{"address", set_addresses, 0, true},
	{"numbers", set_prefixes, IN(numberv), true},
	{"trust-identity", config_set_bool, IN(trust_identity)},
	{"match", set_match, 0, true},
	{"proxy", set_proxy},
	{"auth-user", set_word, IN(auth_user)},
	{"password", set_password},
	{"realm", set_word, IN(realm)},
	{"from-domain", set_domain, IN(from_domain)},
	{"register", config_set_bool, IN(registers)},
	{"expires", set_expires, IN(expires_s)},
	{"keep-alive", set_keepalive, IN(keepalive_s)},
	{"caller-id", set_caller_id, 0, true},
	{"number-format", set_format},
	{"country", config_set_country, IN(plan)},
	{"national-prefix", config_set_national, IN(plan)},
	{"international-prefix", config_set_international, IN(plan)},
	{"media", set_media},
	{"dtmf", set_dtmf},
	{"site", set_domain, IN(site)},
	{"advertise", set_advertise},
	{"users", set_users, IN(userv), true},
	{"sites", set_sites, IN(sitev), true},
	{"allow", set_prefixes, IN(allowv), true},
	{"deny", set_prefixes, IN(denyv), true},
	{"calls", set_calls, IN(calls)},
	{"calls-per-user", set_user_calls, IN(calls_per_user)},
	{"minutes-per-day", set_minutes, IN(minutes_a_day)},
	{NULL},
};

void config_trunk_clear(struct config *c)
{
	for (size_t i = 0; i < c->n_trunks; i++) {
		struct trunk_config *t = &c->trunkv[i];

		mem_deref(t->matchv);
		mem_deref(t->numberv);
		mem_deref(t->allowv);
		mem_deref(t->denyv);
		mem_deref(t->userv);
		mem_deref(t->sitev);
		mem_deref(t->auth_user);
		mem_deref(t->password);
		mem_deref(t->realm);
	}
	mem_deref(c->trunkv);
}
