//! `jaeger.api_v3.QueryService`.

use super::*;
use prost_types::Timestamp;
use skua_proto::jaeger::api_v3::query_service_client::QueryServiceClient;
use skua_proto::jaeger::api_v3::{
    Dependency, FindTraceSummariesRequest, FindTraceSummariesResponse, FindTracesRequest, GetDependenciesRequest,
    GetOperationsRequest, GetServicesRequest, GetTraceRequest, ServiceSummary, TraceQueryParameters, TraceSummary,
};
use skua_store::DependencyWriter;
use std::collections::HashMap;
use tonic::{Code, Response, Status, Streaming};

type Client = QueryServiceClient<Channel>;

/// All messages of an answer.
async fn all<T>(answer: Result<Response<Streaming<T>>, Status>) -> Result<Vec<T>, Status> {
    let (mut stream, mut messages) = (answer?.into_inner(), Vec::new());
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

async fn trace(client: &mut Client, trace_id: &str, raw_traces: bool) -> Result<Vec<TracesData>, Status> {
    let request = GetTraceRequest { trace_id: trace_id.to_owned(), raw_traces, ..GetTraceRequest::default() };
    all(client.get_trace(request).await).await
}

async fn find(client: &mut Client, query: Option<TraceQueryParameters>) -> Result<Vec<TracesData>, Status> {
    all(client.find_traces(FindTracesRequest { query }).await).await
}

async fn summaries(client: &mut Client, query: Option<TraceQueryParameters>) -> Result<Vec<FindTraceSummariesResponse>, Status> {
    all(client.find_trace_summaries(FindTraceSummariesRequest { query }).await).await
}

fn query(service: &str) -> TraceQueryParameters {
    TraceQueryParameters {
        service_name: service.to_owned(),
        start_time_min: seconds(START),
        start_time_max: seconds(START + 1),
        ..TraceQueryParameters::default()
    }
}

/// Service and number of spans of each resource.
fn resources(data: &TracesData) -> Vec<(String, usize)> {
    let service = |r: &ResourceSpans| {
        let attributes = r.resource.iter().flat_map(|r| &r.attributes);
        let name = attributes.filter(|kv| kv.key == "service.name").find_map(|kv| kv.value.clone()?.value);
        let Some(Value::StringValue(name)) = name else { panic!("{r:?} has no service") };
        (name, r.scope_spans.iter().map(|s| s.spans.len()).sum())
    };
    data.resource_spans.iter().map(service).collect()
}

fn named(counts: &[(&str, usize)]) -> Vec<(String, usize)> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn seconds(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::try_from(seconds).unwrap(), nanos: 0 })
}

fn error<T>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.err().unwrap();
    (status.code(), status.message().to_owned())
}

/// Guarantee: services and operations, of one kind or of all.
#[tokio::test]
async fn services_and_operations() {
    let server = serving(shop_and_bank()).await;
    for channel in server.clients().await {
        let mut client = Client::new(channel);
        assert_eq!(client.get_services(GetServicesRequest {}).await.unwrap().into_inner().services, ["bank", "shop"]);
        for (service, span_kind, names) in [
            ("bank", "", &["audit", "charge"][..]),
            ("bank", "server", &["audit", "charge"]),
            ("bank", "client", &[]),
            ("nobody", "", &[]),
        ] {
            let request = GetOperationsRequest { service: service.to_owned(), span_kind: span_kind.to_owned() };
            let operations = client.get_operations(request).await.unwrap().into_inner().operations;
            assert!(operations.iter().all(|o| o.span_kind == "server"));
            assert_eq!(operations.iter().map(|o| &o.name[..]).collect::<Vec<_>>(), names, "{service} {span_kind}");
        }
    }
    server.end().await;
}

/// Guarantee: links added up over times, and the words of Jaeger 2.20 when a time is missing.
#[tokio::test]
async fn dependencies() {
    let store = filled(shop_and_bank()).await;
    let link = |call_count| skua_store::DependencyLink {
        parent: "x".to_owned(),
        child: "y".to_owned(),
        call_count,
        source: String::new(),
    };
    store.write_dependencies(5_000_000, &[link(1)]).await.unwrap();
    store.write_dependencies(6_000_000, &[link(2)]).await.unwrap();
    let server = Server::over(stores(store, None));
    let mut client = Client::new(server.client().await);
    let request = GetDependenciesRequest { start_time: seconds(5), end_time: seconds(7) };
    let answer = client.get_dependencies(request).await.unwrap().into_inner();
    assert_eq!(answer.dependencies, [Dependency { parent: "x".to_owned(), child: "y".to_owned(), call_count: 3 }]);
    for (start_time, end_time, text) in [
        (None, None, "start_time is required"),
        (None, seconds(1), "start_time is required"),
        (seconds(1), None, "end_time is required"),
        (seconds(1), seconds(1), "end_time must be after start_time"),
        (seconds(2), seconds(1), "end_time must be after start_time"),
    ] {
        let answer = client.get_dependencies(GetDependenciesRequest { start_time, end_time }).await;
        assert_eq!(error(answer), (Code::InvalidArgument, text.to_owned()));
    }
    server.end().await;
}

/// Scenario: a trace of two services, by its id in hex, on both ports. Guarantees: one message with all spans in OTLP; with a warning
/// of the adjusters unless it is asked for raw; nothing for a trace that is not there; Jaeger's words for an id that is none.
#[tokio::test]
async fn a_trace_in_otlp() {
    let mut data = shop_and_bank();
    data.resource_spans[1].scope_spans[0].spans.push(span(0xabc, 40, 99, "lost"));
    let server = serving(data).await;
    for channel in server.clients().await {
        let mut client = Client::new(channel);
        for id in ["abc", "0ABC", "00000000000000000000000000000abc"] {
            let traces = trace(&mut client, id, false).await.unwrap();
            assert_eq!(traces.iter().map(resources).collect::<Vec<_>>(), [named(&[("shop", 23), ("bank", 3)])]);
            let first = &traces[0].resource_spans[0].scope_spans[0];
            assert_eq!(first.scope.as_ref().unwrap().name, "lib");
            let mut expected = span(0xabc, 1, 0, "look");
            expected.status = Some(Default::default());
            assert_eq!(first.spans[0], expected);
        }
        for (raw, warned) in [(false, true), (true, false)] {
            let traces = trace(&mut client, "abc", raw).await.unwrap();
            let spans = traces[0].resource_spans.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans);
            let warnings = spans.flat_map(|s| &s.attributes).any(|kv| kv.key == "@jaeger@warnings");
            assert_eq!(warnings, warned, "raw {raw}");
        }
        for id in ["1234", "0"] {
            assert!(trace(&mut client, id, false).await.unwrap().is_empty(), "{id}");
        }
        let long = "1".repeat(33);
        for (id, text) in [
            ("", "malform trace ID: strconv.ParseUint: parsing \"\": invalid syntax".to_owned()),
            ("xyz", "malform trace ID: strconv.ParseUint: parsing \"xyz\": invalid syntax".to_owned()),
            (&long, format!("malform trace ID: TraceID cannot be longer than 32 hex characters: {long}")),
        ] {
            assert_eq!(error(trace(&mut client, id, false).await), (Code::Unknown, text));
        }
    }
    server.end().await;
}

/// Scenario: searches with each of the parameters. Guarantees: one message a trace; summaries find the same; both times are required.
#[tokio::test]
async fn searches() {
    let server = serving(shop_and_bank()).await;
    let mut client = Client::new(server.client().await);
    let ns = |nanos| Some(prost_types::Duration { seconds: 0, nanos });
    let attributes = |key: &str, value: &str| HashMap::from([(key.to_owned(), value.to_owned())]);
    let (abc, def) = (named(&[("shop", 23), ("bank", 2)]), named(&[("bank", 1)]));
    let (both, none) = ([abc.clone(), def.clone()], []);
    let both = &both[..];
    for (what, query, found) in [
        ("service", query("shop"), &both[..1]),
        ("service of two traces", query("bank"), both),
        ("no service", query(""), both),
        ("unknown service", query("nobody"), &none[..]),
        ("operation", TraceQueryParameters { operation_name: "audit".to_owned(), ..query("bank") }, &both[1..]),
        ("attributes", TraceQueryParameters { attributes: attributes("who", "me"), ..query("bank") }, &both[1..]),
        ("other attributes", TraceQueryParameters { attributes: attributes("who", "you"), ..query("bank") }, &none),
        ("late", TraceQueryParameters { start_time_min: seconds(START + 1), ..query("bank") }, &none),
        ("early", TraceQueryParameters { start_time_max: seconds(START), ..query("bank") }, &none),
        ("shortest", TraceQueryParameters { duration_min: ns(2_000_000), ..query("bank") }, both),
        ("too long", TraceQueryParameters { duration_min: ns(2_001_000), ..query("bank") }, &none),
        ("longest", TraceQueryParameters { duration_max: ns(2_000_000), ..query("bank") }, both),
        ("too short", TraceQueryParameters { duration_max: ns(1_999_000), ..query("bank") }, &none),
        ("less than nothing", TraceQueryParameters { duration_max: ns(-1), ..query("bank") }, &none),
        ("depth", TraceQueryParameters { search_depth: 2, ..query("bank") }, both),
    ] {
        let traces = find(&mut client, Some(query.clone())).await.unwrap();
        assert_eq!(traces.iter().map(resources).collect::<Vec<_>>(), found, "{what}");
        let summaries = summaries(&mut client, Some(query)).await.unwrap();
        let counts: Vec<_> = summaries.iter().flat_map(|m| &m.summaries).map(|s| s.span_count as usize).collect();
        let expected: Vec<usize> = found.iter().map(|trace| trace.iter().map(|(_, count)| count).sum()).collect();
        assert_eq!(counts, expected, "{what}");
    }
    let one = Some(TraceQueryParameters { search_depth: 1, ..query("bank") });
    assert_eq!(find(&mut client, one).await.unwrap().len(), 1);

    let missing = (Code::InvalidArgument, "missing query".to_owned());
    assert_eq!(error(find(&mut client, None).await), missing);
    assert_eq!(error(summaries(&mut client, None).await), missing);
    let times = (Code::Unknown, "start time min and max are required parameters".to_owned());
    let unset = Some(Timestamp { seconds: -62_135_596_800, nanos: 0 });
    for (min, max) in [(None, None), (seconds(1), None), (None, seconds(1)), (unset, seconds(1)), (seconds(1), unset)] {
        let query = Some(TraceQueryParameters { start_time_min: min, start_time_max: max, ..query("bank") });
        assert_eq!(error(find(&mut client, query.clone()).await), times);
        assert_eq!(error(summaries(&mut client, query).await), times);
    }
    server.end().await;
}

/// Guarantee: a summary has the root, the times and all counts.
#[tokio::test]
async fn a_summary() {
    let mut data = shop_and_bank();
    data.resource_spans[1].scope_spans[0].spans.push(span(0xabc, 40, 99, "lost"));
    data.resource_spans[0].scope_spans[0].spans[4].status =
        Some(skua_proto::otlp::trace::v1::Status { code: 2, message: String::new() });
    let server = serving(data).await;
    for channel in server.clients().await {
        let messages = summaries(&mut Client::new(channel), Some(query("shop"))).await.unwrap();
        let service =
            |name: &str, span_count, error_span_count| ServiceSummary { name: name.to_owned(), span_count, error_span_count };
        let expected = TraceSummary {
            trace_id: "00000000000000000000000000000abc".to_owned(),
            root_service_name: "shop".to_owned(),
            root_operation_name: "look".to_owned(),
            min_start_time_unix_nano: START * 1_000_000_000 + 1000,
            max_end_time_unix_nano: START * 1_000_000_000 + 2_040_000,
            span_count: 26,
            error_span_count: 1,
            orphan_span_count: 1,
            services: vec![service("bank", 3, 0), service("shop", 23, 1)],
        };
        assert_eq!(messages, [FindTraceSummariesResponse { summaries: vec![expected] }]);
    }
    server.end().await;
}

/// Scenario: 45 traces. Guarantee: their summaries come in several messages, all of them and in the order of the search.
#[tokio::test]
async fn many_summaries() {
    let spans = (1..=45).map(|i| span(i, i, 0, "look")).collect();
    let server = serving(TracesData { resource_spans: vec![of_service("shop", spans)] }).await;
    let mut client = Client::new(server.client().await);
    let messages = summaries(&mut client, Some(query("shop"))).await.unwrap();
    assert!(messages.iter().all(|m| m.summaries.len() == 1), "each as soon as it is known");
    let ids: Vec<String> = messages.into_iter().flat_map(|m| m.summaries).map(|s| s.trace_id).collect();
    assert_eq!(ids, (1..=45).rev().map(|i| format!("{i:032x}")).collect::<Vec<_>>());
    server.end().await;
}

/// Scenario: a trace of 9 MiB, and a client with the default bound of 4 MiB. Guarantee: it gets all of it, in several messages.
#[tokio::test]
async fn large_traces_fit_into_what_clients_take() {
    let spans = (1..=9).map(|i| Span { attributes: vec![attribute("body", &"x".repeat(1 << 20))], ..span(1, i, 0, "look") });
    let server = serving(TracesData { resource_spans: vec![of_service("shop", spans.collect())] }).await;
    let mut client = Client::new(server.client().await);
    for traces in [trace(&mut client, "1", false).await.unwrap(), find(&mut client, Some(query("shop"))).await.unwrap()] {
        assert!(traces.len() > 1);
        assert_eq!(traces.iter().flat_map(resources).map(|(_, count)| count).sum::<usize>(), 9);
    }
    server.end().await;
}
