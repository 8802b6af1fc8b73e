//! Rows of a page as one OTLP message.

use crate::columns::{Field, Rows};
use crate::rebuild::Rebuilder;
use skua_model::otlp::{resource_spans, scope_spans, traces_data};
use skua_model::wire::{put_bytes, put_message};
use skua_store::StoreError;

/// A `TracesData` message of these rows: grouped by resource and scope, within which spans keep their order.
pub(super) fn assemble(rows: &impl Rows, wanted: &[usize], rebuilder: &mut Rebuilder) -> Result<Vec<u8>, StoreError> {
    let code = |row: &usize| (rows.code(Field::Resource, *row), rows.code(Field::Scope, *row), *row);
    let mut order: Vec<(u32, u32, usize)> = wanted.iter().map(code).collect();
    order.sort_unstable();
    let (mut message, mut body, mut failed) = (Vec::with_capacity(wanted.len() * 512), Vec::new(), None);
    for of_resource in order.chunk_by(|a, b| a.0 == b.0) {
        put_message(&mut message, traces_data::RESOURCE_SPANS >> 3, |out| {
            out.extend_from_slice(rows.value(Field::Resource, of_resource[0].0));
            for of_scope in of_resource.chunk_by(|a, b| a.1 == b.1) {
                put_message(out, resource_spans::SCOPE_SPANS >> 3, |out| {
                    out.extend_from_slice(rows.value(Field::Scope, of_scope[0].1));
                    for (.., row) in of_scope {
                        body.clear();
                        match rebuilder.span(rows, *row, &mut body) {
                            Ok(()) => put_bytes(out, scope_spans::SPANS >> 3, &body),
                            Err(e) => failed = Some(e),
                        }
                    }
                });
            }
        });
    }
    failed.map_or(Ok(message), Err)
}
