#!/usr/bin/env bash
# Measures Skua against its goals; one sub-command for each figure. Prints a row of the table in RESULTS.md for each run
# and appends the raw JSON to RESULTS (~/.cache/skua/bench/DATE.jsonl).
#
#   run.sh collector-otlp [SENDERS=4]          OTLP/gRPC -> Kafka, otlp-proto
#   run.sh collector-protobuf [SENDERS=4]      OTLP/gRPC -> Kafka, Jaeger protobuf
#   run.sh jaeger-grpc [SENDERS=4]             Jaeger gRPC (14250) -> Kafka, otlp-proto
#   run.sh thrift-http [SENDERS=4]             Jaeger Thrift over HTTP (14268) -> Kafka, otlp-proto
#   run.sh zipkin-json [SENDERS=4]             Zipkin v2 JSON (9411) -> Kafka, otlp-proto
#   run.sh agent-udp                           Thrift compact over UDP (6831) -> agent -> a collector's gRPC: the agent's cost
#   run.sh agent-drops                         50 000 spans a second for 20 s to an agent: what is lost, and where
#   run.sh clients                             collector-otlp and the five before, in one sitting
#   run.sh ingester [none|gzip] [ENCODING]     Kafka (otlp-proto or protobuf) -> Elasticsearch 7.17, HTTP compression off or on
#   run.sh ingester-cassandra [ENCODING]       Kafka -> Cassandra 5.0: CPU and memory of the ingester, rows in the store
#   run.sh cassandra-search                    service, two tags and duration among SPANS=1000000 spans in Cassandra
#   run.sh query                               a search and large traces from Elasticsearch, and 200 searches at a time: the query
#                                              service's CPU and memory; PEER_BIN=FILE measures that query service too (same flags)
#   run.sh rollup                              counting links and RED alone, 20 000 spans a second of stream: CPU a span, memory
#   run.sh rollup-ingester                     `ingester none` with and without roll-ups, in turn
#   run.sh rollup-day                          a day of RED of 500 operations in Elasticsearch: bytes
#   run.sh rollup-answers                      the graph of a day and the Monitor tab's figures from roll-ups: CPU of one answer
#   run.sh parquet-log                         the Parquet store's log alone: CPU a span with 1, 8 and 64 senders, and of reading it again
#   run.sh parquet-block                       spans into Parquet blocks of 250 000, the bench's and hard ones: CPU, bytes, memory
#   run.sh parquet [uniform|shop|hard]         all-in-one with its spans in Parquet: MILLIONS=20 of spans over OTLP/gRPC, then a restart and
#                                              searches: CPU, memory and bytes on the disk
#   run.sh idle                                start, memory and size of each tier without a load
#   run.sh floor-kafka [ENCODING] [SENDERS=4]  librdkafka alone, the same bytes
#   run.sh floor-bulk [none|gzip]              the documents an ingester wrote, posted to _bulk alone
#   run.sh all                                 all of these, on one Kafka and one Elasticsearch
#
# Variables: SPANS=400000 BATCH=200 RUNS=3 LINGER=5ms PARTITIONS=3 PRODUCER_FLAGS INGESTER_FLAGS AGENT_FLAGS (more flags of the tier)
#   RATE=50000 (spans a second over UDP) DATAGRAM=30 (spans of a datagram; clients send about 8 to 60)
#   MILLIONS=20 PARQUET_FLAGS (more flags of all-in-one)
#   SKUA_TEST_KAFKA=HOST:PORT SKUA_TEST_ELASTICSEARCH=URL  use these servers instead of starting some
#   SKUA_BIN=FILE  measure this binary; without it, skua is built here        SERVERS=DIR  where the servers' recipes are
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
: "${SPANS:=400000}" "${BATCH:=200}" "${RUNS:=3}" "${LINGER:=5ms}" "${PARTITIONS:=3}"
: "${SERVERS:=$root/integration-tests/servers}" "${PRODUCER_FLAGS:=}" "${INGESTER_FLAGS:=}" "${AGENT_FLAGS:=}"
: "${RATE:=50000}" "${DATAGRAM:=30}" "${MILLIONS:=20}" "${PARQUET_FLAGS:=}"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/skua
: "${RESULTS:=$cache/bench/$(date -u +%F).jsonl}"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
bin=$CARGO_TARGET_DIR/release skua=${SKUA_BIN:-$CARGO_TARGET_DIR/release/skua}
source "$here/lib.sh"
source "$here/parquet.sh"

# --- the figures ------------------------------------------------------------------------------------------------------

# collector ENCODING SENDERS
collector() {
  local encoding=$1 senders=$2 run topic
  need_kafka
  for run in $(seq "$RUNS"); do
    topic=bench-$encoding-$senders-$run-$$
    "$bin/topic" create --brokers "$KAFKA" --topic "$topic" --partitions "$PARTITIONS"
    start_collector "$topic" "$encoding"
    local load stored
    load=$("$bin/spanload" --target "127.0.0.1:$OTLP" --spans "$SPANS" --batch "$BATCH" --conns "$senders" --pid "$TIER")
    stop "$TIER"
    stored=$("$bin/topic" count --brokers "$KAFKA" --topic "$topic" --encoding "$encoding")
    "$bin/topic" delete --brokers "$KAFKA" --topic "$topic"
    record "collector $encoding, $senders senders" "$load" "$stored"
    row "collector → Kafka $encoding, $senders senders" "$load" "$(field spans "$stored") (distinct $(field distinct "$stored"))"
  done
}

# client PROTOCOL SENDERS LIMIT: what the collector does for spans of the same content in another protocol.
client() {
  local protocol=$1 senders=$2 limit=$3 run topic port load stored
  need_kafka
  for run in $(seq "$RUNS"); do
    topic=bench-$protocol-$run-$$
    "$bin/topic" create --brokers "$KAFKA" --topic "$topic" --partitions "$PARTITIONS"
    start_collector "$topic" otlp-proto "${protocol%-json}"
    case $protocol in
      jaeger-grpc) port=$GRPC ;;
      thrift-http) port=$THRIFT ;;
      zipkin-json) port=$ZIPKIN ;;
    esac
    load=$("$bin/spanload" --target "127.0.0.1:$port" --protocol "$protocol" --spans "$SPANS" --batch "$BATCH" \
      --conns "$senders" --pid "$TIER")
    stop "$TIER"
    stored=$("$bin/topic" count --brokers "$KAFKA" --topic "$topic")
    "$bin/topic" delete --brokers "$KAFKA" --topic "$topic"
    record "$protocol, $senders senders" "$load" "$stored" "$limit"
    client_row "$protocol → Kafka otlp-proto, $senders senders" "$load" \
      "$(field spans "$stored") (distinct $(field distinct "$stored"))" "$limit"
  done
}

# through_agent TOPIC SPANLOAD_FLAGS...: agent and collector before a topic; sets LOAD (with the agent's own counters in it) and STORED.
through_agent() {
  local topic=$1 collector counted metrics; shift
  "$bin/topic" create --brokers "$KAFKA" --topic "$topic" --partitions "$PARTITIONS"
  start_collector "$topic" otlp-proto
  collector=$TIER
  start_agent
  LOAD=$("$bin/spanload" --target "127.0.0.1:$UDP" --protocol thrift-udp --batch "$DATAGRAM" --rate "$RATE" --pid "$TIER" "$@")
  metrics=$(curl -fsS -m 5 "http://127.0.0.1:$ADMIN/metrics") || die "the agent shows no metrics"
  counted=$(printf '"agent_received":%s,"packets_processed":%s,"packets_dropped":%s,"kernel_dropped":%s,"socket_dropped":%s' \
    "$(metric "$metrics" skua_spans_total 'outcome="received"')" \
    "$(metric "$metrics" jaeger_agent_thrift_udp_server_packets_processed_total)" \
    "$(metric "$metrics" jaeger_agent_thrift_udp_server_packets_dropped_total)" \
    "$(metric "$metrics" skua_agent_udp_kernel_dropped_total)" "$(socket_drops "$UDP")")
  LOAD="${LOAD%\}},$counted}"
  stop "$TIER"; stop "$collector"
  STORED=$("$bin/topic" count --brokers "$KAFKA" --topic "$topic" --timeout 120s)
  "$bin/topic" delete --brokers "$KAFKA" --topic "$topic"
}

agent_udp() {
  local run limit=4 peak_limit=30
  need_kafka
  for run in $(seq "$RUNS"); do
    through_agent "bench-agent-$run-$$" --spans "$SPANS"
    record "agent-udp, $DATAGRAM spans a datagram, $RATE spans a second" "$LOAD" "$STORED" "$limit"
    client_row "Thrift compact → agent → collector, $DATAGRAM a datagram (peak limit $peak_limit MiB)" "$LOAD" \
      "$(field spans "$STORED") (distinct $(field distinct "$STORED"))" "$limit"
  done
}

# agent_drops: a quarter of the spans, four times, so that the load generator needs little memory.
agent_drops() {
  local run
  need_kafka
  echo "| spans sent | spans/s | received by the agent | datagrams dropped by us | by the kernel | by the kernel's own count | in the store |"
  echo "| --- | --- | --- | --- | --- | --- | --- |"
  for run in $(seq "$RUNS"); do
    through_agent "bench-drops-$run-$$" --spans $((RATE * 5)) --rounds 4
    record "agent-drops, $DATAGRAM spans a datagram, $RATE spans a second" "$LOAD" "$STORED"
    echo "| $(field accepted "$LOAD") | $(field spans_per_s "$LOAD") | $(field agent_received "$LOAD") | $(field packets_dropped "$LOAD")" \
      "| $(field kernel_dropped "$LOAD") | $(field socket_dropped "$LOAD") | $(field spans "$STORED") |"
  done
}

# fill_store TOPIC ENCODING FLAG: fills the topic through a collector, then lets an ingester with --es.http-compression=FLAG
# drain it. Sets LOAD and DRAINED; the documents stay under the topic's name.
fill_store() {
  "$bin/topic" create --brokers "$KAFKA" --topic "$1" --partitions "$PARTITIONS"
  start_collector "$1" "$2"
  LOAD=$("$bin/spanload" --target "127.0.0.1:$OTLP" --spans "$SPANS" --batch "$BATCH" --conns 8)
  stop "$TIER"
  start_ingester "$1" "$2" "$3"
  DRAINED=$("$bin/drain" --es "$ES" --index "$1-jaeger-span-*" --spans "$SPANS" --pid "$TIER")
  stop "$TIER"
  "$bin/topic" delete --brokers "$KAFKA" --topic "$1"
}

# ingester COMPRESSION ENCODING
ingester() {
  local run topic flag=false
  [ "$1" = gzip ] && flag=true
  need_kafka; need_elasticsearch
  for run in $(seq "$RUNS"); do
    topic=bench-ingest-$run-$$
    fill_store "$topic" "$2" "$flag"
    forget_index "$topic-"
    record "ingester $2, $1" "$DRAINED" "$LOAD"
    row "ingester $2 → Elasticsearch, HTTP compression $1" "$DRAINED" \
      "$(field stored "$DRAINED") (distinct $(field distinct "$DRAINED"), duplicates $(field duplicates "$DRAINED"))"
  done
}

# ingester_cassandra ENCODING
ingester_cassandra() {
  local run topic
  need_kafka; need_cassandra
  for run in $(seq "$RUNS"); do
    topic=bench-cassandra-$run-$$ KEYSPACE=bench_${run}_$$
    "$bin/topic" create --brokers "$KAFKA" --topic "$topic" --partitions "$PARTITIONS"
    start_collector "$topic" "$1"
    LOAD=$("$bin/spanload" --target "127.0.0.1:$OTLP" --spans "$SPANS" --batch "$BATCH" --conns 8)
    stop "$TIER"
    start_ingester_cassandra "$topic" "$1"
    DRAINED=$("$bin/drain-cassandra" --admin "127.0.0.1:$ADMIN" --cassandra "$CASSANDRA" --keyspace "$KEYSPACE" --spans "$SPANS" --pid "$TIER")
    stop "$TIER"
    "$bin/topic" delete --brokers "$KAFKA" --topic "$topic"
    record "ingester-cassandra $1" "$DRAINED" "$LOAD"
    row "ingester $1 → Cassandra, $(field rows_per_span "$DRAINED") rows a span" "$DRAINED" \
      "$(field stored "$DRAINED") (distinct $(field distinct "$DRAINED"), duplicates $(field duplicates "$DRAINED"))"
  done
}

# cassandra_search: the store itself, in a program of its own.
cassandra_search() {
  need_cassandra
  SKUA_TEST_CASSANDRA=$CASSANDRA SPANS=$SPANS \
    cargo test --release --locked -p skua-store-cassandra --test cost -- --ignored --nocapture
}

# rollup: needs no server.
rollup() {
  local run report
  echo "| counting roll-ups, 20 000 spans a second | CPU µs a span | of it saving | peak MiB | of it windows | evicted | spans |"
  echo "| --- | --- | --- | --- | --- | --- | --- |"
  for run in $(seq "$RUNS"); do
    report=$("$bin/rollupcost" "$@")
    record "rollup" "$report" null
    echo "| run $run | $(field cpu_us_per_span "$report") | $(field saving_us_per_span "$report") | $(field peak_mib "$report")" \
      "| $(field window_mib "$report") | $(field evicted "$report") | $(field counted "$report") |"
  done
}

# rollup_ingester: each run is once with them and once without.
rollup_ingester() {
  local run topic enabled flags=$INGESTER_FLAGS
  need_kafka; need_elasticsearch
  for run in $(seq "$RUNS"); do
    for enabled in true false; do
      topic=bench-rollup-$enabled-$run-$$ INGESTER_FLAGS="$flags --rollup.enabled=$enabled"
      fill_store "$topic" otlp-proto false
      forget_index "$topic-"
      record "ingester otlp-proto, none, rollup.enabled=$enabled" "$DRAINED" "$LOAD"
      row "ingester → Elasticsearch, \`--rollup.enabled=$enabled\`" "$DRAINED" "$(field stored "$DRAINED")"
    done
  done
}

rollup_day() {
  local report
  need_elasticsearch
  report=$("$bin/rollupday" --es "$ES" --prefix "bench-rollup-day-$$" "$@")
  forget_index "bench-rollup-day-$$-"
  record "rollup-day" "$report" null
  echo "$report"
}

rollup_answers() {
  (cd "$root" && cargo run --release --locked --quiet -p skua-rollup --example answers -- 200 1000 20)
}

parquet_log() {
  (cd "$root" && cargo test --release --locked --quiet -p skua-store-parquet --lib log::tests::cost -- --ignored --nocapture)
}

# parquet_block PARQUETBLOCK_FLAGS...
parquet_block() {
  local hard run report
  echo "| spans into blocks | push, µs a span | cut, µs | bytes a span | of it sidecar | head MiB | peak MiB above the spans' own |"
  echo "| --- | --- | --- | --- | --- | --- | --- |"
  for hard in false true; do
    for run in $(seq "$RUNS"); do
      report=$(cd "$root" && cargo run --release --locked --quiet -p skua-store-parquet --example parquetblock -- --hard "$hard" "$@")
      record "parquet-block, hard: $hard" "$report" null
      echo "| hard: $hard, run $run | $(field push_us "$report") | $(field cut_us "$report") | $(field bytes "$report")" \
        "| $(field sidecar_bytes "$report") | $(field head_mib "$report") | $(field above_spans_mib "$report") |"
    done
  done
}

# ask NAME PATH QUERYLOAD_FLAGS...: one row about the query service TIER at QUERY.
ask() {
  local name=$1 path=$2 report; shift 2
  report=$("$bin/queryload" --target "$QUERY" --path "$path" --pid "$TIER" ${ES_PID:+--store-pid "$ES_PID"} "$@")
  record "query $name" "$report" null
  echo "| $name | $(field cpu_ms_per_request "$report") | $(field store_cpu_ms_per_request "$report") | $(field peak_mib "$report")" \
    "| $(field p50_ms "$report") | $(field p99_ms "$report") | $(field bytes_per_answer "$report") | $(field errors "$report") |"
}

# query_service NAME PROGRAM...: starts a query service on the indices PREFIX.
query_service() {
  tier_flags query "$PREFIX"
  shift
  SPAN_STORAGE_TYPE=elasticsearch "$@" "${FLAGS[@]}" >>"$work/query.log" 2>&1 &
  TIER=$!
  started+=("$TIER")
  wait_for "$TIER" 60 curl -fsS -m 5 "http://$QUERY/api/services"
}

# store_traces PREFIX SPANLOAD_FLAGS...: through a collector into Elasticsearch; sets TRACE to the first one's id.
store_traces() {
  local prefix=$1 load; shift
  free_port; ADMIN=$PORT; free_port; OTLP=$PORT; free_port
  STORAGE=elasticsearch launch collector --admin.http.host-port="127.0.0.1:$ADMIN" --collector.otlp.grpc.host-port="127.0.0.1:$OTLP" \
    --collector.otlp.http.host-port= --collector.grpc-server.host-port= --collector.http-server.host-port="127.0.0.1:$PORT" \
    --es.server-urls="$ES" --es.index-prefix="$prefix" --es.num-replicas=0
  load=$("$bin/spanload" --target "127.0.0.1:$OTLP" --batch "$BATCH" --conns 4 "$@")
  stop "$TIER"
  TRACE=$(sed -n 's/.*"first_trace":"\([0-9a-f]*\)".*/\1/p' <<<"$load")
  curl -fsS -o /dev/null -m 60 -X POST "$ES/$prefix*/_refresh"
}

# query: the same requests to ours and, when there is one, to the peer. Large traces have indices of their own, which no search sees.
query() {
  local many=bench-query-$$-many large=bench-query-$$-large small_trace large_trace now who program search
  need_elasticsearch
  store_traces "$many" --spans "$SPANS"
  store_traces "$large" --spans 10000 --one-trace true --seed 2
  small_trace=$TRACE
  store_traces "$large" --spans 100000 --one-trace true --seed 3
  large_trace=$TRACE
  now=$(($(date +%s) * 1000000))
  search="/api/traces?service=checkout&limit=20&start=$((now - 3600000000))&end=$now"
  for who in skua ${PEER_BIN:+peer}; do
    program=("$skua" query); [ "$who" = skua ] || program=("$PEER_BIN")
    echo "| $who: request | CPU ms | CPU ms of Elasticsearch | peak MiB | p50 ms | p99 ms | bytes | errors |"
    echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
    PREFIX=$many query_service "$who" "${program[@]}"
    ask "search of 20 traces among $SPANS spans" "$search" --requests 200 --warm 30
    stop "$TIER"; PREFIX=$large query_service "$who" "${program[@]}"
    ask "trace of 10 000 spans" "/api/traces/$small_trace" --requests 20 --warm 1 --least 1000000
    stop "$TIER"; PREFIX=$large query_service "$who" "${program[@]}"
    ask "trace of 100 000 spans" "/api/traces/$large_trace" --requests 3 --warm 0 --least 10000000
    stop "$TIER"; PREFIX=$many query_service "$who" "${program[@]}"
    ask "200 searches at a time" "$search" --requests 1000 --conns 200
    stop "$TIER"
  done
  forget_index "bench-query-$$-"
}

idle() {
  local report tier
  need_kafka; need_elasticsearch
  echo "| idle tier | ready, ms | resident MiB | peak MiB | CPU % of a core | binary MB |"
  echo "| --- | --- | --- | --- | --- | --- |"
  "$bin/topic" create --brokers "$KAFKA" --topic "bench-idle-$$" --partitions "$PARTITIONS"
  for tier in collector ingester query; do
    tier_flags "$tier" "bench-idle-$$"
    report=$(SPAN_STORAGE_TYPE=$STORAGE "$bin/idle" --admin "127.0.0.1:$ADMIN" -- "$skua" "$tier" "${FLAGS[@]}" 2>>"$work/idle.log") ||
      { tail -n 5 "$work/idle.log" >&2; die "$tier did not start"; }
    record "idle $tier" "$report" null
    echo "| $tier | $(field ready_ms "$report") (worst $(field ready_ms_worst "$report")) | $(field rss_mib "$report")" \
      "| $(field peak_mib "$report") | $(field idle_cpu_percent "$report") | $(field binary_mb "$report") |"
  done
  "$bin/topic" delete --brokers "$KAFKA" --topic "bench-idle-$$"
  forget_index "bench-idle-$$-"
}

# floor_kafka ENCODING SENDERS
floor_kafka() {
  local run report topic
  need_kafka
  for run in $(seq "$RUNS"); do
    topic=bench-floor-$run-$$
    "$bin/topic" create --brokers "$KAFKA" --topic "$topic" --partitions "$PARTITIONS"
    report=$("$bin/floor" --brokers "$KAFKA" --topic "$topic" --encoding "$1" --senders "$2" \
      --spans "$SPANS" --batch "$BATCH" --linger "$LINGER")
    "$bin/topic" delete --brokers "$KAFKA" --topic "$topic"
    record "floor-kafka $1, $2 senders" "$report" null
    row "floor: librdkafka alone, $1, $2 senders" "$report" "-"
  done
}

# floor_bulk COMPRESSION...: the documents are those of an ingester, read back from the store.
floor_bulk() {
  local run report index from=bench-documents-$$ compression
  need_kafka; need_elasticsearch
  fill_store "$from" otlp-proto false
  for compression in "$@"; do
    for run in $(seq "$RUNS"); do
      index=bench-floor-$compression-$run-$$
      report=$("$bin/bulkfloor" --es "$ES" --from "$from-jaeger-span-*" --index "$index" --compression "$compression")
      forget_index "$index"
      record "floor-bulk $compression" "$report" null
      row "floor: _bulk alone, HTTP compression $compression" "$report" "$(field stored "$report")"
    done
  done
  forget_index "$from-"
}

command=${1:-all}; shift || true
case $command in
  cassandra-search | rollup-answers | parquet-log | parquet-block) ;;
  collector-otlp | collector-protobuf | ingester | ingester-cassandra | idle | query | floor-bulk | rollup-ingester | parquet | all) build skua ;;
  jaeger-grpc | thrift-http | zipkin-json | agent-udp | agent-drops | clients) build skua ;;
  floor-kafka | rollup | rollup-day) build ;;
  *) die "unknown sub-command $command, see the head of $0" ;;
esac
mkdir -p "$(dirname "$RESULTS")"
case $command in
  collector-otlp) header; collector otlp-proto "${1:-4}" ;;
  collector-protobuf) header; collector protobuf "${1:-4}" ;;
  jaeger-grpc) client_header; client jaeger-grpc "${1:-4}" 3 ;;
  thrift-http) client_header; client thrift-http "${1:-4}" 4 ;;
  zipkin-json) client_header; client zipkin-json "${1:-4}" 8 ;;
  agent-udp) client_header; agent_udp ;;
  agent-drops) agent_drops ;;
  clients)
    header; collector otlp-proto 4
    echo
    client_header
    client jaeger-grpc 4 3; client thrift-http 4 4; client zipkin-json 4 8; agent_udp
    echo
    agent_drops ;;
  ingester) header; ingester "${1:-none}" "${2:-otlp-proto}" ;;
  ingester-cassandra) header; ingester_cassandra "${1:-otlp-proto}" ;;
  cassandra-search) cassandra_search ;;
  rollup) rollup "$@" ;;
  rollup-ingester) header; rollup_ingester ;;
  rollup-day) rollup_day "$@" ;;
  rollup-answers) rollup_answers ;;
  parquet-log) parquet_log ;;
  parquet) parquet_store "${1:-uniform}" ;;
  parquet-block) parquet_block "$@" ;;
  query) query ;;
  idle) idle ;;
  floor-kafka) header; floor_kafka "${1:-otlp-proto}" "${2:-4}" ;;
  floor-bulk) header; floor_bulk ${1:-none gzip} ;;
  all)
    header
    for senders in 4 32; do
      floor_kafka otlp-proto "$senders"; collector otlp-proto "$senders"
      floor_kafka protobuf "$senders"; collector protobuf "$senders"
    done
    echo
    client_header
    client jaeger-grpc 4 3; client thrift-http 4 4; client zipkin-json 4 8; agent_udp
    echo
    agent_drops
    echo
    header
    floor_bulk none gzip
    for compression in none gzip; do ingester "$compression" otlp-proto; done
    echo
    idle ;;
esac
