//! Flags of `skua cassandra schema` alone. In capitals they are the variables of Jaeger's `create.sh` and of its image
//! `jaeger-cassandra-schema`: `MODE`, `DATACENTER`, `KEYSPACE`, `REPLICATION_FACTOR`, `TRACE_TTL`, `DEPENDENCIES_TTL`,
//! `COMPACTION_WINDOW`, `CQLSH_HOST`, `CQLSH_PORT`.

use super::Table;
use crate::component::Component::CassandraSchema;
use crate::flag::Flag;
use crate::kind::Kind;

pub(super) fn command() -> Table {
    let like = |name: &str, kind, default, other: &'static str, what: &str| {
        Flag::new(name, kind, default, format!("{what}; unset = --{other}")).or(other)
    };
    let flags = vec![
        Flag::new("print", Kind::Bool, "false", "print the statements and do nothing else; nothing is connected to"),
        like(
            "mode",
            Kind::Choice(&["test", "prod"]),
            "test",
            "cassandra.schema.mode",
            "replication: test = one node, prod = several",
        ),
        like("datacenter", Kind::String, "", "cassandra.schema.datacenter", "datacenter of the replicas in mode prod"),
        like("keyspace", Kind::String, "jaeger_dc1", "cassandra.keyspace", "keyspace that is created"),
        like(
            "replication-factor",
            Kind::Int { min: 0, max: 255 },
            "0",
            "cassandra.schema.replication-factor",
            "copies of each row; 0 = 1 in mode test, 2 in mode prod",
        ),
        like(
            "trace-ttl",
            Kind::String,
            "172800",
            "cassandra.schema.trace-ttl",
            "how long traces are kept: seconds, or a duration such as 48h; 0 = for ever",
        ),
        like("dependencies-ttl", Kind::String, "0", "cassandra.schema.dependencies-ttl", "the same for the dependency graph"),
        like(
            "compaction-window",
            Kind::String,
            "",
            "cassandra.schema.compaction-window",
            "time of traces that is compacted into one file: 30m, 2h or 1d",
        ),
        like("cqlsh-host", Kind::List, "127.0.0.1", "cassandra.servers", "nodes to connect to"),
        like("cqlsh-port", Kind::Int { min: 1, max: 65_535 }, "9042", "cassandra.port", "port of CQL"),
    ];
    Table { title: "cassandra schema", tiers: &[CassandraSchema], storages: &[], flags }
}
