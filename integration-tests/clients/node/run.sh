#!/usr/bin/env bash
# Runs send.cjs with the OpenTelemetry SDK for Node.js: run.sh --protocol http-json --endpoint http://127.0.0.1:4318 ...
# `run.sh FILE.cjs` runs another program of this folder, as checkout.cjs.
# The packages are installed once per content of the lock file, outside of the clone. `run.sh install` only installs them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
key=$( (cat "$here/package.json" "$here/package-lock.json"; node --version) | sha256sum | cut -c1-12)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/skua"
home="$cache/node-$key"
if [ ! -f "$home/.done" ]; then
  mkdir -p "$cache"; exec 9>"$cache/.node.lock"; flock 9
  if [ ! -f "$home/.done" ]; then
    echo "[node] installing the OpenTelemetry, Jaeger and Zipkin clients (first time only) ..." >&2
    rm -rf "$home"; mkdir -p "$home"
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$home/"
    (cd "$home" && npm ci --ignore-scripts --loglevel=error </dev/null >&2)
    touch "$home/.done"
  fi
  exec 9>&-
fi
[ "${1:-}" = install ] && exit 0
program=send.cjs
case ${1:-} in *.cjs) program=$1; shift ;; esac
NODE_PATH="$home/node_modules" exec node "$here/$program" "$@"
