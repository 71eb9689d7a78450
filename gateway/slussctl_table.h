/* gateway/slussctl_table.h - what slussd answers, printed for people. */
#ifndef SLUSS_GATEWAY_SLUSSCTL_TABLE_H
#define SLUSS_GATEWAY_SLUSSCTL_TABLE_H

#include <jansson.h>

/** Each prints the result of its command to standard output. What came from users is printed without
 *  control characters. */
void table_status(const json_t *result);
void table_certificates(const json_t *result);
void table_calls(const json_t *result);
void table_call(const json_t *result);
void table_devices(const json_t *result);
void table_peers(const json_t *result);
void table_trunks(const json_t *result);
void table_users(const json_t *result);
void table_key(const json_t *result);

#endif
