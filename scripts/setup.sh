#!/usr/bin/env bash
# Prepares a Debian machine that has Rust, Node.js and Java: `setup.sh run` for building Skua, `setup.sh test` also for its
# tests. Installs what is missing with apt-get, says so, and does nothing when everything is there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
purpose=${1:-run}

say() { printf '[setup] %s\n' "$*" >&2; }

# What librdkafka, OpenSSL and aws-lc need to compile and link.
packages=(build-essential pkg-config libssl-dev zlib1g-dev cmake)
case $purpose in
  run) ;;
  # Maven fetches the servers, Python runs one of the clients, curl, ss, setpriv and kill start and stop them; nginx, which is
  # fetched and not installed (as is Prometheus), links PCRE.
  test)
    packages+=(maven python3 python3-venv curl iproute2 procps util-linux libpcre2-8-0)
    # A Java without a compiler is not enough: the servers' launchers are compiled here.
    { command -v javac && command -v jar; } >/dev/null || packages+=(default-jdk-headless)
    ;;
  *) say "usage: setup.sh run|test"; exit 2 ;;
esac

need_command() {
  command -v "$1" >/dev/null || { say "$1 is missing: install $2"; exit 1; }
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

install_packages() {
  local missing=() package sudo=()
  for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "missing packages, and neither root nor sudo to install them: ${missing[*]}"; exit 1; }
    sudo=(sudo)
  fi
  say "installing ${missing[*]}"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
}

# prepare_tests: fetches the servers once, and fetches and builds the published clients of four languages once; lanes side by
# side, each quick when it has been done. Java programs share one lane: they share Maven's repository, and Go programs another.
prepare_tests() {
  local tests="$root/integration-tests" lanes=() lane
  (
    for server in kafka elasticsearch elasticsearch8 cassandra; do "$tests/servers/$server/run.sh" resolve; done
    # The older version that one test starts: VERSION_4_1 in integration-tests/src/cassandra.rs.
    CASSANDRA_VERSION=4.1.10 "$tests/servers/cassandra/run.sh" resolve
    "$tests/clients/java/run.sh" install
  ) & lanes+=($!)
  ("$tests/clients/python/run.sh" install && "$tests/servers/s3/run.sh" resolve && "$tests/readers/run.sh" install) & lanes+=($!)
  "$tests/clients/node/run.sh" install & lanes+=($!)
  ("$tests/clients/go/run.sh" install && "$tests/validate/run.sh" install) & lanes+=($!)
  # One lane: both are packages that apt-get fetches.
  ("$tests/servers/nginx/run.sh" resolve && "$tests/servers/prometheus/run.sh" resolve) & lanes+=($!)
  for lane in "${lanes[@]}"; do
    wait "$lane" || { say "failed to prepare the integration tests, see above"; exit 1; }
  done
}

if command -v dpkg-query >/dev/null; then
  install_packages
else
  say "not a Debian machine: see to it that these are installed: ${packages[*]}"
fi
need_command cargo "Rust (rustup), 1.90 or newer"
if [ "$purpose" = test ]; then
  need_command npm "Node.js 20.6 or newer"
  need_command javac "a JDK, 17 or newer"
  prepare_tests
fi
