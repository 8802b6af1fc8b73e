#!/usr/bin/env bash
# Reads a compose file or a Dockerfile as Docker does, without a Docker, and prints what is in it as JSON; a mistake ends it with exit code 1.
#   run.sh compose FILE      run.sh dockerfile FILE      run.sh install (only builds the program)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../go.sh"
build_go validate "$here" "the reader of compose files and Dockerfiles"
[ "${1:-}" = install ] && exit 0
exec "$program" "$@"
