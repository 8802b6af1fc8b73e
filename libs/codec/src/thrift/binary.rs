//! Thrift's binary protocol (thrift-binary-protocol.md of Apache Thrift): fixed lengths, the most significant byte first.

use super::Malformed;
use super::reader::{Field, Reader, Type, count, length, take, take_array};

/// The upper two bytes of a message in the strict form.
const VERSION: u32 = 0x8001_0000;

/// A [`Reader`] of the binary protocol.
#[derive(Debug, Clone)]
pub(crate) struct Binary<'a> {
    rest: &'a [u8],
}

impl Binary<'_> {
    #[inline(always)]
    fn byte(&mut self) -> Result<u8, Malformed> {
        let [b] = take_array(&mut self.rest)?;
        Ok(b)
    }
}

#[inline(always)]
fn kind(code: u8) -> Result<Type, Malformed> {
    Ok(match code {
        2 => Type::Bool,
        3 => Type::Byte,
        4 => Type::Double,
        6 => Type::I16,
        8 => Type::I32,
        10 => Type::I64,
        11 => Type::Binary,
        12 => Type::Struct,
        13 => Type::Map,
        14 => Type::Set,
        15 => Type::List,
        16 => Type::Uuid,
        _ => return Err(Malformed::Type(code)),
    })
}

impl<'a> Reader<'a> for Binary<'a> {
    #[inline(always)]
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline(always)]
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The strict form begins with a version, the old one with the length of the name; Go reads both.
    fn message(&mut self) -> Result<&'a [u8], Malformed> {
        let head = self.i32()?;
        let strict = head < 0;
        if strict && head as u32 & 0xffff_0000 != VERSION {
            return Err(Malformed::NotBinary);
        }
        let len = if strict { self.i32()? } else { head };
        let name = take(&mut self.rest, length(len)?)?;
        self.pass(if strict { 4 } else { 5 })?; // the old form's type, and the sequence id
        Ok(name)
    }

    #[inline(always)]
    fn field(&mut self, last: &mut i16) -> Result<Option<Field>, Malformed> {
        let code = self.byte()?;
        if code == 0 {
            return Ok(None);
        }
        *last = self.i16()?;
        Ok(Some(Field { id: *last, kind: kind(code)?, truth: false }))
    }

    #[inline(always)]
    fn bool(&mut self, _: &Field) -> Result<bool, Malformed> {
        self.byte().map(|b| b == 1)
    }

    #[inline(always)]
    fn i16(&mut self) -> Result<i16, Malformed> {
        take_array(&mut self.rest).map(i16::from_be_bytes)
    }

    #[inline(always)]
    fn i32(&mut self) -> Result<i32, Malformed> {
        take_array(&mut self.rest).map(i32::from_be_bytes)
    }

    #[inline(always)]
    fn i64(&mut self) -> Result<i64, Malformed> {
        take_array(&mut self.rest).map(i64::from_be_bytes)
    }

    #[inline(always)]
    fn double(&mut self) -> Result<f64, Malformed> {
        take_array(&mut self.rest).map(f64::from_be_bytes)
    }

    #[inline(always)]
    fn binary(&mut self) -> Result<&'a [u8], Malformed> {
        let len = length(self.i32()?)?;
        take(&mut self.rest, len)
    }

    #[inline(always)]
    fn list(&mut self) -> Result<(Option<Type>, usize), Malformed> {
        let code = self.byte()?;
        let n = self.i32()?;
        match count(n, self.rest, 1)? {
            0 => Ok((None, 0)),
            n => Ok((Some(kind(code)?), n)),
        }
    }

    fn map(&mut self) -> Result<Option<(Type, Type, usize)>, Malformed> {
        let [key, value] = take_array(&mut self.rest)?;
        let n = self.i32()?;
        match count(n, self.rest, 2)? {
            0 => Ok(None),
            n => Ok(Some((kind(key)?, kind(value)?, n))),
        }
    }

    #[inline(always)]
    fn pass(&mut self, bytes: usize) -> Result<(), Malformed> {
        take(&mut self.rest, bytes).map(drop)
    }
}
