/* media: a list, on purpose short. */
#include "lib/chat/media.h"
#include <string.h>
#include <strings.h>

bool media_shown(const char *type)
{
	static const char *const shown[] = {
		"image/avif", "image/bmp",  "image/gif", "image/jpeg", "image/png",       "image/webp",
		"audio/aac",  "audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg",       "audio/wav",
		"audio/webm", "video/mp4",  "video/ogg", "video/webm", "video/quicktime",
	};
	size_t n = strcspn(type, "; \t");

	for (size_t i = 0; i < COUNT_OF(shown); i++)
		if (strlen(shown[i]) == n && !strncasecmp(shown[i], type, n))
			return true;
	return false;
}
