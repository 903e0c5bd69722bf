/* notify: tells the service manager (systemd's sd_notify protocol). */
#pragma once

/* state: "READY=1", "STOPPING=1". Nothing happens where no manager listens. */
void notify_manager(const char *state);
