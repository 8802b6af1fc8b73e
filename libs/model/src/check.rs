//! The checks of the pass: every field of every nested message, and the UTF-8 of every string.

use crate::Refusal;
use crate::batch::Piece;
use crate::otlp::*;
use crate::view::{AnyValue, KeyValue, SERVICE_NAME};
use crate::wire::{Cursor, WireError};

/// Lists and maps inside attribute values, at most this deep. prost stops at 100, Go's protobuf at 10 000.
pub const MAX_NESTING: u32 = 64;

/// Why a whole message is refused: its outer frame, a resource or a scope cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not protobuf, or not this message.
    #[error("not an OTLP TracesData message: {0}")]
    Wire(#[from] WireError),
    /// Resource or scope attributes nested deeper than [`MAX_NESTING`].
    #[error("attribute values are nested deeper than {MAX_NESTING} levels")]
    Nesting,
    /// More bytes than a 32-bit index can address.
    #[error("a batch cannot be longer than 4 GiB")]
    TooLong,
}

/// What is wrong inside one message; the caller knows whether that costs a span or the batch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Wire(WireError),
    IdLength,
    Nesting,
}

impl From<WireError> for Fault {
    fn from(e: WireError) -> Self {
        Self::Wire(e)
    }
}

impl From<Fault> for DecodeError {
    fn from(f: Fault) -> Self {
        match f {
            Fault::Wire(e) => Self::Wire(e),
            Fault::IdLength => Self::Wire(WireError::Type), // only spans have ids
            Fault::Nesting => Self::Nesting,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(f: Fault) -> Self {
        match f {
            Fault::Wire(_) => Self::Malformed,
            Fault::IdLength => Self::IdLength,
            Fault::Nesting => Self::Nesting,
        }
    }
}

/// What the pass keeps of a span's fields.
#[derive(Default)]
struct Checked {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    parent_id: [u8; 8],
    start: u64,
    end: u64,
    jaeger_flags: Option<u64>,
}

/// What the pass noticed about a span: bits, so that an entry of the index stays at 32 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks(u16);

impl Marks {
    /// No parent.
    pub const ROOT: u16 = 1;
    /// Jaeger's debug flag.
    pub const DEBUG: u16 = 1 << 1;
    /// It came in Jaeger's own model.
    pub const JAEGER: u16 = 1 << 2;
    /// It does not end after it starts.
    pub const BACKWARD: u16 = 1 << 3;
    /// Some string of it is not UTF-8.
    pub const BAD_STRINGS: u16 = 1 << 4;

    pub fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }

    fn of(span: &Checked, bad_strings: bool) -> Self {
        let bit = |bit, set: bool| if set { bit } else { 0 };
        Self(
            bit(Self::ROOT, span.parent_id == [0; 8])
                | bit(Self::DEBUG, span.jaeger_flags.is_some_and(|flags| flags & 2 != 0))
                | bit(Self::JAEGER, span.jaeger_flags.is_some())
                | bit(Self::BACKWARD, span.end <= span.start)
                | bit(Self::BAD_STRINGS, bad_strings),
        )
    }
}

/// The first and the last of the times at which spans start and end, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub earliest: u64,
    pub latest: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self { earliest: u64::MAX, latest: 0 }
    }
}

impl Times {
    pub fn widen(&mut self, by: Self) {
        self.earliest = self.earliest.min(by.earliest);
        self.latest = self.latest.max(by.latest);
    }
}

/// Walks a batch. `base` turns a subslice into an offset in the batch.
pub(crate) struct Walk {
    base: usize,
    /// Strings that are not UTF-8.
    pub bad_strings: u32,
    /// Spans that do not end after they start.
    pub backward: u32,
    /// Resources with spans in which no service name was seen: those of a strange encoding among them.
    pub nameless: u32,
    /// Of all sound spans.
    pub times: Times,
}

impl Walk {
    /// For subslices of `batch`.
    pub fn new(batch: &[u8]) -> Self {
        Self { base: batch.as_ptr() as usize, bad_strings: 0, backward: 0, nameless: 0, times: Times::default() }
    }

    /// Where `start..end` of `within`, a subslice of the batch, lies in the batch.
    #[inline]
    pub fn piece(&self, within: &[u8], start: usize, end: usize) -> Piece {
        let offset = within.as_ptr() as usize - self.base;
        (offset + start) as u32..(offset + end) as u32
    }

    /// Counts a string that is not UTF-8: it is repaired later, not refused.
    #[inline(always)]
    pub fn text(&mut self, s: &[u8]) {
        if !is_ascii(s) && std::str::from_utf8(s).is_err() {
            self.bad_strings += 1;
        }
    }

    /// Checks a `Resource`. `named` becomes whether the first `service.name` is a text that is not empty.
    pub fn resource(&mut self, b: &[u8], named: &mut Option<bool>) -> Result<(), Fault> {
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                resource::ATTRIBUTES => {
                    let attribute = c.bytes()?;
                    self.key_value(attribute, 0)?;
                    // Where every encoder puts the key: after one byte of tag and one of length.
                    if named.is_none() && attribute.get(2..2 + SERVICE_NAME.len()) == Some(SERVICE_NAME) {
                        let value = KeyValue::read(attribute).value;
                        *named = Some(matches!(value, AnyValue::String(s) if !s.is_empty()));
                    }
                }
                resource::DROPPED => drop(c.varint()?),
                _ => c.skip(tag, resource::KNOWN)?,
            }
        }
        Ok(())
    }

    /// Checks an `InstrumentationScope`.
    pub fn scope(&mut self, b: &[u8]) -> Result<(), Fault> {
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                scope::NAME | scope::VERSION => self.text(c.bytes()?),
                scope::ATTRIBUTES => self.key_value(c.bytes()?, 0)?,
                scope::DROPPED => drop(c.varint()?),
                _ => c.skip(tag, scope::KNOWN)?,
            }
        }
        Ok(())
    }

    /// Checks one span and returns its trace id.
    pub fn span(&mut self, b: &[u8]) -> Result<([u8; 16], Marks), Refusal> {
        let bad_before = self.bad_strings;
        let checked = self.span_fields(b).map_err(Refusal::from).and_then(|s| match () {
            () if s.trace_id == [0; 16] => Err(Refusal::ZeroTraceId),
            () if s.span_id == [0; 8] => Err(Refusal::ZeroSpanId),
            () => Ok(s),
        });
        let s = checked.inspect_err(|_| self.bad_strings = bad_before)?; // they go with the span
        self.backward += u32::from(s.end <= s.start);
        self.times.widen(Times { earliest: s.start, latest: s.start.max(s.end) });
        Ok((s.trace_id, Marks::of(&s, self.bad_strings > bad_before)))
    }

    fn span_fields(&mut self, b: &[u8]) -> Result<Checked, Fault> {
        let mut s = Checked::default();
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                span::ATTRIBUTES => self.key_value(c.bytes()?, 0)?,
                span::EVENTS => self.event(c.bytes()?)?,
                span::LINKS => self.link(c.bytes()?)?,
                span::STATUS => self.status(c.bytes()?)?,
                span::TRACE_ID => s.trace_id = id(c.bytes()?)?,
                span::SPAN_ID => s.span_id = id(c.bytes()?)?,
                span::PARENT_SPAN_ID => s.parent_id = id(c.bytes()?)?,
                span::NAME | span::TRACE_STATE => self.text(c.bytes()?),
                span::START => s.start = c.fixed64()?,
                span::END => s.end = c.fixed64()?,
                span::KIND | span::DROPPED_ATTRIBUTES | span::DROPPED_EVENTS | span::DROPPED_LINKS => drop(c.varint()?),
                span::FLAGS => drop(c.fixed32()?),
                JAEGER_FLAGS => s.jaeger_flags = Some(c.varint()?),
                _ => c.skip(tag, span::KNOWN)?,
            }
        }
        Ok(s)
    }

    #[inline]
    fn key_value(&mut self, b: &[u8], nesting: u32) -> Result<(), Fault> {
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                key_value::KEY => self.text(c.bytes()?),
                key_value::VALUE => self.any_value(c.bytes()?, nesting)?,
                _ => c.skip(tag, key_value::KNOWN)?,
            }
        }
        Ok(())
    }

    #[inline]
    fn any_value(&mut self, b: &[u8], nesting: u32) -> Result<(), Fault> {
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                any_value::STRING => self.text(c.bytes()?),
                any_value::BOOL | any_value::INT => drop(c.varint()?),
                any_value::DOUBLE => drop(c.fixed64()?),
                any_value::BYTES => drop(c.bytes()?),
                any_value::ARRAY | any_value::MAP => self.list(tag, c.bytes()?, nesting + 1)?,
                _ => c.skip(tag, any_value::KNOWN)?,
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn list(&mut self, kind: u32, b: &[u8], nesting: u32) -> Result<(), Fault> {
        if nesting > MAX_NESTING {
            return Err(Fault::Nesting);
        }
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                list::VALUES if kind == any_value::ARRAY => self.any_value(c.bytes()?, nesting)?,
                list::VALUES => self.key_value(c.bytes()?, nesting)?,
                _ => c.skip(tag, list::KNOWN)?,
            }
        }
        Ok(())
    }

    fn event(&mut self, b: &[u8]) -> Result<(), Fault> {
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                event::TIME => drop(c.fixed64()?),
                event::NAME => self.text(c.bytes()?),
                event::ATTRIBUTES => self.key_value(c.bytes()?, 0)?,
                event::DROPPED => drop(c.varint()?),
                _ => c.skip(tag, event::KNOWN)?,
            }
        }
        Ok(())
    }

    fn link(&mut self, b: &[u8]) -> Result<(), Fault> {
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                link::TRACE_ID => drop(id::<16>(c.bytes()?)?),
                link::SPAN_ID => drop(id::<8>(c.bytes()?)?),
                link::TRACE_STATE => self.text(c.bytes()?),
                link::ATTRIBUTES => self.key_value(c.bytes()?, 0)?,
                link::DROPPED => drop(c.varint()?),
                link::FLAGS => drop(c.fixed32()?),
                _ => c.skip(tag, link::KNOWN)?,
            }
        }
        Ok(())
    }

    fn status(&mut self, b: &[u8]) -> Result<(), Fault> {
        let mut c = Cursor::new(b);
        while let Some(tag) = c.tag()? {
            match tag {
                status::MESSAGE => self.text(c.bytes()?),
                status::CODE => drop(c.varint()?),
                _ => c.skip(tag, status::KNOWN)?,
            }
        }
        Ok(())
    }
}

/// Eight bytes at a time, the last ones overlapping: most strings are short and ASCII, where `str::from_utf8` is slow.
#[inline(always)]
fn is_ascii(s: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    if let Some(last) = s.last_chunk::<8>() {
        let mut bits = u64::from_le_bytes(*last);
        for c in s.as_chunks::<8>().0 {
            bits |= u64::from_le_bytes(*c);
        }
        bits & HIGH == 0
    } else {
        s.iter().fold(0, |bits, b| bits | b) < 0x80
    }
}

/// An id of `N` bytes; an absent (empty) one is all zero, as Jaeger reads it.
#[inline]
pub(crate) fn id<const N: usize>(b: &[u8]) -> Result<[u8; N], Fault> {
    if b.is_empty() {
        return Ok([0; N]);
    }
    b.try_into().map_err(|_| Fault::IdLength)
}
