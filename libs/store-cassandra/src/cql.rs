//! CQL's binary values (native protocol 4, section 6): writing them into a buffer, and reading them from a row.
//!
//! A *cell* is a length of four bytes and so many bytes; -1 is null, -2 leaves the column alone.

use scylla::deserialize::row::{ColumnIterator, DeserializeRow};
use scylla::deserialize::{DeserializationError, TypeCheckError};
use scylla::frame::response::result::ColumnSpec;
use scylla::serialize::SerializationError;
use scylla::serialize::row::{RowSerializationContext, SerializeRow};
use scylla::serialize::writers::RowWriter;

/// Appends a cell.
#[inline]
pub(crate) fn put(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(&(value.len() as i32).to_be_bytes());
    out.extend_from_slice(value);
}

/// Appends a cell with a `bigint`.
#[inline]
pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&8_i32.to_be_bytes());
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends a cell with an `int`.
#[inline]
pub(crate) fn put_i32(out: &mut Vec<u8>, value: i32) {
    out.extend_from_slice(&4_i32.to_be_bytes());
    out.extend_from_slice(&value.to_be_bytes());
}

/// Appends a cell without a value.
#[inline]
pub(crate) fn put_null(out: &mut Vec<u8>) {
    out.extend_from_slice(&(-1_i32).to_be_bytes());
}

/// Appends a cell that leaves its column as it is: unlike a null it costs the server no tombstone.
#[inline]
pub(crate) fn put_unset(out: &mut Vec<u8>) {
    out.extend_from_slice(&UNSET.to_be_bytes());
}

const UNSET: i32 = -2;

/// Appends a cell whose value is written by `write`.
#[inline]
pub(crate) fn put_with<R>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    let result = write(out);
    let length = (out.len() - at - 4) as i32;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    result
}

/// Appends a cell with a list whose items, cells themselves, are written by `write`, which says how many there are.
#[inline]
pub(crate) fn put_list(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> i32) {
    put_with(out, |out| {
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        let items = write(out);
        out[at..at + 4].copy_from_slice(&items.to_be_bytes());
    });
}

/// The values of one statement: cells, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a>(pub &'a [u8]);

impl SerializeRow for Cells<'_> {
    fn serialize(&self, _: &RowSerializationContext<'_>, writer: &mut RowWriter<'_>) -> Result<(), SerializationError> {
        let mut rest = self.0;
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = i32::from_be_bytes(*length);
            let cell = writer.make_cell_writer();
            if length == UNSET {
                cell.set_unset();
                rest = after;
            } else if length < 0 {
                cell.set_null();
                rest = after;
            } else {
                let (value, after) = after.split_at_checked(length as usize).ok_or_else(|| SerializationError::new(Torn))?;
                cell.set_value(value).map_err(SerializationError::new)?;
                rest = after;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Cells, or a value, that end before their length says.
#[derive(Debug, thiserror::Error)]
#[error("a value ends too early")]
pub(crate) struct Torn;

/// A row as the server sent it: the bytes of each column, `None` for null.
#[derive(Debug)]
pub(crate) struct Raw<'f, const N: usize>(pub [Option<&'f [u8]>; N]);

impl<'f, 'm, const N: usize> DeserializeRow<'f, 'm> for Raw<'f, N> {
    /// The statements are ours and the schema was looked at: the types are known.
    fn type_check(_: &[ColumnSpec<'_>]) -> Result<(), TypeCheckError> {
        Ok(())
    }

    fn deserialize(columns: ColumnIterator<'f, 'm>) -> Result<Self, DeserializationError> {
        let mut row = [None; N];
        for (place, column) in row.iter_mut().zip(columns) {
            *place = column?.slice.map(|slice| slice.as_slice());
        }
        Ok(Self(row))
    }
}

impl<'f, const N: usize> Raw<'f, N> {
    /// A column's value; empty when it is null.
    pub fn bytes(&self, column: usize) -> &'f [u8] {
        self.0.get(column).copied().flatten().unwrap_or_default()
    }

    /// A `bigint`, or a `timestamp` in milliseconds; 0 when it is null.
    pub fn i64(&self, column: usize) -> i64 {
        i64_of(self.bytes(column))
    }

    /// A text.
    pub fn text(&self, column: usize) -> String {
        String::from_utf8_lossy(self.bytes(column)).into_owned()
    }
}

/// A `bigint`; 0 for null.
pub(crate) fn i64_of(value: &[u8]) -> i64 {
    value.first_chunk().map_or(0, |b| i64::from_be_bytes(*b))
}

/// The cells inside a tuple, a user-defined type or, behind its count, a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The fields of a user-defined type.
    pub fn fields(value: &'a [u8]) -> Self {
        Self(value)
    }

    /// The items of a list, and how many there are; none for null.
    pub fn items(value: &'a [u8]) -> Result<(Self, usize), Torn> {
        let Some((count, rest)) = value.split_first_chunk::<4>() else {
            return if value.is_empty() { Ok((Self(value), 0)) } else { Err(Torn) };
        };
        let count = usize::try_from(i32::from_be_bytes(*count)).map_err(|_| Torn)?;
        // Each item has a length of four bytes at least.
        if count > rest.len() / 4 { Err(Torn) } else { Ok((Self(rest), count)) }
    }

    /// The next cell; empty when it is null, or was not there yet when the value was written.
    pub fn next(&mut self) -> Result<&'a [u8], Torn> {
        let Some((length, rest)) = self.0.split_first_chunk::<4>() else {
            return if self.0.is_empty() { Ok(b"") } else { Err(Torn) };
        };
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        let (value, rest) = rest.split_at_checked(length).ok_or(Torn)?;
        self.0 = rest;
        Ok(value)
    }
}
