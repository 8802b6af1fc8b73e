use super::keys::MOST;
use super::*;
use crate::samples::{Sample, batch, text_attribute};
use skua_model::wire::{put_bytes, put_message, put_uint};

/// Scenario: the bench's spans, more than a page of them. Guarantee: bounds of each run of rows hold them, services and operations
/// are those of a plain count, and the head knows what it holds in bytes.
#[test]
fn knows_its_bounds_and_services() {
    let mut head = Head::new();
    let load = skua_bench::spans::generate(&skua_bench::spans::Config::new(PAGE + 700, 200));
    let mut expected = std::collections::BTreeMap::<String, BTreeSet<(String, String)>>::new();
    for request in load.requests {
        let batch = skua_model::SpanBatch::parse(request).unwrap();
        for entry in batch.spans() {
            let service = batch.service(batch.resource_of(entry));
            let view = batch.view(entry);
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let kind = skua_model::kind_text(view.kind).unwrap().to_owned();
            expected.entry(text(service)).or_default().insert((text(view.name), kind));
        }
        head.push(&batch);
    }
    assert_eq!(head.len(), PAGE + 700);
    assert!(head.bytes() > 50 * head.len(), "{}", head.bytes());
    assert_eq!(head.bounds().len(), 2);
    for (row, bounds) in (0..head.len()).map(|row| (row, head.bounds()[row / PAGE])) {
        assert!(bounds.start_min <= head.start(row) && head.start(row) <= bounds.start_max);
        assert!(head.duration(row) <= bounds.duration_max);
    }
    let listed: std::collections::BTreeMap<_, BTreeSet<_>> =
        head.services().into_iter().map(|s| (s.name, s.operations.into_iter().map(|o| (o.name, o.kind)).collect())).collect();
    assert_eq!(listed, expected);
    let (keys, more) = head.rest_keys();
    let keys: Vec<_> = keys.iter().map(|key| str::from_utf8(key).unwrap()).collect();
    let wanted = ["event", "exception.type", "exception.message", "cache.key", "retry.last"];
    assert!(!more && wanted.iter().all(|key| keys.contains(key)), "{keys:?}");
}

/// Scenario: more keys than a head has columns, on one span and then on others. Guarantee: the first have columns, the others are in
/// the rest and their keys are listed, up to a bound.
#[test]
fn keys_without_a_column_are_listed() {
    let mut head = Head::new();
    let keys: Vec<String> = (0..MOST + 256).map(|n| format!("key.{n:05}")).collect();
    let span = Sample::new(1, 1).with(|out| keys.iter().for_each(|key| text_attribute(out, 9, key.as_bytes(), b"v")));
    head.push(&batch(&[span.clone(), span.clone(), Sample::new(1, 2)]));
    assert_eq!(head.attribute_columns().len(), crate::columns::MOST_ATTRIBUTES);
    let (listed, more) = head.rest_keys();
    assert!(!more && listed.len() == MOST && listed.contains(b"key.00256".as_slice()));
    assert_eq!(head.attribute(b"key.00255", Type::String), Some(255));
    assert_eq!(head.attribute(b"key.00256", Type::String), None);
    assert_eq!(
        (head.code(Field::Attribute(255), 2), head.column(Field::Attribute(255)).map_or(0, |column| column.codes.len())),
        (NULL, 2)
    );
    assert_eq!(head.values(Field::Attribute(7)), 1);
    head.push(&batch(&[Sample::new(1, 3).with(|out| text_attribute(out, 9, b"one more", b"v"))]));
    assert!(matches!(head.rest_keys(), (keys, true) if keys.len() == MOST));
}

/// Scenario: spans that tell their kind in a tag of their own, twice, as another type, as a list, or in Jaeger's model without one.
/// Guarantee: the first tag tells the kind, and one that is no text tells none.
#[test]
fn the_first_tag_tells_the_kind() {
    let server = |sample: Sample| sample.with(|out| put_uint(out, 6, 2));
    let own = |out: &mut Vec<u8>, kind: &[u8]| text_attribute(out, 9, b"span.kind", kind);
    let list = |out: &mut Vec<u8>| {
        put_message(out, 9, |kv| {
            put_bytes(kv, 1, b"span.kind");
            put_message(kv, 2, |value| put_bytes(value, 5, b""));
        });
    };
    let samples = [
        server(Sample::new(1, 1)).named("plain"),
        server(Sample::new(1, 2)).named("own").with(|out| own(out, b"mine")),
        server(Sample::new(1, 3)).named("twice").with(|out| own(out, b"first")).with(|out| own(out, b"second")),
        server(Sample::new(1, 4)).named("list first").with(list).with(|out| own(out, b"later")),
        server(Sample::new(1, 5)).named("list later").with(|out| own(out, b"first")).with(list),
        server(Sample::new(1, 6)).named("jaeger").with(|out| put_uint(out, 1001, 1)),
        Sample::new(1, 7).named("none"),
    ];
    let mut head = Head::new();
    head.push(&batch(&samples));
    let services = head.services();
    let seen: Vec<_> = services[0].operations.iter().map(|o| (o.name.as_str(), o.kind.as_str())).collect();
    let expected = [
        ("jaeger", ""),
        ("list first", ""),
        ("list later", "first"),
        ("none", ""),
        ("own", "mine"),
        ("plain", "server"),
        ("twice", "first"),
    ];
    assert_eq!((services[0].name.as_str(), &seen[..]), ("shop", &expected[..]));
}
