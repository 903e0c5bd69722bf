/* descriptors: RLIMIT_NOFILE. */
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

void descriptors_raise(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur == l.rlim_max)
		return;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		log_warning("descriptors", "limit=%llu error=%s", (unsigned long long)l.rlim_max,
			    log_quote(strerror(errno)));
}
