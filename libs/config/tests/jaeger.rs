//! Names and defaults are Jaeger's.

use std::collections::BTreeMap;

use skua_config::tables;

/// Where we differ on purpose: flag, Jaeger's default, ours.
const DIFFERENT: &[(&str, &str, &str)] = &[
    // An acknowledged span survives the loss of a broker.
    ("kafka.producer.required-acks", "local", "all"),
    // Console for people, JSON for collectors of logs.
    ("log-encoding", "json", "auto"),
    // In Jaeger the variable's default, which this deprecated flag does not show.
    ("span-storage.type", "", "cassandra"),
];

/// Flags that Jaeger does not have, or has as a variable only (the four types and those of `create.sh`).
const OURS: &[&str] = &[
    "block",
    "cassandra-archive.max-in-flight-requests",
    "cassandra-archive.max-retry-interval",
    "cassandra-archive.schema.compaction-window",
    "cassandra-archive.schema.create",
    "cassandra-archive.schema.datacenter",
    "cassandra-archive.schema.dependencies-ttl",
    "cassandra-archive.schema.mode",
    "cassandra-archive.schema.replication-factor",
    "cassandra-archive.schema.trace-ttl",
    "cassandra.max-in-flight-requests",
    "cassandra.max-retry-interval",
    "cassandra.schema.compaction-window",
    "cassandra.schema.create",
    "cassandra.schema.datacenter",
    "cassandra.schema.dependencies-ttl",
    "cassandra.schema.mode",
    "cassandra.schema.replication-factor",
    "cassandra.schema.trace-ttl",
    "cassandra.search.max-traces-read",
    "collector.ack",
    "collector.http-server.max-request-body-size",
    "collector.max-span-size",
    "collector.otlp.http.max-request-body-size",
    "collector.oversize-spans",
    "collector.zipkin.http-port",
    "collector.zipkin.max-request-body-size",
    "compaction-window",
    "cqlsh-host",
    "cqlsh-port",
    "datacenter",
    "dependencies-ttl",
    "dependency-storage.type",
    "drain-timeout",
    "es.bulk.max-retry-interval",
    "grpc-storage-archive.max-answer-bytes",
    "grpc-storage-archive.request-timeout",
    "grpc-storage.max-answer-bytes",
    "grpc-storage.request-timeout",
    "grpc.max-in-flight-bytes",
    "grpc.max-message-size",
    "ingester.dead-letter-topic",
    "format",
    "from",
    "ingester.max-in-flight-bytes",
    "kafka.consumer.initial-offset",
    "kafka.producer.dead-letter-topic",
    "keyspace",
    "memory.max-bytes",
    "metrics-storage.type",
    "mode",
    "parquet.block-age",
    "parquet.block-spans",
    "parquet.cache-bytes",
    "parquet.head-bytes",
    "parquet.join.enabled",
    "parquet.join.interval",
    "parquet.join.rate",
    "parquet.max-bytes",
    "parquet.path",
    "parquet.poll-interval",
    "parquet.retention",
    "parquet.s3.access-key",
    "parquet.s3.endpoint",
    "parquet.s3.region",
    "parquet.s3.secret-key",
    "parquet.s3.virtual-hosts",
    "parquet.wal.path",
    "parquet.wal.sync",
    "parquet.wal.sync-interval",
    "print",
    "processor.jaeger-binary.server-sockets",
    "processor.jaeger-compact.server-sockets",
    "processor.zipkin-compact.server-sockets",
    "replication-factor",
    "rollup.enabled",
    "rollup.flush-interval",
    "rollup.max-series",
    "rollup.retention",
    "rollup.window",
    "rollup.window-bytes",
    "runtime.worker-threads",
    "sampling-config.type",
    "sampling-storage.type",
    "service",
    "to",
    "trace",
    "trace-ttl",
    "query.max-concurrent-requests",
    "query.max-memory",
    "query.max-result-size",
    "query.max-trace-size",
    "query.timeout",
];

/// Scenario: the flags of Jaeger's binaries, written down apart from the tables. Guarantees: all are there with their
/// defaults but for the few that are named above, and nothing else is.
#[test]
fn all_flags_of_jaeger() {
    let mut ours: BTreeMap<&str, &str> =
        tables().iter().flat_map(|table| &table.flags).map(|flag| (flag.name.as_str(), flag.common_default())).collect();
    for row in include_str!("jaeger-1.76.txt").lines().filter(|row| !row.starts_with('#')) {
        let (name, jaegers) = row.split_once(' ').unwrap_or((row, ""));
        let default = ours.remove(name).unwrap_or_else(|| panic!("--{name} is missing"));
        match DIFFERENT.iter().find(|(flag, _, _)| *flag == name) {
            Some((_, theirs, wanted)) => assert_eq!((jaegers, default), (*theirs, *wanted), "{name}"),
            None => assert_eq!(default, jaegers, "{name}"),
        }
    }
    for name in OURS {
        assert!(ours.remove(name).is_some(), "--{name} is missing");
    }
    assert!(ours.is_empty(), "neither Jaeger's nor named here: {ours:?}");
}
