//! Thrift's compact protocol (thrift-compact-protocol.md of Apache Thrift): varints, zigzag integers, field ids as differences.

use super::Malformed;
use super::reader::{Field, Reader, Type, count, length, take, take_array};

/// The first byte of a message.
const PROTOCOL: u8 = 0x82;
/// The lower five bits of the second byte.
const VERSION: u8 = 1;

/// A [`Reader`] of the compact protocol.
#[derive(Debug, Clone)]
pub(crate) struct Compact<'a> {
    rest: &'a [u8],
}

impl Compact<'_> {
    /// One byte in the most frequent case; ids and times are nine or ten.
    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            &[b, ref rest @ ..] if b < 0x80 => {
                self.rest = rest;
                Ok(u64::from(b))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let mut v = 0;
        for (i, &b) in self.rest.iter().enumerate().take(10) {
            v |= u64::from(b & 0x7f) << (7 * i);
            if b < 0x80 {
                self.rest = &self.rest[i + 1..];
                return Ok(v);
            }
        }
        Err(if self.rest.len() < 10 { Malformed::Truncated } else { Malformed::Varint })
    }

    #[inline(always)]
    fn byte(&mut self) -> Result<u8, Malformed> {
        let [b] = take_array(&mut self.rest)?;
        Ok(b)
    }
}

/// `code` has four bits.
#[inline(always)]
fn kind(code: u8) -> Result<Type, Malformed> {
    Ok(match code {
        1 | 2 => Type::Bool,
        3 => Type::Byte,
        4 => Type::I16,
        5 => Type::I32,
        6 => Type::I64,
        7 => Type::Double,
        8 => Type::Binary,
        9 => Type::List,
        10 => Type::Set,
        11 => Type::Map,
        12 => Type::Struct,
        13 => Type::Uuid,
        _ => return Err(Malformed::Type(code)),
    })
}

impl<'a> Reader<'a> for Compact<'a> {
    #[inline(always)]
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline(always)]
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn message(&mut self) -> Result<&'a [u8], Malformed> {
        let [protocol, version_and_type] = take_array(&mut self.rest)?;
        if protocol != PROTOCOL || version_and_type & 0x1f != VERSION {
            return Err(Malformed::NotCompact);
        }
        self.varint()?; // the sequence id
        self.binary()
    }

    #[inline(always)]
    fn field(&mut self, last: &mut i16) -> Result<Option<Field>, Malformed> {
        let head = self.byte()?;
        let code = head & 0xf;
        if code == 0 {
            return Ok(None);
        }
        *last = match head >> 4 {
            0 => self.i16()?,
            difference => last.wrapping_add(i16::from(difference)),
        };
        Ok(Some(Field { id: *last, kind: kind(code)?, truth: code == 1 }))
    }

    #[inline(always)]
    fn bool(&mut self, field: &Field) -> Result<bool, Malformed> {
        Ok(field.truth)
    }

    #[inline(always)]
    fn i16(&mut self) -> Result<i16, Malformed> {
        self.i32().map(|v| v as i16)
    }

    #[inline(always)]
    fn i32(&mut self) -> Result<i32, Malformed> {
        let v = self.varint()? as u32;
        Ok((v >> 1) as i32 ^ -((v & 1) as i32))
    }

    #[inline(always)]
    fn i64(&mut self) -> Result<i64, Malformed> {
        let v = self.varint()?;
        Ok((v >> 1) as i64 ^ -((v & 1) as i64))
    }

    /// The least significant byte first, as all libraries write it; the specification once said otherwise.
    #[inline(always)]
    fn double(&mut self) -> Result<f64, Malformed> {
        take_array(&mut self.rest).map(f64::from_le_bytes)
    }

    #[inline(always)]
    fn binary(&mut self) -> Result<&'a [u8], Malformed> {
        let len = length(self.varint()? as i32)?;
        take(&mut self.rest, len)
    }

    #[inline(always)]
    fn list(&mut self) -> Result<(Option<Type>, usize), Malformed> {
        let head = self.byte()?;
        let n = match head >> 4 {
            15 => self.varint()? as i32,
            n => i32::from(n),
        };
        match count(n, self.rest, 1)? {
            0 => Ok((None, 0)),
            n => Ok((Some(kind(head & 0xf)?), n)),
        }
    }

    fn map(&mut self) -> Result<Option<(Type, Type, usize)>, Malformed> {
        let n = self.varint()? as i32;
        if n == 0 {
            return Ok(None);
        }
        let types = self.byte()?;
        let n = count(n, self.rest, 2)?;
        Ok(Some((kind(types >> 4)?, kind(types & 0xf)?, n)))
    }

    #[inline(always)]
    fn pass(&mut self, bytes: usize) -> Result<(), Malformed> {
        take(&mut self.rest, bytes).map(drop)
    }
}
