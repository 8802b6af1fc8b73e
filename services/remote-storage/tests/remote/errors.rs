//! What a client makes of a server's failures.

use crate::given::{Failing, Server, batch, client, memory, query, span};
use skua_model::TraceId;
use skua_remote_storage::{Grpc, Versions};
use skua_store::{DependencyReader, ErrorKind, SpanReader, SpanWriter, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Scenario: a store behind the server fails in each way, in each call of both versions. Guarantee: the client's error has the same
/// kind, the store's words and its wish when to come again.
#[tokio::test]
async fn a_stores_error_comes_through() {
    let store = Arc::new(Failing::new());
    for versions in [Versions::V1, Versions::V2] {
        let server = Server::start(store.clone(), versions).await;
        let client = server.client();
        client.ready().await.unwrap();
        for (kind, wish) in [
            (ErrorKind::Unavailable, Some(3)),
            (ErrorKind::Overloaded, Some(2)),
            (ErrorKind::Timeout, None),
            (ErrorKind::Unsupported, None),
            (ErrorKind::Internal, None),
            (ErrorKind::Invalid, None),
        ] {
            let wish = wish.map(Duration::from_secs);
            *store.error.lock() = Some((kind, wish));
            let mut errors: Vec<StoreError> = vec![
                client.services().await.unwrap_err(),
                client.operations("s", "").await.unwrap_err(),
                client.trace(TraceId([1; 16])).await.unwrap_err(),
                client.find(&query()).await.unwrap_err(),
                client.dependencies(0, 1).await.unwrap_err(),
            ];
            let written = client.write(&batch(&[span(1, 1, "a")])).await;
            if kind == ErrorKind::Invalid {
                let refused = written.unwrap().refused;
                assert!(matches!(&refused[..], [one] if one.span == 0 && one.detail.ends_with("as it was told")), "{refused:?}");
            } else {
                errors.push(written.unwrap_err());
            }
            for e in errors {
                assert_eq!(e.kind, kind, "{versions:?}: {e}");
                assert!(e.message.contains(&server.address) && e.message.ends_with("as it was told"), "{versions:?}: {e}");
                let known = e.retry_after.filter(|_| wish.is_some());
                assert_eq!(known, wish, "{versions:?}: {e}");
            }
        }
        *store.error.lock() = None;
        let e = client.trace(TraceId([1; 16])).await.unwrap_err();
        assert_eq!((e.kind, e.message.as_str()), (ErrorKind::NotFound, "trace not found"), "{versions:?}");
    }
}

/// Scenario: no server, then one that takes connections and never answers. Guarantee: what can help later is said to be so, in time.
#[tokio::test]
async fn a_server_that_is_away_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap().to_string();
    let mut config = skua_store_remote::Config { server, ..skua_store_remote::Config::default() };
    config.request_timeout = Duration::from_millis(200);
    let silent = client(&config);
    for e in [silent.services().await.unwrap_err(), silent.write(&batch(&[span(1, 1, "a")])).await.unwrap_err()] {
        assert!(e.is_retryable() && e.kind == ErrorKind::Timeout, "{e}");
    }
    drop(listener);
    let away = client(&config);
    for e in [away.services().await.unwrap_err(), away.write(&batch(&[span(1, 1, "a")])).await.unwrap_err()] {
        assert!(e.is_retryable() && e.kind == ErrorKind::Unavailable, "{e}");
        assert!(e.message.contains(&config.server), "{e}");
    }
}

/// Scenario: a server of version 1 goes, and one of version 2 takes its place at the same address. Guarantee: the client finds out.
#[tokio::test]
async fn a_server_may_change_its_version() {
    let store = memory();
    let first = Server::start(store.clone(), Versions::V1).await;
    let (client, address) = (first.client(), first.address.clone());
    client.write(&batch(&[span(1, 1, "a")])).await.unwrap();
    first.stop.cancel();
    first.ended.await.unwrap();
    let second = Server::at(&address, store, Versions::V2).await;
    let mut tries = 0;
    while let Err(e) = client.write(&batch(&[span(1, 2, "b")])).await {
        tries += 1;
        assert!(tries < 5, "{e}");
    }
    assert_eq!(client.trace(TraceId(1_u128.to_be_bytes())).await.unwrap().spans.len(), 2);
    drop(second);
}

/// Scenario: a span that is longer than the server's messages may be, among others. Guarantee: it alone is refused, for good.
#[tokio::test]
async fn a_span_that_is_too_long_is_refused_alone() {
    for versions in [Versions::V1, Versions::V2] {
        let grpc = Grpc { host_port: String::new(), max_message_size: 10_000, max_in_flight_bytes: 1 << 20 };
        let server = Server::with(memory(), versions, grpc).await;
        let client = server.client();
        let spans = [span(1, 1, "a"), span(1, 2, &"b".repeat(20_000)), span(1, 3, "c")];
        let written = client.write(&batch(&spans)).await.unwrap();
        assert_eq!((written.stored, written.refused.len()), (2, 1), "{versions:?}: {written:?}");
        assert_eq!((written.refused[0].span, written.refused[0].reason), (1, "remote"), "{versions:?}");
        assert_eq!(client.trace(TraceId(1_u128.to_be_bytes())).await.unwrap().spans.len(), 2, "{versions:?}");
    }
}
