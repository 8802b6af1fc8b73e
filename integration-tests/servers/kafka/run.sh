#!/usr/bin/env bash
# Apache Kafka 4.1, one KRaft node (broker and controller) on loopback, in the foreground. No authentication, plain text.
#   KAFKA_DATA=/tmp/skua-kafka  KAFKA_PORT=9092  KAFKA_CONTROLLER_PORT=9093  KAFKA_HEAP=384m
#   KAFKA_PARTITIONS=3 (of topics made on first use)  KAFKA_JAVA_OPTS=(fast start)
# Ready when KAFKA_PORT accepts TCP. `run.sh resolve` only fetches the jars.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVER=kafka; source "$here/../common.sh"
resolve "$here"
[ "${1:-}" = resolve ] && exit 0

data=${KAFKA_DATA:-/tmp/skua-kafka} port=${KAFKA_PORT:-9092} cport=${KAFKA_CONTROLLER_PORT:-9093}
need_free "$port" "$cport"
mkdir -p "$data"
cat > "$data/server.properties" <<P
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$cport
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$cport
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$data/logs
num.partitions=${KAFKA_PARTITIONS:-3}
auto.create.topics.enable=true
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
P
cat > "$data/log4j2.properties" <<'P'
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
P
logging="-Dlog4j2.configurationFile=$data/log4j2.properties"
if [ ! -f "$data/logs/meta.properties" ]; then
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d '=')
  java -Xmx128m $FAST_START "$logging" -cp "$LIB/*" kafka.tools.StorageTool format -t "$id" -c "$data/server.properties" >&2
fi
exec java -Xms128m -Xmx"${KAFKA_HEAP:-384m}" -XX:MaxDirectMemorySize=128m ${KAFKA_JAVA_OPTS-$FAST_START} \
  "$logging" -cp "$LIB/*" kafka.Kafka "$data/server.properties"
