//! `jaeger.api_v2.QueryService`.

use super::*;
use prost_types::Timestamp;
use skua_proto::jaeger::api_v2::query_service_client::QueryServiceClient;
use skua_proto::jaeger::api_v2::{
    ArchiveTraceRequest, DependencyLink, FindTracesRequest, GetDependenciesRequest, GetOperationsRequest, GetServicesRequest,
    GetTraceRequest, Operation, SpansResponseChunk, TraceQueryParameters, ValueType,
};
use skua_store::DependencyWriter;
use std::collections::HashMap;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Response, Status, Streaming};

type Client = QueryServiceClient<Channel>;

/// All chunks of an answer.
async fn all(answer: Result<Response<Streaming<SpansResponseChunk>>, Status>) -> Result<Vec<SpansResponseChunk>, Status> {
    let (mut stream, mut chunks) = (answer?.into_inner(), Vec::new());
    while let Some(chunk) = stream.message().await? {
        chunks.push(chunk);
    }
    Ok(chunks)
}

async fn trace(client: &mut Client, trace_id: Vec<u8>) -> Result<Vec<SpansResponseChunk>, Status> {
    all(client.get_trace(GetTraceRequest { trace_id, ..GetTraceRequest::default() }).await).await
}

async fn find(client: &mut Client, query: TraceQueryParameters) -> Result<Vec<SpansResponseChunk>, Status> {
    all(client.find_traces(FindTracesRequest { query: Some(query) }).await).await
}

fn sizes(chunks: &[SpansResponseChunk]) -> Vec<usize> {
    chunks.iter().map(|c| c.spans.len()).collect()
}

fn query(service: &str) -> TraceQueryParameters {
    TraceQueryParameters { service_name: service.to_owned(), ..TraceQueryParameters::default() }
}

fn seconds(seconds: u64) -> Option<Timestamp> {
    Some(Timestamp { seconds: i64::try_from(seconds).unwrap(), nanos: 0 })
}

fn error<T>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.err().unwrap();
    (status.code(), status.message().to_owned())
}

/// Scenario: a trace of 25 spans, by its id of 16 and of 8 bytes, on both ports. Guarantees: chunks of ten, spans in order of
/// start, each with its own process and what Jaeger makes of OTLP; warnings of the adjusters unless it is asked for raw.
#[tokio::test]
async fn a_trace_comes_in_chunks() {
    let server = serving(shop_and_bank()).await;
    for channel in server.clients().await {
        let mut client = Client::new(channel);
        let chunks = trace(&mut client, trace_id(0xabc)).await.unwrap();
        assert_eq!(sizes(&chunks), [10, 10, 5]);
        assert_eq!(trace(&mut client, trace_id(0xabc)[8..].to_vec()).await.unwrap(), chunks);
        let spans: Vec<_> = chunks.into_iter().flat_map(|c| c.spans).collect();
        let ids: Vec<u64> = spans.iter().map(|s| u64::from_be_bytes(s.span_id[..].try_into().unwrap())).collect();
        assert_eq!(ids, (1..=23).chain([30, 31]).collect::<Vec<u64>>());
        let charge = spans.last().unwrap();
        assert_eq!((&charge.operation_name[..], &charge.process.as_ref().unwrap().service_name[..]), ("charge", "bank"));
        assert_eq!((&charge.trace_id, charge.references[0].span_id.clone()), (&trace_id(0xabc), 4_u64.to_be_bytes().to_vec()));
        assert_eq!(charge.start_time, Some(Timestamp { seconds: START as i64, nanos: 31_000 }));
        assert_eq!(charge.duration, Some(prost_types::Duration { seconds: 0, nanos: 2_000_000 }));
        let tags: Vec<_> = charge.tags.iter().map(|t| (&t.key[..], t.v_type(), &t.v_str[..])).collect();
        assert_eq!(tags, [("otel.scope.name", ValueType::String, "lib"), ("span.kind", ValueType::String, "server")]);
    }
    server.end().await;
}

/// Scenario: a span whose parent is not there. Guarantee: an adjuster's warning says so, and none does when it is asked for raw.
#[tokio::test]
async fn raw_traces_are_not_adjusted() {
    let server = serving(TracesData { resource_spans: vec![of_service("shop", vec![span(1, 1, 9, "look")])] }).await;
    let mut client = Client::new(server.client().await);
    let warnings = |chunks: Vec<SpansResponseChunk>| chunks[0].spans[0].warnings.clone();
    for (raw_traces, count) in [(false, 1), (true, 0)] {
        let request = GetTraceRequest { trace_id: trace_id(1), raw_traces, ..GetTraceRequest::default() };
        assert_eq!(warnings(all(client.get_trace(request).await).await.unwrap()).len(), count);
        let query = TraceQueryParameters { raw_traces, ..query("shop") };
        assert_eq!(warnings(find(&mut client, query).await.unwrap()).len(), count);
    }
    server.end().await;
}

/// Guarantee: every wrong request is told what is wrong with it in Jaeger's words.
#[tokio::test]
async fn wrong_requests() {
    let server = serving(shop_and_bank()).await;
    for channel in server.clients().await {
        let mut client = Client::new(channel);
        let zero = (Code::InvalidArgument, "uninitialized TraceID is not allowed".to_owned());
        let length = (Code::Internal, "grpc: failed to unmarshal the received message: invalid length for TraceID".to_owned());
        let unknown = (Code::NotFound, "trace not found: trace not found".to_owned());
        let no_archive = (Code::Internal, "failed to archive trace: archive span storage was not configured".to_owned());
        for (id, of_trace, of_archive) in [
            (vec![], &zero, &zero),
            (vec![0; 8], &zero, &zero),
            (vec![0; 16], &zero, &zero),
            (vec![1; 3], &length, &length),
            (vec![1; 17], &length, &length),
            (vec![1; 16], &unknown, &no_archive),
            (vec![1; 8], &unknown, &no_archive),
        ] {
            assert_eq!(error(trace(&mut client, id.clone()).await), *of_trace, "{id:?}");
            let request = ArchiveTraceRequest { trace_id: id.clone(), ..ArchiveTraceRequest::default() };
            assert_eq!(error(client.archive_trace(request).await), *of_archive, "{id:?}");
        }
        let missing = (Code::InvalidArgument, "missing query".to_owned());
        assert_eq!(error(all(client.find_traces(FindTracesRequest { query: None }).await).await), missing);

        let unset = Some(Timestamp { seconds: -62_135_596_800, nanos: 0 });
        let times = (Code::InvalidArgument, "StartTime and EndTime must be initialized.".to_owned());
        for (start_time, end_time) in
            [(None, None), (seconds(1), None), (None, seconds(1)), (unset, seconds(1)), (seconds(1), unset)]
        {
            assert_eq!(error(client.get_dependencies(GetDependenciesRequest { start_time, end_time }).await), times);
        }
    }
    server.end().await;
}

/// Scenario: searches with each of the parameters. Guarantees: they are taken as they are, none is required, and spans of one trace
/// come together.
#[tokio::test]
async fn searches() {
    let server = serving(shop_and_bank()).await;
    let mut client = Client::new(server.client().await);
    let ns = |nanos| Some(prost_types::Duration { seconds: 0, nanos });
    let tags = |key: &str, value: &str| HashMap::from([(key.to_owned(), value.to_owned())]);
    let both = [10, 10, 5, 1];
    for (what, query, found) in [
        ("nothing", TraceQueryParameters::default(), &both[..]),
        ("service", query("shop"), &both[..3]),
        ("service of two traces", query("bank"), &both),
        ("unknown service", query("nobody"), &[]),
        ("operation", TraceQueryParameters { operation_name: "audit".to_owned(), ..query("bank") }, &both[3..]),
        ("another's operation", TraceQueryParameters { operation_name: "audit".to_owned(), ..query("shop") }, &[]),
        ("tags", TraceQueryParameters { tags: tags("who", "me"), ..query("bank") }, &both[3..]),
        ("other tags", TraceQueryParameters { tags: tags("who", "you"), ..query("bank") }, &[]),
        ("start", TraceQueryParameters { start_time_min: seconds(START), ..query("bank") }, &both),
        ("late start", TraceQueryParameters { start_time_min: seconds(START + 1), ..query("bank") }, &[]),
        ("end", TraceQueryParameters { start_time_max: seconds(START + 1), ..query("bank") }, &both),
        ("early end", TraceQueryParameters { start_time_max: seconds(START), ..query("bank") }, &[]),
        ("1970", TraceQueryParameters { start_time_max: seconds(0), ..query("bank") }, &[]),
        (
            "end before start",
            TraceQueryParameters { start_time_min: seconds(9), start_time_max: seconds(8), ..query("bank") },
            &[],
        ),
        ("shortest", TraceQueryParameters { duration_min: ns(2_000_000), ..query("bank") }, &both),
        ("too long", TraceQueryParameters { duration_min: ns(2_001_000), ..query("bank") }, &[]),
        ("longest", TraceQueryParameters { duration_max: ns(2_000_000), ..query("bank") }, &both),
        ("too short", TraceQueryParameters { duration_max: ns(1_999_000), ..query("bank") }, &[]),
        ("a nanosecond", TraceQueryParameters { duration_max: ns(1), ..query("bank") }, &[]),
        ("less than nothing", TraceQueryParameters { duration_max: ns(-1), ..query("bank") }, &[]),
        ("no depth", TraceQueryParameters { search_depth: -1, ..query("bank") }, &both),
    ] {
        assert_eq!(sizes(&find(&mut client, query).await.unwrap()), found, "{what}");
    }
    let one = find(&mut client, TraceQueryParameters { search_depth: 1, ..query("bank") }).await.unwrap();
    let ids: Vec<_> = one.iter().flat_map(|c| &c.spans).map(|s| &s.trace_id).collect();
    assert!(ids.windows(2).all(|two| two[0] == two[1]), "one trace");
    server.end().await;
}

/// Guarantee: services and operations, with and without a kind, and each name once.
#[tokio::test]
async fn services_and_operations() {
    let mut data = shop_and_bank();
    data.resource_spans[0].scope_spans[0].spans[0].kind = 3;
    let server = serving(data).await;
    for channel in server.clients().await {
        let mut client = Client::new(channel).send_compressed(CompressionEncoding::Gzip);
        assert_eq!(client.get_services(GetServicesRequest {}).await.unwrap().into_inner().services, ["bank", "shop"]);
        let operation = |name: &str, kind: &str| Operation { name: name.to_owned(), span_kind: kind.to_owned() };
        let (buy, look) = (operation("buy", "server"), operation("look", "server"));
        for (service, span_kind, names, operations) in [
            ("shop", "", &["buy", "look"][..], vec![buy.clone(), operation("look", "client"), look.clone()]),
            ("shop", "server", &["buy", "look"], vec![buy, look]),
            ("shop", "client", &["look"], vec![operation("look", "client")]),
            ("shop", "nothing", &[], vec![]),
            ("nobody", "", &[], vec![]),
            ("", "", &[], vec![]),
        ] {
            let request = GetOperationsRequest { service: service.to_owned(), span_kind: span_kind.to_owned() };
            let answer = client.get_operations(request).await.unwrap().into_inner();
            assert_eq!(
                (&answer.operation_names[..], answer.operations),
                (&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()[..], operations)
            );
        }
    }
    server.end().await;
}

/// Scenario: links of two times, and calls counted from traces. Guarantee: they come as they were written, with who counted them.
#[tokio::test]
async fn dependencies() {
    let store = filled(shop_and_bank()).await;
    let link = |call_count| skua_store::DependencyLink {
        parent: "x".to_owned(),
        child: "y".to_owned(),
        call_count,
        source: "mesh".to_owned(),
    };
    store.write_dependencies(5_000_000, &[link(1)]).await.unwrap();
    store.write_dependencies(6_000_000, &[link(2)]).await.unwrap();
    let server = Server::over(stores(store, None));
    let mut client = Client::new(server.client().await);
    let expected = |parent: &str, child: &str, call_count, source: &str| DependencyLink {
        parent: parent.to_owned(),
        child: child.to_owned(),
        call_count,
        source: source.to_owned(),
    };
    let counted = expected("shop", "bank", 2, "jaeger");
    let written = [expected("x", "y", 1, "mesh"), expected("x", "y", 2, "mesh")];
    for (start, end, links) in [
        (5, 7, &written[..]),
        (5, 6, &written[..1]),
        (0, 5, &[]),
        (7, 5, &[]),
        (START - 10, START + 10, std::slice::from_ref(&counted)),
    ] {
        let request = GetDependenciesRequest { start_time: seconds(start), end_time: seconds(end) };
        assert_eq!(client.get_dependencies(request).await.unwrap().into_inner().dependencies, links, "{start} to {end}");
    }
    server.end().await;
}

/// Scenario: a trace is archived, then asked for where only the archive has it. Guarantees: it comes; a search does not look there;
/// a trace that is nowhere is not found.
#[tokio::test]
async fn archiving() {
    let archive = memory();
    let server = Server::over(stores(filled(shop_and_bank()).await, Some(archive.clone())));
    let mut client = Client::new(server.client().await);
    let before = trace(&mut client, trace_id(0xabc)).await.unwrap();
    let archive_it = |trace_id| ArchiveTraceRequest { trace_id, ..ArchiveTraceRequest::default() };
    client.archive_trace(archive_it(trace_id(0xabc))).await.unwrap();
    let unknown = (Code::NotFound, "trace not found: trace not found".to_owned());
    assert_eq!(error(client.archive_trace(archive_it(vec![1; 16])).await), unknown);
    server.end().await;

    let server = Server::over(stores(memory(), Some(archive)));
    let mut client = Client::new(server.client().await);
    assert_eq!(trace(&mut client, trace_id(0xabc)).await.unwrap(), before);
    assert!(find(&mut client, query("shop")).await.unwrap().is_empty());
    assert_eq!(error(trace(&mut client, trace_id(0xdef)).await), unknown);
    server.end().await;
}

/// Scenario: spans of 1 MiB, and a client with the default bound of 4 MiB. Guarantee: it gets all of them.
#[tokio::test]
async fn large_spans_fit_into_what_clients_take() {
    let spans = (1..=9).map(|i| Span { attributes: vec![attribute("body", &"x".repeat(1 << 20))], ..span(1, i, 0, "look") });
    let server = serving(TracesData { resource_spans: vec![of_service("shop", spans.collect())] }).await;
    for channel in server.clients().await {
        assert_eq!(sizes(&trace(&mut Client::new(channel), trace_id(1)).await.unwrap()), [3, 3, 3]);
    }
    server.end().await;
}
