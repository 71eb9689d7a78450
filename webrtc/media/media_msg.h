/* webrtc/media/media_msg.h - what the signalling thread tells a media thread, and what it hears from it. A
 * message owns what it points to. Three functions know all kinds: _name, _clear, the receiver's dispatch. */
#ifndef SLUSS_WEBRTC_MEDIA_MEDIA_MSG_H
#define SLUSS_WEBRTC_MEDIA_MEDIA_MSG_H

#include "gateway/media.h"
#include "webrtc/media/rtp_ports.h"

enum { MEDIA_CALL_ID = 16 };

/** Our user fragment and password of one side and one generation of ICE. */
struct media_creds {
	char ufrag[MEDIA_UFRAG + 1], pwd[MEDIA_PWD + 1];
};

/** A session as its thread gets it. When it is freed, it is wiped and the sockets that nobody took are closed. */
struct media_add {
	enum media_work work;
	size_t n_sides;
	struct media_side_setup sidev[MEDIA_SIDES];
	struct media_creds credv[MEDIA_SIDES];
	struct rtp_port portv[MEDIA_SIDES]
			     [MEDIA_PLAIN_MAX]; /**< open sockets are its own */
	struct media_sdes sdesv[MEDIA_SIDES][MEDIA_PLAIN_MAX]; /**< ours */
	struct media_caps caps;
	char call[MEDIA_CALL_ID + 1];
};
/** Zeroed. NULL: out of memory. */
struct media_add *media_add_alloc(void);

/** What a side's party has described. Wiped when freed. */
struct media_told {
	struct media_remote remote;
	bool fresh;
	struct media_creds creds; /**< fresh: ours from now on */
};
struct media_told *media_told_alloc(void);

/** Candidates of a FULL side's peer that may be checked (ice_candidate.c). */
enum { MEDIA_CANDIDATES_MAX = 32 };
struct media_candidates {
	char ufrag[ICE_UFRAG_MAX + 1]; /**< empty: of the description that there is */
	size_t n;
	struct media_candidate {
		struct sa addr;
		uint32_t priority;
	} v[MEDIA_CANDIDATES_MAX];
};

enum media_down_kind {
	MEDIA_ADD,        /**< id, add */
	MEDIA_REMOTE,     /**< id, side, told */
	MEDIA_CANDIDATES, /**< id, side, candidates */
	MEDIA_REMOVE,     /**< id */
	MEDIA_STOP,       /**< no more; MEDIA_STOPPED follows */
	MEDIA_DOWN_N
};
struct media_down {
	enum media_down_kind kind;
	uint64_t id;
	unsigned side;
	struct media_add *add;               /**< owned */
	struct media_told *told;             /**< owned */
	struct media_candidates *candidates; /**< owned */
};
const char *media_down_name(enum media_down_kind kind);
void media_down_clear(void *msg);

enum media_up_kind {
	MEDIA_TOLD,    /**< id, side, event */
	MEDIA_STOPPED, /**< of thread `worker` */
	MEDIA_UP_N
};
struct media_up {
	enum media_up_kind kind;
	uint64_t id;
	enum media_event event;
	unsigned side;
	unsigned worker;
};
const char *media_up_name(enum media_up_kind kind);

#endif
