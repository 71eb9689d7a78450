/* gateway/control_command.c - the commands of slussctl, one function each: what the signalling thread knows, as
 * JSON. Long lists go out in pages, so that no request holds the thread up. Called by control.c; reads core,
 * calls and registry, and asks account.h for users. */
#include "gateway/control_own.h"
#include "gateway/echo.h"

#include <time.h>
#include <unistd.h>

#include "gateway/account.h"
#include "gateway/call.h"
#include "gateway/certs.h"
#include "gateway/office.h"
#include "gateway/registry.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { PAGE = 500 };

/* Text that the rooms have cleaned; should it not be UTF-8 all the same, it does not spoil the answer. */
static json_t *text(const char *s)
{
	json_t *j = json_string(s ? s : "");

	return j ? j : json_string("?");
}

static json_t *address(const struct addr *a)
{
	return *a->user ? text(AT(a)) : text("");
}

static const char *string_of(const struct control_ask *a, const char *key)
{
	return json_string_value(json_object_get(a->request, key));
}

/* Where a page begins: "from" of the request. */
static size_t page_from(const struct control_ask *a)
{
	json_int_t from = json_integer_value(json_object_get(a->request, "from"));

	return from > 0 ? (size_t)from : 0;
}

/* ---- status ---- */

static json_t *queue_json(const struct mailbox_stats *s)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "name", text(s->name),
			 "capacity", (json_int_t)s->capacity, "now", (json_int_t)s->n_now,
			 "high_water", (json_int_t)s->n_high_water, "posted",
			 (json_int_t)s->n_posted, "refused", (json_int_t)s->n_refused);
}

/* Those that have one, and until when it holds. */
static json_t *certificates_json(const struct core *core)
{
	json_t *list = json_array();

	for (const struct le *le = core->sites.head; le; le = le->next) {
		const struct site *site = le->data;
		time_t until = (time_t)site->cert_until_s;
		int64_t left_s = site->cert_until_s - clock_wall_s();
		char day[24];
		struct tm tm;

		if (!site->cert_until_s)
			continue;
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&until, &tm));
		json_array_append_new(
			list,
			json_pack("{s:o, s:s, s:I, s:b, s:o}", "site", text(site->domain),
				  "until", day, "days",
				  (json_int_t)(left_s > 0 ? left_s / 86400 : 0), "ending",
				  (int)(left_s <
					(int64_t)core->config->limits.cert_warn_days *
						86400),
				  "trouble", text(site->cert_trouble)));
	}
	return list;
}

static void do_status(struct control_ask *a)
{
	const struct core *core = a->core;
	const struct core_counters *n = &core->counters;
	json_t *sites = json_array(), *queues = json_array();
	struct mailbox_stats stats;

	for (const struct le *le = core->sites.head; le; le = le->next)
		json_array_append_new(sites,
				      text(((const struct site *)le->data)->domain));
	if (core->office) {
		office_stats(core->office, &stats);
		json_array_append_new(queues, queue_json(&stats));
	}
	for (size_t i = 0; i < core->n_queues && !core->stopping; i++) {
		mailbox_stats(core->queuev[i], &stats);
		json_array_append_new(queues, queue_json(&stats));
	}
	control_reply(
		a,
		json_pack(
			"{s:s, s:i, s:I, s:b, s:o, s:o, s:I, s:I, s:{s:I, s:I, s:I, s:I}, s:o}",
			"version", PACKAGE_VERSION, "pid", (int)getpid(), "uptime_s",
			(json_int_t)((clock_us() - core->started_us) / 1000000),
			"stopping", (int)core->stopping, "sites", sites, "certificates",
			certificates_json(core), "calls", (json_int_t)core->n_calls,
			"devices", (json_int_t)registry_count(core->registry), "counters",
			"calls_started", (json_int_t)n->n_calls_started,
			"calls_established", (json_int_t)n->n_calls_established,
			"calls_failed", (json_int_t)n->n_calls_failed, "invariants",
			(json_int_t)n->n_invariants, "queues", queues),
		0);
}

/* ---- reload ---- */

static void on_reloaded(void *arg)
{
	struct control_ask *a = arg;
	unsigned n = 0;
	const struct site *bad = NULL;

	for (const struct le *le = a->core->sites.head; le; le = le->next) {
		const struct site *site = le->data;

		if (!*site->cert_trouble)
			continue;
		bad = n++ ? bad : site;
	}
	if (!bad && *certs_trouble(a->core->certs))
		control_refuse(a, "%s; what was read before stays in service",
			       certs_trouble(a->core->certs));
	else if (!bad)
		control_reply(a, certificates_json(a->core), 0);
	else if (n == 1)
		control_refuse(a, "%s: %s; the old certificate stays in service",
			       bad->domain, bad->cert_trouble);
	else
		control_refuse(
			a,
			"%s: %s; the old certificate stays in service; so it is with %u more sites, "
			"see slussctl status",
			bad->domain, bad->cert_trouble, n - 1);
}

/* Certificates and keys; the rest of the configuration is read at the start. */
static void do_reload(struct control_ask *a)
{
	if (a->core->stopping)
		control_refuse(a, "the daemon is stopping");
	else if (certs_reload(a->core->certs, on_reloaded, a))
		control_refuse(a, "out of memory");
}

/* ---- calls ---- */

static json_t *call_json(const struct call *call)
{
	const struct invite *invite = call_invite(call);

	return json_pack("{s:o, s:s, s:o, s:o, s:s, s:s, s:I}", "id", text(call_id(call)),
			 "state", call_state_name(call_state(call)), "from",
			 address(&invite->from.addr), "to", address(&invite->to), "media",
			 media_mode_name(call_media_mode(call)), "encryption",
			 call_encryption_name(call), "age_s",
			 (json_int_t)call_age_s(call));
}

static void do_calls(struct control_ask *a)
{
	size_t from = page_from(a), at = 0, next = 0;
	json_t *list = json_array();

	for (const struct le *le = a->core->calls.head; le; le = le->next) {
		const struct call *call = le->data;

		if (call_state(call) == CALL_ENDED || at++ < from)
			continue;
		if (json_array_size(list) == PAGE) {
			next = from + PAGE;
			break;
		}
		json_array_append_new(list, call_json(call));
	}
	control_reply(a, list, next);
}

static struct call *call_named(struct control_ask *a)
{
	const char *id = string_of(a, "id");
	struct call *call = id ? call_find(a->core, id) : NULL;

	if (call && call_state(call) != CALL_ENDED)
		return call;
	if (id)
		control_refuse(a, "there is no call %.64s", id);
	else
		control_refuse(a, "which call? Its id is missing");
	return NULL;
}

/* `fallback`: who it must be, as long as the leg does not know. */
static json_t *leg_json(const struct leg *leg, const struct party *known,
			const struct addr *fallback)
{
	const struct addr *a = *known->addr.user ? &known->addr : fallback;

	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "direction",
			 leg->dir == LEG_IN ? "in" : "out", "kind", leg->ops->kind, "tag",
			 text(leg->tag), "address", address(a), "name",
			 text(known->name));
}

static void do_call(struct control_ask *a)
{
	struct call *call = call_named(a);
	const struct invite *invite;
	const struct leg *leg;
	json_t *legs, *j;

	if (!call)
		return;
	invite = call_invite(call);
	j = call_json(call);
	legs = json_array();
	if ((leg = call_leg_a(call)))
		json_array_append_new(legs,
				      leg_json(leg, &invite->from, &invite->from.addr));
	if ((leg = call_leg_b(call)))
		json_array_append_new(legs, leg_json(leg, &leg->remote, &invite->to));
	if (!j) {
		json_decref(legs);
		control_reply(a, NULL, 0);
		return;
	}
	json_object_set_new(j, "legs", legs);
	json_object_set_new(j, "site_verified", json_boolean(invite->from.site_verified));
	json_object_set_new(j, "site_tls", json_boolean(invite->from.site_tls));
	json_object_set_new(j, "identity",
			    json_string(party_identity_name(invite->from.identity)));
	json_object_set_new(j, "max_forwards", json_integer(invite->max_forwards));
	control_reply(a, j, 0);
}

static void do_hangup(struct control_ask *a)
{
	struct call *call = call_named(a);
	struct cause cause;

	if (!call)
		return;
	log_info(call_id(call), "control.hangup", "by=operator");
	call_end(call, cause_set(&cause, CAUSE_HANGUP,
				 "The operator of this site ended the call."));
	control_reply(a, json_object(), 0);
}

/* ---- devices and peers ---- */

struct page {
	json_t *list;
	size_t from, at, next;
};

/* Is the next element on this page? */
static bool page_takes(struct page *p)
{
	if (p->next || p->at++ < p->from)
		return false;
	if (json_array_size(p->list) < PAGE)
		return true;
	p->next = p->from + PAGE;
	return false;
}

static bool device_add(struct device *d, void *arg)
{
	struct page *p = arg;

	if (page_takes(p))
		json_array_append_new(
			p->list,
			json_pack("{s:o, s:o, s:o, s:s, s:o, s:I}", "id", text(d->id),
				  "user", address(&d->user), "name", text(d->name),
				  "state", d->away ? "away" : "online", "address",
				  text(d->address), "age_s",
				  (json_int_t)((clock_us() - d->since_us) / 1000000)));
	return p->next != 0;
}

static void do_devices(struct control_ask *a)
{
	struct page p = {.list = json_array(), .from = page_from(a)};

	registry_each(a->core->registry, NULL, device_add, &p);
	control_reply(a, p.list, p.next);
}

static void peer_add(const char *domain, const char *state, unsigned n_conns,
		     unsigned n_calls, const char *last_error, void *arg)
{
	struct page *p = arg;

	if (page_takes(p))
		json_array_append_new(
			p->list,
			json_pack("{s:o, s:o, s:i, s:i, s:o}", "domain", text(domain),
				  "state", text(state), "connections", (int)n_conns,
				  "calls", (int)n_calls, "last_error", text(last_error)));
}

static void do_peers(struct control_ask *a)
{
	struct page p = {.list = json_array(), .from = page_from(a)};

	if (a->core->federation && a->core->federation->peers)
		a->core->federation->peers(a->core->federation_arg, peer_add, &p);
	control_reply(a, p.list, p.next);
}

static void trunk_add(const struct trunk_config *t, const struct trunk_state *state,
		      void *arg)
{
	static const char *const transports[] = {"udp", "tcp", "tls"};
	struct page *p = arg;
	char until[24] = "";
	time_t s = (time_t)state->until_s;
	struct tm tm;

	if (!page_takes(p))
		return;
	if (s)
		strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&s, &tm));
	json_array_append_new(
		p->list,
		json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:i, s:s, s:o}", "name",
			  t->name, "state", state->state, "transport",
			  transports[t->transport], "address", text(state->address),
			  "registration", state->registration, "until", until, "calls",
			  (int)state->n_calls, "media", leg_media_name(t->media),
			  "last_error", text(state->last_error)));
}

static void do_trunks(struct control_ask *a)
{
	struct page p = {.list = json_array(), .from = page_from(a)};

	if (a->core->trunks)
		a->core->trunks->each(a->core->trunks_arg, trunk_add, &p);
	control_reply(a, p.list, p.next);
}

/* ---- users ---- */

static void refuse_site(struct control_ask *a, const char *domain)
{
	char sites[256] = "";
	size_t n = 0;

	for (const struct le *le = a->core->sites.head; le && n < sizeof(sites);
	     le = le->next)
		n += (size_t)snprintf(sites + n, sizeof(sites) - n, "%s%s", n ? ", " : "",
				      ((const struct site *)le->data)->domain);
	control_refuse(a, "%.253s is not served here; the sites are: %s", domain, sites);
}

static int user_named(struct control_ask *a, struct addr *user)
{
	const char *s = string_of(a, "user");

	if (!s || addr_parse(user, s, strlen(s))) {
		control_refuse(
			a,
			"\"%.80s\" is no user's address; alice@alpha.example would be "
			"right",
			s ? s : "");
		return EINVAL;
	}
	if (!core_site_find(a->core, user->host)) {
		refuse_site(a, user->host);
		return ENOENT;
	}
	return 0;
}

static void on_account(const struct account_answer *answer, void *arg)
{
	struct control_ask *a = arg;
	const struct addr *user = &answer->user;

	switch (answer->err) {
	case 0:
		log_info(NULL, "control.user", "command=%s user=%s", LQ(a->name),
			 AT_SHORT(user));
		control_reply(a, json_pack("{s:o}", "user", address(user)), 0);
		break;
	case EEXIST:
		control_refuse(a, "%s has a user %s already", user->host, user->user);
		break;
	case ENOENT:
		control_refuse(a, "%s has no user %s", user->host, user->user);
		break;
	case EINVAL:
		control_refuse(a, "a password has 8 to 256 bytes");
		break;
	case ENOSPC:
	case EBUSY:
		control_refuse(
			a,
			"too much to do at the moment, or the disk is full; try again");
		break;
	default:
		control_refuse(a, "the store failed: %s; see the log",
			       strerror(answer->err));
		break;
	}
}

static void do_user(struct control_ask *a)
{
	const char *password = string_of(a, "password");
	struct account_service *as = a->core->accounts;
	struct addr user;
	int err;

	if (user_named(a, &user))
		return;
	if (!strcmp(a->name, "user remove"))
		err = account_admin_remove(as, &user, on_account, a);
	else if (!password)
		return control_refuse(a, "the password is missing");
	else if (!strcmp(a->name, "user add") && echo_is(a->core, &user))
		return control_refuse(
			a,
			"%s@%s is the echo test of this site; another name, or "
			"another one for site { echo }, would be right",
			user.user, user.host);
	else if (!strcmp(a->name, "user add"))
		err = account_admin_add(as, &user, password, on_account, a);
	else
		err = account_admin_passwd(as, &user, password, on_account, a);
	if (err)
		control_refuse(a, "out of memory");
}

static void on_list(const struct account_answer *answer, void *arg)
{
	struct control_ask *a = arg;
	struct page p = {.from = page_from(a)};
	struct addr user = answer->user;

	if (answer->err) {
		on_account(answer, arg);
		return;
	}
	p.list = json_array();
	for (char **v = answer->usersv; v && *v; v++) {
		if (!page_takes(&p))
			continue;
		snprintf(user.user, sizeof(user.user), "%s", *v);
		json_array_append_new(p.list, address(&user));
	}
	control_reply(a, p.list, p.next);
}

const struct site *control_site(struct control_ask *a)
{
	const char *domain = string_of(a, "site");
	const struct site *site;

	if (!domain && list_count(&a->core->sites) == 1)
		domain = ((const struct site *)list_ledata(a->core->sites.head))->domain;
	if (!domain) {
		control_refuse(a, "which site? Several are served here");
		return NULL;
	}
	site = core_site_find(a->core, domain);
	if (!site)
		refuse_site(a, domain);
	return site;
}

static void do_user_list(struct control_ask *a)
{
	const struct site *site = control_site(a);

	if (site && account_admin_list(a->core->accounts, site, on_list, a))
		control_refuse(a, "out of memory");
}

void control_command(struct control_ask *a)
{
	static const struct {
		const char *name;
		void (*run)(struct control_ask *a);
	} commands[] = {
		{"status", do_status},
		{"reload", do_reload},
		{"calls", do_calls},
		{"call", do_call},
		{"hangup", do_hangup},
		{"devices", do_devices},
		{"peers", do_peers},
		{"trunks", do_trunks},
		{"user add", do_user},
		{"user passwd", do_user},
		{"user remove", do_user},
		{"user list", do_user_list},
		{"idp rotate", control_idp_rotate},
	};

	for (size_t i = 0; i < N_ELEMS(commands) && a->name; i++) {
		if (!strcmp(a->name, commands[i].name)) {
			commands[i].run(a);
			return;
		}
	}
	control_refuse(a, "there is no command \"%.40s\"", a->name ? a->name : "");
}
