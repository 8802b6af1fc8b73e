//! What the columns of a sidecar are called in Parquet.

use crate::block::column_names;
use crate::columns::Type;
use crate::sidecar::{About, Column, Role};

/// The names of all columns, in the order of the file.
pub(super) fn names(about: &About) -> Vec<String> {
    let column = |column: &Column| (role(column), column.key.clone(), ty(column));
    let columns: Vec<_> = about.columns.iter().map(column).collect();
    column_names(columns.iter().map(|(role, key, ty)| (*role, &key[..], *ty)))
}

fn role(column: &Column) -> Role {
    Role::try_from(column.role).unwrap_or(Role::Rest)
}

fn ty(column: &Column) -> Option<Type> {
    Type::of(u8::try_from(column.ty).ok()?)
}

/// The type as people who know Parquet call it.
pub(super) fn type_name(column: &Column) -> &'static str {
    match (role(column), ty(column)) {
        (Role::TraceId, _) => "FIXED[16]",
        (Role::SpanId | Role::ParentId, _) => "FIXED[8]",
        (Role::Start, _) => "TIMESTAMP(ns)",
        (Role::Duration, _) | (Role::Attribute, Some(Type::Int)) => "INT64",
        (Role::Service | Role::Name | Role::Message | Role::TraceState, _) | (Role::Attribute, Some(Type::String)) => "STRING",
        (Role::Kind | Role::Status | Role::Flags | Role::JaegerFlags, _) => "INT32",
        (Role::Attribute, Some(Type::Bool)) => "BOOLEAN",
        (Role::Attribute, Some(Type::Double)) => "DOUBLE",
        (Role::Resource | Role::Scope | Role::Shape | Role::Rest | Role::Attribute, _) => "BYTE_ARRAY",
    }
}

/// Whether every row has a value.
pub(super) fn is_required(column: &Column) -> bool {
    !matches!(role(column), Role::ParentId | Role::Message | Role::JaegerFlags | Role::TraceState | Role::Attribute | Role::Rest)
}
