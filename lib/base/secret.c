/* secret: wiping, no core dumps, SHA-256. */
#include "lib/base/secret.h"
#include <openssl/evp.h>
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

void sha256(const void *p, size_t n, unsigned char out[32])
{
	if (EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}
