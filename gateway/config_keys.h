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
/** trunk { }: config_trunk.c. */
extern const struct key_row config_trunk_rows[];
int config_trunk_open(struct config_build *b, const struct config_section *sec,
		      void **basep);
void config_trunk_clear(struct config *c);
/** Keys of site { } that are about telephone numbers: config_number.c. The check looks at trunks as well and fills in what
 *  they leave out; errors: ENOMEM. */
extern const struct key_row config_number_rows[];
int config_number_default(struct site_config *site);
void config_number_clear(struct config *c);
int config_trunk_check(struct config_build *b);
/** Parts of a struct number_plan at row->offset of spot.base. */
int config_set_country(struct spot *s);
int config_set_national(struct spot *s);
int config_set_international(struct spot *s);
/** Keys of site { } that are about identity: config_idp.c. */
extern const struct key_row config_idp_rows[];
/** What a site { } of that domain has when the file says nothing. */
void config_idp_default(struct site_config *site);
/** Looks at the hosts of all sites; the second also at the files. */
void config_idp_check(struct config_build *b);
void config_idp_check_outside(struct config_build *b);
/** openid { }: config_openid.c. The check also fills in what was left out; errors: ENOMEM. */
extern const struct key_row config_openid_rows[];
int config_openid_open(struct config_build *b, const struct config_section *sec,
		       void **basep);
int config_openid_check(struct config_build *b);
void config_openid_clear(struct config *c);
/** media { }: config_media.c. */
extern const struct key_row config_media_rows[];
/** turn { }: config_turn.c. */
extern const struct key_row config_turn_rows[];
enum { CONFIG_TURN_LIFETIME_S = 3600 };

/** A whole path; a truth value: into row->offset of spot.base. */
int config_set_path(struct spot *s);
int config_set_bool(struct spot *s);
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
