#!/usr/bin/env bash
# Elasticsearch 7.17, one node on loopback, in the foreground. Plain HTTP; no security, painless or ILM.
#   ES_DATA=/tmp/skua-elasticsearch  ES_PORT=9200 (HTTP)  ES_TRANSPORT_PORT=9300  ES_HEAP=512m  ES_JAVA_OPTS=(fast start)
# Ready when http://127.0.0.1:$ES_PORT/_cluster/health?wait_for_status=yellow answers. `run.sh resolve` only fetches the jars.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVER=elasticsearch; source "$here/../common.sh"
resolve "$here"
compile "$here/Launcher.java"
[ "${1:-}" = resolve ] && exit 0

data=${ES_DATA:-/tmp/skua-elasticsearch} port=${ES_PORT:-9200} tport=${ES_TRANSPORT_PORT:-9300}
need_free "$port" "$tport"
mkdir -p "$data/config"
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
Y
cat > "$data/config/log4j2.properties" <<'P'
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
P
exec java -Xms128m -Xmx"${ES_HEAP:-512m}" -XX:MaxDirectMemorySize=128m ${ES_JAVA_OPTS-$FAST_START} \
  -Djava.io.tmpdir="${TMPDIR:-/tmp}" -Dlog4j2.configurationFile="$data/config/log4j2.properties" -Dlog4j2.disable.jmx=true \
  -Djava.locale.providers=SPI,COMPAT -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true \
  -cp "$CLASSES:$LIB/*" Launcher "$data" \
  org.elasticsearch.transport.Netty4Plugin org.elasticsearch.reindex.ReindexPlugin \
  org.elasticsearch.index.mapper.MapperExtrasPlugin org.elasticsearch.join.ParentJoinPlugin \
  org.elasticsearch.search.aggregations.matrix.MatrixAggregationPlugin org.elasticsearch.script.mustache.MustachePlugin \
  org.elasticsearch.percolator.PercolatorPlugin org.elasticsearch.index.rankeval.RankEvalPlugin
