/* picture_file: a few bytes can be more pixels than a reader's memory holds. */
#include "lib/chat/picture_file.h"
#include "lib/base/strbuf.h"
#include "lib/chat/access.h"
#include "lib/chat/picture.h"
#include "lib/chat/upload.h"

int picture_file_check(const struct upload_desk *d, int64_t file, struct err *e)
{
	AUTO_STRBUF bytes = {0};
	struct picture_size size;
	bool got;

	if (upload_bytes(d, file, PICTURE_BYTES, &got, &bytes, e) < 0)
		return -1;
	if (!got)
		return 0;
	if (!picture_size(bytes.p, bytes.n, &size))
		return access_code("picture_type", NULL, e);
	if (size.width > PICTURE_SIDE || size.height > PICTURE_SIDE)
		return err_set(e, ERR_TOO_LARGE, "file", "the picture has more than %d x %d pixels", PICTURE_SIDE,
			       PICTURE_SIDE);
	return 0;
}
