/* notify: tells systemd how we are, where it wants to know (sd_notify(3), by its datagram, without its library). */
#pragma once

/* state: "READY=1", "STOPPING=1", … Nothing happens where nobody listens. */
void notify_systemd(const char *state);
