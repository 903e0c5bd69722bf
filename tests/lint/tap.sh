# tap: for the lint scripts of this folder: `clean NAME` reads offenders from its input: none is ok. They start with
#   . "$(dirname "$0")/tap.sh"
# and then stand in the checkout's root. Only files that git knows (or would add) are looked at.
set -u
shopt -s lastpipe
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C.UTF-8
n=0

files() { # patterns as of git: 'lib/*.c' goes into folders
	git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

clean() {
	local offenders
	offenders=$(cat)
	n=$((n + 1))
	if [ -z "$offenders" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		head -n 40 <<<"$offenders" | sed 's/^/# /'
	fi
}

# Greps our C without its comments: `code PATTERN FILE…`
code() {
	local pattern=$1
	shift
	for f in "$@"; do
		gcc -fpreprocessed -dD -E -w - <"$f" 2>/dev/null | grep -nE -- "$pattern" | sed "s|^|$f: |" || true
	done
}
trap 'echo "1..$n"' EXIT
