#!/usr/bin/env bash
# Runs the program of this folder: run.sh --client jaeger-udp --endpoint 127.0.0.1:6831 ...
# It is built once per content of the sources, outside of the clone. `run.sh install` only builds it.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../go.sh"
build_go go "$here" "the Jaeger and OpenTelemetry clients"
[ "${1:-}" = install ] && exit 0
exec "$program" "$@"
