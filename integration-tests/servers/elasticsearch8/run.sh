#!/usr/bin/env bash
# Elasticsearch 8.15, one node on loopback, in the foreground. Server and HTTP only: no security, painless, ILM or reindex.
#   ES8_DATA=/tmp/skua-elasticsearch8  ES8_PORT=9202 (HTTP)  ES8_TRANSPORT_PORT=9302  ES8_HEAP=512m  ES8_JAVA_OPTS=(fast start)
# Ready when http://127.0.0.1:$ES8_PORT/_cluster/health?wait_for_status=yellow answers. `run.sh resolve` only fetches the jars.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVER=elasticsearch8; source "$here/../common.sh"
resolve "$here"
compile "$here/RootPlugin.java"; root=$CLASSES
compile "$here/Launcher.java"
[ "${1:-}" = resolve ] && exit 0

data=${ES8_DATA:-/tmp/skua-elasticsearch8} port=${ES8_PORT:-9202} tport=${ES8_TRANSPORT_PORT:-9302}
need_free "$port" "$tport"
# The server insists on being a Java module, and loads plugins itself from modules/, each in a class loader of its own.
modpath= version= netty=()
for jar in "$LIB"/*.jar; do
  case ${jar##*/} in
    transport-netty4-*) version=${jar##*-}; version=${version%.jar}; netty+=("$jar") ;;
    netty-*) netty+=("$jar") ;;
    *) modpath="$modpath:$jar" ;;
  esac
done
module() { # NAME CLASS JAR...
  local dir="$data/modules/$1"; mkdir -p "$dir"
  printf '%s\n' "name=$1" "description=$1" "version=$version" "elasticsearch.version=$version" java.version=17 \
    "classname=$2" has.native.controller=false > "$dir/plugin-descriptor.properties"
  ln -s "${@:3}" "$dir/"
}
mkdir -p "$data/config"; rm -rf "$data/modules"
[ -f "$root.jar" ] || { jar cf "$root.jar.$$" -C "$root" . && mv "$root.jar.$$" "$root.jar"; }
module transport-netty4 org.elasticsearch.transport.netty4.Netty4Plugin "${netty[@]}"
module root RootPlugin "$root.jar"
cat > "$data/config/elasticsearch.yml" <<Y
cluster.name: skua-test
node.name: node-1
network.host: 127.0.0.1
http.port: $port
transport.port: $tport
discovery.type: single-node
path.data: $data/data
path.logs: $data/logs
node.store.allow_mmap: false
cluster.routing.allocation.disk.threshold_enabled: false
action.destructive_requires_name: false
Y
cat > "$data/config/log4j2.properties" <<'P'
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
P
exec java -Xms128m -Xmx"${ES8_HEAP:-512m}" -XX:MaxDirectMemorySize=128m ${ES8_JAVA_OPTS-$FAST_START} \
  -Djava.io.tmpdir="${TMPDIR:-/tmp}" -Dlog4j2.configurationFile="$data/config/log4j2.properties" -Dlog4j2.disable.jmx=true \
  -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true --add-opens java.base/java.io=org.elasticsearch.preallocate \
  -p "${modpath#:}" --add-modules ALL-MODULE-PATH -cp "$CLASSES" Launcher "$data"
