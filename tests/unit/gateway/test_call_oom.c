/* tests/unit/gateway/test_call_oom.c - the n-th allocation fails, for every n: nothing crashes, nothing
 * leaks (run under AddressSanitizer), and the caller is told.
 *
 * The linker puts the three __wrap functions below between the code and the allocators. */
#include "tests/fake/fake.h"

#include <setjmp.h>
#include <cmocka.h>

void *__real_mem_alloc(size_t size, mem_destroy_h *dh);
void *__real_mem_zalloc(size_t size, mem_destroy_h *dh);
void *__real_realloc(void *p, size_t size);
void *__wrap_mem_alloc(size_t size, mem_destroy_h *dh);
void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh);
void *__wrap_realloc(void *p, size_t size);

static bool armed;
static unsigned n_allocs, fail_at, n_failed;

static bool fails(void)
{
	if (!armed || ++n_allocs != fail_at)
		return false;
	n_failed++;
	return true;
}

void *__wrap_mem_alloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_alloc(size, dh);
}

void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_zalloc(size, dh);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

/** Turns the loop with allocations failing. */
static void settle(struct loop *loop)
{
	armed = true;
	fake_loop_settle(loop);
	armed = false;
}

static int call_start(struct fake_core *fc, struct call **callp, struct fake_leg *a,
		      const struct addr *to)
{
	char value[] = "eyJ.a.b;info=<https://alpha.example/x>";
	char *identityv[] = {value, NULL};
	struct party from = {.addr = fake_addr("alice@alpha.example"),
			     .identityv = identityv};
	struct body *offer = NULL;
	struct invite *invite = NULL;
	int err;

	armed = true;
	err = body_alloc(&offer, fake_sdp_offer, strlen(fake_sdp_offer));
	err = err ? err : invite_alloc(&invite, &from, to, offer, 70);
	err = err ? err : call_alloc(callp, &fc->core, &a->leg, invite, &from.addr, NULL);
	mem_deref(invite);
	mem_deref(offer);
	armed = false;
	return err;
}

/** One call with the `n`-th allocation failing; gives whether that many were made. */
static bool one_call(unsigned n, const char *to_text, bool online)
{
	struct fake_device *bob = fake_device_alloc("bob@alpha.example", "d-bob");
	struct fake_leg *a = fake_leg_alloc(LEG_IN, "browser", "d-caller"), *b;
	struct body *answer = fake_sdp(2);
	struct leg_event ev = {.type = LEG_ANSWER, .body = answer};
	struct addr to = fake_addr(to_text);
	struct call *call = NULL;
	struct fake_core fc;
	int err;

	fake_core_open(&fc);
	if (online)
		registry_add(fc.core.registry, &bob->d);
	n_allocs = n_failed = 0;
	fail_at = n;
	err = call_start(&fc, &call, a, &to);
	if (!err) {
		settle(fc.loop);
		b = strcmp(to.host, "alpha.example")
			    ? (fc.federation.n_legs ? fc.federation.legv[0] : NULL)
			    : fake_device_leg(bob);
		if (b && !b->over) {
			armed = true;
			call_leg_event(&b->leg, &ev);
			armed = false;
			assert_string_equal(a->trace, "answer");
			fake_leg_say_cause(a, LEG_ENDED, CAUSE_HANGUP);
		} else if (n_failed) {
			assert_string_equal(
				a->trace,
				"end(internal)"); /* told, and not left waiting */
		} else {
			assert_string_equal(a->trace, "end(not-found)");
		}
		settle(fc.loop);
	} else {
		assert_int_equal(err, ENOMEM);
		assert_null(call);
	}
	assert_int_equal(fc.core.n_calls, 0);
	assert_int_equal(mem_nrefs(a), 1);
	mem_deref(answer);
	mem_deref(a);
	registry_remove(fc.core.registry, &bob->d);
	mem_deref(bob);
	fake_core_close(&fc);
	return n_failed != 0;
}

static void calls(void **state)
{
	static const struct {
		const char *to;
		bool online;
		unsigned n_least;
	} rows[] = {
		{"bob@alpha.example", true, 8},
		{"bob@alpha.example", false, 8},
		{"per@gamma.example", true, 8},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		unsigned n = 1;

		while (one_call(n, rows[i].to, rows[i].online))
			n++;
		assert_true(n > rows[i].n_least); /* so the sweep went through it all */
	}
}

static void core(void **state)
{
	struct site_config sitev[2] = {{.domain = "alpha.example"},
				       {.domain = "beta.example"}};
	struct config config = {.sitev = sitev, .n_sites = 2};
	struct loop *loop;
	struct core c;
	unsigned n = 0;
	int err;

	(void)state;
	config.limits.calls = 10;
	assert_int_equal(fake_loop_alloc(&loop), 0);
	do {
		n_allocs = 0;
		fail_at = ++n;
		armed = true;
		err = core_init(&c, &config, loop);
		armed = false;
		assert_true(!err || err == ENOMEM);
		core_close(&c);
	} while (err);
	assert_int_equal(
		n,
		9); /* two sites, the registry, the certificates, three quotas, TURN; then it works */
	mem_deref(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
