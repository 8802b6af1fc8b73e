#!/usr/bin/env bash
# Runs read.py with pyarrow, DuckDB and pandas: run.sh FOLDER EXPECTED.jsonl DOCS.md
# The virtual environment is made once per content of requirements.txt, outside of the clone. `run.sh install` only makes it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
key=$( (cat "$here/requirements.txt"; python3 --version) | sha256sum | cut -c1-12)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/skua"
venv="$cache/readers-$key"
if [ ! -f "$venv/.done" ]; then
  mkdir -p "$cache"; exec 9>"$cache/.readers.lock"; flock 9
  if [ ! -f "$venv/.done" ]; then
    echo "[readers] installing pyarrow, DuckDB and pandas (first time only) ..." >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 -r "$here/requirements.txt" </dev/null >&2
    touch "$venv/.done"
  fi
  exec 9>&-
fi
[ "${1:-}" = install ] && exit 0
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/read.py" "$@"
