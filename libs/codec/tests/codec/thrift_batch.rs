//! `jaeger.Batch`: each rule of the translation, and each error.

use crate::api_v2::{KeyValue, Process, Span, Time, a_span, boolean, process, reference, span, string};
use crate::jaeger_batch::back;
use crate::thrift_oracle::{self as oracle, Batch, bytes, field, i32, i64, list, packet, structure};
use ::thrift::protocol::{TListIdentifier, TMapIdentifier, TOutputProtocol, TType};
use proptest::collection::vec;
use proptest::prelude::*;
use skua_codec::thrift::{self, Protocol};
use skua_model::SpanBatch;

type Output<'a> = &'a mut dyn TOutputProtocol;

fn parse(body: &[u8]) -> SpanBatch {
    let mut out = Vec::new();
    thrift::batch(body, None, &mut out).expect("a batch");
    SpanBatch::parse(out).expect("OTLP")
}

/// The error of a body that is not a batch; nothing is written.
fn error(body: &[u8]) -> String {
    let mut out = b"kept".to_vec();
    let error = thrift::batch(body, None, &mut out).expect_err("not a batch");
    assert_eq!(out, b"kept");
    error.to_string()
}

fn one(span: Span) -> Batch {
    Batch { spans: vec![span], ..Batch::default() }
}

fn in_microseconds(mut span: Span) -> Span {
    let cut = |t: &mut Option<Time>| *t = t.map(|t| Time { nanos: t.nanos / 1_000 * 1_000, ..t });
    cut(&mut span.start_time);
    cut(&mut span.duration);
    span.logs.iter_mut().for_each(|log| cut(&mut log.timestamp));
    span
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What Apache's library writes in either protocol comes back, whichever way the parent goes.
    #[test]
    fn any_batch_comes_back(
        spans in vec(span().prop_map(in_microseconds), 1..20),
        process in process(),
        format in proptest::option::of("[a-z]{0,5}"),
        parent_ids in any::<bool>(),
    ) {
        let sent = Batch { process, spans, parent_ids, ..Batch::default() };
        let want: Vec<_> = sent.spans.iter().cloned().map(|mut s| {
            s.process = Some(sent.process.clone());
            s.warnings.clear();
            s.tags.extend(format.as_deref().map(|f| string("@jaeger@format", f)));
            s
        }).collect();
        let mut out = Vec::new();
        thrift::batch(&oracle::body(&sent), format.as_deref(), &mut out).expect("a batch");
        prop_assert_eq!(&back(&SpanBatch::parse(out).expect("OTLP")), &want);
        for protocol in [Protocol::Compact, Protocol::Binary] {
            let mut out = Vec::new();
            let got = thrift::datagram(protocol, &packet(protocol, &sent), format.as_deref(), &mut out).expect("a batch");
            prop_assert_eq!(got.spans, want.len());
            prop_assert_eq!(&back(&SpanBatch::parse(out).expect("OTLP")), &want);
        }
    }
}

/// A `Span` of nothing but what is required; `change` writes each field, or another in its place.
fn bare_span(o: Output<'_>, change: &dyn Fn(Output<'_>, i16) -> bool) {
    structure(o, |o| {
        for id in 1..=12 {
            if change(o, id) {
                continue;
            }
            match id {
                1..=3 => i64(o, id, 1),
                4 => i64(o, id, 0),
                5 => oracle::string(o, id, "op"),
                7 => i32(o, id, 1),
                8 => i64(o, id, 5_000_000),
                9 => i64(o, id, 1_000_000),
                _ => {}
            }
        }
    });
}

/// A `Batch` of one [`bare_span`].
fn with(change: impl Fn(Output<'_>, i16) -> bool) -> Vec<u8> {
    bytes(Protocol::Binary, |o| {
        structure(o, |o| {
            field(o, 1, TType::Struct, |o| oracle::put_process(o, &Batch::default().process));
            list(o, 2, &[()], |o, _| bare_span(o, &change));
        });
    })
}

#[test]
fn a_parent_id_is_a_first_child_of() {
    let named = |trace: i64, kind: i32| {
        with(move |o, id| {
            match id {
                4 => i64(o, 4, 7),
                6 => list(o, 6, &[()], |o, _| {
                    structure(o, |o| {
                        i32(o, 1, kind);
                        i64(o, 2, trace);
                        i64(o, 3, 1);
                        i64(o, 4, 7);
                    });
                }),
                _ => return false,
            }
            true
        })
    };
    let kinds =
        |body: &[u8]| -> Vec<_> { back(&parse(body))[0].references.iter().map(|r| (r.trace_id[15], r.ref_type)).collect() };
    let alone = with(|o, id| {
        id == 4 && {
            i64(o, 4, 7);
            true
        }
    });
    assert_eq!(kinds(&alone), [(1, 0)]);
    assert_eq!(kinds(&named(1, 0)), [(1, 0)], "once");
    assert_eq!(kinds(&named(1, 1)), [(1, 1)], "whatever its type");
    assert_eq!(kinds(&named(2, 0)), [(1, 0), (2, 0)], "of another trace it is another span");
    let batch = parse(&named(2, 0));
    assert_eq!(batch.view(&batch.spans()[0]).parent_span_id, [0, 0, 0, 0, 0, 0, 0, 7]);
}

/// References of types that do not exist follow, as they do from protobuf.
#[test]
fn odd_references_follow() {
    let batch = Batch { spans: vec![Span { references: vec![reference(5, 3, 9)], ..a_span() }], ..Batch::default() };
    assert_eq!(back(&parse(&oracle::body(&batch)))[0].references, [reference(5, 3, 1)]);
}

#[test]
fn odd_times_are_bounded() {
    let times = |start: i64, duration: i64| {
        let body = with(|o, id| match id {
            8 => {
                i64(o, 8, start);
                true
            }
            9 => {
                i64(o, 9, duration);
                true
            }
            _ => false,
        });
        let batch = parse(&body);
        let view = batch.view(&batch.spans()[0]);
        (view.start, view.end)
    };
    assert_eq!(times(-1, 5), (0, 5_000));
    assert_eq!(times(i64::MIN, i64::MIN), (0, 0));
    assert_eq!(times(5, -1), (5_000, 4_000));
    assert_eq!(times(5, -6), (5_000, 0));
    assert_eq!(times(5, 0), (5_000, 5_000));
    assert_eq!(times(i64::MAX, i64::MAX), (u64::MAX, u64::MAX));
    assert_eq!(times(0, i64::MIN), (0, 0));
}

/// As Jaeger's own sanitizer does.
#[test]
fn a_negative_duration_is_mended() {
    let body = with(|o, id| {
        id == 9 && {
            i64(o, 9, -1_500);
            true
        }
    });
    let (batch, _) = skua_model::repair(parse(&body)).expect("mended");
    let span = &back(&batch)[0];
    assert_eq!(span.duration, Some(Time { seconds: 0, nanos: 1 }));
    assert_eq!((&span.tags[0].key[..], span.tags[0].v_type), ("InvalidNegativeDuration", 4));
}

#[test]
fn kind_and_error_are_seen() {
    let span = Span { tags: vec![string("span.kind", "Client"), boolean("error", true)], ..a_span() };
    let batch = parse(&oracle::body(&one(span)));
    let view = batch.view(&batch.spans()[0]);
    assert_eq!((view.kind, view.status_code, view.attributes().count()), (3, 2, 2));
}

#[test]
fn odd_tags_are_kept() {
    let tag = |v_type| KeyValue { key: "k".into(), v_type, v_str: "v".into(), ..Default::default() };
    for v_type in [5, -1, i32::MAX] {
        let got = back(&parse(&oracle::body(&one(Span { tags: vec![tag(v_type)], ..a_span() }))));
        assert_eq!(got[0].tags, [string("k", "Unknown VType: <UNSET>")], "{v_type}");
    }
}

/// A name that is empty is the sanitizer's business, which the view does.
#[test]
fn an_empty_service_name_is_named() {
    let process = Process { service_name: String::new(), tags: vec![string("a", "b")] };
    let batch = parse(&oracle::body(&Batch { process, ..one(a_span()) }));
    assert_eq!(batch.process(0).service, b"empty-service-name");
    assert_eq!(back(&batch)[0].process.as_ref().map(|p| p.tags.len()), Some(1));
}

#[test]
fn ids_of_zero_are_for_the_batch_to_refuse() {
    let body = with(|o, id| {
        (id == 1 || id == 2) && {
            i64(o, id, 0);
            true
        }
    });
    let batch = parse(&body);
    assert_eq!((batch.len(), batch.refused().of(skua_model::Refusal::ZeroTraceId)), (0, 1));
}

#[test]
fn no_spans_are_nothing() {
    for process in [Process::default(), Batch::default().process] {
        let mut out = Vec::new();
        thrift::batch(&oracle::body(&Batch { process, ..Batch::default() }), Some("jaeger"), &mut out).expect("a batch");
        assert!(out.is_empty());
    }
}

/// Clients write the process first; who does not is understood too. Of a field that is there twice the last one counts.
#[test]
fn fields_come_in_any_order() {
    let process = |name: &str| {
        let process = Process { service_name: name.into(), tags: vec![] };
        move |o: Output<'_>| field(o, 1, TType::Struct, |o| oracle::put_process(o, &process))
    };
    let spans = |names: &'static [&'static str]| {
        move |o: Output<'_>| {
            list(o, 2, names, |o, name| {
                bare_span(o, &|o, id| {
                    id == 5 && {
                        oracle::string(o, 5, name);
                        true
                    }
                })
            });
        }
    };
    type Write<'a> = &'a dyn Fn(Output<'_>);
    let (p, q, a, bc) = (process("p"), process("q"), spans(&["a"]), spans(&["b", "c"]));
    let orders: [(&[Write<'_>], &str, &[&str]); 6] = [
        (&[&p, &a], "p", &["a"]),
        (&[&a, &p], "p", &["a"]),
        (&[&p, &a, &bc], "p", &["b", "c"]),
        (&[&p, &bc, &a, &a], "p", &["a"]),
        (&[&p, &a, &q], "q", &["a"]),
        (&[&bc, &p, &a, &q, &bc], "q", &["b", "c"]),
    ];
    for (fields, service, want) in orders {
        let body = bytes(Protocol::Binary, |o| structure(o, |o| fields.iter().for_each(|write| write(o))));
        let batch = parse(&body);
        let got = back(&batch);
        let names: Vec<_> = got.iter().map(|s| &s.operation_name[..]).collect();
        assert_eq!((batch.process(0).service, &names[..]), (service.as_bytes(), want));
    }
    let body = with(|o, id| {
        id == 5 && {
            oracle::string(o, 5, "first");
            oracle::string(o, 5, "last");
            true
        }
    });
    assert_eq!(back(&parse(&body))[0].operation_name, "last");
}

/// One of every type, as a later version of `jaeger.thrift` may have it.
fn put_unknown(o: Output<'_>) {
    field(o, 100, TType::Bool, |o| o.write_bool(true).expect("written"));
    field(o, 101, TType::I08, |o| o.write_i8(1).expect("written"));
    field(o, 102, TType::I16, |o| o.write_i16(-300).expect("written"));
    field(o, 103, TType::Double, |o| o.write_double(1.5).expect("written"));
    field(o, 104, TType::Map, |o| {
        o.write_map_begin(&TMapIdentifier::new(TType::String, TType::Struct, 2)).expect("written");
        for key in ["a", "b"] {
            o.write_string(key).expect("written");
            structure(o, |o| i64(o, 1, 5));
        }
        o.write_map_end().expect("written");
    });
    list(o, 105, &[1, 2], |o, v| structure(o, |o| i32(o, 300, *v)));
    field(o, 106, TType::List, |o| {
        o.write_list_begin(&TListIdentifier::new(TType::Bool, 20)).expect("written");
        (0..20).for_each(|i| o.write_bool(i % 2 == 0).expect("written"));
        o.write_list_end().expect("written");
    });
    i32(o, -5, 5);
}

/// Fields that nobody knows, and known ones of another type than their own, are passed over.
#[test]
fn other_fields_are_passed_over() {
    for protocol in [Protocol::Compact, Protocol::Binary] {
        let span = |o: Output<'_>| {
            bare_span(o, &|o, id| {
                match id {
                    6 => i64(o, 6, 1),
                    10 => list(o, 10, &[()], |o, _| {
                        structure(o, |o| {
                            oracle::string(o, 1, "k");
                            i32(o, 3, 5);
                            i32(o, 2, 0);
                            i64(o, 5, 5);
                            put_unknown(o);
                        });
                    }),
                    11 => oracle::string(o, 11, "logs"),
                    12 => put_unknown(o),
                    _ => return false,
                }
                true
            });
        };
        let packet = bytes(protocol, |o| {
            oracle::call(o, "emitBatch", |o| {
                put_unknown(o);
                field(o, 1, TType::Struct, |o| {
                    structure(o, |o| {
                        field(o, 1, TType::Struct, |o| {
                            structure(o, |o| {
                                put_unknown(o);
                                oracle::string(o, 1, "s");
                                i64(o, 2, 5);
                            });
                        });
                        list(o, 2, &[(), ()], |o, _| span(o));
                        oracle::string(o, 3, "seqNo");
                        i64(o, 4, 5);
                        put_unknown(o);
                    });
                });
            });
        });
        let mut out = Vec::new();
        let got = thrift::datagram(protocol, &packet, None, &mut out).expect("a batch");
        assert_eq!((got.spans, got.client), (2, None));
        let spans = back(&SpanBatch::parse(out).expect("OTLP"));
        assert_eq!((&spans[1].operation_name[..], &spans[1].tags[..], spans[1].logs.len()), ("op", &[string("k", "")][..], 0));
    }
}

/// As in Go's reader, whose text it is.
#[test]
fn required_fields_are_required() {
    let missing = |place: &str| format!("thrift {place}: required field is not set");
    let names = ["traceIdLow", "traceIdHigh", "spanId", "parentSpanId", "operationName", "", "flags", "startTime", "duration"];
    for (id, name) in (1..).zip(names).filter(|(_, name)| !name.is_empty()) {
        let want = format!("span 0 of the batch: {}", missing(&format!("Span.{name}")));
        assert_eq!(error(&with(|_, i| i == id)), want);
        let other_type = with(|o, i| {
            i == id && {
                field(o, id, TType::Bool, |o| o.write_bool(true).expect("written"));
                true
            }
        });
        assert_eq!(error(&other_type), want);
    }
    // A list of one struct that has all its fields but one.
    type Part = (i16, &'static [(&'static str, fn(Output<'_>, i16))], &'static str);
    const PARTS: [Part; 3] = [
        (
            6,
            &[
                ("refType", |o, id| i32(o, id, 0)),
                ("traceIdLow", |o, id| i64(o, id, 0)),
                ("traceIdHigh", |o, id| i64(o, id, 0)),
                ("spanId", |o, id| i64(o, id, 0)),
            ],
            "SpanRef",
        ),
        (10, &[("key", |o, id| oracle::string(o, id, "")), ("vType", |o, id| i32(o, id, 0))], "Tag"),
        (11, &[("timestamp", |o, id| i64(o, id, 0)), ("fields", |o, id| list(o, id, &[] as &[()], |_, ()| ()))], "Log"),
    ];
    for (at, fields, name) in PARTS {
        for (left_out, (field_name, _)) in fields.iter().enumerate() {
            let body = with(|o, id| {
                id == at && {
                    list(o, at, &[()], |o, _| {
                        structure(o, |o| {
                            for (n, (_, write)) in fields.iter().enumerate().filter(|(n, _)| *n != left_out) {
                                write(o, n as i16 + 1);
                            }
                        });
                    });
                    true
                }
            });
            assert_eq!(error(&body), format!("span 0 of the batch: {}", missing(&format!("{name}.{field_name}"))));
        }
    }
    let batch = |write: &dyn Fn(Output<'_>)| bytes(Protocol::Binary, |o| structure(o, |o| write(o)));
    let process = |o: Output<'_>| field(o, 1, TType::Struct, |o| oracle::put_process(o, &Process::default()));
    let spans = |o: Output<'_>| list(o, 2, &[] as &[()], |_, ()| ());
    assert_eq!(error(&batch(&spans)), missing("Batch.process"));
    assert_eq!(error(&batch(&process)), missing("Batch.spans"));
    assert_eq!(error(&batch(&|o| field(o, 1, TType::Struct, |o| structure(o, |_| ())))), missing("Process.serviceName"));
    let names = ["fullQueueDroppedSpans", "tooLargeDroppedSpans", "failedToEmitSpans"];
    for (left_out, name) in (1..).zip(names) {
        let stats = |o: Output<'_>| {
            process(o);
            spans(o);
            field(o, 4, TType::Struct, |o| structure(o, |o| (1..=3).filter(|i| *i != left_out).for_each(|i| i64(o, i, 0))));
        };
        assert_eq!(error(&batch(&stats)), missing(&format!("ClientStats.{name}")));
    }
}

#[test]
fn errors_name_the_place() {
    assert_eq!(error(b""), "thrift Batch: the message ends inside a value");
    assert_eq!(error(br#"{"a": 1}"#), "thrift Batch: the type 123 does not exist");
    let whole = oracle::body(&Batch { spans: vec![a_span(), a_span()], ..Batch::default() });
    let cut = &whole[..whole.len() - 20];
    assert!(error(cut).starts_with("span 1 of the batch: thrift Span"), "{}", error(cut));
    let hostile = [&[15, 0, 2, 12, 0x7f, 0xff, 0xff, 0xff][..], &[0; 9]].concat();
    assert_eq!(error(&hostile), "thrift Batch.spans: a list or map of 2147483647 elements in 9 bytes");
    let process = [&[12, 0, 1, 11, 0, 1, 0x7f, 0xff, 0xff, 0xff][..], b"name"].concat();
    assert_eq!(error(&process), "thrift Process.serviceName: the message ends inside a value");
    let deep = [&[12, 0, 9].repeat(100)[..], &[0; 100]].concat();
    assert_eq!(error(&deep), "thrift Batch: values are nested deeper than 64");
}
