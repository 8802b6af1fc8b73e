//! `zipkincore.Span` in Jaeger's own model: over UDP with the agent's sanitizers, and from Kafka without them.

use crate::thrift_oracle::bytes;
use crate::zipkin_show::show;
use crate::zipkin_thrift::{Annotation, Binary, Host, Span, emit, list_of};
use skua_codec::thrift::{Method, Protocol, datagram};
use skua_codec::zipkin::{core_thrift, v1_thrift};
use skua_model::{Refusal, SpanBatch};

fn at(timestamp: i64, value: &str) -> Annotation {
    Annotation { timestamp, value: value.into(), host: None }
}

fn front() -> Host {
    Host { service: "front", ipv4: 0x0a00_0001, port: 8080, ipv6: None }
}

/// Address and port have their highest bit set.
fn back() -> Host {
    Host { service: "back", ipv4: -1_062_705_767, port: -25_536, ipv6: Some(vec![1; 16]) }
}

fn client() -> Annotation {
    Annotation { host: Some(front()), ..at(10, "cs") }
}

fn kafka(span: &Span) -> String {
    let mut out = Vec::new();
    core_thrift(&bytes(Protocol::Binary, |o| list_of(o, std::slice::from_ref(span))), &mut out).expect("a span");
    show(&out).join("\n")
}

/// Both protocols give the same.
fn udp(span: &Span) -> String {
    let [compact, binary] = [Protocol::Compact, Protocol::Binary].map(|protocol| {
        let mut out = Vec::new();
        let got = datagram(protocol, &bytes(protocol, |o| emit(o, std::slice::from_ref(span))), Some("proto"), &mut out)
            .expect("a datagram");
        assert_eq!((got.method, got.spans, got.client), (Method::EmitZipkinBatch, 1, None));
        show(&out).join("\n")
    });
    assert_eq!(compact, binary);
    compact
}

#[test]
fn a_clients_span() {
    let span = Span {
        trace_id_high: Some(0x463a_c35c_9f64_13ad),
        parent_id: Some(0xc3),
        timestamp: Some(10),
        duration: Some(90),
        debug: true,
        annotations: vec![client(), at(100, "cr"), at(50, "note"), at(60, "")],
        binary: vec![
            Binary::new("http.path", b"/api", 6),
            Binary::new("sa", &[1], 0).on(&back()),
            Binary::new("ca", &[1], 0),
            Binary::new("lc", b"okhttp", 6),
            Binary::new("jaegerClient", b"go-2", 6),
            Binary::new("jaeger.hostname", b"h1", 6),
        ],
        ..Span::default()
    };
    assert_eq!(
        kafka(&span),
        "resource {service.name=front, hostname=h1, ip=int:167772161, jaeger.version=go-2}\n\
         463ac35c9f6413ad00000000000000a1 00000000000000b2 \"get\" kind3 10000+90000 parent 00000000000000c3 \
         {http.path=/api, peer.service=back, peer.ipv4=int:3232261529, peer.ipv6=bytes:01010101010101010101010101010101, \
         peer.port=int:40000, component=okhttp, span.kind=client} event \"note\"@50000{}-0"
    );
    let mut out = Vec::new();
    core_thrift(&bytes(Protocol::Binary, |o| list_of(o, &[span])), &mut out).expect("a span");
    let batch = SpanBatch::parse(out).expect("OTLP");
    assert_eq!(batch.view(&batch.spans()[0]).jaeger_flags, Some(2), "it is marked as Jaeger's own");
}

/// All of a message's spans are taken, and those of the same process share a resource.
#[test]
fn all_spans_of_a_message() {
    let mut out = Vec::new();
    let span = |id| Span { id, annotations: vec![client()], ..Span::default() };
    core_thrift(&bytes(Protocol::Binary, |o| list_of(o, &[span(1), span(2), Span::default()])), &mut out).expect("spans");
    let lines = show(&out);
    assert_eq!(lines.iter().filter(|l| l.starts_with("resource")).count(), 2);
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[3], "resource {service.name=unknown-service-name}");
}

/// A span that client and server share becomes two; the second has only its kind and times.
#[test]
fn a_shared_span_is_two() {
    let rest = [at(20, "sr"), at(40, "ss"), at(100, "cr")];
    let client_first = Span { parent_id: Some(7), annotations: [&[client()][..], &rest].concat(), ..Span::default() };
    let lines: Vec<_> = kafka(&client_first).lines().map(str::to_owned).collect();
    assert!(lines[1].ends_with("kind3 10000+90000 parent 0000000000000007 {span.kind=client}"), "{lines:?}");
    assert!(
        lines[2].ends_with("00000000000000b2 \"get\" kind2 20000+20000 parent 0000000000000007 {span.kind=server}"),
        "{lines:?}"
    );
    let server_first = Span { annotations: vec![at(20, "sr"), client()], ..Span::default() };
    let lines: Vec<_> = kafka(&server_first).lines().map(str::to_owned).collect();
    assert!(lines[1].ends_with("kind2 10000+0 {span.kind=server}"), "{lines:?}");
    assert!(lines[2].ends_with("kind3 10000+0 {span.kind=client}"), "{lines:?}");
    let tagged = Span { binary: vec![Binary::new("span.kind", b"client", 6)], ..server_first };
    assert!(kafka(&tagged).ends_with("{span.kind=server}"), "the first tag decides");
    assert!(udp(&client_first).lines().skip(1).all(|l| l.contains("@jaeger@format=proto")));
}

#[test]
fn whose_service_it_is() {
    let on = |value, host| Annotation { host: Some(host), ..at(5, value) };
    let named = |service| Host { service, ..Host::default() };
    for (annotations, binary, want) in [
        (vec![on("x", named("a")), on("sr", named("b"))], vec![Binary::new("lc", b"", 6).on(&named("c"))], "b"),
        (vec![on("x", named("a")), on("sr", named(""))], vec![Binary::new("lc", b"", 6).on(&named("c"))], "c"),
        (vec![on("x", named("a"))], vec![Binary::new("k", b"", 6).on(&named("d"))], "a"),
        (vec![on("ms", named("m"))], vec![], "m"),
        (vec![], vec![Binary::new("k", b"", 6).on(&named("d")), Binary::new("l", b"", 6).on(&named("e"))], "d"),
        (vec![], vec![Binary::new("lc", b"part", 6)], "unknown-service-name"),
    ] {
        let got = kafka(&Span { annotations, binary, ..Span::default() });
        assert!(got.starts_with(&format!("resource {{service.name={want}}}\n")), "{want}: {got}");
    }
    let negative = kafka(&Span { annotations: vec![on("cs", back())], ..Span::default() });
    assert!(negative.starts_with("resource {service.name=back, ip=int:-1062705767}"), "{negative}");
}

#[test]
fn typed_values() {
    for (kind, value, want) in [
        (0, &[1][..], "bool:true"),
        (0, &[0, 1], "bool:false"),
        (1, &[0, 255], "bytes:00ff"),
        (2, &[255, 254], "int:-2"),
        (3, &[255, 255, 255, 254], "int:-2"),
        (4, &[255; 8], "int:-1"),
        (5, &2.5_f64.to_be_bytes(), "double:2.5"),
        (6, b"text", "text"),
        (2, &[1], "Cannot parse Zipkin value AQ==: unexpected EOF"),
        (4, &[], "Cannot parse Zipkin value : EOF"),
        (9, b"x", "Cannot parse Zipkin value eA==: unknown zipkin annotation type: 9"),
    ] {
        let got = kafka(&Span { binary: vec![Binary::new("k", value, kind)], ..Span::default() });
        assert!(got.ends_with(&format!("{{k={want}}}")), "{kind} {value:?}: {got}");
    }
}

/// Clients of before OpenTracing's logs put fields into JSON.
#[test]
fn annotations_as_logs() {
    for (value, want) in [
        ("plain", r#"event "plain"@5000{}-0"#),
        (r#"{"event":"e","a":"b"}"#, r#"event "e"@5000{a=b}-0"#),
        (r#" {"a":"b","event":"e"} "#, r#"event ""@5000{a=b, event=e}-0"#),
        (r#"{"a":null}"#, r#"event ""@5000{a=}-0"#),
        ("{}", r#"event ""@5000{}-0"#),
        ("null", r#"event ""@5000{}-0"#),
        (r#"{"a":1}"#, r#"event "{\"a\":1}"@5000{}-0"#),
        (r#"{"a":"b"}x"#, r#"event "{\"a\":\"b\"}x"@5000{}-0"#),
    ] {
        let got = kafka(&Span { annotations: vec![at(5, value)], ..Span::default() });
        assert!(got.ends_with(want), "{value}: {got}");
    }
}

/// The agent's sanitizers give start and duration; Kafka's spans keep what they have.
#[test]
fn times() {
    let notes = || vec![client(), at(100, "cr"), at(5, "x"), at(200, "last")];
    let server = || vec![at(30, "sr"), at(70, "ss")];
    let span = |timestamp, duration, annotations| Span { timestamp, duration, annotations, ..Span::default() };
    for (span, in_kafka, over_udp) in [
        (span(None, None, notes()), "10000+90000", "10000+90000"),
        (span(None, None, server()), "30000+40000", "30000+40000"),
        (Span { parent_id: Some(9), ..span(None, None, server()) }, "30000+40000", "30000+40000"),
        (span(None, None, vec![at(3, "x"), at(9, "y")]), "0+0", "3000+6000"),
        (span(None, None, vec![at(9, "x"), at(3, "y")]), "0+0", "0+1000"),
        (span(Some(1), None, vec![]), "1000+0", "1000+1000"),
        (span(Some(1), None, notes()), "1000+0", "1000+90000"),
        (span(Some(1), Some(0), notes()), "1000+0", "1000+0"),
        (span(Some(0), Some(5), notes()), "10000+5000", "10000+5000"),
        (span(Some(-7), Some(5), vec![]), "0+5000", "0+5000"),
    ] {
        assert!(kafka(&span).contains(&format!(" {in_kafka} ")), "{span:?}: {}", kafka(&span));
        assert!(udp(&span).contains(&format!(" {over_udp} ")), "{span:?}: {}", udp(&span));
    }
}

#[test]
fn the_agent_mends() {
    let negative = Span { timestamp: Some(10), duration: Some(-5), parent_id: Some(0), ..Span::default() };
    let got = udp(&negative);
    assert!(got.ends_with("10000+1000 {errNegativeDuration=-5, errZeroParentID=0, @jaeger@format=proto}"), "{got}");
    assert!(kafka(&negative).ends_with("10000+-5000 {}"));
    for (key, value, kind, tags) in [
        ("error", &b"true"[..], 6, "error=bool:true, after=x"),
        ("error", b"FALSE", 6, "error=bool:false, after=x"),
        ("error", b"", 1, "error=bool:true, after=x"),
        ("Error", b"boom", 6, "Error=bool:true, after=x, error.message=boom"),
        ("error", &[0], 0, "error=bool:false, after=x"),
    ] {
        let got = udp(&Span { binary: vec![Binary::new(key, value, kind), Binary::new("after", b"x", 6)], ..Span::default() });
        assert!(got.contains(&format!("{{{tags}, @jaeger@format")), "{key}: {got}");
    }
    let text = kafka(&Span { binary: vec![Binary::new("error", b"boom", 6)], ..Span::default() });
    assert!(text.ends_with("{error=boom}"), "{text}");
}

#[test]
fn errors_name_the_span() {
    for protocol in [Protocol::Compact, Protocol::Binary] {
        let packet = bytes(protocol, |o| emit(o, &[Span::default(), Span::default()]));
        let mut out = b"kept".to_vec();
        let error = datagram(protocol, &packet[..packet.len() - 4], None, &mut out).expect_err("cut").to_string();
        assert!(error.starts_with("thrift emitZipkinBatch: failed to read span 1 of the list of Zipkin spans: "), "{error}");
        assert_eq!(out, b"kept");
    }
}

/// Spans of nothing are refused by the batch, and a message of millions of them stays in proportion.
#[test]
fn empty_spans_stay_in_proportion() {
    const COUNT: usize = 100_000;
    let body = [&[12][..], &(COUNT as u32).to_be_bytes(), &vec![0; COUNT]].concat();
    for read in [core_thrift, v1_thrift] {
        let mut out = Vec::new();
        read(&body, &mut out).expect("a list");
        assert!(out.len() < 2 * body.len() + 100, "{} bytes", out.len());
        let batch = SpanBatch::parse(out).expect("OTLP");
        assert_eq!((batch.len(), batch.refused().of(Refusal::ZeroTraceId)), (0, COUNT as u64));
    }
}
