# What the examples' scripts share. They source it first: it takes them to a copy of their project,
# whose embedded PostgreSQL ends with them. LUAMIG names the binary; the default is the one on the
# PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[1]}")"
luamig=${LUAMIG:-luamig}
unset DATABASE_URL
copy=$(mktemp -d)
cp -r luamig.lua versions "$copy"
cd "$copy"
trap '"$luamig" db stop >/dev/null 2>&1 || true; rm -rf "$copy"' EXIT

say() {
  echo
  echo "# $*"
}

step() { # EXPECTED-STATUS WORDS… : runs luamig
  local expected=$1 status=0
  shift
  echo
  echo "\$ luamig $*"
  "$luamig" "$@" || status=$?
  [ "$status" -eq "$expected" ] || { echo "exit $status, expected $expected" >&2; exit 1; }
}

sql() { # STATEMENTS : what the application does meanwhile
  "$luamig" db psql -- -XAtq -v ON_ERROR_STOP=1 -c "$1"
}

expect() { # VALUE QUERY : proves it by the rows
  local found
  found=$(sql "$2")
  echo "  $2 -> $found"
  [ "$found" = "$1" ] || { echo "expected $1" >&2; exit 1; }
}
