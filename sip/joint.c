/* sip/joint.c - the private header that locks the joint between edge and Sofia: printing
 * and parsing. Pure; used by the edge thread and by the signalling thread. The value is a
 * list of key=value after the secret; keys that this version does not know are passed
 * over. */
#include "sip/joint.h"

#include <inttypes.h>
#include <strings.h>

#include "lib/secret.h"

/* What a value may hold: it stands unquoted in a header and is separated by semicolons.
 * */
static bool joint_plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr(";,\"", *s))
			return false;
	return true;
}

struct joint_out {
	char *buf;
	size_t size, n;
	int err;
};

static void PRINTF_LIKE(2, 3) joint_add(struct joint_out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->err)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->n, o->size - o->n, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= o->size - o->n)
		o->err = EOVERFLOW;
	else
		o->n += (size_t)n;
}

static void joint_add_text(struct joint_out *o, const char *key, const char *value)
{
	if (!o->err && !joint_plain(value))
		o->err = EOVERFLOW;
	joint_add(o, ";%s=%s", key, value);
}

int joint_print(char *buf, size_t size, const char *secret, const struct joint *j)
{
	struct joint_out o = {.buf = buf, .size = size};

	if (!size)
		return EOVERFLOW;
	joint_add(&o, "%s", secret);
	if (j->conn || j->gen)
		joint_add(&o, ";conn=%" PRIu32 ".%" PRIu32, j->conn, j->gen);
	if (*j->site)
		joint_add_text(&o, "site", j->site);
	if (*j->addr) {
		joint_add_text(&o, "addr", j->addr);
		joint_add_text(&o, "via", j->tls ? "tls" : "tcp");
		joint_add_text(&o, "names", j->names);
	}
	if (*j->domain)
		joint_add_text(&o, "domain", j->domain);
	if (j->token)
		joint_add(&o, ";token=%" PRIu64, j->token);
	if (*j->skip)
		joint_add_text(&o, "skip", j->skip);
	if (*j->trunk)
		joint_add_text(&o, "trunk", j->trunk);
	return o.err;
}

static int joint_copy(char *dst, size_t size, const struct pl *value)
{
	if (value->l >= size)
		return EBADMSG;
	memcpy(dst, value->p, value->l);
	dst[value->l] = '\0';
	return joint_plain(dst) ? 0 : EBADMSG;
}

/* Decimal digits only, at most `max`. */
static int joint_number(uint64_t *np, const struct pl *value, uint64_t max)
{
	uint64_t n = 0;

	if (!value->l)
		return EBADMSG;
	for (size_t i = 0; i < value->l; i++) {
		unsigned d = (unsigned)(value->p[i] - '0');

		if (d > 9 || n > (max - d) / 10)
			return EBADMSG;
		n = n * 10 + d;
	}
	*np = n;
	return 0;
}

static int joint_conn(struct joint *j, const struct pl *value)
{
	const char *dot = pl_strchr(value, '.');
	struct pl id, gen;
	uint64_t a, b;
	int err;

	if (!dot)
		return EBADMSG;
	id = (struct pl){value->p, (size_t)(dot - value->p)};
	gen = (struct pl){dot + 1, value->l - id.l - 1};
	err = joint_number(&a, &id, UINT32_MAX);
	if (!err)
		err = joint_number(&b, &gen, UINT32_MAX);
	if (err)
		return err;
	j->conn = (uint32_t)a;
	j->gen = (uint32_t)b;
	return 0;
}

enum joint_key {
	KEY_CONN,
	KEY_SITE,
	KEY_ADDR,
	KEY_VIA,
	KEY_NAMES,
	KEY_DOMAIN,
	KEY_TOKEN,
	KEY_SKIP,
	KEY_TRUNK,
	KEY_N
};

static const char *const joint_keyv[KEY_N] = {
	[KEY_CONN] = "conn",   [KEY_SITE] = "site",   [KEY_ADDR] = "addr",
	[KEY_VIA] = "via",     [KEY_NAMES] = "names", [KEY_DOMAIN] = "domain",
	[KEY_TOKEN] = "token", [KEY_SKIP] = "skip",   [KEY_TRUNK] = "trunk",
};

static int joint_set(struct joint *j, enum joint_key key, const struct pl *value)
{
	switch (key) {
	case KEY_CONN:
		return joint_conn(j, value);
	case KEY_SITE:
		return joint_copy(j->site, sizeof(j->site), value);
	case KEY_ADDR:
		return joint_copy(j->addr, sizeof(j->addr), value);
	case KEY_VIA:
		j->tls = !pl_strcmp(value, "tls");
		return j->tls || !pl_strcmp(value, "tcp") ? 0 : EBADMSG;
	case KEY_NAMES:
		return joint_copy(j->names, sizeof(j->names), value);
	case KEY_DOMAIN:
		return joint_copy(j->domain, sizeof(j->domain), value);
	case KEY_TOKEN:
		return joint_number(&j->token, value, UINT64_MAX);
	case KEY_SKIP:
		return joint_copy(j->skip, sizeof(j->skip), value);
	case KEY_TRUNK:
		return joint_copy(j->trunk, sizeof(j->trunk), value);
	case KEY_N:
		break;
	}
	return EBADMSG;
}

/* One "key=value"; `seen` has a bit for each key that was there already. */
static int joint_item(struct joint *j, const struct pl *item, unsigned *seen)
{
	const char *eq = pl_strchr(item, '=');
	struct pl key, value;

	if (!eq)
		return EBADMSG;
	key = (struct pl){item->p, (size_t)(eq - item->p)};
	value = (struct pl){eq + 1, item->l - key.l - 1};
	for (unsigned k = 0; k < KEY_N; k++) {
		if (pl_strcmp(&key, joint_keyv[k]))
			continue;
		if (*seen & 1u << k)
			return EBADMSG;
		*seen |= 1u << k;
		return joint_set(j, k, &value);
	}
	return 0;
}

int joint_parse(struct joint *j, const char *secret, const char *p, size_t n)
{
	size_t len = strlen(secret);
	const char *end = p + n;
	struct joint got;
	unsigned seen = 0;
	int err;

	if (n < len || !secret_equal(p, secret, len) || (n > len && p[len] != ';'))
		return EACCES;
	memset(&got, 0, sizeof(got));
	for (p += len; p < end;) {
		const char *semi = memchr(p + 1, ';', (size_t)(end - p - 1));
		struct pl item = {p + 1, (size_t)((semi ? semi : end) - p - 1)};

		err = joint_item(&got, &item, &seen);
		if (err)
			return err;
		p = semi ? semi : end;
	}
	*j = got;
	return 0;
}

bool joint_list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (n && *list) {
		size_t len = strcspn(list, "/");

		if (len == n && !strncasecmp(list, name, n))
			return true;
		list += len;
		list += *list == '/';
	}
	return false;
}
