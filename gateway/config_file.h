/* gateway/config_file.h - a configuration file as libConfuse reads it, flattened: sections in the order of
 * the file, each with what was set in it and on which line. Knows what may stand where, not what it means. */
#ifndef SLUSS_GATEWAY_CONFIG_FILE_H
#define SLUSS_GATEWAY_CONFIG_FILE_H

#include "gateway/config_report.h"

/** What may be set where. A row with name NULL is the section itself; rows of a section stand together. */
struct config_key {
	const char *section, *name;
	bool list;   /**< {"a", "b"} */
	bool titled; /**< of the section: has a title and may come several times */
};

struct config_value {
	char *text;
	unsigned line;
};
struct config_entry {
	struct le le;
	size_t key; /**< index into the keys */
	unsigned line;
	struct config_value *valuev;
	size_t n_values; /**< 0: an empty list */
};
struct config_section {
	struct le le;
	size_t key;    /**< index of the section's own row */
	char *title;   /**< NULL when it has none */
	unsigned line; /**< where it opens */
	struct list entries;
};

/** Every section and entry is a mem object in the list; list_flush() frees them.
 *  Unknown names are faults in `r`, and what is behind them is read all the same.
 *  Errors: EINVAL: `r` says where the file could not be read on; what came before is in the list. ENOMEM. */
int config_file_parse(struct list *sections, struct config_report *r, const char *file,
		      const char *text, size_t n, const struct config_key *keyv,
		      size_t n_keys);

#endif
