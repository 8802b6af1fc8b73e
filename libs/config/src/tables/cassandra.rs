//! Flags of Cassandra and Scylla, which have the same.

use super::{Table, tls};
use crate::component::Component;
use crate::component::Component::{AllInOne, CassandraSchema, Collector, Ingester, Query, RemoteStorage, RollupRebuild};
use crate::flag::Flag;
use crate::kind::Kind;
use crate::storage::StorageType;
use crate::storage::StorageType::{Cassandra, Scylla};

const STORAGES: &[StorageType] = &[Cassandra, Scylla];
/// The levels that Jaeger's driver knows, in any case of letters as there.
const LEVELS: &[&str] = &["", "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "LOCAL_ONE"];
const PROTOCOL: &str = "version 4 is spoken, which Cassandra since 2.2 and every Scylla know; set 4 or remove the flag";

/// What the command that makes the schema needs too.
pub(super) fn connection() -> Table {
    let mut flags = session("cassandra");
    flags.extend(schema("cassandra"));
    flags.extend(tls::client("cassandra"));
    let tiers = &[Collector, Ingester, Query, AllInOne, RemoteStorage, RollupRebuild, CassandraSchema];
    Table { title: "cassandra", tiers, storages: STORAGES, flags }
}

pub(super) fn spans() -> Table {
    let mut flags = requests("cassandra");
    flags.push(Flag::new(
        "cassandra.search.max-traces-read",
        Kind::Int { min: 1, max: 1_000_000_000 },
        "10000",
        "traces that one search may read while it looks for matching ones; past that its answer is marked partial; not a \
         flag of Jaeger",
    ));
    Table { title: "cassandra (spans)", tiers: Component::WITH_STORAGE, storages: STORAGES, flags }
}

/// The second set, for archived traces. What is not set there is as for the others.
pub(super) fn archive() -> Table {
    let mut rows = vec![Flag::new(
        "cassandra-archive.enabled",
        Kind::Bool,
        "false",
        "keep archived traces in a keyspace of their own, --cassandra-archive.keyspace, which query and all-in-one write and \
         read",
    )];
    let same = [session, schema, tls::client, requests].into_iter().flat_map(|group| group("cassandra-archive"));
    rows.extend(same.map(|mut flag| {
        let primary = flag.name.replacen("cassandra-archive", "cassandra", 1);
        flag.help = format!("as --{primary}, for the archive; unset = that value").into();
        flag.or(primary)
    }));
    Table { title: "cassandra-archive", tiers: Component::WITH_STORAGE, storages: STORAGES, flags: rows }
}

fn session(prefix: &str) -> Vec<Flag> {
    let name = |rest: &str| format!("{prefix}.{rest}");
    vec![
        Flag::new(
            name("servers"),
            Kind::List,
            "127.0.0.1",
            "nodes that are asked first, host or host:port; they tell the other nodes",
        ),
        Flag::new(name("port"), Kind::Int { min: 1, max: 65_535 }, "9042", "port of CQL, of all nodes"),
        Flag::new(
            name("keyspace"),
            Kind::String,
            "jaeger_dc1",
            "keyspace of the traces: letters, digits and underscores (jaeger_v1_test before Jaeger 1.64)",
        ),
        Flag::new(
            name("local-dc"),
            Kind::String,
            "",
            "datacenter whose nodes are asked, others only if none of it answers; empty = all alike",
        ),
        Flag::new(
            name("consistency"),
            Kind::Choice(LEVELS),
            "",
            "replicas that must answer a read or a write; empty = LOCAL_ONE",
        ),
        Flag::new(
            name("connections-per-host"),
            Kind::Int { min: 1, max: 1024 },
            "2",
            "connections to a node; to a node of Scylla at least one for each of its shards",
        ),
        Flag::new(
            name("max-retry-attempts"),
            Kind::Int { min: 0, max: 1000 },
            "3",
            "tries of a read before it fails, the first counts; writes are tried until they succeed",
        ),
        Flag::new(
            name("proto-version"),
            Kind::Int { min: 0, max: 5 },
            "4",
            "version of CQL's protocol; 0 = the best, which is 4",
        )
        .not_yet_values(&[("1", PROTOCOL), ("2", PROTOCOL), ("3", PROTOCOL), ("5", PROTOCOL)]),
        Flag::new(name("timeout"), Kind::Duration, "0s", "how long a statement may take; 0 = no limit"),
        Flag::new(name("connect-timeout"), Kind::Duration, "0s", "how long connecting to a node may take; 0 = no limit"),
        Flag::new(
            name("socket-keep-alive"),
            Kind::Duration,
            "0s",
            "how long a connection is silent before TCP asks whether the node is there; 0 = never",
        ),
        Flag::new(name("reconnect-interval"), Kind::Duration, "1m", "how often a node that is down is tried again"),
        Flag::new(
            name("disable-compression"),
            Kind::Bool,
            "false",
            "do not compress with Snappy, for servers that cannot, such as Azure Cosmos DB",
        ),
        Flag::new(name("username"), Kind::String, "", "user of password authentication"),
        Flag::new(name("password"), Kind::String, "", "password of password authentication").secret(),
        Flag::new(
            name("basic.allowed-authenticators"),
            Kind::List,
            "",
            "authenticators (Java classes) of a server that the password is sent to; empty = the well-known ones",
        ),
    ]
}

/// The keyspace and its tables, as far as they can be chosen; Jaeger has this in its version 2 and in `create.sh`.
fn schema(prefix: &str) -> Vec<Flag> {
    let flag = |rest: &str, kind, default, help: &str| {
        Flag::new(format!("{prefix}.schema.{rest}"), kind, default, format!("{help}; not a flag of Jaeger"))
    };
    vec![
        flag("create", Kind::Bool, "false", "create the keyspace and the tables at the start when they are missing"),
        flag(
            "mode",
            Kind::Choice(&["test", "prod"]),
            "test",
            "replication of a new keyspace: test = SimpleStrategy, for one node; prod = NetworkTopologyStrategy in \
             schema.datacenter",
        ),
        flag("datacenter", Kind::String, "", "datacenter that a new keyspace of mode prod is replicated in"),
        flag(
            "replication-factor",
            Kind::Int { min: 0, max: 255 },
            "0",
            "copies of each row in a new keyspace; 0 = 1 in mode test, 2 in mode prod",
        ),
        flag(
            "trace-ttl",
            Kind::String,
            "172800",
            "how long a new keyspace keeps traces: seconds, or a duration such as 48h; 0 = for ever",
        ),
        flag("dependencies-ttl", Kind::String, "0", "the same for the dependency graph"),
        flag(
            "compaction-window",
            Kind::String,
            "",
            "time of traces that is compacted into one file in a new keyspace: 30m, 2h or 1d; empty = a thirtieth of the TTL, \
             in minutes",
        ),
    ]
}

fn requests(prefix: &str) -> Vec<Flag> {
    let name = |rest: &str| format!("{prefix}.{rest}");
    vec![
        Flag::new(
            name("span-store-write-cache-ttl"),
            Kind::Duration,
            "12h",
            "how long a written service and operation is not written again; 0 = always written",
        ),
        Flag::new(name("index.tags"), Kind::Bool, "true", "make tags of spans searchable"),
        Flag::new(name("index.process-tags"), Kind::Bool, "true", "make tags of processes searchable"),
        Flag::new(name("index.logs"), Kind::Bool, "true", "make fields of logs searchable"),
        Flag::new(name("index.tag-blacklist"), Kind::List, "", "tags that are not made searchable; excludes index.tag-whitelist"),
        Flag::new(
            name("index.tag-whitelist"),
            Kind::List,
            "",
            "the only tags that are made searchable; empty = all; excludes index.tag-blacklist",
        ),
        Flag::new(
            name("max-in-flight-requests"),
            Kind::Int { min: 1, max: 65_536 },
            "128",
            "requests to the cluster that are under way at a time; not a flag of Jaeger",
        ),
        Flag::new(
            name("max-retry-interval"),
            Kind::Duration,
            "30s",
            "longest pause between two tries of a write; not a flag of Jaeger",
        ),
    ]
}
