#!/usr/bin/env bash
# Runs send.py with the OpenTelemetry Python SDK: run.sh --protocol grpc --endpoint http://127.0.0.1:4317 ...
# `run.sh FILE.py` runs another program; a name without a folder is one of this folder, as checkout.py.
# The virtual environment is made once per content of requirements.txt, outside of the clone. `run.sh install` only makes it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
key=$( (cat "$here/requirements.txt"; python3 --version) | sha256sum | cut -c1-12)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/skua"
venv="$cache/python-$key"
if [ ! -f "$venv/.done" ]; then
  mkdir -p "$cache"; exec 9>"$cache/.python.lock"; flock 9
  if [ ! -f "$venv/.done" ]; then
    echo "[python] installing the Jaeger and OpenTelemetry clients (first time only) ..." >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 -r "$here/requirements.txt" </dev/null >&2
    touch "$venv/.done"
  fi
  exec 9>&-
fi
[ "${1:-}" = install ] && exit 0
export PYTHONDONTWRITEBYTECODE=1
case ${1:-} in
  */*.py) exec "$venv/bin/python" "$@" ;;
  *.py)
    program="$here/$1"; shift
    exec "$venv/bin/python" "$program" "$@"
    ;;
  *) exec "$venv/bin/python" "$here/send.py" "$@" ;;
esac
