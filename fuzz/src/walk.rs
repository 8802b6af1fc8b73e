//! Reads everything that a batch shows.

use skua_model::{AnyValue, KeyValue, MAX_NESTING, SpanBatch, for_each_reference, for_each_tag, regroup};
use std::hint::black_box;

/// Every view of every span, every resource, and the batch split by partition.
pub fn walk(batch: &SpanBatch) {
    let mut resource = None;
    for entry in batch.spans() {
        if resource.replace(batch.resource_of(entry)) != Some(batch.resource_of(entry)) {
            let process = batch.process(batch.resource_of(entry));
            assert!(!process.service.is_empty() && process.service == batch.service(batch.resource_of(entry)));
            process.attributes().iter().for_each(attribute);
        }
        let span = batch.view(entry);
        assert_eq!(span.trace_id, entry.trace_id);
        assert!(span.trace_id != [0; 16] && span.span_id != [0; 8]);
        span.attributes().for_each(|kv| attribute(&kv));
        for event in span.events() {
            event.attributes().for_each(|kv| attribute(&kv));
            event.for_each_field(|key, v| attribute(&KeyValue { key, value: v }));
        }
        span.links().for_each(|link| link.attributes().for_each(|kv| attribute(&kv)));
        for_each_tag(&span, |key, v| attribute(&KeyValue { key, value: v }));
        for_each_reference(&span, |trace, id, follows| {
            black_box((trace, id, follows));
        });
        black_box((span.warnings().count(), span.duration(), entry.is_root(), entry.is_debug()));
    }
    let spans: usize = regroup(batch, 3, 1000).iter().map(|(_, _, spans)| spans as usize).sum();
    assert_eq!(spans, batch.len(), "no span is lost between the partitions");
}

fn attribute(kv: &KeyValue<'_>) {
    black_box(kv.key);
    value(kv.value, 0);
}

fn value(v: AnyValue<'_>, depth: u32) {
    assert!(depth <= MAX_NESTING, "deeper than a batch may be");
    black_box(v);
    v.items().for_each(|v| value(v, depth + 1));
    v.entries().for_each(|kv| value(kv.value, depth + 1));
}
