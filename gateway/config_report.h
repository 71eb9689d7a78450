/* gateway/config_report.h - the faults and warnings of one configuration file, in the order of its lines. */
#ifndef SLUSS_GATEWAY_CONFIG_REPORT_H
#define SLUSS_GATEWAY_CONFIG_REPORT_H

#include "lib/base.h"

struct config_report;

/** @param file  how the file is called in the lines */
int config_report_alloc(struct config_report **rp, const char *file);
/** Notes "file:line: what is wrong; what would be right". `line` 0: the file as a whole. The same line said
 *  twice is kept once; beyond 64 they are only counted. */
void config_fault(struct config_report *r, unsigned line, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
void config_warn(struct config_report *r, unsigned line, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
size_t config_report_faults(const struct config_report *r);
/** All of it as text, one a line, sorted by line number. NULL in *textp when there is nothing. */
int config_report_text(const struct config_report *r, char **textp);

#endif
