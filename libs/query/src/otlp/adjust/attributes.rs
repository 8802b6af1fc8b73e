//! Order, form and place of attributes.

use super::{spans_mut, warn};
use crate::adjust::{IP, LIBRARY};
use crate::otlp::attributes::{Any, KeyValue};
use skua_proto::otlp::common::v1::AnyValue;
use skua_proto::otlp::trace::v1::TracesData;
use std::net::Ipv4Addr;

/// Attributes of all kinds by key, events by name. Neither is an order of Jaeger's tags: it looks at nothing else.
pub(super) fn sort(data: &mut TracesData) {
    for resource in &mut data.resource_spans {
        resource.resource.iter_mut().for_each(|r| by_key(&mut r.attributes));
        resource.scope_spans.iter_mut().flat_map(|s| &mut s.scope).for_each(|s| by_key(&mut s.attributes));
    }
    for span in spans_mut(data) {
        by_key(&mut span.attributes);
        span.events.sort_by(|a, b| a.name.cmp(&b.name));
        span.events.iter_mut().for_each(|e| by_key(&mut e.attributes));
        span.links.iter_mut().for_each(|l| by_key(&mut l.attributes));
    }
}

fn by_key(attributes: &mut [KeyValue]) {
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
}

/// Numeric `ip` and `peer.ipv4` become text: `8.8.8.8`.
pub(super) fn ips(data: &mut TracesData) {
    for resource in &mut data.resource_spans {
        resource.resource.iter_mut().flat_map(|r| &mut r.attributes).for_each(dotted);
    }
    spans_mut(data).flat_map(|s| &mut s.attributes).for_each(dotted);
}

fn dotted(attribute: &mut KeyValue) {
    if !IP.contains(&attribute.key.as_str()) {
        return;
    }
    if let Some(AnyValue { value: Some(value) }) = &mut attribute.value {
        let number = match value {
            Any::IntValue(v) => *v as u32,
            Any::DoubleValue(v) => *v as i64 as u32,
            _ => return,
        };
        *value = Any::StringValue(Ipv4Addr::from_bits(number).to_string());
    }
}

/// What tells of the library that made a span is said once for all spans of the resource; the first that says it counts.
pub(super) fn libraries(data: &mut TracesData) {
    for resource in &mut data.resource_spans {
        let of_all = &mut resource.resource.get_or_insert_default().attributes;
        for span in resource.scope_spans.iter_mut().flat_map(|s| &mut s.spans) {
            let mut conflicts = Vec::new();
            span.attributes.retain(|kv| {
                if !LIBRARY.contains(&kv.key.as_str()) {
                    return true;
                }
                match of_all.iter().find(|known| known.key == kv.key) {
                    None => of_all.push(kv.clone()),
                    Some(known) if known.value != kv.value => {
                        conflicts.push(format!("conflicting values between Span and Resource for attribute {}", kv.key));
                        return true;
                    }
                    Some(_) => {}
                }
                false
            });
            conflicts.into_iter().for_each(|text| warn(span, text));
        }
    }
}
