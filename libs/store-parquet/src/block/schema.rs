//! The Parquet schema of a block, and where each of its columns comes from.

use crate::columns::Type;
use crate::head::{Column, Head};
use crate::sidecar::Role;
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::Type as SchemaType;
use std::collections::HashSet;
use std::sync::Arc;

/// Where a column of a block comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    TraceId,
    SpanId,
    ParentId,
    /// Start or duration.
    Times(&'a [i64]),
    /// A small number in every row.
    Numbers(&'a [u32]),
    /// A small number in some rows.
    SomeNumbers(&'a [u32]),
    /// Values of a pool; in every row, or in some.
    Values(&'a Column, bool),
    /// As [`Source::Values`], one byte each.
    Bools(&'a Column),
    Rest,
}

/// A column of a block.
pub(super) struct Described<'a> {
    pub role: Role,
    pub source: Source<'a>,
    pub key: &'a [u8],
    pub ty: Option<Type>,
    pub physical: Physical,
    /// Bytes of a value; 0: each has its own length.
    pub width: u32,
    text: bool,
}

impl<'a> Described<'a> {
    fn new(role: Role, source: Source<'a>, physical: Physical, width: u32) -> Self {
        Self { role, source, key: b"", ty: None, physical, width, text: false }
    }

    fn text(role: Role, column: &'a Column, required: bool) -> Self {
        Self { text: true, ..Self::bytes(role, column, required) }
    }

    fn bytes(role: Role, column: &'a Column, required: bool) -> Self {
        Self::new(role, Source::Values(column, required), Physical::BYTE_ARRAY, 0)
    }

    pub fn required(&self) -> bool {
        matches!(self.source, Source::TraceId | Source::SpanId | Source::Times(_) | Source::Numbers(_) | Source::Values(_, true))
    }

    fn schema(&self, name: &str) -> Result<SchemaType, ParquetError> {
        let repetition = if self.required() { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let logical = match self.role {
            Role::Start => Some(LogicalType::timestamp(true, TimeUnit::NANOS)),
            _ if self.text => Some(LogicalType::String),
            _ => None,
        };
        let length = if self.physical == Physical::FIXED_LEN_BYTE_ARRAY { self.width as i32 } else { -1 };
        let builder =
            SchemaType::primitive_type_builder(name, self.physical).with_repetition(repetition).with_logical_type(logical);
        builder.with_length(length).build()
    }
}

/// All columns of a block, in the order of the file. An attribute column without a value is left out.
pub(super) fn columns(head: &Head) -> Vec<Described<'_>> {
    use Physical::{BOOLEAN, BYTE_ARRAY, DOUBLE, FIXED_LEN_BYTE_ARRAY, INT32, INT64};
    let mut all = vec![
        Described::new(Role::TraceId, Source::TraceId, FIXED_LEN_BYTE_ARRAY, 16),
        Described::new(Role::SpanId, Source::SpanId, FIXED_LEN_BYTE_ARRAY, 8),
        Described::new(Role::ParentId, Source::ParentId, FIXED_LEN_BYTE_ARRAY, 8),
        Described::new(Role::Start, Source::Times(&head.start), INT64, 8),
        Described::new(Role::Duration, Source::Times(&head.duration), INT64, 8),
        Described::text(Role::Service, &head.service, true),
        Described::text(Role::Name, &head.name, true),
        Described::new(Role::Kind, Source::Numbers(&head.kind), INT32, 4),
        Described::new(Role::Status, Source::Numbers(&head.status), INT32, 4),
        Described::text(Role::Message, &head.message, false),
        Described::new(Role::Flags, Source::Numbers(&head.flags), INT32, 4),
        Described::new(Role::JaegerFlags, Source::SomeNumbers(&head.jaeger_flags), INT32, 4),
        Described::text(Role::TraceState, &head.trace_state, false),
        Described::bytes(Role::Resource, &head.resource, true),
        Described::bytes(Role::Scope, &head.scope, true),
        Described::bytes(Role::Shape, &head.shape, true),
    ];
    for attribute in head.attribute_columns().iter().filter(|attribute| attribute.column.count > 0) {
        let (physical, width) = match attribute.ty {
            Type::String => (BYTE_ARRAY, 0),
            Type::Int => (INT64, 8),
            Type::Double => (DOUBLE, 8),
            Type::Bool => (BOOLEAN, 1),
        };
        let source = match attribute.ty {
            Type::Bool => Source::Bools(&attribute.column),
            _ => Source::Values(&attribute.column, false),
        };
        let text = attribute.ty == Type::String;
        let described = Described::new(Role::Attribute, source, physical, width);
        all.push(Described { key: &attribute.key, ty: Some(attribute.ty), text, ..described });
    }
    all.push(Described::new(Role::Rest, Source::Rest, BYTE_ARRAY, 0));
    all
}

/// The name of a column, were there no other.
fn plain_name(role: Role, key: &[u8], ty: Option<Type>) -> String {
    let fixed = match role {
        Role::TraceId => "trace_id",
        Role::SpanId => "span_id",
        Role::ParentId => "parent_id",
        Role::Start => "start",
        Role::Duration => "duration",
        Role::Service => "service",
        Role::Name => "name",
        Role::Kind => "kind",
        Role::Status => "status",
        Role::Message => "message",
        Role::Flags => "flags",
        Role::JaegerFlags => "jaeger_flags",
        Role::TraceState => "trace_state",
        Role::Resource => "resource",
        Role::Scope => "scope",
        Role::Shape => "shape",
        Role::Rest => "rest",
        Role::Attribute => return format!("attr.{}{}", String::from_utf8_lossy(key), ty.map_or("", Type::suffix)),
    };
    fixed.to_owned()
}

/// The names of a block's columns, by role, key and type. Of two that would have one name (`a:int` is a key, too), the later is told apart by a number.
pub(crate) fn column_names<'a>(columns: impl Iterator<Item = (Role, &'a [u8], Option<Type>)>) -> Vec<String> {
    let mut names = HashSet::new();
    let name = |(role, key, ty)| {
        let (plain, mut number) = (plain_name(role, key, ty), 1);
        let mut name = plain.clone();
        while !names.insert(name.clone()) {
            number += 1;
            name = format!("{plain}#{number}");
        }
        name
    };
    columns.map(name).collect()
}

/// The Parquet schema.
pub(super) fn schema(columns: &[Described<'_>]) -> Result<SchemaType, ParquetError> {
    let names = column_names(columns.iter().map(|column| (column.role, column.key, column.ty)));
    let field = |(column, name): (&Described<'_>, &String)| column.schema(name).map(Arc::new);
    let fields = columns.iter().zip(&names).map(field).collect::<Result<Vec<_>, _>>()?;
    SchemaType::group_type_builder("span").with_fields(fields).build()
}
