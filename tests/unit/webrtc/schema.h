/* tests/unit/webrtc/schema.h - a small JSON Schema checker for sluss.v1.schema.json, so that the C tests and
 * the tables in the parser are held to the one file that describes the protocol. It knows the keywords
 * which that file uses, and fails the test on any other. */
#ifndef SLUSS_TESTS_UNIT_WEBRTC_SCHEMA_H
#define SLUSS_TESTS_UNIT_WEBRTC_SCHEMA_H

#include "lib/base.h"
#include <jansson.h>

/** Reads $top_srcdir/`path`; aborts when it is not JSON. The caller's (json_decref). */
json_t *schema_load(const char *path);
/** The definition "#/$defs/NAME" of that name. Borrowed; aborts when there is none. */
const json_t *schema_def(const json_t *doc, const char *name);
/** Does `v` fit? `why` (200 bytes) says where it does not. */
bool schema_fits(const json_t *doc, const json_t *schema, const json_t *v, char *why);
/** A value that fits, as small as possible, with all properties when `all`. The caller's. */
json_t *schema_example(const json_t *doc, const json_t *schema, bool all);

#endif
