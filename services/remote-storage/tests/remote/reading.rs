//! Answers: their length, and what they lack.

use crate::given::{Failing, Server, batch, client, memory, query, span};
use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use skua_model::{Tag, TraceId};
use skua_proto::Raw;
use skua_proto::jaeger::api_v2;
use skua_proto::jaeger::storage::{v1, v2};
use skua_remote_storage::Versions;
use skua_store::{ErrorKind, SpanReader, SpanWriter};
use std::sync::Arc;
use tonic::transport::Endpoint;

/// All messages of a streamed answer, read by a client with the limits of a new one.
async fn messages(server: &Server, method: &'static str, request: &impl Message) -> Vec<Bytes> {
    let channel = Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let request = tonic::Request::new(Bytes::from(request.encode_to_vec()));
    let mut answer = grpc.server_streaming(request, PathAndQuery::from_static(method), Raw::STREAMS).await.unwrap().into_inner();
    let mut all = Vec::new();
    while let Some(message) = answer.message().await.unwrap() {
        all.push(message);
    }
    all
}

/// Scenario: one trace of 2500 spans, one of 10 spans of 1 MiB, and one of one span. Guarantee: no message holds two traces, more than
/// 1000 spans or 4 MiB, in either version; together they hold all.
#[tokio::test]
async fn messages_are_bounded() {
    let store = memory();
    let server = Server::start(store.clone(), Versions::All).await;
    for some in (1..=2500).collect::<Vec<u64>>().chunks(500) {
        store.write(&batch(&some.iter().map(|i| span(1, *i, "many")).collect::<Vec<_>>())).await.unwrap();
    }
    for i in 1..=10 {
        let mut long = span(2, i, "long");
        long.tags.push(Tag::string("text", "x".repeat(1 << 20)));
        store.write(&batch(&[long])).await.unwrap();
    }
    store.write(&batch(&[span(3, 1, "one")])).await.unwrap();

    let bounds = query();
    let time = |us: u64| Some(prost_types::Timestamp { seconds: (us / 1_000_000) as i64, nanos: 0 });
    let query = v1::TraceQueryParameters {
        service_name: "s".to_owned(),
        start_time_min: time(bounds.start_min),
        start_time_max: time(bounds.start_max),
        num_traces: 10,
        ..v1::TraceQueryParameters::default()
    };
    let find = v1::FindTracesRequest { query: Some(query) };
    let chunks = messages(&server, "/jaeger.storage.v1.SpanReaderPlugin/FindTraces", &find).await;
    let mut shape = Vec::new();
    for chunk in &chunks {
        assert!(chunk.len() < 4 << 20);
        let spans: Vec<api_v2::Span> = v1::SpansResponseChunk::decode(chunk.clone()).unwrap().spans;
        let trace = spans[0].trace_id[15];
        assert!(spans.iter().all(|s| s.trace_id[15] == trace && s.process.as_ref().unwrap().service_name == "s"));
        shape.push((trace, spans.len()));
    }
    assert_eq!(shape, [(1, 1000), (1, 1000), (1, 500), (2, 3), (2, 3), (2, 3), (2, 1), (3, 1)]);

    let ids =
        [1_u128, 9, 2, 3].map(|id| v2::GetTraceParams { trace_id: id.to_be_bytes().to_vec(), start_time: None, end_time: None });
    let get = v2::GetTracesRequest { query: ids.to_vec() };
    let pieces = messages(&server, "/jaeger.storage.v2.TraceReader/GetTraces", &get).await;
    let mut counts = [0; 4];
    for piece in pieces {
        assert!(piece.len() < 4 << 20);
        let data = skua_proto::otlp::trace::v1::TracesData::decode(piece).unwrap();
        let spans: Vec<_> = data.resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).collect();
        assert!(spans.len() <= 1000 && spans.iter().all(|s| s.trace_id == spans[0].trace_id));
        counts[usize::from(spans[0].trace_id[15])] += spans.len();
    }
    assert_eq!(counts, [0, 2500, 10, 1], "an id that nobody knows is passed over");
}

/// Scenario: a store whose answer is not complete. Guarantee: the client says so, with the store's words.
#[tokio::test]
async fn what_is_partial_stays_so() {
    for versions in [Versions::V1, Versions::V2] {
        let partial = vec!["only 3 of 5 shards answered".to_owned(), "größer als erlaubt".to_owned()];
        let store = Arc::new(Failing { partial: partial.clone(), ..Failing::new() });
        store.inner.write(&batch(&[span(1, 1, "a")])).await.unwrap();
        let found = Server::start(store, versions).await.client().find(&query()).await.unwrap();
        assert_eq!((found.traces.len(), found.partial), (1, partial), "{versions:?}");
    }
}

/// Scenario: answers that are longer than the client may take. Guarantee: a search keeps what came before and says that it is not all;
/// one trace, of which a part would be a lie, is an error that names the flag.
#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_and_says_so() {
    for versions in [Versions::V1, Versions::V2] {
        let store = memory();
        for trace in 1..=5 {
            let spans: Vec<_> = (1..=100).map(|i| span(trace, i, "many")).collect();
            store.write(&batch(&spans)).await.unwrap();
        }
        let server = Server::start(store, versions).await;
        let client = client(&skua_store_remote::Config { max_answer_bytes: 20_000, ..server.config() });
        let found = client.find(&query()).await.unwrap();
        assert!((1..5).contains(&found.traces.len()), "{versions:?}: {}", found.traces.len());
        assert!(
            matches!(&found.partial[..], [why] if why.contains("--grpc-storage.max-answer-bytes=20000")),
            "{:?}",
            found.partial
        );
        let client = crate::given::client(&skua_store_remote::Config { max_answer_bytes: 1_000, ..server.config() });
        let e = client.trace(TraceId(1_u128.to_be_bytes())).await.unwrap_err();
        assert!(e.kind == ErrorKind::Unsupported && e.message.contains("--grpc-storage.max-answer-bytes"), "{versions:?}: {e}");
    }
}

/// Scenario: searches of version 2 for ids and for summaries, by an attribute that is no text. Guarantee: those of the trace that
/// matches, with its times and numbers.
#[tokio::test]
async fn version_2_tells_ids_and_summaries() {
    let store = memory();
    let server = Server::start(store.clone(), Versions::All).await;
    let (root, mut child) = (span(1, 1, "root"), span(1, 2, "child"));
    child.tags = vec![Tag { key: "retries".to_owned(), value: skua_model::Value::Int64(7) }];
    child.references =
        vec![skua_model::Reference { kind: skua_model::RefType::ChildOf, trace_id: root.trace_id, span_id: root.span_id }];
    store.write(&batch(&[root, child, span(2, 1, "other")])).await.unwrap();

    let attribute =
        v2::KeyValue { key: "retries".to_owned(), value: Some(v2::AnyValue { value: Some(v2::any_value::Value::IntValue(7)) }) };
    let query = v2::TraceQueryParameters {
        service_name: "s".to_owned(),
        attributes: vec![attribute],
        search_depth: 10,
        ..v2::TraceQueryParameters::default()
    };
    let request = v2::FindTraceSummariesRequest { query: Some(query) };
    let messages = messages(&server, "/jaeger.storage.v2.TraceReader/FindTraceSummaries", &request).await;
    assert_eq!(messages.len(), 1);
    let summaries = v2::FindTraceSummariesResponse::decode(messages[0].clone()).unwrap().summaries;
    assert_eq!(summaries.len(), 1);
    let summary = &summaries[0];
    assert_eq!((&summary.trace_id[..], &summary.root_operation_name[..]), (&1_u128.to_be_bytes()[..], "root"));
    assert_eq!((summary.span_count, summary.orphan_span_count, summary.services.len()), (2, 0, 1));
    let start = crate::given::START;
    assert_eq!((summary.min_start_time_unix_nano, summary.max_end_time_unix_nano), (start + 1000, start + 3000));
}
