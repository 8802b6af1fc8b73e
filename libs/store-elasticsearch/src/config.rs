//! The flags under `es.`, with Jaeger's names and defaults.

use serde::Deserialize;
use std::time::Duration;

/// What to connect to, what indices are called and what documents look like.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Config {
    /// Nodes, tried in turn; a path and `user:password@` may be part of a URL.
    pub server_urls: Vec<String>,
    /// Major version of the server; 0 means ask it.
    pub version: i64,
    /// Basic authentication.
    pub username: String,
    /// Basic authentication.
    pub password: String,
    /// A file that holds the password, in place of `password`.
    pub password_file: String,
    /// How often the password file is read again; 0 means never.
    pub password_reload_interval: Duration,
    /// A file that holds a bearer token.
    pub token_file: String,
    /// How often the token file is read again; 0 means never.
    pub bearer_token_reload_interval: Duration,
    /// A file that holds an encoded API key.
    pub api_key_file: String,
    /// How often the API key file is read again; 0 means never.
    pub api_key_reload_interval: Duration,
    /// How long one request may take; 0 means 90 s, which is longer than Elasticsearch waits for a missing shard.
    pub timeout: Duration,
    /// How far back dated indices are searched for services, operations and traces by id.
    pub max_span_age: Duration,
    /// Size of a page of documents (10 000 at most, as the server has it) and of the lists of services and operations.
    pub max_doc_count: u64,
    /// Shards of a new index.
    pub num_shards: u64,
    /// Replicas of a new index.
    pub num_replicas: u64,
    /// Priority of the index template of spans (Elasticsearch 8 and later). Misspelt as in Jaeger.
    pub prioirity_span_template: u64,
    /// Priority of the index template of services (Elasticsearch 8 and later). Misspelt as in Jaeger.
    pub prioirity_service_template: u64,
    /// Priority of the index template of dependencies (Elasticsearch 8 and later). Misspelt as in Jaeger.
    pub prioirity_dependencies_template: u64,
    /// Put the index templates before the first write.
    pub create_index_templates: bool,
    /// Start of index names; a `-` is put after it unless it ends in one.
    pub index_prefix: String,
    /// Between year, month and day in index names.
    pub index_date_separator: String,
    /// `day` or `hour`.
    pub index_rollover_frequency_spans: String,
    /// `day` or `hour`.
    pub index_rollover_frequency_services: String,
    /// `day` or `hour`.
    pub index_rollover_frequency_adaptive_sampling: String,
    /// Read the alias `…-read` and write the alias `…-write` in place of dated indices.
    pub use_aliases: bool,
    /// Index life cycle management rolls the indices over; needs `use_aliases` and no `create_index_templates`.
    pub use_ilm: bool,
    /// Clusters that are searched too, by cross-cluster search.
    pub remote_read_clusters: Vec<String>,
    /// Bulk requests.
    pub bulk: BulkConfig,
    /// Tags that are stored as fields of an object, for Kibana.
    pub tags_as_fields: TagsAsFields,
    /// Adaptive sampling.
    pub adaptive_sampling: AdaptiveSampling,
    /// How long a stored pair of service and operation is not stored again; 0 means 12 h.
    pub service_cache_ttl: Duration,
    /// Compress the bodies of bulk requests with gzip.
    pub http_compression: bool,
    /// TLS of the connection.
    pub tls: Tls,
}

impl Default for Config {
    fn default() -> Self {
        let reload = Duration::from_secs(10);
        Self {
            server_urls: vec!["http://127.0.0.1:9200".to_owned()],
            version: 0,
            username: String::new(),
            password: String::new(),
            password_file: String::new(),
            password_reload_interval: reload,
            token_file: String::new(),
            bearer_token_reload_interval: reload,
            api_key_file: String::new(),
            api_key_reload_interval: reload,
            timeout: Duration::ZERO,
            max_span_age: Duration::from_secs(72 * 3600),
            max_doc_count: 10_000,
            num_shards: 5,
            num_replicas: 1,
            prioirity_span_template: 0,
            prioirity_service_template: 0,
            prioirity_dependencies_template: 0,
            create_index_templates: true,
            index_prefix: String::new(),
            index_date_separator: "-".to_owned(),
            index_rollover_frequency_spans: "day".to_owned(),
            index_rollover_frequency_services: "day".to_owned(),
            index_rollover_frequency_adaptive_sampling: "day".to_owned(),
            use_aliases: false,
            use_ilm: false,
            remote_read_clusters: Vec::new(),
            bulk: BulkConfig::default(),
            tags_as_fields: TagsAsFields::default(),
            adaptive_sampling: AdaptiveSampling::default(),
            service_cache_ttl: Duration::ZERO,
            http_compression: true,
            tls: Tls::default(),
        }
    }
}

/// What concerns adaptive sampling alone.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct AdaptiveSampling {
    /// How far back the latest probabilities are looked for.
    pub lookback: Duration,
}

impl Default for AdaptiveSampling {
    fn default() -> Self {
        Self { lookback: Duration::from_secs(72 * 3600) }
    }
}

/// Bounds of bulk requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct BulkConfig {
    /// Bytes, before compression, at which a request is full. It is longer by the document that filled it.
    pub size: u64,
    /// Requests under way at a time, in all calls together; at least 1.
    pub workers: u64,
    /// Documents of one request.
    pub actions: u64,
    /// Jaeger's longest wait for a request to fill. Here a batch is sent at once, so that it can be acknowledged.
    pub flush_interval: Duration,
    /// Longest pause between two tries. Not a flag of Jaeger.
    pub max_retry_interval: Duration,
}

impl Default for BulkConfig {
    fn default() -> Self {
        Self {
            size: 5_000_000,
            workers: 1,
            actions: 1000,
            flush_interval: Duration::from_millis(200),
            max_retry_interval: Duration::from_secs(30),
        }
    }
}

/// Tags that become fields of the objects `tag` and `process.tag`. Binary tags never do.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct TagsAsFields {
    /// All of them.
    pub all: bool,
    /// These keys.
    pub include: Vec<String>,
    /// And those in this file, one a line.
    pub config_file: String,
    /// What a `.` of a key becomes.
    pub dot_replacement: String,
}

impl Default for TagsAsFields {
    fn default() -> Self {
        Self { all: false, include: Vec::new(), config_file: String::new(), dot_replacement: "@".to_owned() }
    }
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
    /// Name that the server's certificate must have; empty means the host of the URL.
    pub server_name: String,
    /// Do not check the server's certificate at all.
    pub skip_host_verify: bool,
}
