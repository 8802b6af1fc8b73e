//! A store behind Jaeger's storage API: collector → remote storage ← query.

use serde_json::json;
use skua_integration_tests::{Query, Result, Sender, Skua, Spans, ensure, send_all, wait};

const GRPC: &[(&str, &str)] = &[("SPAN_STORAGE_TYPE", "grpc")];
const MEMORY: &[(&str, &str)] = &[("SPAN_STORAGE_TYPE", "memory")];

fn server(flag: &str, storage: &Skua) -> String {
    format!("--{flag}.server=127.0.0.1:{}", storage.ports().storage)
}

/// Scenario: a collector writes to a remote storage that keeps spans in memory, a query reads from it, and a second one is the archive.
/// Guarantee: every acknowledged span is there, both ledgers balance, and searches, services, operations, dependencies and the archive
/// work through the storage.
#[tokio::test]
async fn a_collector_and_a_query_share_a_remote_storage() -> Result<()> {
    let (storage, archive) =
        (Skua::start("remote-storage", &[], MEMORY).await?, Skua::start("remote-storage", &[], MEMORY).await?);
    let collector = Skua::start("collector", &[server("grpc-storage", &storage)], GRPC).await?;
    let flags =
        [server("grpc-storage", &storage), server("grpc-storage-archive", &archive), "--grpc-storage-archive.enabled".to_owned()];
    let reader = Skua::start("query", &flags, GRPC).await?;
    let spans = Spans::new("remote");
    send_all(&Sender::grpc(collector.ports().otlp_grpc)?, &spans, 0..2000, 100).await?;
    collector.settled_ledger().await?.is_all_stored(2000)?;
    storage.settled_ledger().await?.is_all_stored(2000)?;

    let query = Query::new(reader.ports().query_http);
    let services = query.services().await?;
    let service = services.first().map(String::as_str).unwrap_or_default();
    ensure(!query.operations(service).await?.is_empty(), || format!("{service} has no operations"))?;
    let found = query.find(&[("service", service), ("limit", "1000")]).await?;
    let all: usize = found.iter().map(|t| t["spans"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(all, 2000, "a search with room for all of them finds all of them");
    query.data("/api/dependencies", &[("endTs", &now_ms()), ("lookback", "3600000")]).await?;

    let id = found[0]["traceID"].as_str().unwrap_or_default();
    query.post(&format!("/api/archive/{id}")).await?;
    let of_archive = Skua::start("query", &[server("grpc-storage", &archive)], GRPC).await?;
    let archived = Query::new(of_archive.ports().query_http).trace(id).await?;
    assert_eq!(archived.map(|t| t["spans"].clone()), Some(found[0]["spans"].clone()), "as it was stored");
    assert_eq!(query.get("/api/traces/abc", &[]).await?.0, 404);
    Ok(())
}

/// Scenario: the remote storage is not there when the collector and the query start, comes, and is killed. Guarantee: both are not
/// healthy until it is there; while it is away a sender is told to come again, and a query that its store is away.
#[tokio::test]
async fn a_remote_storage_may_come_and_go() -> Result<()> {
    let mut storage = Skua::start("remote-storage", &[], MEMORY).await?;
    let flag = server("grpc-storage", &storage);
    let port = format!("--grpc.host-port=127.0.0.1:{}", storage.ports().storage);
    storage.kill9()?;
    let mut reader = Skua::launch("query", std::slice::from_ref(&flag), GRPC)?;
    reader.listening(reader.ports().query_http).await?;
    assert_eq!(reader.health().await?, 503);
    let query = Query::new(reader.ports().query_http);
    let (status, answer) = query.get("/api/services", &[]).await?;
    assert_eq!((status, answer["data"].clone()), (503, json!(null)), "{answer}");

    let _storage = Skua::start("remote-storage", &[port], MEMORY).await?;
    reader.healthy().await?;
    wait::until("the query to reach the storage", async || Ok(query.services().await.ok())).await?;
    Ok(())
}

fn now_ms() -> String {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis()).to_string()
}
