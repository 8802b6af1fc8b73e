#!/usr/bin/env bash
# Prometheus 2.24 or newer, in the foreground, on 127.0.0.1. The machine's own, or Debian's package, which is only unpacked: installing
# it would start it as a service.
#   PROMETHEUS_PORT=9090 PROMETHEUS_DATA=/path PROMETHEUS_TARGETS='127.0.0.1:14269 127.0.0.1:16687' (scraped every second at
#   PROMETHEUS_PATH=/metrics)
# `run.sh resolve` only fetches it.
set -euo pipefail
unpacked="${XDG_CACHE_HOME:-$HOME/.cache}/skua/servers/prometheus"
say() { printf '[prometheus] %s\n' "$*" >&2; }

own_prometheus() {
  command -v prometheus >/dev/null &&
    [ "$(printf '%s\n' 2.24 "$(prometheus --version 2>&1 | sed -n 's/^prometheus, version \([0-9.]*\).*/\1/p')" | sort -V | head -n 1)" = 2.24 ]
}

download() { apt-get download -qq -o APT::Sandbox::User=root prometheus </dev/null >&2; }

# unpack: fetches the package once. Safe against parallel callers and kills.
unpack() {
  local sudo=() tmp="$unpacked.part"
  [ -d "$unpacked" ] && return 0
  mkdir -p "$(dirname "$unpacked")"
  exec 9>"$unpacked.lock"; flock 9
  if [ ! -d "$unpacked" ]; then
    say "fetching Debian's package (first time only) ..."
    rm -rf "$tmp"; mkdir -p "$tmp"; cd "$tmp"
    if ! download 2>/dev/null; then
      [ "$(id -u)" -eq 0 ] || sudo=(sudo)
      "${sudo[@]}" apt-get update -qq </dev/null >&2
      download
    fi
    dpkg -x prometheus_*.deb .
    rm prometheus_*.deb
    cd /; mv "$tmp" "$unpacked"
  fi
  exec 9>&-
}

configuration() {
  local target
  echo 'global: {scrape_interval: 1s, scrape_timeout: 1s}'
  echo 'scrape_configs:'
  echo '  - job_name: tests'
  echo "    metrics_path: ${PROMETHEUS_PATH:-/metrics}"
  echo '    static_configs:'
  echo '      - targets:'
  for target in ${PROMETHEUS_TARGETS:-}; do printf '          - "%s"\n' "$target"; done
}

if own_prometheus; then prometheus=prometheus; else unpack; prometheus="$unpacked/usr/bin/prometheus"; fi
case ${1:-run} in
  resolve) ;;
  run)
    mkdir -p "$PROMETHEUS_DATA"
    configuration >"$PROMETHEUS_DATA/prometheus.yml"
    exec "$prometheus" --config.file="$PROMETHEUS_DATA/prometheus.yml" --storage.tsdb.path="$PROMETHEUS_DATA" \
      --enable-feature=exemplar-storage \
      --web.listen-address="127.0.0.1:${PROMETHEUS_PORT:-9090}"
    ;;
  *) say "usage: run.sh [resolve]"; exit 2 ;;
esac
