//! What is kept beside a block's spans, so that a search reads only the pages it needs.

mod filter;
mod runs;

pub(crate) use filter::Filter;
pub(crate) use runs::Runs;

use bytes::Bytes;
use prost::Message as _;
use std::hash::BuildHasher;

const MAGIC: &[u8; 8] = b"SKUASID1";
const HEADER: usize = 8 + 4 * 4 + 4;
/// Bytes of [`About`] at most, against damage.
const MOST_ABOUT: usize = 256 << 20;

/// Filters, the place of every page, and where each trace begins.
#[derive(Debug, Clone)]
pub(crate) struct Sidecar {
    /// Of [`trace_hash`].
    pub traces: Filter,
    /// Of [`tag_hash`].
    pub tags: Filter,
    pub about: About,
    pub runs: Runs,
}

/// What a block holds and where.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct About {
    /// Rows.
    #[prost(uint32, tag = "1")]
    pub spans: u32,
    /// Rows of a page but the last.
    #[prost(uint32, tag = "2")]
    pub page_rows: u32,
    /// Bytes of the Parquet file.
    #[prost(uint64, tag = "3")]
    pub file_bytes: u64,
    /// In the order of the file.
    #[prost(message, repeated, tag = "4")]
    pub columns: Vec<Column>,
    /// Of each page: the earliest start, nanoseconds since 1970.
    #[prost(sfixed64, repeated, tag = "5")]
    pub start_min: Vec<i64>,
    /// Of each page: the latest start.
    #[prost(sfixed64, repeated, tag = "6")]
    pub start_max: Vec<i64>,
    /// Of each page: the longest duration, nanoseconds.
    #[prost(sint64, repeated, tag = "7")]
    pub duration_max: Vec<i64>,
    /// Sorted by name.
    #[prost(message, repeated, tag = "8")]
    pub services: Vec<Service>,
    /// Sorted: keys of the tags and log fields that are in `rest`, if all are here.
    #[prost(bytes = "bytes", repeated, tag = "9")]
    pub rest_keys: Vec<Bytes>,
    /// There are more keys than are listed.
    #[prost(bool, tag = "10")]
    pub more_rest_keys: bool,
    /// Sorted: keys of the tags of resources, if all are here.
    #[prost(bytes = "bytes", repeated, tag = "11")]
    pub resource_keys: Vec<Bytes>,
    /// There are more keys than are listed.
    #[prost(bool, tag = "12")]
    pub more_resource_keys: bool,
}

/// What a column is: `Column::role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Role {
    TraceId = 0,
    SpanId = 1,
    ParentId = 2,
    Start = 3,
    Duration = 4,
    Service = 5,
    Name = 6,
    Kind = 7,
    Status = 8,
    Message = 9,
    Flags = 10,
    JaegerFlags = 11,
    TraceState = 12,
    Resource = 13,
    Scope = 14,
    Shape = 15,
    Attribute = 16,
    Rest = 17,
}

/// How values of a column are written: `Column::encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Encoding {
    /// Codes of the column's dictionary.
    Dictionary = 0,
    /// Values; those of `BYTE_ARRAY` after their length, u32 LE.
    Plain = 1,
    /// `DELTA_BINARY_PACKED`.
    Delta = 2,
    /// A bit a value.
    Bits = 3,
}

/// One column.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Column {
    #[prost(enumeration = "Role", tag = "1")]
    pub role: i32,
    /// Of an attribute.
    #[prost(bytes = "bytes", tag = "2")]
    pub key: Bytes,
    /// Of an attribute: [`crate::columns::Type`] as a number.
    #[prost(uint32, tag = "3")]
    pub ty: u32,
    #[prost(enumeration = "Encoding", tag = "4")]
    pub encoding: i32,
    /// Bytes of a value; 0: each value follows its length.
    #[prost(uint32, tag = "5")]
    pub width: u32,
    /// Where the column begins in the file: with its dictionary page, if it has one, which its data pages follow.
    #[prost(uint64, tag = "6")]
    pub offset: u64,
    /// The dictionary page; absent without one.
    #[prost(message, optional, tag = "7")]
    pub dictionary: Option<Dictionary>,
    /// Of each data page: bytes in the file, its header included.
    #[prost(uint32, repeated, tag = "8")]
    pub bytes: Vec<u32>,
    /// Of each data page: bytes of its header.
    #[prost(uint32, repeated, tag = "9")]
    pub header: Vec<u32>,
    /// Of each data page: bytes of its definition levels, which come first; with `together` also the 4 bytes of their length.
    #[prost(uint32, repeated, tag = "10")]
    pub levels: Vec<u32>,
    /// Of each data page: rows without a value.
    #[prost(uint32, repeated, tag = "11")]
    pub nulls: Vec<u32>,
    /// Of each data page: bytes of its values (with `together` also of its levels) when they are not compressed any more; 0: they are
    /// not compressed.
    #[prost(uint32, repeated, tag = "12")]
    pub raw: Vec<u32>,
    /// Of each data page: crc32c of its bytes in the file, its header included.
    #[prost(fixed32, repeated, tag = "13")]
    pub sums: Vec<u32>,
    /// Levels are compressed with the values: data pages of Parquet's first format.
    #[prost(bool, tag = "14")]
    pub together: bool,
}

/// A dictionary page; zstd, PLAIN.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Dictionary {
    /// Bytes in the file, its header included.
    #[prost(uint32, tag = "1")]
    pub bytes: u32,
    /// Bytes of its header.
    #[prost(uint32, tag = "2")]
    pub header: u32,
    /// Bytes when it is not compressed any more.
    #[prost(uint32, tag = "3")]
    pub raw: u32,
    /// Values.
    #[prost(uint32, tag = "4")]
    pub values: u32,
    /// Values are in ascending order of their bytes.
    #[prost(bool, tag = "5")]
    pub sorted: bool,
    /// Crc32c of its bytes in the file, its header included.
    #[prost(fixed32, tag = "6")]
    pub sum: u32,
}

/// A service and its operations.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Service {
    #[prost(string, tag = "1")]
    pub name: String,
    /// Sorted, each once.
    #[prost(message, repeated, tag = "2")]
    pub operations: Vec<Operation>,
}

/// An operation of a service.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
pub(crate) struct Operation {
    #[prost(string, tag = "1")]
    pub name: String,
    /// As Jaeger's tag `span.kind` has it; empty when there is none.
    #[prost(string, tag = "2")]
    pub kind: String,
}

/// Why a sidecar cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SidecarError {
    /// It does not begin as one.
    #[error("it is no sidecar of this version")]
    Magic,
    /// Cut short, or a sum that does not match.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

fn hash(bytes: &[u8]) -> u64 {
    // The seed is part of the format.
    foldhash::fast::FixedState::with_seed(7).hash_one(bytes)
}

/// What [`Sidecar::traces`] holds of a trace.
pub(crate) fn trace_hash(id: &[u8; 16]) -> u64 {
    hash(id)
}

/// What [`Sidecar::tags`] holds of a key and its value as text.
pub(crate) fn tag_hash(key: &[u8], value: &[u8]) -> u64 {
    hash(key).rotate_left(17) ^ hash(value)
}

impl Sidecar {
    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let about = self.about.encode_to_vec();
        let about = zstd::bulk::compress(&about, 3).unwrap_or_default();
        let parts = [self.traces.encode(), self.tags.encode(), about, self.runs.encode()];
        let mut out = Vec::with_capacity(HEADER + parts.iter().map(Vec::len).sum::<usize>());
        out.extend_from_slice(MAGIC);
        parts.iter().for_each(|part| out.extend_from_slice(&(part.len() as u32).to_le_bytes()));
        let sum = parts.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part));
        out.extend_from_slice(&sum.to_le_bytes());
        parts.iter().for_each(|part| out.extend_from_slice(part));
        out
    }

    /// Of a whole file.
    ///
    /// # Errors
    /// When it is not one, or damaged.
    pub fn decode(file: &Bytes) -> Result<Self, SidecarError> {
        use SidecarError::Damaged;
        if !file.starts_with(MAGIC) {
            return Err(SidecarError::Magic);
        }
        let header = file.get(..HEADER).ok_or(Damaged("cut short"))?;
        let word = |n: usize| u32::from_le_bytes(header[8 + 4 * n..12 + 4 * n].try_into().unwrap_or_default());
        let mut at = HEADER;
        let mut part = |n: usize| {
            let (from, to) = (at, at + word(n) as usize);
            at = to;
            if to > file.len() { Err(Damaged("cut short")) } else { Ok(file.slice(from..to)) }
        };
        let (traces, tags, about, runs) = (part(0)?, part(1)?, part(2)?, part(3)?);
        if crc32c::crc32c(&file[HEADER..at]) != word(4) {
            return Err(Damaged("its checksum does not match"));
        }
        let about = zstd::bulk::decompress(&about, zstd_size(&about)).map_err(|_| Damaged("its description is no zstd"))?;
        let about = About::decode(Bytes::from(about)).map_err(|_| Damaged("its description is no protobuf"))?;
        Ok(Self {
            traces: Filter::decode(traces).ok_or(Damaged("its filter of traces"))?,
            tags: Filter::decode(tags).ok_or(Damaged("its filter of tags"))?,
            runs: Runs::decode(&runs).ok_or(Damaged("its traces"))?,
            about,
        })
    }
}

fn zstd_size(frame: &[u8]) -> usize {
    zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().map_or(MOST_ABOUT, |n| (n as usize).min(MOST_ABOUT))
}

impl About {
    /// Data pages of each column.
    pub fn pages(&self) -> usize {
        self.start_min.len()
    }

    /// Whether a key may be among the tags and log fields that are in `rest`.
    pub fn may_rest_have(&self, key: &[u8]) -> bool {
        self.more_rest_keys || self.rest_keys.binary_search_by(|k| k.as_ref().cmp(key)).is_ok()
    }

    /// Whether a key may be among the tags of resources.
    pub fn may_resource_have(&self, key: &[u8]) -> bool {
        self.more_resource_keys || self.resource_keys.binary_search_by(|k| k.as_ref().cmp(key)).is_ok()
    }

    /// The rows of a page, numbered within the block.
    pub fn rows_of(&self, page: usize) -> std::ops::Range<usize> {
        let from = page * self.page_rows as usize;
        from..(from + self.page_rows as usize).min(self.spans as usize)
    }
}

impl Column {
    /// The dictionary page in the file.
    pub fn dictionary_range(&self) -> Option<std::ops::Range<u64>> {
        self.dictionary.as_ref().map(|d| self.offset..self.offset + u64::from(d.bytes))
    }

    /// A data page in the file.
    pub fn page_range(&self, page: usize) -> std::ops::Range<u64> {
        let first = self.offset + self.dictionary.as_ref().map_or(0, |d| u64::from(d.bytes));
        let from = first + self.bytes[..page].iter().map(|b| u64::from(*b)).sum::<u64>();
        from..from + u64::from(self.bytes[page])
    }
}

#[cfg(test)]
mod tests;
