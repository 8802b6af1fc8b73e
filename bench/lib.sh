# Sourced by run.sh: servers, tiers, ports and the report. Everything started here is stopped by its process id.

die() { echo "run.sh: $*" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/skua-bench.XXXXXX")
started=()

# stop PID: TERM, and KILL after 20 s.
stop() {
  local i
  kill "$1" 2>/dev/null || true
  for i in $(seq 200); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

finish() {
  local code=$? i
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do
    if kill -0 "${started[i]}" 2>/dev/null; then stop "${started[i]}"; fi
  done
  # After a failure the logs stay, the servers' data does not.
  rm -rf "$work/kafka" "$work/es"
  if [ "$code" -eq 0 ]; then rm -rf "$work"; else rmdir "$work" 2>/dev/null || echo "run.sh: logs are in $work" >&2; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

# build [skua]: the programs here, and the product unless SKUA_BIN names one.
build() {
  local packages=(-p skua-bench)
  if [ "${1:-}" = skua ] && [ -z "${SKUA_BIN:-}" ]; then packages+=(-p skua); fi
  (cd "$root" && cargo build --release --locked --quiet "${packages[@]}") >&2
  if [ "${1:-}" = skua ]; then [ -x "$skua" ] || die "no binary at $skua"; fi
}

# free_port: one that nobody listens on, below the kernel's own range, and not given out before.
given=" "
free_port() {
  local i
  for i in $(seq 200); do
    PORT=$((20000 + RANDOM % 12000))
    case $given in *" $PORT "*) continue ;; esac
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then given="$given$PORT "; return; fi
  done
  die "found no free port"
}

# wait_for PID SECONDS COMMAND...: until the command succeeds; stops everything when the process ends before.
wait_for() {
  local pid=$1 end=$((SECONDS + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    kill -0 "$pid" 2>/dev/null || die "process $pid ended before it was ready: $*"
    [ $SECONDS -lt $end ] || die "process $pid is not ready: $*"
    sleep 0.2
  done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

need_kafka() {
  [ -n "${KAFKA:-}" ] && return
  if [ -n "${SKUA_TEST_KAFKA:-}" ]; then KAFKA=$SKUA_TEST_KAFKA; return; fi
  local port control
  free_port; port=$PORT; free_port; control=$PORT
  KAFKA_PORT=$port KAFKA_CONTROLLER_PORT=$control KAFKA_DATA=$work/kafka KAFKA_HEAP=1g KAFKA_JAVA_OPTS=-XX:+UseG1GC \
    "$SERVERS/kafka/run.sh" >"$work/kafka.log" 2>&1 &
  started+=($!)
  wait_for $! 300 listens "$port"
  KAFKA=127.0.0.1:$port
}

need_elasticsearch() {
  [ -n "${ES:-}" ] && return
  if [ -n "${SKUA_TEST_ELASTICSEARCH:-}" ]; then ES=$SKUA_TEST_ELASTICSEARCH; return; fi
  local port transport
  free_port; port=$PORT; free_port; transport=$PORT
  ES_PORT=$port ES_TRANSPORT_PORT=$transport ES_DATA=$work/es ES_HEAP=2g ES_JAVA_OPTS=-XX:+UseG1GC \
    "$SERVERS/elasticsearch/run.sh" >"$work/elasticsearch.log" 2>&1 &
  ES_PID=$!
  started+=($!)
  wait_for $! 300 curl -fsS -m 2 "http://127.0.0.1:$port/_cluster/health?wait_for_status=yellow"
  ES=http://127.0.0.1:$port
}

# need_cassandra: sets CASSANDRA to host:port.
need_cassandra() {
  [ -n "${CASSANDRA:-}" ] && return
  if [ -n "${SKUA_TEST_CASSANDRA:-}" ]; then CASSANDRA=$SKUA_TEST_CASSANDRA; return; fi
  local port storage
  free_port; port=$PORT; free_port; storage=$PORT
  CASSANDRA_PORT=$port CASSANDRA_STORAGE_PORT=$storage CASSANDRA_DATA=$work/cassandra CASSANDRA_HEAP=3g \
    CASSANDRA_JAVA_OPTS=-XX:+UseG1GC "$SERVERS/cassandra/run.sh" >"$work/cassandra.log" 2>&1 &
  started+=($!)
  wait_for $! 300 listens "$port"
  CASSANDRA=127.0.0.1:$port
}

# forget_index PREFIX: deletes the indices and templates of a run.
forget_index() {
  curl -fsS -o /dev/null -m 30 -X DELETE "$ES/$1*?ignore_unavailable=true" || true
  curl -sS -o /dev/null -m 30 -X DELETE "$ES/_template/$1*" || true
}

# tier_flags TIER TOPIC [ENCODING]: sets STORAGE, FLAGS and, with fresh ports, ADMIN, OTLP, GRPC, THRIFT, ZIPKIN (collector) and
# UDP (agent, which reports to the last collector's GRPC).
tier_flags() {
  local encoding=${3:-otlp-proto} http grpc
  free_port; ADMIN=$PORT; free_port; http=$PORT; free_port; grpc=$PORT
  FLAGS=(--admin.http.host-port="127.0.0.1:$ADMIN")
  case $1 in
    collector)
      free_port; OTLP=$PORT; free_port; THRIFT=$PORT; free_port; ZIPKIN=$PORT; GRPC=$grpc
      STORAGE=kafka
      FLAGS+=(--collector.otlp.grpc.host-port="127.0.0.1:$OTLP" --collector.otlp.http.host-port="127.0.0.1:$http"
        --collector.grpc-server.host-port="127.0.0.1:$GRPC" --collector.http-server.host-port="127.0.0.1:$THRIFT"
        --kafka.producer.brokers="$KAFKA" --kafka.producer.topic="$2"
        --kafka.producer.encoding="$encoding" --kafka.producer.batch-linger="$LINGER") ;;
    agent)
      free_port; UDP=$PORT; free_port
      STORAGE=memory
      FLAGS+=(--processor.jaeger-compact.server-host-port="127.0.0.1:$UDP"
        --processor.jaeger-binary.server-host-port="127.0.0.1:$PORT" --processor.zipkin-compact.server-host-port="127.0.0.1:$grpc"
        --http-server.host-port="127.0.0.1:$http" --reporter.grpc.host-port="127.0.0.1:$GRPC") ;;
    ingester | query) STORAGE=elasticsearch FLAGS+=(--es.server-urls="$ES" --es.index-prefix="$2" --es.num-replicas=0) ;;
  esac
  case $1 in
    ingester)
      FLAGS+=(--kafka.consumer.brokers="$KAFKA" --kafka.consumer.topic="$2" --kafka.consumer.encoding="$encoding"
        --kafka.consumer.group-id="$2") ;;
    query)
      QUERY=127.0.0.1:$http
      FLAGS+=(--query.http-server.host-port="127.0.0.1:$http" --query.grpc-server.host-port="127.0.0.1:$grpc") ;;
  esac
}

# launch TIER FLAGS...: starts it, sets TIER to its process id and returns when it is ready.
launch() {
  SPAN_STORAGE_TYPE=$STORAGE "$skua" "$@" >"$work/$1.log" 2>&1 &
  TIER=$!
  started+=("$TIER")
  wait_for "$TIER" 30 curl -fsS -m 2 "http://127.0.0.1:$ADMIN/"
}

# start_collector TOPIC ENCODING [zipkin]: Zipkin's port is closed unless it is asked for.
start_collector() {
  tier_flags collector "$1" "$2"
  [ "${3:-}" != zipkin ] || FLAGS+=(--collector.zipkin.host-port="127.0.0.1:$ZIPKIN")
  # shellcheck disable=SC2086
  launch collector "${FLAGS[@]}" $PRODUCER_FLAGS
}

# start_agent: in front of the collector that was started last.
start_agent() {
  tier_flags agent -
  # shellcheck disable=SC2086
  launch agent "${FLAGS[@]}" $AGENT_FLAGS
}

start_ingester() {
  tier_flags ingester "$1" "$2"
  # shellcheck disable=SC2086
  launch ingester "${FLAGS[@]}" --es.http-compression="$3" $INGESTER_FLAGS
}

# start_ingester_cassandra TOPIC ENCODING: writes to the keyspace KEYSPACE.
start_ingester_cassandra() {
  ES=none tier_flags ingester "$1" "$2"
  STORAGE=cassandra
  local flag flags=()
  for flag in "${FLAGS[@]}"; do case $flag in --es.*) ;; *) flags+=("$flag") ;; esac; done
  flags+=(--cassandra.servers="$CASSANDRA" --cassandra.keyspace="$KEYSPACE" --cassandra.schema.create=true)
  # shellcheck disable=SC2086
  launch ingester "${flags[@]}" $INGESTER_FLAGS
}

# metric TEXT NAME [LABEL]: the sum of a metric over all its label sets, or those with `LABEL="value"` in them; null when there is none.
metric() {
  awk -v name="$2" -v label="${3:-}" '
    index($0, name) == 1 && substr($0, length(name) + 1, 1) ~ /[ {]/ && (label == "" || index($0, label)) { sum += $NF; found = 1 }
    END { if (found) printf "%d", sum; else printf "null" }' <<<"$1"
}

# socket_drops PORT: datagrams that the kernel dropped for want of room, by its own count.
socket_drops() {
  awk -v port="$(printf ':%04X' "$1")" '$2 ~ port "$" { sum += $NF } END { printf "%d", sum }' /proc/net/udp /proc/net/udp6 2>/dev/null || true
}

# field NAME JSON: a number of a flat report.
field() { sed -n "s/.*\"$1\":\([-0-9.]*\).*/\1/p" <<<"$2"; }

# What was measured: the commit, or that it was somebody's binary.
commit=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
[ -z "${SKUA_BIN:-}" ] || commit="SKUA_BIN $(sha256sum <"$SKUA_BIN" | cut -c1-12)"

# record FIGURE REPORT STORE [LIMIT]: with a limit (CPU a span, µs) also what the figure is of it and of OTLP's.
record() {
  local limits=
  if [ -n "${4:-}" ]; then
    limits=$(printf ',"limit":%s,"of_limit":%s,"of_otlp":%s' "$4" "$(ratio "$(field cpu_us_per_span "$2")" "$4")" \
      "$(ratio "$(field cpu_us_per_span "$2")" "$(otlp_figure)")")
  fi
  printf '{"figure":"%s","date":"%s","commit":"%s","cpu":"%s","report":%s,"store":%s%s}\n' "$1" "$(date -u +%FT%TZ)" \
    "$commit" "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)" "$2" "$3" "$limits" >>"$RESULTS"
}

# otlp_figure: the median of `collector-otlp 4` of the same commit on the same day; nothing when it was not measured.
otlp_figure() {
  { grep -F '"figure":"collector otlp-proto, 4 senders"' "$RESULTS" 2>/dev/null || true; } |
    { grep -F "\"commit\":\"$commit\"" || true; } | sed -n 's/.*"cpu_us_per_span":\([0-9.]*\).*/\1/p' |
    sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'
}

# ratio A B: A/B with two digits, null without a B.
ratio() { awk -v a="${1:-0}" -v b="${2:-0}" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "null" }'; }

header() {
  echo "| what | CPU µs a span | peak MiB | accepted | in the store | spans/s |"
  echo "| --- | --- | --- | --- | --- | --- |"
}

# row WHAT REPORT STORED
row() {
  local name cells=
  for name in cpu_us_per_span peak_mib accepted; do cells+=" $(field "$name" "$2") |"; done
  echo "| $1 |${cells//|  |/| - |} $3 | $(field spans_per_s "$2") |"
}

client_header() {
  echo "| what | CPU µs a span | limit | of the limit | of OTLP | peak MiB | accepted | in the store | spans/s |"
  echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
}

# client_row WHAT REPORT STORED LIMIT
client_row() {
  local cost
  cost=$(field cpu_us_per_span "$2")
  echo "| $1 | $cost | $4 | $(ratio "$cost" "$4") | $(ratio "$cost" "$(otlp_figure)") | $(field peak_mib "$2")" \
    "| $(field accepted "$2") | $3 | $(field spans_per_s "$2") |"
}
