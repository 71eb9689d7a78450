/* gateway/config_keys.h - every key of the configuration file and how its value gets into struct config. */
#ifndef SLUSS_GATEWAY_CONFIG_KEYS_H
#define SLUSS_GATEWAY_CONFIG_KEYS_H

#include "gateway/config.h"
#include "gateway/config_file.h"
#include "gateway/config_report.h"

/** A configuration while it is made. */
struct config_build {
	struct config *config;
	struct config_report *report;
	struct list
		sections; /**< what the file says; the nth site there is config->sitev[n], peers likewise */
};

/** What the function of a key works on. */
struct spot {
	struct config_build *b;
	void *base; /**< struct config, site_config or peer_config */
	const struct key_row *row;
	const struct config_value *v; /**< the value, or the first one of a list */
	size_t n;                     /**< how many; 0 for an empty list only */
};
/** What is wrong goes to the report.  Errors: ENOMEM. */
typedef int(set_h)(struct spot *s);

struct key_row {
	const char *name;
	set_h *set;
	size_t offset; /**< into spot.base, where `set` needs one */
	bool list;
};
/** trunk: read and checked, but not used by this version. Ended by a row without name. */
extern const struct key_row config_trunk_rows[];
/** media { }: config_media.c. */
extern const struct key_row config_media_rows[];
/** turn { }: config_turn.c. */
extern const struct key_row config_turn_rows[];
enum { CONFIG_TURN_LIFETIME_S = 3600 };

/** "KEY: "value" is not usable; RIGHT" */
void spot_fault(const struct spot *s, const struct config_value *v, const char *right);

/** The rows for config_file_parse(). Gives how many. */
size_t config_keys(const struct config_key **keyvp);
/** Takes over all of b->sections.  Errors: ENOMEM. */
int config_keys_apply(struct config_build *b);
/** Line on which `key` is set in the nth section of that name; without it, where that section opens (NULL:
 *  also that); 0 when there is no such section. */
unsigned config_line(const struct config_build *b, const char *section, size_t nth,
		     const char *key);
/** Set at all, be it to an empty list or to something unusable? */
bool config_is_set(const struct config_build *b, const char *section, size_t nth,
		   const char *key);

/** Adds one zeroed element of `size` bytes to the mem array at *arrayp.  Errors: ENOMEM. */
int config_grow(void *arrayp, size_t *n, size_t size);
/** A mem array for n mem strings, NULL ended, that frees them with it. NULL: out of memory. */
char **config_strings_alloc(size_t n);
/** Replaces the mem string at *sp by a copy of `text`.  Errors: ENOMEM. */
int config_text_set(char **sp, const char *text);

#endif
