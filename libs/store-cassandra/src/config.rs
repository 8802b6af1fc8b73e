//! The flags under `cassandra.`, with Jaeger's names and defaults.

use serde::Deserialize;
use std::time::Duration;

/// Whom to connect to, how, and what to index.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// Hosts to begin with, each with or without a port; the others are learnt from them.
    pub servers: Vec<String>,
    /// Port of the servers that are given without one.
    pub port: u16,
    /// Keyspace of all tables.
    pub keyspace: String,
    /// Datacenter whose nodes are asked first; empty means all nodes alike.
    pub local_dc: String,
    /// CQL's name of a consistency level; empty means `LOCAL_ONE`.
    pub consistency: String,
    /// Connections to each host; on Scylla at least one to each shard.
    pub connections_per_host: usize,
    /// Times that one read is tried, on other nodes if there are any.
    pub max_retry_attempts: usize,
    /// Version of the CQL protocol; the driver speaks 4.
    pub proto_version: i64,
    /// How long one request may take; 0 means 30 s.
    pub timeout: Duration,
    /// How long opening a connection may take; 0 means 5 s.
    pub connect_timeout: Duration,
    /// Interval of TCP keep-alive probes; 0 leaves them to the system.
    pub socket_keep_alive: Duration,
    /// Do not compress what is sent and received.
    pub disable_compression: bool,
    /// User; empty means no authentication.
    pub username: String,
    /// Password of the user.
    pub password: String,
    /// Authentication with user and password.
    pub basic: Basic,
    /// How long a stored name of a service or operation is not stored again; 0 stores it with every batch.
    pub span_store_write_cache_ttl: Duration,
    /// What tags can be searched for.
    pub index: Index,
    /// Requests of this store that are under way at a time; at least 1. Not a flag of Jaeger.
    pub max_in_flight_requests: usize,
    /// Longest pause between two tries of a write. Not a flag of Jaeger.
    pub max_retry_interval: Duration,
    /// Bounds of searches.
    pub search: Search,
    /// The schema that is made at start.
    pub schema: SchemaConfig,
    /// TLS of the connections.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: vec!["127.0.0.1".to_owned()],
            port: 9042,
            keyspace: "jaeger_dc1".to_owned(),
            local_dc: String::new(),
            consistency: String::new(),
            connections_per_host: 2,
            max_retry_attempts: 3,
            proto_version: 4,
            timeout: Duration::ZERO,
            connect_timeout: Duration::ZERO,
            socket_keep_alive: Duration::ZERO,
            disable_compression: false,
            username: String::new(),
            password: String::new(),
            basic: Basic::default(),
            span_store_write_cache_ttl: Duration::from_secs(12 * 3600),
            index: Index::default(),
            max_in_flight_requests: 128,
            max_retry_interval: Duration::from_secs(30),
            search: Search::default(),
            schema: SchemaConfig::default(),
            tls: Tls::default(),
        }
    }
}

/// Authentication with user and password.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Basic {
    /// Classes of server-side authenticators that the password is given to; empty means any.
    pub allowed_authenticators: Vec<String>,
}

/// Which tags are written to `tag_index`. Readers go by the same rules: what is not indexed is looked for in the traces.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Index {
    /// Tags of spans.
    pub tags: bool,
    /// Tags of processes.
    pub process_tags: bool,
    /// Fields of logs.
    pub logs: bool,
    /// All keys but these; excludes `tag_whitelist`.
    pub tag_blacklist: Vec<String>,
    /// These keys alone, when there are any.
    pub tag_whitelist: Vec<String>,
}

impl Default for Index {
    fn default() -> Self {
        Self { tags: true, process_tags: true, logs: true, tag_blacklist: Vec::new(), tag_whitelist: Vec::new() }
    }
}

/// Bounds of searches.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Search {
    /// Traces that one search reads while it looks for those that match; past that its answer is marked partial.
    pub max_traces_read: usize,
}

impl Default for Search {
    fn default() -> Self {
        Self { max_traces_read: 10_000 }
    }
}

/// Parameters of a new schema, as those of Jaeger's `create.sh`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct SchemaConfig {
    /// Make the keyspace and its tables at start when they are missing.
    pub create: bool,
    /// `test` (one replica, `SimpleStrategy`) or `prod` (`NetworkTopologyStrategy`); empty means `test`.
    pub mode: String,
    /// The datacenter of `prod`.
    pub datacenter: String,
    /// Replicas; 0 means 1 for `test` and 2 for `prod`.
    pub replication_factor: u32,
    /// How long spans are kept: seconds or a duration such as `48h`; empty means two days.
    pub trace_ttl: String,
    /// How long dependencies are kept, likewise; empty or 0 means for ever.
    pub dependencies_ttl: String,
    /// Time of one SSTable of `traces`: a number of `m`, `h` or `d`; empty means a thirtieth of the trace TTL.
    pub compaction_window: String,
}

/// TLS of a connection that we open.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Tls {
    /// The other fields count.
    pub enabled: bool,
    /// PEM file of the CA that must have signed the server's certificate; empty means the well-known ones.
    pub ca: String,
    /// PEM file of the client's certificate.
    pub cert: String,
    /// PEM file of the client's private key.
    pub key: String,
    /// Name that the servers' certificates must have; empty means the node's address or one of `servers`.
    pub server_name: String,
    /// Do not check the servers' certificates at all.
    pub skip_host_verify: bool,
}
