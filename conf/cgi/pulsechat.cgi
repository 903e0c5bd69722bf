#!/bin/sh
# pulsechat.cgi: starts pulsechat-api as a program of the web server, by CGI or by mod_fcgid. Mode 755.
exec /usr/local/bin/pulsechat-api -c /etc/pulsechat/pulsechat.conf
