/* tests/unit/sip/sip_standin.h - the stand-in edge's own side, for sip_peer.c. */
#ifndef SLUSS_TESTS_UNIT_SIP_SIP_STANDIN_H
#define SLUSS_TESTS_UNIT_SIP_SIP_STANDIN_H

#include <setjmp.h>
#include "lib/base.h"
#include <cmocka.h>

#include "sip/edge/edge.h"

/** What every name is resolved to: "127.0.0.1:5060"; empty: it has no address. */
extern char standin_resolved[64];
const char *standin_secret(void);
uint16_t standin_port(void);
unsigned standin_n_accepted(void);
int standin_dial_sofia(void);
void standin_inner_open(void);
void standin_inner_close(bool reset);
void standin_outer_close(bool reset);
void standin_post(const struct edge_event *ev);
void standin_write(const char *p, size_t n);
/** A whole message from any connection, if one has come. */
bool standin_read(char *buf, size_t size, size_t *n);
/** sip_peer.c: lets the room work for a moment. */
void standin_pump(void);

#endif
