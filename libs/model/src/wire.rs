//! The protobuf wire format over a byte slice: no allocation, no recursion, no panic on any input.

/// Why bytes are not a protobuf message. Positions are not kept: the caller knows which message it was reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The message ends inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// A varint longer than ten bytes.
    #[error("a varint is longer than ten bytes")]
    Varint,
    /// Field number 0 or above 2^29-1, or a group or reserved wire type.
    #[error("a field number or wire type is not valid")]
    Tag,
    /// A known field with another wire type than its definition has.
    #[error("a field has another wire type than its definition")]
    Type,
}

/// The tag of a varint field.
pub const fn varint(number: u32) -> u32 {
    number << 3
}
/// The tag of a fixed64 or double field.
pub const fn fixed64(number: u32) -> u32 {
    number << 3 | 1
}
/// The tag of a string, bytes or message field.
pub const fn len(number: u32) -> u32 {
    number << 3 | 2
}
/// The tag of a fixed32 or float field.
pub const fn fixed32(number: u32) -> u32 {
    number << 3 | 5
}

/// Walks one message: read a tag, then the payload that the tag announces.
///
/// Matching whole tags (number and wire type in one byte) instead of returning a general field value is what makes
/// this fast: everything stays in registers. The first version returned `Option<Result<Field>>` and took four times as long.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Starts at the first field.
    #[inline(always)]
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// Bytes not yet read.
    #[inline(always)]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next tag, or `None` at the end of the message.
    #[inline(always)]
    pub fn tag(&mut self) -> Result<Option<u32>, WireError> {
        match self.rest {
            [] => Ok(None),
            &[b, ref rest @ ..] if b < 0x80 => {
                self.rest = rest;
                Ok(Some(u32::from(b)))
            }
            _ => self.long_tag().map(Some),
        }
    }

    #[inline(never)]
    fn long_tag(&mut self) -> Result<u32, WireError> {
        u32::try_from(self.long_varint()?).map_err(|_| WireError::Tag)
    }

    /// The payload of a varint field.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, WireError> {
        match self.rest {
            &[b, ref rest @ ..] if b < 0x80 => {
                self.rest = rest;
                Ok(u64::from(b))
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut v = 0;
        for (i, &b) in self.rest.iter().enumerate().take(10) {
            v |= u64::from(b & 0x7f) << (7 * i);
            if b < 0x80 {
                self.rest = &self.rest[i + 1..];
                return Ok(v);
            }
        }
        Err(if self.rest.len() < 10 { WireError::Truncated } else { WireError::Varint })
    }

    /// The payload of a fixed64 or double field.
    #[inline(always)]
    pub fn fixed64(&mut self) -> Result<u64, WireError> {
        let (b, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*b))
    }

    /// The payload of a fixed32 or float field.
    #[inline(always)]
    pub fn fixed32(&mut self) -> Result<u32, WireError> {
        let (b, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*b))
    }

    /// The payload of a string, bytes or message field.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let n = self.varint()?;
        if n > self.rest.len() as u64 {
            return Err(WireError::Truncated);
        }
        let (b, rest) = self.rest.split_at(n as usize);
        self.rest = rest;
        Ok(b)
    }

    /// Passes over the payload of a tag that the caller does not read. `known` has a bit for each field number that
    /// the caller does read: met here, it has a wrong wire type.
    #[inline(never)]
    pub fn skip(&mut self, tag: u32, known: u32) -> Result<(), WireError> {
        let number = tag >> 3;
        if number == 0 {
            return Err(WireError::Tag);
        }
        if number < 32 && known >> number & 1 == 1 {
            return Err(WireError::Type);
        }
        match tag & 7 {
            0 => drop(self.varint()?),
            1 => drop(self.fixed64()?),
            2 => drop(self.bytes()?),
            5 => drop(self.fixed32()?),
            _ => return Err(WireError::Tag),
        }
        Ok(())
    }
}

/// The payloads of all length-delimited fields with this tag; ends early at malformed bytes.
#[inline]
pub fn messages<'a>(message: &'a [u8], wanted: u32) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let mut c = Cursor::new(message);
    std::iter::from_fn(move || {
        while let Ok(Some(tag)) = c.tag() {
            if tag == wanted {
                return c.bytes().ok();
            }
            c.skip(tag, 0).ok()?;
        }
        None
    })
}

/// Bytes that `v` takes as a varint.
#[inline]
pub fn varint_len(v: u64) -> usize {
    (70 - (v | 1).leading_zeros() as usize) / 7
}

/// Writes a varint, without a tag.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Writes a varint field, unless it is 0 (proto3's default).
#[inline]
pub fn put_uint(out: &mut Vec<u8>, number: u32, v: u64) {
    if v != 0 {
        put_varint(out, u64::from(number << 3));
        put_varint(out, v);
    }
}

/// Writes a length-delimited field, even when empty.
#[inline]
pub fn put_bytes(out: &mut Vec<u8>, number: u32, v: &[u8]) {
    put_varint(out, u64::from(number << 3 | 2));
    put_varint(out, v.len() as u64);
    out.extend_from_slice(v);
}

/// Writes a submessage whose length is known only afterwards: one byte is kept for the length, and the (rare)
/// longer body is moved up. Cheaper than a sizing pass, because nearly all of a span's submessages are under 128 bytes.
#[inline]
pub fn put_message(out: &mut Vec<u8>, number: u32, body: impl FnOnce(&mut Vec<u8>)) {
    put_varint(out, u64::from(number << 3 | 2));
    let at = out.len();
    out.push(0);
    body(out);
    let len = out.len() - at - 1;
    let extra = varint_len(len as u64) - 1;
    if extra > 0 {
        out.resize(out.len() + extra, 0);
        out.copy_within(at + 1..at + 1 + len, at + 1 + extra);
    }
    let mut v = len;
    for i in 0..=extra {
        out[at + i] = (v & 0x7f) as u8 | if i < extra { 0x80 } else { 0 };
        v >>= 7;
    }
}
