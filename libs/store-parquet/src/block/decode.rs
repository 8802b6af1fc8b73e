//! Parquet's encodings, as far as blocks have them: run lengths and bit-packing, deltas, plain values. Damage is an error, never a panic.

use super::values::Values;
use bytes::Bytes;

/// Bytes that are not what the sidecar says they are.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub(crate) struct Damaged(pub &'static str);

/// `RLE_DICTIONARY`'s hybrid of runs and bit-packed groups, of which single values can be asked for in ascending order.
pub(crate) struct Hybrid<'a> {
    bytes: &'a [u8],
    width: u32,
    /// Of the present run: the rows before it and at its end, and its value or where its bits are.
    from: usize,
    to: usize,
    run: Run<'a>,
}

#[derive(Clone, Copy)]
enum Run<'a> {
    Same(u32),
    Packed(&'a [u8]),
}

impl<'a> Hybrid<'a> {
    /// Values of so many bits, at most 32.
    pub fn new(bytes: &'a [u8], width: u32) -> Result<Self, Damaged> {
        if width > 32 {
            return Err(Damaged("codes of more than 32 bits"));
        }
        Ok(Self { bytes, width, from: 0, to: 0, run: Run::Same(0) })
    }

    fn next_run(&mut self) -> Result<(), Damaged> {
        let header = varint(&mut self.bytes)?;
        let length = usize::try_from(header >> 1).map_err(|_| Damaged("a run too long"))?;
        let (values, bytes) = match header & 1 {
            1 => (length.saturating_mul(8), length.saturating_mul(self.width as usize)),
            _ => (length, self.width.div_ceil(8) as usize),
        };
        if length == 0 || values > 1 << 30 {
            return Err(Damaged("a run of an impossible length"));
        }
        let (body, rest) = self.bytes.split_at_checked(bytes).ok_or(Damaged("a run that is cut short"))?;
        self.bytes = rest;
        self.run = match header & 1 {
            1 => Run::Packed(body),
            _ => {
                let mut value = [0; 4];
                value[..body.len()].copy_from_slice(body);
                Run::Same(u32::from_le_bytes(value))
            }
        };
        (self.from, self.to) = (self.to, self.to + values);
        Ok(())
    }

    /// The value of this number, which is not less than that of the call before.
    pub fn at(&mut self, n: usize) -> Result<u32, Damaged> {
        while n >= self.to {
            self.next_run()?;
        }
        Ok(match self.run {
            Run::Same(value) => value,
            Run::Packed(bits) => unpack(bits, (n - self.from) * self.width as usize, self.width),
        })
    }

    /// The first `n` values.
    pub fn all(mut self, n: usize, out: &mut Vec<u32>) -> Result<(), Damaged> {
        while self.to < n {
            self.next_run()?;
            let count = self.to.min(n) - self.from;
            match self.run {
                Run::Same(value) => out.resize(out.len() + count, value),
                Run::Packed(bits) => {
                    let width = self.width as usize;
                    out.extend((0..count).map(|i| unpack(bits, i * width, self.width)));
                }
            }
        }
        Ok(())
    }
}

/// Bits at this place; those beyond the end are 0.
#[inline]
fn unpack(bytes: &[u8], bit: usize, width: u32) -> u32 {
    let at = bit >> 3;
    let word = match bytes.get(at..at + 8) {
        Some(eight) => u64::from_le_bytes(eight.try_into().unwrap_or_default()),
        None => {
            let mut eight = [0; 8];
            let tail = &bytes[at.min(bytes.len())..];
            eight[..tail.len()].copy_from_slice(tail);
            u64::from_le_bytes(eight)
        }
    };
    (word >> (bit & 7) & ((1 << width) - 1)) as u32
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Damaged> {
    let mut value = 0;
    for (i, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 127).wrapping_shl(7 * i as u32);
        if *byte < 128 {
            *bytes = &bytes[i + 1..];
            return Ok(value);
        }
    }
    Err(Damaged("a number that does not end"))
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// `DELTA_BINARY_PACKED` with blocks of 128 values in 4 parts, as blocks are written.
pub(crate) fn deltas(mut bytes: &[u8], rows: usize) -> Result<Vec<i64>, Damaged> {
    let head = [varint(&mut bytes)?, varint(&mut bytes)?, varint(&mut bytes)?];
    if head != [128, 4, rows as u64] {
        return Err(Damaged("deltas of another shape"));
    }
    let mut value = zigzag(varint(&mut bytes)?);
    let mut out = Vec::with_capacity(rows);
    if rows > 0 {
        out.push(value);
    }
    while out.len() < rows {
        let least = zigzag(varint(&mut bytes)?);
        let (widths, rest) = bytes.split_first_chunk::<4>().ok_or(Damaged("deltas that are cut short"))?;
        bytes = rest;
        for width in widths {
            if out.len() == rows {
                break;
            }
            if *width > 64 {
                return Err(Damaged("deltas of more than 64 bits"));
            }
            let width = usize::from(*width);
            let (part, rest) = bytes.split_at_checked(4 * width).ok_or(Damaged("deltas that are cut short"))?;
            bytes = rest;
            let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
            for i in 0..32.min(rows - out.len()) {
                let bit = i * width;
                let mut word = [0; 16];
                let from = &part[(bit / 8).min(part.len())..];
                let n = from.len().min(16);
                word[..n].copy_from_slice(&from[..n]);
                let delta = (u128::from_le_bytes(word) >> (bit % 8)) as u64 & mask;
                value = value.wrapping_add(least).wrapping_add(delta as i64);
                out.push(value);
            }
        }
    }
    Ok(out)
}

/// Plain values: of a fixed width, or each after its length.
pub(crate) fn plain(bytes: Bytes, width: u32, count: usize) -> Result<Values, Damaged> {
    if width > 0 {
        let needed = count.checked_mul(width as usize).ok_or(Damaged("too many values"))?;
        if bytes.len() < needed {
            return Err(Damaged("values that are cut short"));
        }
        return Ok(Values::fixed(bytes, width));
    }
    let mut starts = Vec::with_capacity(count.min(bytes.len() / 4) + 1);
    let mut at = 0_usize;
    for _ in 0..count {
        let length = bytes.get(at..at + 4).ok_or(Damaged("values that are cut short"))?;
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
        starts.push(at as u32 + 4);
        at = at.checked_add(4 + length).filter(|end| *end <= bytes.len()).ok_or(Damaged("values that are cut short"))?;
    }
    starts.push(at as u32 + 4);
    Ok(Values::lengths(bytes, starts))
}
