/* lib/base.h - what every C file of Sluss stands on: the C library, and libre's base types.
 *
 * libre's objects (mem_zalloc/mem_ref/mem_deref, lists, hashes, mbufs) are counted WITHOUT
 * atomics: an object is owned by one thread at a time; a mailbox moves it to the next one.
 * Only libre's base headers come in here; its media loops are for webrtc/media/ alone. */
#ifndef SLUSS_LIB_BASE_H
#define SLUSS_LIB_BASE_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Without it libre's types make `bool` a signed char, in which 0x100 is false. */
#ifndef HAVE_STDBOOL_H
#define HAVE_STDBOOL_H 1
#endif
#include <re/re_types.h>
#include <re/re_fmt.h>
#include <re/re_mbuf.h>
#include <re/re_list.h>
#include <re/re_hash.h>
#include <re/re_mem.h>
#include <re/re_sa.h>

_Static_assert((bool)0x100 == 1, "bool is the language's own");

#define N_ELEMS(a)        (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define MUST_USE          __attribute__((warn_unused_result))

/** A heap copy of `n` bytes with a NUL behind them, owned by the caller (mem_deref).
 *  NULL when out of memory. The bytes may hold NULs of their own. */
static inline char *base_dup(const void *p, size_t n)
{
	char *s = mem_alloc(n + 1, NULL);

	if (s) {
		if (n)
			memcpy(s, p, n);
		s[n] = '\0';
	}
	return s;
}

#endif
