/* sip/udp.c - the listeners for UDP: whoever speaks there has proved nothing, and is told so, but for trunks.
 *
 * Thread: signalling. What comes from a trunk's address goes to trunk_udp.c. Every other request is refused, statelessly, with the answer
 * that a proved peer would have had first (400, 405, 416, 420, …), else 403. NTA is not asked: it
 * would send its own answers wherever a Via's maddr points, after a blocking look-up. Answers go to
 * the datagram's own source address and nowhere else. RFC 3261 §8.2.7, §18.2.2; RFC 3581. */
#include "sip/udp.h"

#include <strings.h>
#include <unistd.h>

#include "config.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "sip/headers.h"
#include "sip/loop.h"
#include "sip/trunk.h"

enum {
	DATAGRAM_MAX = 65536,
	DATAGRAMS_A_ROUND = 32,
	ANSWERS_A_SECOND = 200, /* to all: a reflector is of little use at this rate */
	SIP_PORT = 5060,
};

struct sip_udp {
	struct le le; /* in sip->udp */
	struct sip *sip;
	struct loop_watch *watch;
	int fd, af;
	uint64_t second;
	unsigned n_answers;
};

static bool may_answer(struct sip_udp *u)
{
	uint64_t now = clock_us() / 1000000;

	if (now != u->second) {
		u->second = now;
		u->n_answers = 0;
	}
	return u->n_answers++ < ANSWERS_A_SECOND;
}

/* What a request by UDP is told; 200 for OPTIONS, 0 for what gets no answer. */
static unsigned judge(struct refusal *r, const struct sip *sip, const sip_t *s,
		      unsigned errors)
{
	sip_method_t method = s->sip_request->rq_method;
	unsigned status;

	if (method == sip_method_ack)
		return 0;
	if (strcasecmp(s->sip_request->rq_version, sip_version_2_0) != 0)
		return refusal_set(r, 505, "Version Not Supported",
				   "Only SIP/2.0 is spoken here.");
	if (sip_sanity_check(s) < 0 || (s->sip_flags & MSG_FLG_ERROR))
		errors |= 1;
	status = trust_shape(r, sip, s, errors);
	if (status)
		return status;
	if (s->sip_to->a_tag || method == sip_method_cancel)
		return refusal_set(r, 481, "Call/Transaction Does Not Exist",
				   "No such call is known here.");
	if (method == sip_method_options)
		return refusal_set(r, 200, "OK", "%s", "");
	if (method == sip_method_invite && trust_body(r, s))
		return r->status;
	return refusal_set(r, 403, "Forbidden", "Nobody can prove by UDP who they are.");
}

/* The answer's To tag: the same for a repeated request, without keeping anything. */
static void tag_make(char tag[SIP_TAG_HEX + 1], const struct sip *sip, const sip_t *s)
{
	uint8_t mac[SECRET_SHA256_BYTES] = {0};
	const char *id =
		s->sip_call_id && s->sip_call_id->i_id ? s->sip_call_id->i_id : "";

	secret_hmac_sha256(mac, sip->secret, strlen(sip->secret), id, strlen(id));
	for (size_t i = 0; i < SIP_TAG_HEX / 2; i++)
		snprintf(tag + 2 * i, 3, "%02x", mac[i]);
}

static int answer_fill(msg_t *msg, const struct sip *sip, const sip_t *s,
		       const struct refusal *r)
{
	sip_t *a = sip_object(msg);
	su_home_t *home = msg_home(msg);
	bool allow = r->status == 200 || r->status == 405 || r->status == 501;
	char tag[SIP_TAG_HEX + 1];

	a->sip_status = sip_status_create(home, r->status, r->phrase, NULL);
	if (!a->sip_status ||
	    sip_add_tl(msg, a, SIPTAG_VIA(s->sip_via), SIPTAG_FROM(s->sip_from),
		       SIPTAG_TO(s->sip_to), SIPTAG_CALL_ID(s->sip_call_id),
		       SIPTAG_CSEQ(s->sip_cseq),
		       SIPTAG_SERVER_STR(PACKAGE_NAME "/" PACKAGE_VERSION),
		       TAG_IF(allow, SIPTAG_ALLOW_STR(sip_allow)),
		       TAG_IF(r->status == 200, SIPTAG_ACCEPT_STR("application/sdp")),
		       TAG_IF(*r->header, SIPTAG_HEADER_STR(r->header)),
		       SIPTAG_CONTENT_LENGTH_STR("0"), SIPTAG_SEPARATOR_STR("\r\n"),
		       TAG_END()) < 0)
		return ENOMEM;
	tag_make(tag, sip, s);
	if (a->sip_to && !a->sip_to->a_tag && sip_to_tag(home, a->sip_to, tag) < 0)
		return ENOMEM;
	return 0;
}

/* RFC 3261 §18.2.1, RFC 3581 §4: where it really came from goes into its own Via. */
static uint16_t via_mark(msg_t *msg, const sip_t *s, const struct sa *src)
{
	sip_via_t *v = s->sip_via;
	unsigned long port = SIP_PORT;
	char addr[64];

	re_snprintf(addr, sizeof(addr), "%j", src);
	msg_fragment_clear(v->v_common);
	msg_header_replace_param(msg_home(msg), v->v_common,
				 su_sprintf(msg_home(msg), "received=%s", addr));
	if (v->v_rport) {
		msg_header_replace_param(
			msg_home(msg), v->v_common,
			su_sprintf(msg_home(msg), "rport=%u", sa_port(src)));
		return sa_port(src);
	}
	if (v->v_port)
		port = strtoul(v->v_port, NULL, 10);
	return port && port <= UINT16_MAX ? (uint16_t)port : SIP_PORT;
}

static void answer(struct sip_udp *u, msg_t *request, const sip_t *s,
		   const struct refusal *r, const struct sa *src)
{
	msg_t *msg = msg_create(sip_default_mclass(), 0);
	struct sa dst = *src;
	size_t n = 0;
	char *text;

	if (!msg)
		return;
	sa_set_port(&dst, via_mark(request, s, src));
	if (!answer_fill(msg, u->sip, s, r)) {
		text = msg_as_string(msg_home(msg), msg, NULL, 0, &n);
		if (text && sendto(u->fd, text, n, MSG_DONTWAIT, &dst.u.sa, dst.len) < 0)
			log_debug(NULL, "sip.udp.send", "errno=%d", errno);
	}
	msg_destroy(msg);
}

static void datagram(struct sip_udp *u, const char *p, size_t n, const struct sa *src)
{
	static struct log_gate gate;
	struct refusal r;
	msg_t *msg;
	sip_t *s;

	if (n < 16) /* keep-alives and noise */
		return;
	if (udp_joint_datagram(u->sip, u, p, n, src) || !may_answer(u))
		return;
	msg = msg_make(sip_default_mclass(), 0, p, (ssize_t)n);
	s = sip_object(msg);
	if (s && s->sip_request && s->sip_via &&
	    judge(&r, u->sip, s, msg_extract_errors(msg))) {
		if (r.status != 200 && log_gate_open(&gate, 2)) {
			char peer[64];

			re_snprintf(peer, sizeof(peer), "%J", src);
			log_warn(NULL, "sip.refused",
				 "via=udp peer=%s method=%s status=%u why=%s", peer,
				 LQ(s->sip_request->rq_method_name), r.status,
				 LQ(r.cause.text));
		}
		answer(u, msg, s, &r, src);
	}
	msg_destroy(msg);
}

static void readable(unsigned events, void *arg)
{
	static char buf[DATAGRAM_MAX];
	struct sip_udp *u = arg;

	(void)events;
	for (unsigned i = 0; i < DATAGRAMS_A_ROUND; i++) {
		struct sa src;
		ssize_t n;

		src.len = sizeof(src.u);
		n = recvfrom(u->fd, buf, sizeof(buf), MSG_DONTWAIT, &src.u.sa, &src.len);
		if (n < 0)
			return;
		datagram(u, buf, (size_t)n, &src);
	}
}

static void udp_destructor(void *arg)
{
	struct sip_udp *u = arg;

	list_unlink(&u->le);
	mem_deref(u->watch);
	if (u->fd >= 0)
		close(u->fd);
}

struct sip_udp *sip_udp_for(const struct sip *sip, const struct sa *to)
{
	struct le *le;

	LIST_FOREACH(&sip->udp, le)
	{
		struct sip_udp *u = le->data;

		if (u->af == sa_af(to))
			return u;
	}
	return NULL;
}

bool sip_udp_bound(const struct sip *sip, struct sa *local, const struct sa *to)
{
	const struct sip_udp *u =
		sa_isset(to, SA_ADDR) ? sip_udp_for(sip, to) : list_ledata(sip->udp.head);

	local->len = sizeof(local->u);
	if (!u || getsockname(u->fd, &local->u.sa, &local->len)) {
		sa_init(local, AF_UNSPEC);
		return false;
	}
	return !sa_is_any(local);
}

uint16_t sip_udp_port(const struct sip *sip, const struct sa *to)
{
	struct sa sa;

	(void)sip_udp_bound(sip, &sa, to);
	return sa_port(&sa);
}

void sip_udp_send(const struct sip_udp *u, const struct sa *to, const void *p, size_t n)
{
	if (sendto(u->fd, p, n, MSG_DONTWAIT, &to->u.sa, to->len) < 0)
		log_debug(NULL, "sip.udp.send", "errno=%d", errno);
}

/* With the port that the system chose, where the configuration says 0. */
static void say_listening(const struct sip_udp *u)
{
	struct sa sa = {.len = sizeof(sa.u)};
	char text[64];

	if (getsockname(u->fd, &sa.u.sa, &sa.len))
		return;
	re_snprintf(text, sizeof(text), "%J", &sa);
	log_info(NULL, "sip.listen", "address=%s transport=udp", text);
}

int sip_udp_listen(struct sip *sip, const struct sa *sa, char **whyp)
{
	struct sip_udp *u = mem_zalloc(sizeof(*u), udp_destructor);
	int one = 1, err = 0;

	if (!u)
		return ENOMEM;
	u->sip = sip;
	u->af = sa_af(sa);
	u->fd = socket(sa_af(sa), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0)
		err = errno;
	else if (sa_af(sa) == AF_INET6 &&
		 setsockopt(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		err = errno;
	else if (bind(u->fd, &sa->u.sa, sa->len))
		err = errno;
	if (!err)
		err = sip->core->loop->ops->watch(&u->watch, sip->core->loop, u->fd,
						  LOOP_READ, readable, u);
	if (err) {
		re_sdprintf(whyp, "sip: udp:%J cannot be opened: %s", sa, strerror(err));
		mem_deref(u);
		return err;
	}
	list_append(&sip->udp, &u->le, u);
	say_listening(u);
	return 0;
}
