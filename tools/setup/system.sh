#!/usr/bin/env bash
# Installs the Debian packages Syncline is built and tested with. Does nothing when they are all there.
# Run as root (or with sudo on the PATH). Leaves no service running: PostgreSQL's default cluster is not created, sshd does not start.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf '\033[1msetup:\033[0m %s\n' "$*"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
  echo "setup: needs root to install Debian packages and there is no sudo; run tools/dev once as root" >&2; exit 1; fi; }

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

wanted() { # the packages still missing, as apt arguments
  sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/packages.txt" | while read -r entry; do
    installed "${entry%%/*}" || echo "$entry"
  done
  # A newer Node, Java, Maven or Go that is already here serves as well as Debian's.
  if ! node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' >/dev/null 2>&1; then echo nodejs; fi
  command -v npm >/dev/null || echo npm
  command -v java >/dev/null || echo default-jre-headless
  command -v mvn >/dev/null || echo maven
  command -v go >/dev/null || [ -x /usr/lib/go-1.23/bin/go ] || echo golang-1.23-go
  /usr/bin/python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
}

mapfile -t missing < <(wanted)
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

if ! grep -rqs 'bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d; then
  say "adding bookworm-backports to the package sources"
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    uri=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)
    key=$(awk '/^Signed-By:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)
    printf 'Types: deb\nURIs: %s\nSuites: bookworm-backports\nComponents: main\n%s' "$uri" "${key:+Signed-By: $key
}" | as_root tee /etc/apt/sources.list.d/bookworm-backports.sources >/dev/null
  else
    line=$(grep -hE '^deb .*bookworm( |$)' /etc/apt/sources.list | head -1 | awk '{
      out=$1; for (i=2;i<=NF;i++) { if ($i=="bookworm") { out=out" bookworm-backports main"; break } out=out" "$i } print out }')
    [ -n "$line" ] || { echo "setup: no 'deb … bookworm' line found in /etc/apt/sources.list; add bookworm-backports by hand" >&2; exit 1; }
    echo "$line" | as_root tee /etc/apt/sources.list.d/bookworm-backports.list >/dev/null
  fi
fi
# Keep the postgresql-15 package from creating and starting a cluster on port 5432.
if ! installed postgresql-15; then
  as_root mkdir -p /etc/postgresql-common
  if ! grep -qs '^create_main_cluster' /etc/postgresql-common/createcluster.conf; then
    echo 'create_main_cluster = false' | as_root tee -a /etc/postgresql-common/createcluster.conf >/dev/null
  fi
fi
# Keep openssh-server, whose sshd the tests start by themselves, from ever serving this machine.
if ! installed openssh-server && [ ! -e /etc/ssh/sshd_not_to_be_run ]; then
  as_root mkdir -p /etc/ssh
  as_root touch /etc/ssh/sshd_not_to_be_run
fi
say "installing ${#missing[@]} Debian packages and what they need (about 560 MB on an empty machine)"
as_root apt-get -q update
as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
  install --no-install-recommends "${missing[@]}"
say "Debian packages are installed"
