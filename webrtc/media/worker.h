/* webrtc/media/worker.h - a media thread: libre's loop, one port, many sessions.
 *
 * Made, started, told to stop and freed by the signalling thread; in between it is fed by its mailbox alone. */
#ifndef SLUSS_WEBRTC_MEDIA_WORKER_H
#define SLUSS_WEBRTC_MEDIA_WORKER_H

#include "gateway/config.h"
#include "lib/mailbox.h"
#include "webrtc/media/dtls.h"
#include "webrtc/media/media_msg.h"

struct media_worker;

struct media_worker_setup {
	unsigned index;
	const struct config *config; /**< immutable */
	const struct dtls_identity *identity;
	struct mailbox *up; /**< where struct media_up go; outlives the thread */
};
/** Binds its port: media.port plus its index. Errors: one line in *whyp. */
int media_worker_alloc(struct media_worker **wp, char **whyp,
		       const struct media_worker_setup *setup);
/** Errors: EAGAIN: no thread. */
int media_worker_start(struct media_worker *w);
/** Where struct media_down go. */
struct mailbox *media_worker_mailbox(const struct media_worker *w);
uint16_t media_worker_port(const struct media_worker *w);

#endif
