//! Spans in Elasticsearch 7.17, 8 and 9 and in OpenSearch: Jaeger's indices, templates and documents, so that a real Jaeger
//! reads what is written here and the reverse.
//!
//! - [`Config`]: the flags under `es.`.
//! - [`ElasticsearchStore`]: writes and reads spans.
//! - [`ElasticsearchSampling`]: what adaptive sampling keeps.
//! - [`ElasticsearchDependencies`]: who calls whom.
//! - [`ElasticsearchRollups`]: what was counted while the spans streamed by.
//!
//! Inside: `client` is HTTP and knows nothing of spans; `document` writes a span's JSON and `read_document` reads it;
//! `bulk` makes the bodies of bulk requests, `deliver` sends them until each document has an answer; `search` makes the
//! bodies of searches, `answer` reads what comes back, `fetch` pages through whole traces, `pages` through other documents.

mod answer;
mod auth;
mod bulk;
mod bulk_answer;
mod client;
mod config;
mod deliver;
mod dependencies;
mod document;
mod error;
mod fetch;
mod index;
mod metrics;
mod pages;
mod read_document;
mod reader;
mod rollups;
mod sampling;
mod search;
mod services;
mod store;
mod template;
#[cfg(test)]
mod tests;
mod writer;

pub use config::{AdaptiveSampling, BulkConfig, Config, TagsAsFields, Tls};
pub use dependencies::ElasticsearchDependencies;
pub use rollups::ElasticsearchRollups;
pub use sampling::ElasticsearchSampling;
pub use store::ElasticsearchStore;
