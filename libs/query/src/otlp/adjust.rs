//! Mends traces for version 3 of the API: Jaeger's adjusters for OTLP, in its order, in time linear in the number of spans
//! (sorting aside). They are those of [`crate::adjust`], but for what is told here.

mod attributes;
mod clock_skew;
mod spans;

use super::attributes::Any;
use super::span::WARNINGS;
use super::{attributes::key_value, traces_data};
use crate::adjust::sort_spans;
use skua_model::{SpanId, Trace};
use skua_proto::otlp::common::v1::{AnyValue, ArrayValue};
use skua_proto::otlp::trace::v1::{Span, TracesData};
use std::time::Duration;

/// A trace in OTLP after all adjusters; `max_skew` is the most that a span's times may be shifted, zero switches shifting off.
///
/// - Attributes are sorted by key and events by name. Spans keep their order, that of start and then of span id.
/// - The host of a process, for its clock, is `host.id`, else `host.ip`, else `host.name`.
/// - `telemetry.sdk.*` and `telemetry.distro.*` of spans move to the resource; where that has another value, they stay.
/// - Links without a trace id go.
/// - What there is to warn of is in the attribute `@jaeger@warnings`.
pub fn adjust(mut trace: Trace, max_skew: Duration) -> TracesData {
    sort_spans(&mut trace);
    let mut data = traces_data(&trace);
    spans::unique_ids(&mut data);
    attributes::sort(&mut data);
    spans::dedupe(&mut data);
    clock_skew::correct(&mut data, max_skew);
    attributes::ips(&mut data);
    attributes::libraries(&mut data);
    spans::valid_links(&mut data);
    data
}

fn spans_mut(data: &mut TracesData) -> impl Iterator<Item = &mut Span> {
    let scopes = data.resource_spans.iter_mut().flat_map(|r| &mut r.scope_spans);
    scopes.flat_map(|s| &mut s.spans)
}

/// Zero unless it has eight bytes.
fn span_id(bytes: &[u8]) -> SpanId {
    SpanId(bytes.try_into().unwrap_or_default())
}

/// Adds to the list; a value of another type is the first of it.
fn warn(span: &mut Span, text: impl Into<String>) {
    let text = AnyValue { value: Some(Any::StringValue(text.into())) };
    let Some(warnings) = span.attributes.iter_mut().find(|kv| kv.key == WARNINGS) else {
        span.attributes.push(key_value(WARNINGS, Any::ArrayValue(ArrayValue { values: vec![text] })));
        return;
    };
    match warnings.value.take() {
        Some(AnyValue { value: Some(Any::ArrayValue(mut list)) }) => {
            list.values.push(text);
            warnings.value = Some(AnyValue { value: Some(Any::ArrayValue(list)) });
        }
        other => {
            let values = other.into_iter().chain([text]).collect();
            warnings.value = Some(AnyValue { value: Some(Any::ArrayValue(ArrayValue { values })) });
        }
    }
}

#[cfg(test)]
mod tests;
