/* gateway/registry.h - who is online: devices by account, and account by device. Signalling thread. */
#ifndef SLUSS_GATEWAY_REGISTRY_H
#define SLUSS_GATEWAY_REGISTRY_H

#include "gateway/addr.h"
#include "gateway/leg.h"
#include "gateway/store.h"

struct registry;

enum device_bye {
	DEVICE_SIGNED_OUT,
	DEVICE_REMOVED,
	DEVICE_PASSWORD,
	DEVICE_SHUTDOWN,
	DEVICE_TOO_MANY,
	DEVICE_BEHIND, /**< it acknowledges nothing of what it is told */
};

struct device_ops {
	/** Its session has ended: tell it why and close. */
	void (*bye)(struct endpoint *device, enum device_bye why);
	/** Does its client still have the sound of the call `id` that a killed process has left? May be
	 *  NULL: it has not. */
	bool (*holds)(const struct endpoint *device, const char *id);
};
/** A signed-in browser tab or program, implemented by webrtc/session/. First member: endpoint. */
struct device {
	struct endpoint ep; /**< ops->leg_alloc makes a browser leg */
	const struct device_ops *ops;
	struct addr user;
	char id[20];   /**< "d-" and 16 hex digits */
	char name[64]; /**< what the client calls itself, cleaned */
	char session[STORE_SESSION_HEX + 1];
	char address[64]; /**< client address, shortened for logs */
	uint64_t since_us;
	bool away; /**< its connection is lost; it may come back within session-linger */
	struct le le_hash, le_account;
	bool registered;
};

int registry_alloc(struct registry **rp, uint32_t devices_per_user);
/** Where there are devices_per_user already, one that has lost its connection makes place (bye).
 *  Errors: ENOSPC: all of them are connected (the new one is refused). */
int registry_add(struct registry *r, struct device *d);
void registry_remove(struct registry *r, struct device *d);
struct device *registry_device(const struct registry *r, const char *id);
/** Calls `h` for each device of `user`, oldest first; h returns true to stop. Gives how many seen.
 *  h may remove the device it is given. user NULL: all devices. */
size_t registry_each(const struct registry *r, const struct addr *user,
		     bool (*h)(struct device *d, void *arg), void *arg);
/** Says bye to all devices of `user`, or of that one session, but those of session `but`. */
void registry_end(struct registry *r, const struct addr *user, const char *session,
		  const char *but, enum device_bye why);
size_t registry_count(const struct registry *r);

#endif
