#!/bin/sh
# Builds the programs (every service and synclinectl without names), and makes for each the root of its image: the program, the libraries it
# needs, CA certificates and time zones, and nothing that could be run besides. build.sh <sources> <output> <revision> [program…]
set -eu
sources=$1 output=$2 revision=$3
cd "$sources"
export LANG=C.UTF-8 # ccache tells locales apart: the same one wherever this runs.
shift 3
programs=${*:-"synclinectl $(for main in services/*/main.cpp; do basename "$(dirname "$main")"; done)"}
cmake --preset release ${revision:+-DSYNCLINE_SOURCE="$revision"}
# shellcheck disable=SC2086
cmake --build build/release --target $programs

for program in $programs; do
  root=$output/$program
  mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/usr/lib/ssl" "$root/usr/share" "$root/tmp"
  install --strip "build/release/bin/$program" "$root/usr/bin/$program"
  ln -s "usr/bin/$program" "$root/service"
  ldd "$root/usr/bin/$program" >"$output/libraries"
  if grep 'not found' "$output/libraries"; then exit 1; fi
  # Each at the path by which it was found; the loader is the line without an arrow.
  sed -n -e 's/.* => \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' "$output/libraries" | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem" # Where OpenSSL looks first.
  cp -a /usr/share/zoneinfo "$root/usr/share/"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  echo 'syncline:x:65532:65532::/:/service' >"$root/etc/passwd"
  echo 'syncline:x:65532:' >"$root/etc/group"
  chmod 1777 "$root/tmp"
done
rm -rf build "$output/libraries"
