/* idp/pen.c - see pen.h. Called by worker.c; calls lib/cert.c for the files, passport.c, es256.c.
 * RFC 8224 §6.1, §7 (the chain's address changes with the chain); RFC 3261 §20.17 (Date). */
#include "idp/pen.h"

#include <openssl/pem.h>
#include <strings.h>
#include <time.h>

#include "idp/b64url.h"
#include "idp/es256.h"
#include "idp/passport.h"
#include "lib/cert.h"
#include "lib/log.h"
#include "lib/secret.h"

enum { NAME_HEX = 2 * SECRET_SHA256_BYTES };

struct pen {
	struct le le;
	const struct site_config *site;
	char base[HEADER_URL_MAX]; /* what the chain's name is put behind */
	struct es256 *key;         /* NULL: it signs nothing */
	char name[NAME_HEX + 1];
	char *text; /* the chain */
	int64_t from_s, until_s;
};

struct pens {
	struct cert_store *store;
	struct list list;
	pen_chain_h *h;
	void *arg;
};

static void pen_destructor(void *arg)
{
	struct pen *pen = arg;

	list_unlink(&pen->le);
	mem_deref(pen->key);
	mem_deref(pen->text);
}

static void pens_destructor(void *arg)
{
	struct pens *p = arg;

	mem_deref(p->store);
	list_flush(&p->list);
}

static struct pen *find(const struct pens *p, const char *domain)
{
	for (struct le *le = p->list.head; le; le = le->next) {
		struct pen *pen = le->data;

		if (!strcasecmp(pen->site->domain, domain))
			return pen;
	}
	return NULL;
}

static char *chain_text(const struct cert_view *v)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text = NULL;
	bool ok = bio && PEM_write_bio_X509(bio, v->leaf) == 1;
	long n;

	for (int i = 0; ok && i < sk_X509_num(v->chain); i++)
		ok = PEM_write_bio_X509(bio, sk_X509_value(v->chain, i)) == 1;
	n = ok ? BIO_get_mem_data(bio, &data) : 0;
	if (n > 0)
		text = base_dup(data, (size_t)n);
	BIO_free(bio);
	return text;
}

static int64_t time_s(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static int pen_fill(struct pen *pen, const struct cert_view *v)
{
	char *text = chain_text(v), name[NAME_HEX + 1];
	struct es256 *key = NULL;
	int err = text ? secret_sha256_hex(name, text, strlen(text)) : ENOMEM;

	if (err) {
		mem_deref(text);
		return err;
	}
	err = es256_alloc(&key, v->key);
	if (err == ENOTSUP)
		log_warn(
			NULL, "idp.unsigned",
			"site=%s why=\"the key is none of P-256: calls to other sites go "
			"without Identity; identity-certificate may name another\"",
			pen->site->domain);
	else if (err) {
		mem_deref(text);
		return err;
	}
	mem_deref(pen->key);
	mem_deref(pen->text);
	pen->key = key;
	pen->text = text;
	memcpy(pen->name, name, sizeof(name));
	pen->from_s = time_s(X509_get0_notBefore(v->leaf));
	pen->until_s = time_s(X509_get0_notAfter(v->leaf));
	return 0;
}

/* A pair has been read, or could not be: then the old one stays. */
static void on_news(const char *domain, int64_t until_s, const char *why, void *arg)
{
	struct pens *p = arg;
	struct pen *pen = find(p, domain);
	struct cert_view v;

	(void)until_s;
	if (why || !pen || cert_store_view(p->store, domain, &v))
		return;
	if (pen_fill(pen, &v)) {
		log_err(NULL, "idp.memory", "site=%s", domain);
		return;
	}
	if (pen->key && p->h)
		p->h(pen->site->domain, pen->name, pen->text, p->arg);
}

/* Where the site's own web server is: by its first listener with TLS, unless the operator says otherwise. */
static void base_set(struct pen *pen, const struct config *config)
{
	char port[16] = "";

	if (pen->site->identity_url) {
		snprintf(pen->base, sizeof(pen->base), "%s", pen->site->identity_url);
		return;
	}
	for (size_t i = 0; i < config->n_http; i++) {
		unsigned n = sa_port(&config->httpv[i].sa);

		if (config->httpv[i].plain)
			continue;
		if (n && n != 443)
			snprintf(port, sizeof(port), ":%u", n);
		break;
	}
	snprintf(pen->base, sizeof(pen->base), "https://%s%s%s", pen->site->domain, port,
		 IDENTITY_CHAIN_PATH);
}

static int pen_add(struct pens *p, char **whyp, const struct config *config,
		   const struct site_config *site)
{
	const char *cert = site->identity_certificate ? site->identity_certificate
						      : site->certificate;
	const char *key = site->identity_key ? site->identity_key : site->key;
	struct pen *pen;

	if (!cert || !key)
		return 0;
	pen = mem_zalloc(sizeof(*pen), pen_destructor);
	if (!pen)
		return ENOMEM;
	pen->site = site;
	base_set(pen, config);
	list_append(&p->list, &pen->le, pen);
	return cert_store_add(p->store, whyp, site->domain, cert, key);
}

int pens_alloc(struct pens **pp, char **whyp, const struct config *config)
{
	struct pens *p = mem_zalloc(sizeof(*p), pens_destructor);
	int err;

	if (!p)
		return ENOMEM;
	err = cert_store_alloc(&p->store);
	for (size_t i = 0; i < config->n_sites && !err; i++)
		err = pen_add(p, whyp, config, &config->sitev[i]);
	if (err)
		mem_deref(p);
	else
		*pp = p;
	return err;
}

void pens_listen(struct pens *p, pen_chain_h *h, void *arg)
{
	p->h = h;
	p->arg = arg;
	cert_store_listen(p->store, on_news, p);
}

void pens_poll(struct pens *p)
{
	cert_store_poll(p->store);
}

void pens_reload(struct pens *p)
{
	cert_store_reload(p->store);
}

/* "Fri, 25 Sep 2015 19:12:25 GMT", whatever the locale */
static void date_print(char date[IDENTITY_DATE_BYTES], int64_t now_s)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)now_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(date, IDENTITY_DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u GMT",
		 days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

int pen_sign(char **headerp, char date[IDENTITY_DATE_BYTES], struct pens *p,
	     const struct pen_job *job, int64_t now_s)
{
	struct pen *pen = find(p, job->site);
	char token[HEADER_BYTES_MAX], url[HEADER_URL_MAX + 1], *header;
	uint8_t sig[ES256_BYTES];
	size_t n, size;
	int err;

	if (!pen || !pen->key || now_s < pen->from_s || now_s > pen->until_s)
		return ENOKEY;
	if (snprintf(url, sizeof(url), "%s%s.pem", pen->base, pen->name) >=
	    (int)sizeof(url))
		return EIO;
	n = passport_print(token, sizeof(token), "ES256", NULL, url, &job->orig,
			   &job->dest, now_s, &job->mky);
	if (!n)
		return EIO;
	err = es256_sign(pen->key, sig, token, n);
	if (err)
		return err;
	size = n + B64URL_LEN(sizeof(sig)) + strlen(url) + 32;
	header = mem_alloc(size, NULL);
	if (!header)
		return ENOMEM;
	memcpy(header, token, n);
	header[n++] = '.';
	n += b64url_encode(header + n, sig, sizeof(sig));
	snprintf(header + n, size - n, ";info=<%s>;alg=ES256", url);
	date_print(date, now_s);
	*headerp = header;
	return 0;
}
