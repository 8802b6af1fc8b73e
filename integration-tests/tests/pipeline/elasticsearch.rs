//! What is Elasticsearch's own: its archive, on both versions.

use reqwest::Method;
use skua_integration_tests::ports::unique_number;
use skua_integration_tests::{Elasticsearch, Query, Result, Sender, Skua, Spans, Store, send_all};

const STORAGE: [(&str, &str); 1] = [("SPAN_STORAGE_TYPE", "elasticsearch")];
/// Ten traces.
const SPANS: u64 = 100;

fn unique_prefix() -> String {
    format!("t{:x}", unique_number())
}

/// Scenario: a trace is archived under a prefix of its own, the other flags being the primary's, and then the primary's prefix is
/// another, as when all of its indices have been deleted. Guarantee: the trace is still there by its id, whole and as it was, in
/// Jaeger's one index that is never another; others are not.
async fn an_archived_trace_outlives_the_primary(elasticsearch: &Elasticsearch) -> Result<()> {
    let (archive, spans) = (unique_prefix(), Spans::new("archive"));
    let flags = |primary: &str| {
        let archive = ["--es-archive.enabled=true".to_owned(), format!("--es-archive.index-prefix={archive}")];
        [elasticsearch.flags(primary), archive.to_vec()].concat()
    };
    let skua = Skua::start("all-in-one", &flags(&unique_prefix()), &STORAGE).await?;
    send_all(&Sender::grpc(skua.ports().otlp_grpc)?, &spans, 0..SPANS, 20).await?;
    let query = Query::new(skua.ports().query_http);
    let (kept, other) = (spans.key(0).trace, spans.key(10).trace);
    let before = query.complete_trace(&kept, 10).await?;
    query.post(&format!("/api/archive/{kept}")).await?;
    query.post(&format!("/api/archive/{kept}")).await?;

    let later = Skua::start("all-in-one", &flags(&unique_prefix()), &STORAGE).await?;
    let query = Query::new(later.ports().query_http);
    assert_eq!(query.complete_trace(&kept, 10).await?, before);
    assert_eq!(query.trace(&other).await?, None);
    let counted = elasticsearch.call(Method::GET, &format!("/{archive}-jaeger-span-archive/_count"), None).await?;
    assert_eq!(counted["count"], 10, "each span once, though archived twice");
    Ok(())
}

#[tokio::test]
async fn an_archived_trace_outlives_the_primary_on_7() -> Result<()> {
    an_archived_trace_outlives_the_primary(&Elasticsearch::shared()?).await
}

#[tokio::test]
async fn an_archived_trace_outlives_the_primary_on_8() -> Result<()> {
    an_archived_trace_outlives_the_primary(&Elasticsearch::shared8()?).await
}
