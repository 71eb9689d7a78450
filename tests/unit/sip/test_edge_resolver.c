/* test_edge_resolver.c - RFC 3263 under a DNS and a clock of the test's own: NAPTR, SRV
 * by weight, addresses, the cache and its ends, what is refused.
 * */
#include "lib/base.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sip/edge/resolver.h"

/* ---- a zone ---- */

struct rr {
	enum dns_kind kind;
	const char *name,
		*data; /* data: "10 20 5061 host", "10 20 S SIPS+D2T name", "192.0.2.1 192.0.2.2", "!": error, "!late": only when released */
	uint32_t ttl_s;
};

static const struct rr *zone;
static size_t n_zone;
static char asked[2048];
static bool silent;
static struct {
	dns_h *h;
	void *arg;
	const struct rr *rr;
} heldv[64];
static size_t n_held;
static bool hold;

static void answer(const struct rr *rr, dns_h *h, void *arg)
{
	static struct dns_srv srv[DNS_RECORDS_MAX];
	static struct dns_naptr naptr[DNS_RECORDS_MAX];
	static struct sa sa[DNS_RECORDS_MAX];
	struct dns_answer a = {.err = ENOENT, .srv = srv, .naptr = naptr, .sa = sa};
	char copy[2048], *save = NULL, *item;

	if (!rr) {
		h(&a, arg);
		return;
	}
	if (*rr->data == '!') {
		a.err = !strcmp(rr->data, "!silent")   ? ETIMEDOUT
			: !strcmp(rr->data, "!nodata") ? ENODATA
						       : EIO;
		h(&a, arg);
		return;
	}
	a.err = 0;
	a.ttl_s = rr->ttl_s;
	memset(srv, 0, sizeof(srv));
	memset(naptr, 0, sizeof(naptr));
	snprintf(copy, sizeof(copy), "%s", rr->data);
	for (item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		unsigned x, y, z;

		switch (rr->kind) {
		case DNS_SRV:
			sscanf(item, "%u %u %u %255s", &x, &y, &z, srv[a.n].host);
			srv[a.n].priority = (uint16_t)x;
			srv[a.n].weight = (uint16_t)y;
			srv[a.n].port = (uint16_t)z;
			if (!strcmp(srv[a.n].host, "."))
				srv[a.n].host[0] = '\0';
			break;
		case DNS_NAPTR:
			sscanf(item, "%u %u %3s %31s %255s", &x, &y, naptr[a.n].flags,
			       naptr[a.n].service, naptr[a.n].replacement);
			naptr[a.n].order = (uint16_t)x;
			naptr[a.n].preference = (uint16_t)y;
			break;
		case DNS_ADDR: {
			uint8_t in6[16];

			if (inet_pton(AF_INET6, item, in6) == 1)
				sa_set_in6(&sa[a.n], in6, 0);
			else
				assert_int_equal(sa_set_str(&sa[a.n], item, 0), 0);
			break;
		}
		}
		a.n++;
	}
	h(&a, arg);
}

static void ask(void *dns, enum dns_kind kind, const char *name, dns_h *h, void *arg)
{
	const struct rr *found = NULL;

	(void)dns;
	snprintf(asked + strlen(asked), sizeof(asked) - strlen(asked), "%c:%s ",
		 "NSA"[kind], name);
	for (size_t i = 0; i < n_zone; i++)
		if (zone[i].kind == kind && !strcmp(zone[i].name, name))
			found = &zone[i];
	if (silent || hold || (found && !strcmp(found->data, "!late"))) {
		assert_true(n_held < N_ELEMS(heldv));
		heldv[n_held].h = h;
		heldv[n_held].arg = arg;
		heldv[n_held++].rr = found;
	} else {
		answer(found, h, arg);
	}
}

static void release(void)
{
	/* The last question first: order must not matter. */
	while (n_held) {
		n_held--;
		answer(heldv[n_held].rr, heldv[n_held].h, heldv[n_held].arg);
	}
}

/* ---- who asks ---- */

static uint64_t now_us;
static char result[2048];
static unsigned n_results;
static uint32_t chance;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return now_us;
}

static uint32_t fake_random(uint32_t below, void *arg)
{
	(void)arg;
	return chance < below ? chance : below - 1;
}

static void got(const char *why, const struct sa *v, size_t n, void *arg)
{
	struct resolve **rp = arg;
	char addr[64];

	*rp = NULL;
	n_results++;
	result[0] = '\0';
	if (why)
		snprintf(result, sizeof(result), "%s", why);
	for (size_t i = 0; i < n; i++) {
		sa_ntop(&v[i], addr, sizeof(addr));
		snprintf(result + strlen(result), sizeof(result) - strlen(result),
			 "%s%s:%u", i ? " " : "", addr, sa_port(&v[i]));
	}
}

struct world {
	struct timers *timers;
	struct resolver *r;
};

static struct world w;

static void open_world(const struct rr *zonev, size_t n, bool loopback)
{
	struct resolver_config c = {
		.lookup = {.limit_s = 5, .loopback = loopback},
		.random = fake_random,
	};
	static struct dns_ops ops = {.ask = ask};

	zone = zonev;
	n_zone = n;
	asked[0] = result[0] = '\0';
	n_results = 0;
	n_held = 0;
	silent = hold = false;
	chance = 0;
	now_us = 1000000;
	assert_int_equal(timers_alloc(&w.timers, fake_now, NULL, NULL), 0);
	c.lookup.timers = w.timers;
	c.lookup.ops = &ops;
	assert_int_equal(resolver_alloc(&w.r, &c), 0);
}

static void close_world(void)
{
	silent = hold = false;
	release();
	mem_deref(w.r);
	assert_int_equal(timers_count(w.timers), 0);
	mem_deref(w.timers);
}

static void look(const char *host, uint16_t port)
{
	static struct resolve *r;

	asked[0] = '\0';
	assert_int_equal(resolver_ask(&r, w.r, host, port, got, &r), 0);
	if (hold)
		hold = false, release();
}

/* ---- tests ---- */

static void the_whole_way(void **state)
{
	static const struct rr z[] = {
		{DNS_NAPTR, "beta.example",
		 "10 1 S SIP+D2U _sip._udp.beta.example,20 2 S SIPS+D2T second.example,20 1 s sips+d2t first.example,"
		 "1 1 U SIPS+D2T wrong.example",
		 60},
		{DNS_SRV, "first.example",
		 "20 0 5063 c.example,10 0 5061 a.example,10 0 5062 b.example", 60},
		{DNS_ADDR, "a.example", "192.0.2.1,2001:db8::1", 60},
		{DNS_ADDR, "b.example", "192.0.2.2", 60},
		{DNS_ADDR, "c.example", "192.0.2.3,192.0.2.3", 60},
	};

	(void)state;
	open_world(z, N_ELEMS(z), false);
	look("beta.example", 0);
	assert_string_equal(
		result, "192.0.2.1:5061 2001:db8::1:5061 192.0.2.2:5062 192.0.2.3:5063");
	assert_string_equal(
		asked,
		"N:beta.example S:first.example A:a.example A:b.example A:c.example ");
	/* Answers that come later and in another order give the same. */
	close_world();
	open_world(z, N_ELEMS(z), false);
	hold = true;
	look("beta.example", 0);
	assert_string_equal(
		result, "192.0.2.1:5061 2001:db8::1:5061 192.0.2.2:5062 192.0.2.3:5063");
	close_world();
}

static void ways_down(void **state)
{
	static const struct rr z[] = {
		{DNS_SRV, "_sips._tcp.srv.example", "10 0 5061 a.example", 60},
		{DNS_ADDR, "a.example", "192.0.2.1", 60},
		{DNS_ADDR, "plain.example", "192.0.2.4", 60},
		{DNS_NAPTR, "second.example",
		 "10 1 S SIPS+D2T gone.example,10 2 S SIPS+D2T _x.example", 60},
		{DNS_SRV, "_x.example", "10 0 5099 a.example", 60},
		{DNS_NAPTR, "broken.example", "!io", 0},
		{DNS_SRV, "_sips._tcp.broken.example", "!io", 0},
		{DNS_ADDR, "broken.example", "192.0.2.5", 60},
		{DNS_SRV, "_sips._tcp.none.example", "0 0 0 .", 60},
		{DNS_ADDR, "none.example", "192.0.2.6", 60},
		{DNS_ADDR, "fails.example", "!io", 0},
		{DNS_ADDR, "nodata.example", "!nodata", 0},
		{DNS_NAPTR, "quiet.example", "!silent", 0},
		{DNS_ADDR, "quiet.example", "!nodata", 0},
		{DNS_NAPTR, "deaf.example", "!silent", 0},
		{DNS_SRV, "_sips._tcp.deaf.example", "10 0 5061 a.example", 60},
		{DNS_SRV, "_sips._tcp.deafer.example", "!silent", 0},
		{DNS_ADDR, "deafer.example", "192.0.2.8", 60},
		{DNS_NAPTR, "ill.example", "!io", 0},
		{DNS_SRV, "_sips._tcp.ill.example", "10 0 5061 a.example", 60},
		{DNS_SRV, "_sips._tcp.ported.example", "10 0 5061 a.example", 60},
		{DNS_SRV, "_sips._tcp.odd.example",
		 "10 0 0 a.example,10 0 5061 bad_name.example,10 0 5061 .,10 0 7 a.example",
		 60},
	};
	static const struct {
		const char *host;
		uint16_t port;
		const char *result;
	} cases[] = {
		{"srv.example", 0, "192.0.2.1:5061"},
		{"plain.example", 0, "192.0.2.4:5061"},
		{"plain.example", 5071, "192.0.2.4:5071"},
		{"second.example", 0, "192.0.2.1:5099"},
		{"broken.example", 0, "192.0.2.5:5061"},
		{"none.example", 0, "its DNS entry says that it has no SIP service"},
		{"fails.example", 0,
		 "its DNS servers cannot be reached or answered with an error"},
		{"nodata.example", 0, "DNS knows no SIP service and no address of it"},
		{"unknown.example", 0, "its DNS name does not exist"},
		{"quiet.example", 0, "its DNS servers did not answer"},
		{"deaf.example", 0, "192.0.2.1:5061"},
		{"deafer.example", 0, "192.0.2.8:5061"},
		{"ill.example", 0, "192.0.2.1:5061"},
		{"ported.example", 5061, "192.0.2.1:5061"},
		{"odd.example", 0, "192.0.2.1:7"},
	};

	(void)state;
	for (int later = 0; later < 2; later++) {
		open_world(z, N_ELEMS(z), false);
		for (size_t i = 0; i < N_ELEMS(cases); i++) {
			hold = later;
			look(cases[i].host, cases[i].port);
			if (strcmp(result, cases[i].result))
				fail_msg("%s:%u gave %s", cases[i].host, cases[i].port,
					 result);
		}
		assert_int_equal(n_results, N_ELEMS(cases));
		close_world();
	}
}

static void special_addresses_are_left_out(void **state)
{
	static const struct rr z[] = {
		{DNS_SRV, "_sips._tcp.beta.example", "10 0 5061 a.example", 60},
		{DNS_ADDR, "a.example",
		 "127.0.0.1,10.0.0.1,192.0.2.1,::1,224.0.0.1,::ffff:127.0.0.1", 60},
		{DNS_ADDR, "inside.example", "127.0.0.1,0.0.0.0", 60},
	};

	(void)state;
	open_world(z, N_ELEMS(z), false);
	look("beta.example", 0);
	assert_string_equal(result, "192.0.2.1:5061");
	look("inside.example", 0);
	assert_string_equal(result,
			    "its DNS entry leads to a private or special address");
	look("inside.example", 22);
	assert_string_equal(result,
			    "its DNS entry leads to a private or special address");
	close_world();
	open_world(z, N_ELEMS(z), true);
	look("beta.example", 0);
	assert_string_equal(result,
			    "127.0.0.1:5061 10.0.0.1:5061 192.0.2.1:5061 ::1:5061");
	close_world();
}

static void the_cache(void **state)
{
	struct rr z[] = {
		{DNS_NAPTR, "beta.example", "!nodata", 0},
		{DNS_SRV, "_sips._tcp.beta.example", "10 0 5061 a.example", 300},
		{DNS_ADDR, "a.example", "192.0.2.1", 20},
		{DNS_ADDR, "zero.example", "192.0.2.2", 0},
		{DNS_ADDR, "long.example", "192.0.2.3", 4000000},
	};

	(void)state;
	open_world(z, N_ELEMS(z), false);
	look("beta.example", 0);
	look("beta.example", 0);
	assert_string_equal(asked, "");
	assert_string_equal(result, "192.0.2.1:5061");
	/* The smallest time to live counts. */
	now_us += 19999999;
	look("beta.example", 0);
	assert_string_equal(asked, "");
	now_us += 2;
	look("beta.example", 0);
	assert_string_not_equal(asked, "");
	look("zero.example", 0);
	look("zero.example", 0);
	assert_string_not_equal(asked, "");
	/* An hour at most. */
	look("long.example", 0);
	now_us += 3599000000ull;
	look("long.example", 0);
	assert_string_equal(asked, "");
	now_us += 2000000;
	look("long.example", 0);
	assert_string_not_equal(asked, "");
	/* What does not exist is not asked for again at once; with trouble it is sooner.
	 * */
	look("unknown.example", 0);
	now_us += 29000000;
	look("unknown.example", 0);
	assert_string_equal(asked, "");
	assert_string_equal(result, "its DNS name does not exist");
	now_us += 2000000;
	look("unknown.example", 0);
	assert_string_not_equal(asked, "");
	close_world();
}

static void the_cache_is_bounded(void **state)
{
	char name[64];

	(void)state;
	open_world(NULL, 0, false);
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		look(name, 0);
	}
	assert_true(resolver_n_cached(w.r) <= 2048);
	look("n4999.example", 0);
	assert_string_equal(asked, "");
	look("n0.example", 0);
	assert_string_not_equal(asked, "");
	close_world();
}

/* A thousand records are too many; the first ones by priority are used. */
static void many_records(void **state)
{
	char hosts[2048] = "", addrs[1024] = "";
	struct rr z[] = {
		{DNS_SRV, "_sips._tcp.beta.example", hosts, 60},
		{DNS_ADDR, "a.example", addrs, 60},
	};
	size_t n = 1;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		snprintf(hosts + strlen(hosts), sizeof(hosts) - strlen(hosts),
			 "%u 1 %u a.example,", 100 - i, 5000 + i);
	for (unsigned i = 1; i < 50; i++)
		snprintf(addrs + strlen(addrs), sizeof(addrs) - strlen(addrs),
			 "192.0.2.%u,", i);
	open_world(z, N_ELEMS(z), false);
	look("beta.example", 0);
	assert_int_equal(strncmp(result, "192.0.2.1:5063 192.0.2.2:5063", 29), 0);
	for (const char *p = result; (p = strchr(p, ' ')); p++)
		n++;
	assert_int_equal(n, TARGETS_MAX);
	close_world();
}

static void later_by(uint64_t ms)
{
	now_us += ms * 1000;
	timers_run(w.timers);
}

/* A question without an answer costs its part of the time, and the next one is asked: NAPTR, SRV, address
 * (RFC 3263 §4.1-4.2). */
static void silence_to_one_question_is_not_the_end(void **state)
{
	static const struct rr z[] = {
		{DNS_NAPTR, "one.example", "!late", 0},
		{DNS_SRV, "_sips._tcp.one.example", "10 0 5061 a.example", 60},
		{DNS_NAPTR, "two.example", "!late", 0},
		{DNS_SRV, "_sips._tcp.two.example", "!late", 0},
		{DNS_ADDR, "two.example", "192.0.2.2", 60},
		{DNS_NAPTR, "three.example", "!late", 0},
		{DNS_SRV, "_sips._tcp.three.example", "!late", 0},
		{DNS_ADDR, "three.example", "!late", 0},
		{DNS_SRV, "_sips._tcp.four.example",
		 "10 0 5061 b.example,20 0 5062 a.example", 60},
		{DNS_NAPTR, "five.example",
		 "10 1 S SIPS+D2T x.five.example,10 2 S SIPS+D2T y.five.example", 60},
		{DNS_SRV, "x.five.example", "!late", 0},
		{DNS_SRV, "y.five.example", "10 0 5063 a.example", 60},
		{DNS_ADDR, "a.example", "192.0.2.1", 60},
		{DNS_ADDR, "b.example", "!late", 60},
	};

	(void)state;
	open_world(z, N_ELEMS(z), false);
	look("one.example", 0);
	later_by(1999);
	assert_int_equal(n_results, 0);
	later_by(1);
	assert_string_equal(result, "192.0.2.1:5061");
	look("two.example", 0);
	later_by(2000);
	later_by(1499);
	assert_int_equal(n_results, 1);
	later_by(1);
	assert_string_equal(result, "192.0.2.2:5061");
	/* All of it together has its time, and no more. */
	look("three.example", 0);
	later_by(2000);
	later_by(1500);
	assert_string_equal(
		asked, "N:three.example S:_sips._tcp.three.example A:three.example ");
	later_by(1499);
	assert_int_equal(n_results, 2);
	later_by(1);
	assert_string_equal(result, "its DNS servers did not answer");
	/* One target's address does not come: the other's does. */
	look("four.example", 0);
	later_by(4999);
	assert_int_equal(n_results, 3);
	later_by(1);
	assert_string_equal(result, "192.0.2.1:5062");
	/* Two services: half of the step's time for the first. */
	look("five.example", 0);
	later_by(1750);
	assert_string_equal(result, "192.0.2.1:5063");
	assert_int_equal(n_results, 5);
	/* What comes after all is nobody's. */
	release();
	assert_int_equal(n_results, 5);
	close_world();
}

static void silence_ends(void **state)
{
	struct resolve *a, *b, *c;

	(void)state;
	open_world(NULL, 0, false);
	silent = true;
	assert_int_equal(resolver_ask(&a, w.r, "quiet.example", 0, got, &a), 0);
	assert_int_equal(resolver_ask(&b, w.r, "quiet.example", 0, got, &b), 0);
	assert_int_equal(resolver_ask(&c, w.r, "quiet.example", 0, got, &c), 0);
	/* One look-up for all of them; who gives up is not called. */
	assert_string_equal(asked, "N:quiet.example ");
	mem_deref(b);
	now_us += 5000000;
	timers_run(w.timers);
	assert_int_equal(n_results, 2);
	assert_string_equal(result, "its DNS servers did not answer");
	/* An answer after that is nobody's. */
	silent = false;
	release();
	assert_int_equal(n_results, 2);
	close_world();
}

static void the_resolver_may_go_first(void **state)
{
	static struct resolve *rv[63];
	char name[64];

	(void)state;
	open_world(NULL, 0, false);
	silent = true;
	for (unsigned i = 0; i < 63; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		assert_int_equal(resolver_ask(&rv[i], w.r, name, 0, got, &rv[i]), 0);
	}
	assert_int_equal(n_results, 0);
	/* Their answers find nobody. */
	mem_deref(w.r);
	silent = false;
	release();
	assert_int_equal(n_results, 0);
	for (unsigned i = 0; i < 63; i++)
		mem_deref(rv[i]);
	assert_int_equal(timers_count(w.timers), 0);
	mem_deref(w.timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_way),
		cmocka_unit_test(ways_down),
		cmocka_unit_test(special_addresses_are_left_out),
		cmocka_unit_test(the_cache),
		cmocka_unit_test(the_cache_is_bounded),
		cmocka_unit_test(many_records),
		cmocka_unit_test(silence_to_one_question_is_not_the_end),
		cmocka_unit_test(silence_ends),
		cmocka_unit_test(the_resolver_may_go_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
