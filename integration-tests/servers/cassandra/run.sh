#!/usr/bin/env bash
# Apache Cassandra, one node on loopback, in the foreground. No authentication, plain text; SASI indexes allowed.
#   CASSANDRA_DATA=/tmp/skua-cassandra  CASSANDRA_PORT=9042 (CQL)  CASSANDRA_STORAGE_PORT=7000  CASSANDRA_HEAP=512m
#   CASSANDRA_VERSION=(the pom's 5.0; 4.1.10 works too)  CASSANDRA_JAVA_OPTS=(fast start)
# Ready when CASSANDRA_PORT accepts TCP: it opens last. `run.sh resolve` only fetches the jars.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SERVER=cassandra; source "$here/../common.sh"
resolve "$here" ${CASSANDRA_VERSION:+-Dcassandra.version=$CASSANDRA_VERSION}
[ "${1:-}" = resolve ] && exit 0

data=${CASSANDRA_DATA:-/tmp/skua-cassandra} port=${CASSANDRA_PORT:-9042} sport=${CASSANDRA_STORAGE_PORT:-7000}
need_free "$port" "$sport"
mkdir -p "$data/logs"
cat > "$data/cassandra.yaml" <<Y
cluster_name: skua-test
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{ seeds: "127.0.0.1:$sport" }]
listen_address: 127.0.0.1
storage_port: $sport
start_native_transport: true
rpc_address: 127.0.0.1
native_transport_port: $port
data_file_directories: [$data/data]
commitlog_directory: $data/commitlog
saved_caches_directory: $data/saved_caches
hints_directory: $data/hints
cdc_raw_directory: $data/cdc_raw
commitlog_sync: periodic
commitlog_sync_period: 10s
commitlog_segment_size: 8MiB
commitlog_total_space: 256MiB
memtable_heap_space: 128MiB
memtable_offheap_space: 64MiB
file_cache_size: 64MiB
key_cache_size: 8MiB
concurrent_reads: 8
concurrent_writes: 8
concurrent_compactors: 1
native_transport_max_threads: 16
auto_snapshot: false
sasi_indexes_enabled: true
Y
cat > "$data/logback.xml" <<'L'
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date %level %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="OUT"/></root>
  <logger name="org.apache.cassandra.service.CassandraDaemon" level="INFO"/>
</configuration>
L
# Cassandra is no Java module: what it reaches into has to be opened to it (the list of its own start script).
open=()
for package in java.base/jdk.internal.misc java.base/java.lang.ref java.base/sun.nio.ch java.sql/java.sql \
  java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server \
  java.rmi/sun.rmi.transport.tcp jdk.unsupported/sun.misc; do open+=(--add-exports "$package=ALL-UNNAMED"); done
for package in java.base/java.lang java.base/java.lang.module java.base/java.lang.reflect java.base/java.io \
  java.base/java.net java.base/java.nio java.base/java.util java.base/java.util.concurrent \
  java.base/java.util.concurrent.atomic java.base/sun.nio.ch java.base/jdk.internal.loader java.base/jdk.internal.ref \
  java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module \
  java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal jdk.compiler/com.sun.tools.javac.file; do
  open+=(--add-opens "$package=ALL-UNNAMED"); done
# The zero delays skip nothing but waits for other nodes, of which there are none.
exec java -Xms128m -Xmx"${CASSANDRA_HEAP:-512m}" -Xss512k -XX:MaxDirectMemorySize=256m ${CASSANDRA_JAVA_OPTS-$FAST_START} \
  -javaagent:"$(echo "$LIB"/jamm-*.jar)" "${open[@]}" -Djdk.attach.allowAttachSelf=true -Djava.security.manager=allow \
  -Dcassandra.config="file://$data/cassandra.yaml" -Dcassandra.storagedir="$data" -Dcassandra.logdir="$data/logs" \
  -Dlogback.configurationFile="$data/logback.xml" -Dcassandra-foreground=yes \
  -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=0 -Dcassandra.superuser_setup_delay_ms=0 \
  -Dcassandra.disable_auth_caches_remote_configuration=true -Dio.netty.tryReflectionSetAccessible=true \
  -XX:+ExitOnOutOfMemoryError -cp "$LIB/*" org.apache.cassandra.service.CassandraDaemon
