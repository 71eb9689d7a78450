/* idp/openid_flow.c - see openid_flow.h. Called by openid.c. RFC 6749 §4.1, §10.12; RFC 7636 §4. */
#include "idp/openid_flow.h"

#include "idp/b64url.h"

/* HMAC over texts that each end in a NUL, so that none can grow into the next. out[FLOW_DERIVED_LEN + 1]. */
static int derive(char *out, struct secret_mac *key, const char *what, const char *site,
		  const char *cookie, const char *text)
{
	char all[FLOW_STATE_MAX + ADDR_HOST_MAX + STORE_TOKEN_HEX + 32];
	uint8_t mac[SECRET_SHA256_BYTES];
	int n = snprintf(all, sizeof(all), "%s%c%s%c%s%c%s", what, 0, site, 0, cookie, 0,
			 text);
	int err = n < 0 || (size_t)n >= sizeof(all) ? EINVAL : 0;

	err = err ? err : secret_mac(mac, key, all, (size_t)n);
	if (!err)
		out[b64url_encode(out, mac, sizeof(mac))] = '\0';
	secret_wipe(all, sizeof(all));
	return err;
}

bool flow_to_ok(const char *to)
{
	if (strncmp(to, "/idp/", 5) != 0 || strlen(to) > FLOW_TO_MAX)
		return false;
	for (const char *p = to; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}#", *p))
			return false;
	return !strstr(to, "/../") && !strstr(to, "//");
}

static int derive_all(struct flow *f, struct secret_mac *key, const char *site,
		      const char *cookie, const char *state)
{
	uint8_t sha[SECRET_SHA256_BYTES];
	int err = derive(f->nonce, key, "nonce", site, cookie, state);

	err = err ? err : derive(f->verifier, key, "verifier", site, cookie, state);
	err = err ? err : secret_sha256(sha, f->verifier, strlen(f->verifier));
	if (!err)
		f->challenge[b64url_encode(f->challenge, sha, sizeof(sha))] = '\0';
	return err;
}

int flow_begin(struct flow *f, char *state, struct secret_mac *key, const char *site,
	       const char *cookie, int64_t now_s)
{
	char to[B64URL_LEN(FLOW_TO_MAX) + 1], seal[FLOW_DERIVED_LEN + 1];
	size_t n;
	int err;

	if (!flow_to_ok(f->to))
		return EINVAL;
	to[b64url_encode(to, f->to, strlen(f->to))] = '\0';
	n = (size_t)snprintf(state, FLOW_STATE_MAX + 1, "%010lld.%s.%d.%s",
			     (long long)now_s, f->provider, f->link, to);
	if (n + 1 + FLOW_DERIVED_LEN > FLOW_STATE_MAX)
		return EINVAL;
	err = derive(seal, key, "state", site, cookie, state);
	if (err)
		return err;
	snprintf(state + n, FLOW_STATE_MAX + 1 - n, ".%s", seal);
	return derive_all(f, key, site, cookie, state);
}

/* The parts of what was sealed by us: they are as we wrote them. */
static int parts(struct flow *f, int64_t *whenp, char *text)
{
	char *part[4], *save = NULL;
	size_t n = 0;

	for (size_t i = 0; i < N_ELEMS(part); i++) {
		part[i] = strtok_r(i ? NULL : text, ".", &save);
		if (!part[i])
			return EBADMSG;
	}
	*whenp = strtoll(part[0], NULL, 10);
	snprintf(f->provider, sizeof(f->provider), "%s", part[1]);
	f->link = *part[2] == '1';
	if (b64url_decode((uint8_t *)f->to, FLOW_TO_MAX, &n, part[3], strlen(part[3])))
		return EBADMSG;
	f->to[n] = '\0';
	return 0;
}

int flow_resume(struct flow *f, const char *state, struct secret_mac *key,
		const char *site, const char *cookie, int64_t now_s)
{
	size_t n = strlen(state);
	char text[FLOW_STATE_MAX + 1], seal[FLOW_DERIVED_LEN + 1];
	int64_t when = 0;
	int err;

	memset(f, 0, sizeof(*f));
	if (n > FLOW_STATE_MAX || n < FLOW_DERIVED_LEN + 1 ||
	    state[n - FLOW_DERIVED_LEN - 1] != '.')
		return EBADMSG;
	snprintf(text, sizeof(text), "%.*s", (int)(n - FLOW_DERIVED_LEN - 1), state);
	err = derive(seal, key, "state", site, cookie, text);
	if (err)
		return err;
	if (!secret_equal(seal, state + n - FLOW_DERIVED_LEN, FLOW_DERIVED_LEN))
		return EBADMSG;
	err = parts(f, &when, text);
	err = err ? err : derive_all(f, key, site, cookie, state);
	if (!err && (now_s < when || now_s - when > PROVIDER_FLOW_S))
		err = ETIMEDOUT;
	return err;
}

int flow_link_proof(char *out, struct secret_mac *key, const char *site,
		    const char *session, const char *provider)
{
	return derive(out, key, "link", site, session, provider);
}

/* ---- queries ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static bool decode(char *text, size_t size, const char *p, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		int c = p[i] == '+' ? ' ' : (uint8_t)p[i];

		if (c == '%') {
			int high = i + 2 < n ? hex_digit(p[i + 1]) : -1;
			int low = i + 2 < n ? hex_digit(p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = 16 * high + low;
			i += 2;
		}
		if (!c || used + 1 >= size)
			return false;
		text[used++] = (char)c;
	}
	text[used] = '\0';
	return true;
}

bool flow_query(char *text, size_t size, const char *query, const char *name)
{
	size_t len = strlen(name);
	bool found = false;

	for (const char *p = query; p && *p; p += strspn(p, "&")) {
		size_t n = strcspn(p, "&");

		if (n > len && !strncmp(p, name, len) && p[len] == '=') {
			if (found || !decode(text, size, p + len + 1, n - len - 1))
				return false;
			found = true;
		}
		p += n;
	}
	return found;
}

bool flow_query_add(char *text, size_t size, const char *name, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	size_t n = strlen(text);

	n += (size_t)snprintf(text + n, size - n, "&%s=", name);
	for (; n < size && *value; value++)
		n += (size_t)snprintf(text + n, size - n,
				      strchr(plain, *value) ? "%c" : "%%%02X",
				      (uint8_t)*value);
	return n < size;
}
