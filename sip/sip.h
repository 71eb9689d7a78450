/* sip/sip.h - the door of the SIP room: Sofia-SIP's loop and agent, the SIP leg, the edge. */
#ifndef SLUSS_SIP_SIP_H
#define SLUSS_SIP_SIP_H

#include "gateway/core.h"

/** The signalling thread's loop on Sofia's su_root; its timers run on CLOCK_MONOTONIC (a timerfd),
 *  since Sofia's own follow the wall clock. Threading of Sofia is off. Freed by mem_deref after run. */
int sip_loop_alloc(struct loop **loopp);

struct sip;
/** Binds the SIP listeners (edge) and the joint, starts the edge thread, makes the NTA agent on the
 *  calling thread's loop, and sets core->federation. Sockets are bound when this returns; the
 *  certificates have been read. Errors: one clear line in *whyp: port in use, key unreadable, … */
int sip_alloc(struct sip **sp, char **whyp, struct core *core);
/** Says BYE where dialogs are left, then stops the edge; `h` runs when all is done (at the latest after
 *  limits.stop_s). mem_deref(sip) after that. */
void sip_stop(struct sip *sip, void (*h)(void *arg), void *arg);

#endif
