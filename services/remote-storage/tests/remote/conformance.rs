//! The suite of all stores: a remote storage of a memory store is what the memory store is.

use crate::given::{Server, batch, memory, span};
use skua_model::{RefType, Reference};
use skua_remote_storage::Versions;
use skua_store::conformance::{self, Abilities};
use skua_store::{DependencyReader, SpanWriter};

const ABILITIES: Abilities =
    Abilities { warnings: true, long_values: true, any_service: true, patterns: false, repeated_keys: true };

async fn passes(versions: Versions, abilities: Abilities) {
    let server = Server::start(memory(), versions).await;
    let client = server.client();
    conformance::run(abilities, &*client, &*client, &|| Box::pin(async {})).await;
    assert_eq!(server.spans("received", ""), server.spans("stored", ""));
}

#[tokio::test]
async fn version_1_passes_the_suite() {
    passes(Versions::All, ABILITIES).await;
}

/// OTLP has a key once.
#[tokio::test]
async fn version_2_passes_the_suite() {
    passes(Versions::V2, Abilities { repeated_keys: false, ..ABILITIES }).await;
}

/// Scenario: two services of which one calls the other. Guarantee: both versions say so as the store does.
#[tokio::test]
async fn dependencies_are_the_stores() {
    let store = memory();
    let (caller, mut callee) = (span(1, 1, "call"), span(1, 2, "serve"));
    callee.process = std::sync::Arc::new(skua_model::Process { service_name: "t".to_owned(), tags: Vec::new() });
    callee.references = vec![Reference { kind: RefType::ChildOf, trace_id: caller.trace_id, span_id: caller.span_id }];
    store.write(&batch(&[caller, callee])).await.unwrap();
    let (from, to) = (0, 2_000_000_000_000_000);
    let want = store.dependencies(from, to).await.unwrap();
    assert_eq!(want.len(), 1);
    for versions in [Versions::V1, Versions::V2] {
        let server = Server::start(store.clone(), versions).await;
        assert_eq!(server.client().dependencies(from, to).await.unwrap(), want, "{versions:?}");
        assert_eq!(server.client().dependencies(from, 1).await.unwrap(), [], "{versions:?}");
    }
}
