/* files: `pulsechat-api --files`, the local object store as a FastCGI process of its own: it answers signed S3 requests
 * at [files] url + "/s3/BUCKET/KEY" (doc/files.md). */
#pragma once
#include <signal.h>
struct config;

/* Serves until one of the signals comes, which are blocked; returns the exit status. */
int files_serve(const struct config *c, const sigset_t *signals);
