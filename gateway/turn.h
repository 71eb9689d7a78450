/* gateway/turn.h - STUN and TURN servers for people who are signed in: what the configuration names, with a
 * credential made for one of them that ends by itself. The TURN server knows the same secret and keeps no
 * accounts (coturn's use-auth-secret). Any thread, once made. */
#ifndef SLUSS_GATEWAY_TURN_H
#define SLUSS_GATEWAY_TURN_H

#include "gateway/addr.h"
#include "gateway/config.h"
#include "lib/secret.h"

enum { TURN_PSEUDONYM_HEX = 32, TURN_USERNAME_MAX = 20 + 1 + TURN_PSEUDONYM_HEX };

/** What one person is told. Wiped when freed; nothing prints it but the HTTP answer. */
struct turn_servers {
	char *const *stunv; /**< the configuration's; NULL ended; NULL: none */
	char *const *uriv;  /**< the same; with them username and credential */
	char username[TURN_USERNAME_MAX + 1];
	char credential[SECRET_HMAC_SHA1_BASE64];
	uint32_t ttl_s; /**< how long the credential holds */
};

struct turn;
/** Makes the key of this run's pseudonyms. `config` is borrowed.  Errors: ENOMEM. */
int turn_alloc(struct turn **tp, const struct turn_config *config);
/** *Owns*: *sp by mem_deref. Without configured servers both lists are NULL.
 *  @param now_s  seconds since 1970.  Errors: ENOMEM, EIO. */
int turn_servers_alloc(struct turn_servers **sp, const struct turn *t,
		       const struct addr *user, int64_t now_s);

/** "EXPIRY:PSEUDONYM" and base64(HMAC-SHA1(secret, username)): pure, for the tests. The pseudonym is the
 *  first half of HMAC-SHA256(key, "user@domain") in hex.  Errors: EIO. */
int turn_credential(char username[TURN_USERNAME_MAX + 1],
		    char credential[SECRET_HMAC_SHA1_BASE64], const char *secret,
		    const uint8_t key[SECRET_SHA256_BYTES], const struct addr *user,
		    int64_t expires_s);

#endif
