//! Attributes that are written the one usual way: those that can have a column.

use crate::columns::Type;
use skua_model::wire::{Cursor, varint_len};

/// A value as a column keeps it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plain<'a> {
    String(&'a [u8]),
    /// Type and bytes of [`Type`].
    Number(Type, [u8; 8]),
}

impl Plain<'_> {
    pub fn ty(&self) -> Type {
        match self {
            Self::String(_) => Type::String,
            Self::Number(ty, _) => *ty,
        }
    }
}

/// A length as every encoder writes it, and what follows it.
#[inline]
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        &[short @ ..0x80, ref rest @ ..] => Some((usize::from(short), rest)),
        _ => {
            let (length, rest) = varint(bytes)?;
            Some((usize::try_from(length).ok()?, rest))
        }
    }
}

/// A varint of no more bytes than it needs, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut c = Cursor::new(bytes);
    let value = c.varint().ok()?;
    let taken = bytes.len() - c.remaining();
    let canonical = taken == varint_len(value) && (taken < 10 || bytes[9] == 1);
    canonical.then(|| (value, &bytes[taken..]))
}

/// The key and value of the body of a `KeyValue`; `None` when it is written in any other way, has no value or one of another type.
/// Neither is known to be UTF-8.
#[inline]
pub(super) fn plain(body: &[u8]) -> Option<(&[u8], Plain<'_>)> {
    let [0x0a, rest @ ..] = body else { return None };
    let (size, rest) = length(rest)?;
    let (key, rest) = rest.split_at_checked(size)?;
    let [0x12, rest @ ..] = rest else { return None };
    let (size, value) = length(rest)?;
    if value.len() != size {
        return None;
    }
    let value = match value {
        [0x0a, rest @ ..] => match length(rest)? {
            (size, text) if text.len() == size => Plain::String(text),
            _ => return None,
        },
        &[0x10, bit @ (0 | 1)] => Plain::Number(Type::Bool, u64::from(bit).to_le_bytes()),
        [0x18, rest @ ..] => match varint(rest)? {
            (value, []) => Plain::Number(Type::Int, value.to_le_bytes()),
            _ => return None,
        },
        [0x21, bits @ ..] => Plain::Number(Type::Double, bits.try_into().ok()?),
        _ => return None,
    };
    Some((key, value))
}

/// The key of any `KeyValue`, empty when it has none: the last one counts.
pub(super) fn any_key(body: &[u8]) -> &[u8] {
    let (mut c, mut key) = (Cursor::new(body), &b""[..]);
    while let Ok(Some(tag)) = c.tag() {
        if tag == skua_model::otlp::key_value::KEY {
            key = c.bytes().unwrap_or_default();
        } else if c.skip(tag, 0).is_err() {
            break;
        }
    }
    key
}
