/* tests/fake/fake_endpoint.c - devices and a federation whose legs are fake legs. */
#include "tests/fake/fake.h"
#include "tests/fake/fake_own.h"

static struct fake_leg *keep(struct fake_leg **legv, size_t *n, struct fake_leg *fl,
			     int err_invite)
{
	if (*n == FAKE_LEGS_MAX) {
		fprintf(stderr, "fake: no room for one more leg\n");
		abort();
	}
	if (!fl)
		return NULL;
	fl->err_invite = err_invite;
	legv[(*n)++] = mem_ref(fl);
	return fl;
}

static void forget(struct fake_leg **legv, size_t *n)
{
	for (; *n; --*n)
		legv[*n - 1] = mem_deref(legv[*n - 1]);
}

static int device_leg_alloc(struct leg **legp, struct endpoint *ep, struct call *call)
{
	struct fake_device *fd = (struct fake_device *)ep;
	struct fake_leg *fl;

	(void)call;
	if (fd->err_alloc)
		return fd->err_alloc;
	fl = keep(fd->legv, &fd->n_legs, fake_leg_alloc(LEG_OUT, "browser", fd->d.id),
		  fd->err_invite);
	if (!fl)
		return ENOMEM;
	fl->leg.remote.addr = fd->d.user;
	fl->leg.remote.site_verified = true;
	snprintf(fl->leg.remote.name, sizeof(fl->leg.remote.name), "%s", fd->d.name);
	*legp = &fl->leg;
	return 0;
}

static void device_bye(struct endpoint *ep, enum device_bye why)
{
	struct fake_device *fd = (struct fake_device *)ep;

	fd->n_bye++;
	fd->bye = why;
}

static bool device_holds(const struct endpoint *ep, const char *id)
{
	return !strcmp(((const struct fake_device *)ep)->holds, id);
}

static void device_destructor(void *arg)
{
	struct fake_device *fd = arg;

	if (fd->d.registered) {
		fprintf(stderr, "fake_device %s: freed while registered\n", fd->d.id);
		abort();
	}
	forget(fd->legv, &fd->n_legs);
}

struct fake_device *fake_device_alloc(const char *user, const char *id)
{
	static const struct endpoint_ops ep_ops = {.leg_alloc = device_leg_alloc};
	static const struct device_ops ops = {.bye = device_bye, .holds = device_holds};
	struct fake_device *fd = mem_zalloc(sizeof(*fd), device_destructor);

	if (!fd)
		return NULL;
	fd->d.ep.ops = &ep_ops;
	fd->d.ops = &ops;
	fd->d.user = fake_addr(user);
	snprintf(fd->d.id, sizeof(fd->d.id), "%s", id);
	snprintf(fd->d.name, sizeof(fd->d.name), "device %s", id);
	snprintf(fd->d.session, sizeof(fd->d.session), "%s", id);
	return fd;
}

struct fake_leg *fake_device_leg(const struct fake_device *fd)
{
	return fd->n_legs ? fd->legv[fd->n_legs - 1] : NULL;
}

static int federation_leg_alloc(struct leg **legp, void *arg, struct call *call,
				const struct site *site, const char *domain)
{
	struct fake_federation *ff = arg;
	struct fake_leg *fl;

	(void)call;
	snprintf(ff->domain, sizeof(ff->domain), "%s", domain);
	ff->site = site;
	if (ff->err_alloc)
		return ff->err_alloc;
	fl = keep(ff->legv, &ff->n_legs, fake_leg_alloc(LEG_OUT, "sip", domain),
		  ff->err_invite);
	if (!fl)
		return ENOMEM;
	*legp = &fl->leg;
	return 0;
}

const struct federation_ops fake_federation_ops = {.leg_alloc = federation_leg_alloc};

void fake_federation_forget(struct fake_federation *ff)
{
	forget(ff->legv, &ff->n_legs);
}
