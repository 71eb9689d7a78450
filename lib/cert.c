/* lib/cert.c - loading a site's certificate chain and key, judging what it covers, reloading it when
 * its files change. One thread a store (the web thread, the edge thread). OpenSSL 3.
 * RFC 5922 §7 (SIP domain certificates), RFC 5280 §4.2.1.6 (subjectAltName). */
#include "lib/cert.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/log.h"

/* What tells that a file is not the one that was read. */
struct cert_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct cert_pair {
	struct le le;
	char *domain, *chain_file, *key_file;
	struct cert_stamp chain_stamp, key_stamp; /* of the last look, good or bad */
	X509 *leaf;
	EVP_PKEY *key;
	STACK_OF(X509) * chain; /* what follows the leaf */
};

struct cert_store {
	struct list pairs;
	cert_news_h *news_h; /* may be NULL */
	void *news_arg;
};

static void cert_clear(X509 *leaf, EVP_PKEY *key, STACK_OF(X509) * chain)
{
	X509_free(leaf);
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
}

static void cert_pair_destroy(void *p)
{
	struct cert_pair *cp = p;

	list_unlink(&cp->le);
	cert_clear(cp->leaf, cp->key, cp->chain);
	mem_deref(cp->domain);
	mem_deref(cp->chain_file);
	mem_deref(cp->key_file);
}

static void cert_store_destroy(void *p)
{
	struct cert_store *cs = p;

	list_flush(&cs->pairs);
}

int cert_store_alloc(struct cert_store **csp)
{
	struct cert_store *cs = mem_zalloc(sizeof(*cs), cert_store_destroy);

	if (!cs)
		return ENOMEM;
	list_init(&cs->pairs);
	*csp = cs;
	return 0;
}

static int PRINTF_LIKE(3, 4) cert_why(char **whyp, int err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (whyp) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		*whyp = base_dup(text, strlen(text));
	}
	ERR_clear_error();
	return err;
}

static FILE *cert_file(const char *file, struct cert_stamp *stamp, char **whyp, int *errp)
{
	struct stat st;
	FILE *f = fopen(file, "re");

	if (!f || fstat(fileno(f), &st)) {
		*errp = cert_why(whyp, errno, "%s cannot be read: %s", file,
				 strerror(errno));
		if (f)
			fclose(f);
		return NULL;
	}
	*stamp = (struct cert_stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
	return f;
}

/* A key with a passphrase would make OpenSSL ask on the terminal. */
static int cert_no_passphrase(char *buf, int size, int rw, void *asked)
{
	(void)buf;
	(void)size;
	(void)rw;
	if (asked)
		*(bool *)asked = true;
	return -1;
}

/* The text of a name that is plain: no NUL inside, only what a host name has. A wildcard, an escape, a
 * port or a user part make it something that RFC 5922 §7.1 does not take as a SIP domain. */
static size_t cert_plain(char out[256], const uint8_t *p, int n)
{
	size_t o = 0;

	if (n <= 0 || n > 253)
		return 0;
	for (int i = 0; i < n; i++) {
		int c = tolower(p[i]);

		if (!isalnum(c) && c != '-' && c != '.')
			return 0;
		out[o++] = (char)c;
	}
	if (out[0] == '.' || out[o - 1] == '.')
		return 0;
	out[o] = '\0';
	return o;
}

/* What a leaf without one name that counts has instead, for people. */
static void cert_instead(X509 *leaf, char *buf, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	char name[256];

	if (!names && X509_NAME_get_index_by_NID(X509_get_subject_name(leaf),
						 NID_commonName, -1) >= 0)
		snprintf(buf, size, "it has a common name only");
	else
		snprintf(buf, size, "it is for: no name");
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *gn = sk_GENERAL_NAME_value(names, i);
		const uint8_t *p;
		int n;

		if (gn->type != GEN_DNS)
			continue;
		p = ASN1_STRING_get0_data(gn->d.dNSName);
		n = ASN1_STRING_length(gn->d.dNSName);
		if (n > 2 && p[0] == '*' && p[1] == '.' &&
		    cert_plain(name, p + 2, n - 2)) {
			snprintf(buf, size, "it is for: *.%s; wildcards do not do", name);
			break;
		}
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
}

static int cert_load_chain(struct cert_pair *cp, X509 **leafp, STACK_OF(X509) * *chainp,
			   char **whyp)
{
	STACK_OF(X509) *chain = NULL;
	X509 *leaf = NULL, *x;
	int err = 0;
	FILE *f = cert_file(cp->chain_file, &cp->chain_stamp, whyp, &err);

	if (!f)
		return err;
	leaf = PEM_read_X509_AUX(f, NULL, cert_no_passphrase, NULL);
	chain = sk_X509_new_null();
	if (!leaf || !chain) {
		err = cert_why(
			whyp, EINVAL,
			"%s holds no certificate; a PEM file with the full chain, the "
			"site's own first, would be right",
			cp->chain_file);
		goto out;
	}
	while ((x = PEM_read_X509(f, NULL, cert_no_passphrase, NULL))) {
		if (!sk_X509_push(chain, x)) {
			X509_free(x);
			err = cert_why(whyp, ENOMEM, "out of memory");
			goto out;
		}
	}
	ERR_clear_error();
	if (!cert_covers(leaf, cp->domain)) {
		static const char begin[] = "it is for: ";
		char has[300] = "it is for: ";

		if (!cert_names(leaf, has + sizeof(begin) - 1,
				sizeof(has) - sizeof(begin) + 1))
			cert_instead(leaf, has, sizeof(has));
		err = cert_why(
			whyp, EINVAL,
			"%s does not cover %s (%s); a certificate with the DNS name %s "
			"would be right",
			cp->chain_file, cp->domain, has, cp->domain);
	}
out:
	fclose(f);
	if (err) {
		cert_clear(leaf, NULL, chain);
		return err;
	}
	*leafp = leaf;
	*chainp = chain;
	return 0;
}

static int cert_load(struct cert_pair *cp, char **whyp)
{
	STACK_OF(X509) *chain = NULL;
	EVP_PKEY *key = NULL;
	X509 *leaf = NULL;
	bool encrypted = false;
	FILE *f;
	int err = cert_load_chain(cp, &leaf, &chain, whyp);

	f = cert_file(cp->key_file, &cp->key_stamp, err ? NULL : whyp,
		      err ? &(int){0} : &err);
	if (f) {
		key = PEM_read_PrivateKey(f, NULL, cert_no_passphrase, &encrypted);
		fclose(f);
	}
	if (!err && !key && encrypted)
		err = cert_why(whyp, EINVAL,
			       "%s is encrypted; openssl pkey -in %s -out NEW takes the "
			       "passphrase off",
			       cp->key_file, cp->key_file);
	if (!err && !key)
		err = cert_why(
			whyp, EINVAL,
			"%s holds no private key that can be used; an unencrypted PEM key "
			"would be right",
			cp->key_file);
	if (!err && X509_check_private_key(leaf, key) != 1)
		err = cert_why(whyp, EINVAL, "%s is not the key of the certificate in %s",
			       cp->key_file, cp->chain_file);
	if (err) {
		ERR_clear_error();
		cert_clear(leaf, key, chain);
		return err;
	}
	cert_clear(cp->leaf, cp->key, cp->chain);
	cp->leaf = leaf;
	cp->key = key;
	cp->chain = chain;
	return 0;
}

int cert_store_add(struct cert_store *cs, char **whyp, const char *domain,
		   const char *chain_file, const char *key_file)
{
	struct cert_pair *cp = mem_zalloc(sizeof(*cp), cert_pair_destroy);
	int err = ENOMEM;

	if (!cp)
		goto out;
	cp->domain = base_dup(domain, strlen(domain));
	cp->chain_file = base_dup(chain_file, strlen(chain_file));
	cp->key_file = base_dup(key_file, strlen(key_file));
	if (!cp->domain || !cp->chain_file || !cp->key_file)
		goto out;
	err = cert_load(cp, whyp);
	if (!err)
		list_append(&cs->pairs, &cp->le, cp);
out:
	if (err)
		mem_deref(cp);
	return err;
}

static bool cert_changed(const char *file, const struct cert_stamp *old)
{
	struct stat st;

	/* A file that is being replaced may be absent for a moment: no news. */
	if (stat(file, &st))
		return false;
	return st.st_dev != old->dev || st.st_ino != old->ino ||
	       st.st_size != old->size || st.st_mtim.tv_sec != old->mtime.tv_sec ||
	       st.st_mtim.tv_nsec != old->mtime.tv_nsec;
}

static int64_t cert_time_s(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void cert_tell(const struct cert_store *cs, const struct cert_pair *cp,
		      const char *why)
{
	if (cs->news_h)
		cs->news_h(cp->domain, cert_time_s(X509_get0_notAfter(cp->leaf)), why,
			   cs->news_arg);
}

static int cert_again(struct cert_store *cs, struct cert_pair *cp)
{
	char *why = NULL;
	int err = cert_load(cp, &why);

	if (err)
		log_err(NULL, "cert.not_reloaded", "site=%s why=%s in_service=old",
			cp->domain, LQ(why));
	else
		log_info(NULL, "cert.reloaded", "site=%s", cp->domain);
	cert_tell(cs, cp, err ? why ? why : strerror(err) : NULL);
	mem_deref(why);
	return err;
}

unsigned cert_store_poll(struct cert_store *cs)
{
	unsigned n = 0;

	for (struct le *le = cs->pairs.head; le; le = le->next) {
		struct cert_pair *cp = le->data;

		if (cert_changed(cp->chain_file, &cp->chain_stamp) ||
		    cert_changed(cp->key_file, &cp->key_stamp))
			n += !cert_again(cs, cp);
	}
	return n;
}

unsigned cert_store_reload(struct cert_store *cs)
{
	unsigned n = 0;

	for (struct le *le = cs->pairs.head; le; le = le->next)
		n += cert_again(cs, le->data) != 0;
	return n;
}

void cert_store_listen(struct cert_store *cs, cert_news_h *h, void *arg)
{
	cs->news_h = h;
	cs->news_arg = arg;
	for (struct le *le = cs->pairs.head; le; le = le->next)
		cert_tell(cs, le->data, NULL);
}

static struct cert_pair *cert_find(const struct cert_store *cs, const char *domain)
{
	for (struct le *le = cs->pairs.head; domain && le; le = le->next) {
		struct cert_pair *cp = le->data;

		if (!strcasecmp(cp->domain, domain))
			return cp;
	}
	return NULL;
}

int cert_store_use(struct cert_store *cs, SSL *ssl, const char *domain, bool or_first)
{
	struct cert_pair *cp = cert_find(cs, domain);

	if (!cp && or_first)
		cp = list_ledata(cs->pairs.head);
	if (!cp)
		return ENOENT;
	/* Overrides what an earlier call put there; takes references of its own. */
	if (SSL_use_cert_and_key(ssl, cp->leaf, cp->key, cp->chain, 1) != 1) {
		ERR_clear_error();
		return EINVAL;
	}
	return 0;
}

int cert_store_expiry(const struct cert_store *cs, const char *domain,
		      int64_t *not_after_s)
{
	struct cert_pair *cp = cert_find(cs, domain);

	if (!cp)
		return ENOENT;
	*not_after_s = cert_time_s(X509_get0_notAfter(cp->leaf));
	return 0;
}

bool cert_store_signs(const struct cert_store *cs, const char *domain)
{
	struct cert_pair *cp = cert_find(cs, domain);
	char group[32] = "";

	if (cp && EVP_PKEY_is_a(cp->key, "EC"))
		(void)EVP_PKEY_get_group_name(cp->key, group, sizeof(group), NULL);
	ERR_clear_error();
	return !strcmp(group, "prime256v1");
}

int cert_store_view(const struct cert_store *cs, const char *domain, struct cert_view *v)
{
	struct cert_pair *cp = cert_find(cs, domain);

	if (!cp)
		return ENOENT;
	*v = (struct cert_view){cp->leaf, cp->key, cp->chain};
	return 0;
}

/* Calls `h` for each SIP domain of a leaf; stops when it gives true. RFC 5922 §7.1: sip URIs first, and
 * only without any of them the DNS names. sips and other schemes are no SIP domain (RFC 5922 7.1 2a). */
static bool cert_each(X509 *leaf, bool (*h)(const char *name, void *arg), void *arg)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	bool any_uri = false, stopped = false;
	char name[256];

	for (int pass = 0; pass < 2 && !stopped && !(pass && any_uri); pass++) {
		for (int i = 0; i < sk_GENERAL_NAME_num(names) && !stopped; i++) {
			const GENERAL_NAME *gn = sk_GENERAL_NAME_value(names, i);
			const ASN1_IA5STRING *s;

			if (gn->type != (pass ? GEN_DNS : GEN_URI))
				continue;
			s = pass ? gn->d.dNSName : gn->d.uniformResourceIdentifier;
			if (pass) {
				if (cert_plain(name, ASN1_STRING_get0_data(s),
					       ASN1_STRING_length(s)))
					stopped = h(name, arg);
			} else if (ASN1_STRING_length(s) > 4 &&
				   !strncasecmp((const char *)ASN1_STRING_get0_data(s),
						"sip:", 4)) {
				any_uri = true;
				if (cert_plain(name, ASN1_STRING_get0_data(s) + 4,
					       ASN1_STRING_length(s) - 4))
					stopped = h(name, arg);
			}
		}
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return stopped;
}

static bool cert_is(const char *name, void *arg)
{
	return !strcasecmp(name, arg);
}

bool cert_covers(X509 *leaf, const char *domain)
{
	return cert_each(leaf, cert_is, (void *)(uintptr_t)domain);
}

struct cert_list {
	char *buf;
	size_t size, used, n;
};

static bool cert_list_add(const char *name, void *arg)
{
	struct cert_list *l = arg;
	size_t len = strlen(name);

	l->n++;
	if (l->used + len + 2 > l->size)
		return false;
	if (l->used)
		l->buf[l->used++] = ' ';
	memcpy(l->buf + l->used, name, len + 1);
	l->used += len;
	return false;
}

size_t cert_names(X509 *leaf, char *buf, size_t size)
{
	struct cert_list l = {.buf = buf, .size = size};

	if (size)
		buf[0] = '\0';
	cert_each(leaf, cert_list_add, &l);
	return l.n;
}
