//! Tests of what is inside; those against real servers are in `tests/real.rs`.

mod bodies;
mod delivery;
mod documents;
#[path = "../tests/given/mod.rs"]
mod given;
mod http;
mod reading;

use crate::{Config, ElasticsearchStore};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// For a server at `url` that is taken for version 7 and needs no templates; pauses are short and bodies plain.
fn config(url: &str) -> Config {
    let mut config = Config {
        server_urls: vec![url.to_owned()],
        version: 7,
        create_index_templates: false,
        http_compression: false,
        ..Config::default()
    };
    config.bulk.max_retry_interval = Duration::from_millis(10);
    config
}

async fn store(config: Config) -> Arc<ElasticsearchStore> {
    ElasticsearchStore::connect(config, &mut Registry::default()).await.unwrap()
}
