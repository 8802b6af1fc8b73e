//! The structs of `zipkincore.thrift`. No field is required; one of another type is passed over.

use crate::thrift::reader::{Reader, Type};
use crate::thrift::tag::List;
use crate::zipkin::error::{Fault, at};

/// Looks at the elements of a span's lists while they are passed over.
pub(in crate::zipkin) trait Look<'a> {
    /// Annotations follow; those of before, if there were any, do not count.
    fn annotations(&mut self);
    fn annotation(&mut self, a: &Annotation<'a>);
    /// Binary annotations follow; those of before, if there were any, do not count.
    fn binary_annotations(&mut self);
    fn binary_annotation(&mut self, b: &BinaryAnnotation<'a>);
}

/// `Span`, its lists passed over.
pub(in crate::zipkin) struct Span<'a, R> {
    pub trace_id: [u8; 16],
    pub id: i64,
    pub parent_id: Option<i64>,
    pub name: &'a [u8],
    pub annotations: List<R>,
    pub binary_annotations: List<R>,
    pub debug: bool,
    /// Microseconds since 1970.
    pub timestamp: Option<i64>,
    /// Microseconds.
    pub duration: Option<i64>,
    /// Bytes that it takes.
    pub len: usize,
}

/// `Annotation`.
pub(in crate::zipkin) struct Annotation<'a> {
    /// Microseconds since 1970.
    pub timestamp: i64,
    pub value: &'a [u8],
    pub host: Option<Endpoint<'a>>,
}

/// `BinaryAnnotation`.
pub(in crate::zipkin) struct BinaryAnnotation<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    /// `AnnotationType`: one of [`kind`], or any other number.
    pub kind: i32,
    pub host: Option<Endpoint<'a>>,
}

/// `AnnotationType`.
pub(in crate::zipkin) mod kind {
    pub const BOOL: i32 = 0;
    pub const BYTES: i32 = 1;
    pub const I16: i32 = 2;
    pub const I32: i32 = 3;
    pub const I64: i32 = 4;
    pub const DOUBLE: i32 = 5;
    pub const STRING: i32 = 6;
}

/// `Endpoint`.
#[derive(Clone, Copy, Default)]
pub(in crate::zipkin) struct Endpoint<'a> {
    /// The first number of the address is the highest byte.
    pub ipv4: i32,
    pub port: i16,
    pub service: &'a [u8],
    pub ipv6: Option<&'a [u8]>,
}

impl<'a, R: Reader<'a>> Span<'a, R> {
    pub fn read(r: &mut R, look: &mut impl Look<'a>) -> Result<Self, Fault> {
        let (mut low, mut high, mut last, before) = (0, 0, 0, r.remaining());
        let mut s = Self {
            trace_id: [0; 16],
            id: 0,
            parent_id: None,
            name: b"",
            annotations: List::default(),
            binary_annotations: List::default(),
            debug: false,
            timestamp: None,
            duration: None,
            len: 0,
        };
        while let Some(field) = r.field(&mut last).map_err(at("Span"))? {
            match (field.id, field.kind) {
                (1, Type::I64) => low = r.i64().map_err(at("Span.trace_id"))?,
                (3, Type::Binary) => s.name = r.binary().map_err(at("Span.name"))?,
                (4, Type::I64) => s.id = r.i64().map_err(at("Span.id"))?,
                (5, Type::I64) => s.parent_id = Some(r.i64().map_err(at("Span.parent_id"))?),
                (6, Type::List) => {
                    look.annotations();
                    let each = |r: &mut R| Annotation::read(r).map(|a| look.annotation(&a));
                    s.annotations = List::pass_with(r, at("Span.annotations"), each)?;
                }
                (8, Type::List) => {
                    look.binary_annotations();
                    let each = |r: &mut R| BinaryAnnotation::read(r).map(|b| look.binary_annotation(&b));
                    s.binary_annotations = List::pass_with(r, at("Span.binary_annotations"), each)?;
                }
                (9, Type::Bool) => s.debug = r.bool(&field).map_err(at("Span.debug"))?,
                (10, Type::I64) => s.timestamp = Some(r.i64().map_err(at("Span.timestamp"))?),
                (11, Type::I64) => s.duration = Some(r.i64().map_err(at("Span.duration"))?),
                (12, Type::I64) => high = r.i64().map_err(at("Span.trace_id_high"))?,
                _ => r.skip(&field).map_err(at("Span"))?,
            }
        }
        s.trace_id = (u128::from(high as u64) << 64 | u128::from(low as u64)).to_be_bytes();
        s.len = before - r.remaining();
        Ok(s)
    }
}

impl<'a> Annotation<'a> {
    pub fn read<R: Reader<'a>>(r: &mut R) -> Result<Self, Fault> {
        let mut a = Self { timestamp: 0, value: b"", host: None };
        let mut last = 0;
        while let Some(field) = r.field(&mut last).map_err(at("Annotation"))? {
            match (field.id, field.kind) {
                (1, Type::I64) => a.timestamp = r.i64().map_err(at("Annotation.timestamp"))?,
                (2, Type::Binary) => a.value = r.binary().map_err(at("Annotation.value"))?,
                (3, Type::Struct) => a.host = Some(Endpoint::read(r)?),
                _ => r.skip(&field).map_err(at("Annotation"))?,
            }
        }
        Ok(a)
    }
}

impl<'a> BinaryAnnotation<'a> {
    pub fn read<R: Reader<'a>>(r: &mut R) -> Result<Self, Fault> {
        let mut b = Self { key: b"", value: b"", kind: 0, host: None };
        let mut last = 0;
        while let Some(field) = r.field(&mut last).map_err(at("BinaryAnnotation"))? {
            match (field.id, field.kind) {
                (1, Type::Binary) => b.key = r.binary().map_err(at("BinaryAnnotation.key"))?,
                (2, Type::Binary) => b.value = r.binary().map_err(at("BinaryAnnotation.value"))?,
                (3, Type::I32) => b.kind = r.i32().map_err(at("BinaryAnnotation.annotation_type"))?,
                (4, Type::Struct) => b.host = Some(Endpoint::read(r)?),
                _ => r.skip(&field).map_err(at("BinaryAnnotation"))?,
            }
        }
        Ok(b)
    }
}

impl<'a> Endpoint<'a> {
    fn read<R: Reader<'a>>(r: &mut R) -> Result<Self, Fault> {
        let (mut e, mut last) = (Self::default(), 0);
        while let Some(field) = r.field(&mut last).map_err(at("Endpoint"))? {
            match (field.id, field.kind) {
                (1, Type::I32) => e.ipv4 = r.i32().map_err(at("Endpoint.ipv4"))?,
                (2, Type::I16) => e.port = r.i16().map_err(at("Endpoint.port"))?,
                (3, Type::Binary) => e.service = r.binary().map_err(at("Endpoint.service_name"))?,
                (4, Type::Binary) => e.ipv6 = Some(r.binary().map_err(at("Endpoint.ipv6"))?),
                _ => r.skip(&field).map_err(at("Endpoint"))?,
            }
        }
        Ok(e)
    }
}

/// The first bytes of a number. Both of Jaeger's converters pass over what follows them.
pub(in crate::zipkin) fn first<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.first_chunk().copied()
}
