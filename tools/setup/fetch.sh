#!/usr/bin/env bash
# Fetches what is not a Debian package (or must not be installed as one) into .dev/tools: Kafka's jars, Prometheus, npm tools,
# and the chart's tools (helm.sh).
# Each part is kept under a stamp with its version, so that a second run does nothing.
#   fetch.sh [kafka] [prometheus] [npm] [helm]     all of them without arguments
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/.dev/tools
kafka_version=4.1.1
log4j_version=2.24.3
say() { printf '\033[1msetup:\033[0m %s\n' "$*"; }
stamped() { [ "$(cat "$tools/$1/.stamp" 2>/dev/null)" = "$2" ]; }

kafka() {
  local stamp="$kafka_version-$log4j_version with its tools" # Commands of the pages and of the tests are theirs.
  stamped kafka "$stamp" && return 0
  say "fetching Apache Kafka $kafka_version by its Maven coordinates (54 MB)"
  local work
  work=$(mktemp -d)
  cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
  <groupId>syncline</groupId><artifactId>local-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$log4j_version</version></dependency>
  </dependencies>
</project>
POM
  rm -rf "$tools/kafka" && mkdir -p "$tools/kafka"
  if ! (cd "$work" && mvn -B -q dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$tools/kafka" >"$work/mvn.log" 2>&1); then
    tail -20 "$work/mvn.log" >&2
    echo "setup: Maven could not fetch org.apache.kafka:kafka_2.13:$kafka_version; check the network and Maven's settings" >&2
    exit 1
  fi
  rm -rf "$work"
  echo "$stamp" >"$tools/kafka/.stamp"
}

prometheus() { # The package would enable a service on port 9090, so it is unpacked, not installed.
  stamped prometheus 2 && return 0
  say "fetching Prometheus and Alertmanager's amtool from their Debian packages (40 MB)"
  rm -rf "$tools/prometheus" && mkdir -p "$tools/prometheus"
  local work
  work=$(mktemp -d)
  chmod 755 "$work"
  (cd "$work" && apt-get -qq download prometheus prometheus-alertmanager) || { echo "setup: apt-get download prometheus failed; run 'apt-get update' as root" >&2; exit 1; }
  dpkg -x "$work"/prometheus_*.deb "$tools/prometheus"
  dpkg -x "$work"/prometheus-alertmanager_*.deb "$tools/prometheus"
  rm -rf "$work"
  echo 2 >"$tools/prometheus/.stamp"
}

# A package of which only some files are wanted: installing it would bring hundreds of megabytes of its own dependencies.
unpacked() { # NAME PATTERN…: those files of the package and its license, where an installed package would have them
  local name=$1 version work
  shift
  version=$(node -p 'require(process.argv[1]).unpacked[process.argv[2]]' "$tools/npm/package.json" "$name")
  work=$(mktemp -d)
  (cd "$work" && npm pack --silent --loglevel=error "$name@$version" >/dev/null) || { echo "setup: npm pack $name@$version failed; check the network and npm's settings" >&2; exit 1; }
  mkdir -p "$tools/npm/node_modules/$name"
  tar -xzf "$work"/*.tgz -C "$tools/npm/node_modules/$name" --strip-components=1 --wildcards package/package.json 'package/LICENSE*' "$@"
  rm -rf "$work"
}

npm_tools() {
  local wanted
  wanted=$(sha256sum <"$root/tools/setup/npm/package.json" | cut -c1-16)
  stamped npm "$wanted" && return 0
  say "fetching npm tools (buf, graphql) and Shopify's published schema (14 MB)"
  rm -rf "$tools/npm" && mkdir -p "$tools/npm"
  cp "$root/tools/setup/npm/package.json" "$tools/npm/"
  (cd "$tools/npm" && npm install --no-audit --no-fund --no-package-lock --loglevel=error) >&2
  unpacked "@shopify/dev-mcp" 'package/dist/data/admin_*.json.gz'
  echo "$wanted" >"$tools/npm/.stamp"
}

mkdir -p "$tools"
[ $# -gt 0 ] || set -- kafka prometheus npm helm
for part in "$@"; do
  case $part in
  kafka) kafka ;;
  prometheus) prometheus ;;
  npm) npm_tools ;;
  helm) "$root/tools/setup/helm.sh" ;;
  *) echo "fetch.sh: unknown part '$part' (kafka, prometheus, npm, helm)" >&2; exit 2 ;;
  esac
done
