//! `jaeger.Tag` and lists of structs.

use super::error::{at, require};
use super::reader::{Reader, Type};
use super::{Malformed, ThriftError};
use skua_model::AnyValue;

/// What a tag of a type that does not exist is worth. Go's converter shows the tag as its `%+v` has it, whose only content that
/// means something is that the type is unset.
const UNKNOWN: AnyValue<'static> = AnyValue::String(b"Unknown VType: <UNSET>");

/// Reads a tag. A value of another type than `vType` says is not seen; without one it is the type's zero.
#[inline]
pub(super) fn read<'a, R: Reader<'a>>(r: &mut R) -> Result<(&'a [u8], AnyValue<'a>), ThriftError> {
    let (mut key, mut kind, mut text, mut binary) = (&b""[..], 0, &b""[..], &b""[..]);
    let (mut double, mut truth, mut long) = (0.0, false, 0);
    let (mut seen, mut last) = (0, 0);
    while let Some(field) = r.field(&mut last).map_err(at("Tag"))? {
        match (field.id, field.kind) {
            (1, Type::Binary) => {
                key = r.binary().map_err(at("Tag.key"))?;
                seen |= 1 << 1;
            }
            (2, Type::I32) => {
                kind = r.i32().map_err(at("Tag.vType"))?;
                seen |= 1 << 2;
            }
            (3, Type::Binary) => text = r.binary().map_err(at("Tag.vStr"))?,
            (4, Type::Double) => double = r.double().map_err(at("Tag.vDouble"))?,
            (5, Type::Bool) => truth = r.bool(&field).map_err(at("Tag.vBool"))?,
            (6, Type::I64) => long = r.i64().map_err(at("Tag.vLong"))?,
            (7, Type::Binary) => binary = r.binary().map_err(at("Tag.vBinary"))?,
            _ => r.skip(&field).map_err(at("Tag"))?,
        }
    }
    require(seen, &[(1, "Tag.key"), (2, "Tag.vType")])?;
    let value = match kind {
        0 => AnyValue::String(text),
        1 => AnyValue::Double(double),
        2 => AnyValue::Bool(truth),
        3 => AnyValue::Int(long),
        4 => AnyValue::Bytes(binary),
        _ => UNKNOWN,
    };
    Ok((key, value))
}

/// A list of structs that was passed over, to be read when its turn comes. Not there, it is empty.
#[derive(Clone)]
pub(crate) struct List<R> {
    first: Option<R>,
    count: usize,
    /// Bytes of its elements.
    pub len: usize,
}

impl<R> Default for List<R> {
    fn default() -> Self {
        Self { first: None, count: 0, len: 0 }
    }
}

impl<R> List<R> {
    /// Reads the list's head and passes over its elements.
    #[inline]
    pub fn pass<'a>(r: &mut R) -> Result<Self, Malformed>
    where
        R: Reader<'a>,
    {
        Self::pass_with(r, |e| e, |r| r.skip_value(Type::Struct))
    }

    /// As [`List::pass`], with a look at each element; `wrong` says what it means that the head is malformed.
    #[inline]
    pub fn pass_with<'a, E>(
        r: &mut R,
        wrong: impl Fn(Malformed) -> E,
        mut element: impl FnMut(&mut R) -> Result<(), E>,
    ) -> Result<Self, E>
    where
        R: Reader<'a>,
    {
        let count = r.structs().map_err(wrong)?;
        let first = r.clone();
        for _ in 0..count {
            element(r)?;
        }
        Ok(Self { len: first.remaining() - r.remaining(), first: Some(first), count })
    }

    /// Reads each element with `element`, from the first, to the first error.
    #[inline]
    pub fn read<'a, T, E>(&self, mut element: impl FnMut(&mut R) -> Result<T, E>) -> impl Iterator<Item = Result<T, E>>
    where
        R: Reader<'a>,
    {
        let (mut r, mut left) = (self.first.clone(), self.count);
        std::iter::from_fn(move || {
            let r = r.as_mut().filter(|_| left > 0)?;
            left -= 1;
            Some(element(r).inspect_err(|_| left = 0))
        })
    }
}
