/* webrtc/media/media_msg.h - what the signalling thread tells a media thread, and what it hears from it. A
 * message owns what it points to. Three functions know all kinds: _name, _clear, the receiver's dispatch. */
#ifndef SLUSS_WEBRTC_MEDIA_MEDIA_MSG_H
#define SLUSS_WEBRTC_MEDIA_MEDIA_MSG_H

#include "gateway/media.h"

enum { MEDIA_CALL_ID = 16 };

enum media_down_kind {
	MEDIA_ADD,    /**< a session: id, call, credentials, setup */
	MEDIA_CHANGE, /**< id, setup; credentials when ICE restarts, else empty */
	MEDIA_REMOVE, /**< id */
	MEDIA_STOP,   /**< no more; MEDIA_STOPPED follows */
	MEDIA_DOWN_N
};
struct media_down {
	enum media_down_kind kind;
	uint64_t id;
	char call[MEDIA_CALL_ID + 1];
	char ufrag[MEDIA_UFRAG + 1], pwd[MEDIA_PWD + 1];
	struct media_setup *setup; /**< owned */
};
const char *media_down_name(enum media_down_kind kind);
void media_down_clear(void *msg);

enum media_up_kind {
	MEDIA_TOLD,    /**< id, event */
	MEDIA_STOPPED, /**< of thread `worker` */
	MEDIA_UP_N
};
struct media_up {
	enum media_up_kind kind;
	uint64_t id;
	enum media_event event;
	unsigned worker;
};
const char *media_up_name(enum media_up_kind kind);

#endif
