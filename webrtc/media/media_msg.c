/* webrtc/media/media_msg.c - names and endings of the messages. Any thread; pure. Called by media.c, worker.c
 * and the mailboxes. */
#include "webrtc/media/media_msg.h"

#include "lib/secret.h"

const char *media_down_name(enum media_down_kind kind)
{
	switch (kind) {
	case MEDIA_ADD:
		return "add";
	case MEDIA_CHANGE:
		return "change";
	case MEDIA_REMOVE:
		return "remove";
	case MEDIA_STOP:
		return "stop";
	case MEDIA_DOWN_N:
		break;
	}
	return "?";
}

void media_down_clear(void *msg)
{
	struct media_down *down = msg;

	switch (down->kind) {
	case MEDIA_ADD:
	case MEDIA_CHANGE:
		down->setup = mem_deref(down->setup);
		secret_wipe(down->pwd, sizeof(down->pwd));
		break;
	case MEDIA_REMOVE:
	case MEDIA_STOP:
	case MEDIA_DOWN_N:
		break;
	}
}

const char *media_up_name(enum media_up_kind kind)
{
	switch (kind) {
	case MEDIA_TOLD:
		return "told";
	case MEDIA_STOPPED:
		return "stopped";
	case MEDIA_UP_N:
		break;
	}
	return "?";
}
