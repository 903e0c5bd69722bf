/* config_private: what the files of config share. config has the table of keys and how it is filled, config_check what
 * the values may be together, config_ask what others ask of them. */
#pragma once
#include "lib/base/config.h"

/* Checks what was read from the file at path; makes names of files absolute, reads the secrets that stand in files. */
MUST_CHECK int config_check(struct config *c, const char *path, struct err *e);
const char *config_site_host(const struct config *c); /* with its port; "": there is none */
