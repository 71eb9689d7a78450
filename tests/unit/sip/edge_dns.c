/* edge_dns.c - see edge_dns.h. RFC 1035 §4, RFC 2782, RFC 3403. */
#include "tests/unit/sip/edge_dns.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <strings.h>
#include <unistd.h>

struct dns_server {
	pthread_t thread;
	int fd;
	struct dns_rr rrv[128];
	size_t n;
	unsigned n_questions;
};

static size_t put(uint8_t *p, size_t at, unsigned v, unsigned bytes)
{
	while (bytes--)
		p[at++] = (uint8_t)(v >> (8 * bytes));
	return at;
}

static size_t put_name(uint8_t *p, size_t at, const char *name)
{
	while (*name && strcmp(name, ".")) {
		size_t n = strcspn(name, ".");

		p[at++] = (uint8_t)n;
		memcpy(p + at, name, n);
		at += n;
		name += n + (name[n] == '.');
	}
	p[at++] = 0;
	return at;
}

static size_t put_text(uint8_t *p, size_t at, const char *text)
{
	p[at++] = (uint8_t)strlen(text);
	memcpy(p + at, text, strlen(text));
	return at + strlen(text);
}

static size_t put_rr(uint8_t *p, size_t at, const struct dns_rr *rr)
{
	size_t len_at;

	at = put_name(p, at, rr->name);
	at = put(p, at, rr->alias ? 5 : rr->type, 2);
	at = put(p, at, 1, 2);
	at = put(p, at, 60, 4);
	len_at = at;
	at += 2;
	if (rr->alias) {
		at = put_name(p, at, rr->data);
	} else if (rr->type == DNS_A) {
		inet_pton(AF_INET, rr->data, p + at);
		at += 4;
	} else {
		at = put(p, at, rr->a, 2);
		at = put(p, at, rr->b, 2);
		if (rr->type == DNS_SRV_RR) {
			at = put(p, at, rr->port, 2);
		} else {
			at = put_text(p, at, "S");
			at = put_text(p, at, "SIPS+D2T");
			at = put_text(p, at, "");
		}
		at = put_name(p, at, rr->data);
	}
	put(p, len_at, (unsigned)(at - len_at - 2), 2);
	return at;
}

/* The records of a name, and those of what it is an alias of. Gives the new end; counts
 * into *an. */
static size_t put_records(const struct dns_server *s, uint8_t *p, size_t at,
			  const char *name, unsigned type, size_t *an, unsigned depth)
{
	for (size_t i = 0; i < s->n && depth < 8; i++) {
		const struct dns_rr *rr = &s->rrv[i];

		if (strcasecmp(rr->name, name) || (rr->type != type && !rr->alias))
			continue;
		at = put_rr(p, at, rr);
		++*an;
		if (rr->alias)
			at = put_records(s, p, at, rr->data, type, an, depth + 1);
	}
	return at;
}

/* Builds the answer into p, which holds the question. 0: none. */
static size_t reply(const struct dns_server *s, uint8_t *p, size_t n)
{
	char name[256] = "";
	size_t at = 12, question_end, an = 0;
	unsigned type;
	bool known = false;

	while (at < n && p[at]) {
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%.*s",
			 *name ? "." : "", p[at], (char *)p + at + 1);
		at += 1u + p[at];
	}
	if (at + 5 > n)
		return 0;
	type = (unsigned)(p[at + 1] << 8 | p[at + 2]);
	question_end = at = at + 5;
	p[2] = 0x84;
	p[3] = 0x80;
	for (size_t i = 0; i < s->n; i++) {
		const struct dns_rr *rr = &s->rrv[i];

		if (strcasecmp(rr->name, name))
			continue;
		known = true;
		if (!strcmp(rr->data, "!silent"))
			return 0;
		if (!strcmp(rr->data, "!servfail"))
			p[3] = 0x82;
	}
	if (p[3] == 0x80)
		at = put_records(s, p, at, name, type, &an, 0);
	/* A name is known too when something lies below it. */
	for (size_t i = 0; i < s->n && !known; i++) {
		size_t rn = strlen(s->rrv[i].name), qn = strlen(name);

		known = rn > qn && !strcasecmp(s->rrv[i].name + rn - qn, name) &&
			s->rrv[i].name[rn - qn - 1] == '.';
	}
	if (!known)
		p[3] = 0x83;
	put(p, 4, 1, 2);
	put(p, 6, (unsigned)an, 2);
	put(p, 8, 0, 2);
	put(p, 10, 0, 2);
	return an ? at : question_end;
}

static void *serve(void *arg)
{
	struct dns_server *s = arg;
	struct sockaddr_storage from;
	uint8_t p[8192];

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(s->fd, p, 512, 0, (struct sockaddr *)&from, &len);
		size_t out;

		if (n <= 0)
			return NULL;
		s->n_questions++;
		out = n > 16 ? reply(s, p, (size_t)n) : 0;
		if (out)
			sendto(s->fd, p, out, 0, (struct sockaddr *)&from, len);
	}
}

struct dns_server *dns_server_open(const struct dns_rr *rrv, size_t n, uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct dns_server *s = calloc(1, sizeof(*s));
	socklen_t len = sizeof(sin);

	if (!s || n > N_ELEMS(s->rrv))
		abort();
	memcpy(s->rrv, rrv, n * sizeof(rrv[0]));
	s->n = n;
	s->fd = socket(AF_INET, SOCK_DGRAM, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)))
		abort();
	getsockname(s->fd, (struct sockaddr *)&sin, &len);
	*port = ntohs(sin.sin_port);
	pthread_create(&s->thread, NULL, serve, s);
	return s;
}

unsigned dns_server_close(struct dns_server *s)
{
	unsigned n;

	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	n = s->n_questions;
	free(s);
	return n;
}
