/* presign: how many upload and download addresses one thread signs in a second, by turns with a floor: the HMACs and
 * hashes that each takes, and nothing else.   presign SECONDS   prints {"urls","floor","cloudfront"} a second. */
#include "lib/base/secret.h"
#include "lib/store/cloudfront.h"
#include "lib/store/sigv4.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 5
#define CANONICAL 600 /* bytes of a canonical request */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void one_url(int64_t i)
{
	static const struct sigv4_credentials keys = {"AKIAIOSFODNN7EXAMPLE",
						      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, "eu-central-1"};
	static const struct sigv4_pair headers[] = {
		{"content-length", "52413"},
		{"x-amz-checksum-sha256", "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="},
		{"content-type", "image/jpeg"},
		{"if-none-match", "*"}};
	struct sigv4_request r = {.method = "PUT",
				  .endpoint = "https://s3.eu-central-1.amazonaws.com",
				  .bucket = "pulsechat",
				  .key = "files/ab/abcdefghijklmnopqrstuvwxyz",
				  .headers = headers,
				  .n_headers = COUNT_OF(headers),
				  .at = 1800000000 + i,
				  .expires = 3600};
	AUTO_STRBUF url = {0};
	struct err e = {0};

	if (sigv4_presign(&r, &keys, &url, &e) < 0)
		abort();
}

static void one_floor(int64_t i)
{
	static char text[CANONICAL];
	unsigned char hash[32];

	memcpy(text, &i, sizeof(i));
	sha256(text, sizeof(text), hash);
	for (int k = 0; k < 5; k++) /* day, region, service, end, signature */
		if (!HMAC(EVP_sha256(), hash, 32, (unsigned char *)text, k < 4 ? 12 : 130, hash, NULL))
			abort();
}

static struct cloudfront_key *rsa;

static void one_cloudfront(int64_t i)
{
	struct cloudfront_policy p = {
		.url = "https://d111111abcdef8.cloudfront.net/files/ab/abcdefghijklmnopqrstuvwxyz",
		.expires = 1800000000 + i};
	AUTO_STRBUF url = {0};
	struct err e = {0};

	if (cloudfront_sign(rsa, &p, &url, &e) < 0)
		abort();
}

static void make_rsa(void)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	struct err e = {0};
	char *pem;
	long n;

	PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &pem);
	if (cloudfront_key_new("K1", pem, (size_t)n, &rsa, &e) < 0)
		abort();
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

static double rate(void (*one)(int64_t i), double seconds)
{
	double began = now();
	int64_t n = 0;

	do {
		for (int k = 0; k < 100; k++)
			one(n++);
	} while (now() - began < seconds);
	return (double)n / (now() - began);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3, got[3][ROUNDS];
	void (*const what[])(int64_t) = {one_url, one_floor, one_cloudfront};

	make_rsa();
	for (int r = 0; r < ROUNDS; r++)
		for (int k = 0; k < 3; k++)
			got[k][r] = rate(what[k], seconds / (3 * ROUNDS));
	for (int k = 0; k < 3; k++)
		qsort(got[k], ROUNDS, sizeof(double), by_size);
	printf("{\"urls\":%.0f,\"floor\":%.0f,\"cloudfront\":%.0f}\n", got[0][ROUNDS / 2], got[1][ROUNDS / 2],
	       got[2][ROUNDS / 2]);
	cloudfront_key_free(&rsa);
	return 0;
}
