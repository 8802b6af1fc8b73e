//! What is sent, word for word.

use super::given::{batch, span, text};
use crate::bulk::{Parts, Shape};
use crate::document::TagRules;
use crate::index::{Indices, Role};
use crate::services::ServiceCache;
use crate::{Config, TagsAsFields, search, template};
use skua_model::TraceId;
use skua_store::TraceQuery;
use std::time::Duration;

/// 2026-01-25 07:00:00.123456 UTC, in nanoseconds.
const START: u64 = 1_769_324_400_123_456_789;

pub(super) fn shape(config: &Config) -> Shape {
    Shape {
        rules: TagRules::new(&config.tags_as_fields).unwrap(),
        spans: Indices::spans(config, Role::Primary),
        services: Indices::services(config, Role::Primary),
        size: config.bulk.size as usize,
        actions: config.bulk.actions as usize,
    }
}

#[test]
fn templates_of_7() {
    let config = Config { index_prefix: "foo".to_owned(), num_replicas: 0, ..Config::default() };
    let [spans, services] = template::templates(&config, 7);
    assert_eq!((spans.path.as_str(), services.path.as_str()), ("_template/foo-jaeger-span", "_template/foo-jaeger-service"));
    insta::assert_json_snapshot!([spans.body, services.body]);
}

#[test]
fn templates_of_8() {
    let config = Config { prioirity_span_template: 500, ..Config::default() };
    let [spans, services] = template::templates(&config, 8);
    assert_eq!((spans.path.as_str(), services.path.as_str()), ("_index_template/jaeger-span", "_index_template/jaeger-service"));
    insta::assert_json_snapshot!([spans.body, services.body]);
}

fn two_spans() -> skua_model::SpanBatch {
    let mut first = span(1, 1, "say \"hi\"");
    first.start_time_unix_nano = START;
    first.end_time_unix_nano = START + 2_000_000;
    let mut second = first.clone();
    second.span_id = 2_u64.to_be_bytes().to_vec();
    second.parent_span_id = 1_u64.to_be_bytes().to_vec();
    second.attributes.push(text("a.b", "c"));
    batch("shop", vec![first, second])
}

fn body(config: &Config) -> String {
    let (shape, cache) = (shape(config), ServiceCache::new(Duration::ZERO));
    let spans = two_spans();
    let part = Parts::new(&spans, &shape, &cache).next_part(usize::MAX).unwrap();
    String::from_utf8(part.body.to_vec()).unwrap()
}

#[test]
fn bulk_body() {
    insta::assert_snapshot!(body(&Config::default()));
}

#[test]
fn bulk_body_with_tags_as_fields() {
    let include = vec!["a.b".to_owned(), "host.name".to_owned()];
    let tags_as_fields = TagsAsFields { include, ..TagsAsFields::default() };
    insta::assert_snapshot!(body(&Config { tags_as_fields, ..Config::default() }));
}

#[test]
fn search_bodies() {
    let rules = TagRules::new(&TagsAsFields::default()).unwrap();
    let query = TraceQuery {
        service: "shop".to_owned(),
        operation: "GET /".to_owned(),
        tags: vec![("http.status".to_owned(), "5..".to_owned())],
        start_min: 1_000_001,
        start_max: 2_000_002,
        duration_min: 3,
        duration_max: 0,
        limit: -1,
    };
    let after = [serde_json::json!(1), serde_json::json!("a")];
    insta::assert_json_snapshot!([
        search::services(10_000),
        search::operations("shop", 10_000),
        search::find(&query, &rules),
        search::page(TraceId([1; 16]), None, 1000, None),
        search::page(TraceId([1; 16]), Some((1, 2)), 10_000, Some(&after)),
    ]);
}

/// Parts end at a number of documents and at a number of bytes; together they hold every span once.
#[test]
fn parts_are_bounded() {
    let spans = batch("shop", (0..100).map(|i| span(i, i + 1, &format!("op{}", i % 3))).collect());
    for (size, actions, parts) in [(1 << 20, 1000, 1), (1 << 20, 10, 11), (1, 1000, 100)] {
        let mut config = Config::default();
        (config.bulk.size, config.bulk.actions) = (size, actions);
        let (shape, cache) = (shape(&config), ServiceCache::new(Duration::ZERO));
        let mut made = Parts::new(&spans, &shape, &cache);
        let made: Vec<_> = std::iter::from_fn(|| made.next_part(usize::MAX)).collect();
        assert_eq!(made.len(), parts, "{size} bytes, {actions} actions");
        assert_eq!(made.iter().map(|p| p.items.len()).sum::<usize>(), 103);
        assert!(made.iter().all(|p| p.items.len() <= actions as usize + 1));
    }
}
