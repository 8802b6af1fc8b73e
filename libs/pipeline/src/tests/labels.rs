//! Jaeger's counters: what a span's labels are.

use super::*;

/// A batch in Jaeger's own model: (Jaeger's flags, it has a parent, its tag `sampler.type`).
fn jaeger(service: Option<&str>, spans: &[(u64, bool, Option<&str>)]) -> SpanBatch {
    let mut out = Vec::new();
    put_message(&mut out, 1, |out| {
        if let Some(service) = service {
            put_message(out, 1, |out| put_message(out, 1, |out| put_text(out, "service.name", service)));
        }
        put_message(out, 2, |out| {
            for (flags, child, sampler) in spans {
                put_message(out, 2, |out| {
                    put_bytes(out, 1, &[1; 16]);
                    put_bytes(out, 2, &[2; 8]);
                    if *child {
                        put_bytes(out, 4, &[3; 8]);
                    }
                    for (number, time) in [(7_u64, NOW), (8, NOW + 1)] {
                        put_varint(out, number << 3 | 1);
                        out.extend(time.to_le_bytes());
                    }
                    if let Some(sampler) = sampler {
                        put_message(out, 9, |out| put_text(out, "sampler.type", sampler));
                    }
                    put_varint(out, u64::from(JAEGER_FLAGS));
                    put_varint(out, *flags);
                });
            }
        });
    });
    SpanBatch::parse(out).expect("OTLP")
}

const SPANS: [(u64, bool, Option<&str>); 6] = [
    (1, false, Some("probabilistic")),
    (1, true, Some("probabilistic")),
    (3, false, Some("const")),
    (3, true, None),
    (1, false, Some("remote")),
    (1, false, None),
];

#[tokio::test]
async fn jaeger_spans_are_counted_by_debug_and_sampler() {
    let b = bench_with(9, &[], |_| Options::default());
    b.pipeline.deliver(jaeger(Some("Shop"), &SPANS), Transport::JaegerGrpc).await.unwrap();
    let spans = |debug| {
        let labels = format!("debug=\"{debug}\",format=\"proto\",svc=\"shop\",transport=\"grpc\"");
        let saved = format!("debug=\"{debug}\",result=\"ok\",svc=\"shop\"");
        let of = |name: &str, labels: &str| b.metric(&format!("jaeger_collector_spans_{name}_total{{{labels}}}"));
        (of("received", &labels), of("saved_by_svc", &saved))
    };
    assert_eq!((spans("false"), spans("true")), ((4, 4), (2, 2)));
    let traces = |debug, sampler| {
        let labels = format!("debug=\"{debug}\",format=\"proto\",sampler_type=\"{sampler}\",svc=\"shop\",transport=\"grpc\"");
        let saved = format!("debug=\"{debug}\",result=\"ok\",sampler_type=\"{sampler}\",svc=\"shop\"");
        let of = |name: &str, labels: &str| b.metric(&format!("jaeger_collector_traces_{name}_total{{{labels}}}"));
        (of("received", &labels), of("saved_by_svc", &saved))
    };
    assert_eq!(traces("false", "probabilistic"), (1, 1));
    assert_eq!(traces("true", "const"), (1, 1));
    assert_eq!(traces("false", "unrecognized"), (2, 2));
    assert_eq!(traces("false", "const"), (0, 0));
}

/// Jaeger counts what comes in before it names it, and what it saves after.
#[tokio::test]
async fn a_span_without_a_service_is_unknown_when_it_comes() {
    for (service, saved_as) in [
        (None, "missing-service-name"),
        (Some(""), "empty-service-name"),
        (Some("null-process-and-service-name"), "null-process-and-service-name"),
    ] {
        let b = bench_with(9, &[], |_| Options::default());
        b.pipeline.deliver(jaeger(service, &SPANS[..1]), Transport::JaegerHttp).await.unwrap();
        let received = "debug=\"false\",format=\"jaeger\",svc=\"__unknown\",transport=\"http\"";
        assert_eq!(b.metric(&format!("jaeger_collector_spans_received_total{{{received}}}")), 1);
        let saved = format!("debug=\"false\",result=\"ok\",svc=\"{saved_as}\"");
        assert_eq!(b.metric(&format!("jaeger_collector_spans_saved_by_svc_total{{{saved}}}")), 1);
    }
}

#[tokio::test]
async fn only_jaegers_formats_are_counted_as_received() {
    let b = bench_with(9, &[], |_| Options::default());
    for transport in [Transport::Otlp, Transport::Zipkin, Transport::JaegerUdp] {
        b.pipeline.deliver(batch(&[SOUND]), transport).await.unwrap();
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &b.registry).expect("text");
    let received: Vec<_> = text.lines().filter(|l| l.starts_with("jaeger_collector_spans_received_total{")).collect();
    let udp = "jaeger_collector_spans_received_total{debug=\"false\",format=\"jaeger\",svc=\"shop\",transport=\"udp\"} 1";
    assert_eq!(received, [udp]);
    for latency in ["in_queue_latency", "save_latency"] {
        assert_eq!(b.metric(&format!("jaeger_collector_{latency}_count{{host=\"here\"}}")), 3);
    }
}
