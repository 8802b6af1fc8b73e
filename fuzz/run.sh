#!/usr/bin/env bash
# Fuzzes the decoders: each target for SECONDS (600 when none is given), all targets when none is named.
#
#   run.sh [SECONDS] [TARGET...]
#   run.sh list
#
# Prints a line for each target: executions, covered edges, inputs kept, highest memory, and whether it crashed; ends with 1
# when one did. The bytes of a crash lie in ARTIFACTS/TARGET/; `TARGET FILE` of the built program shows it again.
#
# Variables: JOBS=1 (targets side by side)  MAX_LEN=16384 (bytes of an input)  SANITIZER=address (or none, which is faster)
#   CORPUS=~/.cache/skua/fuzz/corpus  ARTIFACTS=~/.cache/skua/fuzz/artifacts  LOGS=~/.cache/skua/fuzz/logs
#   FUZZ_TARGET_DIR=~/.cache/skua/fuzz/target
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/skua
export PATH=$cache/tools/bin:$PATH
: "${JOBS:=1}" "${MAX_LEN:=16384}" "${SANITIZER:=address}"
: "${CORPUS:=$cache/fuzz/corpus}" "${ARTIFACTS:=$cache/fuzz/artifacts}" "${LOGS:=$cache/fuzz/logs}"
: "${FUZZ_TARGET_DIR:=$cache/fuzz/target}"

say() { printf '[fuzz] %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

all() { sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' "$here/Cargo.toml"; }

# prepare: cargo-fuzz from the registry, and a compiler that takes the flags of the coverage.
prepare() {
  command -v c++ >/dev/null || die "no C++ compiler for libFuzzer: install build-essential"
  if ! command -v cargo-fuzz >/dev/null; then
    say "installing cargo-fuzz 0.13.2 into $cache/tools"
    CARGO_TARGET_DIR=$cache/fuzz/tools cargo install --quiet --locked --root "$cache/tools" cargo-fuzz@0.13.2
  fi
  cargo=(cargo)
  if command -v rustup >/dev/null && rustup toolchain list | grep -q '^nightly'; then
    cargo+=(+nightly)
    say "compiler: $(rustc +nightly --version)"
  else
    export RUSTC_BOOTSTRAP=1
    say "no nightly toolchain: $(rustc --version) with RUSTC_BOOTSTRAP=1"
  fi
}

# fuzz TARGET SECONDS: writes LOGS/TARGET.log and prints the line. 0 when nothing was found.
fuzz() {
  local target=$1 seconds=$2 log=$LOGS/$1.log words=() code=0 dictionary=
  case $target in
    *json) dictionary=json ;;
    sampling*) dictionary=json ;;
    *thrift*) dictionary=thrift ;;
  esac
  [ -z "$dictionary" ] || words+=(-dict="$here/dictionaries/$dictionary.txt")
  mkdir -p "$CORPUS/$target" "$ARTIFACTS/$target" "$LOGS"
  local folders=("$CORPUS/$target")
  [ ! -d "$here/seeds/$target" ] || folders+=("$here/seeds/$target")
  # A unit may take 10 s, 1 GiB in all and 256 MiB at once; the bounds of the single decoder are far below and in src/targets.rs.
  # Freed memory that the sanitizer keeps back is not the decoder's.
  ASAN_OPTIONS=quarantine_size_mb=8${ASAN_OPTIONS:+:$ASAN_OPTIONS} nice -n 19 "$programs/$target" "${folders[@]}" -artifact_prefix="$ARTIFACTS/$target/" -max_total_time="$seconds" \
    -max_len="$MAX_LEN" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=256 -print_final_stats=1 "${words[@]}" \
    >"$log" 2>&1 || code=$?
  local verdict="no crash" number='s/^stat::%s: *//p'
  [ "$code" -eq 0 ] || verdict="CRASH (exit $code): $(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)"
  # shellcheck disable=SC2059
  stat() { sed -n "$(printf "$number" "$1")" "$log" | tail -n 1; }
  printf '%-26s %10s executions, %6s a second, coverage %s, %s MiB at most: %s\n' "$target" "$(stat number_of_executed_units)" \
    "$(stat average_exec_per_sec)" "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)" "$(stat peak_rss_mb)" "$verdict"
  if [ "$code" -ne 0 ]; then tail -n 30 "$log" >&2; fi
  return "$code"
}

case ${1:-} in
  list) all; exit ;;
  one) programs=$PROGRAMS; fuzz "$2" "$3"; exit ;; # how this script calls itself
  '' | *[!0-9]*) seconds=600 ;;
  *) seconds=$1; shift ;;
esac
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(all)
for target in "${targets[@]}"; do all | grep -qx "$target" || die "no target $target, there are: $(all | tr '\n' ' ')"; done

prepare
host=$(rustc -vV | sed -n 's/^host: //p')
export PROGRAMS=$FUZZ_TARGET_DIR/$host/release CORPUS ARTIFACTS LOGS MAX_LEN
say "building with sanitizer $SANITIZER"
for target in "${targets[@]}"; do
  nice -n 19 "${cargo[@]}" fuzz build --fuzz-dir "$here" --target-dir "$FUZZ_TARGET_DIR" --sanitizer "$SANITIZER" "$target" >&2
done
say "${#targets[@]} targets, $seconds s each, $JOBS side by side; logs in $LOGS"
code=0
printf '%s\n' "${targets[@]}" | xargs -P "$JOBS" -I{} "$here/run.sh" one {} "$seconds" || code=1
exit "$code"
