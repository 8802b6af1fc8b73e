//! Roll-ups on real servers.

use crate::{now_ns, servers};
use futures::future::join_all;
use prometheus_client::registry::Registry;
use skua_store::conformance;
use skua_store::rollups::{RollupKind, RollupStore};
use skua_store_elasticsearch::{Config, ElasticsearchRollups, ElasticsearchStore};
use std::sync::Arc;

/// Whatever the flags say of other indices; without the template too, when the server makes a mapping of its own.
#[tokio::test]
async fn pass_the_suite_of_all_stores() {
    for (use_aliases, create_index_templates, separator) in [(false, true, "-"), (true, true, "."), (false, false, "")] {
        for server in servers() {
            let config = Config {
                use_aliases,
                create_index_templates,
                index_date_separator: separator.to_owned(),
                index_rollover_frequency_spans: "hour".to_owned(),
                ..server.config()
            };
            conformance::rollups::run(&ElasticsearchRollups::new(server.store(config).await)).await;
            server.clean().await;
        }
    }
}

/// Scenario: two processes save to one day's documents, with nothing refreshed in between. Guarantees: each sees what the other saved;
/// the index has our mapping, and no template of Jaeger's applies to it.
#[tokio::test]
async fn are_read_from_what_was_written_last() {
    for server in servers() {
        let own = server.store(server.config()).await;
        // Jaeger's templates are there too.
        own.ready().await.unwrap();
        let mut registry = Registry::default();
        let other = ElasticsearchStore::connect(server.config(), &mut registry).await.unwrap();
        let stores = [own, other].map(ElasticsearchRollups::new);
        let interval = now_ns() / 1000 / 600_000_000 * 600_000_000;
        let mut was = None;
        for round in 0..10_u8 {
            let [a, b] = if round % 2 == 0 { [&stores[0], &stores[1]] } else { [&stores[1], &stores[0]] };
            assert!(a.save_rollup(RollupKind::Red, interval, vec![round].into(), was).await.unwrap());
            let read = b.rollup(RollupKind::Red, interval).await.unwrap().unwrap();
            assert_eq!(read.body, vec![round]);
            let range = b.rollups(RollupKind::Red, interval, interval + 1).await.unwrap();
            assert_eq!(range, [(interval, vec![round].into())]);
            was = Some(read.version);
        }
        let index = server.call(reqwest::Method::GET, &format!("{}-skua-rollup-*", server.prefix), None).await;
        let index = index.as_object().unwrap().values().next().unwrap();
        assert_eq!(index["mappings"], serde_json::json!({"enabled": false}));
        assert_eq!(index["settings"]["index"]["number_of_shards"], "1");
        assert_eq!(index["settings"]["index"]["number_of_replicas"], "0");
        assert_eq!(index["settings"]["index"]["codec"], "best_compression");
        server.clean().await;
    }
}

/// Scenario: many processes begin a day at once. Guarantee: the index is made once and one of them saves.
#[tokio::test]
async fn a_day_begins_for_all_at_once() {
    for server in servers() {
        let mut stores = Vec::new();
        for _ in 0..8 {
            stores.push(Arc::new(ElasticsearchRollups::new(server.store(server.config()).await)));
        }
        let saves = stores.iter().map(|store| store.save_rollup(RollupKind::Links, 0, vec![1].into(), None));
        let saved: Vec<bool> = join_all(saves).await.into_iter().map(|saved| saved.unwrap()).collect();
        assert_eq!(saved.iter().filter(|saved| **saved).count(), 1, "{saved:?}");
        server.clean().await;
    }
}
