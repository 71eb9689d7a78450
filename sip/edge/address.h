/* sip/edge/address.h - URIs as far as the edge reads them: where a request goes next.
 * Pure. RFC 3261 §19.1, §20.10 (name-addr), §8.1.2 and §16.12 (loose routing), RFC 3263
 * §4 (TARGET). */
#ifndef SLUSS_SIP_EDGE_ADDRESS_H
#define SLUSS_SIP_EDGE_ADDRESS_H

#include "gateway/addr.h"
#include "sip/edge/message.h"

/** "Name" <uri>;params, or uri;params. Errors: EBADMSG. */
int address_split(const struct pl *value, struct pl *uri, struct pl *params);

enum hop_transport { HOP_ANY, HOP_TLS, HOP_TCP, HOP_UDP, HOP_OTHER };
struct hop {
	char host[ADDR_HOST_MAX +
		  1];  /**< a name, lower case; empty when it is an address */
	struct sa sa;  /**< an address, port 0 when the URI has none */
	uint16_t port; /**< 0: none */
	enum hop_transport transport;
	bool sips;
};
/** Of a sip or sips URI. `maddr` counts as the host. Errors: EBADMSG, EPROTONOSUPPORT. */
int hop_parse(struct hop *hop, const struct pl *uri);
/** Of a request: the top Route, else the Request-URI. Errors as above. */
int hop_of(struct hop *hop, const struct message *m);
/** Would Sofia's parser take this Request-URI without harm? Gives 0, 400 or 416. What it
 *  cannot parse makes it read no further on the connection, which all peers share. */
unsigned address_request_uri_status(const struct pl *uri);
/** Is it one whole From or To by RFC 3261's grammar (§20.20, §25.1)? One that Sofia
 *  cannot parse makes it close the connection that all peers share. */
bool address_party_ok(const struct pl *value);

#endif
