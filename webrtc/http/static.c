/* webrtc/http/static.c - the files of the SDK and the phone, from the configured folder: `/sdk/…` is the
 * SDK, `/api/v1/openapi.json` the description of the API, `/call/…` and everything else the phone. Those of the
 * identity provider lie in a folder of their own and are served on its host alone (idp.c).
 *
 * Web thread. Called by api.c and idp.c for GET and HEAD. A path is let through by rules_path() before it comes
 * near the disk; what was read stays in memory as long as the file is the same. RFC 9110 §8.8.3, §13.1.2. */
#include "lib/log.h"
#include "webrtc/http/own.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 4 << 20, FILES_MAX = 256, BUCKETS = 64 };

struct file {
	struct le le;
	char *name; /* below the root */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	char etag[48];
	struct mbuf *content;
};

struct files {
	char *root, *idp_root; /* idp_root NULL: there is none */
	struct hash *cache;    /* struct file, by name */
	unsigned n;
};

static const char *mime_type(const char *name)
{
	static const struct {
		const char *ending, *type;
	} table[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".mjs", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".json", "application/json"},
		{".webmanifest", "application/manifest+json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".woff2", "font/woff2"},
		{".mp3", "audio/mpeg"},
		{".ogg", "audio/ogg"},
		{".wav", "audio/wav"},
		{".ts", "text/plain; charset=utf-8"},
		{".map", "application/json"},
		{".txt", "text/plain; charset=utf-8"},
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < N_ELEMS(table); i++)
		if (!strcmp(dot, table[i].ending))
			return table[i].type;
	return NULL; /* what we cannot name is not ours to serve */
}

/* Where a path lies below the root. Gives false for what is none. */
static bool file_name(char *name, size_t size, const char *path)
{
	const char *slash;
	int n;

	/* A link that calls somebody: the page reads the address itself; it never comes near the disk. */
	if (!strncmp(path, "/call/", 6) && path[6])
		path = "/";
	else if (!rules_path(path, strlen(path)))
		return false;
	slash = path[strlen(path) - 1] == '/' ? "index.html" : "";
	if (!strcmp(path, "/api/v1/openapi.json"))
		n = snprintf(name, size, "openapi.json");
	else if (!strcmp(path, "/connect") || !strcmp(path, "/account"))
		n = snprintf(name, size, "phone%s.html", path);
	else if (!strncmp(path, "/sdk/", 5) || !strncmp(path, "/phone/", 7))
		n = snprintf(name, size, "%s%s", path + 1, slash);
	else
		n = snprintf(name, size, "phone%s%s", path, slash);
	return n > 0 && (size_t)n < size;
}

static void file_destructor(void *arg)
{
	struct file *f = arg;

	hash_unlink(&f->le);
	mem_deref(f->name);
	mem_deref(f->content);
}

static bool is_same(const struct file *f, const struct stat *st)
{
	return f->dev == st->st_dev && f->ino == st->st_ino && f->size == st->st_size &&
	       f->mtime.tv_sec == st->st_mtim.tv_sec &&
	       f->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static int read_all(struct mbuf *mb, int fd, size_t n)
{
	while (mb->end < n) {
		ssize_t got = read(fd, mb->buf + mb->end, n - mb->end);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return EIO; /* it became shorter meanwhile */
		mb->end += (size_t)got;
	}
	return 0;
}

static int file_load(struct file *f, int fd, const struct stat *st)
{
	struct mbuf *mb = mbuf_alloc((size_t)st->st_size + 1);
	int err;

	if (!mb)
		return ENOMEM;
	err = read_all(mb, fd, (size_t)st->st_size);
	if (err) {
		mem_deref(mb);
		return err;
	}
	mem_deref(f->content);
	f->content = mb;
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->size = st->st_size;
	f->mtime = st->st_mtim;
	snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx%08lx\"",
		 (unsigned long long)st->st_size, (unsigned long long)st->st_mtim.tv_sec,
		 (unsigned long)st->st_mtim.tv_nsec);
	return 0;
}

static bool name_is(struct le *le, void *arg)
{
	return !strcmp(((const struct file *)le->data)->name, arg);
}

/* The cached file of that name, an empty one when there is none yet. */
static struct file *cached(struct files *fs, char *name)
{
	struct file *f =
		list_ledata(hash_lookup(fs->cache, hash_joaat_str(name), name_is, name));

	if (f)
		return f;
	if (fs->n >=
	    FILES_MAX) { /* more names than we ever ship: somebody's own folder; begin anew */
		hash_flush(fs->cache);
		fs->n = 0;
	}
	f = mem_zalloc(sizeof(*f), file_destructor);
	if (!f)
		return NULL;
	f->name = base_dup(name, strlen(name));
	if (!f->name)
		return mem_deref(f);
	hash_append(fs->cache, hash_joaat_str(name), &f->le, f);
	fs->n++;
	return f;
}

static int file_get(struct file **fp, struct files *fs, char *name)
{
	bool idp = fs->idp_root && !strncmp(name, "idp/", 4);
	char path[4096];
	struct file *f;
	struct stat st;
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%s", idp ? fs->idp_root : fs->root,
		     idp ? name + 4 : name) >= (int)sizeof(path))
		return ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return errno == EACCES ? EACCES : ENOENT;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) {
		close(fd);
		return ENOENT;
	}
	f = cached(fs, name);
	if (!f)
		err = ENOMEM;
	else if (!f->content || !is_same(f, &st))
		err = file_load(f, fd, &st);
	close(fd);
	if (!err)
		*fp = f;
	return err;
}

/* If-None-Match: a list of tags, or *. */
static bool has_it(const char *if_none_match, const char *etag)
{
	return strcmp(if_none_match, "*") == 0 || strstr(if_none_match, etag) != NULL;
}

int web_files_send(struct files *fs, struct conn *c, char *name, const char *lines)
{
	char extra[256];
	const char *type = name ? mime_type(name) : NULL;
	struct file *f = NULL;
	int err = type ? file_get(&f, fs, name) : ENOENT;

	if (err == EACCES) {
		static struct log_gate gate;

		if (log_gate_open(&gate, 1))
			log_err(NULL, "web.file", "file=%s is not readable",
				LQN(name, strlen(name)));
	}
	if (err)
		return web_reply_error(c, 404, "not-found", "There is nothing here.",
				       NULL);
	snprintf(extra, sizeof(extra), "%sETag: %s\r\n", lines, f->etag);
	if (c->request.if_none_match[0] && has_it(c->request.if_none_match, f->etag))
		return web_reply_start(c, 304, NULL, NULL, extra);
	return web_reply_start(c, 200, type, f->content, extra);
}

int web_files_reply(struct files *fs, struct conn *c)
{
	char name[HTTP_PATH_MAX + 32];
	bool named = file_name(name, sizeof(name), c->request.path);

	if (c->request.method != HTTP_GET && c->request.method != HTTP_HEAD)
		return web_reply_error(c, 405, "method", "Only GET and HEAD here.",
				       "Allow: GET, HEAD\r\n");
	/* Pages elsewhere load the SDK from here. */
	c->request.shared = named && !strncmp(name, "sdk/", 4);
	/* no-cache: kept, but asked for again each time, so that an update is seen at the next load */
	return web_files_send(fs, c, named ? name : NULL, "Cache-Control: no-cache\r\n");
}

static void files_destructor(void *arg)
{
	struct files *fs = arg;

	hash_flush(fs->cache);
	mem_deref(fs->cache);
	mem_deref(fs->root);
	mem_deref(fs->idp_root);
}

int web_files_alloc(struct files **fp, const char *root, const char *idp_root)
{
	struct files *fs = mem_zalloc(sizeof(*fs), files_destructor);

	if (!fs)
		return ENOMEM;
	fs->root = base_dup(root, strlen(root));
	if (idp_root)
		fs->idp_root = base_dup(idp_root, strlen(idp_root));
	if (!fs->root || (idp_root && !fs->idp_root) || hash_alloc(&fs->cache, BUCKETS)) {
		mem_deref(fs);
		return ENOMEM;
	}
	*fp = fs;
	return 0;
}
