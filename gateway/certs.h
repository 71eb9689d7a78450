/* gateway/certs.h - the sites' certificates as the signalling thread knows them: until when they hold, what was
 * wrong with files read since, a warning a day when the end is near, and reading them again at once.
 *
 *   web, SIP ── certs_news(), certs_reloaded() ──► certs ◄── SIGHUP, slussctl reload, slussctl status
 *            ◄──────────── reload ────────────────
 * The threads that show certificates read them; here is no file. Thread: signalling only. A NULL `struct
 * certs` is taken and does nothing. */
#ifndef SLUSS_GATEWAY_CERTS_H
#define SLUSS_GATEWAY_CERTS_H

#include "lib/base.h"

struct certs;
struct core;

/** Errors: ENOMEM. Owns: *cp by mem_deref; who waits for a reload is not called any more then. */
int certs_alloc(struct certs **cp, struct core *core);
/** A room that shows certificates: `reload` makes its thread read all of them again, and certs_reloaded()
 *  follows, after the news. Errors of `reload`: any; then nothing follows. */
void certs_room_add(struct certs *c, int (*reload)(void *arg), void *arg);
/** A pair of `domain` is in service until `until_s` (since 1970); `why`: its files could not be used when
 *  they were read last, and this is the old one. NULL: they could. */
void certs_news(struct certs *c, const char *domain, int64_t until_s, const char *why);
/** A room has read what there is. `why`: something that belongs to no site could not be used (the file of the
 *  authorities), and the old one stays; NULL: all could. */
void certs_reloaded(struct certs *c, const char *why);
/** What the last reload said so; "" nothing. Borrowed. */
const char *certs_trouble(const struct certs *c);
/** Has all rooms read theirs again; `h` (may be NULL) runs when they have, never before this returns.
 *  Errors: ENOMEM. */
int certs_reload(struct certs *c, void (*h)(void *arg), void *arg);

#endif
