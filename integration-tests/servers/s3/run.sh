#!/usr/bin/env bash
# An S3 API on loopback, in the foreground: moto's server, one Python process, plain HTTP. Everything is in memory and gone at its end.
#   S3_PORT=9000
# Path-style addresses, any key and secret. Ready when S3_PORT accepts TCP. `run.sh resolve` only installs it, once per content of
# requirements.txt.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVER=s3; source "$here/../common.sh"
key=$( (cat "$here/requirements.txt"; python3 --version) | sha256sum | cut -c1-12)
venv="$CACHE/$SERVER/python-$key"
if [ ! -f "$venv/.done" ]; then
  mkdir -p "$CACHE/$SERVER"; exec 9>"$CACHE/$SERVER/.lock"; flock 9
  if [ ! -f "$venv/.done" ]; then
    say "installing moto (first time only) ..."
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 -r "$here/requirements.txt" </dev/null >&2
    touch "$venv/.done"
  fi
  exec 9>&-
fi
[ "${1:-}" = resolve ] && exit 0

need_free "${S3_PORT:-9000}"
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/serve.py" "${S3_PORT:-9000}"
