/* gateway/config_keys.c - the table of all keys: what each is called, whether it is a list, and the function
 * that reads it. The parser's grammar and the list of known names are made from the same rows.
 * Called by config.c, before there are threads. */
#include "gateway/config_keys.h"

#include <ctype.h>
#include <strings.h>

#include "gateway/config_value.h"
#include "lib/log.h"

void spot_fault(const struct spot *s, const struct config_value *v, const char *right)
{
	config_fault(s->b->report, v->line, "%s: \"%.80s\" is not usable; %s",
		     s->row->name, v->text, right);
}

int config_grow(void *arrayp, size_t *n, size_t size)
{
	void **array = arrayp, *bigger;

	bigger = *array ? mem_realloc(*array, (*n + 1) * size) : mem_alloc(size, NULL);
	if (!bigger)
		return ENOMEM;
	memset((uint8_t *)bigger + *n * size, 0, size);
	*array = bigger;
	(*n)++;
	return 0;
}

int config_text_set(char **sp, const char *text)
{
	char *copy = base_dup(text, strlen(text));

	if (!copy)
		return ENOMEM;
	mem_deref(*sp);
	*sp = copy;
	return 0;
}

static void strings_destroy(void *p)
{
	for (char **v = p; *v; v++)
		mem_deref(*v);
}

char **config_strings_alloc(size_t n)
{
	return mem_zalloc((n + 1) * sizeof(char *), strings_destroy);
}

static int set_text(struct spot *s)
{
	if (!*s->v->text) {
		spot_fault(s, s->v, "it must not be empty");
		return 0;
	}
	return config_text_set((char **)((uint8_t *)s->base + s->row->offset),
			       s->v->text);
}

int config_set_path(struct spot *s)
{
	if (*s->v->text != '/') {
		spot_fault(s, s->v, "write the whole path, beginning with /");
		return 0;
	}
	return set_text(s);
}

int config_set_bool(struct spot *s)
{
	bool *v = (bool *)((uint8_t *)s->base + s->row->offset);

	if (config_bool_parse(v, s->v->text))
		spot_fault(s, s->v, "write true or false");
	return 0;
}

/* Empty: there is no echo test. */
static int set_echo(struct spot *s)
{
	struct site_config *site = s->base;
	char user[ADDR_USER_MAX + 1];

	if (!*s->v->text) {
		site->echo = mem_deref(site->echo);
		return 0;
	}
	if (addr_user_parse(user, s->v->text, strlen(s->v->text))) {
		spot_fault(s, s->v,
			   "write a user name, \"echo\", or \"\" for no echo test");
		return 0;
	}
	return config_text_set(&site->echo, user);
}

static int set_relay(struct spot *s)
{
	struct site_config *site = s->base;
	enum relay_rule rule;

	if (relay_rule_parse(&rule, s->v->text) || rule == RELAY_SITE)
		spot_fault(s, s->v, "write never, strangers or always");
	else
		site->relay = rule;
	return 0;
}

static int set_origins(struct spot *s)
{
	struct site_config *site = s->base;
	char origin[300], **v = config_strings_alloc(s->n);
	size_t n = 0;

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		if (config_origin_parse(origin, sizeof(origin), s->v[i].text)) {
			spot_fault(s, &s->v[i],
				   "an origin is https://name or https://name:port");
			continue;
		}
		v[n] = base_dup(origin, strlen(origin));
		if (!v[n++]) {
			mem_deref(v);
			return ENOMEM;
		}
	}
	mem_deref(site->originv);
	site->originv = v;
	return 0;
}

static int set_http_listen(struct spot *s)
{
	struct config *c = s->base;

	for (size_t i = 0; i < s->n; i++) {
		const char *text = s->v[i].text;
		bool plain = !strncmp(text, "plain:", 6);
		struct listen_config l = {.transport = TRANSPORT_TLS, .plain = plain};

		if (config_sa_parse(&l.sa, text + (plain ? 6 : 0), -1)) {
			spot_fault(s, &s->v[i],
				   "write \"0.0.0.0:443\", \"[::]:443\" or "
				   "\"plain:127.0.0.1:8080\"");
			continue;
		}
		if (plain && !config_sa_is_loopback(&l.sa)) {
			spot_fault(
				s, &s->v[i],
				"HTTP without TLS is for loopback addresses alone; leave "
				"\"plain:\" out or listen on 127.0.0.1");
			continue;
		}
		if (config_grow(&c->httpv, &c->n_http, sizeof(l)))
			return ENOMEM;
		c->httpv[c->n_http - 1] = l;
	}
	return 0;
}

static int set_sip_listen(struct spot *s)
{
	struct config *c = s->base;

	for (size_t i = 0; i < s->n; i++) {
		struct listen_config l = {0};

		if (config_sip_parse(&l, s->v[i].text)) {
			spot_fault(
				s, &s->v[i],
				"write \"tls:0.0.0.0:5061\" or \"tls:[::]:5061\"; tcp and "
				"udp likewise");
			continue;
		}
		if (config_grow(&c->sipv, &c->n_sip, sizeof(l)))
			return ENOMEM;
		c->sipv[c->n_sip - 1] = l;
	}
	return 0;
}

static int set_dns(struct spot *s)
{
	struct config *c = s->base;
	char **v = config_strings_alloc(s->n), buf[64];
	size_t n = 0;
	struct sa sa;

	if (!v)
		return ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		if (config_sa_parse(&sa, s->v[i].text, 53) || !sa_port(&sa)) {
			spot_fault(s, &s->v[i],
				   "a DNS server is an address, \"192.0.2.53\" or "
				   "\"192.0.2.53:53\"");
			continue;
		}
		config_sa_text(buf, &sa);
		v[n] = base_dup(buf, strlen(buf));
		if (!v[n++]) {
			mem_deref(v);
			return ENOMEM;
		}
	}
	mem_deref(c->sip_dnsv);
	c->sip_dnsv = v[0] ? v : mem_deref(v);
	return 0;
}

/* "tls:sip.beta.example:5061": letters where the address would be. */
static bool is_named(const char *text)
{
	const char *host =
		!strncmp(text, "tls:", 4) || !strncmp(text, "tcp:", 4) ? text + 4 : text;
	size_t n = strcspn(host, ":");
	bool letter = false;

	if (strspn(host, "[") || (host[n] && strchr(host + n + 1, ':')))
		return false;
	for (size_t i = 0; i < n; i++)
		letter = letter || isalpha((unsigned char)host[i]);
	return letter;
}

static int set_peer_address(struct spot *s)
{
	struct peer_config *p = s->base;

	if (is_named(s->v->text))
		spot_fault(
			s, s->v,
			"a peer's address is an IP address and port, not a name; leave "
			"address out to use DNS");
	else if (config_sip_parse(&p->address, s->v->text) || !sa_port(&p->address.sa) ||
		 p->address.transport == TRANSPORT_UDP)
		spot_fault(s, s->v, "write \"tls:192.0.2.7:5061\" (or tcp:)");
	else
		p->has_address = true;
	return 0;
}

static int set_require(struct spot *s)
{
	static const char *const words[] = {
		[REQUIRE_TLS] = "tls",
		[REQUIRE_IDENTITY] = "identity",
		[REQUIRE_BOTH] = "both",
		[REQUIRE_EITHER] = "either",
	};
	struct peer_config *p = s->base;

	for (size_t i = 0; i < N_ELEMS(words); i++) {
		if (!strcmp(s->v->text, words[i])) {
			p->require = (enum require)i;
			return 0;
		}
	}
	spot_fault(s, s->v, "write \"tls\", \"identity\", \"both\" or \"either\"");
	return 0;
}

static int set_trickle(struct spot *s)
{
	static const char *const words[] = {
		[TRICKLE_AUTO] = "auto",
		[TRICKLE_YES] = "yes",
		[TRICKLE_NO] = "no",
	};
	struct peer_config *p = s->base;

	for (size_t i = 0; i < N_ELEMS(words); i++) {
		if (!strcmp(s->v->text, words[i])) {
			p->trickle = (enum trickle)i;
			return 0;
		}
	}
	spot_fault(s, s->v, "write \"auto\", \"yes\" or \"no\"");
	return 0;
}

static int set_log_level(struct spot *s)
{
	enum log_level level;

	if (log_level_parse(&level, s->v->text)) {
		spot_fault(s, s->v,
			   "write \"err\", \"warn\", \"info\", \"debug\" or \"trace\"");
		return 0;
	}
	return set_text(s);
}

static int set_limit(struct spot *s)
{
	struct config *c = s->base;

	for (size_t i = 0; i < config_limits_n; i++) {
		const struct limit_row *r = &config_limits[i];
		uint32_t v;

		if (strcmp(r->key, s->row->name) != 0)
			continue;
		if (config_uint_parse(&v, s->v->text) || v < r->min || v > r->max)
			config_fault(
				s->b->report, s->v->line,
				"%s: \"%.40s\" is not usable; a number from %u to %u "
				"(%s) would be right, %u is the default",
				r->key, s->v->text, r->min, r->max, r->unit, r->def);
		else
			*(uint32_t *)((uint8_t *)&c->limits + r->offset) = v;
	}
	return 0;
}

/* ---- the rows ---- */

#define IN(type, field) offsetof(struct type, field)
static const struct key_row site_rows[] = {
	{"certificate", config_set_path, IN(site_config, certificate)},
	{"key", config_set_path, IN(site_config, key)},
	{"open-registration", config_set_bool, IN(site_config, open_registration)},
	{"origins", set_origins, 0, true},
	{"echo", set_echo},
	{"echo-federated", config_set_bool, IN(site_config, echo_federated)},
	{"relay", set_relay},
	{NULL},
};
static const struct key_row http_rows[] = {
	{"listen", set_http_listen, 0, true},
	{"root", config_set_path, IN(config, web_root)},
	{"idp-root", config_set_path, IN(config, idp_root)},
	{NULL},
};
static const struct key_row sip_rows[] = {
	{"listen", set_sip_listen, 0, true},
	{"trust", config_set_path, IN(config, sip_trust)},
	{"dns", set_dns, 0, true},
	{"private-targets", config_set_bool, IN(config, sip_loopback)},
	{NULL},
};
static const struct key_row peer_rows[] = {
	{"address", set_peer_address},
	{"require", set_require},
	{"block", config_set_bool, IN(peer_config, block)},
	{"trickle", set_trickle},
	{NULL},
};
static const struct key_row identity_rows[] = {
	{"number-trust", config_set_path, IN(config, identity_number_trust)},
	{"private-hosts", config_set_bool, IN(config, identity_private)},
	{"show-wrong-assertions", config_set_bool, IN(config, identity_show_wrong)},
	{NULL},
};
static const struct key_row store_rows[] = {
	{"sqlite", config_set_path, IN(config, store_path)},
	{NULL},
};
static const struct key_row control_rows[] = {
	{"socket", config_set_path, IN(config, control_path)},
	{NULL},
};
static const struct key_row run_rows[] = {
	{"user", set_text, IN(config, user)},
	{"group", set_text, IN(config, group)},
	{NULL},
};
static const struct key_row log_rows[] = {
	{"level", set_log_level, IN(config, log_level)},
	{NULL},
};

/* ---- the sections ---- */

static int no_title(struct config_build *b, const struct config_section *sec,
		    void **basep)
{
	*basep = b->config;
	return 0;
}

/* Once is enough for a section without title. */
static int open_plain(struct config_build *b, const struct config_section *sec,
		      void **basep)
{
	for (const struct le *le = sec->le.prev; le; le = le->prev) {
		const struct config_section *other = le->data;

		if (other->key == sec->key)
			config_fault(
				b->report, sec->line,
				"a second section of this name; put its options into the "
				"one on line %u",
				other->line);
	}
	return no_title(b, sec, basep);
}

static void title_domain(struct config_build *b, const struct config_section *sec,
			 char *domain)
{
	const char *t = sec->title ? sec->title : "";

	if (addr_host_parse(domain, t, strlen(t)))
		config_fault(b->report, sec->line,
			     "\"%.80s\" is no domain; a name such as \"alpha.example\" "
			     "would be right",
			     t);
}

static int open_site(struct config_build *b, const struct config_section *sec,
		     void **basep)
{
	struct config *c = b->config;
	struct site_config *site;

	if (config_grow(&c->sitev, &c->n_sites, sizeof(*c->sitev)))
		return ENOMEM;
	*basep = site = &c->sitev[c->n_sites - 1];
	site->echo_federated = true;
	site->relay = RELAY_STRANGERS;
	if (config_text_set(&site->echo, "echo") || config_number_default(site))
		return ENOMEM;
	title_domain(b, sec, site->domain);
	config_idp_default(site);
	for (size_t i = 0; i + 1 < c->n_sites; i++) {
		if (*site->domain && !strcmp(c->sitev[i].domain, site->domain))
			config_fault(
				b->report, sec->line,
				"site \"%s\" is there a second time; each stands in the "
				"file once",
				site->domain);
	}
	return 0;
}

static int open_peer(struct config_build *b, const struct config_section *sec,
		     void **basep)
{
	struct config *c = b->config;
	struct peer_config *peer;

	if (config_grow(&c->peerv, &c->n_peers, sizeof(*c->peerv)))
		return ENOMEM;
	*basep = peer = &c->peerv[c->n_peers - 1];
	peer->require = REQUIRE_TLS;
	title_domain(b, sec, peer->domain);
	for (size_t i = 0; i + 1 < c->n_peers; i++) {
		if (*peer->domain && !strcmp(c->peerv[i].domain, peer->domain))
			config_fault(
				b->report, sec->line,
				"peer \"%s\" is there a second time; each stands in the "
				"file once",
				peer->domain);
	}
	return 0;
}

static const struct section_row {
	const char *name;
	const struct key_row *rows; /* NULL: config_limits[] */
	const struct key_row *more; /* a second table of them, or NULL */
	const struct key_row *third;
	int (*open)(struct config_build *b, const struct config_section *sec,
		    void **basep);
	bool titled;
} section_rows[] = {
	{"site", site_rows, config_idp_rows, config_number_rows, open_site, true},
	{"http", http_rows, NULL, NULL, open_plain, false},
	{"sip", sip_rows, NULL, NULL, open_plain, false},
	{"media", config_media_rows, NULL, NULL, open_plain, false},
	{"identity", identity_rows, NULL, NULL, open_plain, false},
	{"store", store_rows, NULL, NULL, open_plain, false},
	{"peer", peer_rows, NULL, NULL, open_peer, true},
	{"openid", config_openid_rows, NULL, NULL, config_openid_open, true},
	{"turn", config_turn_rows, NULL, NULL, open_plain, false},
	{"trunk", config_trunk_rows, NULL, NULL, config_trunk_open, true},
	{"control", control_rows, NULL, NULL, open_plain, false},
	{"run", run_rows, NULL, NULL, open_plain, false},
	{"log", log_rows, NULL, NULL, open_plain, false},
	{"limits", NULL, NULL, NULL, open_plain, false},
};

/* The table flattened, made anew from constants each time. */
enum { KEYS_MAX = 256 };
static struct config_key keyv[KEYS_MAX];
static struct key_row rowv[KEYS_MAX];

static size_t keys_add(size_t n, const char *section, bool titled,
		       const struct key_row *row)
{
	if (n == KEYS_MAX)
		abort(); /* more rows than the table above holds: no input can do that */
	keyv[n] = (struct config_key){section, row->name, row->list, titled};
	rowv[n] = *row;
	return n + 1;
}

size_t config_keys(const struct config_key **keyvp)
{
	size_t n = 0;

	for (size_t i = 0; i < N_ELEMS(section_rows); i++) {
		const struct section_row *sr = &section_rows[i];

		n = keys_add(n, sr->name, sr->titled, &(struct key_row){NULL});
		for (const struct key_row *r = sr->rows; r && r->name; r++)
			n = keys_add(n, sr->name, false, r);
		for (const struct key_row *r = sr->more; r && r->name; r++)
			n = keys_add(n, sr->name, false, r);
		for (const struct key_row *r = sr->third; r && r->name; r++)
			n = keys_add(n, sr->name, false, r);
		for (size_t k = 0; !sr->rows && k < config_limits_n; k++)
			n = keys_add(n, sr->name, false,
				     &(struct key_row){config_limits[k].key, set_limit});
	}
	*keyvp = keyv;
	return n;
}

static int section_apply(struct config_build *b, const struct config_section *sec)
{
	struct spot s = {.b = b};
	int err = 0;

	for (size_t i = 0; i < N_ELEMS(section_rows); i++) {
		if (!strcmp(section_rows[i].name, keyv[sec->key].section))
			err = section_rows[i].open(b, sec, &s.base);
	}
	for (const struct le *le = sec->entries.head; le && !err; le = le->next) {
		const struct config_entry *e = le->data;

		s.row = &rowv[e->key];
		s.v = e->valuev;
		s.n = e->n_values;
		if (s.n || s.row->list)
			err = s.row->set(&s);
	}
	return err;
}

int config_keys_apply(struct config_build *b)
{
	int err = 0;

	for (const struct le *le = b->sections.head; le && !err; le = le->next)
		err = section_apply(b, le->data);
	return err;
}

static const struct config_entry *entry_named(const struct config_section *sec,
					      const char *key)
{
	for (const struct le *le = sec->entries.head; key && le; le = le->next) {
		const struct config_entry *e = le->data;

		if (!strcmp(keyv[e->key].name, key))
			return e;
	}
	return NULL;
}

static const struct config_section *section_named(const struct config_build *b,
						  const char *section, size_t nth)
{
	for (const struct le *le = b->sections.head; le; le = le->next) {
		const struct config_section *sec = le->data;

		if (!strcmp(keyv[sec->key].section, section) && nth-- == 0)
			return sec;
	}
	return NULL;
}

unsigned config_line(const struct config_build *b, const char *section, size_t nth,
		     const char *key)
{
	const struct config_section *sec = section_named(b, section, nth);
	const struct config_entry *e = sec ? entry_named(sec, key) : NULL;

	return e ? e->line : sec ? sec->line : 0;
}

bool config_is_set(const struct config_build *b, const char *section, size_t nth,
		   const char *key)
{
	const struct config_section *sec = section_named(b, section, nth);

	return sec && entry_named(sec, key);
}
