/* sip/edge/conn_facts.c - what the rest of the edge may know of a connection. Edge
 * thread. */
#include <strings.h>

#include "sip/edge/conn_internal.h"
#include "sip/joint.h"

uint32_t conn_id(const struct conn *c)
{
	return c->id;
}

uint32_t conn_gen(const struct conn *c)
{
	return c->gen;
}

bool conn_is_open(const struct conn *c)
{
	return c->state == CONN_OPEN;
}

bool conn_is_tls(const struct conn *c)
{
	return c->tls;
}

bool conn_is_dialled(const struct conn *c)
{
	return c->dialled;
}

const struct sa *conn_peer(const struct conn *c)
{
	return &c->peer;
}

const char *conn_addr(const struct conn *c)
{
	return c->addr;
}

const char *conn_site(const struct conn *c)
{
	return c->side.site;
}

const char *conn_names(const struct conn *c)
{
	return c->names ? c->names : "";
}

const char *conn_domain(const struct conn *c)
{
	return c->domain ? c->domain : "";
}

const char *conn_why(const struct conn *c)
{
	return c->why;
}

bool conn_proves(const struct conn *c, const char *domain)
{
	return joint_list_has(conn_names(c), domain) ||
	       (c->proved && !strcasecmp(c->proved, domain));
}

bool conn_proves_any(const struct conn *c)
{
	return *conn_names(c) || c->proved;
}

unsigned conn_note_excess(struct conn *c)
{
	return ++c->n_excess;
}

struct list *conn_waiters(struct conn *c)
{
	return &c->waiters;
}

struct list *conn_pending(struct conn *c)
{
	return &c->pending;
}

const char *conn_note(const struct conn *c)
{
	return c->note;
}

void conn_set_note(struct conn *c, char *note)
{
	mem_deref(c->note);
	c->note = note;
}
