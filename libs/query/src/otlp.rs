//! Traces as OTLP, the form of version 3 of Jaeger's API.
//!
//! As in Jaeger, but that the result is always the same: resources and their scopes come in the order in which spans first name
//! them, attributes in the order of the tags. What OTLP has a field for and a tag holds in another type than text stays an
//! attribute, where Jaeger loses it.

mod adjust;
mod attributes;
mod span;
mod status;

use crate::adjust::hash_process;
pub use adjust::adjust;
use attributes::Attributes;
use skua_model::{Process, Span, Tag, Trace, Value};
use skua_proto::otlp::common::v1::InstrumentationScope;
use skua_proto::otlp::resource::v1::Resource;
use skua_proto::otlp::trace::v1::{ResourceSpans, ScopeSpans, TracesData};
use std::collections::HashMap;

/// The service of a resource that has no attributes, in Jaeger's translation of it.
pub const NO_SERVICE: &str = "OTLPResourceNoServiceName";

const SERVICE_NAME: &str = "service.name";
const SCOPE_NAME: &str = "otel.scope.name";
const SCOPE_VERSION: &str = "otel.scope.version";

/// A trace in OTLP. Resource, scope and status are always there, if empty.
///
/// - Spans are grouped by process: its service is `service.name`; `hostname` becomes `host.name` and `jaeger.version`
///   `opencensus.exporterversion`, unless those are there. Then by the tags `otel.scope.name` and `otel.scope.version`.
/// - Tags become attributes, of equal keys the last; but `span.kind` the kind (one that OTLP does not know is lost),
///   `w3c.tracestate` the trace state, and the status is that of `error` = true, else of `otel.status_code`, else of
///   `http.status_code`.
/// - The field `event` of a log names its event. References other than the parent become links with `opentracing.ref_type`.
/// - Warnings become the attribute `@jaeger@warnings`. Jaeger's flags are lost.
pub fn traces_data(trace: &Trace) -> TracesData {
    let mut data = TracesData::default();
    let mut places = Places::default();
    for span in &trace.spans {
        let resource = places.resource(&span.process, &mut data.resource_spans);
        let (name, version) = scope(span);
        let scopes = &mut data.resource_spans[resource].scope_spans;
        let place = places.scopes.entry((resource, name, version)).or_insert_with(|| {
            scopes.push(scope_spans(name, version));
            scopes.len() - 1
        });
        scopes[*place].spans.push(span::convert(span));
    }
    data
}

/// Where resources and scopes are in what has been written.
#[derive(Default)]
struct Places<'a> {
    by_address: HashMap<*const Process, usize>,
    /// By the hash of their content.
    by_content: HashMap<u64, Vec<(&'a Process, usize)>>,
    scopes: HashMap<(usize, &'a str, &'a str), usize>,
}

impl<'a> Places<'a> {
    fn resource(&mut self, process: &'a Process, written: &mut Vec<ResourceSpans>) -> usize {
        *self.by_address.entry(process).or_insert_with(|| {
            let alike = self.by_content.entry(hash_process(process)).or_default();
            if let Some((_, place)) = alike.iter().find(|(known, _)| *known == process) {
                return *place;
            }
            let resource = Some(Resource { attributes: resource(process), ..Resource::default() });
            written.push(ResourceSpans { resource, ..ResourceSpans::default() });
            alike.push((process, written.len() - 1));
            written.len() - 1
        })
    }
}

fn resource(process: &Process) -> Vec<attributes::KeyValue> {
    let mut attributes = Attributes::default();
    if !process.service_name.is_empty() && process.service_name != NO_SERVICE {
        attributes.put(SERVICE_NAME, Value::String(process.service_name.clone()));
    }
    // The service by which a trace is found is the one that it shows.
    let named = !attributes.is_empty();
    process.tags.iter().filter(|t| !named || t.key != SERVICE_NAME).for_each(|t| attributes.put_tag(t));
    attributes.rename("hostname", "host.name", |name| name);
    let exporter = |version| match version {
        attributes::Any::StringValue(version) => attributes::Any::StringValue(format!("Jaeger-{version}")),
        other => other,
    };
    attributes.rename("jaeger.version", "opencensus.exporterversion", exporter);
    attributes.into_list()
}

/// The name and version of a span's scope. A version counts only beside a name.
fn scope(span: &Span) -> (&str, &str) {
    let text = |key| span.tags.iter().find(|t| t.key == key).and_then(text);
    match text(SCOPE_NAME) {
        None => ("", ""),
        Some(name) => (name, text(SCOPE_VERSION).unwrap_or_default()),
    }
}

fn text(tag: &Tag) -> Option<&str> {
    if let Value::String(s) = &tag.value { Some(s) } else { None }
}

fn scope_spans(name: &str, version: &str) -> ScopeSpans {
    let scope = InstrumentationScope { name: name.to_owned(), version: version.to_owned(), ..InstrumentationScope::default() };
    ScopeSpans { scope: Some(scope), ..ScopeSpans::default() }
}

#[cfg(test)]
mod tests;
