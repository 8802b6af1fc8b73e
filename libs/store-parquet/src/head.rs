//! The recent spans, taken apart into columns as they arrive, each value kept once. They are searched as they are, and a block is
//! cut from them without another look at OTLP.

mod attributes;
mod keys;
mod pool;
mod push;
mod services;
mod value;

pub(crate) use attributes::Attribute;
pub(crate) use pool::{Column, Pool};

use crate::PAGE;
use crate::columns::{Field, NULL, Number, Rows, Type};
use crate::sidecar::Service;
use attributes::Attributes;
use keys::Keys;
use services::Services;
use std::collections::BTreeSet;

/// Between which times a run of [`PAGE`] rows lies. Starts are compared as signed numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Nanoseconds since 1970.
    pub start_min: i64,
    /// Nanoseconds since 1970.
    pub start_max: i64,
    /// Nanoseconds.
    pub duration_max: i64,
}

/// Spans in columns, in the order in which they came. Who fills it bounds [`Head::bytes`]: offsets have 32 bits.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) trace_id: Vec<[u8; 16]>,
    pub(crate) span_id: Vec<[u8; 8]>,
    /// Zero for a root.
    pub(crate) parent_id: Vec<[u8; 8]>,
    pub(crate) start: Vec<i64>,
    pub(crate) duration: Vec<i64>,
    pub(crate) kind: Vec<u32>,
    pub(crate) status: Vec<u32>,
    pub(crate) flags: Vec<u32>,
    /// Of all rows, or of none as yet; [`NULL`] where there is none.
    pub(crate) jaeger_flags: Vec<u32>,
    pub(crate) service: Column,
    pub(crate) name: Column,
    pub(crate) message: Column,
    pub(crate) trace_state: Column,
    pub(crate) resource: Column,
    pub(crate) scope: Column,
    pub(crate) shape: Column,
    pub(crate) rest: Vec<u8>,
    /// Where each row's rest ends.
    pub(crate) rest_end: Vec<u32>,
    attributes: Attributes,
    /// Numbers of columns as a shape has them, in place of keys: with the codes of [`Head::shape`].
    lists: Pool,
    list: Vec<u8>,
    services: Services,
    keys: Keys,
    bounds: Vec<Bounds>,
}

impl Head {
    /// Without spans.
    pub fn new() -> Self {
        Self {
            trace_id: Vec::new(),
            span_id: Vec::new(),
            parent_id: Vec::new(),
            start: Vec::new(),
            duration: Vec::new(),
            kind: Vec::new(),
            status: Vec::new(),
            flags: Vec::new(),
            jaeger_flags: Vec::new(),
            service: Column::default(),
            name: Column::default(),
            message: Column::default(),
            trace_state: Column::default(),
            resource: Column::default(),
            scope: Column::default(),
            shape: Column::default(),
            rest: Vec::new(),
            rest_end: Vec::new(),
            attributes: Attributes::new(),
            lists: Pool::default(),
            list: Vec::new(),
            services: Services::default(),
            keys: Keys::default(),
            bounds: Vec::new(),
        }
    }

    /// Spans.
    pub fn len(&self) -> usize {
        self.trace_id.len()
    }

    /// Without a span.
    pub fn is_empty(&self) -> bool {
        self.trace_id.is_empty()
    }

    /// Bytes on the heap, room that is not used yet included.
    pub fn bytes(&self) -> usize {
        let ids = 16 * self.trace_id.capacity() + 8 * (self.span_id.capacity() + self.parent_id.capacity());
        let times = 8 * (self.start.capacity() + self.duration.capacity());
        let numbers = [&self.kind, &self.status, &self.flags, &self.jaeger_flags, &self.rest_end];
        let numbers: usize = numbers.iter().map(|column| 4 * column.capacity()).sum();
        let columns: usize = self.columns().iter().map(|column| column.bytes()).sum();
        let sets = self.lists.bytes() + self.services.bytes() + self.keys.bytes();
        ids + times + numbers + columns + self.rest.capacity() + self.attributes.bytes() + sets
    }

    fn columns(&self) -> [&Column; 7] {
        [&self.service, &self.name, &self.message, &self.trace_state, &self.resource, &self.scope, &self.shape]
    }

    /// Of each run of [`PAGE`] rows.
    pub fn bounds(&self) -> &[Bounds] {
        &self.bounds
    }

    /// How many codes a column has: each is that of some row.
    pub fn values(&self, field: Field) -> usize {
        self.column(field).map_or(0, |column| column.pool.len())
    }

    /// `None` for an attribute column that there is not.
    pub(crate) fn column(&self, field: Field) -> Option<&Column> {
        Some(match field {
            Field::Service => &self.service,
            Field::Name => &self.name,
            Field::Message => &self.message,
            Field::TraceState => &self.trace_state,
            Field::Resource => &self.resource,
            Field::Scope => &self.scope,
            Field::Shape => &self.shape,
            Field::Attribute(number) => &self.attributes.columns.get(number as usize)?.column,
        })
    }

    /// The attribute columns in the order of their numbers.
    pub(crate) fn attribute_columns(&self) -> &[Attribute] {
        &self.attributes.columns
    }

    /// Keys of span attributes and fields of events that are in the rest, and whether there are more than these.
    pub fn rest_keys(&self) -> (&BTreeSet<Vec<u8>>, bool) {
        self.keys.all()
    }

    /// All services and their operations, sorted.
    pub fn services(&self) -> Vec<Service> {
        self.services.list(&self.service.pool, &self.name.pool)
    }

    fn widen_bounds(&mut self, row: usize, start: i64, duration: i64) {
        match self.bounds.last_mut() {
            Some(b) if !row.is_multiple_of(PAGE) => {
                b.start_min = b.start_min.min(start);
                b.start_max = b.start_max.max(start);
                b.duration_max = b.duration_max.max(duration);
            }
            _ => self.bounds.push(Bounds { start_min: start, start_max: start, duration_max: duration }),
        }
    }
}

impl Rows for Head {
    fn trace_id(&self, row: usize) -> [u8; 16] {
        self.trace_id[row]
    }

    fn span_id(&self, row: usize) -> [u8; 8] {
        self.span_id[row]
    }

    fn parent_id(&self, row: usize) -> [u8; 8] {
        self.parent_id[row]
    }

    fn start(&self, row: usize) -> i64 {
        self.start[row]
    }

    fn duration(&self, row: usize) -> i64 {
        self.duration[row]
    }

    fn number(&self, column: Number, row: usize) -> u32 {
        match column {
            Number::Kind => self.kind[row],
            Number::Status => self.status[row],
            Number::Flags => self.flags[row],
            Number::JaegerFlags => self.jaeger_flags.get(row).copied().unwrap_or(NULL),
        }
    }

    fn code(&self, column: Field, row: usize) -> u32 {
        self.column(column).map_or(NULL, |column| column.code(row))
    }

    fn value(&self, column: Field, code: u32) -> &[u8] {
        self.column(column).map(|column| column.pool.get(code)).unwrap_or_default()
    }

    fn rest(&self, row: usize) -> &[u8] {
        let from = if row == 0 { 0 } else { self.rest_end[row - 1] };
        self.rest.get(from as usize..self.rest_end[row] as usize).unwrap_or_default()
    }

    fn attribute(&self, key: &[u8], ty: Type) -> Option<u32> {
        self.attributes.find(key, ty)
    }
}

#[cfg(test)]
mod tests;
