/* webrtc/media/media.h - the door of the media room: threads that end ICE, DTLS and SRTP of browsers. It
 * implements gateway/media.h for the core. Signalling thread. */
#ifndef SLUSS_WEBRTC_MEDIA_MEDIA_H
#define SLUSS_WEBRTC_MEDIA_MEDIA_H

#include "gateway/core.h"
#include "gateway/media.h"

struct media;
/** Binds the ports and makes our certificate; the threads begin with media_start(), when privileges are gone.
 *  Sets core->media. Errors: one clear line in *whyp (a port in use, …). */
int media_alloc(struct media **mp, char **whyp, struct core *core);
int media_start(struct media *m, char **whyp);
/** Ends the threads; `h` runs on the signalling thread when all have ended. mem_deref(media) after that;
 *  without it mem_deref() waits for them. */
void media_stop(struct media *m, void (*h)(void *arg), void *arg);

#endif
