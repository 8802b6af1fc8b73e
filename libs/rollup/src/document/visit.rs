//! Reading a document row by row, without building it: what answers to queries are added up from.

use super::{Exemplar, MINUTE, size, torn};
use skua_model::wire::{Cursor, WireError, len, varint};
use skua_store::rollups::RollupKind;
use skua_store::{ErrorKind, StoreError};
use std::ops::Range;
use zstd::bulk::Decompressor;

/// A series of a document and its figures, still as they were kept.
#[derive(Debug)]
pub struct Row<'a> {
    /// The service; of a link, the one that calls.
    pub first: &'a str,
    /// The operation; of a link, the one that is called.
    pub second: &'a str,
    /// OTLP's number of the span kind; of a link, a place in [`Connection::ALL`](super::Connection::ALL).
    pub kind: u32,
    /// OTLP's status code; 0 of a link.
    pub status: u32,
    interval: u64,
    fields: Fields<'a>,
    buckets: &'a mut Vec<(u8, u64)>,
}

/// The figures of one minute.
#[derive(Debug)]
pub struct Minute<'a> {
    /// Microseconds since 1970, a multiple of [`MINUTE`].
    pub start: u64,
    /// Failed calls; 0 in a series whose key has the status.
    pub errors: u64,
    /// Of all durations, in microseconds.
    pub sum: u64,
    /// Bucket and spans, ascending.
    pub buckets: &'a [(u8, u64)],
}

impl Minute<'_> {
    /// Spans.
    pub fn calls(&self) -> u64 {
        self.buckets.iter().fold(0, |all, (_, spans)| all.saturating_add(*spans))
    }
}

/// A row's fields, packed lists of varints most of them.
#[derive(Debug, Default, Clone, Copy)]
struct Fields<'a> {
    first: u64,
    second: u64,
    kind: u64,
    status: u64,
    minutes: &'a [u8],
    errors: &'a [u8],
    sums: &'a [u8],
    lengths: &'a [u8],
    buckets: &'a [u8],
    counts: &'a [u8],
    /// The whole row, when it has exemplars.
    exemplars: &'a [u8],
}

/// Reads documents one after the other; its buffer becomes as large as the largest of them.
pub struct Visits {
    context: Decompressor<'static>,
    plain: Vec<u8>,
}

impl Visits {
    /// Of none yet.
    ///
    /// # Errors
    /// Internal, if zstd fails.
    pub fn new() -> Result<Self, StoreError> {
        let failed = |e| StoreError::new(ErrorKind::Internal, "begin to read roll-ups").caused_by(e);
        Ok(Self { context: Decompressor::new().map_err(failed)?, plain: Vec::new() })
    }

    /// Shows each row of a document that [`Document::encode`](super::Document::encode) made; the same series may come more than once.
    ///
    /// # Errors
    /// Corrupt bytes; rows before the corruption have been shown then.
    pub fn visit(
        &mut self,
        kind: RollupKind,
        interval: u64,
        bytes: &[u8],
        show: impl FnMut(&mut Row<'_>) -> Result<(), WireError>,
    ) -> Result<(), StoreError> {
        self.plain.clear();
        self.plain.reserve(size(kind, interval, bytes)?);
        self.context.decompress_to_buffer(bytes, &mut self.plain).map_err(|e| torn(kind, interval, e))?;
        walk(interval, &self.plain, show).map_err(|e| torn(kind, interval, e))
    }
}

/// Tags of `skua.rollup.v1.Document`.
mod document {
    use super::len;
    pub const NAMES: u32 = len(4);
    pub const ROWS: u32 = len(5);
    /// A bit for each of them.
    pub const READ: u32 = 1 << 4 | 1 << 5;
}

/// Tags of `skua.rollup.v1.Row`.
mod row {
    use super::{len, varint};
    pub const FIRST: u32 = varint(1);
    pub const SECOND: u32 = varint(2);
    pub const KIND: u32 = varint(3);
    pub const STATUS: u32 = varint(4);
    pub const MINUTES: u32 = len(5);
    pub const ERRORS: u32 = len(6);
    pub const SUMS: u32 = len(7);
    pub const LENGTHS: u32 = len(8);
    pub const BUCKETS: u32 = len(9);
    pub const COUNTS: u32 = len(10);
    pub const EXEMPLARS: u32 = len(11);
    pub const READ: u32 = 0b1111_1111_1110;
}

/// Tags of `skua.rollup.v1.Exemplar`.
mod exemplar {
    use super::{len, varint};
    pub const MINUTE: u32 = varint(1);
    pub const TRACE_ID: u32 = len(2);
    pub const SPAN_ID: u32 = len(3);
    pub const DURATION: u32 = varint(4);
    pub const START: u32 = varint(5);
    pub const READ: u32 = 0b11_1110;
}

fn walk(interval: u64, plain: &[u8], mut show: impl FnMut(&mut Row<'_>) -> Result<(), WireError>) -> Result<(), WireError> {
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    let mut c = Cursor::new(plain);
    while let Some(tag) = c.tag()? {
        match tag {
            document::NAMES => names.push(std::str::from_utf8(c.bytes()?).map_err(|_| WireError::Type)?),
            document::ROWS => rows.push(c.bytes()?),
            _ => c.skip(tag, document::READ)?,
        }
    }
    let name = |place: u64| names.get(place as usize).copied().ok_or(WireError::Truncated);
    let mut buckets = Vec::new();
    for row in rows {
        let fields = Fields::read(row)?;
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        show(&mut Row {
            first: name(fields.first)?,
            second: name(fields.second)?,
            kind: number(fields.kind),
            status: number(fields.status),
            interval,
            fields,
            buckets: &mut buckets,
        })?;
    }
    Ok(())
}

impl<'a> Fields<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let (mut fields, mut c) = (Self::default(), Cursor::new(bytes));
        while let Some(tag) = c.tag()? {
            match tag {
                row::FIRST => fields.first = c.varint()?,
                row::SECOND => fields.second = c.varint()?,
                row::KIND => fields.kind = c.varint()?,
                row::STATUS => fields.status = c.varint()?,
                row::MINUTES => fields.minutes = c.bytes()?,
                row::ERRORS => fields.errors = c.bytes()?,
                row::SUMS => fields.sums = c.bytes()?,
                row::LENGTHS => fields.lengths = c.bytes()?,
                row::BUCKETS => fields.buckets = c.bytes()?,
                row::COUNTS => fields.counts = c.bytes()?,
                row::EXEMPLARS => {
                    c.bytes()?;
                    fields.exemplars = bytes;
                }
                _ => c.skip(tag, row::READ)?,
            }
        }
        Ok(fields)
    }
}

/// The next number of a packed list; most are of one byte.
#[inline(always)]
fn number(list: &mut &[u8]) -> Result<u64, WireError> {
    match *list {
        [low, rest @ ..] if *low < 0x80 => {
            *list = rest;
            Ok(u64::from(*low))
        }
        [low, high, rest @ ..] if *high < 0x80 => {
            *list = rest;
            Ok(u64::from(*low & 0x7f) | u64::from(*high) << 7)
        }
        _ => long_number(list),
    }
}

#[inline(never)]
fn long_number(list: &mut &[u8]) -> Result<u64, WireError> {
    let mut cursor = Cursor::new(list);
    let number = cursor.varint()?;
    *list = &list[list.len() - cursor.remaining()..];
    Ok(number)
}

/// The next `length` buckets.
fn fill(buckets: &mut Vec<(u8, u64)>, length: usize, gaps: &mut &[u8], counts: &mut &[u8]) -> Result<(), WireError> {
    buckets.clear();
    let mut bucket = 0_u64;
    let short = |list: &[u8]| list.iter().fold(0, |all, byte| all | byte) < 0x80;
    match (gaps.split_at_checked(length), counts.split_at_checked(length)) {
        // As most are: each number is a byte.
        (Some((gap, rest)), Some((count, more))) if short(gap) && short(count) => {
            buckets.extend(gap.iter().zip(count).map(|(gap, count)| {
                bucket += u64::from(*gap);
                (bucket as u8, u64::from(*count))
            }));
            (*gaps, *counts) = (rest, more);
        }
        (Some(_), Some(_)) => {
            for _ in 0..length {
                bucket = bucket.saturating_add(number(gaps)?);
                buckets.push((bucket as u8, number(counts)?));
            }
        }
        _ => return Err(WireError::Truncated),
    }
    if bucket > u64::from(u8::MAX) { Err(WireError::Truncated) } else { Ok(()) }
}

impl Row<'_> {
    /// Shows the minutes that start in `wanted` (microseconds since 1970), ascending.
    ///
    /// # Errors
    /// Lists of lengths that do not match.
    pub fn minutes(&mut self, wanted: &Range<u64>, mut show: impl FnMut(&Minute<'_>)) -> Result<(), WireError> {
        let Fields { mut minutes, mut errors, mut sums, mut lengths, buckets: mut gaps, mut counts, .. } = self.fields;
        while !minutes.is_empty() {
            let start = self.interval.saturating_add(number(&mut minutes)?.saturating_mul(MINUTE));
            let failed = if errors.is_empty() { 0 } else { number(&mut errors)? };
            let sum = number(&mut sums)?;
            fill(self.buckets, number(&mut lengths)? as usize, &mut gaps, &mut counts)?;
            if wanted.contains(&start) {
                show(&Minute { start, errors: failed, sum, buckets: self.buckets });
            }
        }
        Ok(())
    }

    /// The slowest span of the minutes that start in `wanted` (microseconds since 1970), if it is slower than `than`.
    ///
    /// # Errors
    /// An id of another length.
    pub fn slower(&self, wanted: &Range<u64>, than: Option<Exemplar>) -> Result<Option<Exemplar>, WireError> {
        let (mut slowest, mut list) = (than, Cursor::new(self.fields.exemplars));
        let id = |_| WireError::Truncated;
        while let Some(tag) = list.tag()? {
            if tag != row::EXEMPLARS {
                list.skip(tag, 0)?;
                continue;
            }
            let mut c = Cursor::new(list.bytes()?);
            let (mut minute, mut trace, mut span, mut duration, mut start): (_, &[u8], &[u8], _, _) = (0, &[], &[], 0, 0);
            while let Some(tag) = c.tag()? {
                match tag {
                    exemplar::MINUTE => minute = c.varint()?,
                    exemplar::TRACE_ID => trace = c.bytes()?,
                    exemplar::SPAN_ID => span = c.bytes()?,
                    exemplar::DURATION => duration = c.varint()?,
                    exemplar::START => start = c.varint()?,
                    _ => c.skip(tag, exemplar::READ)?,
                }
            }
            let minute = self.interval.saturating_add(minute.saturating_mul(MINUTE));
            if wanted.contains(&minute) && slowest.is_none_or(|s| s.duration < duration) {
                let (trace_id, span_id) = (trace.try_into().map_err(id)?, span.try_into().map_err(id)?);
                slowest = Some(Exemplar { trace_id, span_id, start: minute.saturating_add(start), duration });
            }
        }
        Ok(slowest)
    }
}
