/* gateway/media.c - names of what a media plane says, and whose keys are whose. Pure. Called by echo.c, the paths and the
 * media room. */
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

static bool is_among(const struct media_fingerprint *f, const struct media_fingerprint *v,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (f->n_bytes == v[i].n_bytes && !memcmp(f->v, v[i].v, f->n_bytes))
			return true;
	return false;
}

bool media_fingerprints_within(const struct media_fingerprint *v, size_t n,
			       const struct media_fingerprint *before, size_t n_before)
{
	for (size_t i = 0; i < n; i++)
		if (!is_among(&v[i], before, n_before))
			return false;
	return n > 0;
}
