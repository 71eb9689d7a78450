/* tests/fuzz/fuzz_openid.c - what a provider of OpenID Connect, a service of OAuth 2.0 and a browser say (idp/openid_token.c,
 * oauth.c, openid_flow.c). The first byte says which: configuration, keys, ID token, the answer with it, userinfo; token and
 * document of OAuth 2.0 alone; state and query. */
#include "idp/oauth.h"
#include "idp/openid_flow.h"
#include "idp/openid_token.h"

#include <strings.h>

#define MUST(x)                                                                          \
	do {                                                                             \
		if (!(x))                                                                \
			abort();                                                         \
	} while (0)

static const char issuer[] = "https://id.example";
static const char keys_text[] =
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"e\","
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}"; /* RFC 7515 A.3 */

static void keys_and_token(const char *text, size_t n)
{
	const struct openid_expect expect = {.issuer = issuer,
					     .client_id = "sluss",
					     .nonce = "n",
					     .now_s = 1800000000};
	struct openid_person person;
	struct openid_keys *keys = NULL;
	const char *why = NULL;
	char *token = mem_alloc(n + 1, NULL);

	MUST(!openid_keys_parse(&keys, &why, keys_text, sizeof(keys_text) - 1));
	if (token) {
		memcpy(token, text, n);
		token[n] = '\0';
		/* nobody here has the private half */
		MUST(openid_token_check(&person, &why, keys, token, &expect));
		MUST(why);
	}
	mem_deref(token);
	mem_deref(keys);
	keys = NULL;
	if (openid_keys_parse(&keys, &why, text, n))
		MUST(!keys);
	mem_deref(keys);
}

static void answers(const char *text, size_t n)
{
	struct openid_person person = {.sub = "s"};
	char *id = NULL, *access = NULL;
	struct openid_meta meta;
	const char *why = NULL;

	if (!openid_meta_parse(&meta, &why, issuer, text, n))
		MUST(!strncasecmp(meta.token, "https://", 8) &&
		     !strncasecmp(meta.keys, "https://", 8));
	if (!openid_tokens_parse(&id, &access, &why, text, n))
		MUST(id);
	mem_deref(id);
	mem_deref(access);
	if (!openid_userinfo_add(&person, text, n))
		MUST(!strcmp(person.sub, "s"));
}

static void services(const char *text, size_t n)
{
	static char id[] = "id", user[] = "login", name[] = "name",
		    picture[] = "avatar_url", email[] = "email", ok[] = "ok";
	const struct openid_service members = {.id = id,
					       .user = user,
					       .name = name,
					       .picture = picture,
					       .email = email,
					       .email_verified = ok};
	char why[OAUTH_WHY_MAX + 1] = "", *token = NULL;
	struct openid_person person = {.sub = ""};
	const char *whose = NULL;

	if (oauth_token_parse(&token, why, text, n))
		MUST(!token && *why && strlen(why) <= OAUTH_WHY_MAX);
	else
		MUST(*token && !strpbrk(token, "\r\n "));
	mem_deref(token);
	if (oauth_person_parse(&person, &whose, &members, text, n))
		MUST(whose && !*person.sub);
	else
		MUST(*person.sub && (*person.email || !person.email_verified) &&
		     (!*person.picture || !strncasecmp(person.picture, "https://", 8)));
}

static void queries(const char *text, size_t n)
{
	static const char cookie[] =
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	char query[4096], state[FLOW_STATE_MAX + 1] = "";
	struct secret_mac *key = NULL;
	struct flow f;

	if (n >= sizeof(query) || memchr(text, '\0', n) || secret_mac_alloc(&key, "k", 1))
		return;
	memcpy(query, text, n);
	query[n] = '\0';
	if (flow_query(state, sizeof(state), query, "state"))
		MUST(flow_resume(&f, state, key, "alpha.example", cookie, 1800000000));
	memset(&f, 0, sizeof(f));
	f.provider[0] = 'c';
	if (flow_query(f.to, sizeof(f.to), query, "to") && flow_to_ok(f.to)) {
		struct flow g;

		MUST(!strncmp(f.to, "/idp/", 5));
		MUST(!flow_begin(&f, state, key, "alpha.example", cookie, 1800000000));
		MUST(!flow_resume(&g, state, key, "alpha.example", cookie, 1800000000));
		MUST(!strcmp(f.to, g.to) && !strcmp(f.nonce, g.nonce));
	}
	mem_deref(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (!size)
		return 0;
	if (data[0] == 'k')
		keys_and_token(text, size - 1);
	else if (data[0] == 'o')
		services(text, size - 1);
	else if (data[0] == 'q')
		queries(text, size - 1);
	else
		answers(text, size - 1);
	return 0;
}
