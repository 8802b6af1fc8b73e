//! A span's OTLP bytes again, from its columns.

use crate::columns::{Field, NULL, Number, Rows, Type};
use skua_model::otlp::{self, span, status};
use skua_model::wire::{Cursor, put_bytes, put_message, put_uint, put_varint, varint_len};
use skua_store::{ErrorKind, StoreError};
use std::collections::HashMap;

/// Where a span's attributes are, in their order.
#[derive(Debug)]
struct Shape {
    /// The span has a `Status`.
    status: bool,
    /// Type and column; `None`: the next attribute of the rest.
    attributes: Vec<Option<(Type, u32)>>,
    /// The key of each that has a column.
    keys: Vec<Box<[u8]>>,
}

/// Rebuilds spans of one head or one block: it remembers the shapes by their codes.
#[derive(Debug, Default)]
pub(crate) struct Rebuilder {
    shapes: HashMap<u32, Shape, foldhash::fast::FixedState>,
}

fn damaged(what: &str) -> StoreError {
    StoreError::new(ErrorKind::Internal, format!("failed to rebuild a span from its columns: {what}"))
}

impl Shape {
    fn read(shape: &[u8], rows: &impl Rows) -> Result<Self, StoreError> {
        let Some((marks, mut shape)) = shape.split_first() else { return Err(damaged("its shape is empty")) };
        let (mut attributes, mut keys) = (Vec::new(), Vec::new());
        while let Some((&ty, rest)) = shape.split_first() {
            shape = rest;
            if ty == 0 {
                attributes.push(None);
                continue;
            }
            let ty = Type::of(ty).ok_or_else(|| damaged("its shape has a type that is not known"))?;
            let mut c = Cursor::new(shape);
            let key = c.bytes().map_err(|_| damaged("its shape is cut short"))?;
            shape = &shape[shape.len() - c.remaining()..];
            let column = rows.attribute(key, ty).ok_or_else(|| damaged("its shape names a column that there is not"))?;
            attributes.push(Some((ty, column)));
            keys.push(key.into());
        }
        Ok(Self { status: marks & 1 == 1, attributes, keys })
    }
}

/// The fields of a message: tag, and the whole field.
fn fields(message: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut c = Cursor::new(message);
    std::iter::from_fn(move || {
        let from = message.len() - c.remaining();
        let tag = c.tag().ok()??;
        c.skip(tag, 0).ok()?;
        Some((tag, &message[from..message.len() - c.remaining()]))
    })
}

fn put_fixed64(out: &mut Vec<u8>, tag: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(tag));
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// One attribute, whose value is as a column has it.
fn put_attribute(out: &mut Vec<u8>, key: &[u8], ty: Type, value: &[u8]) -> Result<(), StoreError> {
    let bits = || value.try_into().map(u64::from_le_bytes).map_err(|_| damaged("a number does not have 8 bytes"));
    let (int, size) = match ty {
        Type::String => (0, 1 + varint_len(value.len() as u64) + value.len()),
        Type::Bool => (0, 2),
        Type::Int => {
            let int = bits()?;
            (int, 1 + varint_len(int))
        }
        Type::Double => (bits()?, 9),
    };
    let whole = 1 + varint_len(key.len() as u64) + key.len() + 1 + varint_len(size as u64) + size;
    put_varint(out, u64::from(span::ATTRIBUTES));
    put_varint(out, whole as u64);
    put_bytes(out, otlp::key_value::KEY >> 3, key);
    put_varint(out, u64::from(otlp::key_value::VALUE));
    put_varint(out, size as u64);
    match ty {
        Type::String => put_bytes(out, otlp::any_value::STRING >> 3, value),
        Type::Bool => out.extend_from_slice(&[otlp::any_value::BOOL as u8, u8::from(value != [0])]),
        Type::Int => {
            put_varint(out, u64::from(otlp::any_value::INT));
            put_varint(out, int);
        }
        Type::Double => {
            put_varint(out, u64::from(otlp::any_value::DOUBLE));
            out.extend_from_slice(value);
        }
    }
    Ok(())
}

impl Rebuilder {
    /// For one head or one block: codes of another may mean other shapes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the body of a `Span` message.
    ///
    /// # Errors
    /// When columns do not fit together, which only damage explains; what was appended is then worth nothing.
    pub fn span(&mut self, rows: &impl Rows, row: usize, out: &mut Vec<u8>) -> Result<(), StoreError> {
        put_bytes(out, span::TRACE_ID >> 3, &rows.trace_id(row));
        put_bytes(out, span::SPAN_ID >> 3, &rows.span_id(row));
        let text = |field| {
            let code = rows.code(field, row);
            (code != NULL).then(|| rows.value(field, code))
        };
        if let Some(state) = text(Field::TraceState) {
            put_bytes(out, span::TRACE_STATE >> 3, state);
        }
        let parent = rows.parent_id(row);
        if parent != [0; 8] {
            put_bytes(out, span::PARENT_SPAN_ID >> 3, &parent);
        }
        match text(Field::Name) {
            Some(name) if !name.is_empty() => put_bytes(out, span::NAME >> 3, name),
            _ => {}
        }
        put_uint(out, span::KIND >> 3, u64::from(rows.number(Number::Kind, row)));
        put_fixed64(out, span::START, rows.start(row) as u64);
        put_fixed64(out, span::END, rows.start(row).wrapping_add(rows.duration(row)) as u64);
        let shape = self.shape(rows, row)?;
        let rest = rows.rest(row);
        put_attributes(rows, row, shape, rest, out)?;
        fields(rest).filter(|(tag, _)| *tag != span::ATTRIBUTES).for_each(|(_, field)| out.extend_from_slice(field));
        if shape.status {
            put_message(out, span::STATUS >> 3, |out| {
                if let Some(message) = text(Field::Message) {
                    put_bytes(out, status::MESSAGE >> 3, message);
                }
                put_uint(out, status::CODE >> 3, u64::from(rows.number(Number::Status, row)));
            });
        }
        let flags = rows.number(Number::Flags, row);
        if flags != 0 {
            put_varint(out, u64::from(span::FLAGS));
            out.extend_from_slice(&flags.to_le_bytes());
        }
        let flags = rows.number(Number::JaegerFlags, row);
        if flags != NULL {
            put_varint(out, u64::from(otlp::JAEGER_FLAGS)); // its presence tells something: 0 is written too
            put_varint(out, u64::from(flags));
        }
        Ok(())
    }

    fn shape(&mut self, rows: &impl Rows, row: usize) -> Result<&Shape, StoreError> {
        let code = rows.code(Field::Shape, row);
        match self.shapes.entry(code) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(new) => Ok(new.insert(Shape::read(rows.value(Field::Shape, code), rows)?)),
        }
    }
}

fn put_attributes(rows: &impl Rows, row: usize, shape: &Shape, rest: &[u8], out: &mut Vec<u8>) -> Result<(), StoreError> {
    let mut loose = fields(rest).filter(|(tag, _)| *tag == span::ATTRIBUTES);
    let mut keys = shape.keys.iter();
    for attribute in &shape.attributes {
        match attribute {
            Some((ty, column)) => {
                let field = Field::Attribute(*column);
                let code = rows.code(field, row);
                let key = keys.next().map(|key| &**key).unwrap_or_default();
                if code == NULL {
                    return Err(damaged("an attribute of its shape has no value"));
                }
                put_attribute(out, key, *ty, rows.value(field, code))?;
            }
            None => {
                let (_, field) = loose.next().ok_or_else(|| damaged("an attribute of its shape is not in the rest"))?;
                out.extend_from_slice(field);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
