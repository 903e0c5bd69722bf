#!/bin/bash
# packages.sh STAGE…: installs what conf/packages lists for these stages and is missing. As root, or by sudo.
# The services of a package that is new here (lighttpd, postgresql, ...) are neither started nor enabled, and no cluster is made;
# what runs on this machine already is left alone. Quick when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
stages=" $* "

missing=()
while read -r stage package command; do
	case $stage in '' | '#'*) continue ;; esac
	[[ $stages == *" $stage "* ]] || continue
	if [ -n "${command:-}" ]; then
		command -v "$command" >/dev/null || missing+=("$package")
	elif ! dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
		missing+=("$package")
	fi
done <conf/packages
[ ${#missing[@]} -gt 0 ] || exit 0

fail() {
	echo "packages: $*" >&2
	exit 1
}
command -v apt-get >/dev/null || fail "this needs Debian 12 (there is no apt-get); missing are: ${missing[*]}"
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || fail "these packages are missing and there is no sudo; as root: apt-get install ${missing[*]}"
	sudo=sudo
fi

echo "  installing Debian packages: ${missing[*]} ..."
log=$(mktemp)
# While we install, no service is started. A policy of the machine's own stays; ours says no as long as this shell lives.
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
mine="made by pulsechat's packages.sh"
clean() {
	grep -qs "$mine" $policy && $sudo rm -f $policy
	grep -qs "$mine" $clusters/zz-pulsechat.conf && $sudo rm -f $clusters/zz-pulsechat.conf
	rm -f "$log"
	return 0
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
grep -qs "$mine" $policy && $sudo rm -f $policy # one that a killed start left
if ! [ -e $policy ]; then
	printf '#!/bin/sh\n# %s\nkill -0 %s 2>/dev/null || exit 0\nexit 101\n' "$mine" $$ | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
fi
fresh=() fresh_postgres=no
for service in lighttpd nginx haproxy squid ceph-mon ceph-base:ceph-crash; do # PACKAGE[:SERVICE]
	dpkg-query -W -f '${db:Status-Status}' "${service%:*}" 2>/dev/null | grep -qx installed || fresh+=("$service")
done
if ! dpkg-query -W postgresql-common >/dev/null 2>&1; then
	fresh_postgres=yes
	$sudo mkdir -p $clusters
	printf '# %s\ncreate_main_cluster = false\n' "$mine" | $sudo tee $clusters/zz-pulsechat.conf >/dev/null
fi

apt() { # its words go to a log, which is shown when it fails
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1
}
dot() { # so that a long installation is seen to live
	while sleep 5; do printf '.'; done
}
if [ -t 1 ]; then
	dot &
	dots=$!
fi
ok=yes
apt install -y --no-install-recommends "${missing[@]}" ||
	{ apt update && apt install -y --no-install-recommends "${missing[@]}"; } || ok=no
if [ -n "${dots:-}" ]; then
	kill "$dots"
	wait "$dots" 2>/dev/null || true
	echo
fi
if [ $ok = no ]; then
	tail -n 20 "$log" >&2
	fail "apt-get cannot install ${missing[*]} (above is why)"
fi
# What came new with us does not start at the next boot either.
for service in ${fresh[@]+"${fresh[@]}"}; do
	dpkg-query -W -f '${db:Status-Status}' "${service%:*}" 2>/dev/null | grep -qx installed || continue
	if command -v systemctl >/dev/null; then
		$sudo systemctl -q disable "${service#*:}.service" >/dev/null 2>&1 || true
	else
		$sudo update-rc.d "${service#*:}" disable >/dev/null 2>&1 || true
	fi
done
