use super::*;
use crate::head::Head;
use crate::samples::{Sample, batch};
use proptest::prelude::*;
use skua_model::{Process, Span, SpanBatch, SpanView};
use std::sync::Arc;

/// The bodies of all spans of a head.
fn rebuilt(head: &Head) -> Vec<Vec<u8>> {
    let mut rebuilder = Rebuilder::new();
    let span = |row| {
        let mut out = Vec::new();
        rebuilder.span(head, row, &mut out).unwrap();
        out
    };
    (0..head.len()).map(span).collect()
}

/// Scenario: the bench's spans, which are written in the order of their fields. Guarantee: each comes back to the byte, and so do
/// its resource and its scope.
#[test]
fn comes_back_to_the_byte() {
    let load = skua_bench::spans::generate(&skua_bench::spans::Config::new(5000, 200));
    let (mut head, mut expected) = (Head::new(), Vec::new());
    for request in load.requests {
        let batch = SpanBatch::parse(request).unwrap();
        for entry in batch.spans() {
            let resource = batch.resource_pieces(batch.resource_of(entry)).collect::<Vec<_>>().concat();
            let scope = batch.scope_pieces(batch.scope_of(entry)).collect::<Vec<_>>().concat();
            expected.push((batch.span_body(entry).to_vec(), resource, scope));
        }
        head.push(&batch);
    }
    let value = |field, row| head.value(field, head.code(field, row)).to_vec();
    let origins = (0..head.len()).map(|row| (value(Field::Resource, row), value(Field::Scope, row)));
    let all: Vec<_> = rebuilt(&head).into_iter().zip(origins).map(|(span, (r, s))| (span, r, s)).collect();
    assert!(all == expected, "{:?}", all.iter().zip(&expected).find(|(a, b)| a != b));
}

/// Scenario: a shape that is cut short or names columns that there are not, as damage makes them. Guarantee: an error.
#[test]
fn a_damaged_shape_is_an_error() {
    let head = Head::new();
    for shape in [&b""[..], &[0, 9], &[0, 1, 5, b'a'], &[0, 1, 1, b'a'], &[1, 2, 0x80]] {
        assert!(Shape::read(shape, &head).is_err(), "{shape:?}");
    }
}

/// A value that columns take, or not: empty, bytes, lists, maps, two kinds at a time, and non-canonical numbers.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |field: u32, body: Vec<u8>| {
        let mut out = Vec::new();
        put_bytes(&mut out, field, &body);
        out
    };
    let leaf = prop_oneof![
        4 => "[a-zé]{0,5}".prop_map(move |text| bytes(1, text.into_bytes())),
        2 => any::<bool>().prop_map(|b| vec![0x10, u8::from(b)]),
        3 => prop_oneof![0_u64..3, any::<u64>()].prop_map(|v| {
            let mut out = vec![0x18];
            put_varint(&mut out, v);
            out
        }),
        2 => any::<u64>().prop_map(|bits| [&[0x21][..], &f64::from_bits(bits).to_le_bytes()].concat()),
        1 => Just(Vec::new()),
        1 => prop::collection::vec(any::<u8>(), 0..4).prop_map(move |b| bytes(7, b)),
        1 => Just(vec![0x10, 7]),
        1 => Just(vec![0x18, 0x81, 0]),
        1 => Just(vec![0x18, 5, 0x0a, 1, b'x']),
        1 => Just(vec![0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        1 => Just(vec![0x0a, 0x81, 0x00, b'x']),
        1 => Just(vec![0x48, 1]),
    ];
    leaf.prop_recursive(3, 8, 3, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3).prop_map(move |values| {
            let body: Vec<u8> = values.into_iter().flat_map(|v| bytes(1, v)).collect();
            bytes(5, body)
        });
        let map = prop::collection::vec(("[a-c]", inner), 0..3).prop_map(move |entries| {
            let body =
                entries.into_iter().flat_map(|(k, v)| bytes(1, [bytes(1, k.into_bytes()), bytes(2, v)].concat())).collect();
            bytes(6, body)
        });
        prop_oneof![list, map]
    })
}

/// An attribute of few keys, so that they repeat with other types; sometimes written the other way round.
fn key_value() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![4 => "[a-d]", 1 => Just("span.kind".to_owned()), 1 => Just("@jaeger@warnings".to_owned()), 1 => Just(String::new())];
    (key, any_value(), 0_u8..12).prop_map(|(key, value, how)| {
        let (mut k, mut v) = (Vec::new(), Vec::new());
        put_bytes(&mut k, 1, key.as_bytes());
        put_bytes(&mut v, 2, &value);
        match how {
            0 => [v, k].concat(),
            1 => k,
            2 => v,
            3 => [k, v, vec![0x18, 9]].concat(),
            4 => [&[0x0a, 1, b'z'][..], &k, &v].concat(),
            _ => [k, v].concat(),
        }
    })
}

fn status_body() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        "[a-z]{0,3}".prop_map(|text| {
            let mut out = Vec::new();
            put_bytes(&mut out, 2, text.as_bytes());
            out
        }),
        prop_oneof![0_u64..3, Just(u64::MAX), Just(u64::from(u32::MAX))].prop_map(|code| {
            let mut out = vec![0x18];
            put_varint(&mut out, code);
            out
        }),
        Just(vec![0x20, 3]),
    ];
    prop::collection::vec(field, 0..3).prop_map(|fields| fields.concat())
}

fn length_field(number: u32, body: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    body.prop_map(move |body| {
        let mut out = Vec::new();
        put_bytes(&mut out, number, &body);
        out
    })
}

fn number_field(tag: u32) -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![0_u64..7, Just(u64::from(u32::MAX) - 1), Just(u64::from(u32::MAX)), any::<u64>()];
    number.prop_map(move |v| {
        let mut out = Vec::new();
        put_varint(&mut out, u64::from(tag));
        put_varint(&mut out, v);
        out
    })
}

/// One field of a span, any but its ids.
pub(crate) fn field() -> impl Strategy<Value = Vec<u8>> {
    let fixed = |tag: u8| any::<u64>().prop_map(move |v| [&[tag][..], &v.to_le_bytes()].concat());
    let attributes = |number| {
        prop::collection::vec(key_value(), 0..4).prop_map(move |all| {
            let mut out = vec![];
            all.iter().for_each(|kv| put_bytes(&mut out, number, kv));
            out
        })
    };
    let event = (fixed(0x09), "[a-z]{0,3}", attributes(3)).prop_map(|(time, name, attributes)| {
        let mut out = time;
        put_bytes(&mut out, 2, name.as_bytes());
        [out, attributes, vec![0x20, 3]].concat()
    });
    let link = attributes(4).prop_map(|attributes| {
        let mut out = Vec::new();
        put_bytes(&mut out, 1, &[1; 16]);
        put_bytes(&mut out, 2, &[9; 8]);
        [out, attributes].concat()
    });
    prop_oneof![
        12 => length_field(9, key_value()),
        1 => length_field(3, "[a-z=]{0,3}".prop_map(String::into_bytes)),
        1 => length_field(4, prop_oneof![Just(vec![]), Just(vec![0; 8]), Just(vec![9; 8])]),
        1 => length_field(5, prop_oneof![Just(b"a\xff".to_vec()), "[a-z]{0,3}".prop_map(String::into_bytes)]),
        1 => number_field(6 << 3),
        1 => fixed(7 << 3 | 1),
        1 => fixed(8 << 3 | 1),
        1 => number_field(10 << 3),
        1 => length_field(11, event),
        1 => number_field(12 << 3),
        1 => length_field(13, link),
        1 => number_field(14 << 3),
        1 => length_field(15, status_body()),
        1 => any::<u32>().prop_map(|v| [&[0x85, 1][..], &v.to_le_bytes()].concat()),
        1 => number_field(otlp::JAEGER_FLAGS),
        1 => length_field(77, Just(b"unknown".to_vec())),
    ]
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let span = prop::collection::vec(field(), 0..12);
    prop::collection::vec((1_u8..4, span), 1..8).prop_map(|spans| {
        let sample =
            |(n, (trace, fields)): (u8, (u8, Vec<Vec<u8>>))| Sample::new(trace, n).with(|out| out.extend(fields.concat()));
        (1..).zip(spans).map(sample).collect()
    })
}

/// What a span says: also what the owned span has no room for.
fn meaning(body: &[u8]) -> impl PartialEq + std::fmt::Debug {
    let view = SpanView::of(body, b"");
    let span = Span::from_view(&view, Arc::new(Process::default()));
    let mut others: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut dropped = std::collections::BTreeMap::new();
    for (tag, field) in fields(body) {
        match tag {
            span::DROPPED_ATTRIBUTES | span::DROPPED_EVENTS | span::DROPPED_LINKS => {
                dropped.insert(tag, field.to_vec());
            }
            span::EVENTS | span::LINKS => others.push((tag, field.to_vec())),
            _ if tag >> 3 > 16 && tag != otlp::JAEGER_FLAGS => others.push((tag, field.to_vec())),
            _ => {}
        }
    }
    // NaN is not itself: the texts are compared.
    let own = (view.kind, view.end, view.flags, view.jaeger_flags, view.status_code, view.status_message.to_vec());
    let attributes = view.attributes().map(|kv| format!("{kv:?}")).collect::<Vec<_>>();
    (format!("{span:?}"), own, view.name.to_vec(), view.trace_state.to_vec(), attributes, others, dropped)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Scenario: spans of any fields in any order, with repeated keys of several types, values of every kind, and numbers as large
    /// as they can be. Guarantee: each comes back equal in meaning, unknown fields and dropped counts included; what is rebuilt twice is
    /// the same to the byte.
    #[test]
    fn comes_back_equal_in_meaning(samples in samples()) {
        let batch = batch(&samples);
        let mut head = Head::new();
        head.push(&batch);
        prop_assert_eq!(head.len(), batch.len());
        let bodies: Vec<_> = batch.spans().iter().map(|entry| batch.span_body(entry).to_vec()).collect();
        let first = rebuilt(&head);
        for (original, rebuilt) in bodies.iter().zip(&first) {
            prop_assert_eq!(meaning(original), meaning(rebuilt));
        }
        let again: Vec<_> = first.iter().cloned().map(Sample).collect();
        let mut head = Head::new();
        head.push(&crate::samples::batch(&again));
        prop_assert_eq!(rebuilt(&head), first);
    }
}
