//! Traces as `jaeger.api_v3` streams them.

use crate::api_v2::CHUNK_BYTES;
use prost::Message;
use skua_proto::otlp::trace::v1::{ResourceSpans, ScopeSpans, TracesData};

/// A trace in one message, as in Jaeger, unless it has more than [`CHUNK_BYTES`]: then its spans, in their order, in as many
/// messages as that takes, each with the resources and scopes of its spans. A span that is larger is a message of its own.
pub fn chunks(trace: TracesData) -> Vec<TracesData> {
    let mut chunks = Vec::new();
    split(trace, &mut chunks);
    chunks
}

fn split(trace: TracesData, chunks: &mut Vec<TracesData>) {
    let spans = trace.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum::<usize>();
    if spans < 2 || trace.encoded_len() <= CHUNK_BYTES {
        return chunks.push(trace);
    }
    let (first, rest) = divided(trace, spans / 2);
    split(first, chunks);
    split(rest, chunks);
}

/// The first `count` spans and the rest, neither with a resource or scope that has no span.
fn divided(trace: TracesData, mut count: usize) -> (TracesData, TracesData) {
    let (mut first, mut rest) = (TracesData::default(), TracesData::default());
    for mut resource in trace.resource_spans {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for mut scope in std::mem::take(&mut resource.scope_spans) {
            let tail = scope.spans.split_off(count.min(scope.spans.len()));
            count -= scope.spans.len();
            if !tail.is_empty() {
                after.push(ScopeSpans { spans: tail, scope: scope.scope.clone(), schema_url: scope.schema_url.clone() });
            }
            if !scope.spans.is_empty() {
                before.push(scope);
            }
        }
        for (data, scope_spans) in [(&mut first, before), (&mut rest, after)] {
            if !scope_spans.is_empty() {
                data.resource_spans.push(ResourceSpans { scope_spans, ..resource.clone() });
            }
        }
    }
    (first, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use skua_proto::otlp::common::v1::InstrumentationScope;
    use skua_proto::otlp::trace::v1::Span;

    /// A resource of one scope for each list of sizes, named by its place.
    fn data(sizes: &[Vec<usize>]) -> TracesData {
        let span = |size: &usize| Span { name: "x".repeat(*size), ..Span::default() };
        let scope = |i: usize| Some(InstrumentationScope { name: i.to_string(), ..InstrumentationScope::default() });
        let resource = |(i, sizes): (usize, &Vec<usize>)| ResourceSpans {
            scope_spans: vec![ScopeSpans { scope: scope(i), spans: sizes.iter().map(span).collect(), ..ScopeSpans::default() }],
            schema_url: i.to_string(),
            ..ResourceSpans::default()
        };
        TracesData { resource_spans: sizes.iter().enumerate().map(resource).collect() }
    }

    /// Each span's resource, scope and size.
    fn spans(data: &TracesData) -> Vec<(String, String, usize)> {
        let of_scope = |r: &ResourceSpans, s: &ScopeSpans| {
            let name = s.scope.clone().unwrap_or_default().name;
            s.spans.iter().map(|span| (r.schema_url.clone(), name.clone(), span.name.len())).collect::<Vec<_>>()
        };
        data.resource_spans.iter().flat_map(|r| r.scope_spans.iter().flat_map(|s| of_scope(r, s))).collect()
    }

    proptest! {
        /// Guarantee: all spans come once, in order, with their resource and scope; a trace that fits is one message as it is, and
        /// none has more bytes than a client takes unless a single span does.
        #[test]
        fn chunks_are_bounded(sizes in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![8 => 0_usize..2000, 1 => 400_000_usize..5_000_000], 1..10), 1..6)
        ) {
            let data = data(&sizes);
            let chunks = chunks(data.clone());
            prop_assert_eq!(chunks.iter().flat_map(spans).collect::<Vec<_>>(), spans(&data));
            for chunk in &chunks {
                prop_assert!(chunk.encoded_len() < 4 << 20 || spans(chunk).len() == 1, "{} bytes", chunk.encoded_len());
            }
            if data.encoded_len() <= CHUNK_BYTES {
                prop_assert_eq!(chunks, [data]);
            }
        }
    }
}
