/* descriptors: how many files and sockets this process may have open. */
#pragma once

/* Raises the soft limit to the hard one; where that fails it stays, and the log says so. */
void descriptors_raise(void);
