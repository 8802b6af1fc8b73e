#!/usr/bin/env bash
# Runs the program of this folder: run.sh --client jaeger-udp --endpoint 127.0.0.1:6831 ...
# Its jars are fetched once per content of pom.xml, and it is compiled once per content of the sources, outside of the clone.
# `run.sh install` only does that.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVER=java-clients; source "$here/../../servers/common.sh"
resolve "$here"
compile "$here"/*.java
[ "${1:-}" = install ] && exit 0
exec java $FAST_START -cp "$CLASSES:$LIB/*" Checkout "$@"
