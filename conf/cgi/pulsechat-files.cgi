#!/bin/sh
# pulsechat-files.cgi: starts the local store as a program of mod_fcgid. Mode 755.
exec /usr/local/bin/pulsechat-api -c /etc/pulsechat/pulsechat.conf --files
