/* tests/lib/keylog.c - preloaded into a program that uses OpenSSL: its TLS secrets go to the file $SSLKEYLOGFILE, as
 * browsers write theirs, so that a capture can be read. For tests alone; keylog.mjs builds it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** One secret, in one write: threads and processes share the file. */
static void secret(const SSL *ssl, const char *line)
{
	const char *file = getenv("SSLKEYLOGFILE");
	char text[512];
	int fd, n = snprintf(text, sizeof(text), "%s\n", line);

	(void)ssl;
	if (!file || n < 0 || (size_t)n >= sizeof(text))
		return;
	fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, text, (size_t)n) != n)
		perror(file);
	(void)close(fd);
}

typedef SSL_CTX *(*new_fn)(const SSL_METHOD *);
typedef void (*log_fn)(SSL_CTX *, SSL_CTX_keylog_cb_func);

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
	new_fn make = (new_fn)dlsym(RTLD_NEXT, "SSL_CTX_new");
	log_fn log_to = (log_fn)dlsym(RTLD_NEXT, "SSL_CTX_set_keylog_callback");
	SSL_CTX *made = make(method);

	if (made)
		log_to(made, secret);
	return made;
}
