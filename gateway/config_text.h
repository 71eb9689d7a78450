/* gateway/config_text.h - the configuration file as text, before libConfuse sees it. Pure. */
#ifndef SLUSS_GATEWAY_CONFIG_TEXT_H
#define SLUSS_GATEWAY_CONFIG_TEXT_H

#include "gateway/config_report.h"

enum { CONFIG_TEXT_MAX_BYTES = 1 << 20 };

/** A copy of `n` bytes, NUL behind, in which comments ("#" and "//" to the end of the line, slash-star) are
 *  blanks: libConfuse 3.3 counts a comment as two lines and takes none inside a list. What it could not read
 *  the way a person does is a fault: control characters, a quoted text that does not end on its line,
 *  "${" outside of single quotes (libConfuse would put the environment there).
 *  Errors: EINVAL with the faults in `r`; ENOMEM. */
int config_text_alloc(char **textp, struct config_report *r, const char *p, size_t n);
/** The line on which the `nth` section (0, 1, …) opens; 0 when there are not so many. */
unsigned config_text_section_line(const char *text, size_t nth);
/** The line of the outermost { that has no }, which libConfuse takes for closed at the end of the file; 0
 *  when each has one. */
unsigned config_text_unclosed_line(const char *text);
/** Blanks the statement `name …` that begins on `line`: its value, its list, its whole section.
 *  Errors: ENOENT. */
int config_text_blank(char *text, unsigned line, const char *name);

#endif
