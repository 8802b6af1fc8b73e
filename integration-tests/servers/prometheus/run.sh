#!/usr/bin/env bash
# Prometheus 2.24 or newer, in the foreground, on 127.0.0.1. The machine's own, or Debian's package, which is only unpacked: installing
# it would start it as a service.
#   PROMETHEUS_PORT=9090 PROMETHEUS_DATA=/path PROMETHEUS_TARGETS='127.0.0.1:14269 127.0.0.1:16687' (scraped every second at
#   PROMETHEUS_PATH=/metrics)
# `run.sh resolve` only fetches it.
set -euo pipefail
SERVER=prometheus
source "$(dirname "${BASH_SOURCE[0]}")/../debian.sh"

own_prometheus() {
  command -v prometheus >/dev/null &&
    at_least 2.24 "$(prometheus --version 2>&1 | sed -n 's/^prometheus, version \([0-9.]*\).*/\1/p')"
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

if own_prometheus; then prometheus=prometheus; else unpack; prometheus="$UNPACKED/usr/bin/prometheus"; fi
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
