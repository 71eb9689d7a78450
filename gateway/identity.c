/* gateway/identity.c - see identity.h. Called by the call, by webrtc/session/ and by idp/. */
#include "gateway/identity.h"

const char *identity_status_name(enum identity_status status)
{
	switch (status) {
	case IDENTITY_NONE:
		break;
	case IDENTITY_VERIFIED:
		return "verified";
	case IDENTITY_UNVERIFIED:
		return "unverified";
	case IDENTITY_FAILED:
		return "failed";
	}
	return "none";
}

struct identity_person *identity_person_copy(const struct identity_person *p)
{
	struct identity_person *copy = mem_alloc(sizeof(*copy), NULL);

	if (copy)
		*copy = *p;
	return copy;
}
