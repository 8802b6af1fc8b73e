#!/usr/bin/env bash
# nginx 1.22 or newer, in the foreground and in one process. The machine's own, or Debian's package, which is only unpacked: installing it
# would start it as a service.
#   NGINX_CONF=/path/of/nginx.conf (`include` looks in its folder)
# `run.sh resolve` only fetches it; `run.sh check` reads the configuration, says what is wrong with it, and ends.
set -euo pipefail
unpacked="${XDG_CACHE_HOME:-$HOME/.cache}/skua/servers/nginx"
say() { printf '[nginx] %s\n' "$*" >&2; }

own_nginx() {
  command -v nginx >/dev/null &&
    [ "$(printf '%s\n' 1.22 "$(nginx -v 2>&1 | sed 's|.*/||')" | sort -V | head -n 1)" = 1.22 ]
}

download() { apt-get download -qq -o APT::Sandbox::User=root nginx </dev/null >&2; }

# unpack: fetches the package once. Safe against parallel callers and kills.
unpack() {
  local sudo=() tmp="$unpacked.part"
  [ -d "$unpacked" ] && return 0
  mkdir -p "$(dirname "$unpacked")"
  exec 9>"$unpacked.lock"; flock 9
  if [ ! -d "$unpacked" ]; then
    say "fetching Debian's package (first time only) ..."
    rm -rf "$tmp"; mkdir -p "$tmp"; cd "$tmp"
    if ! download 2>/dev/null; then
      [ "$(id -u)" -eq 0 ] || sudo=(sudo)
      "${sudo[@]}" apt-get update -qq </dev/null >&2
      download
    fi
    dpkg -x nginx_*.deb .
    rm nginx_*.deb
    cd /; mv "$tmp" "$unpacked"
  fi
  exec 9>&-
}

if own_nginx; then nginx=nginx; else unpack; nginx="$unpacked/usr/sbin/nginx"; fi
flags=(-e stderr -c "${NGINX_CONF:-}" -p "$(dirname "${NGINX_CONF:-/}")")
case ${1:-run} in
  resolve) ;;
  check) exec "$nginx" "${flags[@]}" -t ;;
  run) exec "$nginx" "${flags[@]}" -g 'daemon off; master_process off;' ;;
  *) say "usage: run.sh [resolve|check]"; exit 2 ;;
esac
