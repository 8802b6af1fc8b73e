# Sourced by run.sh: an all-in-one that keeps its spans in Parquet.

# cpu PID: user and system time so far, in milliseconds.
cpu() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print ($12 + $13) * 10 }'; }

# peak PID: MiB.
peak() { awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }

# all_in_one DIRECTORY FLAGS...: sets TIER, OTLP, QUERY, ADMIN.
all_in_one() {
  local data=$1 http grpc; shift
  free_port; ADMIN=$PORT; free_port; OTLP=$PORT; free_port; http=$PORT; free_port; grpc=$PORT
  QUERY=127.0.0.1:$http
  # shellcheck disable=SC2086
  STORAGE=parquet launch all-in-one --parquet.path="$data" --admin.http.host-port="127.0.0.1:$ADMIN" \
    --collector.otlp.grpc.host-port="127.0.0.1:$OTLP" --collector.otlp.http.host-port= --collector.grpc-server.host-port= \
    --collector.http-server.host-port= --processor.jaeger-compact.server-host-port= --processor.jaeger-binary.server-host-port= \
    --processor.zipkin-compact.server-host-port= --http-server.host-port= \
    --query.http-server.host-port="$QUERY" --query.grpc-server.host-port="127.0.0.1:$grpc" "$@" $PARQUET_FLAGS
}

# parquet_ask NAME LIMIT_MS PATH QUERYLOAD_FLAGS...
parquet_ask() {
  local name=$1 limit=$2 path=$3 report; shift 3
  report=$("$bin/queryload" --target "$QUERY" --path "$path" --pid "$TIER" --warm 1 --least 1 "$@")
  record "parquet $name" "$report" null "$limit"
  echo "| $name | $(field cpu_ms_per_request "$report") ms | $limit ms | p50 $(field p50_ms "$report") ms, $(field bytes_per_answer "$report") bytes |"
}

# parquet_store KIND
parquet_store() {
  local kind=$1 data=$work/parquet load before after spans bytes now range traces=() round trace service key value
  all_in_one "$data"
  before=$(cpu "$TIER")
  for round in $(seq "$MILLIONS"); do
    load=$("$bin/spanload" --target "127.0.0.1:$OTLP" --spans 1000000 --batch "$BATCH" --conns 4 --kind "$kind" --seed "$round")
    traces+=("$(sed -n 's/.*"first_trace":"\([0-9a-f]*\)".*/\1/p' <<<"$load")")
  done
  sleep 3 # the last block that is full is cut
  after=$(cpu "$TIER") spans=$((MILLIONS * 1000000))
  bytes=$(du -sb "$data/blocks" | cut -f1)
  local in_blocks
  in_blocks=$(curl -fsS "http://127.0.0.1:$ADMIN/metrics" | awk '/^skua_parquet_block_spans/ { print $2 }')
  echo "| $kind spans, $MILLIONS million | figure | limit | |"
  echo "| --- | --- | --- | --- |"
  echo "| OTLP/gRPC → durable, blocks and roll-ups included | $(awk "BEGIN { printf \"%.2f\", ($after - $before) * 1000 / $spans }") µs a span | 4 µs | |"
  echo "| bytes on the disk, sidecars included | $(awk "BEGIN { printf \"%.1f\", $bytes / $in_blocks }") a span | 32 (hard: 60) | $in_blocks spans in blocks |"
  echo "| peak memory after taking them | $(peak "$TIER") MiB | 256 MiB | |"
  case $kind in
    uniform) service=service-07 key=customer.id value=77 ;;
    shop) service=checkout key=shop.customer.tier value=gold ;;
    *) service=checkout key=app.module0.field4 value=77 ;;
  esac
  now=$(($(date +%s) * 1000000))
  range="start=$((now - 86400000000))&end=$now"
  parquet_ask "trace by id" 8 "/api/traces/${traces[MILLIONS / 2]}" --requests 50
  parquet_ask "search: service, $key, at least 10 ms, limit 20" 30 \
    "/api/traces?service=$service&limit=20&minDuration=10ms&tags=%7B%22$key%22%3A%22$value%22%7D&$range" --requests 30
  [ "$kind" != uniform ] || parquet_ask "search: service, http.route, at least 10 ms, limit 20" 30 \
    "/api/traces?service=$service&limit=20&minDuration=10ms&tags=%7B%22http.route%22%3A%22%2Fapi%2Fv1%2Fresource3%2F%7Bid%7D%22%7D&$range" --requests 30
  parquet_ask "search: a value that is nowhere" 5 "/api/traces?service=$service&limit=20&tags=%7B%22$key%22%3A%22nowhere%22%7D&$range" --requests 50
  [ "$kind" != uniform ] || parquet_ask "search: a pattern over url.path that matches nothing" 200 \
    "/api/traces?service=$service&limit=20&tags=%7B%22url.path%22%3A%22%3D~.*resource%2F9%2Bx%22%7D&$range" --requests 10
  parquet_ask "services" 5 "/api/services" --requests 50
  echo "| peak memory after searching too | $(peak "$TIER") MiB | 256 MiB | |"
  kill -KILL "$TIER"; wait "$TIER" 2>/dev/null || true
  rm -rf "$data"
  # A block that takes more than a million spans: all of them are in the log when the process is killed.
  all_in_one "$data" --parquet.block-spans=2000000 --parquet.head-bytes=4294967296
  "$bin/spanload" --target "127.0.0.1:$OTLP" --spans 1000000 --batch "$BATCH" --conns 4 --kind "$kind" --seed 1 >/dev/null
  kill -KILL "$TIER"; wait "$TIER" 2>/dev/null || true
  all_in_one "$data" --parquet.block-spans=2000000 --parquet.head-bytes=4294967296
  echo "| restart after kill -9 with a million spans in the log: CPU until it is ready | $(cpu "$TIER") ms | 2000 ms | |"
  stop "$TIER"
}
