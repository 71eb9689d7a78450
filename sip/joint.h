/* sip/joint.h - the private header that locks the joint between edge and Sofia. Pure.
 *
 * Name: "X-Sluss-Edge". Value: SECRET *( ";" key "=" value ), values without ; , SP " (lists use '/').
 *   edge -> Sofia, requests and responses:
 *     SECRET;conn=12.3;site=alpha.example;addr=192.0.2.7:5061;via=tls;names=beta.example/b.example
 *       conn  connection id and generation       site  local site (by SNI, or that of the outgoing request)
 *       addr  the peer's address and port        via   tls or tcp
 *       names the SIP domains its certificate proves (RFC 5922); empty: no certificate
 *       trunk the trunk that it comes from, by its address
 *   Sofia -> edge, requests:
 *     SECRET;site=alpha.example;domain=beta.example;token=17;skip=192.0.2.7:5061/[2001:db8::7]:5061
 *       site  whose certificate to show          domain  the peer's, to find it and that it must prove
 *       trunk the trunk that it goes to, and which of its addresses: "provider/0"
 *       token the leg's, for edge events         skip  targets not to try (again)
 *   Sofia -> edge, responses: SECRET alone. CANCEL and the ACK to a non-2xx have no such header; the edge
 *   knows them by branch. It is stripped towards the outside and, coming from outside, dropped. */
#ifndef SLUSS_SIP_JOINT_H
#define SLUSS_SIP_JOINT_H

#include "gateway/addr.h"
#include "lib/base.h"

#define JOINT_HEADER "X-Sluss-Edge"
enum {
	JOINT_SECRET_HEX = 32,
	JOINT_NAMES_MAX = 2048,
	JOINT_SKIP_MAX = 1024,
	JOINT_TRUNK_MAX = 33, /* TRUNK_NAME_MAX and "/0" */
	JOINT_VALUE_MAX = 4096
};

struct joint {
	uint32_t conn, gen;
	char site[ADDR_HOST_MAX + 1];
	char addr[64];
	bool tls;
	char names[JOINT_NAMES_MAX]; /**< '/'-separated, lower case */
	char domain[ADDR_HOST_MAX + 1];
	uint64_t token;
	char skip[JOINT_SKIP_MAX];       /**< '/'-separated */
	char trunk[JOINT_TRUNK_MAX + 1]; /**< with "/0" behind it towards the edge */
};

/** Value text into buf[JOINT_VALUE_MAX]. Errors: EOVERFLOW. */
int joint_print(char *buf, size_t size, const char *secret, const struct joint *j);
/** Checks the secret in constant time. Errors: EACCES wrong or missing secret; EBADMSG. */
int joint_parse(struct joint *j, const char *secret, const char *p, size_t n);
/** Is `name` in a '/'-separated list? Case-insensitive. */
bool joint_list_has(const char *list, const char *name);

#endif
