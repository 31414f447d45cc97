#!/usr/bin/env bash
# A throw-away PostgreSQL for tests: `start DIR` makes and starts one in DIR and prints the URL as a shell assignment,
# `stop DIR` stops and removes it. Uses a free loopback port and an unprivileged user when called by root.
set -euo pipefail
usage() { echo "usage: test-postgres.sh start DIR | stop DIR" >&2; exit 2; }
[ $# -eq 2 ] || usage
verb=$1 dir=$2
bin=$(dirname "$(find /usr/lib/postgresql -name initdb -path '*/bin/*' 2>/dev/null | sort -V | tail -1)")
[ -x "$bin/initdb" ] || { echo "test-postgres: no initdb under /usr/lib/postgresql; run tools/setup/system.sh" >&2; exit 1; }
as_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$dir" "$@"; else "$@"; fi; }
case $verb in
start)
  mkdir -p "$dir"; chmod 755 "$dir"; [ "$(id -u)" = 0 ] && chown postgres "$dir"
  [ -d "$dir/data" ] || as_user "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 >"$dir/initdb.log" 2>&1 ||
    { cat "$dir/initdb.log" >&2; exit 1; }
  port=$(/usr/bin/python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
  as_user "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200" start >/dev/null ||
    { tail -5 "$dir/server.log" >&2; exit 1; }
  echo "export SYNCLINE_TEST_POSTGRES_URL=postgresql://postgres@127.0.0.1:$port/postgres"
  ;;
stop)
  as_user "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$dir"
  ;;
*) usage ;;
esac
