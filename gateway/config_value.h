/* gateway/config_value.h - one value of the configuration file: text to what it means. Pure; strict, the
 * whole text or nothing. Each gives 0 or EINVAL with its result untouched. */
#ifndef SLUSS_GATEWAY_CONFIG_VALUE_H
#define SLUSS_GATEWAY_CONFIG_VALUE_H

#include "gateway/config.h"

/** true yes on, false no off. */
int config_bool_parse(bool *v, const char *text);
/** Decimal digits. */
int config_uint_parse(uint32_t *v, const char *text);
/** "ADDR:PORT", "[ADDR]:PORT"; numeric. Without port: `port`, unless that is negative. */
int config_sa_parse(struct sa *sa, const char *text, int port);
/** "tls:ADDR:PORT", also tcp: and udp:. */
int config_sip_parse(struct listen_config *l, const char *text);
/** "ADDR" or "ADDR/BITS". */
int config_net_parse(struct net_config *net, const char *text);
/** "20000-29999". */
int config_ports_parse(uint16_t *first, uint16_t *last, const char *text);
/** "stun:host" or, with `relay`, "turn:host": host a name, an IPv4 address or an IPv6 one in brackets; then
 *  perhaps ":port", for turn perhaps "?transport=udp" or tcp. stuns and turns likewise: what every browser
 *  takes (RFC 7064, 7065). */
int config_ice_uri_parse(const char *text, bool relay);
/** A web origin "https://host" or "https://host:port"; http for loopback names; or "none", for programs. Lower-cased into buf. */
int config_origin_parse(char *buf, size_t size, const char *text);
/** localhost, *.localhost (RFC 6761): this machine. */
bool config_domain_is_local(const char *domain);
/** 127.0.0.0/8, ::1. */
bool config_sa_is_loopback(const struct sa *sa);
/** "192.0.2.7:5061", "[::1]:53" into buf[64]; gives buf. */
const char *config_sa_text(char *buf, const struct sa *sa);

#endif
