/* idp/fetch.c - see fetch.h, on libcurl's multi interface. Called by shelf.c and worker.c.
 * RFC 8226 §7 (what `info` may be), RFC 9111 §5.2 (Cache-Control). */
#include "idp/fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

#include "gateway/addr.h"
#include "lib/log.h"
#include "lib/reach.h"

struct fetcher {
	CURLM *multi;
	struct fetch_config config;
	char *trust;
	struct list running;
};

struct fetch {
	struct le le;
	struct fetcher *fetcher;
	CURL *easy;
	fetch_h *h;
	void *arg;
	struct mbuf *body;
	struct curl_slist *headers;
	bool refused; /* the address is not to be reached */
	bool large;
	struct fetch_age age;
	char error[CURL_ERROR_SIZE];
};

static void fetch_destructor(void *arg)
{
	struct fetch *x = arg;

	list_unlink(&x->le);
	if (x->easy) {
		curl_multi_remove_handle(x->fetcher->multi, x->easy);
		curl_easy_cleanup(x->easy);
	}
	curl_slist_free_all(x->headers);
	mem_deref(x->body);
}

static void fetcher_destructor(void *arg)
{
	struct fetcher *f = arg;

	list_flush(&f->running);
	curl_multi_cleanup(f->multi);
	mem_deref(f->trust);
}

int fetcher_alloc(struct fetcher **fp, const struct fetch_config *config)
{
	struct fetcher *f = mem_zalloc(sizeof(*f), fetcher_destructor);

	if (!f)
		return ENOMEM;
	f->config = *config;
	if (config->trust) {
		f->trust = base_dup(config->trust, strlen(config->trust));
		f->config.trust = f->trust;
	}
	f->multi = curl_multi_init();
	if (!f->multi || (config->trust && !f->trust)) {
		mem_deref(f);
		return ENOMEM;
	}
	/* A connection kept open saves nothing: certificates are kept, too. */
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, 4L);
	*fp = f;
	return 0;
}

/* "https://" host [":" port] ["/" …]: read by us, and strictly, before libcurl reads it its way. */
bool fetch_url_ok(const char *url, const char *domain)
{
	static const char scheme[] = "https://";
	const char *p, *end;
	char host[ADDR_HOST_MAX + 1];
	size_t n, len;

	if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
		return false;
	p = url + sizeof(scheme) - 1;
	n = strcspn(p, ":/?#");
	end = p + n;
	if (*end == ':') {
		size_t digits = strspn(end + 1, "0123456789");
		long port = digits && digits < 6 ? strtol(end + 1, NULL, 10) : 0;

		if (port < 1 || port > 65535)
			return false;
		end += 1 + digits;
	}
	if ((*end && *end != '/' && *end != '?') || strpbrk(end, "#\\@") ||
	    memchr(p, '@', n) || addr_host_parse(host, p, n))
		return false;
	if (!domain)
		return true;
	n = strlen(host);
	len = strlen(domain);
	return n >= len && !strcasecmp(host + n - len, domain) &&
	       (n == len || host[n - len - 1] == '.');
}

/* The last word before a connection: libcurl connects this socket to that address and no other. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose,
				 struct curl_sockaddr *address)
{
	struct fetch *x = arg;
	struct sa sa;

	(void)purpose;
	if (sa_set_sa(&sa, &address->addr) ||
	    !reach_allowed(&sa, x->fetcher->config.local)) {
		x->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		      address->protocol);
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *x = arg;

	if (x->body->end + size * n > FETCH_BYTES_MAX) {
		x->large = true;
		return 0;
	}
	return mbuf_write_mem(x->body, (uint8_t *)p, size * n) ? 0 : size * n;
}

/* max-age=600, no-store */
static void cache_control(struct fetch_age *age, const char *p, size_t n)
{
	static const char word[] = "max-age=";

	for (size_t i = 0; i < n; i++) {
		if (i && p[i - 1] != ' ' && p[i - 1] != ',' && p[i - 1] != '\t' &&
		    p[i - 1] != ':')
			continue;
		if (n - i >= 8 && (!strncasecmp(p + i, "no-store", 8) ||
				   !strncasecmp(p + i, "no-cache", 8)))
			age->no_store = true;
		if (n - i > sizeof(word) - 1 &&
		    !strncasecmp(p + i, word, sizeof(word) - 1)) {
			uint64_t v = 0;

			for (size_t k = i + sizeof(word) - 1;
			     k < n && isdigit((uint8_t)p[k]) && v < UINT32_MAX; k++)
				v = v * 10 + (uint64_t)(p[k] - '0');
			age->max_age_s = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
		}
	}
}

void fetch_age_read(struct fetch_age *age, const char *line, size_t n)
{
	static const char name[] = "cache-control:";

	if (n > sizeof(name) - 1 && !strncasecmp(line, name, sizeof(name) - 1))
		cache_control(age, line + sizeof(name) - 2, n - (sizeof(name) - 2));
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct fetch *x = arg;

	fetch_age_read(&x->age, p, size * n);
	return size * n;
}

#define SET(option, value)                                                               \
	do {                                                                             \
		CURLcode code_ = curl_easy_setopt(e, option, value);                     \
		if (code_ != CURLE_OK)                                                   \
			bad = code_;                                                     \
	} while (0)

/* What the caller adds to a plain GET; libcurl copies all of it but the list of headers. */
static bool set_request(struct fetch *x, const struct fetch_request *r)
{
	CURL *e = x->easy;
	CURLcode bad = CURLE_OK;
	char line[256];

	if (r->accept) {
		snprintf(line, sizeof(line), "Accept: %s", r->accept);
		x->headers = curl_slist_append(NULL, line);
		if (!x->headers)
			return false;
		SET(CURLOPT_HTTPHEADER, x->headers);
	}
	if (r->form)
		SET(CURLOPT_COPYPOSTFIELDS, r->form);
	if (r->basic) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		SET(CURLOPT_USERPWD, r->basic);
	}
	if (r->bearer) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		SET(CURLOPT_XOAUTH2_BEARER, r->bearer);
	}
	if (r->trust) {
		SET(CURLOPT_CAINFO, r->trust);
		SET(CURLOPT_CAPATH, NULL);
	}
	return bad == CURLE_OK;
}

static bool set_options(struct fetch *x, const char *url)
{
	const struct fetch_config *c = &x->fetcher->config;
	CURL *e = x->easy;
	CURLcode bad = CURLE_OK;

	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, ""); /* whatever the environment says */
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs holds up nobody */
	SET(CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	SET(CURLOPT_MAXFILESIZE, (long)FETCH_BYTES_MAX);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->trust) {
		SET(CURLOPT_CAINFO, c->trust);
		SET(CURLOPT_CAPATH, NULL);
	}
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "sluss");
	SET(CURLOPT_ERRORBUFFER, x->error);
	SET(CURLOPT_PRIVATE, x);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, x);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, x);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, x);
	return bad == CURLE_OK;
}
#undef SET

int fetch_start(struct fetcher *f, const char *url, fetch_h *h, void *arg)
{
	const struct fetch_request r = {.url = url};

	return fetch_send(f, &r, h, arg);
}

int fetch_send(struct fetcher *f, const struct fetch_request *r, fetch_h *h, void *arg)
{
	struct fetch *x = mem_zalloc(sizeof(*x), fetch_destructor);

	if (!x)
		return ENOMEM;
	x->fetcher = f;
	x->h = h;
	x->arg = arg;
	x->body = mbuf_alloc(4096);
	x->easy = curl_easy_init();
	if (!x->body || !x->easy || !set_options(x, r->url) || !set_request(x, r) ||
	    curl_multi_add_handle(f->multi, x->easy) != CURLM_OK) {
		mem_deref(x);
		return ENOMEM;
	}
	list_append(&f->running, &x->le, x);
	return 0;
}

static void done(struct fetch *x, CURLcode code)
{
	struct fetch_result r = {.p = x->body->buf, .n = x->body->end};
	long status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	r.status = (uint32_t)status;
	r.max_age_s = x->age.no_store ? 1 : x->age.max_age_s;
	r.err = EIO;
	if (x->refused)
		snprintf(r.why, sizeof(r.why), "its address is a private or special one");
	else if (x->large || code == CURLE_FILESIZE_EXCEEDED)
		snprintf(r.why, sizeof(r.why), "it is larger than %d bytes",
			 FETCH_BYTES_MAX);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(r.why, sizeof(r.why), "it did not come in time");
	else if (code != CURLE_OK)
		snprintf(r.why, sizeof(r.why), "%.100s",
			 *x->error ? x->error : curl_easy_strerror(code));
	else if (status != 200)
		snprintf(r.why, sizeof(r.why), "the server answered with %ld", status);
	else
		r.err = 0;
	list_unlink(&x->le);
	x->h(&r, x->arg);
	mem_deref(x);
}

void fetcher_turn(struct fetcher *f, int ms)
{
	CURLMsg *msg;
	int n;

	if (curl_multi_poll(f->multi, NULL, 0, ms, &n) != CURLM_OK)
		log_err(NULL, "idp.fetch", "%s", "");
	if (!f->running.head)
		return;
	curl_multi_perform(f->multi, &n);
	while ((msg = curl_multi_info_read(f->multi, &n))) {
		struct fetch *x = NULL;
		CURLcode code = msg->data.result;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&x);
		if (msg->msg == CURLMSG_DONE && x)
			done(x, code);
	}
}

void fetcher_wake(struct fetcher *f)
{
	curl_multi_wakeup(f->multi);
}
