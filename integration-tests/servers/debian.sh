# Sourced by every run.sh of a program of Debian's, which sets SERVER to the package's name first. Bash only.
UNPACKED="${XDG_CACHE_HOME:-$HOME/.cache}/skua/servers/$SERVER"

say() { printf '[%s] %s\n' "$SERVER" "$*" >&2; }

# at_least WANTED FOUND: whether a version is new enough.
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

download() { apt-get download -qq -o APT::Sandbox::User=root "$SERVER" </dev/null >&2; }

# unpack: fetches the package once into UNPACKED, without installing it, which would start it as a service. Safe against parallel callers
# and kills.
unpack() {
  local sudo=() tmp="$UNPACKED.part"
  [ -d "$UNPACKED" ] && return 0
  mkdir -p "$(dirname "$UNPACKED")"
  exec 9>"$UNPACKED.lock"; flock 9
  if [ ! -d "$UNPACKED" ]; then
    say "fetching Debian's package (first time only) ..."
    rm -rf "$tmp"; mkdir -p "$tmp"; cd "$tmp"
    if ! download 2>/dev/null; then
      [ "$(id -u)" -eq 0 ] || sudo=(sudo)
      "${sudo[@]}" apt-get update -qq </dev/null >&2
      download
    fi
    dpkg -x "$SERVER"_*.deb .
    rm "$SERVER"_*.deb
    cd /; mv "$tmp" "$UNPACKED"
  fi
  exec 9>&-
}
