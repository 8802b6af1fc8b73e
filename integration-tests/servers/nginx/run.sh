#!/usr/bin/env bash
# nginx 1.22 or newer, in the foreground and in one process. The machine's own, or Debian's package, which is only unpacked: installing it
# would start it as a service.
#   NGINX_CONF=/path/of/nginx.conf (`include` looks in its folder)
# `run.sh resolve` only fetches it; `run.sh check` reads the configuration, says what is wrong with it, and ends.
set -euo pipefail
SERVER=nginx
source "$(dirname "${BASH_SOURCE[0]}")/../debian.sh"

own_nginx() {
  command -v nginx >/dev/null && at_least 1.22 "$(nginx -v 2>&1 | sed 's|.*/||')"
}

if own_nginx; then nginx=nginx; else unpack; nginx="$UNPACKED/usr/sbin/nginx"; fi
flags=(-e stderr -c "${NGINX_CONF:-}" -p "$(dirname "${NGINX_CONF:-/}")")
case ${1:-run} in
  resolve) ;;
  check) exec "$nginx" "${flags[@]}" -t ;;
  run) exec "$nginx" "${flags[@]}" -g 'daemon off; master_process off;' ;;
  *) say "usage: run.sh [resolve|check]"; exit 2 ;;
esac
