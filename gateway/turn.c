/* gateway/turn.c - credentials for the TURN server by the convention of coturn's REST interface: a user name
 * that carries its own end, signed with the shared secret. Signalling thread; called by webrtc/session/.
 *
 *   username    1767225600:4f0c…   when it ends, then who, under a name that means nothing to anybody else
 *   credential  base64(HMAC-SHA1(secret, username))
 *
 * The TURN server sees the user name with every allocation, in clear on its way there: so it holds no part
 * of the address. It is the same for one person as long as this process runs, since quotas count by it. */
#include "gateway/turn.h"

#include <inttypes.h>

struct turn {
	const struct turn_config *config; /* not owned */
	uint8_t key[SECRET_SHA256_BYTES];
};

static void turn_destroy(void *p)
{
	struct turn *t = p;

	secret_wipe(t->key, sizeof(t->key));
}

int turn_alloc(struct turn **tp, const struct turn_config *config)
{
	struct turn *t = mem_zalloc(sizeof(*t), turn_destroy);

	if (!t)
		return ENOMEM;
	t->config = config;
	secret_random(t->key, sizeof(t->key));
	*tp = t;
	return 0;
}

int turn_credential(char username[TURN_USERNAME_MAX + 1],
		    char credential[SECRET_HMAC_SHA1_BASE64], const char *secret,
		    const uint8_t key[SECRET_SHA256_BYTES], const struct addr *user,
		    int64_t expires_s)
{
	uint8_t mac[SECRET_SHA256_BYTES];
	char address[ADDR_TEXT_MAX + 1];
	int n, err;

	addr_text(address, user);
	err = secret_hmac_sha256(mac, key, SECRET_SHA256_BYTES, address, strlen(address));
	if (err)
		return err;
	n = snprintf(username, TURN_USERNAME_MAX + 1, "%" PRId64 ":", expires_s);
	for (size_t i = 0; i < TURN_PSEUDONYM_HEX / 2; i++)
		n += snprintf(username + n, 3, "%02x", mac[i]);
	return secret_hmac_sha1_base64(credential, secret, strlen(secret), username,
				       (size_t)n);
}

static void servers_destroy(void *p)
{
	struct turn_servers *s = p;

	secret_wipe(s->username, sizeof(s->username));
	secret_wipe(s->credential, sizeof(s->credential));
}

int turn_servers_alloc(struct turn_servers **sp, const struct turn *t,
		       const struct addr *user, int64_t now_s)
{
	const struct turn_config *c = t->config;
	struct turn_servers *s = mem_zalloc(sizeof(*s), servers_destroy);
	int err = 0;

	if (!s)
		return ENOMEM;
	s->stunv = c->stunv;
	s->ttl_s = c->lifetime_s;
	if (c->uriv && c->secret) {
		s->uriv = c->uriv;
		err = turn_credential(s->username, s->credential, c->secret, t->key, user,
				      now_s + c->lifetime_s);
	}
	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}
