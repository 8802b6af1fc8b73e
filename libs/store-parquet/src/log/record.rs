//! The bytes of a segment, and its name.

use std::fmt;

/// A segment begins with it.
pub(super) const MAGIC: [u8; 8] = *b"SKUAWAL1";
/// The same of any version, without its digit.
pub(super) const ANY_MAGIC: &[u8] = b"SKUAWAL";
/// Bytes before a record's body: its length and its sum.
pub(super) const HEADER: usize = 8;
/// Bytes of a record's body at most. None is empty.
pub(crate) const MOST_RECORD: usize = 256 << 20;

/// What a record's body follows.
pub(super) fn header(body: &[u8]) -> [u8; HEADER] {
    let len = (body.len() as u32).to_le_bytes();
    let sum = sum(len, body).to_le_bytes();
    [len[0], len[1], len[2], len[3], sum[0], sum[1], sum[2], sum[3]]
}

/// The sum over a record's length and its body.
pub(super) fn sum(len: [u8; 4], body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&len), body)
}

/// A header that was read: the length it claims and the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub len: u32,
    pub sum: u32,
}

impl Header {
    pub fn of(bytes: [u8; HEADER]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        Self { len: u32::from_le_bytes([a, b, c, d]), sum: u32::from_le_bytes([e, f, g, h]) }
    }

    /// Where the record at `at` ends, if it can be one: not empty, not too long, not longer than the file.
    pub fn end(self, at: u64, file: u64) -> Option<u64> {
        let end = at.checked_add(HEADER as u64)?.checked_add(u64::from(self.len))?;
        (self.len > 0 && self.len as usize <= MOST_RECORD && end <= file).then_some(end)
    }
}

/// A file of a segment. A segment has a second file when a sync of the first failed, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub segment: u64,
    /// From 0.
    pub part: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            0 => write!(f, "{:016}.log", self.segment),
            part => write!(f, "{:016}-{part:04}.log", self.segment),
        }
    }
}

impl Name {
    /// Nothing when the name is not one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".log")?;
        let (segment, part) = stem.split_once('-').unwrap_or((stem, "0"));
        let parsed = Self { segment: segment.parse().ok()?, part: part.parse().ok()? };
        (parsed.to_string() == name).then_some(parsed)
    }
}
