# Sourced by every run.sh of a Java program, which sets SERVER to its own name first. Bash only.
set -euo pipefail

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/skua/servers"
DEPENDENCY_PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
# Serial collector and first compiler only: halves a JVM's start on two cores. For a benchmark set
# <SERVER>_JAVA_OPTS="-XX:+UseG1GC" to get the full compiler.
FAST_START="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"

say() { printf '[%s] %s\n' "$SERVER" "$*" >&2; }

# need_free PORT...: stops here when something on this machine already listens on one of them.
need_free() {
  local p
  for p in "$@"; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then say "port $p is taken"; exit 1; fi
  done
}

# resolve DIR [-Dproperty=value]...: puts all runtime jars of DIR/pom.xml into one flat folder, once per content of the pom
# and per set of properties, and sets LIB to it. Safe against parallel callers and kills. A registry that answers badly is
# asked up to three times.
resolve() {
  local dir=$1 key tmp started attempt; shift
  key=$({ cat "$dir/pom.xml"; printf '%s' "$@"; } | sha256sum | cut -c1-12)
  LIB="$CACHE/$SERVER/lib-$key"
  [ -d "$LIB" ] && return 0
  mkdir -p "$CACHE/$SERVER"
  exec 9>"$CACHE/$SERVER/.lock"; flock 9
  if [ ! -d "$LIB" ]; then
    tmp="$LIB.part" started=$SECONDS
    for attempt in 1 2 3; do
      rm -rf "$tmp"; mkdir -p "$tmp"
      say "resolving its jars (first time only, attempt $attempt) ..."
      mvn -B -q -f "$dir/pom.xml" "$@" "$DEPENDENCY_PLUGIN:copy-dependencies" \
        -DincludeScope=runtime -DoutputDirectory="$tmp" </dev/null >&2 && break
      [ "$attempt" -lt 3 ] || { say "failed to resolve its jars with mvn"; exit 1; }
      sleep $((attempt * 5))
    done
    mv "$tmp" "$LIB"
    say "resolved $(find "$LIB" -type f | wc -l) jars, $(du -sm "$LIB" | cut -f1) MB, in $((SECONDS - started)) s"
  fi
  exec 9>&-
}

# compile FILE.java...: compiles them against LIB once per content and sets CLASSES to their folder.
compile() {
  CLASSES="$LIB.classes-$(cat "$@" | sha256sum | cut -c1-12)"
  [ -d "$CLASSES" ] && return 0
  local tmp="$CLASSES.part.$$"
  javac -nowarn -proc:none -encoding UTF-8 -cp "$LIB/*" -d "$tmp" "$@" >&2
  mv -T "$tmp" "$CLASSES" 2>/dev/null || rm -rf "$tmp"
}
