/* webrtc/session/api_words.c - what the HTTP API says to an answer of the accounts: status, code, words. Pure;
 * called by api_session.c. A wrong name, a wrong password and a name that does not exist are one and the
 * same answer. webrtc/openapi.json lists them. */
#include "gateway/account.h"
#include "webrtc/session/api_session.h"

enum { BUSY_RETRY_S = 2 };

static void say(struct api_reply *r, unsigned status, const char *error, const char *text,
		uint32_t retry_s)
{
	r->status = status;
	r->error = error;
	r->retry_s = retry_s;
	snprintf(r->text, sizeof(r->text), "%s", text);
}

/* Which words EACCES and EINVAL deserve depends on what was asked. */
static void say_denied(struct api_reply *r, enum api_kind kind)
{
	switch (kind) {
	case API_LOGIN:
		say(r, 401, "bad-login", "Name or password is wrong.", 0);
		break;
	case API_PASSWD:
	case API_DELETE:
		say(r, 403, "bad-login",
		    kind == API_DELETE ? "The password is wrong."
				       : "The old password is wrong.",
		    0);
		break;
	case API_WHOAMI:
	case API_LOGOUT:
	case API_REGISTER:
	case API_ICE:
	case API_DEVICES:
	case API_DEVICE_END:
	case API_OTHERS_END:
	case API_CONNECT:
	case API_RULES:
	case API_RULES_SET:
	case API_IDP_CODE:
	case API_KIND_N:
		say(r, 401, "not-signed-in", "Please sign in.", 0);
		break;
	}
}

static void say_error(struct api_reply *r, enum api_kind kind,
		      const struct account_answer *answer)
{
	switch (answer->err) {
	case ENOENT:
		if (kind == API_DEVICE_END) {
			say(r, 404, "not-found", "That sign-in has ended already.", 0);
			break;
		}
		say_denied(r, kind);
		break;
	case EACCES:
		say_denied(r, kind);
		break;
	case EAGAIN:
		say(r, 429, "too-soon",
		    "Too many failed tries. Please wait, then try again.",
		    answer->retry_s ? answer->retry_s : 1);
		break;
	case EEXIST:
		say(r, 409, "exists", "That name is taken.", 0);
		break;
	case EPERM:
		if (kind == API_REGISTER)
			say(r, 403, "forbidden", "This site is not open to registration.",
			    0);
		else
			say(r, 403, "forbidden", "This sign-in is for calls only.", 0);
		break;
	case EOPNOTSUPP:
		say(r, 404, "not-found", "This site has no identity provider.", 0);
		break;
	case EXDEV:
		say(r, 403, "origin", "This sign-in was not given to this page.", 0);
		break;
	case EINVAL:
		if (kind == API_CONNECT)
			say(r, 400, "bad-message",
			    "`origin` is https://host or https://host:port of another page.",
			    0);
		else if (kind == API_RULES_SET)
			say(r, 400, "bad-message",
			    "`ring` is \"anyone\", \"verified-name\" or \"verified-email\"; "
			    "`relay` is \"site\", \"never\", \"strangers\" or \"always\".",
			    0);
		else if (kind == API_LOGIN) /* no such name can exist: the same answer */
			say_denied(r, kind);
		else
			say(r, 400, "bad-message",
			    "A name has letters, digits and . _ + -, a password 8 to 256 bytes.",
			    0);
		break;
	case ENOSPC:
	case EBUSY:
		say(r, 503, "busy", "The site is busy. Please try again.",
		    answer->retry_s ? answer->retry_s : BUSY_RETRY_S);
		break;
	default:
		say(r, 503, "internal", "That did not work. It is not your fault.",
		    BUSY_RETRY_S);
		break;
	}
}

void api_reply_fill(struct api_reply *r, const struct api_request *request,
		    const struct account_answer *answer, int64_t now_s,
		    const struct limits *limits)
{
	if (answer->err) {
		say_error(r, request->kind, answer);
		if (r->status == 401 && request->kind != API_LOGIN &&
		    !request->origin.foreign)
			r->cookie_clear = true;
		return;
	}
	switch (request->kind) {
	case API_LOGIN:
	case API_REGISTER:
		r->status = request->kind == API_LOGIN ? 200 : 201;
		addr_text(r->user, &answer->user);
		r->expires_s = now_s + (int64_t)limits->session_days * 86400;
		memcpy(r->token, answer->token, sizeof(r->token));
		r->bearer = request->bearer;
		break;
	case API_WHOAMI:
		r->status = 200;
		addr_text(r->user, &answer->user);
		break;
	case API_LOGOUT:
		r->status = 204;
		r->cookie_clear = true;
		break;
	case API_DELETE:
		r->status = 204;
		r->cookie_clear = true;
		break;
	case API_RULES:
		r->status = 200;
		r->ring = account_ring_name(answer->ring);
		r->relay = relay_rule_name(answer->relay);
		break;
	case API_RULES_SET:
	case API_PASSWD:
	case API_DEVICE_END:
	case API_OTHERS_END:
		r->status = 204;
		break;
	case API_CONNECT:
		r->status = 201;
		addr_text(r->user, &answer->user);
		r->expires_s = now_s + (int64_t)limits->grant_days * 86400;
		memcpy(r->token, answer->token, sizeof(r->token));
		r->bearer = true;
		break;
	case API_IDP_CODE: /* what they bring comes from elsewhere */
	case API_ICE:      /* what they bring comes from the core */
	case API_DEVICES:
		r->status = 200;
		break;
	case API_KIND_N:
		break;
	}
}
