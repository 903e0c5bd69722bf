#!/bin/bash
# pg.sh: a private PostgreSQL cluster for tests: one Unix socket in DIR, no TCP, nothing synced to disk, never as root.
#   pg.sh start DIR [name=value…]   makes the cluster in DIR/data if it is not there, starts it, prints a connection string
#                                   (role pulsechat, database pulsechat; the role postgres is the superuser)
#   pg.sh stop DIR [fast|immediate]
#   pg.sh remove DIR                stops it and removes DIR
#   pg.sh as DIR COMMAND…           runs a program of PostgreSQL's as the cluster's owner
set -euo pipefail
what=$1
dir=$2
shift 2
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin -type d | sort -V | tail -n 1)
export LC_ALL=C.UTF-8 TZ=UTC
unset PGHOST PGUSER PGDATABASE PGOPTIONS

owner() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$bin/$1" "${@:2}")
	else
		(cd / && exec "$bin/$1" "${@:2}")
	fi
}

case $what in
start)
	if [ ! -f "$dir/data/PG_VERSION" ]; then
		mkdir -p "$dir"
		[ "$(id -u)" != 0 ] || chown postgres: "$dir"
		owner initdb -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 -A trust --no-sync >"$dir/initdb.log" 2>&1 ||
			{ cat "$dir/initdb.log" >&2; exit 1; }
		printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$dir'" 'fsync = off' 'full_page_writes = off' \
			'max_connections = 100' 'shared_buffers = 32MB' "timezone = 'UTC'" "log_timezone = 'UTC'" "lc_messages = 'C'" \
			"log_line_prefix = '%m [%p] '" >>"$dir/data/postgresql.conf"
		fresh=yes
	fi
	settings=
	for s in "$@"; do settings="$settings -c $s"; done
	owner pg_ctl start -w -s -t 60 -D "$dir/data" -l "$dir/data/server.log" ${settings:+-o "$settings"} </dev/null >&2
	if [ "${fresh:-}" ]; then
		owner psql -X -q -v ON_ERROR_STOP=1 -h "$dir" -U postgres -d postgres -c 'CREATE ROLE pulsechat LOGIN CREATEDB' \
			-c 'CREATE DATABASE pulsechat OWNER pulsechat' >&2
	fi
	echo "host=$dir dbname=pulsechat user=pulsechat"
	;;
stop)
	owner pg_ctl stop -w -s -t 60 -D "$dir/data" -m "${1:-fast}" >&2
	;;
remove)
	[ ! -f "$dir/data/postmaster.pid" ] || owner pg_ctl stop -w -s -t 60 -D "$dir/data" -m immediate >&2 || true
	rm -rf "$dir"
	;;
as)
	owner "$@"
	;;
*)
	echo "pg.sh: $what is not start, stop, remove or as" >&2
	exit 2
	;;
esac
