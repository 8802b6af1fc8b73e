//! What Kiali asks over HTTP (its gRPC calls are those of [`grpc`](crate::grpc)'s tests), in the strings that it sends.

use super::*;

/// The version: JSON that it cuts out of the page at the root, between these two.
#[tokio::test]
async fn version() {
    for base in ["/", "/jaeger"] {
        let root = if base == "/" { "/".to_owned() } else { format!("{base}/") };
        let page = get(&over(store().await, &config(base, &[])), &root).await;
        assert!(page.header("content-type").starts_with("text/html"), "{}", page.header("content-type"));
        let (_, rest) = page.body.split_once("const JAEGER_VERSION = ").unwrap();
        let version: Value = serde_json::from_str(rest.split_once(';').unwrap().0).unwrap();
        assert_eq!(version["gitVersion"], "v1.2.3");
    }
}

/// Spans of an application with errors, `tags` as JSON, times in microseconds, `minDuration` in `us`.
#[tokio::test]
async fn traces_of_a_service() {
    let app = over(store().await, &config("/jaeger", &[]));
    assert_eq!(get(&app, "/jaeger/api/services").await.json()["data"], json!(["a/b", "back"]));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let (start, tags) = (now - 3_600_000_000, "%7B%22span.kind%22%3A%22server%22%7D");
    let found = async |service: &str, duration: &str| {
        let query = format!("end={now}&limit=100&minDuration={duration}&service={service}&start={start}&tags={tags}");
        let got = get(&app, &format!("/jaeger/api/traces?{query}")).await;
        assert_eq!(got.status, 200, "{query}");
        got.json()["data"].as_array().unwrap().clone()
    };
    let traces = found("back", "1000us").await;
    assert!(!traces.is_empty() && traces.iter().all(|t| t["spans"][0]["duration"].is_number()), "{traces:?}");
    assert!(found("back", "9000000us").await.is_empty());
    assert!(
        found("reviews.bookinfo", "0us").await.is_empty(),
        "an application that is not traced is an empty list, not an error"
    );
    assert_eq!(get(&app, "/jaeger/api/traces/abc").await.json()["data"][0]["traceID"], "0000000000000abc");
}
