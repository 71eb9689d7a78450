/* gateway/media.c - names of what a media plane says. Pure. Called by echo.c and the media room. */
#include "gateway/media.h"

const char *media_event_name(enum media_event event)
{
	switch (event) {
	case MEDIA_UP:
		return "up";
	case MEDIA_NEVER:
		return "never";
	case MEDIA_LOST:
		return "lost";
	case MEDIA_FOREIGN:
		return "foreign";
	case MEDIA_FAILED:
		return "failed";
	case MEDIA_CAPPED:
		return "capped";
	case MEDIA_EVENT_N:
		break;
	}
	return "?";
}
