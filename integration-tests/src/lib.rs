//! The harness of Skua's integration tests: starts the real `skua` binary beside real Kafka, Elasticsearch and
//! Cassandra, sends spans as applications do, and counts what came out at the other end.
//!
//! `make test` runs everything: `with-servers` (a binary of this crate) starts the shared servers, exports their
//! addresses and runs the tests, which live in `tests/pipeline` and `tests/clients`. Each test has a topic, a consumer group and an index
//! prefix or keyspace of its own (see [`Pipeline`]), so that tests run side by side on the shared servers.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`servers`], [`kafka`], [`elasticsearch`], [`cassandra`] | real servers, shared or private to a test |
//! | [`s3`], [`parquet`] | a server that speaks S3, and buckets of a test's own; the store in Parquet in one |
//! | [`prometheus`] | a real Prometheus that scrapes what a test says |
//! | [`store`] | what a test asks of either database |
//! | [`skua`] | a tier of Skua as a process: start, stop, kill, read its log and metrics |
//! | [`pipeline`] | the tiers of one test wired to each other |
//! | [`nginx`], [`docker`] | nginx in front of them, with the files of `deploy/nginx`; what Docker would read in `deploy` |
//! | [`spans`], [`otlp`], [`load`], [`clients`], [`checkout`] | spans with known ids, and what sends them |
//! | [`topics`], [`query`] | what is on Kafka, what the query tier answers |
//! | [`metrics`], [`ledger`] | Prometheus text, and the promise that no span goes uncounted |

pub mod cassandra;
pub mod checkout;
pub mod clients;
pub mod docker;
pub mod elasticsearch;
mod error;
pub mod kafka;
pub mod ledger;
pub mod load;
pub mod metrics;
pub mod nginx;
pub mod otlp;
pub mod parquet;
pub mod pipeline;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod query;
pub mod s3;
pub mod servers;
pub mod skua;
pub mod spans;
pub mod store;
pub mod topics;
pub mod traffic;
pub mod wait;

pub use cassandra::Cassandra;
pub use checkout::{Checkout, Language, SamplerFollower};
pub use elasticsearch::Elasticsearch;
pub use error::{Context, Error, Result, ensure};
pub use kafka::Kafka;
pub use ledger::Ledger;
pub use load::{Load, send_all};
pub use nginx::Nginx;
pub use otlp::{Answer, Sender};
pub use parquet::ParquetBucket;
pub use pipeline::{Encoding, Pipeline};
pub use prometheus::Prometheus;
pub use query::Query;
pub use s3::S3;
pub use skua::Skua;
pub use spans::{SpanKey, Spans};
pub use store::Store;
pub use topics::Topic;
