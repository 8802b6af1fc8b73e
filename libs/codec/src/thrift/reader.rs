//! What Thrift's two wire protocols have in common: a walk over borrowed bytes, without allocation or a stack of its own.

use super::Malformed;

/// How deep values may lie in values that nobody reads; as deep as Go's library goes.
const MAX_DEPTH: u32 = 64;

/// A Thrift type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    /// Strings too.
    Binary,
    Struct,
    Map,
    Set,
    List,
    Uuid,
}

/// The head of a struct's field; its value follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub id: i16,
    pub kind: Type,
    /// The value of a bool in the compact protocol, where none follows.
    pub truth: bool,
}

/// Reads one protocol, from the bytes that are left. A clone is a bookmark: the same bytes can be read again from there.
///
/// A struct is its fields up to the end that [`Reader::field`] finds, a list its head and then its elements.
pub(crate) trait Reader<'a>: Clone {
    /// Starts at the first byte.
    fn new(bytes: &'a [u8]) -> Self;

    /// Bytes not yet read.
    fn remaining(&self) -> usize;

    /// The head of a message: its method. Type and sequence id are passed over: Jaeger looks at neither.
    fn message(&mut self) -> Result<&'a [u8], Malformed>;

    /// The next field, or `None` at the end of the struct. `last` is the id of the field before: 0 at a struct's start,
    /// and kept by the caller from field to field.
    fn field(&mut self, last: &mut i16) -> Result<Option<Field>, Malformed>;

    /// The value of a bool field.
    fn bool(&mut self, field: &Field) -> Result<bool, Malformed>;

    fn i16(&mut self) -> Result<i16, Malformed>;

    fn i32(&mut self) -> Result<i32, Malformed>;

    fn i64(&mut self) -> Result<i64, Malformed>;

    fn double(&mut self) -> Result<f64, Malformed>;

    /// A string or binary; nothing looks whether it is UTF-8.
    fn binary(&mut self) -> Result<&'a [u8], Malformed>;

    /// The head of a list or set: how many elements follow and of which type, `None` when the list is empty, since some writers
    /// then leave the type out. There are never more elements than bytes left.
    fn list(&mut self) -> Result<(Option<Type>, usize), Malformed>;

    /// The head of a map that is not empty: types of keys and values, and how many pairs follow.
    fn map(&mut self) -> Result<Option<(Type, Type, usize)>, Malformed>;

    /// Passes over so many bytes.
    fn pass(&mut self, bytes: usize) -> Result<(), Malformed>;

    /// The head of a list of structs: how many follow. Go reads any list as if it were one; but then what is read is not what
    /// [`Reader::skip`] passes over, and the same bytes could be read again and again.
    #[inline(always)]
    fn structs(&mut self) -> Result<usize, Malformed> {
        match self.list()? {
            (None | Some(Type::Struct), count) => Ok(count),
            _ => Err(Malformed::NotStructs),
        }
    }

    /// Passes over a field's value.
    #[inline]
    fn skip(&mut self, field: &Field) -> Result<(), Malformed> {
        skip_field(self, field, MAX_DEPTH)
    }

    /// Passes over a value that is no field's: a list's element.
    #[inline]
    fn skip_value(&mut self, kind: Type) -> Result<(), Malformed> {
        skip_nested(self, kind, MAX_DEPTH)
    }
}

#[inline(always)]
fn skip_field<'a, R: Reader<'a>>(r: &mut R, field: &Field, depth: u32) -> Result<(), Malformed> {
    match field.kind {
        Type::Bool => r.bool(field).map(drop),
        kind => skip_nested(r, kind, depth),
    }
}

fn skip_nested<'a, R: Reader<'a>>(r: &mut R, kind: Type, depth: u32) -> Result<(), Malformed> {
    match kind {
        Type::Bool | Type::Byte => return r.pass(1),
        Type::I16 => return r.i16().map(drop),
        Type::I32 => return r.i32().map(drop),
        Type::I64 => return r.i64().map(drop),
        Type::Double => return r.pass(8),
        Type::Uuid => return r.pass(16),
        Type::Binary => return r.binary().map(drop),
        Type::Struct | Type::List | Type::Set | Type::Map => {}
    }
    let depth = depth.checked_sub(1).ok_or(Malformed::Depth)?;
    match kind {
        Type::Struct => {
            let mut last = 0;
            while let Some(field) = r.field(&mut last)? {
                skip_field(r, &field, depth)?;
            }
        }
        Type::Map => {
            if let Some((key, value, count)) = r.map()? {
                for _ in 0..count {
                    skip_nested(r, key, depth)?;
                    skip_nested(r, value, depth)?;
                }
            }
        }
        _ => {
            if let (Some(kind), count) = r.list()? {
                for _ in 0..count {
                    skip_nested(r, kind, depth)?;
                }
            }
        }
    }
    Ok(())
}

/// The first bytes of `rest`, which then begins after them.
#[inline(always)]
pub(super) fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
    let (taken, after) = rest.split_at_checked(len).ok_or(Malformed::Truncated)?;
    *rest = after;
    Ok(taken)
}

/// As [`take`], of a length known to the compiler.
#[inline(always)]
pub(super) fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, after) = rest.split_first_chunk().ok_or(Malformed::Truncated)?;
    *rest = after;
    Ok(*taken)
}

/// A length as it is on the wire, where it is signed.
#[inline(always)]
pub(super) fn length(len: i32) -> Result<usize, Malformed> {
    usize::try_from(len).map_err(|_| Malformed::Negative)
}

/// A count of elements, each of at least so many bytes. Without this a few bytes could ask for 2³¹ rounds.
#[inline(always)]
pub(super) fn count(count: i32, rest: &[u8], bytes_each: usize) -> Result<usize, Malformed> {
    let n = length(count)?;
    if n > rest.len() / bytes_each {
        return Err(Malformed::Count { count: n as u32, left: u32::try_from(rest.len()).unwrap_or(u32::MAX) });
    }
    Ok(n)
}
