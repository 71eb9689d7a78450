/* sip/sofia.h - Sofia-SIP as this room uses it: which headers, which callback contexts.
 *
 * Thread: signalling. Only files of sip/ (not sip/edge/) include it. The contexts of NTA's callbacks
 * are void pointers; each callback's first line turns them into what was registered. */
#ifndef SLUSS_SIP_SOFIA_H
#define SLUSS_SIP_SOFIA_H

#include "lib/base.h"

#define SU_ROOT_MAGIC_T      void
#define SU_WAKEUP_ARG_T      void
#define SU_TIMER_ARG_T       void
#define NTA_AGENT_MAGIC_T    void
#define NTA_LEG_MAGIC_T      void
#define NTA_OUTGOING_MAGIC_T void
#define NTA_INCOMING_MAGIC_T void
#define NTA_RELIABLE_MAGIC_T void

#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/tport_tag.h>
#include <sofia-sip/url.h>

#endif
