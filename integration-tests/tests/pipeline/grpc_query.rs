//! Jaeger's gRPC API of the query tier: what was sent comes back, on the port of its own and on the port of HTTP.

use prost::Message;
use prost_types::Timestamp;
use skua_integration_tests::otlp::post_spans;
use skua_integration_tests::{Answer, Query, Result, Sender, Skua, SpanKey, Spans, send_all};
use skua_proto::jaeger::api_v2::query_service_client::QueryServiceClient;
use skua_proto::jaeger::api_v2::{
    Batch, FindTracesRequest, GetServicesRequest, GetTraceRequest, KeyValue, Process, Span, SpanRef, SpanRefType,
    SpansResponseChunk, TraceQueryParameters, ValueType,
};
use skua_proto::jaeger::api_v3::query_service_client::QueryServiceClient as ClientV3;
use skua_proto::jaeger::api_v3::{self, TraceQueryParameters as QueryV3};
use std::collections::HashSet;
use std::time::{Duration, UNIX_EPOCH};
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

async fn connect(port: u16) -> Result<Channel> {
    Ok(Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.timeout(Duration::from_secs(60)).connect().await?)
}

/// Both ports of a query tier.
async fn clients(skua: &Skua) -> Result<[Channel; 2]> {
    Ok([connect(skua.ports().query_grpc).await?, connect(skua.ports().query_http).await?])
}

async fn all<T>(mut stream: Streaming<T>) -> Result<Vec<T>> {
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

fn from_now(seconds: i64) -> Timestamp {
    Timestamp { seconds: UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs() as i64) + seconds, nanos: 0 }
}

fn keys(chunks: &[SpansResponseChunk]) -> Vec<SpanKey> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let spans = chunks.iter().flat_map(|c| &c.spans);
    spans.map(|s| SpanKey { trace: hex(&s.trace_id), span: hex(&s.span_id) }).collect()
}

/// Scenario: 30 traces of an OpenTelemetry client, searched over gRPC. Guarantee: on both ports every span comes once, in chunks of
/// one trace and ten spans at most; in OTLP too; summaries count them.
#[tokio::test]
async fn a_search_over_grpc_finds_every_span() -> Result<()> {
    let mut skua = Skua::start("all-in-one", &[], &[]).await?;
    let spans = Spans::new("over-grpc");
    send_all(&Sender::grpc(skua.ports().otlp_grpc)?, &spans, 0..300, 100).await?;
    for channel in clients(&skua).await? {
        let mut client = QueryServiceClient::new(channel.clone());
        assert_eq!(client.get_services(GetServicesRequest {}).await?.into_inner().services, ["over-grpc"]);
        let query = TraceQueryParameters {
            service_name: spans.service().to_owned(),
            start_time_min: Some(from_now(-3600)),
            start_time_max: Some(from_now(60)),
            search_depth: 100,
            ..TraceQueryParameters::default()
        };
        let chunks = all(client.find_traces(FindTracesRequest { query: Some(query.clone()) }).await?.into_inner()).await?;
        assert!(chunks.iter().all(|c| c.spans.len() <= 10 && c.spans.iter().all(|s| s.trace_id == c.spans[0].trace_id)));
        let found = keys(&chunks);
        assert_eq!(found.len(), 300);
        assert_eq!(HashSet::from_iter(found), spans.keys(0..300));

        let query = QueryV3 {
            service_name: query.service_name,
            start_time_min: query.start_time_min,
            start_time_max: query.start_time_max,
            search_depth: 100,
            ..QueryV3::default()
        };
        let mut client = ClientV3::new(channel);
        let request = api_v3::FindTracesRequest { query: Some(query.clone()) };
        let traces = all(client.find_traces(request).await?.into_inner()).await?;
        let in_otlp = traces.iter().flat_map(|t| &t.resource_spans).flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans);
        let ids: HashSet<_> = in_otlp.map(|s| (s.trace_id.clone(), s.span_id.clone())).collect();
        assert_eq!((traces.len(), ids.len()), (30, 300));
        let request = api_v3::FindTraceSummariesRequest { query: Some(query) };
        let messages = all(client.find_trace_summaries(request).await?.into_inner()).await?;
        let counts: Vec<i32> = messages.iter().flat_map(|m| &m.summaries).map(|s| s.span_count).collect();
        assert_eq!(counts, [10; 30]);
    }
    skua.terminate_cleanly().await
}

/// Scenario: a span sent by Jaeger's own gRPC with all that its model has. Guarantee: it comes back over gRPC as it went in, to the
/// nanosecond, with Jaeger's format tag, and over HTTP as before.
#[tokio::test]
async fn a_jaeger_span_comes_back_as_it_went_in() -> Result<()> {
    let skua = Skua::start("all-in-one", &[], &[]).await?;
    let text = |key: &str, value: &str| KeyValue { key: key.to_owned(), v_str: value.to_owned(), ..KeyValue::default() };
    let id = 0xbeef_u128.to_be_bytes().to_vec();
    let sent = Span {
        trace_id: id.clone(),
        span_id: 7_u64.to_be_bytes().to_vec(),
        operation_name: "charge".to_owned(),
        references: vec![SpanRef {
            trace_id: 0xf00d_u128.to_be_bytes().to_vec(),
            span_id: 9_u64.to_be_bytes().to_vec(),
            ref_type: SpanRefType::FollowsFrom.into(),
        }],
        flags: 3,
        start_time: Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 }),
        duration: Some(prost_types::Duration { seconds: 1, nanos: 1 }),
        tags: vec![
            text("span.kind", "client"),
            KeyValue { key: "retries".to_owned(), v_type: ValueType::Int64.into(), v_int64: -7, ..KeyValue::default() },
            KeyValue { key: "body".to_owned(), v_type: ValueType::Binary.into(), v_binary: vec![0, 255], ..KeyValue::default() },
        ],
        process: Some(Process { service_name: "payments".to_owned(), tags: vec![text("hostname", "h")] }),
        ..Span::default()
    };
    #[derive(Clone, PartialEq, prost::Message)]
    struct PostSpansRequest {
        #[prost(message, optional, tag = "1")]
        batch: Option<Batch>,
    }
    let request = PostSpansRequest { batch: Some(Batch { spans: vec![sent.clone()], process: None }) };
    assert_eq!(post_spans(skua.ports().jaeger_grpc, request.encode_to_vec()).await, Answer::Accepted);
    Query::new(skua.ports().query_http).complete_trace("000000000000beef", 1).await?;
    for channel in clients(&skua).await? {
        let mut client = QueryServiceClient::new(channel);
        let request = GetTraceRequest { trace_id: id.clone(), raw_traces: true, ..GetTraceRequest::default() };
        let chunks = all(client.get_trace(request).await?.into_inner()).await?;
        let mut expected = sent.clone();
        expected.tags.push(text("@jaeger@format", "proto"));
        assert_eq!(chunks, [SpansResponseChunk { spans: vec![expected] }]);
    }
    Ok(())
}

/// Guarantee: both ports say that they are healthy and describe what they serve.
#[tokio::test]
async fn health_and_reflection() -> Result<()> {
    let skua = Skua::start("all-in-one", &[], &[]).await?;
    for channel in clients(&skua).await? {
        for service in ["", "jaeger.api_v2.QueryService", "jaeger.api_v3.QueryService"] {
            let request = HealthCheckRequest { service: service.to_owned() };
            let answer = HealthClient::new(channel.clone()).check(request).await?.into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
        }
        let list = Some(MessageRequest::ListServices(String::new()));
        let list = ServerReflectionRequest { host: String::new(), message_request: list };
        let answers = ServerReflectionClient::new(channel).server_reflection_info(futures::stream::iter([list])).await?;
        let answers = all(answers.into_inner()).await?;
        let Some(MessageResponse::ListServicesResponse(list)) = &answers[0].message_response else { panic!("{answers:?}") };
        let names: Vec<_> = list.service.iter().map(|s| &s.name[..]).collect();
        assert!(names.contains(&"jaeger.api_v2.QueryService") && names.contains(&"jaeger.api_v3.QueryService"), "{names:?}");
    }
    Ok(())
}
