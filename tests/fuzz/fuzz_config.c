/* fuzz_config: whatever a configuration file holds: no crash, no leak, and a refusal that names the file. */
#include "lib/base/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MUST(cond) ((cond) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int fd = -1;
	static char path[64];
	struct config *c = NULL;
	struct err e = {0};

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		unsetenv("PULSECHAT_VARIANT");
	}
	MUST(ftruncate(fd, 0) == 0 && pwrite(fd, data, n, 0) == (ssize_t)n);
	if (memmem(data, n, "client_secret_file", 18)) /* it would read files of this machine */
		return 0;
	if (config_load(path, &c, &e) < 0) {
		MUST(!c && e.code != ERR_NONE && e.detail[0]);
		MUST(!strncmp(e.detail, path, strlen(path)));
		return 0;
	}
	MUST(c->site.url[0] && c->database.dsn && config_site_port(c) > 0 && config_site_port(c) < 65536);
	MUST(config_site_secure(c) || config_site_loopback(c));
	MUST(c->writer.batch_items >= 1 && c->writer.batch_items <= 1024);
	config_free(&c);
	return 0;
}
