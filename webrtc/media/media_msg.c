/* webrtc/media/media_msg.c - names and endings of the messages. Any thread; pure. Called by media.c, worker.c
 * and the mailboxes. */
#include "webrtc/media/media_msg.h"

#include "lib/secret.h"

static void add_destructor(void *arg)
{
	struct media_add *add = arg;

	for (size_t i = 0; i < MEDIA_SIDES; i++)
		for (size_t k = 0; k < MEDIA_PLAIN_MAX; k++)
			rtp_port_close(&add->portv[i][k]);
	secret_wipe(add->credv, sizeof(add->credv));
	secret_wipe(add->sdesv, sizeof(add->sdesv));
}

struct media_add *media_add_alloc(void)
{
	return mem_zalloc(sizeof(struct media_add), add_destructor);
}

static void told_destructor(void *arg)
{
	secret_wipe(arg, sizeof(struct media_told));
}

struct media_told *media_told_alloc(void)
{
	return mem_zalloc(sizeof(struct media_told), told_destructor);
}

const char *media_down_name(enum media_down_kind kind)
{
	switch (kind) {
	case MEDIA_ADD:
		return "add";
	case MEDIA_REMOTE:
		return "remote";
	case MEDIA_CANDIDATES:
		return "candidates";
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
		down->add = mem_deref(down->add);
		break;
	case MEDIA_REMOTE:
		down->told = mem_deref(down->told);
		break;
	case MEDIA_CANDIDATES:
		down->candidates = mem_deref(down->candidates);
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
