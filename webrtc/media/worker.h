/* webrtc/media/worker.h - a media thread: libre's loop, one port, many sessions.
 *
 * Made, started, told to stop and freed by the signalling thread; in between it is fed by its mailbox alone. */
#ifndef SLUSS_WEBRTC_MEDIA_WORKER_H
#define SLUSS_WEBRTC_MEDIA_WORKER_H

#include "gateway/config.h"
#include "lib/mailbox.h"
#include "webrtc/media/dtls.h"
#include "webrtc/media/media_msg.h"

struct worker;

struct worker_setup {
	unsigned index;
	const struct config *config; /**< immutable */
	const struct dtls_identity *identity;
	struct mailbox *up; /**< where struct media_up go; outlives the thread */
};
/** Binds its port: media.port plus its index. Errors: one line in *whyp. */
int worker_alloc(struct worker **wp, char **whyp, const struct worker_setup *setup);
/** Errors: EAGAIN: no thread. */
int worker_start(struct worker *w);
/** Where struct media_down go. */
struct mailbox *worker_mailbox(const struct worker *w);
uint16_t worker_port(const struct worker *w);

#endif
