/* secret: wiping, no core dumps, SHA-256. */
#include "lib/base/secret.h"
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void secret_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void secret_no_core(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#if !defined(__SANITIZE_ADDRESS__) && \
	!defined(__SANITIZE_THREAD__) /* the leak check of a test build traces its own process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

static EVP_MD *sha256_md;

/* Looked up once: OpenSSL 3 takes longer to find an algorithm by its name than to digest a message. */
static void find_sha256(void)
{
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void sha256(const void *p, size_t n, unsigned char out[32])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_sha256);
	if (!sha256_md || EVP_Digest(p, n, out, NULL, sha256_md, NULL) != 1)
		abort();
}
