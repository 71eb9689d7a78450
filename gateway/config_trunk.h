/* gateway/config_trunk.h - what the configuration says of trunks and telephone numbers. Part of config.h. */
#ifndef SLUSS_GATEWAY_CONFIG_TRUNK_H
#define SLUSS_GATEWAY_CONFIG_TRUNK_H

#include "gateway/addr.h"
#include "gateway/leg_media.h"
#include "gateway/number.h"

enum transport { TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS };

enum { TRUNK_NAME_MAX = 31, TRUNK_ADDRESSES_MAX = 4, TRUNK_CALLER_IDS_MAX = 8 };

/** "192.0.2.0/24": the first `bits` of the address count. */
struct net_config {
	struct sa sa;
	unsigned bits;
};
/** Does the address lie in it? Ports do not count; an IPv4 address in IPv6 is one of IPv4. */
bool config_net_has(const struct net_config *net, const struct sa *sa);

/** Where a trunk is: an address, or a name that the edge resolves. */
struct trunk_address {
	char host[ADDR_HOST_MAX + 1]; /**< name, canonical; empty: `sa` is the address */
	struct sa sa;
	uint16_t port; /**< 0: by DNS (SRV); only with a name, over TLS */
};

/** What a caller shows on a trunk: the first of the list that can be had. */
enum caller_id_kind {
	CALLER_ID_OWN,    /**< the number that is assigned to the user */
	CALLER_ID_NUMBER, /**< this one */
	CALLER_ID_NAME,   /**< the user's name, for telephone systems of one's own */
	CALLER_ID_HIDDEN, /**< none: RFC 3323 */
};
struct caller_id {
	enum caller_id_kind kind;
	char number[NUMBER_MAX + 1];
};

/** A configured legacy system: a telephone system, a provider. Shared by all threads, immutable. */
struct trunk_config {
	char name[TRUNK_NAME_MAX + 1];
	unsigned index; /**< in config->trunkv */
	enum transport transport;
	struct trunk_address addressv[TRUNK_ADDRESSES_MAX]; /**< the best first */
	size_t n_addresses;
	struct trunk_address proxy; /**< where requests go instead */
	bool has_proxy;
	struct net_config
		*matchv; /**< where its calls come from, besides its addresses */
	size_t n_match;
	char site[ADDR_HOST_MAX + 1]; /**< of ours, that speaks to it */
	char advertise[ADDR_HOST_MAX +
		       1]; /**< our host in Via and Contact; empty: the local address */
	struct sa
		seen; /**< where it sees our media: `advertise`, if an address; else only the family of its own is set */

	char **numberv;         /**< prefixes that go there, NULL ended; NULL: none */
	char **allowv, **denyv; /**< prefixes for users; allowv NULL: all of them */
	char **userv; /**< "alice@alpha.example", who may use it; NULL: nobody but … */
	char **sitev; /**< … all users of these sites */
	uint32_t calls_per_user; /**< at once */
	uint32_t minutes_a_day;  /**< of one user; 0: no limit */
	uint32_t calls;          /**< in all, at once */

	struct number_plan
		plan; /**< how numbers are written there; empty parts: the site's */
	enum number_format format;
	char from_domain[ADDR_HOST_MAX + 1];
	struct caller_id caller_idv[TRUNK_CALLER_IDS_MAX];
	size_t n_caller_ids;
	bool trust_identity;
	enum leg_media media;
	bool keys_by_info; /**< dtmf = info */

	char *auth_user;
	char *password; /**< wiped when freed; nothing prints it */
	char *realm;    /**< whose challenges are answered; NULL: from_domain's */
	bool registers;
	uint32_t expires_s;   /**< of a registration */
	uint32_t keepalive_s; /**< between OPTIONS; 0: none */
};

/** "+49301234567=alice" of a site: calls to that number are for that user. */
struct number_config {
	char number[NUMBER_MAX + 1];
	char user[ADDR_USER_MAX + 1];
};
/** "112=provider": calls to that number go there whoever calls; without a trunk they are refused. */
struct emergency_config {
	char number[NUMBER_MAX + 1];    /**< as dialled */
	char trunk[TRUNK_NAME_MAX + 1]; /**< empty: refused in words */
};

#endif
