//! The tables of schema v004 (source: `v004.cql.tmpl` of Jaeger 1.76), the two of v001 that v002 replaced, and the one that is Skua's.

/// A user-defined type; values are written in the order of its fields.
pub(super) struct Type {
    pub name: &'static str,
    pub fields: &'static [(&'static str, &'static str)],
}

/// A table.
pub(super) struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, &'static str)],
    pub partition_key: &'static [&'static str],
    pub clustering: &'static [&'static str],
    /// The clustering columns that are in descending order.
    pub descending: &'static [&'static str],
    pub kept: Kept,
}

/// How long rows are kept, and how SSTables are compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// For the trace TTL, in windows of a configured size.
    Spans,
    /// For the trace TTL, in windows of an hour.
    Index,
    /// For the trace TTL, compacted by size.
    Names,
    /// For the dependencies TTL, compacted by size.
    Dependencies,
    /// As the server does by itself.
    Server,
}

pub(super) const TYPES: &[Type] = &[
    Type {
        name: "keyvalue",
        fields: &[
            ("key", "text"),
            ("value_type", "text"),
            ("value_string", "text"),
            ("value_bool", "boolean"),
            ("value_long", "bigint"),
            ("value_double", "double"),
            ("value_binary", "blob"),
        ],
    },
    Type { name: "log", fields: &[("ts", "bigint"), ("fields", "frozen<list<frozen<keyvalue>>>")] },
    Type { name: "span_ref", fields: &[("ref_type", "text"), ("trace_id", "blob"), ("span_id", "bigint")] },
    Type { name: "process", fields: &[("service_name", "text"), ("tags", "frozen<list<frozen<keyvalue>>>")] },
    DEPENDENCY,
];

pub(super) const DEPENDENCY: Type =
    Type { name: "dependency", fields: &[("parent", "text"), ("child", "text"), ("call_count", "bigint"), ("source", "text")] };

pub(super) const TRACES: Table = Table {
    name: "traces",
    columns: &[
        ("trace_id", "blob"),
        ("span_id", "bigint"),
        ("span_hash", "bigint"),
        ("parent_id", "bigint"),
        ("operation_name", "text"),
        ("flags", "int"),
        ("start_time", "bigint"),
        ("duration", "bigint"),
        ("tags", "list<frozen<keyvalue>>"),
        ("logs", "list<frozen<log>>"),
        ("refs", "list<frozen<span_ref>>"),
        ("process", "frozen<process>"),
    ],
    partition_key: &["trace_id"],
    clustering: &["span_id", "span_hash"],
    descending: &[],
    kept: Kept::Spans,
};

pub(super) const SERVICE_NAMES: Table = Table {
    name: "service_names",
    columns: &[("service_name", "text")],
    partition_key: &["service_name"],
    clustering: &[],
    descending: &[],
    kept: Kept::Names,
};

pub(super) const OPERATION_NAMES: Table = Table {
    name: "operation_names_v2",
    columns: &[("service_name", "text"), ("span_kind", "text"), ("operation_name", "text")],
    partition_key: &["service_name"],
    clustering: &["span_kind", "operation_name"],
    descending: &[],
    kept: Kept::Names,
};

/// Of v001: without the kind.
pub(super) const OPERATION_NAMES_V1: Table = Table {
    name: "operation_names",
    columns: &[("service_name", "text"), ("operation_name", "text")],
    partition_key: &["service_name"],
    clustering: &["operation_name"],
    descending: &[],
    kept: Kept::Names,
};

pub(super) const INDICES: &[Table] = &[
    Table {
        name: "service_operation_index",
        columns: &[("service_name", "text"), ("operation_name", "text"), ("start_time", "bigint"), ("trace_id", "blob")],
        partition_key: &["service_name", "operation_name"],
        clustering: &["start_time"],
        descending: &["start_time"],
        kept: Kept::Index,
    },
    Table {
        name: "service_name_index",
        columns: &[("service_name", "text"), ("bucket", "int"), ("start_time", "bigint"), ("trace_id", "blob")],
        partition_key: &["service_name", "bucket"],
        clustering: &["start_time"],
        descending: &["start_time"],
        kept: Kept::Index,
    },
    Table {
        name: "duration_index",
        columns: &[
            ("service_name", "text"),
            ("operation_name", "text"),
            ("bucket", "timestamp"),
            ("duration", "bigint"),
            ("start_time", "bigint"),
            ("trace_id", "blob"),
        ],
        partition_key: &["service_name", "operation_name", "bucket"],
        clustering: &["duration", "start_time", "trace_id"],
        descending: &["duration", "start_time"],
        kept: Kept::Index,
    },
    Table {
        name: "tag_index",
        columns: &[
            ("service_name", "text"),
            ("tag_key", "text"),
            ("tag_value", "text"),
            ("start_time", "bigint"),
            ("trace_id", "blob"),
            ("span_id", "bigint"),
        ],
        partition_key: &["service_name", "tag_key", "tag_value"],
        clustering: &["start_time", "trace_id", "span_id"],
        descending: &["start_time"],
        kept: Kept::Index,
    },
];

pub(super) const DEPENDENCIES: Table = Table {
    name: "dependencies_v2",
    columns: &[("ts_bucket", "timestamp"), ("ts", "timestamp"), ("dependencies", "list<frozen<dependency>>")],
    partition_key: &["ts_bucket"],
    clustering: &["ts"],
    descending: &["ts"],
    kept: Kept::Dependencies,
};

/// Of v001: found by an index on `ts_index`, SASI or SAI.
pub(super) const DEPENDENCIES_V1: Table = Table {
    name: "dependencies",
    columns: &[("ts", "timestamp"), ("ts_index", "timestamp"), ("dependencies", "list<frozen<dependency>>")],
    partition_key: &["ts"],
    clustering: &[],
    descending: &[],
    kept: Kept::Dependencies,
};

pub(super) const SAMPLING: &[Table] = &[
    Table {
        name: "operation_throughput",
        columns: &[("bucket", "int"), ("ts", "timeuuid"), ("throughput", "text")],
        partition_key: &["bucket"],
        clustering: &["ts"],
        descending: &["ts"],
        kept: Kept::Server,
    },
    Table {
        name: "sampling_probabilities",
        columns: &[("bucket", "int"), ("ts", "timeuuid"), ("hostname", "text"), ("probabilities", "text")],
        partition_key: &["bucket"],
        clustering: &["ts"],
        descending: &["ts"],
        kept: Kept::Server,
    },
    Table {
        name: "leases",
        columns: &[("name", "text"), ("owner", "text")],
        partition_key: &["name"],
        clustering: &[],
        descending: &[],
        kept: Kept::Server,
    },
];

/// Skua's own: a row for each kind and interval, a partition for each kind and day.
pub(super) const ROLLUPS: Table = Table {
    name: "skua_rollups",
    columns: &[("kind", "text"), ("day", "timestamp"), ("interval", "timestamp"), ("version", "uuid"), ("body", "blob")],
    partition_key: &["kind", "day"],
    clustering: &["interval"],
    descending: &[],
    kept: Kept::Server,
};

/// All tables of v004 and ours, in the order in which they are made.
pub(super) fn all() -> impl Iterator<Item = &'static Table> {
    let spans = [&TRACES, &SERVICE_NAMES, &OPERATION_NAMES].into_iter();
    spans.chain(INDICES).chain([&DEPENDENCIES]).chain(SAMPLING).chain([&ROLLUPS])
}
