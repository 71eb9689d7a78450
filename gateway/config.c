/* gateway/config.c - reads the configuration: defaults, what the file says, and the checks that look at more
 * than one value. Called once by main.c before there are threads; afterwards all threads read what it made.
 * Text -> config_file.c (libConfuse) -> config_keys.c (values) -> here. */
#include "gateway/config.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/config_keys.h"
#include "gateway/config_text.h"
#include "gateway/config_value.h"
#include "gateway/control.h"
#include "lib/cert.h"
#include "lib/clock.h"
#include "lib/secret.h"

enum { DAY_S = 86400 };

static void config_destroy(void *p)
{
	struct config *c = p;

	for (size_t i = 0; i < c->n_sites; i++) {
		mem_deref(c->sitev[i].certificate);
		mem_deref(c->sitev[i].key);
		mem_deref(c->sitev[i].identity_certificate);
		mem_deref(c->sitev[i].identity_key);
		mem_deref(c->sitev[i].identity_url);
		mem_deref(c->sitev[i].idp_certificate);
		mem_deref(c->sitev[i].idp_key);
		mem_deref(c->sitev[i].originv);
		mem_deref(c->sitev[i].echo);
	}
	config_number_clear(c);
	mem_deref(c->sitev);
	mem_deref(c->httpv);
	mem_deref(c->sipv);
	mem_deref(c->peerv);
	config_trunk_clear(c);
	config_openid_clear(c);
	mem_deref(c->turn.stunv);
	mem_deref(c->turn.uriv);
	mem_deref(c->turn.secret);
	mem_deref(c->sip_trust);
	mem_deref(c->sip_dnsv);
	mem_deref(c->identity_number_trust);
	mem_deref(c->store_path);
	mem_deref(c->control_path);
	mem_deref(c->web_root);
	mem_deref(c->idp_root);
	mem_deref(c->user);
	mem_deref(c->group);
	mem_deref(c->log_level);
}

static int config_default(struct config *c)
{
	const struct {
		char **at;
		const char *text;
	} texts[] = {
		{&c->sip_trust, "/etc/ssl/certs/ca-certificates.crt"},
		{&c->store_path, SLUSS_STATEDIR "/lib/sluss/sluss.db"},
		{&c->control_path, CONTROL_SOCKET},
		{&c->web_root, SLUSS_DATADIR},
		{&c->log_level, "info"},
	};
	int err = 0;

	c->turn.lifetime_s = CONFIG_TURN_LIFETIME_S;
	c->media.port = MEDIA_PORT;
	c->media.rtp_first = RTP_FIRST;
	c->media.rtp_last = RTP_LAST;
	for (size_t i = 0; i < N_ELEMS(texts) && !err; i++)
		err = config_text_set(texts[i].at, texts[i].text);
	for (size_t i = 0; i < config_limits_n; i++)
		*(uint32_t *)((uint8_t *)&c->limits + config_limits[i].offset) =
			config_limits[i].def;
	return err;
}

/* The pages of the identity provider lie beside the others. */
static int default_idp_root(struct config *c)
{
	char path[4096];

	if (c->idp_root)
		return 0;
	snprintf(path, sizeof(path), "%s/idp", c->web_root);
	return config_text_set(&c->idp_root, path);
}

/* One site with a certificate is a working federated calling site. */
static int config_default_listen(struct config_build *b)
{
	struct config *c = b->config;

	if (!config_is_set(b, "http", 0, "listen")) {
		if (config_grow(&c->httpv, &c->n_http, sizeof(*c->httpv)))
			return ENOMEM;
		c->httpv[0].transport = TRANSPORT_TLS;
		sa_set_in(&c->httpv[0].sa, INADDR_ANY, 443);
	}
	if (!config_is_set(b, "sip", 0, "listen")) {
		if (config_grow(&c->sipv, &c->n_sip, sizeof(*c->sipv)))
			return ENOMEM;
		c->sipv[0].transport = TRANSPORT_TLS;
		sa_set_in(&c->sipv[0].sa, INADDR_ANY, 5061);
	}
	if (!config_is_set(b, "media", 0, "listen")) {
		sa_set_in(&c->media.listenv[0], INADDR_ANY, 0);
		sa_set_in6(&c->media.listenv[1], (const uint8_t[16]){0}, 0);
		c->media.n_listen = 2;
	}
	return default_idp_root(c);
}

static void check_site(struct config_build *b, size_t i)
{
	const struct config *c = b->config;
	const struct site_config *site = &c->sitev[i];
	unsigned line = config_line(b, "site", i, NULL);
	bool certificate = config_is_set(b, "site", i, "certificate");
	bool key = config_is_set(b, "site", i, "key");
	bool tls_http = false, tls_sip = false;

	if (!*site->domain)
		return;
	if (certificate && !key)
		config_fault(b->report, config_line(b, "site", i, "certificate"),
			     "site \"%s\" has a certificate but no key; key = "
			     "\"/etc/sluss/%s.key\" would be right",
			     site->domain, site->domain);
	if (!certificate && key)
		config_fault(b->report, config_line(b, "site", i, "key"),
			     "site \"%s\" has a key but no certificate; certificate = "
			     "\"/etc/sluss/%s.pem\" would be right",
			     site->domain, site->domain);
	if (certificate || key)
		return;
	for (size_t k = 0; k < c->n_http; k++)
		tls_http = tls_http || !c->httpv[k].plain;
	for (size_t k = 0; k < c->n_sip; k++)
		tls_sip = tls_sip || c->sipv[k].transport == TRANSPORT_TLS;
	if (!config_domain_is_local(site->domain) || tls_http)
		config_fault(
			b->report, line,
			"site \"%s\" has no certificate; certificate = \"…\" and key = "
			"\"…\" would be right (without them only for localhost and "
			"*.localhost, when http listens on plain loopback addresses "
			"alone)",
			site->domain);
	else if (tls_sip)
		config_fault(
			b->report, line,
			"site \"%s\" has no certificate, which SIP over TLS needs; give "
			"it certificate and key, or turn SIP off: sip { listen = {} }",
			site->domain);
}

static void check_sip_listen(struct config_build *b)
{
	static const char *const names[] = {
		[TRANSPORT_UDP] = "udp",
		[TRANSPORT_TCP] = "tcp",
	};
	const struct config *c = b->config;

	for (size_t i = 0; i < c->n_sip; i++) {
		enum transport t = c->sipv[i].transport;
		bool used = false;

		for (size_t k = 0; k < c->n_trunks; k++)
			used = used || c->trunkv[k].transport == t;
		if (t != TRANSPORT_TLS && !used)
			config_warn(
				b->report, config_line(b, "sip", 0, "listen"),
				"calls arriving over %s are refused, since nobody can "
				"prove a domain there; tls is what other sites use",
				names[t]);
	}
}

static void check_peers(struct config_build *b)
{
	const struct config *c = b->config;

	for (size_t i = 0; i < c->n_peers; i++) {
		const char *domain = c->peerv[i].domain;

		if (*domain && config_site_find(c, domain))
			config_fault(b->report, config_line(b, "peer", i, NULL),
				     "peer \"%s\" is a site of this very file; a peer is "
				     "another site's domain",
				     domain);
	}
}

/* The same address twice, in http and sip together: the kernel would refuse the second. */
static void check_listen(struct config_build *b)
{
	const struct config *c = b->config;
	size_t n = c->n_http + c->n_sip;
	char text[64];

	for (size_t i = 0; i < n; i++) {
		bool sip = i >= c->n_http;
		const struct listen_config *l =
			sip ? &c->sipv[i - c->n_http] : &c->httpv[i];

		for (size_t k = 0; k < i && sa_port(&l->sa); k++) {
			const struct listen_config *m =
				k < c->n_http ? &c->httpv[k] : &c->sipv[k - c->n_http];

			if ((l->transport == TRANSPORT_UDP) ==
				    (m->transport == TRANSPORT_UDP) &&
			    sa_cmp(&l->sa, &m->sa, SA_ALL))
				config_fault(
					b->report,
					config_line(b, sip ? "sip" : "http", 0, "listen"),
					"listens on %s twice; once is right",
					config_sa_text(text, &l->sa));
		}
	}
}

static void check_limits(struct config_build *b)
{
	const struct limits *l = &b->config->limits;
	unsigned line = config_line(b, "limits", 0, "sdp-size");

	if (l->sdp_bytes >= l->ws_message_bytes)
		config_fault(
			b->report, line,
			"sdp-size (%u) must be less than ws-message-size (%u), since a "
			"message carries a description",
			l->sdp_bytes, l->ws_message_bytes);
	if (l->sdp_bytes >= l->sip_message_bytes)
		config_fault(
			b->report, line,
			"sdp-size (%u) must be less than sip-message-size (%u), since a "
			"message carries a description",
			l->sdp_bytes, l->sip_message_bytes);
	if (l->session_linger_s && l->ws_queue_bytes / 2 < l->session_queue_bytes)
		config_fault(
			b->report, config_line(b, "limits", 0, "ws-queue-size"),
			"ws-queue-size (%u) must be at least twice session-queue-size "
			"(%u), since all that a session keeps is sent at once when its "
			"client is back, and JSON may double it",
			l->ws_queue_bytes, l->session_queue_bytes);
}

static void check_turn(struct config_build *b)
{
	const struct turn_config *t = &b->config->turn;

	if (t->uriv && !config_is_set(b, "turn", 0, "secret"))
		config_fault(b->report, config_line(b, "turn", 0, "uris"),
			     "turn has servers but no secret; secret = \"…\" would be "
			     "right, the static-auth-secret of those servers");
	if (t->secret && !config_is_set(b, "turn", 0, "uris"))
		config_fault(b->report, config_line(b, "turn", 0, "secret"),
			     "turn has a secret but no servers; uris = "
			     "{\"turn:turn.alpha.example:3478\"} would be right");
}

static void check_whole(struct config_build *b)
{
	const struct config *c = b->config;
	bool clean = !config_report_faults(b->report);

	if (!c->n_sites)
		config_fault(
			b->report, 0,
			"there is no site; site \"alpha.example\" { certificate = \"…\"  "
			"key = \"…\" } would be right");
	if (!c->n_http && clean)
		config_fault(
			b->report, config_line(b, "http", 0, "listen"),
			"http listens nowhere; listen = {\"0.0.0.0:443\"} would be right");
	for (size_t i = 0; i < c->n_sites; i++)
		check_site(b, i);
	config_idp_check(b);
	check_peers(b);
	check_listen(b);
	check_sip_listen(b);
	check_limits(b);
	check_turn(b);
	if (c->group && !c->user)
		config_fault(
			b->report, config_line(b, "run", 0, "group"),
			"run has a group but no user; user = \"sluss\" would be right");
}

/* ---- what lies outside of the file ---- */

static void check_private(struct config_build *b, unsigned line, const char *key)
{
	struct stat st;

	if (!stat(key, &st) && st.st_mode & (S_IROTH | S_IWOTH))
		config_warn(
			b->report, line,
			"%s can be %s by everybody on this machine; chmod o= would be "
			"right, and a new key if anybody has been here",
			key, st.st_mode & S_IWOTH ? "changed" : "read");
}

static void check_pair(struct config_build *b, struct cert_store *cs, unsigned line,
		       const char *domain, const char *certificate, const char *key)
{
	int64_t not_after_s;
	char *why = NULL, day[16];
	struct tm tm;
	time_t t;

	if (cert_store_add(cs, &why, domain, certificate, key))
		config_fault(b->report, line, "%s", why ? why : "out of memory");
	else if (!cert_store_expiry(cs, domain, &not_after_s)) {
		t = (time_t)not_after_s;
		strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&t, &tm));
		if (not_after_s <= clock_wall_s())
			config_warn(b->report, line,
				    "%s expired on %s; browsers and peers will refuse it",
				    certificate, day);
		else if (not_after_s - clock_wall_s() <
			 (int64_t)b->config->limits.cert_warn_days * DAY_S)
			config_warn(b->report, line, "%s expires on %s", certificate,
				    day);
	}
	mem_deref(why);
	check_private(b, line, key);
}

static void check_certificate(struct config_build *b, struct cert_store *cs,
			      struct cert_store *signing, size_t i)
{
	const struct site_config *site = &b->config->sitev[i];
	bool other = site->identity_certificate && site->identity_key;
	unsigned line = config_line(b, "site", i, "certificate");

	/* Without the other half, or when that is not usable, which has been said. */
	if (site->certificate && site->key)
		check_pair(b, cs, line, site->domain, site->certificate, site->key);
	if (other) {
		line = config_line(b, "site", i, "identity-certificate");
		check_pair(b, signing, line, site->domain, site->identity_certificate,
			   site->identity_key);
	}
	if (b->config->n_sip &&
	    !cert_store_expiry(other ? signing : cs, site->domain, &(int64_t){0}) &&
	    !cert_store_signs(other ? signing : cs, site->domain))
		config_warn(
			b->report, line,
			"its key is none of P-256 (ECDSA), so calls from %s go to other "
			"sites unsigned; such a key, or a second pair by "
			"identity-certificate and identity-key, would be right",
			site->domain);
}

static void check_outside(struct config_build *b)
{
	const struct config *c = b->config;
	struct cert_store *cs = NULL, *signing = NULL;
	struct stat st;

	if (cert_store_alloc(&cs) || cert_store_alloc(&signing)) {
		mem_deref(cs);
		config_fault(b->report, 0, "out of memory");
		return;
	}
	for (size_t i = 0; i < c->n_sites; i++)
		check_certificate(b, cs, signing, i);
	mem_deref(signing);
	mem_deref(cs);
	config_idp_check_outside(b);
	if (c->identity_number_trust && access(c->identity_number_trust, R_OK))
		config_fault(
			b->report, config_line(b, "identity", 0, "number-trust"),
			"%s cannot be read: %s; number-trust names a PEM file of the "
			"authorities that certificates for telephone numbers come from",
			c->identity_number_trust, strerror(errno));
	if (c->n_sip && access(c->sip_trust, R_OK))
		config_fault(b->report, config_line(b, "sip", 0, "trust"),
			     "%s cannot be read: %s; trust names a PEM file of the "
			     "authorities that SIP peers' certificates come from",
			     c->sip_trust, strerror(errno));
	if (stat(c->web_root, &st) || !S_ISDIR(st.st_mode))
		config_fault(
			b->report, config_line(b, "http", 0, "root"),
			"%s is no folder; root names the one that holds phone/ and sdk/",
			c->web_root);
	/* There are no threads yet. */
	/* cppcheck-suppress getpwnamCalled */
	if (c->user && !getpwnam(c->user))
		config_fault(b->report, config_line(b, "run", 0, "user"),
			     "this system has no user \"%s\"", c->user);
	/* cppcheck-suppress getgrnamCalled */
	if (c->group && !getgrnam(c->group))
		config_fault(b->report, config_line(b, "run", 0, "group"),
			     "this system has no group \"%s\"", c->group);
}

/* ---- the doors ---- */

static int config_build(struct config **cp, char **reportp, const char *name,
			const char *text, size_t n, bool outside)
{
	struct config_build b = {0};
	const struct config_key *keyv;
	size_t n_keys = config_keys(&keyv);
	int err;

	*reportp = NULL;
	b.config = mem_zalloc(sizeof(*b.config), config_destroy);
	err = b.config ? config_report_alloc(&b.report, name) : ENOMEM;
	if (!err)
		err = config_default(b.config);
	if (err)
		goto out;
	err = config_file_parse(&b.sections, b.report, name, text, n, keyv, n_keys);
	if (err == ENOMEM)
		goto out;
	/* Half a file would give faults that are none: its values are read, the whole is not judged. */
	if (config_keys_apply(&b)) {
		err = ENOMEM;
		goto out;
	}
	if (!err) {
		err = config_default_listen(&b);
		err = err ? err : config_openid_check(&b);
		err = err ? err : config_trunk_check(&b);
		check_whole(&b);
		if (outside && !err)
			check_outside(&b);
	}
	if (!err && config_report_faults(b.report))
		err = EINVAL;
	if (config_report_text(b.report, reportp))
		err = ENOMEM;
out:
	list_flush(&b.sections);
	mem_deref(b.report);
	if (err)
		mem_deref(b.config);
	else
		*cp = b.config;
	return err;
}

int config_parse(struct config **cp, char **reportp, const char *name, const char *text,
		 size_t n)
{
	return config_build(cp, reportp, name, text, n, false);
}

static int file_read(char **textp, size_t *np, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err = 0;
	size_t size = CONFIG_TEXT_MAX_BYTES + 1, n = 0;
	char *text = NULL;
	struct stat st;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st))
		err = errno;
	else if (S_ISDIR(st.st_mode))
		err = EISDIR;
	else if (!(text = mem_alloc(size, NULL)))
		err = ENOMEM;
	while (!err && n < size) {
		ssize_t got = read(fd, text + n, size - n);

		if (got < 0 && errno != EINTR)
			err = errno;
		if (got == 0)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (err) {
		mem_deref(text);
		return err;
	}
	*textp = text;
	*np = n;
	return 0;
}

int config_load(struct config **cp, char **reportp, const char *file)
{
	char *text = NULL, line[512];
	size_t n = 0;
	int err = file_read(&text, &n, file);

	if (err) {
		snprintf(line, sizeof(line), "%s: cannot be read: %s\n", file,
			 strerror(err));
		*reportp = base_dup(line, strlen(line));
		return err;
	}
	err = config_build(cp, reportp, file, text, n, true);
	secret_wipe(text, n); /* it may hold the TURN servers' secret */
	mem_deref(text);
	return err;
}

const struct site_config *config_site_find(const struct config *c, const char *domain)
{
	for (size_t i = 0; i < c->n_sites; i++) {
		if (!strcasecmp(c->sitev[i].domain, domain))
			return &c->sitev[i];
	}
	return NULL;
}

bool config_has_relay(const struct config *c)
{
	for (size_t i = 0; i < c->n_sites; i++)
		if (c->sitev[i].relay > RELAY_NEVER)
			return true;
	return false;
}

bool config_has_echo(const struct config *c)
{
	for (size_t i = 0; i < c->n_sites; i++)
		if (c->sitev[i].echo)
			return true;
	return false;
}

const struct peer_config *config_peer_find(const struct config *c, const char *domain)
{
	for (size_t i = 0; i < c->n_peers; i++) {
		if (!strcasecmp(c->peerv[i].domain, domain))
			return &c->peerv[i];
	}
	return NULL;
}
