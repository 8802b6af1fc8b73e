//! The messages: OTLP (opentelemetry-proto 1.x) and `jaeger.api_v2`.

use super::Kind::*;
use super::{Dialect, Field, Kind, Table, When};

const fn field(number: u32, camel: &'static str, snake: &'static str, kind: Kind) -> Field {
    Field { number, camel, snake, kind, repeated: false, when: When::Filled }
}

const fn list(number: u32, camel: &'static str, snake: &'static str, kind: Kind) -> Field {
    Field { number, camel, snake, kind, repeated: true, when: When::Filled }
}

const fn present(number: u32, camel: &'static str, snake: &'static str, kind: Kind) -> Field {
    Field { number, camel, snake, kind, repeated: false, when: When::Present }
}

/// For readers that insist on the key.
const fn always(field: Field) -> Field {
    Field { when: When::Always, ..field }
}

const fn otlp(fields: &'static [Field]) -> Table {
    Table { fields, oneof: false, dialect: Dialect::Otlp }
}

const fn gogo(fields: &'static [Field]) -> Table {
    Table { fields, oneof: false, dialect: Dialect::Gogo }
}

/// `TracesData` and `ExportTraceServiceRequest`.
pub(crate) static TRACES_DATA: Table = otlp(&[list(1, "resourceSpans", "resource_spans", Message(&RESOURCE_SPANS))]);

static RESOURCE_SPANS: Table = otlp(&[
    field(1, "resource", "resource", Message(&RESOURCE)),
    list(2, "scopeSpans", "scope_spans", Message(&SCOPE_SPANS)),
    field(3, "schemaUrl", "schema_url", Text),
]);

static RESOURCE: Table = otlp(&[
    list(1, "attributes", "attributes", Message(&KEY_VALUE)),
    field(2, "droppedAttributesCount", "dropped_attributes_count", Uint32),
]);

static SCOPE_SPANS: Table = otlp(&[
    field(1, "scope", "scope", Message(&SCOPE)),
    list(2, "spans", "spans", Message(&SPAN)),
    field(3, "schemaUrl", "schema_url", Text),
]);

static SCOPE: Table = otlp(&[
    field(1, "name", "name", Text),
    field(2, "version", "version", Text),
    list(3, "attributes", "attributes", Message(&KEY_VALUE)),
    field(4, "droppedAttributesCount", "dropped_attributes_count", Uint32),
]);

static SPAN: Table = otlp(&[
    field(1, "traceId", "trace_id", Hex),
    field(2, "spanId", "span_id", Hex),
    field(3, "traceState", "trace_state", Text),
    field(4, "parentSpanId", "parent_span_id", Hex),
    field(5, "name", "name", Text),
    field(6, "kind", "kind", Enum(KINDS)),
    field(7, "startTimeUnixNano", "start_time_unix_nano", Fixed64),
    field(8, "endTimeUnixNano", "end_time_unix_nano", Fixed64),
    list(9, "attributes", "attributes", Message(&KEY_VALUE)),
    field(10, "droppedAttributesCount", "dropped_attributes_count", Uint32),
    list(11, "events", "events", Message(&EVENT)),
    field(12, "droppedEventsCount", "dropped_events_count", Uint32),
    list(13, "links", "links", Message(&LINK)),
    field(14, "droppedLinksCount", "dropped_links_count", Uint32),
    field(15, "status", "status", Message(&STATUS)),
    field(16, "flags", "flags", Fixed32),
    present(skua_model::otlp::JAEGER_FLAGS >> 3, "jaegerFlags", "jaeger_flags", Uint32),
]);

const KINDS: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

static EVENT: Table = otlp(&[
    field(1, "timeUnixNano", "time_unix_nano", Fixed64),
    field(2, "name", "name", Text),
    list(3, "attributes", "attributes", Message(&KEY_VALUE)),
    field(4, "droppedAttributesCount", "dropped_attributes_count", Uint32),
]);

static LINK: Table = otlp(&[
    field(1, "traceId", "trace_id", Hex),
    field(2, "spanId", "span_id", Hex),
    field(3, "traceState", "trace_state", Text),
    list(4, "attributes", "attributes", Message(&KEY_VALUE)),
    field(5, "droppedAttributesCount", "dropped_attributes_count", Uint32),
    field(6, "flags", "flags", Fixed32),
]);

static STATUS: Table = otlp(&[
    field(2, "message", "message", Text),
    field(3, "code", "code", Enum(&["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"])),
]);

static KEY_VALUE: Table = otlp(&[always(field(1, "key", "key", Text)), field(2, "value", "value", Message(&ANY_VALUE))]);

static ANY_VALUE: Table = Table {
    fields: &[
        present(1, "stringValue", "string_value", Text),
        present(2, "boolValue", "bool_value", Bool),
        present(3, "intValue", "int_value", Int64),
        present(4, "doubleValue", "double_value", Double),
        present(5, "arrayValue", "array_value", Message(&ARRAY)),
        present(6, "kvlistValue", "kvlist_value", Message(&MAP)),
        present(7, "bytesValue", "bytes_value", Base64),
    ],
    oneof: true,
    dialect: Dialect::Otlp,
};

static ARRAY: Table = otlp(&[always(list(1, "values", "values", Message(&ANY_VALUE)))]);

static MAP: Table = otlp(&[always(list(1, "values", "values", Message(&KEY_VALUE)))]);

/// `jaeger.api_v2.Span`.
pub(crate) static JAEGER_SPAN: Table = gogo(&[
    present(1, "traceId", "trace_id", Base64),
    present(2, "spanId", "span_id", Base64),
    field(3, "operationName", "operation_name", Text),
    list(4, "references", "references", Message(&JAEGER_REFERENCE)),
    field(5, "flags", "flags", Uint32),
    present(6, "startTime", "start_time", Timestamp),
    field(7, "duration", "duration", Duration),
    list(8, "tags", "tags", Message(&JAEGER_KEY_VALUE)),
    list(9, "logs", "logs", Message(&JAEGER_LOG)),
    field(10, "process", "process", Message(&JAEGER_PROCESS)),
    field(11, "processId", "process_id", Text),
    list(12, "warnings", "warnings", Text),
]);

static JAEGER_REFERENCE: Table = gogo(&[
    present(1, "traceId", "trace_id", Base64),
    present(2, "spanId", "span_id", Base64),
    field(3, "refType", "ref_type", Enum(&["CHILD_OF", "FOLLOWS_FROM"])),
]);

static JAEGER_KEY_VALUE: Table = gogo(&[
    field(1, "key", "key", Text),
    field(2, "vType", "v_type", Enum(&["STRING", "BOOL", "INT64", "FLOAT64", "BINARY"])),
    field(3, "vStr", "v_str", Text),
    field(4, "vBool", "v_bool", Bool),
    field(5, "vInt64", "v_int64", Int64),
    field(6, "vFloat64", "v_float64", Double),
    field(7, "vBinary", "v_binary", Base64),
]);

static JAEGER_LOG: Table =
    gogo(&[present(1, "timestamp", "timestamp", Timestamp), list(2, "fields", "fields", Message(&JAEGER_KEY_VALUE))]);

static JAEGER_PROCESS: Table =
    gogo(&[field(1, "serviceName", "service_name", Text), list(2, "tags", "tags", Message(&JAEGER_KEY_VALUE))]);
