/* webrtc/session/origin.c - a sign-in that was given to the pages of one origin serves no other. Pure; called by
 * ws.c and request.c on the web thread, by browser_enter.c and api_session.c on the signalling thread.
 * RFC 6454 (the web origin concept). */
#include "webrtc/session/origin.h"

#include "gateway/config_value.h"

bool web_origin_is_one(const char *text)
{
	char canonical[STORE_ORIGIN_MAX + 1];

	return strlen(text) <= STORE_ORIGIN_MAX && strcmp(text, "none") != 0 &&
	       !config_origin_parse(canonical, sizeof(canonical), text) &&
	       !strcmp(canonical, text);
}

bool web_origin_fits(const struct web_origin *from, const char *bound)
{
	return *bound ? !strcmp(from->text, bound) : !from->foreign;
}
